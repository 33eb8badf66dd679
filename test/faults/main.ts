// `npm run faults [-- name…]`: runs the faults whole and writes docs/faults.md from what was seen; `--sample` runs them small
// and writes nothing. `--kills`, `--mails`, `--seconds` (of a pause): another scale; each row tells its own.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FULL, SAMPLE, type Outcome } from './outcome.ts';
import { SCENARIOS } from './scenarios.ts';

const REPORT = new URL('../../docs/faults.md', import.meta.url);

const { values, positionals } = parseArgs({
  options: {
    sample: { type: 'boolean', default: false },
    seed: { type: 'string' },
    kills: { type: 'string' },
    mails: { type: 'string' },
    seconds: { type: 'string' },
  },
  allowPositionals: true,
});
const usual = values.sample ? SAMPLE : FULL;
const number = (text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`"${text}" is no number`);
  return Number(text);
};
const scale = {
  seed: number(values.seed, usual.seed),
  kills: number(values.kills, usual.kills),
  mails: number(values.mails, usual.mails),
  pauseSeconds: number(values.seconds, usual.pauseSeconds),
};
const chosen = positionals.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => positionals.includes(name));
let bad = 0;
for (const { name, run } of chosen) {
  process.stderr.write(`${new Date().toISOString()} ${name} …\n`);
  const outcome = await run(scale);
  const fine = outcome.lost === 0 && outcome.doubledOutside === 0 && (outcome.ratio ?? 0) <= 2;
  if (!fine) bad += 1;
  process.stdout.write(`${JSON.stringify({ name, ...outcome, fine })}\n`);
  // Read anew each time: another run may have written its rows meanwhile.
  if (!values.sample) writeFileSync(REPORT, report(new Map([...rowsBefore(), [name, rowOf(outcome)]])));
}
process.exit(bad === 0 ? 0 : 1);

function rowOf(outcome: Outcome): string {
  const { fault, happened, accepted, lost, doubled, doubledOutside, recovered } = outcome;
  return `| ${fault} | ${happened} | ${accepted} | ${lost} | ${doubled} | ${doubledOutside} | ${recovered} |`;
}

/** The rows of earlier runs: one scenario may be run again alone. */
function rowsBefore(): [string, string][] {
  let text = '';
  try {
    text = readFileSync(REPORT, 'utf8');
  } catch {
    return []; // the first run
  }
  const old = text.matchAll(/^(\|.*\|) <!-- ([\w-]+) -->$/gm);
  return [...old].map(([, row = '', name = '']) => [name, row]);
}

function report(rows: ReadonlyMap<string, string>): string {
  const lines = SCENARIOS.filter(({ name }) => rows.has(name)).map(({ name }) => `${rows.get(name)} <!-- ${name} -->`);
  return `# Faults

Written by \`npm run faults\` from runs of real processes on ${availableParallelism()} shared cores, seed ${scale.seed}. *Accepted*: mails that were
answered 250. *Lost*: accepted mails that never arrived. *Doubled*: deliveries beyond the first of one message; they carry
the same \`Message-ID\`. *Outside*: doubles of a message whose end was recorded already; only these would be a defect, since
between the inner server's 250 and our record nobody can know. *Seconds*: from the end of the fault to the last delivery.

| fault | what was done and seen | accepted | lost | doubled | outside | seconds |
|---|---|---|---|---|---|---|
${lines.join('\n')}
`;
}
