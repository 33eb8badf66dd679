// The jail bench: what a document costs behind all walls against Node's permission model alone. `warm`: in a child that is
// used again; `single-use`: in a child that was started for it and ends with it; `spare`: the same where the next child was started
// beforehand, against waiting for its start. LibreOffice of the system is never started without bubblewrap: it is compared with the
// WebAssembly one. `npm run bench -- jail [family…]`
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { JailedChild, type ChildRequest } from '../../src/sandbox/child.ts';
import { FAMILIES, officeFamily, type FamilyName } from '../../src/sandbox/families.ts';
import type { Walls } from '../../src/sandbox/jail.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { makeCodeCache } from '../../src/sandbox/make-code-cache.ts';
import { machineJail, tellJail } from '../../src/sandbox/probe.ts';
import { OPERATION, PIXEL } from '../../src/sandbox/wire.ts';
import { seeded } from '../support/attack-row.ts';
import { docx } from '../support/office-files.ts';
import { treeCpuMs } from './cpu.ts';
import { line, median } from './lines.ts';

const ROUNDS = 9;
/** Seconds each, and the figures differ by more than the noise. */
const OFFICE_ROUNDS = 3;
const WARM_INPUTS = 200;
const WARM_DOCUMENTS = 40;

/** Families that can do without the outer walls, to be compared with them. */
type Compared = Exclude<FamilyName, 'auth' | 'office' | 'office-wasm' | 'ocr'>;

const INPUTS: { readonly [family in Exclude<Compared, 'codes'>]: string } = {
  mail: 'mail/iso-2022-jp-attachments.eml',
  text: 'file/会議録-sjis.txt',
  pdf: 'file/研修のお知らせ.pdf',
  image: 'file/rotated-gps.jpg',
  archive: 'file/資料一式.zip',
};

/** A4 at 150 dpi in 4-bit grey with lines of something like print, and no code: what nearly every page is. */
function printedPage(): Buffer {
  const [width, height] = [1240, 1754];
  const page = Buffer.alloc(12 + (width * height) / 2, 0xff);
  for (const [at, number] of [width, height, PIXEL.grey4].entries()) page.writeUInt32BE(number, 4 * at);
  const next = seeded(91);
  for (let y = 100; y < height - 100; y++)
    for (let x = 50; y % 24 < 14 && x < width / 2 - 50; x++)
      if (next() < 0.35) page[12 + (y * width) / 2 + x] = next() < 0.5 ? 0x00 : 0x0f;
  return page;
}

const inputOf = (family: Compared): Buffer =>
  family === 'codes' ? printedPage() : readFileSync(new URL(`../../samples/${INPUTS[family]}`, import.meta.url));

const { signal } = new AbortController();

interface Cost {
  readonly startMs: number;
  readonly documentMs: number;
  readonly cpuMs: number;
}

const TYPES: { readonly [family in FamilyName]?: string } = {
  archive: 'application/zip',
  office: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'office-wasm': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

const requestOf = (family: FamilyName): ChildRequest => ({
  operation: OPERATION.convert,
  dpi: 150,
  maxPages: 10,
  declaredType: TYPES[family] ?? 'text/plain',
  name: '',
  password: '',
});

async function once(child: JailedChild, input: Uint8Array): Promise<number> {
  const started = performance.now();
  const bounds = { deadlineMs: 120_000, totalMs: 120_000, signal };
  const outcome = await child.run(requestOf(child.family.name), input, () => undefined, bounds);
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
  const inputs = FAMILIES[family].inputsPerChild > WARM_INPUTS ? WARM_INPUTS : WARM_DOCUMENTS;
  const took: number[][] = children.map(() => []);
  for (let i = 0; i < inputs; i++)
    for (const [side, child] of children.entries()) took[side]?.push(await once(child, input));
  await Promise.all(children.map(async (child) => child.stop()));
  return took.map((ms) => median(ms.slice(inputs >> 1)));
}

/** Milliseconds from asking a pool to its child, where a spare is ready. */
async function spare(family: FamilyName, walls: Walls, input: Uint8Array): Promise<number> {
  await using pool = new ChildPool(
    { ...FAMILIES[family], inputsPerChild: 1 },
    { most: 1, warm: 1 },
    () => undefined,
    walls,
  );
  await pool.warm();
  const waits: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    while (!pool.free.ready) await sleep(50);
    const asked = performance.now();
    await pool.use(signal, async (child) => {
      waits.push(performance.now() - asked);
      await once(child, input);
    });
  }
  return median(waits);
}

