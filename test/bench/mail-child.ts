// The mail child by itself: what a 4 KB mail costs it, ISO-2022-JP against UTF-8, and how much it holds of a mail of 20 MB.
import { JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES } from '../../src/sandbox/families.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { cpuMs, descendantsOf, peakRssMb } from './cpu.ts';
import { line, median } from './lines.ts';
import { largeMail, textMail } from './mails.ts';

const ROUNDS = 5;
const MAILS = 2000;
const REQUEST = {
  operation: OPERATION.convert,
  dpi: 0,
  maxPages: 0,
  declaredType: 'message/rfc822',
  name: '',
  password: '',
};

/** Lines of the mail child alone. */
export async function benchMailChild(): Promise<void> {
  await benchCost();
  await benchMemory();
}

async function benchCost(): Promise<void> {
  const cases = {
    'iso-2022-jp': textMail('ISO-2022-JP', 4096),
    'utf-8': textMail('utf-8', 4096),
    ascii: textMail('us-ascii', 4096),
  };
  const child = await JailedChild.start({ ...FAMILIES.mail, inputsPerChild: 1e6, busyMs: 1e9 }, () => undefined);
  try {
    const pid = await innermost(child);
    const costs: { readonly [name: string]: number[] } = { 'iso-2022-jp': [], 'utf-8': [], ascii: [] };
    for (let round = -1; round < ROUNDS; round++) {
      for (const [name, mail] of Object.entries(cases)) {
        const before = await cpuMs(pid);
        for (let left = MAILS; left > 0; left--) await feed(child, mail);
        if (round >= 0) costs[name]?.push(((await cpuMs(pid)) - before) / MAILS);
      }
    }
    const common = { bench: 'mail', metric: 'cpu_ms', unit: 'ms per mail, mail child alone', runs: ROUNDS } as const;
    const utf8 = median(costs['utf-8'] ?? []);
    for (const name of ['iso-2022-jp', 'ascii'] as const)
      line({
        ...common,
        case: `${name}-4k`,
        ours: median(costs[name] ?? []),
        peer: 'the same mail in UTF-8',
        peerValue: utf8,
      });
  } finally {
    await child.stop();
  }
}

async function benchMemory(): Promise<void> {
  for (const kind of ['files', 'texts'] as const) {
    const child = await JailedChild.start(FAMILIES.mail, () => undefined);
    try {
      await feed(child, largeMail(20_000_000, kind));
      line({
        bench: 'mail',
        case: `multipart-20mb-${kind}`,
        metric: 'peak_rss_mb',
        unit: 'MB, mail child',
        ours: await peakRssMb(await innermost(child)),
        peer: 'none',
        peerValue: null,
        runs: 1,
      });
    } finally {
      await child.stop();
    }
  }
}

async function feed(child: JailedChild, mail: Buffer): Promise<void> {
  const bounds = { deadlineMs: 120_000, totalMs: 120_000, signal: new AbortController().signal };
  const outcome = await child.run(REQUEST, mail, () => undefined, bounds);
  if (outcome.kind !== 'done') throw new Error(`the mail child: ${outcome.kind} ${outcome.reason}`);
}

/** The process that parses: inside bubblewrap, where there is one. */
async function innermost(child: JailedChild): Promise<number> {
  const pid = child.pid ?? 0;
  return (await descendantsOf(pid)).at(-1) ?? pid;
}
