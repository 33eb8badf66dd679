// The text of pages that have none, read from their pixels by an engine in a child (OCR). What it reads may be wrong: it is
// told, and the pixels stay what counts.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import type { RasterPage } from '../sandbox/raster-page.ts';
import { readRuns } from '../sandbox/page-text.ts';
import { FRAME, WireError, type Frame, type Run } from '../sandbox/wire.ts';
import { rawOf } from './picture.ts';
import type { Tools } from './tools.ts';

const WHITE = 0xff;
/** The share of a message's time that reading may take: its other parts need theirs. */
const SHARE = 0.5;

/** Reads the pages of one document. */
export class PixelReader {
  readonly #tools: Tools;
  readonly #mostMs: number;
  #ms = 0;
  #read = 0;
  #unread = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#mostMs = SHARE * tools.budget.msLeft;
  }

  /** True for a page with ink and without text, or with some beside its picture only. */
  static wants({ text, pictured, pixels }: RasterPage): boolean {
    return (text.length === 0 || pictured === true) && pixels.some((byte) => byte !== WHITE);
  }

  /** The page with its text; as it came where it has text (not just beside its picture) or no ink, or where nothing could be read. */
  async read(page: RasterPage): Promise<RasterPage> {
    const own = page.text;
    if (!PixelReader.wants(page)) return page;
    const started = performance.now();
    const text = this.#ms < this.#mostMs ? await this.#textOf(page) : undefined;
    this.#ms += performance.now() - started;
    if (text === undefined) this.#unread += 1;
    else if (text.length > 0) this.#read += 1;
    return text === undefined ? page : { ...page, text: [...own, ...text.filter((run) => !isUnder(run, own))] };
  }

  /** What its reader must know of the text; `undrawn`: pages that it was to read and did not get. */
  remarks(undrawn = 0): { readonly findings: readonly Remark[]; readonly losses: readonly Remark[] } {
    const pages = (code: string, count: number): Remark[] => (count > 0 ? [{ code, detail: `${count} pages` }] : []);
    return { findings: pages('ocr-text', this.#read), losses: pages('ocr-failed', this.#unread + undrawn) };
  }

  async #textOf(page: RasterPage): Promise<Run[] | undefined> {
    const content = greyFile(page);
    const leaf = {
      path: '',
      depth: 0,
      name: '',
      declaredType: '',
      content: {
        size: content.length,
        sha256: '',
        inline: content,
        open: async function* () {
          yield content;
        },
        discard: async () => undefined,
      },
    };
    let runs: Run[] | undefined;
    const take = ({ type, payload }: Frame): void => {
      if (type !== FRAME.runs || runs !== undefined)
        throw new WireError(`frame ${type} where the text of a page is due`);
      runs = readRuns(payload);
    };
    const whole = (): void => {
      if (runs === undefined) throw new WireError('no text of the page');
    };
    // The drawing child, which waits meanwhile, spends the message's time.
    const ask = { family: 'ocr', deadlineMs: LIMITS.ocrMs, totalMs: LIMITS.ocrMs, ours: true, whole } as const;
    const outcome = await this.#tools.run(leaf, ask, () => take);
    return outcome.kind === 'done' ? runs?.flatMap((run) => placed(run, page)) : undefined;
  }
}

/** From pixels of the page, which the child knows, to points. What lies outside is no text of it. */
function placed(run: Run, { width, height, widthPt, heightPt }: RasterPage): Run[] {
  const outside = run.x < 0 || run.x > width || run.y < 0 || run.y > height;
  const [across, up] = [widthPt / width, heightPt / height];
  const { text } = run;
  return outside
    ? []
    : [{ text, x: run.x * across, y: run.y * up, dx: run.dx * across, dy: run.dy * up, size: run.size * up }];
}

/** True for a run that was read from letters whose text is known. */
function isUnder(read: Run, known: readonly Run[]): boolean {
  const length = Math.hypot(read.dx, read.dy);
  const [ux, uy] = [read.dx / length, read.dy / length];
  return known.some((run) => {
    const [x, y] = [run.x + run.dx / 2 - read.x, run.y + run.dy / 2 - read.y];
    const along = x * ux + y * uy;
    return along > 0 && along < length && Math.abs(y * ux - x * uy) < 0.5 * Math.max(read.size, run.size);
  });
}

/** The page as a grey picture file (PGM, 8 bits). */
function greyFile(page: RasterPage): Buffer {
  const { channels, pixels } = rawOf(page);
  const count = page.width * page.height;
  const head = Buffer.from(`P5\n${page.width} ${page.height}\n255\n`, 'latin1');
  const file = Buffer.allocUnsafe(head.length + count);
  head.copy(file);
  if (channels === 1) pixels.copy(file, head.length, 0, count);
  else
    for (let i = 0; i < count; i++) {
      const [red, green, blue] = [pixels[3 * i] as number, pixels[3 * i + 1] as number, pixels[3 * i + 2] as number];
      file[head.length + i] = (red * 77 + green * 151 + blue * 28) >>> 8; // luma, ITU-R BT.601
    }
  return file;
}
