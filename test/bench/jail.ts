// The jail bench: what a document costs behind all walls against Node's permission model alone. `warm`: in a child that is
// used again; `single-use`: in a child that was started for it and ends with it.
import { readFileSync } from 'node:fs';
import { JailedChild, type ChildRequest } from '../../src/sandbox/child.ts';
import { FAMILIES, type FamilyName } from '../../src/sandbox/families.ts';
import type { Walls } from '../../src/sandbox/jail.ts';
import { machineJail, tellJail } from '../../src/sandbox/probe.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { line, median } from './lines.ts';

const ROUNDS = 15;
const WARM_INPUTS = 400;
const TICK_MS = 10; // clock ticks in /proc/<pid>/stat: 100 a second on every Linux we run on

/** Families that can do without the outer walls, to be compared with them. */
type Compared = Exclude<FamilyName, 'auth' | 'archive' | 'office' | 'office-wasm'>;

const INPUTS: { readonly [family in Compared]: string } = {
  mail: 'mail/iso-2022-jp-attachments.eml',
  text: 'file/会議録-sjis.txt',
  pdf: 'file/研修のお知らせ.pdf',
  image: 'file/rotated-gps.jpg',
};

interface Cost {
  readonly startMs: number;
  readonly documentMs: number;
  readonly cpuMs: number;
}

const REQUEST: ChildRequest = {
  operation: OPERATION.convert,
  dpi: 150,
  maxPages: 10,
  declaredType: 'text/plain',
  name: '',
  password: '',
};

async function once(child: JailedChild, input: Uint8Array): Promise<number> {
  const started = performance.now();
  const bounds = { deadlineMs: 60_000, totalMs: 60_000, signal: new AbortController().signal };
  const outcome = await child.run(REQUEST, input, () => undefined, bounds);
  if (outcome.kind !== 'done') throw new Error(`${child.family.name}: ${JSON.stringify(outcome)}`);
  return performance.now() - started;
}

/** A child that is started for one document, and what it and the processes that hold it took. */
async function singleUse(family: FamilyName, walls: Walls, input: Uint8Array): Promise<Cost> {
  const started = performance.now();
  const child = await JailedChild.start(FAMILIES[family], () => undefined, walls);
  const startMs = performance.now() - started;
  const documentMs = await once(child, input);
  const cpuMs = treeCpuMs(child.pid ?? 0);
  await child.stop();
  return { startMs, documentMs, cpuMs };
}

/** Milliseconds a document takes in a warm child of each kind; the two take turns. */
async function warm(family: FamilyName, variants: readonly Walls[], input: Uint8Array): Promise<number[]> {
  const children = await Promise.all(
    variants.map(async (walls) => JailedChild.start(FAMILIES[family], () => undefined, walls)),
  );
  const inputs = Math.min(WARM_INPUTS, FAMILIES[family].inputsPerChild);
  const took: number[][] = children.map(() => []);
  for (let i = 0; i < inputs; i++)
    for (const [side, child] of children.entries()) took[side]?.push(await once(child, input));
  await Promise.all(children.map(async (child) => child.stop()));
  return took.map((ms) => median(ms.slice(inputs >> 1)));
}

/** CPU milliseconds of a process and its descendants so far. */
function treeCpuMs(root: number): number {
  const stat = readFileSync(`/proc/${root}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  const children = readFileSync(`/proc/${root}/task/${root}/children`, 'latin1').trim().split(' ').filter(Boolean);
  return children.reduce((sum, pid) => sum + treeCpuMs(Number(pid)), own);
}

/** `npm run bench -- jail`. */
export async function benchJail(): Promise<void> {
  const jail = await machineJail();
  process.stderr.write(`jail: ${tellJail(jail)}\n`);
  const { walls } = jail;
  const variants = [walls, { ...walls, bubblewrap: undefined, prlimit: undefined, filter: undefined }];
  for (const family of Object.keys(INPUTS) as Compared[]) {
    const input = readFileSync(new URL(`../../samples/${INPUTS[family]}`, import.meta.url));
    const costs: Cost[][] = variants.map(() => []);
    for (let round = 0; round < ROUNDS; round++)
      for (const [side, each] of variants.entries()) costs[side]?.push(await singleUse(family, each, input));
    const tell = (name: string, metric: string, [ours = Number.NaN, peerValue = Number.NaN]: readonly number[]): void =>
      line({
        bench: 'jail',
        case: `${family} ${name}`,
        metric,
        unit: 'ms',
        ours,
        peer: 'node-permission-only',
        peerValue,
        runs: ROUNDS,
      });
    const sides = (pick: (cost: Cost) => number): number[] => costs.map((side) => median(side.map(pick)));
    tell(
      'single-use',
      'start_ms',
      sides(({ startMs }) => startMs),
    );
    tell(
      'single-use',
      'document_ms',
      sides(({ documentMs }) => documentMs),
    );
    tell(
      'single-use',
      'cpu_ms',
      sides(({ cpuMs }) => cpuMs),
    );
    if (FAMILIES[family].inputsPerChild > 1) tell('warm', 'document_ms', await warm(family, variants, input));
  }
}
