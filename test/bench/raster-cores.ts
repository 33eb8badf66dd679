// Both cores: one long document, and many small ones two at once, beside the peers and beside ours on one core.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { line, partOf } from './lines.ts';
import { named, startOurs, type Converter, type Cores, type Peer } from './raster-converters.ts';
import { textDocument } from './text-document.ts';

const PAGES = partOf(500);
const SMALL = partOf(60);

/** Pages a second of the long document, small documents a second. */
interface Rates {
  readonly long: number;
  readonly small: number;
}

export async function benchCores(folder: string, small: string, peers: readonly Peer[]): Promise<void> {
  const long = join(folder, 'cores.pdf');
  await writeFile(long, await textDocument(PAGES));
  const ours = async (cores: Cores): Promise<Rates> => {
    const server = startOurs(folder, { cores, children: 2 });
    return ratesOf([server, server], small, long);
  };
  const [single, both] = [await ours('0'), await ours('0,1')];
  tell('ours on one core', both, single);
  for (const peer of peers) {
    if (peer.name === 'render-only') continue; // not a whole road
    const { start } = peer;
    tell(named(peer), both, start === undefined ? undefined : await ratesOf([start('0,1'), start('0,1')], small, long));
  }
}

/** The long one goes to the first alone (who can share it among his processes does), the small ones to both. */
async function ratesOf(two: readonly [Converter, Converter], small: string, long: string): Promise<Rates> {
  try {
    await Promise.all(two.map(async (one) => one.convert(small)));
    const whole = await two[0].convert(long);
    let left = SMALL;
    const started = performance.now();
    const lane = async (one: Converter): Promise<void> => {
      while (left-- > 0) await one.convert(small);
    };
    await Promise.all(two.map(lane));
    const smallRate = (SMALL * 1000) / (performance.now() - started);
    return { long: whole.error === undefined ? (PAGES * 1000) / whole.ms : 0, small: smallRate };
  } finally {
    for (const one of two) one.stop();
  }
}

function tell(peer: string, mine: Rates, theirs: Rates | undefined): void {
  const common = { bench: 'raster', peer, runs: 1 } as const;
  const [long, small] = [theirs?.long ?? null, theirs?.small ?? null];
  const unit = '1/s, two cores';
  const whole = `${PAGES} pages of text`;
  line({ ...common, case: whole, metric: 'pages_per_second', unit, ours: mine.long, peerValue: long });
  const page = 'one page, 39 KB';
  line({ ...common, case: page, metric: 'documents_per_second', unit, ours: mine.small, peerValue: small });
}
