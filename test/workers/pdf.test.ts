// The pdf family in real jailed children, on real files of the shared corpus.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { JailedChild, type ChildRequest } from '../../src/sandbox/child.ts';
import { FAMILIES } from '../../src/sandbox/families.ts';
import { PageCollector, type Collected, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { FRAME, PIXEL } from '../../src/sandbox/wire.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { Packer, drawnBytes, strideOf } from '../../workers/pack.ts';
import { drive, remarksOf, type Drive } from '../support/drive-worker.ts';
import { makePdf, onePage, stream } from '../support/make-pdf.ts';

const CORPUS = new URL('../../../shared/corpus/pdf/', import.meta.url);

/** A file of the corpus; a missing corpus is a failure, never a skip. */
function corpus(path: string): Buffer {
  return readFileSync(new URL(path, CORPUS));
}

/** What the packer test needs of WebAssembly, which no lib in use declares. */
interface Wasm {
  readonly WebAssembly: { readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } };
}

interface Rendered extends Collected {
  readonly sheets: readonly RasterPage[];
}

async function pagesOf(run: Drive): Promise<Rendered> {
  assert.deepEqual(run.outcome, { kind: 'done' });
  const sheets: RasterPage[] = [];
  const collector = new PageCollector((page) => void sheets.push(page));
  for (const frame of run.frames) await collector.take(frame);
  return { ...collector.finish(), sheets };
}

async function render(file: Uint8Array, ask: Partial<ChildRequest> = {}): Promise<Rendered> {
  return pagesOf(await drive('pdf', file, ask));
}

async function refusal(file: Uint8Array, ask: Partial<ChildRequest> = {}): Promise<string> {
  const { outcome } = await drive('pdf', file, ask);
  return outcome.kind === 'refused' ? outcome.reason : `not refused: ${JSON.stringify(outcome)}`;
}

async function codes(path: string): Promise<string[]> {
  const run = await drive('pdf', corpus(path));
  return remarksOf(run.frames, FRAME.finding).map(([code]) => code);
}

/** Dark pixels of a page, or of a part of it given in points from the lower left corner as PDF has it. */
function ink(
  page: RasterPage,
  box: readonly [number, number, number, number] = [0, 0, page.widthPt, page.heightPt],
): number {
  const raw = rawOf(page);
  const scaleX = page.width / page.widthPt;
  const scaleY = page.height / page.heightPt;
  let dark = 0;
  for (let y = Math.ceil((page.heightPt - box[3]) * scaleY); y < (page.heightPt - box[1]) * scaleY; y++) {
    for (let x = Math.ceil(box[0] * scaleX); x < Math.floor(box[2] * scaleX); x++) {
      if ((raw.pixels[(y * raw.width + x) * raw.channels + raw.channels - 1] ?? 255) < 128) dark += 1;
    }
  }
  return dark;
}

test('a text PDF comes as its pages, in its size in points, with ink on them', async () => {
  const { sheets, losses } = await render(corpus('py-pdf-samples/pdflatex-4-pages.pdf'));
  assert.equal(sheets.length, 4);
  for (const page of sheets) {
    assert.ok(Math.abs(page.widthPt - 612) < 0.01 || Math.abs(page.widthPt - 595.276) < 0.01, `${page.widthPt} pt`);
    assert.equal(page.width, Math.round((page.widthPt * 150) / 72));
    assert.equal(page.height, Math.round((page.heightPt * 150) / 72));
    assert.ok(ink(page) > 200);
  }
  assert.deepEqual(losses, []);
});

test('the resolution asked for is the one drawn, and the size in points stays', async () => {
  const file = corpus('py-pdf-samples/pdflatex-4-pages.pdf');
  const coarse = (await render(file, { dpi: 75 })).sheets[0];
  const fine = (await render(file, { dpi: 200 })).sheets[0];
  assert.ok(coarse !== undefined && fine !== undefined);
  assert.equal(coarse.width, Math.round((coarse.widthPt * 75) / 72));
  assert.equal(fine.width, Math.round((fine.widthPt * 200) / 72));
  assert.equal(coarse.widthPt, fine.widthPt);
});

