// A document's pages drawn on order, by one child and by several: all pages, in their order, whatever a child does.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MugaiError } from '../../src/message/errors.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import type { JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { killTree } from '../../src/sandbox/process-tree.ts';
import type { RasterPage } from '../../src/sandbox/raster-page.ts';
import { OPERATION, type Run } from '../../src/sandbox/wire.ts';
import { drawPages, type DrawnDocument, type TakePage } from '../../src/sanitise/draw-pages.ts';
import { openPools, type OpenPools } from '../../src/sanitise/pools.ts';
import { Tools } from '../../src/sanitise/tools.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { scratch, until } from '../support/scratch.ts';

let folder: Awaited<ReturnType<typeof scratch>>;
let store: Store;
let one: OpenPools;
let three: OpenPools;
const kills: string[] = [];

before(async () => {
  folder = await scratch();
  store = await openFsStore(folder.path);
  one = await openPools(1, (_family, cause) => kills.push(cause));
  three = await openPools(3, (_family, cause) => kills.push(cause));
});
after(async () => {
  await one.close();
  await three.close();
  await folder[Symbol.asyncDispose]();
});

/** A document whose pages say their number; page `bomb` (from 1) draws a thousand million times. */
function numbered(pages: number, bomb: readonly number[] = []): Buffer {
  const levels = 9;
  const first = 4; // the fan of forms
  const forms = Array.from({ length: levels }, (_, level) => {
    const more = level + 1 < levels ? `/Resources <</XObject <</B ${first + level + 1} 0 R>>>>` : '';
    const content = more === '' ? '0 0 1 1 re f' : '/B Do '.repeat(10);
    return stream(`/Type /XObject /Subtype /Form /BBox [0 0 600 800] ${more}`, content);
  });
  const leaf = (i: number): number => first + levels + 2 * i;
  const kids = Array.from({ length: pages }, (_, i) => `${leaf(i)} 0 R`).join(' ');
  const resources = `/Font <</F 3 0 R>> /XObject <</B ${first} 0 R>>`;
  const sheets = Array.from({ length: pages }, (_, i) => [
    `<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 ${100 + i}] /Resources <<${resources}>> /Contents ${leaf(i) + 1} 0 R>>`,
    stream('', bomb.includes(i + 1) ? '/B Do' : `BT /F 20 Tf 20 40 Td (Page ${i + 1}) Tj ET`),
  ]);
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    ...forms,
    ...sheets.flat(),
  ]);
}

interface Drawn {
  readonly outcome: DrawnDocument;
  readonly pages: readonly { readonly index: number; readonly heightPt: number; readonly words: string }[];
}

const wordsOf = (runs: readonly Run[]): string =>
  runs
    .map((run) => run.text)
    .join('')
    .trim();

async function draw(pools: OpenPools, source: Uint8Array, taken: TakePage = async () => undefined): Promise<Drawn> {
  const begin = (cap: number) => store.begin(cap);
  const shared = { pools: pools.pools, policy: builtInPolicy(), metrics: openMetrics(false), passwords: [], begin };
  const tools = new Tools(shared, new AbortController().signal);
  const writer = store.begin(source.length);
  await writer.write(source);
  const leaf = { path: '1', depth: 0, name: 'a.pdf', declaredType: '', content: writer.finish() };
  const pages: { index: number; heightPt: number; words: string }[] = [];
  const take = async (page: RasterPage, index: number): Promise<void> => {
    pages.push({ index, heightPt: page.heightPt, words: wordsOf(page.text) });
    await taken(page, index, source.length);
  };
  try {
    return { outcome: await drawPages(leaf, { operation: OPERATION.pagesWithText, password: '' }, tools, take), pages };
  } finally {
    await leaf.content.discard();
  }
}

function assertInOrder(pages: Drawn['pages'], count: number, missing: readonly number[] = []): void {
  assert.deepEqual(
    pages.map(({ index, words }) => [index, words]),
    Array.from({ length: count }, (_, i) => [i, missing.includes(i + 1) ? '' : `Page ${i + 1}`]),
  );
}

