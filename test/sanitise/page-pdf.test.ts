// The host side of pixels: the collector believes nothing, the PDF holds one image a page and nothing else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { LIMITS } from '../../src/message/limits.ts';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import {
  FRAME,
  PIXEL,
  WireError,
  fieldsFrame,
  rowBytes,
  type Field,
  type Frame,
  type FrameType,
} from '../../src/sandbox/wire.ts';
import type { PixelFormat, Run } from '../../src/sandbox/wire.ts';
import { PagePdf } from '../../src/sanitise/page-pdf.ts';
import { encodePicture } from '../../src/sanitise/picture.ts';

const HEAD = 6;
const frame = (type: FrameType, fields: readonly Field[]): Frame => ({
  type,
  payload: fieldsFrame(type, fields).subarray(HEAD),
});
const announce = (count: number): Frame => frame(FRAME.pages, [count]);
const start = (width: number, height: number, format: number, widthPt = 72, heightPt = 72): Frame =>
  frame(FRAME.page, [width, height, format, { f64: widthPt }, { f64: heightPt }]);
const pixels = (bytes: number): Frame => ({ type: FRAME.pixels, payload: Buffer.alloc(bytes, 0x5a) });

/** A page whose pixels come from `shade(x, y)`, 0 to 255 for each channel. */
function paint(
  width: number,
  height: number,
  format: PixelFormat,
  shade: (x: number, y: number) => number,
): RasterPage {
  const row = rowBytes(format, width);
  const bytes = Buffer.alloc(row * height);
  const samples = format === PIXEL.grey4 || format === PIXEL.grey8 ? width : width * 3;
  const half = format === PIXEL.grey4 || format === PIXEL.rgb4;
  for (let y = 0; y < height; y++) {
    for (let s = 0; s < samples; s++) {
      const value = shade(Math.floor((s * width) / samples), y) & 255;
      if (!half) bytes[y * row + s] = value;
      else {
        const i = y * row + (s >> 1);
        bytes[i] = (bytes[i] ?? 0) | ((value >> 4) << ((s & 1) === 0 ? 4 : 0));
      }
    }
  }
  return { width, height, format, widthPt: width / 2, heightPt: height / 2, pixels: bytes, text: [] };
}

const stripes = (x: number, y: number): number => (((x >> 3) + (y >> 3)) % 2 === 0 ? 0 : 255);
const gradient = (x: number, y: number): number => (x + y) >> 1;

async function build(pages: readonly RasterPage[], layered = false): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const pdf = new PagePdf({ write: (chunk) => void chunks.push(Uint8Array.from(chunk)) }, { layered });
  for (const page of pages) await pdf.add(page);
  await pdf.finish();
  return Buffer.concat(chunks);
}

const MIXED: readonly RasterPage[] = [
  paint(301, 200, PIXEL.grey4, stripes),
  paint(301, 200, PIXEL.rgb4, stripes),
  paint(300, 201, PIXEL.grey8, gradient),
  paint(300, 201, PIXEL.rgb8, gradient),
  paint(299, 200, PIXEL.grey8, stripes),
  paint(1, 1, PIXEL.rgb4, stripes),
];

