// Scans in one file (TIFF, DocuWorks) and Hangul documents: cut by a limit, shown while they are made, drawn anew.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { builtInPolicy, withLimits } from '../../src/policy/policy.ts';
import type { LiveSink } from '../../src/sanitise/live.ts';
import type { SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { xdw } from '../support/docuworks-files.ts';
import { hangulFile } from '../support/hangul-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { tiff } from '../support/tiff-files.ts';

const MS = 500_000;
const [WIDTH, HEIGHT] = [200, 300];

/** What was shown before the package: output, index, pages. */
function watched(): { readonly shown: [string, number, number][]; readonly live: () => LiveSink } {
  const shown: [string, number, number][] = [];
  const live: LiveSink = {
    page: async (output, index, pages, file) => {
      assert.equal(Buffer.from(file).toString('latin1', 0, 5), '%PDF-');
      shown.push([output, index, pages]);
    },
    heads: () => [],
  };
  return { shown, live: () => live };
}

/** Pages of a PDF of ours. */
const pagesIn = (files: ReadonlyMap<string, Buffer>): number =>
  [...files.values()][0]?.toString('latin1').match(/\/Type ?\/Page\b/g)?.length ?? 0;

describe('a fax that a limit cuts', () => {
  const cases: readonly [what: string, limits: Parameters<typeof withLimits>[1], detail: RegExp][] = [
    ['by its pixels', { pixels: 2 * WIDTH * HEIGHT + 5 }, /^2 \/ 9, too-many-pixels$/],
    ['by its bytes', { outputBytes: 500_000 }, /^[1-5] \/ 9, too-large$/], // how many are written by then is a matter of time
    ['by its pages', { pages: 2 }, /^2 of 9 pages$/],
  ];
  for (const [what, limits, detail] of cases)
    it(`${what} keeps its good pages, and ends with one that tells of the rest`, { timeout: MS }, async () => {
      const noise = what === 'by its bytes';
      const policy = withLimits(builtInPolicy(), limits);
      await using sanitiser = await openSanitiser({ policy });
      const { parts, files } = await sanitiser.file('fax.tif', tiff(9, WIDTH, HEIGHT, noise));
      const { verdict, reason, pages = 0, losses = [] } = parts[0] ?? {};
      assert.deepEqual([verdict, reason], ['pages', null]);
      const [told, more] = losses.filter(({ code }) => code === 'pages-cut');
      assert.match(told?.detail ?? '', detail);
      assert.equal(more, undefined);
      assert.equal(Number.parseInt(told?.detail ?? '', 10), pages);
      assert.equal(pagesIn(files), pages + 1, 'those of the fax, and one of ours');
    });

  it('so does a DocuWorks document', { timeout: MS }, async () => {
    const jpeg = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#fff' } })
      .jpeg()
      .toBuffer();
    const file = xdw(Array.from({ length: 4 }, () => ({ kind: 'jpeg', jpeg }) as const));
    await using sanitiser = await openSanitiser({ policy: withLimits(builtInPolicy(), { pages: 3 }) });
    const { parts, files } = await sanitiser.file('scan.xdw', file);
    assert.deepEqual([parts[0]?.verdict, parts[0]?.pages], ['pages', 3]);
    assert.equal(pagesIn(files), 4);
  });

  it('whose first page is too much already is refused', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser({ policy: withLimits(builtInPolicy(), { pixels: 1000 }) });
    const { parts } = await sanitiser.file('fax.tif', tiff(5, WIDTH, HEIGHT));
    assert.deepEqual([parts[0]?.verdict, parts[0]?.reason], ['refused', 'too-many-pixels']);
  });
});

describe('pages of scans', () => {
  it(
    'of a long fax are shown while the rest is made, under the name of the file to come',
    { timeout: MS },
    async () => {
      const { shown, live } = watched();
      await using sanitiser = await openSanitiser({ live });
      const { parts } = await sanitiser.file('fax.tif', tiff(21, 20, 30));
      const [output = ''] = parts[0]?.outputs ?? [];
      assert.deepEqual(
        shown,
        Array.from({ length: 21 }, (_, index) => [output, index, 21]),
      );
    },
  );

  it('of a short one are not', { timeout: MS }, async () => {
    const { shown, live } = watched();
    await using sanitiser = await openSanitiser({ live });
    await sanitiser.file('fax.tif', tiff(19, 20, 30));
    assert.deepEqual(shown, []);
  });

  it('of a Hangul document are drawn anew where they are asked for, at that resolution', { timeout: MS }, async () => {
    const bytes = Buffer.from((await hangulFile(3)).exportHwp());
    const widths = async (only?: SanitiseTools['only']): Promise<[number, number][]> => {
      const seen: [number, number][] = [];
      const live: LiveSink = {
        page: async (_output, index, _pages, file) => {
          const width = Number(/\/Width (\d+)/.exec(Buffer.from(file).toString('latin1'))?.[1]);
          seen.push([index, width]);
        },
        heads: () => [],
      };
      await using sanitiser = await openSanitiser({ live: () => live, ...(only === undefined ? {} : { only }) });
      const { parts } = await sanitiser.file('a.hwp', bytes);
      if (only === undefined) assert.ok((parts[0]?.pages ?? 0) >= 3);
      return seen;
    };
    assert.deepEqual(await widths(), []);
    const at = async (dpi: number) => widths({ as: 'pages', part: '1', dpi, from: 2, to: 3 });
    const [coarse, fine] = [await at(100), await at(200)];
    assert.deepEqual(
      coarse.map(([index]) => index),
      [0, 1],
    );
    for (const [at_, [, width]] of fine.entries()) assert.ok(Math.abs(width - 2 * (coarse[at_]?.[1] ?? 0)) < 4);
  });
});