test('one child draws a document in its order, with every page in its size', async () => {
  const { outcome, pages } = await draw(one, numbered(30));
  assert.deepEqual(outcome, { kind: 'drawn', pages: 30, announced: 30, cut: undefined, findings: [], losses: [] });
  assertInOrder(pages, 30);
  assert.deepEqual(
    pages.map(({ heightPt }) => heightPt),
    Array.from({ length: 30 }, (_, i) => 100 + i),
  );
});

test('idle children help with a long document, and its pages still come in their order', async () => {
  const seen = new Set<number>();
  const { outcome, pages } = await draw(three, numbered(150), async () => {
    seen.add(3 - three.pools.pdf.free.places);
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  assert.equal(outcome.kind, 'drawn');
  assertInOrder(pages, 150);
  assert.ok(Math.max(...seen) > 1, 'nobody helped');
  assert.deepEqual(three.pools.pdf.free.places, 3);
});

test('what is left out on the pages is told as one number, however many children drew them', async () => {
  const count = 40;
  const kids = Array.from({ length: count }, (_, i) => `${5 + i} 0 R`).join(' ');
  const source = makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${count} /Kids [${kids}] /MediaBox [0 0 200 200]>>`,
    '<</Type /Annot /Subtype /FreeText /DA (0 g) /Contents (Noted) /Rect [20 20 80 40] /AP <</N 4 0 R>>>>',
    stream('/Type /XObject /Subtype /Form /BBox [0 0 60 20]', '0 0 60 20 re f'),
    ...Array.from({ length: count }, () => '<</Type /Page /Parent 2 0 R /Annots [3 0 R]>>'),
  ]);
  const { signal } = new AbortController();
  let lent = 0;
  const both = async (): Promise<void> =>
    three.pools.pdf.use(signal, async () => {
      lent += 1;
      await until(() => lent === 2, 60_000, 'two children');
    });
  await Promise.all([both(), both()]); // two children are ready
  const { outcome } = await draw(three, source, async () => new Promise((resolve) => setTimeout(resolve, 10)));
  assert.deepEqual(
    outcome.losses.filter(({ code }) => code === 'not-printed'),
    [{ code: 'not-printed', detail: `${count} annotations that are not to be printed` }],
  );
});

test('a page that kills its child is white, the others come', async () => {
  for (const pools of [one, three]) {
    const { outcome, pages } = await draw(pools, numbered(70, [6, 40]));
    assert.ok(outcome.kind === 'drawn' && outcome.cut === undefined, JSON.stringify(outcome));
    assertInOrder(pages, 70, [6, 40]);
    const lost = outcome.losses.filter(({ code }) => code === 'page-failed').map(({ detail }) => detail);
    assert.equal(lost.length, 2);
    assert.match(lost.join('|'), /page 6: [a-z-]+/);
    assert.match(lost.join('|'), /page 40: [a-z-]+/);
  }
});

test('a document that kills child after child is cut, and keeps the pages before', async () => {
  const { outcome, pages } = await draw(one, numbered(20, [3, 5, 7, 9, 11, 13]));
  assert.ok(outcome.kind === 'drawn' && outcome.cut !== undefined, JSON.stringify(outcome));
  assert.equal(outcome.announced, 20);
  assert.equal(outcome.pages, pages.length);
  assert.ok(pages.length >= 4 && pages.length < 20);
  assertInOrder(pages, pages.length, [3, 5, 7]);
});

test('what the taker of a page throws ends the document, and the children are fit for the next', async () => {
  const full = new Error('disk full');
  for (const pools of [one, three]) {
    await assert.rejects(
      draw(pools, numbered(100), async (_page, index) => {
        if (index === 12) throw full;
      }),
      full,
    );
    assertInOrder((await draw(pools, numbered(3))).pages, 3);
  }
});

test('a document of no page is refused with its reason, and so is one of which no page could be drawn', async () => {
  const none = makePdf(['<</Type /Catalog /Pages 2 0 R>>', '<</Type /Pages /Count 1 /Kids [9 0 R]>>']);
  for (const source of [Buffer.from('no PDF'), none]) {
    const { outcome, pages } = await draw(one, source);
    assert.equal(outcome.kind, 'refused');
    assert.ok(pages.length <= 1);
  }
});

/** Pools of one place whose PDF children are killed by somebody else when they gave so many frames of an input. */
function murderous(
  pools: OpenPools,
  frames: readonly number[],
): { readonly pools: OpenPools; readonly used: () => number } {
  let used = 0;
  const pdf = new Proxy(pools.pools.pdf, {
    get: (pool, key) => {
      if (key !== 'use') {
        const value: unknown = Reflect.get(pool, key, pool);
        return typeof value === 'function' ? (value.bind(pool) as unknown) : value;
      }
      const use: ChildPool['use'] = async (signal, work, fresh) =>
        pool.use(
          signal,
          async (child) => {
            let left = frames[used++] ?? Number.POSITIVE_INFINITY;
            const run: JailedChild['run'] = async (request, input, sink, bounds) => {
              if (left === 0) killTree(child.pid as number); // all of it, at once: what is inside would answer meanwhile
              return child.run(
                request,
                input,
                async (frame) => {
                  await sink(frame);
                  if (--left !== 0) return;
                  process.kill(-(child.pid as number), 'SIGKILL');
                  await until(() => !existsSync(`/proc/${child.pid}`), 60_000, 'it is gone');
                },
                bounds,
              );
            };
            return work(
              new Proxy(child, {
                get: (target, name) => {
                  if (name === 'run') return run;
                  const value: unknown = Reflect.get(target, name, target);
                  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
                },
              }),
            );
          },
          fresh,
        );
      return use;
    },
  });
  return { pools: { ...pools, pools: { ...pools.pools, pdf } }, used: () => used };
}

test('a child that is killed from outside before it gave anything is followed by a fresh one', async () => {
  const { pools, used } = murderous(one, [0]);
  const { outcome, pages } = await draw(pools, numbered(5));
  assert.equal(outcome.kind, 'drawn');
  assertInOrder(pages, 5);
  assert.equal(used(), 2);
});

test('one that is killed from outside later, wherever it is, gives the document back to be tried again', async () => {
  for (const frames of [1, 2, 3, 4, 5, 9]) {
    const { pools, used } = murderous(one, [frames]);
    await assert.rejects(
      draw(pools, numbered(40)),
      (error) => error instanceof MugaiError && error.code === 'child-killed',
      `after ${frames} frames`,
    );
    assert.equal(used(), 1);
  }
  assertInOrder((await draw(one, numbered(3))).pages, 3);
});

test('a child that is killed from outside while a helper still starts leaves nobody waiting', async () => {
  for (let round = 0; round < 3; round++) {
    const pools = await openPools(3, () => undefined);
    try {
      let first: JailedChild | undefined;
      const pdf = new Proxy(pools.pools.pdf, {
        get: (pool, key) => {
          const value: unknown = Reflect.get(pool, key, pool);
          if (key !== 'use') return typeof value === 'function' ? (value.bind(pool) as unknown) : value;
          const use: ChildPool['use'] = async (signal, work, fresh) =>
            pool.use(signal, async (child) => work((first ??= child)), fresh);
          const own: ChildPool['use'] = async (signal, work, fresh) =>
            first === undefined ? use(signal, work, fresh) : pool.use(signal, work, fresh);
          return own;
        },
      });
      const killed = draw({ ...pools, pools: { ...pools.pools, pdf } }, numbered(120), async (_page, index) => {
        if (index !== 0) return;
        process.kill(-(first?.pid ?? 0), 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 100));
      });
      await assert.rejects(killed, (error) => error instanceof MugaiError && error.code === 'child-killed');
      await until(() => pools.pools.pdf.load.busy === 0, 60_000, 'all places are given back');
    } finally {
      await pools.close();
    }
  }
});

test('a child that draws its pages and never says that it is done is killed by the clock, and its pages are kept', async () => {
  const kinds: string[] = [];
  const family: Family = {
    ...FAMILIES.pdf,
    entry: fileURLToPath(new URL('./endless-drawer.ts', import.meta.url)),
    readable: ['test/sanitise/endless-drawer.ts', 'src/sandbox/wire.ts', 'src/message/limits.ts'],
  };
  await using pdf = new ChildPool(family, { most: 1, warm: 0 }, (_family, cause) => kinds.push(cause));
  const { outcome, pages } = await draw({ ...one, pools: { ...one.pools, pdf } }, Buffer.from('%PDF-1.4'));
  assert.deepEqual(kinds, ['timeout']);
  assert.equal(pages.length, 1);
  assert.equal(outcome.kind, 'drawn');
});
