// The limits of children, each enforced by the host: at the limit, one above, far above; and mail that passes meanwhile.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../src/message/limits.ts';
import type { ChildOutcome, FrameSink } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { MailReader } from '../../src/sandbox/mail-reader.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { RemarkReader } from '../../src/sandbox/remark-reader.ts';
import { TextReader } from '../../src/sandbox/text-reader.ts';
import { FRAME, OPERATION, PART_KIND, PIXEL, WireError, fieldsFrame, type Frame } from '../../src/sandbox/wire.ts';

const MIB = 1024 * 1024;
const FAR = 0xffffffff;
const never = new AbortController().signal;
const nothing = (): void => undefined;
const DEAF = {
  onHeader: nothing,
  onPart: nothing,
  onBytes: nothing,
  onText: nothing,
  onPartEnd: nothing,
  onFinding: nothing,
  onLoss: nothing,
  onDetected: nothing,
};

const RSS = 300 * MIB;
const HOSTILE: Family = {
  ...FAMILIES.text,
  entry: fileURLToPath(new URL('./hostile-worker.ts', import.meta.url)),
  readable: ['test/sandbox/hostile-worker.ts'],
  rssLimit: RSS,
};

describe('a limit of a child, enforced while a mail passes:', () => {
  let hostile: ChildPool;
  let mails: ChildPool;
  before(async () => {
    hostile = new ChildPool(HOSTILE, { most: 1, warm: 1 }, nothing);
    mails = new ChildPool(FAMILIES.mail, { most: 1, warm: 1 }, nothing);
    await Promise.all([hostile.warm(), mails.warm()]);
  });
  after(async () => {
    await Promise.all([hostile[Symbol.asyncDispose](), mails[Symbol.asyncDispose]()]);
  });

  const ask = { operation: OPERATION.convert, dpi: 0, maxPages: 0, declaredType: 'text', password: '' };

  async function attack(name: string, deadlineMs: number): Promise<ChildOutcome> {
    return hostile.use(never, async (child) => {
      const reader = new TextReader(OPERATION.convert, DEAF);
      const bounds = { deadlineMs, totalMs: deadlineMs, whole: () => reader.finish(), signal: never };
      return child.run({ ...ask, name }, Buffer.from('x'), reader.take, bounds);
    });
  }

  /** An honest mail in the real family. */
  async function mail(): Promise<ChildOutcome> {
    return mails.use(never, async (child) => {
      const reader = new MailReader(DEAF);
      const bounds = { deadlineMs: 20_000, totalMs: 20_000, whole: () => reader.finish(), signal: never };
      const bytes = Buffer.from('From: a@example.com\r\nSubject: x\r\n\r\nhonest');
      return child.run({ ...ask, name: '' }, bytes, reader.take, bounds);
    });
  }

  /** What the child does and how it ends; a mail that came just after it has passed before or beside it. */
  async function beside(name: string, deadlineMs = 30_000): Promise<string> {
    const [outcome, passed] = await Promise.all([attack(name, deadlineMs), mail()]);
    assert.deepEqual(passed, { kind: 'done' });
    return outcome.kind === 'done' ? 'done' : `${outcome.reason}: ${outcome.kind === 'failed' ? outcome.detail : ''}`;
  }

  const CASES: readonly (readonly [what: string, amount: number, ends: RegExp])[] = [
    ['frame-bytes', LIMITS.frameBytes, /^done$/],
    ['frame-bytes', LIMITS.frameBytes + 1, /^converter-failed: odd frame: frame of 1048577 bytes/],
    ['frame-bytes', 64 * LIMITS.frameBytes, /^converter-failed: odd frame: frame of 67108864 bytes/],
    ['frames', LIMITS.frames, /^done$/],
    ['frames', LIMITS.frames + 1, /^converter-failed: odd frame: a flood of frames/],
    ['frames', LIMITS.frames * 10, /^converter-failed: odd frame: a flood of frames/],
    ['stderr', LIMITS.stderrMost, /^done$/],
    ['stderr', LIMITS.stderrMost + 1, /^converter-failed: a flood on stderr|^done$/],
    ['stderr', LIMITS.stderrMost * 20, /^converter-failed: a flood on stderr/],
    // A child of Node takes some 90 MiB by itself.
    ['mebibytes', 100, /^done$/],
    ['mebibytes', 300, /^out-of-memory: resident \d+ MiB/],
    // The kernel gives no more than twice that: the liar's parser dies of it before the host has looked.
    ['mebibytes', 6000, /^out-of-memory|Failed to allocate memory/],
  ];
  for (const [what, amount, ends] of CASES) {
    it(`${what}: ${amount}`, async () => assert.match(await beside(`${what} ${amount}`), ends));
  }

  it('milliseconds: a child that is in time, one that is late, one that would never come', async () => {
    assert.equal(await beside('milliseconds 500', 30_000), 'done');
    assert.match(await beside('milliseconds 2500', 1000), /^timeout/);
    assert.match(await beside('milliseconds 100000000', 1000), /^timeout/);
  });
});

