// How legible pages are: their likeness to the exact drawing, and how many of their letters Tesseract reads, ours beside the
// peers'. Japanese pages whose words are known.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { PixelReader } from '../../src/sanitise/read-pixels.ts';
import { Tools } from '../../src/sanitise/tools.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { printHtml } from '../support/chromium-print.ts';
import { likeness } from '../support/likeness.ts';
import { line } from './lines.ts';
import { OpenPage, greyOf, type PageSize, type Pixels } from './page-pixels.ts';
import { named, startOurs, type Converter, type Peer } from './raster-converters.ts';
import { BenchRefused } from './refused.ts';
import { similarity, type Part } from './similarity.ts';

const PEER_DPI = 150;
/** Ours, as short documents get it and at the peers' resolution. */
const OURS = [
  ['ours at 200 dpi, as it comes', 0, 200],
  ['ours at 150 dpi', 150, 150],
] as const;

const WORDS = [
  '令和八年度避難所運営訓練の実施について',
  '平素より市政の推進に御協力をいただき、厚く御礼申し上げます。',
  '下記のとおり実施いたしますので、御出席くださいますようお願い申し上げます。',
  '鹿嶋市役所第二庁舎三階大会議室において開催します。',
  '担当は総務部危機管理課、電話は0299-82-2911です。',
  '申請書には住所、氏名、生年月日及び連絡先を記入し、押印のうえ提出してください。',
  '渡邊、齋藤、髙橋、廣瀨の各委員は、議案第十二号を審査しました。',
];
const PAGES: readonly (readonly [name: string, style: string])[] = [
  ['12 pt mincho', 'body { font: 12pt mincho }'],
  ['9 pt gothic', 'body { font: 9pt gothic }'],
  ['7 pt mincho', 'body { font: 7pt mincho }'],
];

interface Made {
  readonly likeness: number;
  readonly letters: number;
}

export async function benchLegible(folder: string, peers: readonly Peer[]): Promise<void> {
  const reader = await openReader(join(folder, 'read'));
  try {
    for (const [name, style] of PAGES) {
      const source = printed(style);
      const path = join(folder, 'legible.pdf');
      await writeFile(path, source);
      const judge = async (converter: Converter, dpi: number): Promise<Made> => {
        const keep = join(folder, 'legible-out.pdf');
        const { error } = await converter.convert(path, keep).finally(() => converter.stop());
        if (error !== undefined) throw new Error(error);
        const page = new OpenPage(await readFile(keep));
        const pixels = greyOf(page.at(dpi));
        const letters = likeness(WORDS.join(''), await reader.read(pixels, page.size));
        return { likeness: nearest(new OpenPage(source), pixels, dpi), letters };
      };
      const mine: [string, Made][] = [];
      for (const [label, asked, dpi] of OURS) mine.push([label, await judge(startOurs(folder, { dpi: asked }), dpi)]);
      for (const peer of peers) {
        if (peer.name === 'render-only') continue; // it makes no file
        const theirs = peer.start === undefined ? undefined : await judge(peer.start('0'), PEER_DPI);
        for (const [label, ours] of mine) tell(`${name}, ${label}`, named(peer), ours, theirs);
      }
    }
  } finally {
    await reader.close();
  }
}

function printed(style: string): Buffer {
  try {
    return printHtml(WORDS.map((words) => `<p>${words}</p>`).join(''), style);
  } catch (error) {
    throw new BenchRefused(`legible needs chromium to print its pages: ${String(error).slice(0, 100)}`, 1);
  }
}

function tell(of: string, peer: string, ours: Made, theirs: Made | undefined): void {
  const common = { bench: 'raster', case: of, peer, runs: 1 } as const;
  line({
    ...common,
    metric: 'ssim',
    unit: 'to the exact drawing in the same resolution, windows with ink',
    ours: ours.likeness,
    peerValue: theirs?.likeness ?? null,
  });
  line({
    ...common,
    metric: 'ocr_characters',
    unit: 'share of the characters that Tesseract reads in their order',
    ours: ours.letters,
    peerValue: theirs?.letters ?? null,
  });
}

/** Programs put a page on the grid a part of a pixel apart: each is compared with the exact drawing that lies as its own does. */
function nearest(source: OpenPage, seen: Pixels, dpi: number): number {
  const part = partWithInk(seen);
  let best = -1;
  let exact: Pixels | undefined;
  for (const right of [-4, -3, -2, -1, 0, 1, 2, 3, 4])
    for (const down of [-4, -3, -2, -1, 0, 1, 2, 3, 4]) {
      const moved = source.exact(dpi, [right, down], { from: part.top, to: part.top + part.height });
      const value = similarity(moved, seen, part);
      if (value <= best) continue;
      best = value;
      exact = source.exact(dpi, [right, down]);
    }
  return exact === undefined ? 0 : similarity(exact, seen);
}

/** A band around the first lines. */
function partWithInk({ width, data }: Pixels): Part {
  const first = Math.floor(data.findIndex((value) => value < 128) / width);
  return { left: 0, top: Math.max(0, first - 8), width, height: 80 };
}

/** Tesseract in its child, as scans are read on the road. */
async function openReader(folder: string): Promise<{
  read(pixels: Pixels, size: PageSize): Promise<string>;
  close(): Promise<void>;
}> {
  const store = await openFsStore(folder);
  const pools = await openPools(1, () => undefined);
  const tools = new Tools(
    {
      pools: pools.pools,
      policy: builtInPolicy(),
      metrics: openMetrics(false),
      passwords: [],
      begin: (cap) => store.begin(cap),
    },
    new AbortController().signal,
  );
  return {
    read: async ({ width, height, data }, size) => {
      const page = { width, height, ...size, format: PIXEL.grey8, pixels: Buffer.from(data), text: [] };
      const { text } = await new PixelReader(tools).read(page);
      return text.map((run) => run.text).join('');
    },
    close: async () => pools.close(),
  };
}
