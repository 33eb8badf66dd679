// The image family in real jailed children: upright sRGB pixels, nothing else, and hostile pictures refused.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { LIMITS } from '../../src/message/limits.ts';
import type { ChildRequest } from '../../src/sandbox/child.ts';
import { PageCollector, type Collected, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { encodePicture } from '../../src/sanitise/picture.ts';
import { eachOfRuns } from '../../workers/bitmap-runs.ts';
import { bitmap } from '../../workers/bitmap.ts';
import { drive } from '../support/drive-worker.ts';
import { sjis } from '../support/japanese.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);

/** A file of the corpus; a missing corpus is a failure, never a skip. */
function corpus(path: string): Buffer {
  return readFileSync(new URL(path, CORPUS));
}

async function decode(
  file: Uint8Array,
  ask: Partial<ChildRequest> = {},
): Promise<Collected & { readonly sheets: readonly RasterPage[]; readonly first: RasterPage }> {
  const run = await drive('image', file, ask);
  assert.deepEqual(run.outcome, { kind: 'done' });
  const sheets: RasterPage[] = [];
  const collector = new PageCollector((page) => void sheets.push(page));
  for (const frame of run.frames) await collector.take(frame);
  const first = sheets[0];
  assert.ok(first !== undefined);
  return { ...collector.finish(), sheets, first };
}

async function refusal(file: Uint8Array): Promise<string> {
  const { outcome } = await drive('image', file);
  return outcome.kind === 'refused' ? outcome.reason : `not refused: ${JSON.stringify(outcome)}`;
}

/** Red, green and blue at a place of an `rgb8` page. */
function at(page: RasterPage, x: number, y: number): [number, number, number] {
  assert.equal(page.format, PIXEL.rgb8);
  const i = (y * page.width + x) * 3;
  return [page.pixels[i] ?? -1, page.pixels[i + 1] ?? -1, page.pixels[i + 2] ?? -1];
}

/** A PNG chunk (PNG 3rd edition, 5.3). */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A black 1-bit PNG of this size. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))), { level: 1 });
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

test('a photograph that lies on its side by EXIF comes upright', async () => {
  // Red left half, blue right half, stored 60 × 20 with orientation 6: shown 20 × 60, red above.
  const flat = Buffer.alloc(60 * 20 * 3);
  for (let i = 0; i < 60 * 20; i++) flat[i * 3 + (i % 60 < 30 ? 0 : 2)] = 255;
  const jpeg = await sharp(flat, { raw: { width: 60, height: 20, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer();
  const { first } = await decode(jpeg);
  assert.deepEqual([first.width, first.height], [20, 60]);
  const [red, , blue] = at(first, 10, 5);
  assert.ok(red > 200 && blue < 60, `${red} ${blue}`);
  const rotated = await decode(corpus('image/pillow/hopper_orientation_6.jpg'));
  assert.deepEqual([rotated.first.width, rotated.first.height], [128, 128]);
});

test('GPS, camera and author are in the input and in no output byte', async () => {
  const source = corpus('image/tika/testJPEG_GEO.jpg');
  assert.ok(source.includes('Canon EOS 40D') && source.includes('moscow-birds'));
  const { first } = await decode(source);
  const { bytes } = await encodePicture(first);
  for (const word of ['Canon', 'Photoshop', 'moscow', 'Exif', 'GPS', 'ICC_PROFILE', 'http']) {
    assert.ok(!bytes.includes(word), word);
  }
  const metadata = await sharp(bytes).metadata();
  assert.equal(metadata.exif ?? metadata.icc ?? metadata.xmp ?? metadata.iptc, undefined);
});

test('the size in points follows the density', async () => {
  const { first } = await decode(corpus('image/tika/testJPEG_GEO.jpg')); // 240 dpi
  assert.ok(Math.abs(first.widthPt - (first.width / 240) * 72) < 0.01);
});

test('a PNG of 30,000 × 30,000 pixels in 110 KB is refused before it is decoded', async () => {
  const bomb = hugePng(30_000, 30_000);
  assert.ok(bomb.length < 1_000_000);
  const started = performance.now();
  assert.equal(await refusal(bomb), 'too-many-pixels');
  assert.ok(performance.now() - started < 30_000); // the start of a child on a busy machine; to decode it takes gigabytes
});

test('an honest picture above the pixel cap is scaled down and keeps its shape', async () => {
  const { first } = await decode(hugePng(12_000, 8_000));
  assert.ok(
    first.width * first.height <= LIMITS.pagePixels && Math.max(first.width, first.height) <= LIMITS.sidePixels,
  );
  assert.ok(Math.abs(first.width / first.height - 1.5) < 0.001);
  assert.ok(Math.abs(first.widthPt / first.heightPt - 1.5) < 0.001 && first.widthPt >= 9000); // of the source, not of the scaled one
  assert.equal(first.format, PIXEL.grey8);
});

test('of an animation the first frame is shown and the rest told as lost', async () => {
  const { sheets, losses } = await decode(corpus('image/pillow/iss634.gif'));
  assert.equal(sheets.length, 1);
  assert.deepEqual(losses, [{ code: 'frames-cut', detail: 'the first of 42 frames is shown' }]);
});

test('every page of a TIFF is a page, up to the number asked for', async () => {
  const file = corpus('image/pillow/multipage.tiff');
  const all = await decode(file);
  assert.deepEqual(
    all.sheets.map((page) => [page.width, page.height]),
    [
      [10, 10],
      [10, 10],
      [20, 20],
    ],
  );
  const cut = await decode(file, { maxPages: 2 });
  assert.equal(cut.sheets.length, 2);
  assert.deepEqual(cut.losses, [{ code: 'pages-cut', detail: '2 of 3 pages' }]);
});

test('transparency is shown on white', async () => {
  const clear = await sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } },
  })
    .png()
    .toBuffer();
  const { first } = await decode(clear);
  assert.equal(first.format, PIXEL.grey8);
  assert.ok(first.pixels.every((value) => value === 255));
});

