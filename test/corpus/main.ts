// `npm run test:corpus [-- <part of a path>…]`: the whole shared corpus through the road and the checker; counts by folder, how
// refusals are told, what is converted, letters and cells, the slowest, peak memory. Exit 1 for whatever `verdict.ts` names.
import { openSanitiser } from '../support/sanitiser.ts';
import { ratesOf } from './rates.ts';
import { countLines } from './counts.ts';
import { corpusPaths, tryFile, watchMemory, type Ended } from './run.ts';
import { failuresOf } from './verdict.ts';

const JOBS = 2;
const MIB = 1024 * 1024;
const folderOf = (path: string): string => path.split('/')[0] ?? '';
const out = (line: string): void => void process.stdout.write(`${line}\n`);

const wanted = process.argv.slice(2);
const all = await corpusPaths();
const paths = all.filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)));
const started = performance.now();
const peak = watchMemory();
const ended: Ended[] = [];
{
  await using sanitiser = await openSanitiser({}, JOBS);
  const queue = paths.values();
  const lane = async (): Promise<void> => {
    for (const path of queue) {
      const end = await tryFile(path, sanitiser);
      ended.push(end);
      for (const fault of end.unsafe) out(`UNSAFE ${path}: ${fault}`);
      for (const why of end.again) out(`AGAIN  ${path}: ${why}`);
      if (end.crash !== undefined) out(`CRASH  ${path}: ${end.crash}`);
      if (end.hang) out(`HANG   ${path}: ${Math.round(end.ms)} ms`);
      for (const part of end.inside) out(`FAILED ${path}: ${part} converter-failed`);
      if (ended.length % 200 === 0) out(`${ended.length} of ${paths.length}`);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, lane));
}
const { host, children } = peak();

const count = (of: readonly Ended[], test: (end: Ended) => boolean): number => of.filter(test).length;
const folders = [...Map.groupBy(ended, ({ path }) => folderOf(path))].toSorted(([a], [b]) => (a < b ? -1 : 1));
out('\nfolder     files  sanitised  held  refused  failed  unsafe  pages');
for (const [folder, of] of [...folders, ['all', ended] as const]) {
  const numbers = [
    of.length,
    count(of, (end) => end.state === 'sanitised'),
    count(of, (end) => end.state === 'held'),
    count(of, (end) => end.state === 'refused'),
    count(of, (end) => end.state === 'failed'),
    count(of, (end) => end.unsafe.length > 0),
    of.reduce((sum, end) => sum + end.pages, 0),
  ];
  const widths = [6, 11, 6, 9, 8, 8, 7];
  out(folder.padEnd(10) + numbers.map((number, at) => String(number).padStart(widths[at] ?? 8)).join(''));
}
out('\nreasons');
for (const [folder, of] of folders) {
  const reasons = Map.groupBy(
    of.filter((end) => end.reason !== null),
    (end) => end.reason ?? '',
  );
  const told = [...reasons]
    .toSorted((a, b) => b[1].length - a[1].length)
    .map(([reason, ends]) => `${reason} ${ends.length}`);
  out(`  ${folder.padEnd(8)} ${told.join(', ')}`);
}
out('\nconverted, of what can be');
const rates = ratesOf(ended);
for (const line of rates.lines) out(line);
for (const line of countLines(ended)) out(line);
out('\nslowest');
for (const end of ended.toSorted((a, b) => b.ms - a.ms).slice(0, 10))
  out(`  ${(end.ms / 1000).toFixed(1).padStart(6)} s  ${end.path}  ${end.state} ${end.reason ?? ''}`);
out(
  `\npeak resident memory: host ${Math.round(host / MIB)} MiB, its children together ${Math.round(children / MIB)} MiB`,
);
out(`${ended.length} files in ${Math.round((performance.now() - started) / 1000)} s`);

const taken = new Set(paths);
const cut = new Set(all.filter((path) => !taken.has(path)).map(folderOf));
const failures = failuresOf(ended, rates, new Set(paths.map(folderOf).filter((folder) => !cut.has(folder))));
out(failures.length === 0 ? 'all well' : 'NOT WELL');
for (const line of failures) out(`  ${line}`);
process.exitCode = failures.length === 0 ? 0 : 1;
