// The host's readers of the mail and text families against children that lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { MailReader, type MailNode } from '../../src/sandbox/mail-reader.ts';
import { TextReader } from '../../src/sandbox/text-reader.ts';
import {
  FRAME,
  FrameReader,
  HEADER_FIELD,
  OPERATION,
  PART_KIND,
  WireError,
  bytesFrame,
  fieldsFrame,
  type Frame,
} from '../../src/sandbox/wire.ts';

const { leaf, multipart } = PART_KIND;

const frameOf = (bytes: Buffer): Frame => {
  const [frame] = [...new FrameReader(LIMITS.frameBytes).push(bytes)];
  assert.ok(frame);
  return frame;
};
const header = (field: number, text: string): Frame => frameOf(fieldsFrame(FRAME.header, [field, text]));
const part = (
  path: readonly number[],
  kind: number = leaf,
  type = 'text/plain',
  name = '',
  disposition = '',
  contentId = '',
): Frame => frameOf(fieldsFrame(FRAME.part, [path.length, ...path, kind, type, name, disposition, contentId]));
const bytes = (payload: Uint8Array): Frame => frameOf(Buffer.concat(bytesFrame(FRAME.bytes, payload)));
const text = (payload: string | Uint8Array): Frame =>
  frameOf(Buffer.concat(bytesFrame(FRAME.text, Buffer.from(payload as string))));
const end = (): Frame => frameOf(fieldsFrame(FRAME.partEnd));
const finding = (code: string, detail = ''): Frame => frameOf(fieldsFrame(FRAME.finding, [code, detail]));

class Seen {
  readonly log: string[] = [];
  readonly nodes: MailNode[] = [];
  onHeader(field: string, value: string): void {
    this.log.push(`${field}=${value}`);
  }
  onPart(node: MailNode): void {
    this.nodes.push(node);
  }
  onBytes(chunk: Buffer): void {
    this.log.push(`bytes ${chunk.length}`);
  }
  onText(piece: string): void {
    this.log.push(`text ${piece}`);
  }
  onPartEnd(): void {
    this.log.push('end');
  }
  onFinding({ code, detail }: { code: string; detail: string }): void {
    this.log.push(`${code}: ${detail}`);
  }
  onLoss(): void {
    this.log.push('loss');
  }
  onDetected(type: string, extension: string): void {
    this.log.push(`${type} ${extension}`);
  }
}

const read = (...frames: Frame[]): Seen => {
  const seen = new Seen();
  const reader = new MailReader(seen);
  for (const frame of frames) void reader.take(frame);
  reader.finish();
  return seen;
};
const refuses = (...frames: Frame[]): void => assert.throws(() => read(...frames), WireError);

void test('an honest mail goes through in its order, cleaned', () => {
  const seen = read(
    header(HEADER_FIELD.subject, 'a\r\nBcc: x\u202Ey'),
    header(HEADER_FIELD.date, '2026-06-01T01:00:00.000Z'),
    part([], multipart, 'multipart/mixed'),
    part([1], leaf, 'Text/HTML'),
    bytes(Buffer.from('abc')),
    finding('hidden-text', 'x\ny'),
    text('a\r\nb\u001b[31m\u200b'),
    end(),
    part([2], multipart, 'multipart/related'),
    part([2, 1], leaf, 'image/png', 'a\nb\u202E.png', 'INLINE', 'c1'),
    end(),
  );
  assert.deepEqual(seen.log, [
    'subject=a Bcc: xy',
    'date=2026-06-01T01:00:00.000Z',
    'bytes 3',
    'hidden-text: x y',
    'text a\nb[31m',
    'invisible-characters: 1',
    'end',
    'end',
  ]);
  assert.deepEqual(
    seen.nodes.map((node) => [node.path.join('.'), node.kind, node.type]),
    [
      ['', 'multipart', 'multipart/mixed'],
      ['1', 'leaf', 'text/html'],
      ['2', 'multipart', 'multipart/related'],
      ['2.1', 'leaf', 'image/png'],
    ],
  );
  assert.deepEqual([seen.nodes[3]?.name, seen.nodes[3]?.disposition], ['a b.png', 'inline']);
});

void test('a mail without parts, and one of a single leaf, are mails', () => {
  read();
  read(part([1]), end());
});

void test('a type that is no MIME type becomes octet-stream, an odd disposition attachment', () => {
  for (const type of ['', 'text', 'a/b; c=d', 'text/pl ain', 'ＴＥＸＴ/plain', `a/${'b'.repeat(300)}`]) {
    assert.equal(read(part([1], leaf, type, '', 'form-data'), end()).nodes[0]?.type, 'application/octet-stream');
  }
  assert.equal(read(part([1], leaf, 'a/b', '', 'form-data'), end()).nodes[0]?.disposition, 'attachment');
});

void test('the charset that a mail says stands behind its type, in the letters of such names and of their length', () => {
  const [said] = read(part([1], leaf, 'text/plain;charset=X-MAC-japanese'), end()).nodes;
  assert.deepEqual([said?.type, said?.charset], ['text/plain', 'x-mac-japanese']);
  assert.equal(read(part([1]), end()).nodes[0]?.charset, '');
  for (const charset of ['', 'a b', 'a;name=x', 'ａ', 'a'.repeat(61)]) {
    const [odd] = read(part([1], leaf, `text/plain;charset=${charset}`), end()).nodes;
    assert.deepEqual([odd?.type, odd?.charset], ['application/octet-stream', '']);
  }
});

