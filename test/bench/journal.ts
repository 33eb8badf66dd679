// The journal bench: how many entries a second become durable; what its journals cost a gateway at the mail bench, and what 5,000
// entries a second of somebody else on the same disk do; both with and without in alternation. And a million entries followed,
// whose memory is held to its bound.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openJournal } from '../../src/audit/journal.ts';
import { followApart, mostRssMb, writeLongJournal } from '../support/long-journal.ts';
import { text } from './cases.ts';
import { wholeCpuMs } from './cpu.ts';
import { line, median } from './lines.ts';
import { throughput, TimedSink } from './load.ts';
import { serve, type Served } from './serve.ts';

const ROUNDS = 9;
const MAILS = 1500;
const CONNECTIONS = 20;
const RATE = 5000;
const MILLION = 1_000_000;
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const own = { bench: 'journal', peer: 'none', peerValue: null } as const;

/** `npm run bench -- journal [capacity|mail|million]`. */
export async function benchJournal(more: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-journal-'));
  const wanted = (name: string): boolean => more.length === 0 || more.includes(name);
  try {
    if (wanted('capacity')) await capacity(folder);
    if (wanted('mail')) await besideMail(folder);
    if (wanted('million')) await million(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Entries a second when thousands are told at once, and syncs they shared. */
async function capacity(folder: string): Promise<void> {
  const rates: number[] = [];
  let syncs = 0;
  for (let round = 0; round < 5; round++) {
    const journal = await openJournal({
      root: join(folder, `capacity${round}`),
      zone: 'middle',
      keepDays: 1,
      fault: (what) => void (syncs += what === 'sync' ? 1 : 0),
    });
    const started = performance.now();
    for (let told = 0; told < 20; told++)
      await Promise.all(
        Array.from({ length: 1000 }, async (_, nth) =>
          journal.append({ act: 'sealed', message: `m${nth}`, detail: { files: 1 } }),
        ),
      );
    rates.push(20_000_000 / (performance.now() - started));
    await journal.close();
  }
  const common = { ...own, case: 'a thousand told at once, twenty times', runs: 5 } as const;
  line({ ...common, metric: 'entries_per_second', unit: '1/s', ours: median(rates) });
  line({ ...common, metric: 'syncs', unit: 'for 20,000 entries', ours: syncs / 5 });
}

async function besideMail(folder: string): Promise<void> {
  const sink = await TimedSink.start();
  const served: Served[] = [];
  const start = async (name: string, flags: readonly string[]): Promise<Served> => {
    const env = { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${sink.port}` };
    const one = await serve(join(folder, name), 'all', env, flags);
    served.push(one);
    return one;
  };
  try {
    const kept = await start('kept', []);
    const none = await start('none', ['--import', here('./no-journal.ts')]);
    const mail = text(4096);
    const measure = async ({ smtpPort, process: { pid } }: Served): Promise<Sample> => {
      const before = await wholeCpuMs(pid ?? 0);
      const rate = await throughput(smtpPort, sink, mail, MAILS, CONNECTIONS);
      const after = await wholeCpuMs(pid ?? 0);
      return { rate, cpuMs: (after.main + after.children - before.main - before.children) / MAILS };
    };
    for (const one of [kept, none]) await throughput(one.smtpPort, sink, mail, MAILS, CONNECTIONS); // warm
    const pairs: { readonly kept: Sample; readonly none: Sample; readonly beside: Sample }[] = [];
    const steady: Steady[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const other = await startSteady(join(folder, `steady${round}`));
      const beside = await measure(kept);
      steady.push(await other.stop());
      // Which of the two comes first changes: whatever drifts meanwhile meets both.
      const first = round % 2 === 0 ? kept : none;
      const one = await measure(first);
      const two = await measure(first === kept ? none : kept);
      pairs.push(first === kept ? { kept: one, none: two, beside } : { kept: two, none: one, beside });
    }
    tell(
      'text-4k, with its journals',
      'without-journals',
      pairs.map(({ kept: a, none: b }) => [a, b]),
    );
    tell(
      `text-4k, beside ${Math.round(median(steady.map(({ perSecond }) => perSecond)))} entries a second in ${Math.round(median(steady.map(({ syncsPerSecond }) => syncsPerSecond)))} syncs (99 % durable within ${median(steady.map(({ p99Ms }) => p99Ms)).toFixed(1)} ms)`,
      'alone',
      pairs.map(({ beside, kept: b }) => [beside, b]),
    );
  } finally {
    for (const one of served) await one.stop();
    sink.stop();
  }
}

interface Sample {
  readonly rate: number;
  /** CPU milliseconds of the gateway a mail, children and all. */
  readonly cpuMs: number;
}

/** Ours over the peer's: the median of each pair's ratio stands behind the values. */
function tell(name: string, peer: string, pairs: readonly (readonly [Sample, Sample])[]): void {
  for (const [metric, unit, of] of [
    ['mails_per_second', '1/s', (sample: Sample) => sample.rate],
    ['cpu_ms', 'ms per mail, gateway and children', (sample: Sample) => sample.cpuMs],
  ] as const) {
    const peerValue = median(pairs.map(([, b]) => of(b)));
    const ratio = median(pairs.map(([a, b]) => of(a) / of(b)));
    line({ bench: 'journal', case: name, metric, unit, ours: ratio * peerValue, peer, peerValue, runs: pairs.length });
  }
}

interface Steady {
  readonly perSecond: number;
  readonly syncsPerSecond: number;
  readonly p99Ms: number;
}

async function startSteady(root: string): Promise<{ readonly stop: () => Promise<Steady> }> {
  await mkdir(root);
  const child = spawn(process.execPath, [here('./steady-journal.ts'), root, String(RATE)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next(); // ready
  return {
    stop: async () => {
      child.stdin.end();
      const { value } = (await lines.next()) as { value: string };
      if (child.exitCode === null) await once(child, 'exit');
      return JSON.parse(value) as Steady;
    },
  };
}

/** A million entries, followed in a process of its own; throws when that took more memory than its bound. */
async function million(folder: string): Promise<void> {
  const [few, many] = [join(folder, 'few'), join(folder, 'many')];
  writeLongJournal(few, 1000);
  writeLongJournal(many, MILLION);
  const base = await followApart(few);
  const long = await followApart(many);
  const common = { ...own, case: `${MILLION} entries followed`, runs: 1 } as const;
  line({ ...common, metric: 'entries_per_second', unit: '1/s', ours: (long.entries * 1000) / long.ms });
  const most = mostRssMb(base.rssMb, MILLION);
  line({ ...common, metric: 'peak_rss_mb', unit: 'MB', ours: long.rssMb, peer: 'its bound', peerValue: most });
  if (long.broken !== null) throw new Error(`the chain does not hold: ${JSON.stringify(long.broken)}`);
  if (long.rssMb > most) throw new Error(`${long.rssMb} MB, more than ${most}`);
}
