// Documents and pictures: pixels from a jailed child, encoded here, by us, from numbers we checked.
import { reasonWords, type Language } from '../message/account.ts';
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import type { JailedChild } from '../sandbox/child.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { StageWriter } from '../spool/spool.ts';
import { PageCollector, type Collected, type RasterPage } from '../sandbox/raster-page.ts';
import { drawPages, type DrawnDocument, type PagesAsk } from './draw-pages.ts';
import { noticeLines, noticePdf, type Missing } from './notice-page.ts';
import { PagePdf, singlePage } from './page-pdf.ts';
import type { EncodedPage } from './pdf-writer.ts';
import { encodePicture } from './picture.ts';
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
    let name: string | undefined;
    let announced = 0;
    const { live } = tools;
    const only = tools.only?.as === 'pages' ? tools.only : undefined;
    const reader = tools.policy.ocr && textLayer ? new PixelReader(tools) : undefined;
    const codes = new CodeFinder(leaf.path, tools);
    const range: Partial<PagesAsk> =
      only === undefined ? fineFor(reader, tools) : { first: only.from - 1, end: only.to, dpi: only.dpi };
    // One signature and two small files a page: it pays where a person would wait.
    const show = async (page: EncodedPage, index: number): Promise<void> => {
      if (live === undefined || (only === undefined && announced < LIMITS.livePages)) return;
      name ??= tools.nextFile(leaf.name, 'pdf');
      await live.page(name, index, announced - (range.first ?? 0), singlePage(page));
    };
    const pdf = new PagePdf(output, { layered: textLayer, onPage: show });
    const operation = textLayer || see !== undefined ? OPERATION.pagesWithText : OPERATION.pages;
    const drawn = await drawPages(leaf, { operation, password, ...range }, tools, async (page, _index, pages) => {
      announced = pages;
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
    if (notice !== undefined && only === undefined) await addNotice(notice, leaf, tools, pdf);
    if (missing !== undefined) await addNotice(noticeLines(missing, language), leaf, tools, pdf);
    await pdf.finish();
    return pagesOf({ pages, findings, losses }, output, name ?? tools.nextFile(leaf.name, 'pdf'));
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
function roomFor(page: RasterPage, pages: number): number {
  return 3 * page.pixels.length + END_BYTES + 100 * pages;
}

/** What the reader must be told on paper; undefined for a whole document. */
function missingOf(
  drawn: Extract<DrawnDocument, { kind: 'drawn' }>,
  losses: readonly Remark[],
  language: Language,
): Missing | undefined {
  const { pages, announced, cut } = drawn;
  if (cut !== undefined) return { pages, announced, reason: reasonWords(cut, language) };
  // The child was asked for fewer pages than there are.
  const counted = losses.find(({ code }) => code === 'pages-cut')?.detail.match(/^\d+ of (\d+) pages$/)?.[1];
  if (counted === undefined) return undefined;
  return { pages, announced: Number(counted), reason: reasonWords('too-many-pages', language) };
}

async function addNotice(lines: readonly string[], leaf: Leaf, tools: Tools, pdf: PagePdf): Promise<void> {
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

function pagesOf(rest: Rest, output: StageWriter, name: string): Converted {
  return { ...rest, verdict: 'pages', reason: null, outputs: [{ name, content: output.finish() }] };
}

/** A picture becomes a picture; one with several pages (TIFF) becomes a PDF of them. */
export async function convertImage(leaf: Leaf, tools: Tools): Promise<Converted> {
  let converted = await convertImageWith('', leaf, tools);
  for (const password of tools.passwords) {
    if (converted.reason !== 'password-needed' && converted.reason !== 'password-wrong') break;
    converted = await convertImageWith(password, leaf, tools);
  }
  return converted;
}

async function convertImageWith(password: string, leaf: Leaf, tools: Tools): Promise<Converted> {
  let single: RasterPage | undefined;
  const output = tools.output();
  try {
    const reader = tools.policy.ocr && tools.policy.textLayer ? new PixelReader(tools) : undefined;
    const codes = new CodeFinder(leaf.path, tools);
    const pdf = new PagePdf(output, { layered: reader !== undefined });
    const collected = await collect(leaf, password, tools, async (page, announced) => {
      tools.budget.pixels(page.width * page.height);
      await codes.look(page, announced === 1);
      if (announced === 1) single = page;
      else await pdf.add((await reader?.read(page)) ?? page);
    });
    const said = await codes.remarks();
    if (collected.kind === 'pages' && pdf.pages > 0) {
      await pdf.finish();
      const { pages, findings, losses } = collected.rest;
      const read = reader?.remarks();
      const rest = {
        pages,
        findings: [...findings, ...(read?.findings ?? []), ...said.findings],
        losses: [...losses, ...(read?.losses ?? []), ...said.losses],
      };
      return pagesOf(rest, output, tools.nextFile(leaf.name, 'pdf'));
    }
    output.abort();
    if (collected.kind === 'refused') return collected.converted;
    if (single === undefined) return refusal('converter-failed');
    const { pages, findings, losses } = collected.rest;
    const rest = { pages, findings: [...findings, ...said.findings], losses: [...losses, ...said.losses] };
    return await pictureOf(single, rest, leaf, tools);
  } catch (error) {
    output.abort();
    throw error;
  }
}

async function pictureOf(page: RasterPage, rest: Rest, leaf: Leaf, tools: Tools): Promise<Converted> {
  const picture = await encodePicture(page);
  const content = await tools.keep(picture.bytes);
  return {
    ...rest,
    verdict: 'image',
    reason: null,
    outputs: [{ name: tools.nextFile(leaf.name, picture.ext), content }],
  };
}

type Rest = Pick<Converted, 'pages' | 'findings' | 'losses'>;
type Collection =
  | { readonly kind: 'refused'; readonly converted: Converted }
  | { readonly kind: 'pages'; readonly rest: Rest };

async function collect(
  leaf: Leaf,
  password: string,
  tools: Tools,
  add: (page: RasterPage, announced: number) => Promise<void>,
): Promise<Collection> {
  if (tools.budget.pagesLeft === 0) return { kind: 'refused', converted: refusal('too-many-pages') };
  let child: JailedChild | undefined;
  const collector = new PageCollector(async (page) => {
    child?.pause();
    await add(page, collector.announced ?? 0);
    child?.touch(LIMITS.pageMs, LIMITS.documentPageMs); // a finished page is progress: the next one gets its own time, and the document a little more
  }, tools.budget.pagesLeft);
  let whole: Collected | undefined;
  const finish = (): void => void (whole = collector.finish());
  const ask = {
    family: 'image',
    operation: tools.policy.frames === 'pages' ? OPERATION.frames : OPERATION.convert,
    password,
    deadlineMs: LIMITS.imageMs,
    totalMs: LIMITS.documentMs,
    whole: finish,
  } as const;
  const outcome = await tools.run(leaf, ask, (its) => {
    child = its;
    return collector.take;
  });
  tools.budget.pages(collector.pages);
  tools.metrics.pages.inc(collector.pages);
  switch (outcome.kind) {
    case 'refused':
      return { kind: 'refused', converted: refusal(outcome.reason, collector.remarks()) };
    case 'failed': {
      if (collector.pages === 0) return { kind: 'refused', converted: refusal(outcome.reason, collector.remarks()) };
      const { findings, losses } = collector.remarks();
      const cut = {
        code: 'pages-cut',
        detail: `${collector.pages} / ${collector.announced ?? '?'}, ${outcome.reason}`,
      };
      return { kind: 'pages', rest: { pages: collector.pages, findings, losses: [...losses, cut] } };
    }
    case 'done':
      if (whole === undefined) throw new TypeError('done without an end');
      return { kind: 'pages', rest: whole };
    default:
      return outcome satisfies never;
  }
}
