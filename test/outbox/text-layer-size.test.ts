// The gate and the sizes of a text layer: what is at the limit is read, what is one byte or ten times above it is refused without
// being held, and an honest file passes meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { CMAP_FOOT, CMAP_HEAD, CMAP_MOST } from '../../src/message/page-form.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { encodePage } from '../../src/sanitise/encode-page.ts';
import { PdfWriter, drawing, sidesOf } from '../../src/sanitise/pdf-writer.ts';
import { RUNS, page, pdfOf, refusalOf } from '../support/own-files.ts';

/** What is still memory of ours when ten times a limit was not held. */
const GROWTH = 160 * 1024 * 1024;
const ONE_CHARACTER = `${CMAP_HEAD}1 beginbfchar\n<0001> <3042>\nendbfchar\n${CMAP_FOOT}`;

/** A file with one page whose content stream and map are these texts. `level`: of zlib. */
async function file(text: Buffer, map: Buffer, level = 9): Promise<Buffer> {
  const { width, height } = sidesOf(100, 100);
  const image = await encodePage(page(8, 8, PIXEL.grey4));
  const writer = new PdfWriter(true);
  const first = writer.page({ image, width, height, text: deflateSync(text, { level }) });
  return Buffer.concat([first, writer.end(deflateSync(map, { level }))]);
}

/** A page's operators of exactly so many bytes: one run of the same letter over and over. */
function operators(bytes: number): Buffer {
  for (const x of ['1', '11', '111', '1111']) {
    const head = `${drawing('100', '100')}\nBT\n3 Tr\n/F 12 Tf 100 Tz 1 0 0 1 ${x} 1 Tm <`;
    const tail = '> Tj\nET';
    const left = bytes - head.length - tail.length;
    if (left % 4 === 0) return Buffer.from(`${head}${'0001'.repeat(left / 4)}${tail}`, 'latin1');
  }
  throw new Error('no such size');
}

/** The largest map that there is: every character number, each of them a surrogate pair. */
function fullMap(): Buffer {
  let blocks = '';
  for (let known = 0; known < CMAP_MOST;) {
    const count = Math.min(100, CMAP_MOST - known);
    blocks += `${count} beginbfchar\n`;
    for (let nth = 0; nth < count; nth++) {
      known += 1;
      blocks += `<${known.toString(16).toUpperCase().padStart(4, '0')}> <D83CDF63>\n`;
    }
    blocks += 'endbfchar\n';
  }
  return Buffer.from(`${CMAP_HEAD}${blocks}${CMAP_FOOT}`, 'latin1');
}

/** The gate's word on the file, while it reads an honest one; and that it did not hold what it refused. */
async function refusal(bytes: Buffer): Promise<string> {
  const honest = await pdfOf([page(9, 7, PIXEL.grey4, false, RUNS)], true);
  const before = process.memoryUsage.rss();
  const [refused, passed] = await Promise.all([refusalOf('a.pdf', bytes), refusalOf('b.pdf', honest)]);
  assert.equal(passed, undefined, 'an honest file passes');
  assert.ok(process.memoryUsage.rss() - before < GROWTH, 'the memory stays');
  return refused === undefined ? 'passes' : refused.message;
}

test('limit pageTextBytes: operators of that size are read, a byte more or ten times as many are refused', async () => {
  const most = LIMITS.pageTextBytes;
  const map = Buffer.from(ONE_CHARACTER, 'latin1');
  assert.equal(await refusal(await file(operators(most), map)), 'passes');
  assert.match(await refusal(await file(operators(most + 1), map)), /pdf-contents.*over 16777216 bytes of data/);
  assert.match(await refusal(await file(operators(10 * most), map)), /pdf-contents.*over 16777216 bytes of data/);
  // The deflated stream itself.
  assert.match(await refusal(await file(operators(most), map, 0)), /pdf-contents.*over 16777216 bytes/);
});

test('limit mapBytes: the largest map there is passes; one of the limit is read and judged, a byte more or ten times as many are not read', async () => {
  const most = LIMITS.mapBytes;
  const text = operators(2000);
  const filled = (size: number): Buffer =>
    Buffer.concat([Buffer.from(CMAP_HEAD), Buffer.alloc(size - CMAP_HEAD.length, 0x78)]);
  assert.ok(fullMap().length < most);
  assert.equal(await refusal(await file(text, fullMap())), 'passes');
  assert.match(await refusal(await file(text, filled(most))), /pdf-map.*not the head of a block/);
  assert.match(await refusal(await file(text, filled(most + 1))), /pdf-map.*over 2097152 bytes of data/);
  assert.match(await refusal(await file(text, filled(10 * most))), /pdf-map.*over 2097152 bytes of data/);
  assert.match(await refusal(await file(text, filled(most), 0)), /pdf-map.*over 2097152 bytes/);
});