test('CMYK, 16 bits, palettes, bilevel fax and WebP come as eight bits a channel', async () => {
  for (const name of [
    'pillow/pil_sample_cmyk.jpg',
    'pngsuite/basn6a16.png',
    'pngsuite/basn3p01.png',
    'pillow/hopper_g4.tif',
    'tika/testWEBP.webp',
    'image-rs/images-tiff-testsuite-rgb32f_color.tiff',
  ]) {
    const { first } = await decode(corpus(`image/${name}`));
    assert.ok(first.format === PIXEL.grey8 || first.format === PIXEL.rgb8, name);
    assert.ok(
      first.pixels.some((value) => value !== first.pixels[0]),
      `${name} is one colour`,
    );
  }
});

test('every picture of PngSuite that is corrupt is refused, none ends the child', async () => {
  for (const name of ['xc1n0g08', 'xcsn0g01', 'xd0n2c08', 'xdtn0g01', 'xhdn0g08', 'xs1n0g01']) {
    assert.match(await refusal(corpus(`image/pngsuite/${name}.png`)), /^(damaged|unsupported-type)$/, name);
  }
});

test('torn, empty and foreign bytes are refused by name', async () => {
  assert.equal(await refusal(new Uint8Array(0)), 'empty');
  assert.equal(await refusal(Buffer.from('MZ not a picture')), 'unsupported-type');
  assert.equal(await refusal(corpus('hostile/image-pillow/truncated_jpeg.jpg')), 'damaged');
  assert.equal(await refusal(corpus('hostile/image-pillow/broken.png')), 'damaged');
});

test('programs that draw are not opened at all', async () => {
  assert.equal(await refusal(corpus('hostile/image-pillow/zero_bb.eps')), 'unsupported-type');
});

test('an SVG is drawn with our fonts, and loads nothing', async () => {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><image href="file:///etc/passwd" width="9" height="9"/>' +
    '<script>alert(1)</script><text x="2" y="16" font-size="14">鹿島</text></svg>';
  const page = (await decode(Buffer.from(svg))).first;
  assert.deepEqual([page.width, page.height], [60, 20]);
  assert.ok(
    page.pixels.some((value) => value < 100),
    'there is ink',
  );
});