/** The two office engines, a document each in a child of its own. */
async function benchOffice(walls: Walls): Promise<void> {
  const input = docx('<w:p><w:r><w:t>職員各位　研修のお知らせ</w:t></w:r></w:p>'.repeat(40));
  const families = ['office', 'office-wasm'] as const;
  const costs: Cost[][] = families.map(() => []);
  for (let round = 0; round < OFFICE_ROUNDS; round++)
    for (const [side, family] of families.entries()) {
      if (family === 'office' && officeFamily(walls).name !== 'office') continue;
      costs[side]?.push(await singleUse(family, walls, input));
    }
  for (const [metric, pick] of [
    ['start_ms', ({ startMs }: Cost) => startMs],
    ['document_ms', ({ documentMs }: Cost) => documentMs],
    ['cpu_ms', ({ cpuMs }: Cost) => cpuMs],
  ] as const) {
    const [ours = Number.NaN, peerValue = Number.NaN] = costs.map((side) => median(side.map(pick)));
    const common = { bench: 'jail', case: 'office single-use', metric, unit: 'ms', runs: OFFICE_ROUNDS } as const;
    line({ ...common, ours, peer: 'office-wasm', peerValue });
  }
}

/** A child for one document with the cache of compiled code against one without it; the two take turns. */
async function benchCache(family: FamilyName, walls: Walls, input: Uint8Array): Promise<void> {
  await makeCodeCache(signal);
  const costs: Cost[][] = [[], []];
  for (let round = 0; round < ROUNDS; round++)
    for (const [side, uncached] of [false, true].entries())
      costs[side]?.push(await singleUse(family, { ...walls, uncached }, input));
  for (const [metric, pick] of [
    ['start_ms', ({ startMs }: Cost) => startMs],
    ['cpu_ms', ({ cpuMs }: Cost) => cpuMs],
  ] as const) {
    const [ours = Number.NaN, peerValue = Number.NaN] = costs.map((side) => median(side.map(pick)));
    const common = {
      bench: 'jail',
      case: `${family} single-use, code cache`,
      metric,
      unit: 'ms',
      runs: ROUNDS,
    } as const;
    line({ ...common, ours, peer: 'without-code-cache', peerValue });
  }
}

/** `npm run bench -- jail`. */
export async function benchJail(): Promise<void> {
  const jail = await machineJail();
  process.stderr.write(`jail: ${tellJail(jail)}\n`);
  const { walls } = jail;
  // The outer walls alone are compared: only behind them is there a cache of the code, so neither side has it.
  const variants = [
    { ...walls, uncached: true },
    { ...walls, uncached: true, bubblewrap: undefined, prlimit: undefined, filter: undefined, memory: undefined },
  ];
  const wanted = process.argv.slice(3);
  const isWanted = (family: FamilyName): boolean => wanted.length === 0 || wanted.includes(family);
  for (const family of ([...Object.keys(INPUTS), 'codes'] as Compared[]).filter(isWanted)) {
    const input = inputOf(family);
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
    await benchCache(family, walls, input);
    line({
      bench: 'jail',
      case: `${family} spare`,
      metric: 'wait_ms',
      unit: 'ms',
      ours: await spare(family, walls, input),
      peer: 'no-spare',
      peerValue: sides(({ startMs }) => startMs)[0] ?? null,
      runs: ROUNDS,
    });
    if (FAMILIES[family].inputsPerChild > 1) tell('warm', 'document_ms', await warm(family, variants, input));
  }
  if (isWanted('office') && walls.bubblewrap !== undefined) await benchOffice(walls);
}
