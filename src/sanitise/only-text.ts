// A part as nothing but its words, or a sheet as its values: what a person asks for who wants to copy from what came. It is made
// from the original anew; only text that we clean goes out.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { forLine, forText } from '../message/untrusted.ts';
import { EntriesReader } from '../sandbox/entries-reader.ts';
import { OPERATION, type Run } from '../sandbox/wire.ts';
import type { Entry } from '../spool/spool.ts';
import { engineFor, officePdf } from './convert-office.ts';
import { drawPages, type DrawnDocument } from './draw-pages.ts';
import { inertCsv } from './inert-csv.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import { PixelReader } from './read-pixels.ts';
import { routeOf } from './route.ts';
import type { Tools } from './tools.ts';

/** Bytes of one sheet as the child gives it. */
const SHEET_BYTES = 4 * LIMITS.textChars;

/** The words of a document, or the values of its sheets. */
export async function convertToText(leaf: Leaf, type: string, as: 'text' | 'values', tools: Tools): Promise<Converted> {
  const route = routeOf(type);
  if (as === 'values') return route === 'office' ? valuesOf(leaf, tools) : refusal('unsupported-type');
  if (route === 'pdf') return wordsOf(leaf, tools);
  if (route !== 'office') return refusal('unsupported-type');
  const drawn = await officePdf(leaf, tools);
  if (drawn.kind === 'refused') return drawn.converted;
  try {
    return await wordsOf({ ...leaf, declaredType: 'application/pdf', content: drawn.pdf }, tools);
  } finally {
    await drawn.pdf.discard();
  }
}

/**
 * The text of a PDF's pages as PDFium finds it, of what is seen at the resolution of other pages; of scans without any, as it is read
 * from the pixels. Where they cannot be drawn for that, or not to the end, what was found stays.
 */
async function wordsOf(leaf: Leaf, tools: Tools): Promise<Converted> {
  const words = await pageWords(leaf, LIMITS.dpi, tools);
  if (words.drawn.kind === 'refused' || words.unread.size === 0) return told(words, leaf, tools);
  const reader = new PixelReader(tools);
  const read = await pageWords(leaf, LIMITS.sharpDpi, tools, reader);
  const all = withFound(read, words);
  const undrawn = [...words.unread].filter((index) => !read.unread.has(index)).length;
  const { findings, losses } = reader.remarks(undrawn);
  all.drawn.findings.push(...findings);
  all.drawn.losses.push(...losses);
  return told(all, leaf, tools);
}

interface PageWords {
  readonly drawn: DrawnDocument;
  readonly pages: readonly string[];
  readonly announced: number;
  /** Pages, from 0, that have ink and no text, or only some beside their picture. */
  readonly unread: ReadonlySet<number>;
}

/** What was read, and what was found before where that says nothing, up to as much as a text may have. */
function withFound(read: PageWords, found: PageWords): PageWords {
  const most = Math.max(read.pages.length, found.pages.length);
  const pages: string[] = [];
  let chars = 0;
  for (let i = 0; i < most && chars <= LIMITS.textChars; i++) {
    const text = read.pages[i] || (found.pages[i] ?? '');
    chars += text.length;
    pages.push(text);
  }
  const isShort = read.drawn.kind === 'refused' || read.pages.length < found.pages.length;
  const { drawn, announced, unread } = isShort ? found : read;
  const isCut = drawn.kind === 'drawn' && pages.length < most;
  return { drawn: isCut ? { ...drawn, cut: 'too-large' } : drawn, pages, announced, unread };
}

async function pageWords(leaf: Leaf, dpi: number, tools: Tools, reader?: PixelReader): Promise<PageWords> {
  const pages: string[] = [];
  const unread = new Set<number>();
  let announced = 0;
  let chars = 0;
  const ask = { operation: OPERATION.pagesWithText, password: '', dpi } as const;
  const drawn = await drawPages(leaf, ask, tools, async (page, index, all) => {
    announced = all;
    if (chars > LIMITS.textChars) return 'too-large';
    if (PixelReader.wants(page)) unread.add(index);
    const text = linesOf(((await reader?.read(page)) ?? page).text);
    chars += text.length;
    pages.push(text);
    return undefined;
  });
  return { drawn, pages, announced, unread };
}