test('a PDF of all pixel formats passes qpdf and holds one image a page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mugai-'));
  try {
    const path = join(folder, 'pages.pdf');
    writeFileSync(path, await build(MIXED));
    assert.match(execFileSync('qpdf', ['--check', path], { encoding: 'utf8' }), /No syntax or stream encoding errors/);
    const rows = execFileSync('pdfimages', ['-list', path], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .slice(2)
      .map((row) => row.trim().split(/\s+/));
    assert.deepEqual(
      rows.map(([page, , type, width, height, colour, , bits, encoding]) => [
        page,
        type,
        width,
        height,
        colour,
        bits,
        encoding,
      ]),
      [
        ['1', 'image', '301', '200', 'gray', '4', 'image'],
        ['2', 'image', '301', '200', 'rgb', '4', 'image'],
        ['3', 'image', '300', '201', 'gray', '8', 'jpeg'],
        ['4', 'image', '300', '201', 'rgb', '8', 'jpeg'],
        ['5', 'image', '299', '200', 'gray', '4', 'image'],
        ['6', 'image', '1', '1', 'rgb', '4', 'image'],
      ],
    );
    // What a reader takes out of page 1 is what was put in, pixel by pixel (pdfimages makes 4-bit grey 8-bit RGB).
    execFileSync('pdfimages', ['-l', '1', path, join(folder, 'image')]);
    const out = readFileSync(join(folder, 'image-000.ppm'));
    const body = out.subarray(out.length - 301 * 200 * 3);
    assert.equal(
      body.findIndex((value, i) => value !== stripes(Math.floor(i / 3) % 301, Math.floor(i / 903))),
      -1,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('outside its images the PDF holds none of the names that act, hide or identify (C2)', async () => {
  const bytes = (await build(MIXED)).toString('latin1').replace(/stream\n[^]*?endstream/g, '');
  const names =
    /\/(JS|JavaScript|OpenAction|AA|Launch|URI|GoToR|GoToE|SubmitForm|ImportData|Thread|Rendition|Movie|Sound|RichMedia|EmbeddedFiles?|AcroForm|XFA|Annots|Font|Metadata|Encrypt|Info|ID|Producer|Creator|CreationDate)\b/;
  assert.doesNotMatch(bytes, names);
  const used = new Set(bytes.match(/\/[A-Za-z]+/g));
  const grammar = ['Type', 'Pages', 'Kids', 'Count', 'XObject', 'Subtype', 'Image', 'Width', 'Height', 'ColorSpace'];
  grammar.push('DeviceGray', 'DeviceRGB', 'BitsPerComponent', 'Filter', 'FlateDecode', 'DCTDecode', 'Length', 'Page');
  grammar.push('Parent', 'MediaBox', 'Resources', 'I', 'Contents', 'Catalog', 'Size', 'Root');
  assert.deepEqual(
    [...used].filter((name) => !grammar.includes(name.slice(1))),
    [],
  );
});

test('the same pages give the same bytes', async () => {
  assert.ok((await build(MIXED)).equals(await build(MIXED)));
});

test('the page has the size of its source in points, larger ones are brought to 14,400 with their shape', async () => {
  const page = paint(40, 20, PIXEL.grey4, stripes);
  const text = (
    await build([
      { ...page, widthPt: 595.2760009765625, heightPt: 841.8900146484375 },
      { ...page, widthPt: 28_800, heightPt: 1440 },
      { ...page, widthPt: 1e-7, heightPt: 5 },
    ])
  ).toString('latin1');
  assert.deepEqual(text.match(/MediaBox \[[^\]]*\]/g), [
    'MediaBox [0 0 595.276 841.89]',
    'MediaBox [0 0 14400 720]',
    'MediaBox [0 0 0.0001 5]',
  ]);
});

test('a PDF without a page is not made', async () => {
  await assert.rejects(new PagePdf({ write: () => undefined }).finish(), { code: 'bad-input' });
});

test('a gradient becomes a JPEG, flat content a PNG, and neither holds metadata', async () => {
  for (const [page, ext] of [
    [paint(200, 100, PIXEL.rgb8, gradient), 'jpg'],
    [paint(200, 100, PIXEL.grey8, gradient), 'jpg'],
    [paint(200, 100, PIXEL.rgb8, stripes), 'png'],
    [paint(200, 100, PIXEL.grey8, stripes), 'png'],
    [paint(201, 100, PIXEL.grey4, stripes), 'png'],
    [paint(201, 100, PIXEL.rgb4, stripes), 'png'],
  ] as const) {
    const picture = await encodePicture(page);
    assert.equal(picture.ext, ext);
    const metadata = await sharp(picture.bytes).metadata();
    assert.deepEqual([metadata.width, metadata.height], [page.width, page.height]);
    assert.equal(metadata.exif ?? metadata.icc ?? metadata.xmp, undefined);
  }
});

/** Feeds frames and gives the pages; what the collector throws goes through. */
async function collect(frames: readonly Frame[], maxPages?: number): Promise<RasterPage[]> {
  const pages: RasterPage[] = [];
  const collector = new PageCollector((page) => void pages.push(page), maxPages);
  for (const each of frames) await collector.take(each);
  collector.finish();
  return pages;
}

test('an honest child is believed: pages, pixels in pieces, remarks cleaned', async () => {
  const pages: RasterPage[] = [];
  const collector = new PageCollector((page) => void pages.push(page));
  for (const each of [
    frame(FRAME.finding, ['javascript', 'two\u0007 lines\r\n\u202Eof it']),
    announce(2),
    start(3, 2, PIXEL.grey4),
    pixels(1),
    pixels(3),
    start(2, 2, PIXEL.rgb8, 595.2, 841.9),
    pixels(12),
  ]) {
    await collector.take(each);
  }
  assert.deepEqual(collector.finish(), {
    pages: 2,
    findings: [{ code: 'javascript', detail: 'two lines of it' }],
    losses: [],
  });
  assert.deepEqual(
    pages.map((page) => page.pixels.length),
    [4, 12],
  );
  assert.equal(pages[1]?.widthPt, 595.2);
});

const LIES: readonly (readonly [string, readonly Frame[]])[] = [
  ['no announcement', []],
  ['a page before the announcement', [start(1, 1, PIXEL.grey8), pixels(1)]],
  ['no page announced', [announce(0)]],
  ['more pages than a document may have', [announce(LIMITS.pages + 1)]],
  ['pages announced twice', [announce(1), announce(1)]],
  ['fewer pages than announced', [announce(2), start(1, 1, PIXEL.grey8), pixels(1)]],
  ['a page more than announced', [announce(1), start(1, 1, PIXEL.grey8), pixels(1), start(1, 1, PIXEL.grey8)]],
  ['a width of zero', [announce(1), start(0, 1, PIXEL.grey8)]],
  ['a height of zero', [announce(1), start(1, 0, PIXEL.grey8)]],
  ['a width of 2³²−1', [announce(1), start(0xffff_ffff, 1, PIXEL.grey8)]],
  ['a side over the cap', [announce(1), start(LIMITS.sidePixels + 1, 1, PIXEL.grey8)]],
  ['a product over the cap', [announce(1), start(10_000, 10_000, PIXEL.grey4)]],
  ['an unknown pixel format', [announce(1), start(1, 1, 5)]],
  ['a negative size in points', [announce(1), start(1, 1, PIXEL.grey8, -1, 72)]],
  ['no size in points', [announce(1), start(1, 1, PIXEL.grey8, 72, 0)]],
  ['an endless size in points', [announce(1), start(1, 1, PIXEL.grey8, Number.POSITIVE_INFINITY, 72)]],
  ['a size in points that is no number', [announce(1), start(1, 1, PIXEL.grey8, 72, Number.NaN)]],
  ['too few pixels', [announce(1), start(2, 2, PIXEL.rgb8), pixels(11)]],
  ['too many pixels', [announce(1), start(2, 2, PIXEL.rgb8), pixels(13)]],
  ['no pixels in a frame of them', [announce(1), start(2, 2, PIXEL.rgb8), pixels(0)]],
  ['pixels without a page', [announce(1), pixels(1)]],
  ['pixels after the last of a page', [announce(2), start(1, 1, PIXEL.grey8), pixels(1), pixels(1)]],
  ['a page inside a page', [announce(2), start(2, 2, PIXEL.grey8), start(1, 1, PIXEL.grey8)]],
  ['bytes after the fields', [{ type: FRAME.pages, payload: Buffer.alloc(5, 0) }]],
  ['a cut field', [{ type: FRAME.pages, payload: Buffer.alloc(3) }]],
  ['a remark without a code', [frame(FRAME.loss, ['', 'x'])]],
  ['a remark whose code is markup', [frame(FRAME.finding, ['<b>', 'x'])]],
  ['a remark that is not UTF-8', [{ type: FRAME.loss, payload: Buffer.from([0, 0, 0, 1, 0xff, 0, 0, 0, 0]) }]],
  ['raw bytes', [{ type: FRAME.bytes, payload: Buffer.from('%PDF') }]],
  ['text', [{ type: FRAME.text, payload: Buffer.from('hello') }]],
  ['a frame nobody knows', [{ type: 255, payload: Buffer.alloc(0) }]],
];

for (const [lie, frames] of LIES) {
  test(`a child that sends ${lie} is caught`, async () => {
    await assert.rejects(collect(frames), WireError);
  });
}

test('a child asked for three pages may not announce four', async () => {
  await assert.rejects(collect([announce(4)], 3), WireError);
});

test('remarks beyond the cap are let go, not kept', async () => {
  const collector = new PageCollector(() => undefined);
  for (let i = 0; i < LIMITS.remarks * 3; i++) await collector.take(frame(FRAME.loss, ['font-substituted', String(i)]));
  assert.equal(collector.remarks().losses.length, LIMITS.remarks);
});

test('the taker of a page is waited for', async () => {
  let done = false;
  const collector = new PageCollector(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    done = true;
  });
  await collector.take(announce(1));
  await collector.take(start(1, 1, PIXEL.grey8));
  await collector.take(pixels(1));
  assert.ok(done);
});

test('whatever bytes come, the collector ends in pages or a WireError', async () => {
  const types = fc.constantFrom(...Object.values(FRAME), 0, 255);
  const anyFrame = fc.record({
    type: types,
    payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  });
  const likely = fc.oneof(
    fc.integer({ min: 0, max: 3 }).map(announce),
    fc.tuple(fc.nat(4), fc.nat(4), fc.nat(5)).map(([width, height, format]) => start(width, height, format)),
    fc.nat(30).map(pixels),
    anyFrame,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(likely, { maxLength: 12 }), async (frames) => {
      try {
        const pages = await collect(frames);
        for (const page of pages) assert.equal(page.pixels.length, rowBytes(page.format, page.width) * page.height);
      } catch (error) {
        assert.ok(error instanceof WireError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

/** A run of 12-point characters along a line, `advance` points each. */
const run = (text: string, x: number, y: number, advance: number): Run => ({
  text,
  x,
  y,
  dx: Array.from(text).length * advance,
  dy: 0,
  size: 12,
});

test('a layered file gives its text back, supplementary characters and characters of several pages included', async () => {
  const page = paint(1190, 400, PIXEL.grey4, stripes);
  const file = await build(
    [
      { ...page, text: [run('請求番号 2026-0117', 40, 150, 4), run('𠮷野家 様', 40, 100, 4)] },
      page,
      { ...page, text: [run('様2', 40, 100, 12)] },
    ],
    true,
  );
  const text = execFileSync('pdftotext', ['-', '-'], { input: file, encoding: 'utf8' });
  assert.deepEqual(
    text.split('\f').map((each) => each.trim().split(/\n+/)),
    [['請求番号 2026-0117', '𠮷野家 様'], [''], ['様2'], ['']],
  );
  const folder = mkdtempSync(join(tmpdir(), 'mugai-'));
  try {
    const path = join(folder, 'layered.pdf');
    writeFileSync(path, file);
    assert.match(execFileSync('qpdf', ['--check', path], { encoding: 'utf8' }), /No syntax or stream encoding errors/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The form of the file, written down here a second time: what `message/page-form.ts` and the writer may give and nothing else. */
test('every byte of a file is of the one form', async () => {
  for (const layered of [false, true]) {
    const file = await build(
      MIXED.map((page, i) => (i === 1 ? { ...page, text: [run('ab', 3, 4.5, 2)] } : page)),
      layered,
    );
    const text = file.toString('latin1');
    assert.ok(text.startsWith('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'));
    const size = 3 + 3 * MIXED.length + (layered ? 4 : 0);
    const [, tableAt = ''] = /startxref\n(\d+)\n%%EOF\n$/.exec(text) ?? [];
    const xref = text.slice(Number(tableAt));
    const offsets = [...xref.matchAll(/^(\d{10}) 00000 n $/gm)].map(([, offset]) => Number(offset));
    const entries = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
    const trailer = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${tableAt}\n%%EOF\n`;
    assert.equal(xref, `xref\n0 ${size}\n0000000000 65535 f \n${entries}${trailer}`);
    // Objects lie one behind the other, in the order of the form, with nothing between them.
    const first = layered ? 7 : 3;
    const order = Array.from({ length: 3 * MIXED.length }, (_, i) => first + i);
    order.push(...(layered ? [3, 4, 5, 6] : []), 2, 1);
    let at = 15;
    for (const [i, number] of order.entries()) {
      assert.equal(offsets[number - 1], at);
      const next = i + 1 < order.length ? (offsets[(order[i + 1] ?? 0) - 1] ?? 0) : Number(tableAt);
      const object = text.slice(at, next);
      assert.ok(
        (object.startsWith(`${number} 0 obj\n<< /`) && object.endsWith('>>\nendobj\n')) ||
          object.endsWith('\nendstream\nendobj\n'),
        object.slice(0, 80),
      );
      const length = /\/Length (\d+) >>\nstream\n/.exec(object);
      if (length !== null)
        assert.equal(
          object.length,
          length.index + length[0].length + Number(length[1]) + '\nendstream\nendobj\n'.length,
        );
      at = next;
    }
  }
});
