// The mail bench: 4 KB text mails through the whole road in one process against Postfix doing accept, queue and relay to
// the same sink; and the memory of the ingress while 100 mails of 20 MB come in at once.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { peakRssMb, wholeCpuMs } from './cpu.ts';
import { line, median } from './lines.ts';
import { benchMailChild } from './mail-child.ts';
import { Sink, source, startPostfix, type Postfix } from './postfix.ts';
import { serve } from './serve.ts';

const ROUNDS = 3;
const MAILS = 4000;
const BYTES = 4096;
const CONNECTIONS = 20;

/** Sends the mails and waits until the sink has them all: mails per second over both. */
async function rate(port: number, sink: Sink, mails: number): Promise<number> {
  const before = sink.messages;
  const started = performance.now();
  await source(port, mails, BYTES, CONNECTIONS);
  while (sink.messages - before < mails) {
    if (performance.now() - started > 300_000) throw new Error(`only ${sink.messages - before} of ${mails} arrived`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return (mails * 1000) / (performance.now() - started);
}

async function stepLines(opsPort: number, mails: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  return ['sanitise', 'seal', 'deliver'].map((step) => {
    const sum = Number(new RegExp(`mugai_step_seconds_sum\\{step="${step}"\\} (\\S+)`).exec(text)?.[1] ?? 0);
    return `${step} ${((sum * 1000) / mails).toFixed(2)} ms`;
  });
}

/** `npm run bench -- mail`. */
export async function benchMail(): Promise<void> {
  const folder = await mkdtemp(join(process.env['MUGAI_BENCH_DIR'] ?? tmpdir(), 'mugai-bench-'));
  await promisify(execFile)('chmod', ['755', folder]);
  const sink = await Sink.start();
  let postfix: Postfix | undefined;
  try {
    postfix = await startPostfix(join(folder, 'postfix'), sink.port);
    const ours = await serve(join(folder, 'gateway'), 'all', { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${sink.port}` });
    const pid = ours.process.pid ?? 0;
    await rate(ours.smtpPort, sink, 1000); // both warm
    if (postfix !== undefined) await rate(postfix.port, sink, 1000);
    const rates: number[] = [];
    const peers: number[] = [];
    const before = await wholeCpuMs(pid);
    for (let round = 0; round < ROUNDS; round++) {
      rates.push(await rate(ours.smtpPort, sink, MAILS));
      if (postfix !== undefined) peers.push(await rate(postfix.port, sink, MAILS));
    }
    const after = await wholeCpuMs(pid);
    const mails = ROUNDS * MAILS;
    const common = { bench: 'mail', case: 'text-4k', runs: ROUNDS } as const;
    const peer = postfix === undefined ? 'postfix (missing)' : 'postfix';
    line({
      ...common,
      metric: 'mails_per_second',
      unit: '1/s',
      ours: median(rates),
      peer,
      peerValue: peers.length === 0 ? null : median(peers),
    });
    line({
      ...common,
      metric: 'cpu_ms',
      unit: 'ms per mail, gateway process',
      ours: (after.main - before.main) / mails,
      peer: 'none',
      peerValue: null,
    });
    line({
      ...common,
      metric: 'cpu_ms',
      unit: 'ms per mail, jailed children',
      ours: (after.children - before.children) / mails,
      peer: 'none',
      peerValue: null,
    });
    process.stderr.write(
      `where the time goes, wall per mail: ${(await stepLines(ours.opsPort, mails + 1000)).join(', ')}\n`,
    );
    await ours.stop();
    await benchIngressMemory(folder);
    await benchMailChild();
  } finally {
    await postfix?.stop();
    sink.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Peak resident memory of the ingress alone while 100 mails of 20 MB come in at once. */
async function benchIngressMemory(folder: string): Promise<void> {
  const ingress = await serve(join(folder, 'ingress'), 'ingress', {});
  try {
    await source(ingress.smtpPort, 100, 20_000_000, 100);
    const peak = await peakRssMb(ingress.process.pid ?? 0);
    line({
      bench: 'mail',
      case: '100 x 20 MB at once',
      metric: 'peak_rss_mb',
      unit: 'MB, ingress process',
      ours: peak,
      peer: 'none',
      peerValue: null,
      runs: 1,
    });
  } finally {
    await ingress.stop();
  }
}
