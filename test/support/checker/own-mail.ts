// A mail as it goes to the inner server, read strictly: our headers only, one text, our files; then C1, C2, C3, C7 of each.
import { unzipSync } from 'fflate';
import { fileFaults } from './checker.ts';
import type { NoOriginal } from './no-original.ts';
import { nameFaults, textFaults } from './text-rules.ts';

const HEADERS = new Set([
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'auto-submitted',
  'x-mugai-id',
  'x-mugai-state',
  'x-mugai-policy',
]);
const PART_HEADERS = new Set(['content-type', 'content-transfer-encoding', 'content-disposition']);

interface Entity {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What breaks the contract in a delivered mail. */
export function mailFaults(eml: Buffer, original: NoOriginal): string[] {
  const faults: string[] = [];
  const text = eml.toString('latin1');
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) faults.push('C1 mail: a bare CR or LF');
  const whole = entityOf(text, HEADERS, faults);
  const type = whole.headers.get('content-type') ?? '';
  if (!type.startsWith('multipart/mixed')) return [...faults, ...textPart(whole, original)];
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1] ?? '';
  const pieces = whole.body.split(`--${boundary}`);
  if (!/^--\s*$/.test(pieces.at(-1) ?? '')) faults.push('C1 mail: something behind its last part');
  if ((pieces[0] ?? '').trim() !== '') faults.push('C1 mail: something before its first part');
  for (const [index, piece] of pieces.slice(1, -1).entries()) {
    const part = entityOf(piece.replace(/^\r\n/, ''), PART_HEADERS, faults);
    faults.push(...(index === 0 ? textPart(part, original) : attachment(part, original)));
  }
  return faults;
}

function textPart(part: Entity, original: NoOriginal): string[] {
  const faults: string[] = [];
  const type = part.headers.get('content-type') ?? '';
  if (!/^text\/plain; charset=(?:utf-8|iso-2022-jp)(?:;.*)?$/i.test(type)) faults.push(`C1 mail: its body is ${type}`);
  const bytes = decoded(part);
  return /iso-2022-jp/i.test(type)
    ? [...faults, ...original.inText(bytes, 'body')]
    : [
        ...faults,
        ...fileFaults('body.txt', Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'), original),
      ];
}

function attachment(part: Entity, original: NoOriginal): string[] {
  const disposition = part.headers.get('content-disposition') ?? '';
  if (!disposition.startsWith('attachment')) return [`C7 mail: a part that is no attachment: ${disposition}`];
  const name = fileNameOf(disposition);
  return name.endsWith('.zip')
    ? zipFaults(decoded(part), original)
    : [...nameFaults(`files/${name}`), ...fileFaults(name, decoded(part), original)];
}

/** What came in one archive leaves in one zip, where the policy says so: each entry is an output like any other. */
function zipFaults(zip: Buffer, original: NoOriginal): string[] {
  const faults: string[] = [];
  for (const [path, bytes] of Object.entries(unzipSync(zip))) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (path.split('/').some((step) => step === '' || step === '..' || step === '.')) faults.push(`C7 zip: ${path}`);
    faults.push(...textFaults(path, 'a name in the zip'), ...fileFaults(name, Buffer.from(bytes), original));
  }
  return faults;
}

/** The name of RFC 2231 or a plain quoted one. */
function fileNameOf(disposition: string): string {
  const plain = /filename="?([^";]+)"?/.exec(disposition)?.[1];
  if (plain !== undefined) return plain;
  const pieces = [...disposition.matchAll(/filename\*(?:(\d+)\*?|)=(?:utf-8'')?([^;\s]+)/gi)];
  return decodeURIComponent(pieces.map((piece) => piece[2]).join(''));
}

function entityOf(text: string, allowed: ReadonlySet<string>, faults: string[]): Entity {
  const end = text.indexOf('\r\n\r\n');
  const headers = new Map<string, string>();
  for (const line of text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    if (!allowed.has(name)) faults.push(`C1 mail: header ${JSON.stringify(name)}`);
    if (headers.has(name)) faults.push(`C1 mail: two headers ${name}`);
    const value = line.slice(line.indexOf(':') + 1).trim();
    faults.push(...textFaults(value, `header ${name}`));
    headers.set(name, value);
  }
  return { headers, body: text.slice(end + 4) };
}

function decoded(part: Entity): Buffer {
  const encoding = (part.headers.get('content-transfer-encoding') ?? '7bit').toLowerCase();
  if (encoding === 'base64') return Buffer.from(part.body, 'base64');
  if (encoding !== 'quoted-printable') return Buffer.from(part.body, 'latin1');
  const text = part.body
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
