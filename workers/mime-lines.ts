// Lines and words of a MIME part's edge: what is blank, what is a boundary, which transfer encoding was meant.
// oxlint-disable no-underscore-dangle -- names of mailsplit

const PLAIN = new Set(['', '7bit', '8bit', 'binary', '7-bit', '8-bit', 'none']);
const UU = new Set(['x-uuencode', 'uuencode', 'x-uue', 'uue']);

/** What of mailsplit's MimeNode says which boundaries are in force. */
export interface Bounded {
  readonly parentNode: Bounded | false;
  readonly _boundary: Buffer | false;
}

export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 0x20) return false;
  return true;
}

/** The bytes without the delimiter lines in them: the splitter hands out one and what follows it as one piece. */
export function withoutBoundaries(value: Buffer, node: Bounded): Buffer {
  if (!value.includes('--')) return value;
  const boundaries: Buffer[] = [];
  for (let owner: Bounded | false = node; owner !== false; owner = owner.parentNode) {
    if (owner._boundary !== false) boundaries.push(owner._boundary);
  }
  const kept: Buffer[] = [];
  for (let from = 0; from < value.length;) {
    const lf = value.indexOf(0x0a, from);
    const to = lf < 0 ? value.length : lf + 1;
    const line = value.subarray(from, to);
    if (!boundaries.some((boundary) => startsWithBoundary(line, boundary))) kept.push(line);
    from = to;
  }
  return Buffer.concat(kept);
}

function startsWithBoundary(line: Buffer, boundary: Buffer): boolean {
  return line[0] === 0x2d && line[1] === 0x2d && line.subarray(2, 2 + boundary.length).equals(boundary);
}

/** The transfer encoding that was meant (RFC 2045 §6; quotes and junk around the name are forgiven). */
export function encodingOf(declared: string | false): { readonly name: string; readonly unknown: string } {
  const plain = (declared || '').replace(/["';\s]/g, '');
  if (PLAIN.has(plain)) return { name: '', unknown: '' };
  if (plain.startsWith('base64')) return { name: 'base64', unknown: '' };
  if (plain.startsWith('quoted-printable') || plain === 'quotedprintable')
    return { name: 'quoted-printable', unknown: '' };
  if (UU.has(plain)) return { name: 'uuencode', unknown: '' };
  return { name: '', unknown: plain.slice(0, 60) };
}