test('BMP, ICO, HEIC and AVIF become pixels', async () => {
  const row = [255, 0, 0, 255, 255, 255, 0, 0]; // blue, white; rows from below, padded to four bytes
  const bmp = Buffer.alloc(54 + 16);
  bmp.write('BM', 0, 'latin1');
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(2, 18);
  bmp.writeInt32LE(2, 22);
  bmp.writeUInt16LE(24, 28);
  Buffer.from([...row, 0, 255, 0, 0, 0, 255, 0, 0]).copy(bmp, 54);
  const page = (await decode(bmp)).first;
  assert.deepEqual([...page.pixels], [0, 255, 0, 255, 0, 0, 0, 0, 255, 255, 255, 255]);
  for (const name of ['image/tika/testHEIF.heic', 'image/pillow/hopper.avif', 'image/corkami-mini/ico.ico']) {
    const { width, height } = (await decode(corpus(name))).first;
    assert.ok(width > 0 && height > 0, name);
  }
});

test('a bitmap that claims more pixels than it has, or than there may be, is refused', async () => {
  const bmp = Buffer.alloc(60);
  bmp.write('BM', 0, 'latin1');
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(100, 18);
  bmp.writeInt32LE(100, 22);
  bmp.writeUInt16LE(24, 28);
  assert.equal(await refusal(bmp), 'damaged');
  bmp.writeInt32LE(100_000, 18);
  bmp.writeInt32LE(100_000, 22);
  assert.equal(await refusal(bmp), 'too-many-pixels');
});

/** A bitmap of two pixels with masks of its colours behind its header. */
function masked(bits: 16 | 32, masks: readonly number[], pixels: readonly number[]): Buffer {
  const bmp = Buffer.alloc(66 + 8);
  bmp.write('BM', 0, 'latin1');
  for (const [place, value] of [
    [10, 66],
    [14, 40],
    [18, 2],
    [22, 1],
    [30, 3],
  ] as const)
    bmp.writeUInt32LE(value, place);
  bmp.writeUInt16LE(bits, 28);
  for (const [place, mask] of masks.entries()) bmp.writeUInt32LE(mask, 54 + place * 4);
  for (const [place, pixel] of pixels.entries())
    if (bits === 16) bmp.writeUInt16LE(pixel, 66 + place * 2);
    else bmp.writeUInt32LE(pixel, 66 + place * 4);
  return bmp;
}

test('a bitmap with masks has the colours that they say', () => {
  const colours = (bmp: Buffer): number[] => [...bitmap(bmp, 66, 14).data].filter((_, place) => place % 4 !== 3);
  assert.deepEqual(colours(masked(16, [0xf800, 0x7e0, 0x1f], [0xf800, 0x07e0])), [255, 0, 0, 0, 255, 0]);
  assert.deepEqual(colours(masked(16, [0x7c00, 0x3e0, 0x1f], [0x7fff, 0x001f])), [255, 255, 255, 0, 0, 255]);
  assert.deepEqual(colours(masked(32, [0xff, 0xff00, 0xff0000], [0x0000ff, 0xff0000])), [255, 0, 0, 0, 0, 255]);
  assert.deepEqual(colours(masked(32, [0, 0, 0], [0xffffff, 0])), [0, 0, 0, 0, 0, 0]);
});

/** A bitmap of run lengths or of OS/2: `header` from its size on, colours and pixels behind it. */
function handmade(header: Buffer, colours: readonly number[], pixels: readonly number[]): Buffer {
  const head = Buffer.alloc(14);
  head.write('BM', 0, 'latin1');
  head.writeUInt32LE(14 + header.length + colours.length, 10);
  return Buffer.concat([head, header, Buffer.from(colours), Buffer.from(pixels)]);
}

function longHeader(
  size: number,
  [width, height]: readonly [number, number],
  bits: number,
  compression: number,
): Buffer {
  const header = Buffer.alloc(size);
  for (const [place, value] of [
    [0, size],
    [4, width],
    [8, height],
    [16, compression],
  ] as const)
    header.writeUInt32LE(value, place);
  header.writeUInt16LE(bits, 14);
  return header;
}

