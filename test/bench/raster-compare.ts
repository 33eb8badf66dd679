// Documents of the corpus, one core each: ours and the peers in alternating rounds, and what their ratios say by kind.
import { join } from 'node:path';
import { line, median, partOf } from './lines.ts';
import { named, type Converter, type Peer, type Result } from './raster-converters.ts';

const ROUNDS = partOf(3);

/** All documents of the set, by kind, of a corpus folder; ours and each peer in turns. */
export async function compare(
  set: readonly (readonly [kind: string, names: readonly string[]])[],
  corpus: string,
  ours: Converter,
  found: readonly Peer[],
): Promise<void> {
  const peers = found.flatMap(({ name, start }) => (start === undefined ? [] : [[name, start('0')] as const]));
  try {
    const pairs: Pair[] = [];
    const failures = new Map<string, number>();
    for (const [kind, names] of set)
      for (const name of names) {
        const path = join(corpus, name);
        await ours.convert(path); // V8's fast tier, the page cache
        const mine: Result[] = [];
        const theirs = new Map<string, Result[]>(found.map((peer) => [peer.name, []]));
        for (let round = 0; round < ROUNDS; round++) {
          mine.push(await ours.convert(path));
          for (const [peer, converter] of peers) theirs.get(peer)?.push(await converter.convert(path));
        }
        const failed = hasFailed(mine);
        if (failed) add(failures, 'ours');
        for (const [peer, results] of theirs) {
          if (hasFailed(results)) add(failures, peer);
          else if (!failed) pairs.push({ kind, name, peer, mine, theirs: results });
        }
        const beside = peers.map(([peer]) => `${peer} ${told(theirs.get(peer) ?? [])}`);
        process.stderr.write(`${name}: ${mine[0]?.pages ?? 0} pages, ${told(mine)}; ${beside.join('; ')}\n`);
      }
    tellAll(set, found, pairs, failures);
  } finally {
    for (const [, converter] of peers) converter.stop();
  }
}

function tellAll(
  set: readonly (readonly [kind: string, names: readonly string[]])[],
  found: readonly Peer[],
  pairs: readonly Pair[],
  failures: ReadonlyMap<string, number>,
): void {
  for (const peer of found) {
    const its = pairs.filter((pair) => pair.peer === peer.name);
    for (const kind of ['all', ...set.map(([group]) => group)])
      tell(
        kind,
        named(peer),
        its.filter((pair) => kind === 'all' || pair.kind === kind),
      );
    line({
      bench: 'raster',
      case: 'all',
      metric: 'failures',
      unit: 'documents',
      ours: failures.get('ours') ?? 0,
      peer: named(peer),
      peerValue: peer.start === undefined ? null : (failures.get(peer.name) ?? 0),
      runs: ROUNDS,
    });
  }
  const ratio = (pair: Pair): number => thrift(pair, pair.mine) / thrift(pair, pair.theirs);
  const slowest = pairs
    .filter(({ peer, theirs }) => peer === 'dangerzone-method' && theirs.length > 0)
    .toSorted((a, b) => ratio(a) - ratio(b))[0];
  if (slowest !== undefined) tell(`slowest: ${slowest.name}`, slowest.peer, [slowest]);
}

/** One document, ours and a peer's results of the alternating rounds; none of a peer that is missing. */
interface Pair {
  readonly kind: string;
  readonly name: string;
  readonly peer: string;
  readonly mine: readonly Result[];
  readonly theirs: readonly Result[];
}

/** Pages a second: of our page count on both sides, so that the ratio is that of the times. */
const speed = (pair: Pair, results: readonly Result[]): number =>
  ((pair.mine[0]?.pages ?? 0) * 1000) / median(results.map(({ ms }) => ms));
const thrift = (pair: Pair, results: readonly Result[]): number =>
  ((pair.mine[0]?.pages ?? 0) * 1000) / median(results.map(({ cpuMs }) => cpuMs));
const told = (results: readonly Result[]): string =>
  `${median(results.map(({ ms }) => ms)).toFixed(0)} ms (${median(results.map(({ cpuMs }) => cpuMs)).toFixed(0)} CPU)`;
const weight = (pair: Pair, results: readonly Result[]): number =>
  (results[0]?.bytes ?? 0) / 1000 / (pair.mine[0]?.pages ?? 1);

/** Geometric means over documents: their ratio is the geometric mean of the ratios. */
function tell(kind: string, peer: string, pairs: readonly Pair[]): void {
  if (pairs.length === 0) return;
  const common = { bench: 'raster', case: kind, peer, runs: ROUNDS } as const;
  const isMissing = pairs.some(({ theirs }) => theirs.length === 0);
  const means = (of: typeof speed): { ours: number; peerValue: number | null } => ({
    ours: geometricMean(pairs.map((pair) => of(pair, pair.mine))),
    peerValue: isMissing ? null : geometricMean(pairs.map((pair) => of(pair, pair.theirs))),
  });
  line({ ...common, metric: 'pages_per_second', unit: '1/s, geometric mean', ...means(speed) });
  line({ ...common, metric: 'pages_per_cpu_second', unit: '1/s, geometric mean', ...means(thrift) });
  if (peer !== 'render-only') line({ ...common, metric: 'kb_per_page', unit: 'KB, geometric mean', ...means(weight) });
}

const hasFailed = (results: readonly Result[]): boolean => results.some(({ error }) => error !== undefined);
const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
