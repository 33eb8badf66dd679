// What QR codes on pages and in pictures say (attack row 91): read by a child from pixels we have, and told as text that no
// program makes a link of. The code itself stays in the picture: it cannot be removed.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { CodeReader } from '../sandbox/code-reader.ts';
import type { RasterPage } from '../sandbox/raster-page.ts';
import { inertCode } from './links.ts';
import type { Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** Pixels of a side below which there is no code: the smallest has 11 modules (ISO/IEC 23941 and 18004), two pixels each. */
const LEAST_SIDE = 22;

/** Looks at the first pages of one document, or at a picture. */
export class CodeFinder {
  readonly #path: string;
  readonly #tools: Tools;
  readonly #findings: Remark[] = [];
  #pages = 0;
  #failed = 0;
  #under: Promise<void> = Promise.resolve();
  #fault: { readonly error: unknown } | undefined;

  /** `path`: of the part, for the log. */
  constructor(path: string, tools: Tools) {
    this.#path = path;
    this.#tools = tools;
  }

  /**
   * Looks at the next page, as far as the policy goes. Returns as soon as a child has it: the pages go on meanwhile. `stays`:
   * nobody changes its pixels before `remarks` has resolved; otherwise they are copied.
   */
  async look(page: RasterPage, stays = false): Promise<void> {
    if (this.#pages >= this.#tools.policy.codePages) return;
    const number = ++this.#pages;
    if (Math.min(page.width, page.height) < LEAST_SIDE) return;
    const pixels = stays ? page.pixels : Buffer.from(page.pixels);
    await this.#under; // one page at a time: pixels do not pile up
    this.#under = this.#read({ ...page, pixels }, number).catch((error: unknown) => void (this.#fault ??= { error }));
  }

  /** What was found, when the last page is done. */
  async remarks(): Promise<{ readonly findings: readonly Remark[]; readonly losses: readonly Remark[] }> {
    await this.#under;
    if (this.#fault !== undefined) throw this.#fault.error;
    const losses = this.#failed > 0 ? [{ code: 'codes-unread', detail: `${this.#failed} pages` }] : [];
    return { findings: this.#findings, losses };
  }

  async #read(page: RasterPage, number: number): Promise<void> {
    const { links, language } = this.#tools.policy;
    let reader = new CodeReader();
    const ask = {
      family: 'codes',
      deadlineMs: LIMITS.codesMs,
      totalMs: LIMITS.codesMs,
      whole: () => undefined,
    } as const;
    const outcome = await this.#tools.run({ ...leafOf(page), path: this.#path }, ask, () => {
      reader = new CodeReader();
      return reader.take;
    });
    if (outcome.kind !== 'done') this.#failed += 1;
    else
      for (const { code, detail } of reader.found) {
        const inert = code === 'qr-code' ? inertCode(detail, links, language) : detail;
        this.#findings.push({ code, detail: number > 1 ? `p. ${number}: ${inert}` : inert });
      }
  }
}

/** A page as the child takes it: u32 width, height, pixel format, and its pixels as they are. */
function leafOf({ width, height, format, pixels }: RasterPage): Leaf {
  const head = Buffer.alloc(12);
  for (const [at, number] of [width, height, format].entries()) head.writeUInt32BE(number, 4 * at);
  const content = {
    size: head.length + pixels.length,
    sha256: '',
    inline: undefined,
    open: async function* (): AsyncGenerator<Uint8Array> {
      yield head;
      yield pixels;
    },
    discard: async (): Promise<void> => undefined,
  };
  return { path: '', depth: 0, name: '', declaredType: '', content };
}