test('a bitmap of run lengths has its pixels, and nothing where no run comes', () => {
  const palette = [0, 0, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0]; // black, red, green
  const pixelsOf = (bmp: Buffer): string[] => {
    const { data } = bitmap(bmp, bmp.readUInt32LE(10), 14);
    const name = (place: number): string =>
      data[place + 3] === 0
        ? '.'
        : data[place] === 255
          ? 'r'
          : data[place + 1] === 255
            ? 'g'
            : data[place + 2] === 255
              ? 'b'
              : 'k';
    return Array.from({ length: data.length / 4 }, (_, n) => name(n * 4));
  };
  // Two lines of three, the lower one first: a run of two reds; a jump of one to the right and one up; two as they are.
  const eight = [2, 1, 0, 2, 0, 1, 0, 1];
  assert.equal(pixelsOf(handmade(longHeader(40, [3, 2], 8, 1), palette, eight)).join(''), '...rr.');
  const both = [1, 1, 0, 3, 2, 1, 2, 0, 0, 0, 3, 2, 0, 1];
  assert.equal(pixelsOf(handmade(longHeader(40, [4, 2], 8, 1), palette, both)).join(''), 'ggg.rgrg');
  const four = [3, 0x12, 0, 0, 0, 3, 0x21, 0x20, 0, 1];
  assert.equal(pixelsOf(handmade(longHeader(40, [3, 2], 4, 2), palette, four)).join(''), 'grgrgr');
  const whole = [2, 0, 0, 255, 0, 0, 0, 3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 1];
  assert.equal(pixelsOf(handmade(longHeader(64, [3, 2], 24, 4), [], whole)).join(''), 'bgrrr.');
  assert.throws(() => pixelsOf(handmade(longHeader(40, [3, 2], 8, 1), palette, [2, 1])), /cut/);
});

test('runs of a bitmap that go on behind the end of a line are passed over as one', () => {
  for (const run of [
    [255, 1],
    [0, 254, ...Buffer.alloc(254, 1)],
  ]) {
    const bytes = Buffer.concat([Buffer.alloc(1000 * run.length, Buffer.from(run)), Buffer.from([0, 0, 1, 1, 0, 1])]);
    let reads = 0;
    bytes.readUInt8 = (place) => {
      reads += 1;
      return Buffer.prototype.readUInt8.call(bytes, place);
    };
    const seen: string[] = [];
    eachOfRuns(bytes, { from: 0, width: 3, height: 2, bits: 8 }, (x, y) => void seen.push(`${x} ${y}`));
    assert.deepEqual(seen, ['0 0', '1 0', '2 0', '0 1']);
    assert.ok(reads < 2100, `${reads} reads`);
  }
});

test('a bitmap of OS/2 has colours of three bytes', () => {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(12, 0);
  for (const [place, value] of [
    [4, 2],
    [6, 1],
    [8, 1],
    [10, 8],
  ] as const)
    header.writeUInt16LE(value, place);
  const bmp = handmade(header, [0, 0, 255, 255, 0, 0], [0, 1, 0, 0]);
  assert.deepEqual([...bitmap(bmp, bmp.readUInt32LE(10), 14).data], [255, 0, 0, 255, 0, 0, 255, 255]);
});

/** An icon of one picture, black throughout; `length`: what its entry says of it. */
function ico(bits: number, side: number, pixels: Buffer, mask: Buffer, length?: number): Buffer {
  const directory = Buffer.alloc(22);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(1, 4);
  directory[6] = side;
  directory[7] = side;
  directory.writeUInt32LE(22, 18);
  const picture = Buffer.concat([longHeader(40, [side, side * 2], bits, 0), pixels, mask]);
  directory.writeUInt32LE(length ?? picture.length, 14);
  return Buffer.concat([directory, picture]);
}

