// What stands at the top of a text when its sender may not be who it seems to be: plain words, one line a matter.
import type { Language } from './account.ts';
import type { Remark } from './part.ts';

type Say = (detail: string) => string;
type Words = { readonly [language in Language]: Say };

/** The two sides of a detail `a / b`. */
function sides(detail: string): readonly [string, string] {
  const at = detail.indexOf(' / ');
  return at < 0 ? [detail, ''] : [detail.slice(0, at), detail.slice(at + 3)];
}

const WORDS: { readonly [code: string]: Words } = {
  'from-count': {
    ja: (count) =>
      count === '0'
        ? '差出人（From）が書かれていません。'
        : `差出人（From）が${count}つ書かれています。本当の差出人は分かりません。`,
    en: (count) =>
      count === '0'
        ? 'It names no sender (From).'
        : `It names ${count} senders (From); which is the real one cannot be told.`,
  },
  'name-spoof': {
    ja: (name) => `差出人の名前「${name}」は、実際のアドレスと違うアドレスを見せています。`,
    en: (name) => `The sender’s name “${name}” shows an address that is not the real one.`,
  },
  'inner-domain': {
    ja: (address) => `差出人は庁内のアドレス（${address}）を名乗っていますが、このメールは外部から届きました。`,
    en: (address) =>
      `It claims to come from an address of your own organisation (${address}), but it came from outside.`,
  },
  'inner-name': {
    ja: (domain) => `差出人の名前に庁内のドメイン（${domain}）が書かれていますが、外部のアドレスから届きました。`,
    en: (domain) => `The sender’s name mentions your own domain (${domain}), but the address is an outside one.`,
  },
  'lookalike-domain': {
    ja: (detail) =>
      `差出人のドメイン ${sides(detail)[0]} は、庁内のドメイン ${sides(detail)[1]} によく似せた別のものです。`,
    en: (detail) => `The sender’s domain ${sides(detail)[0]} only looks like your own ${sides(detail)[1]}.`,
  },
  'mixed-script': {
    ja: (domain) => `差出人のドメインは、見た目の似た別の国の文字を混ぜています: ${domain}`,
    en: (domain) => `The sender’s domain mixes letters of different alphabets that look alike: ${domain}`,
  },
  'foreign-domain': {
    ja: (domain) => `差出人のドメインは英数字以外の文字を使っています: ${domain}`,
    en: (domain) => `The sender’s domain uses letters beyond a to z: ${domain}`,
  },
  'sender-mismatch': {
    ja: (detail) =>
      `表示される差出人（${sides(detail)[0]}）と、送信者（Sender: ${sides(detail)[1]}）のドメインが違います。`,
    en: (detail) =>
      `The sender shown (${sides(detail)[0]}) and the one who sent it (Sender: ${sides(detail)[1]}) have different domains.`,
  },
  'envelope-mismatch': {
    ja: (detail) =>
      `表示される差出人（${sides(detail)[0]}）と、配送上の差出人（${sides(detail)[1]}）のドメインが違います。メーリングリストや配信サービスではよくあることです。`,
    en: (detail) =>
      `The sender shown (${sides(detail)[0]}) and the one of the delivery (${sides(detail)[1]}) have different domains, as is usual for mailing lists.`,
  },
  'reply-elsewhere': {
    ja: (detail) => `返信すると、差出人とは別の宛先 ${sides(detail)[1]} に届きます。`,
    en: (detail) => `A reply goes to another place than the sender: ${sides(detail)[1]}`,
  },
  'bidi-header': {
    ja: (field) => `見えない文字や、文字の並びを変える文字が使われていました（${field}）。取り除いて表示しています。`,
    en: (field) => `It used invisible or reordering characters (${field}); they were removed.`,
  },
  'authentication-failed': {
    ja: (domain) =>
      `差出人のドメイン ${domain} から送られたことを確かめられませんでした（DMARC 不合格）。なりすましのおそれがあります。`,
    en: (domain) =>
      `It could not be shown to come from the sender’s domain ${domain} (DMARC failed); it may be forged.`,
  },
  authentication: {
    ja: (results) => `送信元の検証（参考）: ${resultsIn(results, 'ja')}`,
    en: (results) => `Checks of the sender (for information): ${resultsIn(results, 'en')}`,
  },
};

/** The results of RFC 8601 §2.7 in plain words. */
const RESULT_WORDS: { readonly [result: string]: { readonly [language in Language]: string } } = {
  pass: { ja: '合格', en: 'passed' },
  fail: { ja: '不合格', en: 'failed' },
  softfail: { ja: '疑わしい', en: 'doubtful' },
  neutral: { ja: '判断なし', en: 'no statement' },
  none: { ja: '設定なし', en: 'not used' },
  policy: { ja: '弱い方式のため無効', en: 'too weak to count' },
  temperror: { ja: '確認できず', en: 'could not be checked' },
  permerror: { ja: '設定に誤り', en: 'set up wrongly' },
};

/** `spf=pass (example.jp) dkim=none` for a reader: `SPF 合格（example.jp）、DKIM 設定なし`. */
function resultsIn(detail: string, language: Language): string {
  const told = [...detail.matchAll(/([a-z]+)=([a-z]+)(?: \(([^()]*)\))?/g)].map(
    ([, method = '', result = '', domain]) => {
      const words = RESULT_WORDS[result]?.[language] ?? result;
      const of = domain === undefined ? '' : language === 'ja' ? `（${domain}）` : ` (${domain})`;
      return `${method.toUpperCase()} ${words}${of}`;
    },
  );
  return told.join(language === 'ja' ? '、' : ', ');
}

const TITLE = { ja: '【差出人についてのご注意】', en: '[About the sender]' } as const;

/** Codes that alone are no reason to warn. */
const MILD: ReadonlySet<string> = new Set(['authentication']);

/** True for what the banner tells: the account need not. */
export function isToldAbove(code: string): boolean {
  return Object.hasOwn(WORDS, code);
}

/** What the banner says of one finding; undefined for what it does not tell. */
export function bannerWords({ code, detail }: Remark, language: Language): string | undefined {
  return Object.hasOwn(WORDS, code) ? WORDS[code]?.[language](detail) : undefined;
}

/** The banner for these findings, without a line end at its end; '' when nothing speaks against the sender. */
export function bannerOf(findings: readonly Remark[], language: Language): string {
  const told = findings.filter(({ code }) => Object.hasOwn(WORDS, code)).slice(0, 20);
  if (told.length === 0) return '';
  const lines = [...new Set(told.map(({ code, detail }) => `・${WORDS[code]?.[language](detail) ?? ''}`))];
  return told.every(({ code }) => MILD.has(code)) ? lines.join('\n') : [TITLE[language], ...lines].join('\n');
}