for (const name of ['sjis', 'eucjp', 'jis7', 'identity', 'identity-2']) {
  test(`Japanese text without its font is drawn, and the reader is told of the stand-in (noembed-${name})`, async () => {
    const { sheets, losses } = await render(corpus(`pdfjs/noembed-${name}.pdf`));
    assert.ok(sheets.some((page) => ink(page) > 100));
    const told = losses.filter((loss) => loss.code === 'font-substituted');
    assert.ok(
      told.some((loss) => /BIZ UD(Gothic|Mincho)/.test(loss.detail)),
      JSON.stringify(losses),
    );
  });
}

test('Mincho stands in for Mincho and Gothic for Gothic', async () => {
  const mincho = await render(corpus('pdfjs/noembed-eucjp.pdf'));
  const gothic = await render(corpus('pdfjs/noembed-sjis.pdf'));
  const details = [...mincho.losses, ...gothic.losses].map((loss) => loss.detail);
  for (const detail of details) {
    if (/gothic.*→/i.test(detail)) assert.match(detail, /BIZ UDGothic$/);
    if (/(ryumin|mincho).*→/i.test(detail)) assert.match(detail, /BIZ UDMincho$/);
  }
});

test('the standard 14 fonts are no loss', async () => {
  const { losses } = await render(corpus('pdfjs/file_pdfjs_form.pdf'));
  assert.deepEqual(losses, []);
});

test('what was typed into a form field is drawn', async () => {
  const { sheets } = await render(corpus('py-pdf-samples/libreoffice-form.pdf'));
  const page = sheets[0];
  assert.ok(page !== undefined);
  // Inside of the field "First Name", where the value "Alice" stands; its neighbour "Last Name" is empty.
  assert.ok(ink(page, [122, 711.5, 180, 717]) > 20);
  assert.equal(ink(page, [276, 711.5, 340, 717]), 0);
});

test('a colour page keeps its colour, a text page comes as grey nibbles', async () => {
  const colour = await render(corpus('pdfjs/colors.pdf'));
  assert.ok(colour.sheets.every((page) => page.format === 3 || page.format === 4));
  const text = await render(corpus('py-pdf-samples/pdflatex-4-pages.pdf'));
  assert.ok(text.sheets.every((page) => page.format === 1));
});

test('a PDF under a password asks for it, tells a wrong one, and opens with the right one', async () => {
  const file = corpus('py-pdf-samples/libreoffice-writer-password.pdf');
  assert.equal(await refusal(file), 'password-needed');
  assert.equal(await refusal(file, { password: 'wrong' }), 'password-wrong');
  const { sheets } = await render(file, { password: 'openpassword' });
  assert.ok(sheets.length > 0);
});

test('a PDF with an owner password only is drawn', async () => {
  assert.equal((await render(corpus('opf-horrors/encryption_nocopy.pdf'))).losses.length, 0);
});

test('no bytes are refused as empty, other bytes and torn files as damaged', async () => {
  assert.equal(await refusal(new Uint8Array(0)), 'empty');
  assert.equal(await refusal(Buffer.from('this is no PDF')), 'damaged');
  assert.equal(await refusal(corpus('qpdf/issue-99.pdf')), 'damaged');
  assert.equal(await refusal(corpus('opf-handbuilt/T02-02_004_page-tree-non-existing-object-as-kid.pdf')), 'damaged');
});

test('one bad page among good ones is white paper and a loss, not the end of the document', async () => {
  const { sheets, losses } = await render(corpus('opf-handbuilt/T02-02_003_page-tree-different-kids.pdf'));
  assert.equal(sheets.length, 3);
  assert.deepEqual(
    losses.filter((loss) => loss.code === 'page-failed'),
    [{ code: 'page-failed', detail: 'page 3: damaged' }],
  );
  const [first, , third] = sheets;
  assert.ok(first !== undefined && third !== undefined);
  assert.equal(ink(third), 0);
});

test('a document of which nothing is drawn is told to be blank', async () => {
  const { losses } = await render(corpus('opf-handbuilt/T04_006_premature-EOF.pdf'));
  assert.ok(losses.some((loss) => loss.code === 'blank'));
});

