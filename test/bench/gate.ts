// The gate bench: packages of photographs, of text, of the pages of real documents and of noise through signature, digests and
// grammar; beside what SHA-256 and inflating alone take, and beside qpdf --check and sha256sum.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';
import { verifyPackage, type PackageFiles } from '../../src/outbox/verify.ts';
import type { RasterPage } from '../../src/sandbox/raster-page.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { inChunks, page, pdfOf, seeded } from '../support/own-files.ts';
import { KEYS, sealedPackage } from '../support/packages.ts';
import { corpus } from '../support/attack-row.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { line, median } from './lines.ts';
import { RASTER_SET } from './raster-set.ts';

const run = promisify(execFile);
const ROUNDS = 7;
const PHOTOS = 20;

/** A page of A4 at 150 dpi: a soft picture with the noise of a camera (JPEG), or noise that no one draws (Flate's worst). */
function a4(photo: boolean, seed: number): RasterPage {
  const made = page(1240, 1754, photo ? PIXEL.rgb8 : PIXEL.grey4, photo);
  const random = seeded(seed);
  const row = 1240 * 3;
  for (let at = 0; at < made.pixels.length; at++)
    made.pixels[at] = photo
      ? 128 + Math.round(90 * Math.sin((at % row) / 700) * Math.cos(at / row / 300)) + random(9)
      : random(256);
  return made;
}

/** PDFs of ours of real documents of text, Latin and Japanese: by their number, of some megabytes in all. */
async function realPages(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  await using sanitiser = await openSanitiser({}, 1);
  for (const name of [...(RASTER_SET['text'] ?? []), ...(RASTER_SET['japanese'] ?? [])]) {
    const outcome = await sanitiser.judge('file', 'a.pdf', await corpus(`pdf/${name}`));
    for (const [made, bytes] of outcome.files)
      if (made.endsWith('.pdf')) files.set(`files/${String(files.size + 10)}-a.pdf`, bytes);
  }
  return files;
}

/** Data of the pages' images, by their filter, found without the gate's reader. */
function imagesOf(pdf: Buffer): { readonly flate: Buffer[]; readonly jpegs: number } {
  const flate: Buffer[] = [];
  let jpegs = 0;
  for (const match of pdf
    .toString('latin1')
    .matchAll(/\/Subtype \/Image [^\n]*\/Filter \/(FlateDecode|DCTDecode) \/Length (\d+) >>\nstream\n/g)) {
    const at = match.index + match[0].length;
    if (match[1] === 'DCTDecode') jpegs += 1;
    else flate.push(pdf.subarray(at, at + Number(match[2])));
  }
  return { flate, jpegs };
}

/** CPU seconds of this process, all threads, and seconds of the clock. */
async function spent(work: () => Promise<unknown>): Promise<{ readonly cpu: number; readonly wall: number }> {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - began) / 1000 };
}

const OUTBOX = new URL('../../src/outbox/', import.meta.url);

/** The gate's own code, what has to be believed on the inner side besides Node's: files of src/outbox that `verify.ts` stands on. */
export function gateFiles(): string[] {
  const found = new Set<string>();
  const take = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const [, next = ''] of readFileSync(new URL(name, OUTBOX), 'utf8').matchAll(/ from '\.\/([a-z-]+\.ts)';/g))
      take(next);
  };
  take('verify.ts');
  return [...found].toSorted();
}

function gateLines(): void {
  const files = gateFiles();
  const lines = files.map((name) => readFileSync(new URL(name, OUTBOX), 'utf8').split('\n').length - 1);
  const total = lines.reduce((sum, count) => sum + count, 0);
  const facts = { bench: 'gate', case: `code of ${files.length} files in src/outbox`, runs: 1 } as const;
  line({ ...facts, metric: 'lines', unit: 'lines', ours: total, peer: 'none', peerValue: null });
}

/** zlib at its quickest from here: one piece of output, whose memory is warm because it is given back each time. */
function inflateAlone(data: Buffer, size: number): void {
  const { buffer } = inflateSync(data, { chunkSize: size + 64 });
  if (buffer.byteLength === size + 64) buffer.transfer(0);
}

