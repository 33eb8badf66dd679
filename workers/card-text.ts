// Business cards (vCard 2.1 to 4.0, RFC 6350) as text, those of Japanese phones (quoted-printable Shift_JIS) among them.
import { decodeText } from './charset.ts';

const SOURCE_MAX = 512 * 1024;
const CARDS_MAX = 100;

const LABELS: Readonly<Record<string, string>> = {
  READING: 'ふりがな',
  NICKNAME: '呼び名',
  ORG: '所属',
  TITLE: '役職',
  ROLE: '職務',
  TEL: '電話',
  FAX: 'FAX',
  EMAIL: 'メール',
  IMPP: 'メッセージ',
  ADR: '住所',
  URL: 'URL',
  BDAY: '誕生日',
  NOTE: '備考',
};
/** Says nothing of a person, or is said by another property. */
const SILENT = /^(?:VERSION|PRODID|REV|UID|N|FN|PROFILE|CLASS|SOURCE|NAME|KIND|MAILER|X-ABLABEL)$/;
const OTHERS_MAX = 20;

/** The text of a file of cards, which is one latin1 letter a byte where its charset is the cards' own; undefined when there is none. */
export function cardText(source: string): string | undefined {
  const cards: string[] = [];
  let card: Map<string, string[]> | undefined;
  for (const { name, value } of properties(source.slice(0, SOURCE_MAX))) {
    if (name === 'BEGIN') card = new Map();
    else if (name === 'END') {
      if (card !== undefined && cards.length < CARDS_MAX) cards.push(told(card));
      card = undefined;
    } else if (card !== undefined && value !== '') card.set(name, [...(card.get(name) ?? []).slice(0, 20), value]);
  }
  return cards.length === 0 ? undefined : cards.join('\n\n');
}

function told(card: ReadonlyMap<string, readonly string[]>): string {
  const name = card.get('FN')?.[0] ?? fieldsOf(card.get('N')?.[0] ?? '').join(' ');
  const lines = [`【連絡先】${name}`];
  for (const [key, label] of Object.entries(LABELS)) {
    for (const value of card.get(key) ?? []) lines.push(`${label}: ${fieldsOf(value).join(' ')}`);
  }
  const others = [...card.keys()].filter((key) => !(key in LABELS) && !SILENT.test(key)).slice(0, OTHERS_MAX);
  if (others.length > 0) lines.push(`（ほかの項目: ${others.join(', ').slice(0, 300)}）`);
  return lines.join('\n');
}

/** The name that a property is told under: a fax number by that, readings of names by that. */
function nameOf(name: string, params: readonly string[]): string {
  if (name === 'TEL') {
    const kinds = params.flatMap((param) =>
      param
        .replace(/^TYPE=/, '')
        .replaceAll('"', '')
        .split(','),
    );
    return kinds.includes('FAX') ? 'FAX' : name;
  }
  const isReading = /^X-PHONETIC-|^SORT-STRING$/.test(name) || (name === 'SOUND' && params.includes('X-IRMC-N'));
  return isReading ? 'READING' : name;
}

/** The fields of a structured value, those with something in them. */
function fieldsOf(value: string): string[] {
  return value
    .split(/(?<!\\);/)
    .map((field) =>
      field
        .replace(/\\n/gi, ' ')
        .replace(/\\([\\;,:])/g, '$1')
        .trim(),
    )
    .filter((field) => field !== '');
}

interface Property {
  readonly name: string;
  readonly value: string;
}

function* properties(source: string): Generator<Property, void, undefined> {
  const lines = source.split(/\r\n|\n|\r/);
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at] ?? '';
    const quoted = /^[^:]{0,200};(?:ENCODING=)?QUOTED-PRINTABLE[;:]/i.test(line);
    const pieces = [line];
    while (
      quoted ? pieces.at(-1)?.endsWith('=') === true && at + 1 < lines.length : /^[ \t]/.test(lines[at + 1] ?? '')
    ) {
      at += 1;
      pieces.push(quoted ? (lines[at] ?? '') : (lines[at] ?? '').slice(1));
    }
    line = quoted ? pieces.map((piece) => piece.replace(/=$/, '')).join('') : pieces.join('');
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const [name = '', ...params] = line.slice(0, colon).toUpperCase().split(';');
    const raw = line.slice(colon + 1);
    const charset = params.find((param) => param.startsWith('CHARSET='))?.slice(8) ?? '';
    const known = nameOf(name.replace(/^.*\./, ''), params);
    const packed =
      params.some((param) => /^ENCODING=(?:B|BASE64)$|^BASE64$/.test(param)) && (known in LABELS || known === 'FN');
    const plain = packed ? decodeText(Buffer.from(raw, 'base64'), charset).text : raw;
    yield { name: known, value: quoted ? unQuoted(raw, charset) : plain };
  }
}

function unQuoted(text: string, charset: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return /[^\0-\xff]/.test(bytes) ? bytes : decodeText(Buffer.from(bytes, 'latin1'), charset).text;
}
