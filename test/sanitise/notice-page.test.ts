// A document that is cut says so on paper: its last page tells how many pages are missing, and why.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { missingOf } from '../../src/sanitise/convert-pages.ts';
import { openSanitiser } from '../support/sanitiser.ts';

/** Pages of noise, which no encoder makes small; `side` points. */
function noisy(pages: number, side: number): Buffer {
  let seed = 1;
  const noise = Array.from({ length: 300 * 300 }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return String.fromCharCode(seed >>> 24);
  }).join('');
  const kids = Array.from({ length: pages }, (_, i) => `${5 + i} 0 R`).join(' ');
  const image = '/Type /XObject /Subtype /Image /Width 300 /Height 300 /ColorSpace /DeviceGray /BitsPerComponent 8';
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    stream(image, noise),
    stream('', `q ${side} 0 0 ${side} 0 0 cm /I Do Q`),
    ...Array.from(
      { length: pages },
      () =>
        `<</Type /Page /Parent 2 0 R /MediaBox [0 0 ${side} ${side}] /Resources <</XObject <</I 3 0 R>>>> /Contents 4 0 R>>`,
    ),
  ]);
}

function read(file: Buffer): { readonly pages: number; readonly last: string } {
  const folder = mkdtempSync(join(tmpdir(), 'mugai-'));
  try {
    const path = join(folder, 'a.pdf');
    writeFileSync(path, file);
    const info = execFileSync('pdfinfo', [path], { encoding: 'utf8' });
    const pages = Number(/^Pages:\s+(\d+)/m.exec(info)?.[1]);
    return { pages, last: execFileSync('pdftotext', ['-f', String(pages), path, '-'], { encoding: 'utf8' }) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [language, words] of [
  [
    'ja',
    [
      'この文書には続きがあります',
      '全 5 ページのうち、はじめの 3 ページまでです。残り 2 ページはありません。',
      '理由：ページ数が多すぎます。',
    ],
  ],
  [
    'en',
    [
      'The rest of this document is missing',
      'These are the first 3 of 5 pages. 2 pages are not shown here.',
      'Reason: it has too many pages.',
    ],
  ],
] as const) {
  test(`a document of more pages than the policy allows ends with a page that says so (${language})`, async () => {
    const policy = { ...builtInPolicy(), language };
    await using sanitiser = await openSanitiser({ policy: { ...policy, limits: { ...policy.limits, pages: 3 } } });
    const { parts, files } = await sanitiser.file('report.pdf', noisy(5, 50));
    assert.equal(parts[0]?.pages, 3);
    const { pages, last } = read(files.get('files/01-report.pdf') ?? Buffer.alloc(0));
    assert.equal(pages, 4);
    for (const line of words) assert.ok(last.includes(line), last);
  });
}

test('pages that fit into what a message may become are kept, the rest is told', async () => {
  const policy = builtInPolicy();
  const outputBytes = 1_200_000;
  await using sanitiser = await openSanitiser({ policy: { ...policy, limits: { ...policy.limits, outputBytes } } });
  const { state, parts, files } = await sanitiser.file('report.pdf', noisy(40, 150));
  assert.equal(state, 'sanitised');
  const kept = parts[0]?.pages ?? 0;
  assert.ok(kept > 1 && kept < 40, `${kept} pages`);
  assert.ok(parts[0]?.losses.some(({ code, detail }) => code === 'pages-cut' && detail.includes('too-large')));
  const file = files.get('files/01-report.pdf') ?? Buffer.alloc(0);
  assert.ok(file.length <= outputBytes && file.length < LIMITS.outputBytes);
  const { pages, last } = read(file);
  assert.equal(pages, kept + 1);
  assert.ok(last.includes(`残り ${40 - kept} ページ`), last);
});

test('the notice names all pages of a document that was cut twice: by their number, and by its time', () => {
  const drawn = { pages: 300, announced: 2000, cut: 'timeout' } as const;
  const counted = { code: 'pages-cut', detail: '2000 of 5000 pages' };
  const told = { code: 'pages-cut', detail: '300 / 2000, timeout' };
  for (const losses of [
    [counted, told],
    [told, counted],
  ])
    assert.equal(missingOf(drawn, losses, 'en')?.announced, 5000);
  assert.equal(missingOf(drawn, [told], 'en')?.announced, 2000);
  assert.equal(missingOf({ ...drawn, cut: undefined }, [counted], 'en')?.announced, 5000);
  assert.equal(missingOf({ ...drawn, cut: undefined }, [], 'en'), undefined);
});

test('a whole document has no such page', async () => {
  await using sanitiser = await openSanitiser();
  const { files } = await sanitiser.file('report.pdf', noisy(2, 50));
  assert.equal(read(files.get('files/01-report.pdf') ?? Buffer.alloc(0)).pages, 2);
});
