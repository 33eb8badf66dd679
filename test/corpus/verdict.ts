// Why a run of the corpus has failed: one line each, none where it has not.
import { LEAST_PERCENT, type Rates } from './rates.ts';
import type { Ended } from './run.ts';

/** `whole`: folders of which every file was taken; of a few files there is no rate. */
export function failuresOf(ended: readonly Ended[], rates: Rates, whole: ReadonlySet<string>): string[] {
  const lines: string[] = [];
  const say = (why: string, of: readonly Ended[]): void => {
    if (of.length > 0) lines.push(`${why}: ${of.map(({ path }) => path).join(', ')}`);
  };
  const those = (test: (end: Ended) => boolean): Ended[] => ended.filter(test);
  say(
    'unsafe',
    those((end) => end.unsafe.length > 0),
  );
  say(
    'a crash',
    those((end) => end.crash !== undefined),
  );
  say(
    'a hang',
    those((end) => end.hang),
  );
  say(
    'a failure inside us',
    those((end) => end.crash === undefined && (end.state === 'failed' || end.inside.length > 0)),
  );
  for (const [folder, percent] of rates.percent)
    if (whole.has(folder) && percent < LEAST_PERCENT)
      lines.push(`${folder}: ${percent.toFixed(1)} % converted, not ${LEAST_PERCENT} %`);
  say(
    'letters lost',
    those(({ count }) => count !== undefined && count.lettersLost.length > 0),
  );
  say(
    'cells lost',
    those(({ count }) => count !== undefined && count.cellsLost.length > 0),
  );
  const isDocument = ({ path, became }: Ended): boolean => path.startsWith('office/') && became[0] === 'pages';
  if (whole.has('office') && those(isDocument).every(({ count }) => count === undefined))
    lines.push('no letter and no cell was counted: LibreOffice, which is asked for them, is not there');
  return lines;
}