test('pages beyond those asked for are cut, with the numbers told', async () => {
  const { sheets, losses } = await render(corpus('py-pdf-samples/pdflatex-4-pages.pdf'), { maxPages: 3 });
  assert.equal(sheets.length, 3);
  assert.deepEqual(losses, [{ code: 'pages-cut', detail: '3 of 4 pages' }]);
});

test('a page of 14,000 points a side is scaled to the pixel caps and keeps its size', async () => {
  const { sheets } = await render(onePage('0 0 14000 14000', '0 0 7000 14000 re f'));
  const page = sheets[0];
  assert.ok(page !== undefined);
  assert.ok(page.width * page.height <= LIMITS.pagePixels && page.width > 5900);
  assert.equal(page.widthPt, 14_000);
  const dark = ink(page) / (page.width * page.height);
  assert.ok(Math.abs(dark - 0.5) < 0.01, `${dark} dark`);
});

test('a page of a thousand million points, of no width, or of a hair is drawn within the caps', async () => {
  for (const box of ['0 0 1240 4473924267', '0 0 0 0', '0 0 0.001 900', '5 5 -3 -3', '0 0 1e30 1e30']) {
    const { sheets } = await render(onePage(box, '0 0 1 1 re f'));
    assert.equal(sheets.length, 1, box); // the collector checked sizes and caps
  }
});

test('reference loops in the page tree, the outline and the cross-references end in pages or a refusal', async () => {
  for (const name of [
    'qpdf/pages-loop.pdf',
    'qpdf/append-xref-loop.pdf',
    'qpdf/outlines-with-loop.pdf',
    'pdfjs/operator_list_cycle.pdf',
    'pdfjs/ContentStreamCycleType3insideType3.pdf',
    'pdfjs/bomb_giant.pdf',
    'opf-handbuilt/T02-02_002_page-tree-kids-links-recursive.pdf',
  ]) {
    const { outcome } = await drive('pdf', corpus(name));
    assert.notEqual(outcome.kind, 'failed', `${name}: ${JSON.stringify(outcome)}`);
  }
});

test('a fan of forms that draws a thousand million times ends by a limit', async () => {
  // Nine levels, each drawing the next ten times: 2 KB of file.
  const levels = 9;
  const forms = Array.from({ length: levels }, (_, level) => {
    const next = level + 1 < levels ? `/Resources <</XObject <</F ${6 + level} 0 R>>>>` : '';
    const content = next === '' ? '0 0 1 1 re f' : '/F Do '.repeat(10);
    return stream(`/Type /XObject /Subtype /Form /BBox [0 0 600 800] ${next}`, content);
  });
  const bomb = onePage('0 0 595 842', '/F Do', '/XObject <</F 5 0 R>>', forms);
  const started = performance.now();
  const { outcome } = await drive('pdf', bomb, {}, 8000);
  assert.notEqual(outcome.kind, 'done');
  const reason = outcome.kind === 'done' ? '' : outcome.reason;
  assert.ok(reason === 'out-of-memory' || reason === 'timeout', JSON.stringify(outcome));
  assert.ok(performance.now() - started < 60_000); // its deadline, and the start and end of a child on a busy machine
});

test('large documents one after another do not pile up in the child', async () => {
  const file = onePage('0 0 14000 14000', '1 0 0 rg 0 0 7000 14000 re f'); // 190 MB of engine memory each
  const child = await JailedChild.start(FAMILIES.pdf, () => undefined);
  try {
    const resident: number[] = [];
    const ask = { operation: 1, dpi: 150, maxPages: 1, declaredType: '', name: '', password: '' };
    for (let i = 0; i < 5; i++) {
      const bounds = { deadlineMs: 30_000, totalMs: 30_000, signal: new AbortController().signal };
      assert.deepEqual(await child.run(ask, file, () => undefined, bounds), { kind: 'done' });
      resident.push(Number(readFileSync(`/proc/${child.pid}/statm`, 'latin1').split(' ')[1]) * 4096);
    }
    // One dead instance may still wait for its collection when the child is looked at; five piled up would be 760 MB more.
    const spread = Math.max(...resident) - Math.min(...resident);
    assert.ok(spread < 1.5 * 190 * 1024 * 1024, resident.map((bytes) => bytes >> 20).join(' '));
  } finally {
    await child.stop();
  }
});

