// `npm run bench -- e2e [case…]`: mails through the whole road beside Postfix, Postfix with amavisd-new and Haraka, in one
// alternating run with the same sender and sink. Further cases: `latency` (half load), `soak`, `depth`, `linear`.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES, pages, text } from './cases.ts';
import { fillSpool } from './fill.ts';
import { line, median, partOf } from './lines.ts';
import { TimedSink, latencies, percentile, throughput } from './load.ts';
import { rssMb } from './memory.ts';
import { serve } from './serve.ts';
import { SYSTEMS, type System } from './systems.ts';

const ROUNDS = 3;
const CONNECTIONS = 20;
/** Slow systems get fewer mails: a run of each takes some seconds. But never so few that the first and the last of them count. */
const SHARE: Readonly<Record<string, number>> = { 'postfix+amavis': 0.1 };
const FEWEST: Readonly<Record<string, number>> = { 'postfix+amavis': 40 };

/** Runs with a folder, a sink and the systems of these names. */
async function withSystems(
  names: readonly string[],
  run: (systems: Map<string, System>, sink: TimedSink, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-e2e-'));
  const sink = await TimedSink.start();
  const systems = new Map<string, System>();
  try {
    await chmod(folder, 0o755);
    for (const name of names) {
      await mkdir(join(folder, name), { mode: 0o755 });
      const system = await SYSTEMS[name]?.(join(folder, name), sink.port);
      if (system !== undefined) systems.set(name, system);
    }
    await run(systems, sink, folder);
  } finally {
    for (const system of systems.values()) await system.stop();
    sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function rates(names: readonly string[]): Promise<void> {
  await withSystems(Object.keys(SYSTEMS), async (systems, sink) => {
    for (const { name, rest, mails } of CASES.filter((one) => names.includes(one.name))) {
      const measured = new Map<string, number[]>();
      for (let round = 0; round <= ROUNDS; round++)
        for (const [system, { port }] of systems) {
          const count = Math.max(FEWEST[system] ?? 4, partOf(mails * (SHARE[system] ?? 1)));
          const value = await throughput(port, sink, rest, round === 0 ? Math.ceil(count / 4) : count, CONNECTIONS);
          if (round > 0) measured.set(system, [...(measured.get(system) ?? []), value]); // round 0 warms
        }
      tell(name, measured);
    }
  });
}

function tell(name: string, measured: ReadonlyMap<string, readonly number[]>): void {
  for (const ours of ['mugai', 'mugai+redis'])
    for (const peer of ['postfix', 'postfix+amavis', 'haraka']) {
      const values = measured.get(peer);
      line({
        bench: 'e2e',
        case: `${name}, ${ours}`,
        metric: 'mails_per_second',
        unit: '1/s',
        ours: median(measured.get(ours) ?? []),
        peer: values === undefined ? `${peer} (missing)` : peer,
        peerValue: values === undefined ? null : median(values),
        runs: ROUNDS,
      });
    }
}

const alone = { bench: 'e2e', peer: 'none', peerValue: null } as const;

/** From 250 to arrival at half of what it can. */
async function latency(): Promise<void> {
  await withSystems(['mugai'], async (systems, sink) => {
    const { port } = systems.get('mugai') ?? { port: 0 };
    const rest = text(4096);
    await throughput(port, sink, rest, partOf(1000), CONNECTIONS);
    const most = median([
      await throughput(port, sink, rest, partOf(2000), CONNECTIONS),
      await throughput(port, sink, rest, partOf(2000), CONNECTIONS),
    ]);
    const times = await latencies(port, sink, rest, most / 2, partOf(20));
    for (const [metric, part] of [
      ['latency_p50_ms', 0.5],
      ['latency_p99_ms', 0.99],
    ] as const)
      line({
        ...alone,
        case: `text-4k at half load (${Math.round(most / 2)}/s)`,
        metric,
        unit: 'ms from 250 to arrival',
        ours: percentile(times, part),
        runs: 1,
      });
  });
}

/** Resident memory of the whole process tree while mail comes in for some minutes. */
async function soak(): Promise<void> {
  const most = partOf(100_000);
  const mostMs = partOf(240_000);
  const turn = partOf(1000);
  await withSystems(['mugai'], async (systems, sink) => {
    const system = systems.get('mugai');
    const pid = system?.pids[0] ?? 0;
    const rest = text(4096);
    const started = performance.now();
    const samples: number[] = [];
    let sent = 0;
    while (sent < most && performance.now() - started < mostMs) {
      await throughput(system?.port ?? 0, sink, rest, turn, CONNECTIONS);
      sent += turn;
      samples.push(await rssMb(pid));
    }
    const tenth = Math.max(1, Math.floor(samples.length / 10));
    const early = median(samples.slice(tenth * 3, tenth * 5));
    const late = median(samples.slice(-2 * tenth));
    line({
      ...alone,
      case: `${sent} mails, first to last fifth of the second half`,
      metric: 'rss_growth_ratio',
      unit: 'late / early',
      ours: late / early,
      runs: 1,
    });
    line({
      ...alone,
      case: `${sent} mails`,
      metric: 'peak_rss_mb',
      unit: 'MB, all processes',
      ours: Math.max(...samples),
      runs: 1,
    });
  });
}

/** How fast a full spool is worked off, against one with little in it. */
async function depth(): Promise<void> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-e2e-'));
  const sink = await TimedSink.start();
  const drained = async (name: string, waiting: number): Promise<number> => {
    await fillSpool(join(folder, name), waiting, text(4096));
    const before = sink.arrived.size;
    const served = await serve(join(folder, name), 'all', { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${sink.port}` });
    const reached = async (count: number): Promise<number> => {
      while (sink.arrived.size - before < count) await new Promise((resolve) => setTimeout(resolve, 5));
      return performance.now();
    };
    const started = await reached(partOf(1000));
    const ended = await reached(partOf(5000));
    await served.stop();
    return ((partOf(5000) - partOf(1000)) * 1000) / (ended - started);
  };
  try {
    const shallow: number[] = [];
    const deep: number[] = [];
    for (let round = 0; round < 2; round++) {
      shallow.push(await drained(`shallow-${round}`, partOf(6000)));
      deep.push(await drained(`deep-${round}`, partOf(100_000)));
    }
    line({
      bench: 'e2e',
      case: `${partOf(100_000)} mails waiting`,
      metric: 'mails_per_second',
      unit: '1/s',
      ours: median(deep),
      peer: `${partOf(6000)} waiting`,
      peerValue: median(shallow),
      runs: 2,
    });
  } finally {
    sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A straight line through points, and how much of their spread it explains. */
function fit(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number;
  readonly at0: number;
  readonly r2: number;
} {
  const n = points.length;
  const [mx, my] = [0, 1].map((axis) => points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / n) as [
    number,
    number,
  ];
  const sxy = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  const syy = points.reduce((sum, [, y]) => sum + (y - my) ** 2, 0);
  return { slope: sxy / sxx, at0: my - (sxy / sxx) * mx, r2: sxy ** 2 / (sxx * syy) };
}

/** Time of one mail by its size, and by its pages. */
async function linear(): Promise<void> {
  await withSystems(['mugai'], async (systems, sink) => {
    const port = systems.get('mugai')?.port ?? 0;
    await throughput(port, sink, text(4096), partOf(500), CONNECTIONS);
    await throughput(port, sink, pages(2), 4, 1);
    const time = async (rest: Buffer): Promise<number> => {
      const times: number[] = [];
      for (let turn = 0; turn < 5; turn++) times.push(1000 / (await throughput(port, sink, rest, 1, 1)));
      return median(times);
    };
    const bySize: [number, number][] = [];
    for (const megabytes of [0.25, 0.5, 1, 2, 4]) bySize.push([megabytes, await time(text(megabytes * 1_000_000))]);
    const byPages: [number, number][] = [];
    for (const count of [1, 5, 10, 20, 40]) byPages.push([count, await time(pages(count))]);
    for (const [name, unit, points] of [
      ['text of 0.25 to 4 MB', 'ms per MB', bySize],
      ['PDF of 1 to 40 pages', 'ms per page', byPages],
    ] as const) {
      const { slope, r2 } = fit(points);
      line({ ...alone, case: name, metric: 'slope', unit, ours: slope, runs: 5 });
      line({
        ...alone,
        case: `${name}: ${points.map(([x, y]) => `${x}: ${y.toFixed(0)}`).join(', ')}`,
        metric: 'fit_r2',
        unit: 'share of the spread',
        ours: r2,
        runs: 5,
      });
    }
  });
}

const FURTHER: Readonly<Record<string, () => Promise<void>>> = { latency, soak, depth, linear };

/** `npm run bench -- e2e [name…]`; everything where no name is given. */
export async function benchE2e(names: readonly string[]): Promise<void> {
  const known = [...CASES.map(({ name }) => name), ...Object.keys(FURTHER)];
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`bench e2e: no case ${wrong}; there are ${known.join(', ')}`);
  const chosen = names.length === 0 ? known : names;
  if (CASES.some(({ name }) => chosen.includes(name))) await rates(chosen);
  for (const [name, run] of Object.entries(FURTHER)) if (chosen.includes(name)) await run();
}
