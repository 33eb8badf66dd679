// The report of a run of the suite: table, what missed, and docs/fidelity.md.
import type { Result } from './run.ts';

const sum = (list: readonly Result[], of: (result: Result) => number): number =>
  list.reduce((all, one) => all + of(one), 0);
const groupsOf = (results: readonly Result[]): string[] => [...new Set(results.map(({ test }) => test.group))];

/** One row a group and one for all, as Markdown. */
export function tableOf(results: readonly Result[]): string {
  const header = ['group', 'cases', 'exact', 'characters', 'right', 'mojibake'];
  const rowOf = (name: string, list: readonly Result[]): string[] => [
    name,
    String(list.length),
    String(list.filter(({ exact }) => exact).length),
    String(sum(list, ({ letters }) => letters)),
    `${((100 * sum(list, ({ right }) => right)) / sum(list, ({ letters }) => letters)).toFixed(2)} %`,
    String(sum(list, ({ mojibake }) => mojibake)),
  ];
  const groups = groupsOf(results).map((group) =>
    rowOf(
      group,
      results.filter(({ test }) => test.group === group),
    ),
  );
  return [header, header.map(() => '---'), ...groups, rowOf('all', results)]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

/** What of a case is not as expected, in words; empty when it is exact. */
export function missesOf({ test, ...got }: Result): string[] {
  const pairs = [
    ['text', test.text, got.text],
    ['subject', test.subject, got.subject],
    ['names', test.names, got.names],
    ['losses', [...test.losses].toSorted(), got.losses],
  ] as const;
  return pairs
    .filter(([, wanted, had]) => JSON.stringify(wanted) !== JSON.stringify(had))
    .map(([what, wanted, had]) => `${what}: expected ${JSON.stringify(wanted)}\n  got ${JSON.stringify(had)}`);
}

/** docs/fidelity.md. */
export function documentOf(results: readonly Result[]): string {
  const missed = results.filter(({ exact }) => !exact);
  return `# Fidelity

Written by \`npm run fidelity\`; do not edit. Each case is one mail and exactly the text, subject, file names and losses that its
reader must get; a case is exact when all four are the same, letter by letter. The expected text is written by hand and its
bytes come from Python's codecs (\`test/fidelity/encode.py\`), never from our own decoder. *Mojibake* counts letters that came
out and were never in the mail.

${tableOf(results)}

${missed.length === 0 ? 'Every case is exact.' : `Not exact:\n\n${missed.map(({ test }) => `- ${test.group}: ${test.name}`).join('\n')}`}

## Cases

${groupsOf(results)
  .map((group) => {
    const cases = results.filter(({ test }) => test.group === group);
    return `**${group}**: ${cases.map(({ test }) => test.name).join(' · ')}`;
  })
  .join('\n\n')}
`;
}