/** A package as the store hands it out: 256 KB at a time. */
function inStoreChunks(files: ReadonlyMap<string, Buffer>): PackageFiles {
  return {
    names: async () => [...files.keys()],
    get: async (name) => files.get(name),
    open: async (name) => {
      const bytes = files.get(name);
      return bytes === undefined ? undefined : inChunks(bytes, 256 * 1024);
    },
  };
}

/** `npm run bench -- gate`. */
export async function benchGate(): Promise<void> {
  gateLines();
  const text = Buffer.from('会議のお知らせ: 日時は十一月二十五日。\n'.repeat(200_000), 'utf8');
  const photos = await pdfOf(Array.from({ length: PHOTOS }, (_, nth) => a4(true, nth)));
  if (imagesOf(photos).jpegs !== PHOTOS) throw new Error('the photographs are no JPEGs');
  const noise = await pdfOf(Array.from({ length: 8 }, (_, nth) => a4(false, nth)));
  await measure('photographs', new Map([['files/01-a.pdf', photos]]));
  await measure('text', new Map([['files/01-a.txt', text]]));
  await measure('pages of real documents', await realPages());
  await measure('pages of noise', new Map([['files/01-a.pdf', noise]]));
}

/**
 * One package, gate and bounds in alternation. The bounds: SHA-256 alone, and inflating the images alone, in this process; no gate
 * that reads a package once and inflates it can be quicker. Beside them what other programs take for the same files.
 */
async function measure(name: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mugai-gate-'));
  try {
    const all = [...files.values()];
    const bytes = all.reduce((sum, one) => sum + one.length, 0);
    const images = all.map(imagesOf);
    const flate = images.flatMap((one) => one.flate).map((data) => ({ data, size: inflateSync(data).length }));
    const pages = images.reduce((sum, one) => sum + one.flate.length + one.jpegs, 0);
    const sealed = inStoreChunks(sealedPackage(files));
    const paths: string[] = [];
    for (const one of all) await writeFile(paths[paths.push(join(folder, String(paths.length))) - 1] ?? '', one);
    const never = new AbortController().signal;
    const works: { readonly [what: string]: () => Promise<unknown> } = {
      gate: async () => verifyPackage(sealed, KEYS, 0, never),
      sha256: async () => all.map((one) => createHash('sha256').update(one).digest()),
      inflate: async () => flate.forEach(({ data, size }) => inflateAlone(data, size)),
    };
    const peers: { readonly [peer: string]: () => Promise<unknown> } = {
      sha256sum: async () => run('sha256sum', paths),
      'qpdf --check': async () => {
        for (const path of paths) await run('qpdf', ['--check', path]);
      },
    };
    const cpu: { [what: string]: number[] } = { gate: [], sha256: [], inflate: [] };
    const wall: { [what: string]: number[] } = { gate: [], sha256sum: [], 'qpdf --check': [] };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [what, work] of Object.entries({ ...works, ...(pages === 0 ? {} : peers) })) {
        const { cpu: used, wall: took } = await spent(work);
        if (round === 0) continue; // warms
        cpu[what]?.push(used);
        wall[what]?.push(took);
      }
    }
    const of = (values: readonly number[] | undefined): number => median(values ?? []);
    const common = { bench: 'gate', case: `${name}, ${(bytes / 1e6).toFixed(1)} MB`, runs: ROUNDS } as const;
    const rate = (metric: string, unit: string, amount: number, ours: number, peer: string, other: number): void =>
      line({
        ...common,
        metric,
        unit,
        ours: amount / ours,
        peer,
        peerValue: Number.isFinite(other) && other > 0 ? amount / other : null,
      });
    const bound = of(cpu['sha256']) + (flate.length === 0 ? 0 : of(cpu['inflate']));
    const what = flate.length === 0 ? 'sha256 alone' : 'sha256 and inflate alone';
    rate('mb_per_cpu_second', 'MB/s of one core', bytes / 1e6, of(cpu['gate']), what, bound);
    if (pages > 0) rate('pages_per_cpu_second', '1/s of one core', pages, of(cpu['gate']), what, bound);
    for (const peer of Object.keys(pages === 0 ? {} : peers))
      rate('mb_per_second', 'MB/s, wall', bytes / 1e6, of(wall['gate']), peer, of(wall[peer]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
