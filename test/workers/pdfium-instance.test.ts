// Each document has an instance of its own: nothing of another is in it, and it draws alike.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { drawnBytes } from '../../workers/pack.ts';
import { compilePdfium, Pdfium } from '../../workers/pdfium.ts';

const corpus = (path: string): Buffer => readFileSync(new URL(`../../../shared/corpus/pdf/${path}`, import.meta.url));

/** Text, Japanese without its font, fields, a JPEG with CMYK, JPEG 2000, a mask, damage, a password. */
const DOCUMENTS = [
  'opf-horrors/text_only_pdfa1b.pdf',
  'pdfjs/noembed-sjis.pdf',
  'pdfjs/evaljs.pdf',
  'pdfjs/cmykjpeg.pdf',
  'tika/testPDF_jpeg2000.pdf',
  'pdfjs/blendmode.pdf',
].map((path): readonly [string, Buffer] => [path, corpus(path)]);
const DAMAGED = DOCUMENTS.map(([path, bytes]): readonly [string, Buffer] => [
  `${path}, cut`,
  bytes.subarray(0, bytes.length >> 1),
]);

let module: Awaited<ReturnType<typeof compilePdfium>>;
before(async () => (module = await compilePdfium()));

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The state of an engine: its memory up to the last byte that is not zero. */
function stateOf(engine: Pdfium): string {
  const bytes = Buffer.from(engine.memory.buffer);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return digest(bytes.subarray(0, end));
}

/** What the first page looks like, and which fonts were missed; or why there is none. */
function drawn(engine: Pdfium, bytes: Uint8Array): string {
  const document = engine.open(bytes, '');
  if (typeof document === 'number') return `error ${document}`;
  const page = document.openPage(0);
  if (page === 0) return 'no page';
  const { pointer } = document.draw(page, 400, 500);
  const pixels = engine.bytes.subarray(pointer, pointer + drawnBytes(400, 500, false));
  return `${digest(pixels)} ${[...engine.missedFonts.keys()].join()}`;
}

test('whatever a document did to its instance, the next one begins as the first did, and looks as in it', () => {
  const state = stateOf(new Pdfium(module));
  const fresh = new Map(DOCUMENTS.map(([name, bytes]) => [name, drawn(new Pdfium(module), bytes)]));
  for (const [name, bytes] of [...DAMAGED, ...DOCUMENTS, ...DOCUMENTS.toReversed()]) {
    const engine = new Pdfium(module);
    assert.equal(stateOf(engine), state, name);
    const looks = drawn(engine, bytes);
    assert.equal(looks, fresh.get(name) ?? looks, name);
    assert.notEqual(stateOf(engine), state, 'a document leaves something');
  }
});

test('memory is refused beyond the cap, and an instance counts its refusals from none', () => {
  const engine = new Pdfium(module);
  assert.equal(engine.malloc(1024 * 1024 * 1024), 0);
  assert.ok(engine.refused > 0);
  assert.equal(new Pdfium(module).refused, 0);
});

test('it finds no file', () => {
  const engine = new Pdfium(module);
  const name = engine.copyIn(Buffer.from('/etc/passwd\0'));
  assert.equal(engine.call('FPDF_LoadDocument', name, 0), 0);
});
