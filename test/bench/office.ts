// `npm run bench -- office [one-page|engines|memory|archives]`: a one-page document with a warm spare against the native engine's own
// conversion, in one alternating run; what the WebAssembly engine costs against the native one; peak memory of a child, and of the
// host over many documents; whether a zip of small files grows in a straight line.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES } from '../../src/sandbox/families.ts';
import { residentBytes } from '../../src/sandbox/process-tree.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { officePdf } from '../../src/sanitise/convert-office.ts';
import { openPools, type OpenPools } from '../../src/sanitise/pools.ts';
import { makeHarmless, type SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { Tools } from '../../src/sanitise/tools.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage, type Store } from '../../src/store/store.ts';
import { docx, paragraph, sheetData, xlsx, zipOf } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';
import { treeCpuMs } from './cpu.ts';
import { line, median } from './lines.ts';
import { SOFFICE, WarmOffice } from './warm-office.ts';

const RUNS = 9;
const ENGINE_RUNS = 5;
/** Milliseconds after which no further run begins: on a busy machine there are fewer, and the lines say how many. */
const RUNS_MS = 120_000;
const HOST_DOCUMENTS = 15;
const MIB = 1024 * 1024;

/** One page of a letter, some 900 letters. */
const LETTER = docx(letter(25));
/** Thirty pages of text, and the longest sheet that is drawn whole. */
const LARGE = {
  'docx of 30 pages': docx(letter(1200)),
  'xlsx of 5,000 rows': xlsx([
    {
      name: '名簿',
      xml: sheetData(
        Array.from({ length: 5000 }, (_, y) => Array.from({ length: 8 }, (_cell, x) => `鹿島市${y}-${x}`)),
      ),
    },
  ]),
};

function letter(lines: number): string {
  return Array.from({ length: lines }, (_, n) =>
    paragraph(`第${n + 1}条　鹿島市の補助金の交付については、この要綱の定めるところによるものとする。`),
  ).join('');
}

interface Bench {
  readonly folder: string;
  readonly store: Store;
  readonly pools: OpenPools;
  readonly tools: SanitiseTools;
}

const { signal } = new AbortController();

export async function benchOffice(wanted: readonly string[]): Promise<void> {
  const isWanted = (part: string): boolean => wanted.length === 0 || wanted.includes(part);
  await using folder = await scratch();
  const store = await openFsStore(join(folder.path, 'store'));
  const pools = await openPools(1, () => undefined);
  const tools: SanitiseTools = {
    pools: pools.pools,
    policy: builtInPolicy(),
    passwords: [],
    metrics: openMetrics(false),
    begin: (cap) => store.begin(cap),
    version: 'bench',
  };
  const bench = { folder: folder.path, store, pools, tools };
  try {
    if (isWanted('one-page')) await onePage(bench);
    if (isWanted('memory')) await hostMemory(bench);
    if (isWanted('archives')) await archives(bench);
  } finally {
    await pools.close();
  }
  if (isWanted('engines')) await engineCpu();
  if (isWanted('memory')) await childMemory();
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Milliseconds of the whole road from bytes to pages that are ready to be sealed. */
async function sanitise({ store, tools }: Bench, name: string, bytes: Buffer): Promise<number> {
  const started = performance.now();
  const content = await stage(store, one(bytes), LIMITS.messageBytes, signal);
  const source = { kind: 'file', name, size: content.size, sha256: content.sha256 } as const;
  const input = {
    id: newMessageId(),
    source,
    envelope: { from: '', to: [] },
    receivedAt: new Date().toISOString(),
    content,
  };
  const { record, outputs } = await makeHarmless(input, tools, signal);
  const ms = performance.now() - started;
  if (record.state !== 'sanitised') throw new Error(`${name}: ${record.reason}`);
  for (const output of outputs) if ('discard' in output.content) await output.content.discard();
  return ms;
}

/** Milliseconds from bytes to the PDF of the engine in its jail, which the PDF child draws later. */
async function toPdf({ store, tools }: Bench, name: string, bytes: Buffer): Promise<number> {
  const content = await stage(store, one(bytes), LIMITS.messageBytes, signal);
  const started = performance.now();
  const { pools, policy, metrics, passwords, begin } = tools;
  const leaf = { path: '1', depth: 0, name, declaredType: '', content };
  const drawn = await officePdf(leaf, new Tools({ pools, policy, metrics, passwords, begin }, signal));
  const ms = performance.now() - started;
  if (drawn.kind !== 'pdf') throw new Error(`${name}: ${drawn.converted.reason}`);
  await drawn.pdf.discard();
  await content.discard();
  return ms;
}

/** Waits until a spare of the office family stands ready, as it does between two mails. */
async function spareReady({ pools }: Bench): Promise<void> {
  while (!pools.pools.office.free.ready) await sleep(10);
}

async function onePage(bench: Bench): Promise<void> {
  const engine = bench.pools.pools.office.family.name;
  await sanitise(bench, 'a.docx', LETTER); // starts everything, and the first spare
  const took = { pdf: [] as number[], pages: [] as number[], peer: [] as number[] };
  const end = performance.now() + RUNS_MS;
  for (let run = 0; run < RUNS && (run < 2 || performance.now() < end); run++) {
    const peer = existsSync(SOFFICE) ? await WarmOffice.start(join(bench.folder, `peer${run}`)) : undefined;
    await spareReady(bench);
    took.pdf.push(await toPdf(bench, 'a.docx', LETTER));
    await spareReady(bench);
    took.pages.push(await sanitise(bench, 'a.docx', LETTER));
    await spareReady(bench); // while it starts it would cost the other side
    if (peer === undefined) continue;
    took.peer.push(await peer.convert(LETTER));
    await peer.stop();
  }
  const peerValue = took.peer.length === 0 ? null : median(took.peer);
  const common = {
    bench: 'office',
    metric: 'latency_ms',
    unit: 'ms',
    peer: 'soffice',
    peerValue,
    runs: took.pdf.length,
  } as const;
  line({ ...common, case: `one-page docx to PDF by a warm spare, ${engine}`, ours: median(took.pdf) });
  line({ ...common, case: `one-page docx to pages ready to be sealed, ${engine}`, ours: median(took.pages) });
}

const FAMILY_NAMES = ['office', 'office-wasm'] as const;
type Engine = (typeof FAMILY_NAMES)[number];

function enginesHere(): readonly Engine[] {
  return existsSync(SOFFICE) ? FAMILY_NAMES : ['office-wasm'];
}

interface Life {
  readonly startCpuMs: number;
  readonly documentCpuMs: number;
  readonly peakBytes: number;
}

/** One child, one document. CPU is read while its processes still stand: killed ones leave no account to whoever waits for them. */
async function life(family: Engine, document: Buffer): Promise<Life> {
  const child = await JailedChild.start(FAMILIES[family], () => undefined);
  const pid = child.pid ?? 0;
  let peakBytes = 0;
  const look = (): void => void (peakBytes = Math.max(peakBytes, residentBytes(pid)));
  const timer = setInterval(look, 20);
  try {
    const startCpuMs = treeCpuMs(pid);
    const bounds = { deadlineMs: LIMITS.officeMs, totalMs: LIMITS.officeMs, signal };
    const ask = { operation: OPERATION.convert, dpi: 150, maxPages: 2000, declaredType: '', name: '', password: '' };
    const outcome = await child.run(ask, document, () => undefined, bounds);
    if (outcome.kind !== 'done') throw new Error(`${family}: ${JSON.stringify(outcome)}`);
    look();
    return { startCpuMs, documentCpuMs: treeCpuMs(pid) - startCpuMs, peakBytes };
  } finally {
    clearInterval(timer);
    await child.stop();
  }
}

async function engineCpu(): Promise<void> {
  const lives: { [engine in Engine]: Life[] } = { office: [], 'office-wasm': [] };
  const end = performance.now() + RUNS_MS;
  let runs = 0;
  for (; runs < ENGINE_RUNS && (runs < 2 || performance.now() < end); runs++)
    for (const family of enginesHere()) lives[family].push(await life(family, LETTER));
  const common = { bench: 'office', metric: 'cpu_ms', unit: 'ms', peer: 'native', runs } as const;
  const tell = (name: string, pick: (one: Life) => number): void => {
    const native = lives.office.map(pick);
    const peerValue = native.length === 0 ? null : median(native);
    line({
      ...common,
      case: `one-page docx by WebAssembly, ${name}`,
      ours: median(lives['office-wasm'].map(pick)),
      peerValue,
    });
  };
  tell('a whole life', ({ startCpuMs, documentCpuMs }) => startCpuMs + documentCpuMs);
  tell('its start', ({ startCpuMs }) => startCpuMs);
  tell('its document', ({ documentCpuMs }) => documentCpuMs);
}

async function childMemory(): Promise<void> {
  for (const family of enginesHere())
    for (const [name, document] of Object.entries({ 'one-page docx': LETTER, ...LARGE })) {
      const { peakBytes } = await life(family, document);
      const most = family === 'office' ? 1024 : 1200;
      const common = {
        bench: 'office',
        metric: 'peak_rss_mb',
        unit: 'MB',
        peer: 'most',
        peerValue: most,
        runs: 1,
      } as const;
      line({ ...common, case: `${name}, ${family}`, ours: peakBytes / MIB });
    }
}

async function hostMemory(bench: Bench): Promise<void> {
  const few: number[] = [];
  const many: number[] = [];
  for (let n = 0; n < HOST_DOCUMENTS; n++) {
    await sanitise(bench, 'a.docx', LETTER);
    const third = HOST_DOCUMENTS / 3;
    if (n < third) few.push(process.memoryUsage.rss() / MIB);
    else if (n >= 2 * third) many.push(process.memoryUsage.rss() / MIB);
  }
  line({
    bench: 'office',
    case: `the host over ${HOST_DOCUMENTS} documents: its last third against its first`,
    metric: 'peak_rss_mb',
    unit: 'MB',
    ours: Math.max(...many),
    peer: 'first third',
    peerValue: Math.max(...few),
    runs: HOST_DOCUMENTS,
  });
}

async function archives(bench: Bench): Promise<void> {
  const zip = (count: number): Buffer =>
    zipOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}.txt`, `text ${n}\n`])));
  const few = zip(250);
  const many = zip(999);
  await sanitise(bench, 'warm.zip', few);
  const times: number[] = [];
  const small: number[] = [];
  for (let run = 0; run < 3; run++) {
    small.push((await sanitise(bench, 'few.zip', few)) * (999 / 250));
    times.push(await sanitise(bench, 'many.zip', many));
  }
  line({
    bench: 'office',
    case: 'zip of 999 small files, against four times the time of 250',
    metric: 'latency_ms',
    unit: 'ms',
    ours: median(times),
    peer: 'linear',
    peerValue: median(small),
    runs: times.length,
  });
}
