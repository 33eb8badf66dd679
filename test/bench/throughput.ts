// `node test/bench/throughput.ts FILE…`: writes docs/throughput.md from the lines that `npm run bench -- e2e …` and `scale` printed.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { argv } from 'node:process';
import type { Printed } from './lines.ts';

const REPORT = new URL('../../docs/throughput.md', import.meta.url);

/** What one system of ours must reach against one peer, in mails a second of text. */
const GOALS = [
  { peer: 'postfix+amavis', least: 5, words: 'text mail at least 5 times Postfix with amavisd-new' },
  { peer: 'postfix', least: 0.5, words: 'text mail at least half of Postfix alone' },
] as const;
/** What is measured of ours alone. */
const BOUNDS: readonly { metric: string; bench: string; words: string; met: (printed: Printed) => boolean }[] = [
  {
    bench: 'e2e',
    metric: 'latency_p99_ms',
    words: 'p99 from 250 to delivered under 300 ms at half load',
    met: ({ ours }) => ours < 300,
  },
  {
    bench: 'e2e',
    metric: 'rss_growth_ratio',
    words: 'resident memory flat over a long run',
    met: ({ ours }) => ours < 1.1,
  },
  {
    bench: 'e2e',
    metric: 'fit_r2',
    words: 'costs grow along a straight line with size and pages (0.9 of their spread is on it)',
    met: ({ ours }) => ours >= 0.9,
  },
];

const lines = argv
  .slice(2)
  .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  .filter((text) => text.startsWith('{"bench"'))
  .map((text) => JSON.parse(text) as Printed)
  .filter(({ bench }) => bench === 'e2e' || bench === 'scale');
/** The newest line of each thing measured. */
const newest = [...new Map(lines.map((one) => [`${one.bench} ${one.case} ${one.metric} ${one.peer}`, one])).values()];
writeFileSync(REPORT, report(newest));

function rowOf({ case: name, metric, ours, peer, peerValue, ratio, partOfLoad = 1, load, at }: Printed): string {
  const cells = [
    name,
    metric,
    ours,
    peer,
    peerValue ?? '',
    ratio ?? '',
    `${partOfLoad * 100} %`,
    load ?? 'not noted',
    at?.slice(0, 10) ?? '',
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Whether the goals are met by these lines, each in its own words. */
function goals(all: readonly Printed[]): string[] {
  const told = (met: boolean, words: string, value: string): string =>
    `- ${met ? 'met' : '**not met**'}: ${words} (${value})`;
  const text = all.filter((one) => one.bench === 'e2e' && one.case.startsWith('text-4k, '));
  const beside = GOALS.flatMap(({ peer, least, words }) =>
    text
      .filter((one) => one.peer === peer && one.ratio !== null)
      .map((one) => told((one.ratio ?? 0) >= least, words, `${one.case.slice(9)}: ${one.ratio}`)),
  );
  const alone = BOUNDS.flatMap(({ bench, metric, words, met }) =>
    all
      .filter((one) => one.bench === bench && one.metric === metric)
      .map((one) => told(met(one), words, `${one.case}: ${one.ours}`)),
  );
  const depth = all
    .filter((one) => one.bench === 'e2e' && one.case.endsWith(' mails waiting') && one.ratio !== null)
    .map((one) =>
      told((one.ratio ?? 0) >= 0.9, 'a deep queue costs no throughput, at least 0.9', `${one.case}: ${one.ratio}`),
    );
  return [...beside, ...alone, ...depth];
}

function report(all: readonly Printed[]): string {
  return `# Throughput

Written by \`node test/bench/throughput.ts FILE…\` from what \`npm run bench -- e2e\` and \`scale\` printed on ${cpus()[0]?.model ?? 'unknown'},
${availableParallelism()} shared cores. *Part*: of the bench's usual load; what is less than 100 % is a trial with few mails. *Load*: the machine's load average
when the line was printed, the bench itself included. Far above the number of cores, other work ran beside it: rates are then small, and even the
ratio says little, since the cores are divided among processes, of which Postfix has one for each connection and we have few. The peers relay the mail as it is; ours is taken apart, made anew, signed and checked again.

| what | metric | ours | peer | its value | ratio | part | load | day |
|---|---|---|---|---|---|---|---|---|
${all.map(rowOf).join('\n')}

## Goals

As the lines above have it. What was measured with a part of the load, or beside other work, is no verdict on a machine of its own.

${goals(all).join('\n')}
`;
}