test('pages of a long document do not pile up in the child while the host is busy', async () => {
  const pages = 70; // of 17 MB packed: together more than a child may hold
  const kids = Array.from({ length: pages }, (_, i) => `${3 + i} 0 R`).join(' ');
  const sheets = Array.from({ length: pages }, () => '<</Type /Page /Parent 2 0 R /MediaBox [0 0 2800 2800]>>');
  const file = makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    ...sheets,
  ]);
  const { outcome, frames } = await drive('pdf', file, {}, 120_000, async (frame) => {
    if (frame.type === FRAME.page) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  assert.deepEqual(outcome, { kind: 'done' });
  assert.equal(frames.filter((frame) => frame.type === FRAME.page).length, pages);
});

test('scripts, attachments, links and dynamic forms are noticed', async () => {
  assert.ok((await codes('opf-horrors/javascript.pdf')).includes('javascript'));
  assert.ok((await codes('pdfjs/attachment.pdf')).includes('embedded-file'));
  assert.ok((await codes('opf-horrors/externalLink.pdf')).includes('launch-action'));
  assert.ok((await codes('py-pdf-samples/libre-office-link.pdf')).includes('external-link'));
  assert.ok((await codes('pdfjs/xfa_issue14315.pdf')).includes('xfa'));
  assert.ok((await codes('pdfjs/multimedia_annotations.pdf')).includes('rich-media'));
});

/** ITU-R BT.601, weights in 1/256. */
const lumaOf = (red: number, green: number, blue: number): number => (red * 77 + green * 151 + blue * 28) >> 8;
const inFourBits = (value: number): number => ((value - (value >> 4) + 8) >> 4) * 17;

test('the packer gives for every width what a plain loop gives', () => {
  const wasm = new (globalThis as unknown as Wasm).WebAssembly.Memory({ initial: 16 });
  let next = 64;
  const packer = new Packer({
    memory: wasm,
    allocate: (size) => (next += size) - size,
    free: () => undefined,
  });
  for (let width = 1; width <= 40; width++) {
    for (const kind of ['bytes', 'grey words', 'coloured words'] as const) {
      const height = 7;
      const grey = kind === 'bytes';
      const stride = strideOf(width, true); // pixels of a row
      const pointer = 512 * 1024;
      new Uint8Array(wasm.buffer, pointer, drawnBytes(width, height, grey)).fill(255);
      const size = stride * height;
      const drawn = grey ? new Uint8Array(wasm.buffer, pointer, size) : new Uint32Array(wasm.buffer, pointer, size);
      // Steps of 51 are no gradient; grey, or red in every other pixel.
      const valueAt = (x: number, y: number): number => (((y * width + x) * 7) % 6) * 51;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const value = valueAt(x, y);
          if (grey) drawn[y * stride + x] = value;
          else if (kind === 'grey words') drawn[y * stride + x] = (0xff000000 | (value * 0x010101)) >>> 0;
          else drawn[y * stride + x] = (0xff000000 | (value * 0x0100) | 255) >>> 0;
        }
      }
      const { format, pixels } = packer.pack({ pointer, width, height, grey });
      const wide = rawOf({ width, height, format, widthPt: 1, heightPt: 1, pixels: Buffer.from(pixels), text: [] });
      const isColoured = kind === 'coloured words';
      const isColour = isColoured && wide.channels === 3;
      assert.ok(isColour || wide.channels === 1);
      for (let i = 0; i < width * height; i++) {
        const value = valueAt(i % width, Math.floor(i / width));
        const got = [...wide.pixels.subarray(i * wide.channels, (i + 1) * wide.channels)];
        const one = isColoured ? inFourBits(lumaOf(255, value, 0)) : value;
        assert.deepEqual(got, isColour ? [255, value, 0] : [one], `${width} wide, ${kind}, pixel ${i}`);
      }
    }
  }
});

