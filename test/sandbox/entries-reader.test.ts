// The host's reader of opened files (archives, office engines) against children that lie.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { EntriesReader, type EntryHandlers } from '../../src/sandbox/entries-reader.ts';
import {
  FRAME,
  FrameReader,
  PART_KIND,
  WireError,
  bytesFrame,
  fieldsFrame,
  type Frame,
  type FrameType,
} from '../../src/sandbox/wire.ts';

const LEAF: number = PART_KIND.leaf;

const frameOf = (bytes: Buffer): Frame => {
  const [frame] = [...new FrameReader(LIMITS.frameBytes).push(bytes)];
  assert.ok(frame);
  return frame;
};
const raw = (type: FrameType, payload: Uint8Array | string): Frame =>
  frameOf(Buffer.concat(bytesFrame(type, Buffer.from(payload as string))));
const entry = (index = 1, { kind = LEAF, said = '', type = 'application/pdf' } = {}): Frame =>
  frameOf(fieldsFrame(FRAME.part, [1, index, kind, type, 'a.pdf', said, '']));
const bytes = raw(FRAME.bytes, 'x');
const end = frameOf(fieldsFrame(FRAME.partEnd));
const cells = (payload: Uint8Array | string): Frame => raw(FRAME.cells, payload);
const letters = raw(FRAME.text, '字');

/** What a reader of these handlers makes of frames, one after another. */
function read(frames: readonly Frame[], more: Partial<EntryHandlers> = {}): string[] {
  const log: string[] = [];
  const reader = new EntriesReader({
    onEntry: ({ name }) => void log.push(`entry ${name}`),
    onBytes: (chunk) => void log.push(`bytes ${chunk.length}`),
    onEntryEnd: () => void log.push('end'),
    onFinding: ({ code }) => void log.push(code),
    onLoss: ({ code }) => void log.push(code),
    ...more,
  });
  for (const frame of frames) void reader.take(frame);
  return log;
}

const heard: Partial<EntryHandlers> = { onLetters: () => undefined, onCells: () => undefined };

describe('a child that opens files', () => {
  it('is heard when it tells letters, cells and entries in order', () => {
    const told: string[] = [];
    const log = read([letters, cells('一\n二'), cells('つ\n'), entry(), bytes, end, entry(2), end], {
      ...heard,
      onCells: (piece) => void told.push(piece),
    });
    assert.deepEqual(log, ['entry a.pdf', 'bytes 1', 'end', 'entry a.pdf', 'end']);
    assert.equal(told.join(''), '一\n二つ\n');
  });

  const piece = Buffer.alloc(LIMITS.frameBytes, 'x');
  const pieces = Math.ceil((3 * LIMITS.textChars) / piece.length);
  const LIES: readonly (readonly [what: string, frames: () => readonly Frame[], handlers?: Partial<EntryHandlers>])[] =
    [
      ['cells where nobody asked for them', () => [cells('x\n')], {}],
      ['letters where nobody asked for them', () => [letters], {}],
      ['cells behind an entry', () => [entry(), end, cells('x\n')]],
      ['letters within an entry', () => [entry(), letters]],
      ['cells that are no UTF-8', () => [cells(Buffer.from([0x41, 0xc3]))]],
      ['cells of half a surrogate pair', () => [cells(Buffer.from([0xed, 0xa0, 0x80]))]],
      ['more cells than text may have', () => Array.from({ length: pieces + 1 }, () => cells(piece))],
      ['an entry within an entry', () => [entry(), entry(2)]],
      ['an entry that was told before', () => [entry(), end, entry(1)]],
      ['an entry that was left out', () => [entry(2)]],
      ['an entry that is a tree', () => [entry(1, { kind: PART_KIND.multipart })]],
      ['a reason that there is not', () => [entry(1, { said: 'because' })]],
      ['a type that is none', () => [entry(1, { type: 'application/pdf; x=y' })]],
      ['bytes of nothing', () => [bytes]],
      ['bytes of an entry that has none', () => [entry(1, { said: 'damaged' }), bytes]],
      ['the end of nothing', () => [end]],
      ['a frame of another family', () => [frameOf(fieldsFrame(FRAME.pages, [1]))]],
    ];
  for (const [what, frames, handlers = heard] of LIES)
    it(`is not believed: ${what}`, () => assert.throws(() => read(frames(), handlers), WireError));

  it('may tell as many cells as text may have', () => {
    let length = 0;
    const most = Array.from({ length: pieces }, (_, at) =>
      cells(piece.subarray(0, Math.min(piece.length, 3 * LIMITS.textChars - at * piece.length))),
    );
    read(most, { ...heard, onCells: (text) => void (length += text.length) });
    assert.equal(length, 3 * LIMITS.textChars);
  });
});