test('an icon shows white where it has nothing: by its fourth byte, or by its mask', async () => {
  const mask = Buffer.from([0b01000000, 0, 0, 0, 0b10000000, 0, 0, 0]); // lines from the lowest
  const alpha = Buffer.alloc(16);
  alpha[3] = 255; // the lower left
  const white = 255;
  const cases = [
    [ico(32, 2, alpha, Buffer.alloc(8)), [white, white, 0, white]],
    [ico(32, 2, Buffer.alloc(16), mask), [white, 0, 0, white]],
    [ico(24, 2, Buffer.alloc(16), mask), [white, 0, 0, white]],
    [ico(24, 2, Buffer.alloc(16), mask, 5), [white, 0, 0, white]],
  ] as const;
  for (const [file, expected] of cases) assert.deepEqual([...(await decode(file)).first.pixels], expected);
});

test('an icon of macOS is shown', async () => {
  const plane = Buffer.from([0xff, 7, 0xff, 7]); // two runs of 130: more than there are
  const element = (kind: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.write(kind, 0, 'latin1');
    head.writeUInt32BE(8 + content.length, 4);
    return Buffer.concat([head, content]);
  };
  const runs = Buffer.concat([plane, plane, plane]);
  const { first } = await decode(element('icns', element('is32', runs)));
  assert.deepEqual([first.width, first.height, new Set(first.pixels)], [16, 16, new Set([7])]);
  const png = await sharp({ create: { width: 5, height: 4, channels: 3, background: '#f00' } })
    .png()
    .toBuffer();
  const { first: inner } = await decode(element('icns', Buffer.concat([element('is32', runs), element('ic07', png)])));
  assert.deepEqual([inner.width, inner.height], [5, 4]);
});

test('of a file of several pictures the first is shown and the rest told as lost', async () => {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  const row = deflateSync(Buffer.from([0, 200]));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const control = Buffer.from([0, 0, 0, 3, 0, 0, 0, 0]);
  const png = [
    signature,
    chunk('IHDR', header),
    chunk('acTL', control),
    chunk('IDAT', row),
    chunk('IEND', Buffer.alloc(0)),
  ];
  for (const file of [Buffer.concat(png), corpus('image/pillow/star.avifs')]) {
    const { losses, pages } = await decode(file);
    assert.deepEqual([pages, losses.map(({ code }) => code)], [1, ['frames-cut']]);
  }
});

test('AVIF that calls itself pictures in general is read', async () => {
  const avif = await sharp({ create: { width: 20, height: 10, channels: 3, background: '#f00' } })
    .avif()
    .toBuffer();
  avif.write('mif1', 8, 'latin1');
  const { first } = await decode(avif);
  assert.deepEqual([first.width, first.height], [20, 10]);
});

test('a drawing in another charset than UTF-8 has its letters', async () => {
  const svg = (charset: string): string =>
    `<?xml version="1.0" encoding="${charset}"?><svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text y="20">表申請</text></svg>`;
  const known = await decode(Buffer.from(svg('UTF-8')));
  for (const file of [sjis(svg('Shift_JIS')), Buffer.from(`\ufeff${svg('UTF-16')}`, 'utf16le')])
    assert.ok(known.first.pixels.equals((await decode(file)).first.pixels));
});

test('a bitmap of as many pixels as a telephone takes is scaled down as other pictures are, one of more is refused', async () => {
  const bmpOf = (width: number, height: number): Buffer => {
    const row = ((width + 31) >> 5) << 2;
    const bmp = Buffer.alloc(62 + row * height, 0xff);
    bmp.fill(0, 0, 62);
    bmp.write('BM', 0, 'latin1');
    for (const [place, value] of [
      [10, 62],
      [14, 40],
      [18, width],
      [22, height],
      [58, 0xffffff],
    ] as const)
      bmp.writeUInt32LE(value, place);
    bmp.writeUInt16LE(1, 28);
    return bmp;
  };
  const { first } = await decode(bmpOf(8000, 6000));
  assert.ok(first.width * first.height <= LIMITS.pagePixels && first.width > 6900, `${first.width} × ${first.height}`);
  assert.equal(await refusal(bmpOf(8001, 8000)), 'too-many-pixels');
});

test('a drawing that asks for more pixels than a page has is drawn smaller', async () => {
  const { first } = await decode(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="40000" height="20000"/>'));
  assert.ok(first.width * first.height <= LIMITS.pagePixels && first.width > 7000, `${first.width} × ${first.height}`);
});
