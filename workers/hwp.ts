// Hangul documents (HWP 3 and 5, HWPX): @rhwp/core lays them out as WebAssembly, each page an SVG that we draw.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../src/message/limits.ts';
import { drawSvg } from './drawing.ts';
import { sendPages } from './page-by-page.ts';
import { Refusal, type Job, type Out, type PagePixels } from './run.ts';

interface HwpDocument {
  pageCount(): number;
  renderPageSvg(page: number): string;
}
interface Rhwp {
  initSync(options: { readonly module: Uint8Array }): void;
  readonly HwpDocument: (new (bytes: Uint8Array) => HwpDocument) & {
    openWithPassword(bytes: Uint8Array, password: string): HwpDocument;
  };
}

const SVG_DPI = 96;
const DRAWN_DPI = 150;

/** Pixels of four channels as a page that the child sends. */
export type ToPage = (pixels: { width: number; height: number; data: Uint8Array }, dpi: number) => PagePixels;

/** Sends every page. */
export async function drawHwp(bytes: Buffer, job: Job, out: Out, toPage: ToPage): Promise<void> {
  const rhwp = await load();
  const document = open(rhwp, bytes, job.password);
  const counted = document.pageCount();
  if (counted === 0) throw new Refusal('damaged', 'no page');
  const wanted = Math.min(counted, job.maxPages === 0 ? LIMITS.pages : job.maxPages, LIMITS.pages);
  out.pages(wanted);
  // Its fonts are Hancom's; what stands in for them are ours.
  out.loss('font-substituted', '');
  if (wanted < counted) out.loss('pages-cut', `${wanted} of ${counted} pages`);
  const dpi = job.dpi === 0 ? DRAWN_DPI : job.dpi;
  const draw = async (index: number): Promise<PagePixels> => {
    const drawing = await drawSvg(svgOf(document, index), dpi / SVG_DPI);
    return toPage(drawing, drawing.zoom * SVG_DPI);
  };
  await sendPages(wanted, draw, out);
}

function svgOf(document: HwpDocument, index: number): string {
  try {
    return document.renderPageSvg(index);
  } catch (error) {
    if (isBroken(error)) throw error; // it is in an unknown state now
    throw new Refusal('damaged', error instanceof Error ? error.message : String(error));
  }
}

async function load(): Promise<Rhwp> {
  // It asks its host for the width of letters of fonts that it has no metrics of: full and half width, as East Asian forms are.
  Object.assign(globalThis, {
    measureTextWidth: (font: string, text: string): number => {
      const size = Number(/(\d+(?:\.\d+)?)px/.exec(font)?.[1] ?? 10);
      let width = 0;
      for (const letter of text) width += (letter.codePointAt(0) ?? 0) < 0x1100 ? size / 2 : size;
      return width;
    },
  });
  const rhwp = (await import('@rhwp/core')) as unknown as Rhwp;
  rhwp.initSync({ module: readFileSync(fileURLToPath(import.meta.resolve('@rhwp/core/rhwp_bg.wasm'))) });
  return rhwp;
}

function open({ HwpDocument: Document }: Rhwp, bytes: Buffer, password: string): HwpDocument {
  try {
    return password === '' ? new Document(bytes) : Document.openWithPassword(bytes, password);
  } catch (error) {
    if (isBroken(error)) throw error;
    // It has words only: 비밀번호 is "password", and "does not agree" when one was given.
    const words = error instanceof Error ? error.message : String(error);
    if (words.includes('비밀번호')) throw new Refusal(password === '' ? 'password-needed' : 'password-wrong', 'HWP');
    throw new Refusal('damaged', words.slice(0, 200));
  }
}

/** Its code met what it cannot go on after: its memory may be in any state. */
function isBroken(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}
