// A row of lengths: time must grow with the pages and nothing else.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { line } from './lines.ts';
import type { Converter } from './raster-converters.ts';
import { textDocument } from './text-document.ts';
import { largest, watchMemory, type Memory } from './watch-memory.ts';

/** Documents of growing length: time must grow with the pages and nothing else; the peak of all processes is told. */
export async function benchLengths(folder: string, ours: Converter): Promise<void> {
  const counts = [125, 250, 500, 1000];
  const times: number[] = [];
  let peak: Memory = { resident: 0, once: 0 };
  for (const pages of counts) {
    const path = join(folder, `${pages}.pdf`);
    await writeFile(path, await textDocument(pages));
    const watched = await watchMemory(ours, async () => ours.convert(path));
    const { ms, pages: made } = watched.result;
    peak = largest(peak, watched.peak);
    if (made !== pages) throw new Error(`${made} of ${pages} pages`);
    times.push(ms);
  }
  const common = { bench: 'raster', runs: 1, peer: 'none', peerValue: null } as const;
  line({ ...common, case: '1,000 pages', metric: 'ms_per_page', unit: 'ms', ours: (times.at(-1) ?? 0) / 1000 });
  line({ ...common, case: '1,000 pages', metric: 'peak_rss_mb', unit: 'MB, all processes', ours: peak.resident / 1e6 });
  // What processes share (Node itself, above all) lies in memory once, and is in the resident bytes of each.
  line({ ...common, case: '1,000 pages', metric: 'peak_pss_mb', unit: 'MB, shared ones once', ours: peak.once / 1e6 });
  line({ ...common, case: 'time over pages', metric: 'r_squared', unit: '1', ours: rSquared(counts, times) });
}

function rSquared(x: readonly number[], y: readonly number[]): number {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [meanOf(x), meanOf(y)];
  const sum = (f: (i: number) => number): number => x.reduce((total, _value, i) => total + f(i), 0);
  const xy = sum((i) => ((x[i] ?? 0) - mx) * ((y[i] ?? 0) - my));
  return xy ** 2 / (sum((i) => ((x[i] ?? 0) - mx) ** 2) * sum((i) => ((y[i] ?? 0) - my) ** 2));
}