void test('a header field twice, unknown, or after a part is a lie', () => {
  refuses(header(HEADER_FIELD.from, 'a'), header(HEADER_FIELD.from, 'b'));
  refuses(header(0, 'a'));
  refuses(header(99, 'a'));
  refuses(part([1]), end(), header(HEADER_FIELD.from, 'a'));
});

void test('a date that is no ISO date is nothing', () => {
  assert.deepEqual(read(header(HEADER_FIELD.date, '<b>now</b>')).log, ['date=']);
});

void test('paths that skip, repeat, climb or come from nowhere are lies', () => {
  refuses(part([2]), end());
  refuses(part([1, 1]), end());
  refuses(part([1], multipart));
  refuses(part([], leaf));
  refuses(part([1]), end(), part([2]), end());
  refuses(part([], multipart), part([2]), end());
  refuses(part([], multipart), part([1]), end(), part([1]), end());
  refuses(part([], multipart), part([1]), end(), part([1, 1]), end());
  refuses(part([], multipart), part([], multipart));
  refuses(part([], multipart), part([1], multipart), part([2], multipart), part([2, 2]), end());
});

void test('bytes, text and an end outside a part, a part inside a part, and a part that never ends are lies', () => {
  refuses(bytes(Buffer.from('x')));
  refuses(text('x'));
  refuses(end());
  refuses(part([], multipart), bytes(Buffer.from('x')));
  refuses(part([], multipart), end());
  refuses(part([], multipart), part([1]), part([2]));
  refuses(part([1]), bytes(Buffer.from('x')));
  refuses(part([1]), end(), text('x'));
});

void test('frames of other families, broken fields and broken UTF-8 are lies', () => {
  refuses(frameOf(fieldsFrame(FRAME.pages, [3])));
  refuses(frameOf(fieldsFrame(FRAME.detected, ['a/b', 'c'])));
  refuses(frameOf(fieldsFrame(FRAME.part, [1, 1])));
  refuses(frameOf(fieldsFrame(FRAME.part, [1, 1, 7, 'a/b', '', '', ''])));
  refuses(frameOf(fieldsFrame(FRAME.part, [0xffffffff])));
  refuses(frameOf(fieldsFrame(FRAME.part, [1, 1, leaf, 'a/b', '', '', '', 'more'])));
  refuses(part([1]), text(Buffer.from([0xff, 0xfe])));
  refuses(frameOf(fieldsFrame(FRAME.partEnd, [1])));
});

void test('depth, count, bytes and text beyond the limits are lies', () => {
  const deep = Array.from({ length: LIMITS.mimeDepth + 1 }, () => 1);
  refuses(...deep.map((_, level) => part(deep.slice(0, level), multipart)), part(deep), end());
  const flat = Array.from({ length: LIMITS.parts }, (_, index) => [part([index + 1]), end()]).flat();
  refuses(part([], multipart), ...flat);
  const reader = new MailReader(new Seen());
  void reader.take(part([1]));
  const chunk = bytes(Buffer.alloc(LIMITS.frameBytes));
  for (let sent = 0; sent < LIMITS.expandedBytes; sent += LIMITS.frameBytes) void reader.take(chunk);
  assert.throws(() => void reader.take(chunk), WireError);
  const piece = text(Buffer.alloc(LIMITS.frameBytes, 'x'));
  const writer = new MailReader(new Seen());
  void writer.take(part([1]));
  for (let sent = 0; sent < LIMITS.textChars; sent += LIMITS.frameBytes) void writer.take(piece);
  assert.throws(() => void writer.take(piece), WireError);
});

void test('remarks have a code of the contract, a short detail and a bounded number', () => {
  refuses(finding('Not A Code'));
  refuses(finding(''));
  refuses(frameOf(fieldsFrame(FRAME.loss, ['x', 'y', 'z'])));
  const reader = new MailReader(new Seen());
  assert.throws(() => {
    for (let count = 0; count < 100_000; count++) void reader.take(finding('macro'));
  }, WireError);
});

void test('the text reader takes what was asked for and nothing else', () => {
  const seen = new Seen();
  const reader = new TextReader(OPERATION.convert, seen);
  void reader.take(text('a\u0000\r\nb'));
  reader.finish();
  assert.deepEqual(seen.log, ['text a\nb']);
  assert.throws(() => void reader.take(frameOf(fieldsFrame(FRAME.detected, ['a/b', '']))), WireError);
  assert.throws(() => void reader.take(part([1])), WireError);
});

const detected = (type: string, extension: string): Frame => frameOf(fieldsFrame(FRAME.detected, [type, extension]));

void test('a type is told once, and is one', () => {
  const seen = new Seen();
  const reader = new TextReader(OPERATION.detect, seen);
  assert.throws(() => reader.finish(), WireError);
  void reader.take(detected('Application/PDF', 'pdf'));
  reader.finish();
  assert.deepEqual(seen.log, ['application/pdf pdf']);
  assert.throws(() => void reader.take(detected('a/b', '')), WireError);
  assert.throws(() => void new TextReader(OPERATION.detect, seen).take(detected('no type', '')), WireError);
  assert.throws(() => void new TextReader(OPERATION.detect, seen).take(detected('a/b', '../x')), WireError);
  assert.throws(() => void new TextReader(OPERATION.detect, seen).take(text('x')), WireError);
});
