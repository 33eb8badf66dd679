// `npm run bench -- capacity`: measures what a mail of each kind costs (CPU of every process, bytes on disk, memory) and
// writes docs/capacity.md: what a town, a city and a prefecture's cloud need.
import { readdirSync, lstatSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES } from './cases.ts';
import { wholeCpuMs } from './cpu.ts';
import { line } from './lines.ts';
import { TimedSink, throughput } from './load.ts';
import { rssMb } from './memory.ts';
import { SYSTEMS } from './systems.ts';

const REPORT = new URL('../../docs/capacity.md', import.meta.url);

/** What comes in, as shares of a municipality's mail: an assumption, told in the report; change it to what you have. */
const MIX: Readonly<Record<string, number>> = {
  'text-4k': 0.6,
  'html-20k': 0.25,
  'pdf-200k': 0.12,
  'pdf-2m-10-pages': 0.03,
};
/** Share of a day's mail in its busiest hour, and how busy the cores may be then. */
const BUSIEST_HOUR = 0.15;
const BUSY = 0.5;
/** Days that originals and packages are kept, in these sums. */
const KEPT_DAYS = 30;

const PLACES = [
  { name: 'town', mails: 8000, municipalities: 1 },
  { name: 'city', mails: 80_000, municipalities: 1 },
  { name: "prefecture's cloud", mails: 1_000_000, municipalities: 40 },
] as const;

interface Cost {
  readonly name: string;
  readonly cpuMs: number;
  readonly diskBytes: number;
}

function bytesUnder(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sum + bytesUnder(path);
    return sum + (entry.isFile() ? lstatSync(path).blocks * 512 : 0); // what it takes, not how long it is
  }, 0);
}

async function measure(): Promise<{ readonly costs: readonly Cost[]; readonly memoryMb: number }> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-capacity-'));
  await chmod(folder, 0o755);
  const sink = await TimedSink.start();
  const system = await SYSTEMS['mugai']?.(folder, sink.port);
  try {
    const [pid = 0] = system?.pids ?? [];
    const costs: Cost[] = [];
    const sum = async (): Promise<number> => {
      const { main, children } = await wholeCpuMs(pid);
      return main + children;
    };
    for (const { name, rest, mails } of CASES) {
      const count = Math.max(10, Math.round(mails / 2));
      await throughput(system?.port ?? 0, sink, rest, Math.ceil(count / 4), 10);
      const [cpuBefore, diskBefore] = [await sum(), bytesUnder(folder)];
      await throughput(system?.port ?? 0, sink, rest, count, 10);
      await new Promise((resolve) => setTimeout(resolve, 500));
      costs.push({
        name,
        cpuMs: ((await sum()) - cpuBefore) / count,
        diskBytes: (bytesUnder(folder) - diskBefore) / count,
      });
    }
    return { costs, memoryMb: await rssMb(pid) };
  } finally {
    await system?.stop();
    sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function needsOf(
  mails: number,
  costs: readonly Cost[],
): { readonly perSecond: number; readonly cores: number; readonly diskGb: number } {
  const mean = (of: (cost: Cost) => number): number =>
    costs.reduce((sum, cost) => sum + of(cost) * (MIX[cost.name] ?? 0), 0);
  const perSecond = (mails * BUSIEST_HOUR) / 3600;
  return {
    perSecond,
    cores: (perSecond * mean(({ cpuMs }) => cpuMs)) / 1000 / BUSY,
    diskGb: (mails * KEPT_DAYS * mean(({ diskBytes }) => diskBytes)) / 1e9,
  };
}

function report(costs: readonly Cost[], memoryMb: number): string {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const rows = costs.map(
    ({ name, cpuMs, diskBytes }) =>
      `| ${name} | ${percent(MIX[name] ?? 0)} | ${cpuMs.toFixed(1)} | ${(diskBytes / 1000).toFixed(0)} |`,
  );
  const places = PLACES.map(({ name, mails, municipalities }) => {
    const { perSecond, cores, diskGb } = needsOf(mails, costs);
    const each =
      municipalities > 1
        ? ` (${municipalities} deployments of ${Math.round(mails / municipalities).toLocaleString('en')})`
        : '';
    return `| ${name} | ${mails.toLocaleString('en')}${each} | ${perSecond.toFixed(1)} | ${Math.max(0.1, cores).toFixed(1)} | ${((memoryMb * municipalities) / 1000).toFixed(1)} | ${diskGb.toFixed(0)} |`;
  });
  return `# Capacity

Written by \`npm run bench -- capacity\` from costs measured on this machine: ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} shared cores.
CPU is that of every process of the gateway, children included; disk is what the files take, spool and outbox and records together.

## What a mail costs

| mail | share assumed | CPU ms | disk KB |
|---|---|---|---|
${rows.join('\n')}

The shares are an assumption; put your own into \`MIX\` of \`test/bench/capacity.ts\` and run the command again on your machine. How costs
grow with size and pages \`npm run bench -- e2e linear\` prints (a straight line and how well it fits). Other work on the machine makes CPU figures larger.

## What a place needs

${percent(BUSIEST_HOUR)} of a day's mail come in its busiest hour, cores may be ${percent(BUSY)} busy then, files are kept for ${KEPT_DAYS} days.

| place | mails a day | a second in the busiest hour | cores | memory GB | disk GB |
|---|---|---|---|---|---|
${places.join('\n')}

Memory is that of one gateway under load, ${memoryMb.toFixed(0)} MB with all roles and ${availableParallelism()} children a family, times the deployments. More than a machine
has: roles apart with Redis (\`MUGAI_QUEUE_URL\`) and workers on machines of their own; \`npm run bench -- scale\` shows what they add.

A message that waits in a queue without Redis takes some 640 bytes of it. To a queue that holds 200,000 such, 130 MB, no scan adds, however many an
outbox or an inner server that takes nothing holds up: the rest stays in the spool and in the outbox, and is found when there is room.

## Many municipalities

**One deployment for each municipality**, not one gateway with tenants inside. Each has its own keys, policy, journal, domains, accounts and
outbox; a fault, a full disk or a leaked key of one does not reach another, and its inner side lies in its own LGWAN. A container or a
systemd instance (\`mugai-<role>@<municipality>.service\`, \`docs/ops/\`) with its own data folder costs the memory above; the machines are shared.
The mail server before them routes by recipient domain. What they do not share is cores in the sense of one queue: a burst of
one municipality is bounded by the CPU share of its own unit (\`CPUWeight\`, \`MemoryMax\`).
`;
}

export async function benchCapacity(): Promise<void> {
  const { costs, memoryMb } = await measure();
  for (const { name, cpuMs, diskBytes } of costs) {
    const common = { bench: 'capacity', case: name, peer: 'none', peerValue: null, runs: 1 } as const;
    line({ ...common, metric: 'cpu_ms', unit: 'ms per mail, all processes', ours: cpuMs });
    line({ ...common, metric: 'disk_kb', unit: 'KB per mail', ours: diskBytes / 1000 });
  }
  writeFileSync(REPORT, report(costs, memoryMb));
}
