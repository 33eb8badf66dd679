// Mailboxes of old mail programs: mbox (RFC 4155 and its kin) as one mail after another, and Apple's emlx.
import { LIMITS } from '../src/message/limits.ts';
import { PART_KIND } from '../src/sandbox/wire.ts';
import { Refusal, type Out } from './run.ts';

const LF = 0x0a;
const CHUNK = 256 * 1024;
/** `From `, and a year at the end of its line (or Mozilla's `From -`): `From` at the start of a sentence is none. */
const POSTMARK = /^From (?:-|\S.*\d{4}\b.{0,20}$)/;
/** What follows a postmark: not every program put `>` before the `From ` of a text. */
const FIELD = /^[!-9;-~]+[ \t]*:/;

/** Tells each mail of the mailbox as a leaf of its own. `>From` at the start of a line loses the sign that was put there. */
export async function tellMbox(input: AsyncIterable<Buffer>, out: Out): Promise<void> {
  out.part({ path: [], kind: PART_KIND.multipart, type: 'multipart/digest', name: '', disposition: '', contentId: '' });
  let count = 0;
  // Lines are gathered: a frame for each would be a flood.
  let held: Buffer[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (size > 0) out.bytes(Buffer.concat(held));
    held = [];
    size = 0;
    await out.drained();
  };
  const keep = (line: Buffer): void => {
    if (count === 0) return;
    held.push(/^>+From /.test(line.toString('latin1', 0, 40)) ? line.subarray(1) : line);
    size += line.length;
  };
  let postmark: Buffer | undefined;
  for await (const line of linesOf(input)) {
    if (postmark !== undefined) {
      if (FIELD.test(line.toString('latin1', 0, 200))) {
        await flush();
        if (count > 0) out.partEnd();
        count += 1;
        if (count > LIMITS.parts) throw new Refusal('too-many-parts', 'mbox');
        const path = [count];
        out.part({ path, kind: PART_KIND.leaf, type: 'message/rfc822', name: '', disposition: '', contentId: '' });
      } else keep(postmark);
      postmark = undefined;
    }
    if (line.length < 500 && line[0] === 0x46 && POSTMARK.test(line.toString('latin1').trimEnd())) postmark = line;
    else keep(line);
    if (size > CHUNK) await flush();
  }
  if (postmark !== undefined) keep(postmark);
  if (count === 0) throw new Refusal('damaged', 'no message');
  await flush();
  out.partEnd();
}

/** Lines with their ends; one longer than a chunk comes in pieces, of which none but the first starts a line. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of input) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, from)) {
      yield bytes.subarray(from, lf + 1);
      from = lf + 1;
    }
    rest = Buffer.from(bytes.subarray(from));
    if (rest.length > LIMITS.frameBytes) {
      yield rest;
      rest = Buffer.alloc(0);
    }
  }
  if (rest.length > 0) yield rest;
}

/** The mail inside an emlx: its first line is the number of its bytes, a property list follows. */
export async function* withoutEmlx(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left = -1;
  let head = Buffer.alloc(0);
  for await (const chunk of input) {
    let bytes: Buffer = chunk;
    if (left < 0) {
      head = Buffer.concat([head, chunk]);
      const lf = head.indexOf(LF);
      if (lf < 0) {
        if (head.length > 100) throw new Refusal('damaged', 'emlx');
        continue;
      }
      left = Number.parseInt(head.toString('latin1', 0, lf), 10);
      if (!(left >= 0)) throw new Refusal('damaged', 'emlx');
      bytes = head.subarray(lf + 1);
    }
    if (left > 0 && bytes.length > 0) yield bytes.subarray(0, left);
    left = Math.max(0, left - bytes.length);
  }
  if (left < 0) throw new Refusal('damaged', 'emlx');
}
