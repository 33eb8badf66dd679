// The text child, jailed: detects by bytes, converts text and HTML files, refuses what is neither.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME, FieldReader, OPERATION } from '../../src/sandbox/wire.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { drive, remarksOf, textOf, type Drive } from '../support/drive-worker.ts';
import { sjis } from '../support/japanese.ts';

const convert = (bytes: Uint8Array | string, declaredType = 'text/plain'): Promise<Drive> =>
  drive('text', Buffer.from(bytes as string), { declaredType });
const refusal = ({ outcome }: Drive): string =>
  outcome.kind === 'done' ? 'done' : `${outcome.kind} ${outcome.reason}`;

void test('a text file comes out as UTF-8 with LF line ends', async () => {
  const seen = await convert(Buffer.concat([sjis('一行目\r\n二行目\r三行目')]));
  assert.equal(refusal(seen), 'done');
  assert.equal(textOf(seen.frames), '一行目\n二行目\n三行目');
});

void test('an HTML file comes out as its text, with findings', async () => {
  const seen = await convert('<p>a</p><script>x</script>', 'text/html; charset=utf-8');
  assert.equal(textOf(seen.frames), 'a');
  assert.deepEqual(remarksOf(seen.frames, FRAME.finding), [['script', '1']]);
});

void test('an empty file and a binary file are refused by name', async () => {
  assert.equal(refusal(await convert('')), 'refused empty');
  assert.equal(refusal(await drive('text', Buffer.alloc(0), { operation: OPERATION.detect })), 'refused empty');
  assert.equal(refusal(await convert(Buffer.from('7f454c46020101000000', 'hex'))), 'refused type-mismatch');
});

void test('detect tells type and extension in one frame', async () => {
  const seen = await drive('text', Buffer.from('%PDF-1.7\n'), { operation: OPERATION.detect, name: 'a.txt' });
  assert.deepEqual(
    seen.frames.map((frame) => frame.type),
    [FRAME.detected],
  );
  const fields = new FieldReader(seen.frames[0]?.payload ?? Buffer.alloc(0));
  assert.deepEqual([fields.text(100), fields.text(100)], ['application/pdf', 'pdf']);
});

void test('a text of 40 MB is cut with a loss', async () => {
  const seen = await convert(Buffer.alloc(40 * 1024 * 1024, 'line of text\n'));
  assert.equal(refusal(seen), 'done');
  assert.equal(textOf(seen.frames).length, LIMITS.textChars);
  assert.deepEqual(remarksOf(seen.frames, FRAME.loss), [['text-cut', String(LIMITS.textChars)]]);
});
