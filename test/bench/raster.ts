// The raster bench: PDFs of the corpus against Dangerzone's method in PyMuPDF, pdftoppm + img2pdf and Ghostscript, in
// alternation, one core each; against drawing alone; then both cores, a row of lengths, and small documents. Time on the
// clock moves with what else the machine does, CPU time hardly: both are told. `npm run bench -- raster [group…] [lengths]`
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { LIMITS } from '../../src/message/limits.ts';
import { treeOf } from '../../src/sandbox/process-tree.ts';
import { threadsCpuMs } from './cpu.ts';
import { line, median } from './lines.ts';
import { RASTER_SET } from './raster-set.ts';

const CORPUS = process.env['MUGAI_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url));
const ROUNDS = 3;
const PEER_MS = 120_000;
const run = promisify(execFile);

interface Answer {
  readonly ms: number;
  readonly pages: number;
  readonly bytes: number;
  readonly error?: string;
}

interface Result extends Answer {
  /** CPU milliseconds of all its processes. */
  readonly cpuMs: number;
}

/** Milliseconds in which a process brings what it still has to do to an end: collecting, compiling. */
const SETTLE_MS = 30;

/** Something that converts a PDF and says how long it took. */
interface Converter {
  convert(path: string): Promise<Result>;
  stop(): void;
}

/** A warm process that reads paths and answers lines. Pinned to the first core unless `cores` says otherwise. */
class LineServer implements Converter {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(command: string, args: readonly string[], cores: '0' | '0,1' = '0') {
    this.process = spawn('taskset', ['-c', cores, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.process.stdout === null) throw new Error('no pipe');
    this.#reader = createInterface({ input: this.process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** One document at a time, or the CPU time is that of others, too. */
  async convert(path: string): Promise<Result> {
    const pid = this.process.pid ?? 0;
    const before = threadsCpuMs(pid);
    this.process.stdin?.write(`${path}\n`);
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`the converter ended at ${path}`);
    await sleep(SETTLE_MS);
    return { ...(JSON.parse(next.value) as Answer), cpuMs: threadsCpuMs(pid) - before };
  }

  stop(): void {
    this.process.stdin?.end();
  }
}

/** Commands of one process per document. */
function commands(folder: string, steps: (path: string, folder: string) => readonly (readonly string[])[]): Converter {
  return {
    convert: async (path) => {
      const work = await mkdtemp(join(folder, 'peer-'));
      const started = performance.now();
      let cpuMs = 0;
      try {
        for (const step of steps(path, work)) {
          // The shell only expands the names of the pages, and tells the CPU seconds as the last of its stderr.
          const timed = `TIMEFORMAT='%3U %3S'; time ${step.join(' ')}`;
          const options = { timeout: PEER_MS, maxBuffer: 1e8 };
          const { stderr } = await run('taskset', ['-c', '0', 'bash', '-c', timed], options);
          for (const seconds of stderr.trim().split('\n').at(-1)?.split(' ') ?? []) cpuMs += Number(seconds) * 1000;
        }
        const ms = performance.now() - started;
        const { size } = await stat(join(work, 'out.pdf'));
        return { ms, cpuMs, pages: 1, bytes: size };
      } catch (error) {
        return { ms: performance.now() - started, cpuMs, pages: 0, bytes: 0, error: String(error).slice(0, 80) };
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    stop: () => undefined,
  };
}

const quote = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

/** `npm run bench -- raster [group…] [lengths]`: all groups of documents and the row of lengths, or those named. */
export async function benchRaster(named: readonly string[]): Promise<void> {
  const isWanted = (part: string): boolean => named.length === 0 || named.includes(part);
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-raster-'));
  const own = fileURLToPath(new URL('.', import.meta.url));
  const dpi = String(LIMITS.dpi);
  const ours = new LineServer(process.execPath, [join(own, 'raster-ours.ts'), join(folder, 'one'), '1']);
  const peers: { readonly [name: string]: Converter } = {
    'dangerzone-method': new LineServer('/usr/bin/python3', [join(own, 'dangerzone_like.py'), dpi]),
    'pdftoppm+img2pdf': commands(folder, (path, work) => [
      ['pdftoppm', '-q', '-r', dpi, '-jpeg', quote(path), quote(join(work, 'p'))],
      ['img2pdf', '-o', quote(join(work, 'out.pdf')), `${quote(work)}/p*.jpg`],
    ]),
    ghostscript: commands(folder, (path, work) => [
      ['gs', '-q', '-dSAFER', '-sDEVICE=pdfimage24', `-r${dpi}`, '-o', quote(join(work, 'out.pdf')), quote(path)],
    ]),
    'render-only': new LineServer(process.execPath, [join(own, 'raster-render.ts')]),
  };
  try {
    await compare(
      Object.entries(RASTER_SET).filter(([kind]) => isWanted(kind)),
      ours,
      peers,
    );
    for (const peer of Object.values(peers)) peer.stop();
    if (!isWanted('lengths')) return;
    const lengths = await lengthsOf(folder, ours);
    ours.stop();
    await bothCores(folder, join(own, 'raster-ours.ts'), lengths);
  } finally {
    ours.stop();
    for (const peer of Object.values(peers)) peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  set: readonly (readonly [string, readonly string[]])[],
  ours: Converter,
  peers: { readonly [name: string]: Converter },
): Promise<void> {
  const pairs: Pair[] = [];
  const failures = new Map<string, number>();
  for (const [kind, names] of set) {
    for (const name of names) {
      const path = join(CORPUS, 'pdf', name);
      await ours.convert(path); // V8's fast tier, the page cache
      const mine: Result[] = [];
      const theirs = new Map<string, Result[]>(Object.keys(peers).map((peer) => [peer, []]));
      for (let round = 0; round < ROUNDS; round++) {
        mine.push(await ours.convert(path));
        for (const [peer, converter] of Object.entries(peers)) theirs.get(peer)?.push(await converter.convert(path));
      }
      const failed = mine.some(({ error }) => error !== undefined);
      if (failed) add(failures, 'ours');
      for (const [peer, results] of theirs) {
        if (results.some(({ error }) => error !== undefined)) add(failures, peer);
        else if (!failed) pairs.push({ kind, name, peer, mine, theirs: results });
      }
      process.stderr.write(
        `${name}: ${mine[0]?.pages ?? 0} pages, ${told(mine)}; ${[...theirs].map(([peer, results]) => `${peer} ${told(results)}`).join('; ')}\n`,
      );
    }
  }
  for (const peer of Object.keys(peers)) {
    for (const kind of ['all', ...set.map(([group]) => group)]) {
      tell(
        kind,
        peer,
        pairs.filter((pair) => pair.peer === peer && (kind === 'all' || pair.kind === kind)),
      );
    }
    const [ours_, theirs] = [failures.get('ours') ?? 0, failures.get(peer) ?? 0];
    line({
      bench: 'raster',
      case: 'all',
      metric: 'failures',
      unit: 'documents',
      ours: ours_,
      peer,
      peerValue: theirs,
      runs: ROUNDS,
    });
  }
  const slowest = pairs
    .filter(({ peer }) => peer === 'dangerzone-method')
    .toSorted((a, b) => thrift(a, a.mine) / thrift(a, a.theirs) - thrift(b, b.mine) / thrift(b, b.theirs))[0];
  if (slowest !== undefined) tell(`slowest: ${slowest.name}`, slowest.peer, [slowest]);
}

/** One document, ours and a peer's results of the alternating rounds. */
interface Pair {
  readonly kind: string;
  readonly name: string;
  readonly peer: string;
  readonly mine: readonly Result[];
  readonly theirs: readonly Result[];
}

/** Pages a second: of our page count on both sides, so that the ratio is that of the times. */
const speed = (pair: Pair, results: readonly Result[]): number =>
  ((pair.mine[0]?.pages ?? 0) * 1000) / median(results.map(({ ms }) => ms));
const thrift = (pair: Pair, results: readonly Result[]): number =>
  ((pair.mine[0]?.pages ?? 0) * 1000) / median(results.map(({ cpuMs }) => cpuMs));
const told = (results: readonly Result[]): string =>
  `${median(results.map(({ ms }) => ms)).toFixed(0)} ms (${median(results.map(({ cpuMs }) => cpuMs)).toFixed(0)} CPU)`;
const weight = (pair: Pair, results: readonly Result[]): number =>
  (results[0]?.bytes ?? 0) / 1000 / (pair.mine[0]?.pages ?? 1);

/** Geometric means over documents: their ratio is the geometric mean of the ratios. */
function tell(kind: string, peer: string, pairs: readonly Pair[]): void {
  if (pairs.length === 0) return;
  const common = { bench: 'raster', case: kind, peer, runs: ROUNDS } as const;
  const means = (of: typeof speed): { ours: number; peerValue: number } => ({
    ours: geometricMean(pairs.map((pair) => of(pair, pair.mine))),
    peerValue: geometricMean(pairs.map((pair) => of(pair, pair.theirs))),
  });
  line({ ...common, metric: 'pages_per_second', unit: '1/s, geometric mean', ...means(speed) });
  line({ ...common, metric: 'pages_per_cpu_second', unit: '1/s, geometric mean', ...means(thrift) });
  if (peer !== 'render-only') line({ ...common, metric: 'kb_per_page', unit: 'KB, geometric mean', ...means(weight) });
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Documents of growing length: time must grow with the pages and nothing else; the peak of all processes is told. */
async function lengthsOf(folder: string, ours: LineServer): Promise<string> {
  const counts = [125, 250, 500, 1000];
  const times: number[] = [];
  const peak = { resident: 0, once: 0 };
  let longest = '';
  for (const pages of counts) {
    const path = join(folder, `${pages}.pdf`);
    await writeFile(path, await textDocument(pages));
    longest = path;
    const watch = setInterval(() => {
      const { resident, once } = memoryOfTree(ours.process.pid ?? 0);
      peak.resident = Math.max(peak.resident, resident);
      peak.once = Math.max(peak.once, once);
    }, 100);
    const { ms, pages: made } = await ours.convert(path);
    clearInterval(watch);
    if (made !== pages) throw new Error(`${made} of ${pages} pages`);
    times.push(ms);
  }
  const common = { bench: 'raster', runs: 1, peer: 'none', peerValue: null } as const;
  line({ ...common, case: '1,000 pages', metric: 'ms_per_page', unit: 'ms', ours: (times.at(-1) ?? 0) / 1000 });
  line({ ...common, case: '1,000 pages', metric: 'peak_rss_mb', unit: 'MB, all processes', ours: peak.resident / 1e6 });
  // What processes share (Node itself, above all) lies in memory once, and is in the resident bytes of each.
  line({ ...common, case: '1,000 pages', metric: 'peak_pss_mb', unit: 'MB, shared ones once', ours: peak.once / 1e6 });
  line({ ...common, case: 'time over pages', metric: 'r_squared', unit: '1', ours: rSquared(counts, times) });
  return longest;
}

/** Pages of text with a line of figures each. */
async function textDocument(pages: number): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.TimesRoman);
  for (let page = 1; page <= pages; page++) {
    const sheet = document.addPage([595, 842]);
    for (let row = 0; row < 45; row++)
      sheet.drawText(`Page ${page}, row ${row}: the quick brown fox jumps over the lazy dog ${page * 45 + row}`, {
        x: 60,
        y: 780 - row * 16,
        size: 11,
        font,
      });
  }
  return document.save();
}

function rSquared(x: readonly number[], y: readonly number[]): number {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [meanOf(x), meanOf(y)];
  const sum = (f: (i: number) => number): number => x.reduce((total, _value, i) => total + f(i), 0);
  const xy = sum((i) => ((x[i] ?? 0) - mx) * ((y[i] ?? 0) - my));
  return xy ** 2 / (sum((i) => ((x[i] ?? 0) - mx) ** 2) * sum((i) => ((y[i] ?? 0) - my) ** 2));
}

/** Bytes of all processes of a tree: resident ones, and the same with shared ones shared out (`Pss` of proc(5)). */
function memoryOfTree(root: number): { resident: number; once: number } {
  const sum = { resident: 0, once: 0 };
  for (const pid of treeOf(root)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      sum.resident += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
      sum.once += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
    } catch {
      continue; // it has ended
    }
  }
  return sum;
}

/** One long document, and many small ones, on one core and on two. */
async function bothCores(folder: string, script: string, longPath: string): Promise<void> {
  const small = join(CORPUS, 'pdf', 'opf-horrors/text_only_pdfa1b.pdf');
  const rates: { long: number; small: number }[] = [];
  for (const cores of ['0', '0,1'] as const) {
    const server = new LineServer(process.execPath, [script, join(folder, `cores-${cores}`), '2'], cores);
    const one = await server.convert(longPath);
    await Promise.all([server.convert(small), server.convert(small)]);
    const count = 60;
    const started = performance.now();
    await Promise.all(Array.from({ length: count }, async () => server.convert(small)));
    rates.push({ long: (one.pages * 1000) / one.ms, small: (count * 1000) / (performance.now() - started) });
    server.stop();
  }
  const [single, both] = rates;
  if (single === undefined || both === undefined) return;
  const common = { bench: 'raster', runs: 1, peer: 'ours on one core' } as const;
  line({
    ...common,
    case: '1,000 pages',
    metric: 'pages_per_second',
    unit: '1/s, two cores',
    ours: both.long,
    peerValue: single.long,
  });
  line({
    ...common,
    case: 'one page, 39 KB',
    metric: 'documents_per_second',
    unit: '1/s, two cores',
    ours: both.small,
    peerValue: single.small,
  });
}