for (const [colour, word] of [
  ['green', 0xff00ff00],
  ['yellow', 0xff00ffff],
  ['cyan', 0xffffff00],
] as const) {
  test(`a dot in pure ${colour}, too small to make its page a coloured one, stays on it`, () => {
    const wasm = new (globalThis as unknown as Wasm).WebAssembly.Memory({ initial: 16 });
    let next = 64;
    const packer = new Packer({ memory: wasm, allocate: (size) => (next += size) - size, free: () => undefined });
    const [width, height, pointer] = [61, 40, 512 * 1024];
    new Uint8Array(wasm.buffer, pointer, drawnBytes(width, height, false)).fill(255);
    const stride = strideOf(width, true);
    new Uint32Array(wasm.buffer, pointer, stride * height).fill(word, 10 * stride + 20, 10 * stride + 25);
    const { format, pixels } = packer.pack({ pointer, width, height, grey: false });
    assert.equal(format, PIXEL.grey4);
    const page = { width, height, format, widthPt: 1, heightPt: 1, pixels: Buffer.from(pixels), text: [] };
    const { pixels: greys } = rawOf(page);
    const luma = inFourBits(lumaOf(word & 255, (word >> 8) & 255, (word >> 16) & 255));
    assert.deepEqual([...greys.subarray(10 * width + 19, 10 * width + 26)], [255, luma, luma, luma, luma, luma, 255]);
    assert.ok(luma < 255);
  });
}

test('a seal of 2 mm keeps its colour on a sheet of any size', async () => {
  // Some 80 dots: fewer than two in a hundred thousand of an A1 sheet.
  const seal = '0 0.8 0 RG 1 w 300 400 5 5 re S';
  for (const size of ['0 0 595 842', '0 0 1684 2384']) {
    const { sheets } = await render(onePage(size, `${seal} 0 g 100 100 200 20 re f`), { dpi: 150 });
    assert.equal(sheets[0]?.format, PIXEL.rgb4, size);
  }
});

test('a gradient keeps its eight bits, in words and in bytes', () => {
  const wasm = new (globalThis as unknown as Wasm).WebAssembly.Memory({ initial: 16 });
  let next = 64;
  const packer = new Packer({ memory: wasm, allocate: (size) => (next += size) - size, free: () => undefined });
  const [width, height, pointer] = [61, 40, 512 * 1024];
  const stride = strideOf(width, true);
  const valueAt = (x: number, y: number): number => (3 * x + 2 * y) & 255;
  for (const [grey, format, word] of [
    [true, PIXEL.grey8, (value: number) => value],
    [false, PIXEL.grey8, (value: number) => (0xff000000 | (value * 0x010101)) >>> 0],
    [false, PIXEL.rgb8, (value: number) => (0xff000000 | value | (((value >> 1) + 50) << 16)) >>> 0],
  ] as const) {
    new Uint8Array(wasm.buffer, pointer, drawnBytes(width, height, grey)).fill(255);
    const size = stride * height;
    const drawn = grey ? new Uint8Array(wasm.buffer, pointer, size) : new Uint32Array(wasm.buffer, pointer, size);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) drawn[y * stride + x] = word(valueAt(x, y));
    const packed = packer.pack({ pointer, width, height, grey });
    assert.equal(packed.format, format);
    const channels = format === PIXEL.rgb8 ? 3 : 1;
    for (let i = 0; i < width * height; i++)
      assert.equal(packed.pixels[i * channels], valueAt(i % width, Math.floor(i / width)), `pixel ${i}`);
  }
});

