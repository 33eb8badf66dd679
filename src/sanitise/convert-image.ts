// Pictures, scans and drawn documents of the image child: one page is a picture, several are a PDF of them.
import { LIMITS } from '../message/limits.ts';
import type { Reason, Remark } from '../message/part.ts';
import type { JailedChild } from '../sandbox/child.ts';
import { PageCollector, releasePixels, type RasterPage } from '../sandbox/raster-page.ts';
import { OPERATION } from '../sandbox/wire.ts';
import { addNotice, missingOf, pagesOf, roomFor, type Rest } from './convert-pages.ts';
import { LivePages } from './live-pages.ts';
import { noticeLines } from './notice-page.ts';
import { PagePdf } from './page-pdf.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import { encodePicture } from './picture.ts';
import { CodeFinder } from './read-codes.ts';
import { PixelReader } from './read-pixels.ts';
import type { OnlyPages, Tools } from './tools.ts';

/**
 * A picture becomes a picture; one with several pages (TIFF, DocuWorks, Hangul) becomes a PDF of them. Pages that were good
 * before a limit are kept and told. A locked one is tried with each password that was given.
 */
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
    const only = tools.only?.as === 'pages' ? tools.only : undefined;
    const reader = tools.policy.ocr && tools.policy.textLayer ? new PixelReader(tools) : undefined;
    const codes = new CodeFinder(leaf.path, tools);
    const live = new LivePages(leaf, tools);
    const pdf = new PagePdf(output, { layered: reader !== undefined, onPage: live.add });
    const drawn = await draw({ leaf, password, tools, only }, async (page, index, announced) => {
      if (only !== undefined && index + 1 < only.from) return releasePixels(page);
      live.pages = announced - (only === undefined ? 0 : only.from - 1);
      const pixels = page.width * page.height;
      if (pdf.pages > 0 && tools.budget.outputLeft < roomFor(page, announced)) return 'too-large';
      if (pdf.pages > 0 && tools.budget.pixelsLeft < pixels) return 'too-many-pixels';
      tools.budget.pixels(pixels);
      if (only === undefined) await codes.look(page, announced === 1);
      if (announced === 1 && only === undefined) single = page;
      else await pdf.add((await reader?.read(page)) ?? page);
      return undefined;
    });
    const said = await codes.remarks();
    if (drawn.kind === 'refused' || pdf.pages === 0) {
      output.abort();
      if (drawn.kind === 'refused') return drawn.converted;
      if (single === undefined) return refusal('converter-failed');
      return await pictureOf(single, withMore(drawn.rest, said), leaf, tools);
    }
    const rest = withMore(drawn.rest, said, reader?.remarks());
    const missing = only === undefined ? missingOf(drawn, rest.losses, tools.policy.language) : undefined;
    live.drawn = pdf.pages;
    if (missing !== undefined) await addNotice(noticeLines(missing, tools.policy.language), leaf, tools, pdf);
    await pdf.finish();
    return pagesOf(rest, output, live.name);
  } catch (error) {
    output.abort();
    throw error;
  }
}

type Remarks = Pick<Rest, 'findings' | 'losses'>;

function withMore(rest: Rest, ...more: readonly (Remarks | undefined)[]): Rest {
  const all = [rest, ...more];
  const findings: Remark[] = all.flatMap((one) => one?.findings ?? []);
  return { pages: rest.pages, findings, losses: all.flatMap((one) => one?.losses ?? []) };
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

type Drawn =
  | { readonly kind: 'refused'; readonly converted: Converted }
  | {
      readonly kind: 'pages';
      readonly rest: Rest;
      readonly pages: number;
      readonly announced: number;
      /** Pages are missing at its end, for this reason. */
      readonly cut: Reason | undefined;
    };

/** Ends the drawing: the pages so far are all that is wanted. */
class Enough extends Error {
  override readonly name = 'Enough';
  readonly reason: Reason;
  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

interface Draw {
  readonly leaf: Leaf;
  readonly password: string;
  readonly tools: Tools;
  readonly only: OnlyPages | undefined;
}

/** Takes a page, `index` from 0, or says why the document ends before it. */
type Take = (page: RasterPage, index: number, announced: number) => Promise<Reason | void>;

async function draw({ leaf, password, tools, only }: Draw, take: Take): Promise<Drawn> {
  const most = Math.min(tools.budget.pagesLeft, only?.to ?? LIMITS.pages);
  if (most === 0) return { kind: 'refused', converted: refusal('too-many-pages') };
  let child: JailedChild | undefined;
  let taken = 0;
  const collector = new PageCollector(async (page) => {
    child?.pause();
    const enough = await take(page, taken, collector.announced ?? 0);
    if (enough !== undefined) {
      releasePixels(page);
      throw new Enough(enough);
    }
    taken += 1;
    child?.touch(LIMITS.pageMs, LIMITS.documentPageMs); // a finished page is progress: the next one gets its own time, and the document a little more
  }, most);
  const ask = {
    family: 'image',
    operation: tools.policy.frames === 'pages' ? OPERATION.frames : OPERATION.convert,
    password,
    maxPages: most,
    ...(only === undefined ? {} : { dpi: only.dpi }),
    deadlineMs: LIMITS.imageMs,
    totalMs: LIMITS.documentMs,
    whole: () => void collector.finish(),
  } as const;
  let cut: Reason | undefined;
  let refused = false;
  try {
    const outcome = await tools.run(leaf, ask, (its) => {
      child = its;
      return collector.take;
    });
    if (outcome.kind !== 'done') cut = outcome.reason;
    refused = outcome.kind === 'refused';
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    cut = error.reason;
  } finally {
    tools.budget.pages(taken);
    tools.metrics.pages.inc(taken);
  }
  const { findings, losses } = collector.remarks();
  if (cut !== undefined && (refused || taken === 0))
    return { kind: 'refused', converted: refusal(cut, { findings, losses }) };
  const announced = collector.announced ?? 0;
  const told = cut === undefined ? [] : [{ code: 'pages-cut', detail: `${taken} / ${announced}, ${cut}` }];
  return {
    kind: 'pages',
    pages: taken,
    announced,
    cut,
    rest: { pages: taken, findings, losses: [...losses, ...told] },
  };
}
