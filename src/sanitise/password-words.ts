// Passwords in the text of a mail, as Japanese senders write them in the second mail (PPAP): 「パスワード：xxxx」, PWは「xxxx」です,
// the word on one line and the password below it, all of it quoted in a forwarded mail.

/** Candidates that are tried of one mail, the likeliest first. */
export const CANDIDATES_MOST = 10;
/** Lines of a mail, and characters of each, that are looked at: a notice of a password is short. */
const LINES_MOST = 2000;
const LINE_CHARS = 500;
/** Lines after the word in which the password may stand. */
const REACH = 3;
const PASSWORD_CHARS = 127;

/** Words that a password follows, in half-width small letters (the text is brought to that form, NFKC). */
const WORD =
  /パスワード|ぱすわーど|パスコード|パスフレーズ|パス\s*(?=[:=は「【])|pass\s?words?|pass\s?code|passphrase|(?<![a-z0-9])p[/.]?w(?:d)?\.?(?![a-z0-9])|(?<![a-z0-9])pass(?![a-z0-9])|(?:解凍|展開|復号|解除|開封|閲覧)(?:用)?(?:の)?(?:キー|鍵|コード|パス(?!ワード|コード|フレーズ)|pw|pass(?!word|code))?|暗証番号|合言葉/gi;

const PAIRS: readonly (readonly [open: string, close: string])[] = [
  ['「', '」'],
  ['『', '』'],
  ['【', '】'],
  ['〔', '〕'],
  ['《', '》'],
  ['〈', '〉'],
  ['“', '”'],
  ['‘', '’'],
  ['"', '"'],
  ["'", "'"],
  ['[', ']'],
  ['<', '>'],
  ['(', ')'],
];

/** `>` and `|` of quoted mails, and the marks of lists. */
const QUOTE = /^(?:\s|[>|＞｜│]|[・■□◆◇●○★☆※▼▽*-](?=\s*\S))*/;
/** A remark on the word, before its mark: 「パスワード（半角英数字）：」. */
const REMARK = /^\s*[([〔][^()[\]〔〕]{1,30}[)\]〕](?=\s*(?:は|が|:|=|→|⇒|⇨|->))/;
/** What stands between the word and the password. */
const MARK = /^\s*(?:(?:は|が|:|=|→|⇒|⇨|->|=>|～|~)\s*)+/;
/** Printable ASCII without blanks. */
const TOKEN = /^[\x21-\x7e]{3,127}/;
const TOKENS = /[\x21-\x7e]{4,127}/g;
/** What such a token often is instead. */
const NO_PASSWORD =
  /^(?:[-=_*#+~.]+$|https?:|mailto:|www\.|[^@]+@[^@]+\.[a-z]+$)|\.(?:zip|7z|rar|lzh|pdf|docx?|xlsx?|pptx?|exe|txt|csv)[)\].,;]*$/i;

/**
 * Candidates in a text, the likeliest first, at most `CANDIDATES_MOST`; empty when it speaks of no password. Each as it is
 * typed: half-width where the mail has it full-width, and as written. `sureOnly`: only what follows the word and a mark.
 */
export function passwordCandidates(text: string, sureOnly = false): string[] {
  const lines = text
    .split(/\r\n|[\n\r\u2028]/, LINES_MOST)
    .map((line) => line.slice(0, LINE_CHARS).replace(QUOTE, '').trimEnd());
  const sure: string[] = [];
  const likely: string[] = [];
  const loose: string[] = [];
  for (const [nth, line] of lines.entries()) {
    const plain = line.normalize('NFKC');
    WORD.lastIndex = 0;
    const ends = [...plain.matchAll(WORD)].map((found) => found.index + found[0].length);
    for (const end of ends) {
      const behind = plain.slice(end);
      const rest = behind.replace(REMARK, '');
      const marked = MARK.test(rest) ? rest.replace(MARK, '') : undefined;
      if (marked !== undefined && marked !== '') sure.push(...first(marked), ...token(marked));
      else likely.push(...quoted(behind));
      loose.push(...tokens(behind));
    }
    if (ends.length === 0) continue;
    // As written, where the wide letters themselves are the password.
    if (line !== plain) loose.push(...quoted(line));
    const below = lines.slice(nth + 1).filter((next) => next.trim() !== '');
    for (const next of below.slice(0, REACH)) {
      const there = next.normalize('NFKC');
      WORD.lastIndex = 0;
      if (WORD.test(there)) break; // it is told there
      const bare = there.replace(MARK, '').trim();
      if (/^[\x21-\x7e]+$/.test(bare)) likely.push(...token(bare));
      likely.push(...quoted(bare));
      loose.push(...tokens(bare));
    }
  }
  return distinct(sureOnly ? sure : [...sure, ...likely, ...loose]);
}

/** A bracketed password that a text begins with. */
function first(text: string): string[] {
  const pair = PAIRS.find(([open]) => text.startsWith(open));
  if (pair === undefined) return [];
  const end = text.indexOf(pair[1], 1);
  return end < 2 ? [] : forms(text.slice(1, end));
}

/** Every bracketed piece of a line. */
function quoted(text: string): string[] {
  const found: string[] = [];
  for (const [open, close] of PAIRS) {
    for (let at = text.indexOf(open); at >= 0 && found.length < 4; at = text.indexOf(open, at + 1)) {
      const end = text.indexOf(close, at + 1);
      if (end < 0) break;
      const inner = text.slice(at + 1, end).trim();
      if (/[\x21-\x7e\uff01-\uff5e]/.test(inner) && !NO_PASSWORD.test(inner)) found.push(inner);
      at = end;
    }
  }
  return found;
}

/** The token that a text begins with, with and without the stop behind it. */
function token(text: string): string[] {
  const found = TOKEN.exec(text.replace(/^[「『【〔《〈“‘]/, ''))?.[0];
  return found === undefined || NO_PASSWORD.test(found) ? [] : forms(found);
}

function tokens(text: string): string[] {
  // A password has a digit, a sign, or is no word of a sentence.
  return (text.match(TOKENS) ?? [])
    .slice(0, 4)
    .filter((found) => !NO_PASSWORD.test(found) && /[0-9!-/:-@[-`{-~]|[a-z][A-Z]/.test(found))
    .flatMap(forms);
}

function forms(password: string): string[] {
  const whole = password.trim();
  const bare = whole.replace(/[.,;:)\]}>"'`]+$/, '').replace(/^[()"'`<[\]{:=]+/, '');
  return bare === whole || bare.length < 3 ? [whole] : [whole, bare];
}

function distinct(found: readonly string[]): string[] {
  const usable = found.filter((one) => one.length >= 3 && one.length <= PASSWORD_CHARS);
  return [...new Set(usable)].slice(0, CANDIDATES_MOST);
}
