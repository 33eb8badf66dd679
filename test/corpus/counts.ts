// The counts of letters and cells over the office documents of a run, by format, and what is neither on a page nor told.
import { extname } from 'node:path';
import { OTHER_READER } from './other-reader.ts';
import type { Ended } from './run.ts';

/** Lines to print; none where no document was counted. */
export function countLines(ended: readonly Ended[]): string[] {
  const counted = ended.flatMap(({ path, count }) => (count === undefined ? [] : [{ path, count }]));
  if (counted.length === 0) return [];
  const lines = [
    '\nletters and cells of office documents: in the file, told as not shown, lost',
    'format    files  letters   told   lost    cells   told   lost',
  ];
  const groups = [...Map.groupBy(counted, ({ path }) => extname(path).toLowerCase())].toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  for (const [format, of] of [...groups, ['all', counted] as const]) {
    const sum = (pick: (count: (typeof of)[number]['count']) => number): number =>
      of.reduce((total, { count }) => total + pick(count), 0);
    const numbers = [
      of.length,
      sum(({ letters }) => letters),
      sum(({ lettersTold }) => lettersTold),
      sum(({ lettersLost }) => lettersLost.length),
      sum(({ cells }) => cells),
      sum(({ cellsTold }) => cellsTold),
      sum(({ cellsLost }) => cellsLost.length),
    ];
    const widths = [6, 9, 7, 7, 9, 7, 7];
    lines.push(format.padEnd(9) + numbers.map((number, at) => String(number).padStart(widths[at] ?? 7)).join(''));
  }
  const pages = ended.filter(({ path, state }) => path.startsWith('office/') && state === 'sanitised').length;
  lines.push(`${counted.length} of ${pages} converted documents were counted; the rest the other reader does not read`);
  for (const { path, count } of counted) {
    const own = OTHER_READER.get(path);
    if (own !== undefined) lines.push(`  ${path}: the other reader apart: ${own.why}`);
    if (count.lettersLost.length > 0) lines.push(`  ${path}: letters ${count.lettersLost.slice(0, 40).join('')}`);
    if (count.cellsLost.length > 0)
      lines.push(
        `  ${path}: ${count.cellsLost.length} cells: ${count.cellsLost
          .slice(0, 5)
          .map((cell) => cell.slice(0, 40))
          .join(' | ')}`,
      );
  }
  return lines;
}
