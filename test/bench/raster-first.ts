// A document of 500 pages: how long until its first page can be read, how long all of it takes, and the most memory meanwhile.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { line, partOf } from './lines.ts';
import { named, startOurs, type Converter, type Peer, type Result } from './raster-converters.ts';
import { textDocument } from './text-document.ts';
import { watchMemory, type Memory } from './watch-memory.ts';

const PAGES = partOf(500);

interface Seen extends Result {
  readonly peak: Memory;
}

/** One run of each, one core each; every converter is a fresh one that has made one small document. */
export async function benchFirst(folder: string, peers: readonly Peer[]): Promise<void> {
  const [small, long] = [join(folder, 'first-1.pdf'), join(folder, 'first.pdf')];
  await writeFile(small, await textDocument(1));
  await writeFile(long, await textDocument(PAGES));
  const seen = async (converter: Converter): Promise<Seen | undefined> => {
    try {
      await converter.convert(small);
      const { result, peak } = await watchMemory(converter, async () => converter.convert(long));
      if (result.error !== undefined) process.stderr.write(`first: ${result.error}\n`);
      return result.error === undefined ? { ...result, peak } : undefined;
    } finally {
      converter.stop();
    }
  };
  const mine = await seen(startOurs(folder, { live: true }));
  if (mine?.pages !== PAGES) throw new Error(`${mine?.pages ?? 'none'} of ${PAGES} pages`);
  for (const peer of peers) {
    if (peer.name === 'render-only') continue; // it makes nothing that could be read
    const theirs = peer.start === undefined ? undefined : await seen(peer.start('0'));
    tell(named(peer), mine, theirs);
  }
}

function tell(peer: string, mine: Seen, theirs: Seen | undefined): void {
  const common = { bench: 'raster', case: `${PAGES} pages of text`, peer, runs: 1 } as const;
  const row = (metric: string, unit: string, of: (one: Seen) => number): void =>
    line({ ...common, metric, unit, ours: of(mine), peerValue: theirs === undefined ? null : of(theirs) });
  // Ours: sealed and visible. A program that writes one file has no page that can be read before the whole of it.
  line({
    ...common,
    metric: 'first_page_ms',
    unit: 'ms until it can be read',
    ours: mine.first ?? mine.ms,
    peerValue: theirs?.ms ?? null,
  });
  if (typeof theirs?.first === 'number')
    line({
      ...common,
      metric: 'first_page_ms',
      unit: 'ms until it is made (the peer: inside, nobody can read it yet)',
      ours: mine.first ?? mine.ms,
      peerValue: theirs.first,
    });
  row('pages_per_second', '1/s', ({ ms }) => (PAGES * 1000) / ms);
  row('peak_rss_mb', 'MB, all processes', ({ peak }) => peak.resident / 1e6);
  row('peak_pss_mb', 'MB, shared ones once', ({ peak }) => peak.once / 1e6);
}
