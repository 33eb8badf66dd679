// `npm run fuzz -- [--seconds N] [--seed N] [part of a target's name]`: each target for N seconds (default 120). Crashes are kept
// as samples, which the suite runs from then on. Exit 1 when there was one.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { closeTargets, TARGETS } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '120' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isFinite(seed) || !Number.isFinite(seconds)) throw new TypeError('--seconds and --seed are numbers');
process.stdout.write(`seed ${seed}\n`);
for (const target of TARGETS.filter(({ name }) => positionals.every((part) => name.includes(part)))) {
  const { inputs, crash } = await fuzz(target, seconds * 1000, seed, true);
  process.stdout.write(
    `${target.name}: ${inputs} inputs, ${crash === undefined ? 'no crash' : `CRASH, kept as ${crash.path}`}\n`,
  );
  if (crash !== undefined) {
    process.stdout.write(`${crash.error instanceof Error ? (crash.error.stack ?? '') : String(crash.error)}\n`);
    process.exitCode = 1;
  }
}
await closeTargets();