async function told({ drawn, pages, announced }: PageWords, leaf: Leaf, tools: Tools): Promise<Converted> {
  if (drawn.kind === 'refused') return refusal(drawn.reason, drawn);
  const { findings, losses, cut } = drawn;
  if (cut !== undefined) losses.push({ code: 'pages-cut', detail: `${pages.length} / ${announced}, ${cut}` });
  const titled = announced > 1 ? pages.map((text, i) => `--- ${i + 1} / ${announced} ---\n${text}`) : pages;
  return textOf(leaf, [['', titled.join('\n\n')]], { findings, losses }, tools);
}

/** Runs as lines of text: a run that stands elsewhere across the direction of writing begins a line. */
export function linesOf(runs: readonly Run[]): string {
  let text = '';
  let before: Run | undefined;
  for (const run of runs) {
    if (before !== undefined) text += between(before, run);
    text += run.text;
    before = run;
  }
  return forText(text);
}

function between(before: Run, run: Run): string {
  const length = Math.hypot(before.dx, before.dy);
  const [ux, uy] = [before.dx / length, before.dy / length];
  const [gapX, gapY] = [run.x - before.x - before.dx, run.y - before.y - before.dy];
  const along = gapX * ux + gapY * uy;
  const across = Math.abs(gapY * ux - gapX * uy);
  const size = Math.max(before.size, run.size);
  if (across > 0.5 * size || along < -2 * size) return '\n';
  return along > 2 * size ? '\t' : along > 0.15 * size && !/\s$/.test(before.text) ? ' ' : '';
}

async function valuesOf(leaf: Leaf, tools: Tools): Promise<Converted> {
  const remarks = { findings: [] as Remark[], losses: [] as Remark[] };
  const sheets: [name: string, bytes: Buffer[]][] = [];
  let room = SHEET_BYTES;
  const reader = new EntriesReader({
    onEntry: ({ name }) => void sheets.push([forLine(name, 60), []]),
    onBytes: (chunk) => {
      room -= chunk.length;
      if (room >= 0) sheets.at(-1)?.[1].push(Buffer.from(chunk));
    },
    onEntryEnd: () => undefined,
    onLetters: () => undefined,
    onFinding: (remark) => remarks.findings.push(remark),
    onLoss: (remark) => remarks.losses.push(remark),
  });
  const ask = {
    family: engineFor(tools),
    operation: OPERATION.values,
    deadlineMs: LIMITS.officeMs,
    totalMs: LIMITS.officeMs,
    whole: () => reader.finish(),
  };
  const outcome = await tools.run(leaf, ask, () => reader.take);
  if (outcome.kind !== 'done') return refusal(outcome.reason, remarks);
  if (room < 0) return refusal('too-large', remarks);
  if (sheets.length === 0) return refusal('empty', remarks);
  const texts = sheets.map(([name, chunks]): [string, string] => [
    name,
    inertCsv(Buffer.concat(chunks).toString('utf8')),
  ]);
  return textOf(leaf, texts, remarks, tools);
}

async function textOf(
  leaf: Leaf,
  texts: readonly (readonly [name: string, text: string])[],
  remarks: Pick<Converted, 'findings' | 'losses'>,
  tools: Tools,
): Promise<Converted> {
  const outputs: Entry[] = [];
  for (const [name, text] of texts) {
    const stem = name === '' ? leaf.name : `${leaf.name.replace(/\.[^.]*$/, '')}-${name}`;
    const content = await tools.keep(Buffer.from(forText(`${text.trimEnd()}\n`), 'utf8'));
    outputs.push({ name: tools.nextFile(stem, 'txt'), content });
  }
  return { verdict: 'text', reason: null, outputs, pages: 0, ...remarks };
}
