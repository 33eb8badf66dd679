// `npm run bench -- office`: a one-page document with a warm spare against the native engine's own conversion, in one alternating run;
// what the WebAssembly engine costs against the native one; peak memory; whether a zip of small files grows in a straight line.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { makeHarmless, type SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { residentBytes } from '../../src/sandbox/process-tree.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { drive } from '../support/drive-worker.ts';
import { docx, paragraph, zipOf } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';
import { line, median } from './lines.ts';

const SOFFICE = '/usr/bin/soffice';
const RUNS = 9;
const SPARE_MS = 4000;
const MIB = 1024 * 1024;

/** One page of a letter, some 900 letters. */
const LETTER = docx(
  Array.from({ length: 25 }, (_, n) =>
    paragraph(`第${n + 1}条　鹿島市の補助金の交付については、この要綱の定めるところによるものとする。`),
  ).join(''),
);

export async function benchOffice(): Promise<void> {
  await using folder = await scratch();
  const store = await openFsStore(join(folder.path, 'store'));
  const pools = await openPools(1, () => undefined);
  const tools: SanitiseTools = {
    pools: pools.pools,
    policy: builtInPolicy(),
    passwords: [],
    metrics: openMetrics(false),
    begin: (cap) => store.begin(cap),
    version: 'bench',
  };
  const sanitise = async (name: string, bytes: Buffer): Promise<number> => {
    const started = performance.now();
    const { signal } = new AbortController();
    const content = await stage(store, one(bytes), LIMITS.messageBytes, signal);
    const source = { kind: 'file', name, size: content.size, sha256: content.sha256 } as const;
    const envelope = { from: '', to: [] };
    const input = { id: newMessageId(), source, envelope, receivedAt: new Date().toISOString(), content };
    const { record, outputs } = await makeHarmless(input, tools, signal);
    const ms = performance.now() - started;
    if (record.state !== 'sanitised') throw new Error(`${name}: ${record.reason}`);
    for (const output of outputs) if ('discard' in output.content) await output.content.discard();
    return ms;
  };
  try {
    await onePage(sanitise, folder.path, pools.pools.office.family.name);
    await archives(sanitise);
  } finally {
    await pools.close();
  }
  await engines();
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

type Sanitise = (name: string, bytes: Buffer) => Promise<number>;

async function onePage(sanitise: Sanitise, folder: string, engine: string): Promise<void> {
  const common = { bench: 'office', case: 'one-page docx', metric: 'latency_ms', unit: 'ms' } as const;
  if (!existsSync(SOFFICE)) {
    line({ ...common, ours: await sanitise('a.docx', LETTER), peer: 'soffice', peerValue: null, runs: 1 });
    return;
  }
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const peer = new Warm(join(folder, `peer${run}`));
    try {
      // Both spares have their time to start, as between two mails.
      await new Promise((resolve) => setTimeout(resolve, SPARE_MS));
      const mine = await sanitise('a.docx', LETTER);
      const its = await peer.convert(LETTER);
      if (run === 0) continue; // the first one starts everything
      ours.push(mine);
      theirs.push(its);
    } finally {
      await peer.stop();
    }
  }
  line({
    ...common,
    case: `one-page docx, ${engine}, to sealed-ready pages`,
    ours: median(ours),
    peer: 'soffice',
    peerValue: median(theirs),
    runs: RUNS,
  });
}

/** The native engine as it is: started beforehand, handed its document by a second call, and gone after it (so it ends by itself). */
class Warm {
  readonly #place: string;
  readonly #first: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(place: string) {
    this.#place = place;
    mkdirSync(place, { recursive: true });
    this.#first = spawn(SOFFICE, [...Warm.#args(place), '--nodefault'], { stdio: 'ignore', detached: true });
    this.#gone = once(this.#first, 'exit');
  }

  static #args(place: string): string[] {
    return [`-env:UserInstallation=file://${place}/profile`, '--headless', '--norestore', '--nologo', '--nolockcheck'];
  }

  async convert(bytes: Buffer): Promise<number> {
    const source = join(this.#place, 'a.docx');
    writeFileSync(source, bytes);
    const started = performance.now();
    const args = [...Warm.#args(this.#place), '--convert-to', 'pdf', '--outdir', this.#place, source];
    await once(spawn(SOFFICE, args, { stdio: 'ignore' }), 'exit');
    if (!existsSync(join(this.#place, 'a.pdf'))) throw new Error('soffice made no PDF');
    return performance.now() - started;
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#first;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    await this.#gone;
  }
}

/** CPU of a whole life (start, one document, end) and peak memory of both engines, alternating. */
async function engines(): Promise<void> {
  const cpu = { office: [] as number[], 'office-wasm': [] as number[] };
  const rss = { office: 0, 'office-wasm': 0 };
  const families = existsSync(SOFFICE) ? (['office', 'office-wasm'] as const) : (['office-wasm'] as const);
  for (let run = 0; run < 3; run++)
    for (const family of families) {
      const before = childrenCpuMs();
      const timer = setInterval(() => {
        rss[family] = Math.max(rss[family], residentBytes(process.pid) - process.memoryUsage.rss());
      }, 50);
      const { outcome } = await drive(family, LETTER, {}, LIMITS.officeMs);
      clearInterval(timer);
      if (outcome.kind !== 'done') throw new Error(`${family}: ${JSON.stringify(outcome)}`);
      cpu[family].push(childrenCpuMs() - before);
    }
  const native = families.length === 2;
  const common = { bench: 'office', case: 'one-page docx, a whole life', runs: 3, peer: 'native' } as const;
  line({
    ...common,
    metric: 'cpu_ms',
    unit: 'ms',
    ours: median(cpu['office-wasm']),
    peerValue: native ? median(cpu.office) : null,
  });
  line({
    ...common,
    metric: 'peak_rss_mb',
    unit: 'MB',
    ours: rss['office-wasm'] / MIB,
    peerValue: native ? rss.office / MIB : null,
  });
}

/** CPU of children that have ended and were waited for, with all of theirs (proc(5): cutime, cstime; 100 ticks a second). */
function childrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function archives(sanitise: Sanitise): Promise<void> {
  const zip = (count: number): Buffer =>
    zipOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}.txt`, `text ${n}\n`])));
  const few = zip(250);
  const many = zip(999);
  await sanitise('warm.zip', few);
  const ratios: number[] = [];
  const times: number[] = [];
  const small: number[] = [];
  for (let run = 0; run < 3; run++) {
    const short = await sanitise('few.zip', few);
    const long = await sanitise('many.zip', many);
    ratios.push(long / short);
    times.push(long);
    small.push(short * (999 / 250));
  }
  line({
    bench: 'office',
    case: 'zip of 999 small files, against four times the time of 250',
    metric: 'latency_ms',
    unit: 'ms',
    ours: median(times),
    peer: 'linear',
    peerValue: median(small),
    runs: ratios.length,
  });
}