/** How many of the frames a reader takes before it has enough. */
function taken(take: FrameSink, frames: Iterable<Buffer>): number {
  let count = 0;
  for (const bytes of frames) {
    const frame: Frame = { type: bytes.readUInt8(1), payload: bytes.subarray(6) };
    try {
      void take(frame);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
      return count;
    }
    count += 1;
  }
  return count;
}

describe('a limit of what a reader takes', () => {
  const pages = (count: number): Buffer => fieldsFrame(FRAME.pages, [count]);
  const page = (width: number, height: number): Buffer =>
    fieldsFrame(FRAME.page, [width, height, PIXEL.grey4, { f64: 1 }, { f64: 1 }]);
  const collector = (maxPages?: number): FrameSink => new PageCollector(nothing, maxPages).take;

  it('pages: what was asked for, at most the ceiling, not one more', () => {
    for (const [asked, announced, takes] of [
      [FAR, LIMITS.pages, 1],
      [FAR, LIMITS.pages + 1, 0],
      [FAR, FAR, 0],
      [5, 5, 1],
      [5, 6, 0],
    ] as const)
      assert.equal(taken(collector(asked), [pages(announced)]), takes, `${announced} of ${asked}`);
  });

  it('pixels of a side and of a page', () => {
    const square = Math.sqrt(LIMITS.pagePixels);
    for (const [width, height, takes] of [
      [square, square, 2],
      [square, square + 1, 1],
      [LIMITS.sidePixels, 1, 2],
      [LIMITS.sidePixels + 1, 1, 1],
      [1, LIMITS.sidePixels + 1, 1],
      [FAR, FAR, 1],
    ] as const)
      assert.equal(taken(collector(), [pages(1), page(width, height)]), takes, `${width} × ${height}`);
  });

  it('pixels of a document', () => {
    const side = Math.sqrt(LIMITS.pagePixels);
    const most = Math.floor(LIMITS.pixels / LIMITS.pagePixels);
    const strip = (LIMITS.pixels - most * LIMITS.pagePixels) / LIMITS.sidePixels;
    const filling = Buffer.alloc((side * side) / 2);
    const whole = function* (last: number): Generator<Buffer> {
      const pixels = Buffer.concat([fieldsFrame(FRAME.pixels), filling]);
      yield pages(LIMITS.pages);
      for (let i = 0; i < most; i++) {
        yield page(side, side);
        yield pixels;
      }
      yield page(LIMITS.sidePixels, last);
    };
    assert.ok(strip >= 1 && Number.isInteger(strip));
    assert.equal(taken(collector(), whole(strip)), 1 + 2 * most + 1);
    assert.equal(taken(collector(), whole(strip + 1)), 1 + 2 * most);
  });

  it('text of one leaf', () => {
    const piece = (units: number): Buffer => Buffer.concat([fieldsFrame(FRAME.text), Buffer.alloc(units, 0x61)]);
    const full = Array.from({ length: LIMITS.textChars / MIB }, () => piece(MIB));
    const text = (): FrameSink => new TextReader(OPERATION.convert, DEAF).take;
    assert.equal(taken(text(), full), full.length);
    assert.equal(taken(text(), [...full, piece(1)]), full.length);
    assert.equal(taken(text(), [...full, ...full]), full.length);
  });

  it('remarks of one input', () => {
    const reader = new RemarkReader(DEAF);
    const remarks = Array.from({ length: 20_000 }, () => fieldsFrame(FRAME.finding, ['code', 'detail']));
    assert.equal(
      taken((frame) => reader.take(frame), remarks),
      5000,
    );
  });

  it('parts and depth of a mail', () => {
    const part = (path: readonly number[], kind: number): Buffer =>
      fieldsFrame(FRAME.part, [path.length, ...path, kind, 'text/plain', '', '', '']);
    const root = part([], PART_KIND.multipart);
    const leaves = function* (count: number): Generator<Buffer> {
      yield root;
      for (let i = 1; i <= count; i++) {
        yield part([i], PART_KIND.leaf);
        yield fieldsFrame(FRAME.partEnd);
      }
    };
    const mail = (): FrameSink => new MailReader(DEAF).take;
    assert.equal(taken(mail(), leaves(LIMITS.parts - 1)), 1 + 2 * (LIMITS.parts - 1));
    assert.equal(taken(mail(), leaves(LIMITS.parts)), 1 + 2 * (LIMITS.parts - 1));
    assert.equal(taken(mail(), leaves(100_000)), 1 + 2 * (LIMITS.parts - 1));
    const nested = (depth: number): Buffer[] =>
      Array.from({ length: depth + 1 }, (_, level) =>
        part(
          Array.from({ length: level }, () => 1),
          PART_KIND.multipart,
        ),
      );
    assert.equal(taken(mail(), nested(LIMITS.mimeDepth)), LIMITS.mimeDepth + 1);
    assert.equal(taken(mail(), nested(LIMITS.mimeDepth + 1)), LIMITS.mimeDepth + 1);
    assert.equal(taken(mail(), nested(5000)), LIMITS.mimeDepth + 1);
  });
});
