// Documents: pixels from a jailed child, encoded here, by us, from numbers we checked.
import { reasonWords, type Language } from '../message/account.ts';
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { StageWriter } from '../spool/spool.ts';
import type { RasterPage } from '../sandbox/raster-page.ts';
import { drawPages, type DrawnDocument, type PagesAsk } from './draw-pages.ts';
import { noticeLines, noticePdf, type Missing } from './notice-page.ts';
import { LivePages } from './live-pages.ts';
import { PagePdf } from './page-pdf.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import { CodeFinder } from './read-codes.ts';
import { PixelReader } from './read-pixels.ts';
import type { Tools } from './tools.ts';

/** What a document adds to the pages of its PDF. */
export interface More {
  /** Is shown every page with its text. */
  readonly see?: (page: RasterPage) => void;
  /** Lines of a page behind the last one: what of the document is not on the pages. */
  readonly notice?: readonly string[] | undefined;
}

/**
 * A PDF becomes a PDF of page images. Pages that were good before a child was stopped by a limit are kept and told. A
 * locked one is tried with each password that was given.
 */
export async function convertPdf(leaf: Leaf, tools: Tools, more: More = {}): Promise<Converted> {
  let converted = await convertPdfWith('', leaf, tools, more);
  for (const password of tools.passwords) {
    if (converted.reason !== 'password-needed' && converted.reason !== 'password-wrong') break;
    converted = await convertPdfWith(password, leaf, tools, more);
  }
  return converted;
}

async function convertPdfWith(password: string, leaf: Leaf, tools: Tools, { see, notice }: More): Promise<Converted> {
  if (tools.budget.pagesLeft === 0) return refusal('too-many-pages');
  const { textLayer } = tools.policy;
  const output = tools.output();
  try {
    let announced = 0;
    const only = tools.only?.as === 'pages' ? tools.only : undefined;
    const reader = tools.policy.ocr && textLayer ? new PixelReader(tools) : undefined;
    const codes = new CodeFinder(leaf.path, tools);
    const range: Partial<PagesAsk> =
      only === undefined ? fineFor(reader, tools) : { first: only.from - 1, end: only.to, dpi: only.dpi };
    const live = new LivePages(leaf, tools);
    const pdf = new PagePdf(output, { layered: textLayer, onPage: live.add });
    const plain = textLayer || see !== undefined ? OPERATION.pagesWithText : OPERATION.pages;
    const operation = only?.colour === true ? OPERATION.pagesInColour : plain;
    const drawn = await drawPages(leaf, { operation, password, ...range }, tools, async (page, _index, pages) => {
      announced = pages;
      live.pages = pages - (range.first ?? 0);
      see?.(page);
      // Pages that fit are kept: the first that might not ends the document.
      const pixels = page.width * page.height;
      if (pdf.pages > 0 && tools.budget.outputLeft < roomFor(page, pages)) return 'too-large';
      if (pdf.pages > 0 && tools.budget.pixelsLeft < pixels) return 'too-many-pixels';
      tools.budget.pixels(pixels);
      if (only === undefined) await codes.look(page);
      return pdf.add((await reader?.read(page)) ?? page);
    });
    tools.budget.pages(pdf.pages);
    tools.metrics.pages.inc(pdf.pages);
    const said = await codes.remarks();
    if (drawn.kind === 'refused') {
      output.abort();
      return refusal(drawn.reason, drawn);
    }
    const { pages, cut, findings, losses } = drawn;
    const read = reader?.remarks();
    findings.push(...(read?.findings ?? []), ...said.findings);
    losses.push(...(read?.losses ?? []), ...said.losses);
    if (cut !== undefined) losses.push({ code: 'pages-cut', detail: `${pages} / ${announced}, ${cut}` });
    const missing = only === undefined ? missingOf(drawn, losses, tools.policy.language) : undefined;
    const { language } = tools.policy;
    live.drawn = pdf.pages;
    if (notice !== undefined && only === undefined) await addNotice(notice, leaf, tools, pdf);
    if (missing !== undefined) await addNotice(noticeLines(missing, language), leaf, tools, pdf);
    await pdf.finish();
    return pagesOf({ pages, findings, losses }, output, live.name);
  } catch (error) {
    output.abort();
    throw error;
  }
}

/** Small letters of a scan are read right at 200 dpi, and not at 150. */
function fineFor(reader: PixelReader | undefined, { policy }: Tools): Partial<PagesAsk> {
  return reader !== undefined && policy.limits.dpi === 0 ? { dpi: LIMITS.sharpDpi } : {};
}

/** Bytes kept for the end of a file and its notice. */
const END_BYTES = 256 * 1024;

/** Bytes that a page may need at most, those in the making, and the end of the file. */
export function roomFor(page: RasterPage, pages: number): number {
  return 3 * page.pixels.length + END_BYTES + 100 * pages;
}

/** What the reader must be told on paper; undefined for a whole document. */
export function missingOf(
  drawn: Pick<Extract<DrawnDocument, { kind: 'drawn' }>, 'pages' | 'announced' | 'cut'>,
  losses: readonly Remark[],
  language: Language,
): Missing | undefined {
  const { pages, announced, cut } = drawn;
  // The child may have been asked for fewer pages than there are.
  const counted = losses
    .filter(({ code }) => code === 'pages-cut')
    .flatMap(({ detail }) => detail.match(/^\d+ of (\d+) pages$/)?.[1] ?? [])[0];
  if (cut === undefined && counted === undefined) return undefined;
  return {
    pages,
    announced: counted === undefined ? announced : Number(counted),
    reason: reasonWords(cut ?? 'too-many-pages', language),
  };
}

export async function addNotice(lines: readonly string[], leaf: Leaf, tools: Tools, pdf: PagePdf): Promise<void> {
  const writer = tools.begin(LIMITS.outputBytes);
  await writer.write(await noticePdf(lines));
  const content = writer.finish();
  try {
    const operation = tools.policy.textLayer ? OPERATION.pagesWithText : OPERATION.pages;
    const notice = { ...leaf, name: 'notice', content };
    await drawPages(notice, { operation, password: '', ours: true }, tools, async (page) => pdf.add(page));
  } finally {
    await content.discard();
  }
}

/** The part whose pages these are. */
export function pagesOf(rest: Rest, output: StageWriter, name: string): Converted {
  return { ...rest, verdict: 'pages', reason: null, outputs: [{ name, content: output.finish() }] };
}

export type Rest = Pick<Converted, 'pages' | 'findings' | 'losses'>;
