// The raster bench: PDFs of the corpus against Dangerzone's method in PyMuPDF, pdftoppm + img2pdf and Ghostscript, in
// alternation, one core each; against drawing alone; then both cores, a row of lengths, the first page of a long document.
// Time on the clock moves with what else the machine does, CPU time hardly: both are told. `npm run bench -- raster [group…]`
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCodeCache } from '../../src/sandbox/make-code-cache.ts';
import { compare } from './raster-compare.ts';
import { findPeers, startOurs, type Converter } from './raster-converters.ts';
import { benchCores } from './raster-cores.ts';
import { benchCrops } from './raster-crops.ts';
import { benchFirst } from './raster-first.ts';
import { benchLegible } from './raster-legible.ts';
import { benchLengths } from './raster-lengths.ts';
import { RASTER_SET } from './raster-set.ts';
import { BenchRefused, checkGroups } from './refused.ts';

const CORPUS = process.env['MUGAI_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url));
/** Milliseconds for the cache of the children's code, where it is not there. */
const CACHE_MS = 300_000;
const SMALL = 'opf-horrors/text_only_pdfa1b.pdf';

/** `npm run bench -- raster [group…]`: all groups, or those named. */
export async function benchRaster(named: readonly string[]): Promise<void> {
  checkGroups('raster', named, [...Object.keys(RASTER_SET), 'lengths', 'first', 'cores', 'legible', 'crops']);
  const isWanted = (group: string): boolean => named.length === 0 || named.includes(group);
  const set = Object.entries(RASTER_SET).filter(([kind]) => isWanted(kind));
  const corpus = join(CORPUS, 'pdf');
  await checkCorpus(corpus, [...set.flatMap(([, names]) => names), ...(isWanted('cores') ? [SMALL] : [])]);
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-raster-'));
  // As a gateway has it after its first start: a child that compiles its code by itself stands some 25 MB larger for its life.
  await makeCodeCache(AbortSignal.timeout(CACHE_MS));
  const peers = await findPeers(folder);
  const withOurs = async (act: (ours: Converter) => Promise<void>): Promise<void> => {
    const ours = startOurs(folder);
    await act(ours).finally(() => ours.stop());
  };
  try {
    if (set.length > 0) await withOurs(async (ours) => compare(set, corpus, ours, peers));
    if (isWanted('lengths')) await withOurs(async (ours) => benchLengths(folder, ours));
    if (isWanted('first')) await benchFirst(folder, peers);
    if (isWanted('legible')) await benchLegible(folder, peers);
    if (named.includes('crops')) await benchCrops(folder, peers); // they are part of the docs
    if (isWanted('cores')) await benchCores(folder, join(corpus, SMALL), peers);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkCorpus(corpus: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    try {
      await access(join(corpus, name));
    } catch {
      throw new BenchRefused(
        `raster measures documents of the corpus, and there is no ${join(corpus, name)}: set MUGAI_CORPUS`,
        1,
      );
    }
  }
}
