// `npm run bench -- scale`: 1, 2 and 4 worker processes with Redis, each sanitising one message at a time, against one.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES, text } from './cases.ts';
import { line, median, partOf } from './lines.ts';
import { TimedSink, throughput } from './load.ts';
import { apart, type System } from './systems.ts';

const ROUNDS = 3;
const WORKERS = [1, 2, 4] as const;

export async function benchScale(): Promise<void> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-scale-'));
  await chmod(folder, 0o755);
  const sink = await TimedSink.start();
  const systems = new Map<number, System>();
  try {
    for (const workers of WORKERS)
      systems.set(workers, await apart(join(folder, String(workers)), sink.port, workers, { MUGAI_WORKERS: '1' }));
    const cases = [
      ['text-4k', text(4096), 800],
      ['pdf-200k', CASES.find(({ name }) => name === 'pdf-200k')?.rest ?? Buffer.alloc(0), 40],
    ] as const;
    for (const [name, rest, mails] of cases) {
      const rates = new Map<number, number[]>();
      for (let round = 0; round <= ROUNDS; round++)
        for (const [workers, { port }] of systems) {
          const rate = await throughput(port, sink, rest, partOf(round === 0 ? mails / 4 : mails), 20);
          if (round > 0) rates.set(workers, [...(rates.get(workers) ?? []), rate]); // round 0 warms
        }
      for (const workers of WORKERS)
        line({
          bench: 'scale',
          case: `${name}, ${workers} workers on ${availableParallelism()} shared cores`,
          metric: 'mails_per_second',
          unit: '1/s',
          ours: median(rates.get(workers) ?? []),
          peer: '1 worker',
          peerValue: median(rates.get(1) ?? []),
          runs: ROUNDS,
        });
    }
  } finally {
    for (const system of systems.values()) await system.stop();
    sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