test('a page of plain grey comes in grey, one with a pattern or a coloured letter keeps its colours', async () => {
  const shading =
    '<</PatternType 2 /Shading <</ShadingType 2 /ColorSpace /DeviceRGB /Coords [0 0 400 0] /Function <</FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1>>>>>>';
  const tile = stream(
    '/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 10 10] /XStep 10 /YStep 10 /Resources <<>>',
    '1 0 0 rg 0 0 5 5 re f',
  );
  const glyph = stream('', '1000 0 d0 1 0 0 rg 0 0 700 700 re f');
  const type3 =
    '<</Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 /LastChar 65 /Widths [1000] /Encoding <</Differences [65 /A]>> /CharProcs <</A 6 0 R>> /Resources <<>>>>';
  for (const [what, page, coloured] of [
    ['grey', onePage('0 0 400 400', '0.2 g 0 0 200 200 re f'), false],
    ['white', onePage('0 0 400 400', '0 0 400 400 re f 1 g 0 0 200 200 re f'), false],
    ['black by four inks', onePage('0 0 400 400', '0 0 0 1 k 0 0 200 200 re f'), false],
    ['red', onePage('0 0 400 400', '1 0 0 rg 0 0 200 200 re f'), true],
    ['a red stroke', onePage('0 0 400 400', '1 0 0 RG 9 w 0 0 200 200 re S'), true],
    [
      'a shading',
      onePage('0 0 400 400', '/Pattern cs /P scn 0 0 200 200 re f', '/Pattern <</P 5 0 R>>', [shading]),
      true,
    ],
    ['a tiling', onePage('0 0 400 400', '/Pattern cs /P scn 0 0 200 200 re f', '/Pattern <</P 5 0 R>>', [tile]), true],
    [
      'a coloured glyph',
      onePage('0 0 400 400', 'BT /F 50 Tf 50 50 Td (A) Tj ET', '/Font <</F 5 0 R>>', [type3, glyph]),
      true,
    ],
  ] as const) {
    const { sheets } = await render(page);
    const [sheet] = sheets;
    assert.ok(sheet !== undefined && ink(sheet) > 100, what);
    assert.equal(sheet.format === PIXEL.rgb4 || sheet.format === PIXEL.rgb8, coloured, what);
  }
});

test('links that show nothing leave a page grey; one with a frame keeps its colour', async () => {
  const link = (entries: string): string =>
    `<</Type /Annot /Subtype /Link /Rect [20 300 320 320] /A <</S /URI /URI (https://city.example/)>> ${entries}>>`;
  for (const [what, more, width] of [
    ['as Word writes it', link('/F 4 /BS <</W 0>>'), 1111],
    ['as LibreOffice writes it', link('/Border [0 0 0]'), 1111],
    ['a frame that is not printed', link('/C [1 0 0]'), 1111],
    ['a red frame', link('/F 4 /C [1 0 0] /Border [0 0 3]'), 833],
    ['a red frame by default', link('/F 4 /C [1 0 0]'), 833],
    ['a remark', '<</Type /Annot /Subtype /Square /F 4 /C [1 0 0] /Rect [20 300 320 320]>>', 833],
  ] as const) {
    const source = onePage('0 0 400 400', '0.2 g 0 0 200 200 re f', '', [more], '/Annots [5 0 R]');
    const { sheets, findings } = await render(source, { dpi: 0 });
    assert.equal(sheets[0]?.width, width, what);
    assert.equal(sheets[0].format === PIXEL.rgb4, width === 833, what);
    if (what !== 'a remark')
      assert.deepEqual(findings, [{ code: 'external-link', detail: 'https://city.example/' }], what);
  }
});

test('without a wish, short grey documents are drawn at 200 dpi, colour and long ones at 150', async () => {
  const grey = (await render(onePage('0 0 72 72', '0 0 36 36 re f'), { dpi: 0 })).sheets[0];
  const colour = (await render(onePage('0 0 72 72', '1 0 0 rg 0 0 36 36 re f'), { dpi: 0 })).sheets[0];
  assert.deepEqual([grey?.width, colour?.width], [LIMITS.sharpDpi, LIMITS.dpi]);
  const count = LIMITS.sharpPages + 1;
  const kids = Array.from({ length: count }, (_, i) => `${3 + i} 0 R`).join(' ');
  const leaf = '<</Type /Page /Parent 2 0 R /MediaBox [0 0 72 72]>>';
  const tree = `<</Type /Pages /Count ${count} /Kids [${kids}]>>`;
  const long = makePdf(['<</Type /Catalog /Pages 2 0 R>>', tree, ...Array.from({ length: count }, () => leaf)]);
  assert.equal((await render(long, { dpi: 0 })).sheets[0]?.width, LIMITS.dpi);
});
