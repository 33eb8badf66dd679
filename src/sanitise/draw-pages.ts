// Draws a document's pages on order: by one child, and by idle ones beside it when there are many pages. Pages leave in
// their order, and never more than a few are held.
import { LIMITS } from '../message/limits.ts';
import type { Reason, Remark } from '../message/part.ts';
import type { ChildOutcome, FrameSink, JailedChild } from '../sandbox/child.ts';
import { PageCollector, releasePixels, type DrawnPage, type RasterPage } from '../sandbox/raster-page.ts';
import { DRAWN, LETTERS, PIXEL, rowBytes, type OnOrder } from '../sandbox/wire.ts';
import { joinRemarks } from './join-remarks.ts';
import type { Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** Orders a child has at once: it draws the next page while the last one is taken. */
const ORDERS = 2;
/** Pages ahead of the last written one that may be ordered, for each child. */
const AHEAD = 3;
/** Bytes of pages that wait for an earlier one; beyond, only that one is ordered. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Pages from which an idle child helps, and from which one is started for it (some 0.5 s of CPU). */
const HELP_READY = 8;
const HELP_START = 60;
/** Children that may die of one document. The page each was at is left out. */
const DEATHS = 3;
const A4 = { widthPt: 595, heightPt: 842 };

/** How a document's pages are wanted. */
export interface PagesAsk {
  readonly operation: OnOrder;
  readonly password: string;
  /** Dots per inch; what the policy says unless given. */
  readonly dpi?: number;
  /** The first page wanted, from 0, and the one behind the last; all unless given. */
  readonly first?: number;
  readonly end?: number;
  /** The document is our own: it does not spend of the message's time. */
  readonly ours?: boolean;
}

/** What came of a document besides its pages; `cut`: pages are missing at its end, for this reason. */
export type DrawnDocument =
  | { readonly kind: 'refused'; readonly reason: Reason; readonly findings: Remark[]; readonly losses: Remark[] }
  | {
      readonly kind: 'drawn';
      readonly pages: number;
      readonly announced: number;
      readonly cut: Reason | undefined;
      readonly findings: Remark[];
      readonly losses: Remark[];
    };

/** Takes a page that is due, or says why the document ends before it. What it throws is thrown by `drawPages`. */
export type TakePage = (page: RasterPage, index: number, announced: number) => Promise<Reason | void>;

/** Draws all pages and gives them to `take` in their order. Throws what `take` threw. */
export async function drawPages(leaf: Leaf, ask: PagesAsk, tools: Tools, take: TakePage): Promise<DrawnDocument> {
  return new Drawing(leaf, ask, tools, take).run();
}

/** A child at work, and the pages it was ordered and has not sent. */
interface Hand {
  readonly child: JailedChild;
  readonly collector: PageCollector;
  readonly helps: boolean;
  readonly orders: number[];
  /** A page of its is being taken: what it sends meanwhile nobody reads yet. */
  waiting: boolean;
}

class Drawing {
  readonly #leaf: Leaf;
  readonly #ask: PagesAsk;
  readonly #tools: Tools;
  readonly #take: TakePage;
  readonly #started = performance.now();
  readonly #hands = new Set<Hand>();
  readonly #collectors: PageCollector[] = [];
  readonly #losses: Remark[] = [];
  readonly #helpers: Promise<void>[] = [];
  /** Pages that came before an earlier one. */
  readonly #waiting = new Map<number, RasterPage>();
  #waitingBytes = 0;
  /** Pages whose child died before it sent them. */
  readonly #again: number[] = [];
  #total: number | undefined;
  #ordered = 0;
  #written = 0;
  /** Milliseconds in which pages were taken: not the children's. */
  #takenMs = 0;
  #writing: Promise<void> = Promise.resolve();
  #fault: { readonly error: unknown } | undefined;
  /** Why the taker wants no more. */
  #stopped: Reason | undefined;
  /** Nobody wants another page. */
  #ended = false;
  #deaths = 0;
  #good = 0;
  #inked = false;
  #hidden = 0;
  #scans = 0;
  /** Why pages failed, should none be good. */
  #failure: Reason = 'damaged';
  #last: { readonly widthPt: number; readonly heightPt: number } = A4;

  constructor(leaf: Leaf, ask: PagesAsk, tools: Tools, take: TakePage) {
    this.#leaf = leaf;
    this.#ask = ask;
    this.#tools = tools;
    this.#take = take;
    this.#ordered = this.#written = ask.first ?? 0;
  }

  async run(): Promise<DrawnDocument> {
    let cut: Reason | undefined;
    try {
      for (;;) {
        const outcome = await this.#work(false);
        if (outcome.kind === 'refused') return this.#refused(outcome.reason);
        if (outcome.kind === 'done') break;
        if (this.#total === undefined) return this.#refused(outcome.reason);
        if (this.#deaths > DEATHS || this.#left() <= 0) {
          cut = outcome.reason;
          break;
        }
        await this.#writing;
        if (this.#isWhole() || this.#stopped !== undefined) break;
      }
    } finally {
      this.#ended = true; // a helper that comes only now draws nothing
      this.#deal();
      await Promise.all(this.#helpers);
      await this.#writing.catch(() => undefined); // kept in #fault
      for (const page of this.#waiting.values()) releasePixels(page);
    }
    if (this.#fault !== undefined) throw this.#fault.error;
    return this.#end(this.#stopped ?? cut);
  }

  #end(cut: Reason | undefined): DrawnDocument {
    if (this.#good === 0) return this.#refused(cut ?? this.#failure);
    const { findings, losses } = this.#remarks();
    // PDFium draws what it can of a damaged file, if need be nothing: say so, the reader cannot tell it from a blank sheet.
    if (!this.#inked) losses.push({ code: 'blank', detail: 'nothing is drawn on any page' });
    if (this.#hidden > 0) findings.push({ code: 'hidden-text', detail: `${this.#hidden} characters that nobody sees` });
    if (this.#scans > 0)
      findings.push({ code: 'scan-text', detail: `text of ${this.#scans} scanned pages, as it came with them` });
    return {
      kind: 'drawn',
      pages: this.#written - (this.#ask.first ?? 0),
      announced: this.#total ?? 0,
      cut,
      findings,
      losses,
    };
  }

  #refused(reason: Reason): DrawnDocument {
    return { kind: 'refused', reason, ...this.#remarks() };
  }

  #remarks(): { findings: Remark[]; losses: Remark[] } {
    const all = this.#collectors.map((collector) => collector.remarks());
    return {
      findings: joinRemarks(all.map(({ findings }) => findings)),
      losses: [...joinRemarks(all.map(({ losses }) => losses)), ...this.#losses],
    };
  }

  /** Milliseconds the document still has, by the pages that came of it, and by what the message has. */
  #left(): number {
    const most = LIMITS.documentMs + this.#written * LIMITS.documentPageMs;
    const left = most + this.#takenMs - (performance.now() - this.#started);
    return this.#ask.ours === true ? left : Math.min(left, this.#tools.budget.msLeft);
  }

  #isWhole(): boolean {
    return this.#written === this.#total;
  }

  /** Lets a child draw until it is enough; `helps`: beside another, and only while nobody else waits for a child. */
  async #work(helps: boolean): Promise<ChildOutcome> {
    let hand: Hand | undefined;
    const begin = (child: JailedChild): FrameSink => {
      const orders: number[] = [];
      const collector = new PageCollector(
        async (page, drawn) => this.#page(mine, page, drawn),
        Math.max(1, this.#tools.budget.pagesLeft), // the notice of a cut document comes when they are used up
        (index) => orders[0] === index,
      );
      const mine: Hand = { child, collector, helps, orders, waiting: false };
      if (hand !== undefined) this.#hands.delete(hand); // of a child that gave nothing
      hand = mine;
      this.#hands.add(mine);
      this.#collectors.push(collector);
      return (frame) => {
        const known = collector.announced;
        const waiting = collector.take(frame);
        if (known === undefined && collector.announced !== undefined) this.#opened(collector.announced);
        return waiting;
      };
    };
    const ask = {
      family: 'pdf',
      operation: this.#ask.operation,
      password: this.#ask.password,
      ...(this.#ask.dpi === undefined ? {} : { dpi: this.#ask.dpi }),
      ...(this.#ask.ours === true ? { ours: true } : {}),
      deadlineMs: LIMITS.pageMs,
      totalMs: Math.max(1, this.#left()),
      whole: () => void hand?.collector.finish(),
    } as const;
    try {
      const outcome = helps
        ? await this.#tools.share(this.#leaf, ask, begin)
        : await this.#tools.run(this.#leaf, ask, begin);
      if (outcome.kind === 'failed' && hand !== undefined) {
        if (outcome.outside === true) this.#again.push(...hand.orders);
        else this.#died(hand, outcome.reason);
      }
      return outcome;
    } finally {
      if (hand !== undefined) this.#hands.delete(hand);
      this.#deal();
    }
  }

  /** A child has the document open. */
  #opened(pages: number): void {
    if (this.#total === undefined) {
      this.#total = Math.max(this.#written, Math.min(pages, this.#ask.end ?? pages));
      const { places, ready } = this.#tools.pools.pdf.free;
      if (pages >= (ready ? HELP_READY : HELP_START)) {
        for (let i = 0; i < places; i++) {
          // What a helper cannot do is done by the others.
          this.#helpers.push(
            this.#work(true).then(
              () => undefined,
              () => undefined,
            ),
          );
        }
      }
    }
    this.#deal();
  }

  /** Gives every child its orders, or tells it that it is enough. */
  #deal(): void {
    const { aborted } = this.#tools.signal;
    const over = this.#ended || this.#fault !== undefined || this.#stopped !== undefined || this.#isWhole() || aborted;
    const idle: JailedChild[] = [];
    for (const hand of this.#hands) {
      if (hand.collector.announced === undefined) continue;
      if (over || (hand.helps && this.#tools.pools.pdf.crowded)) {
        hand.child.enough();
        if (!hand.waiting) hand.child.resume(LIMITS.pageMs);
        continue;
      }
      for (let next = this.#next(hand); next !== undefined; next = this.#next(hand)) {
        if (hand.orders.length === 0 && !hand.waiting) hand.child.touch(LIMITS.pageMs);
        hand.orders.push(next);
        hand.child.order(next);
      }
      if (hand.orders.length === 0) idle.push(hand.child);
    }
    // Who has nothing to do waits for the others. Were there none at work, its clock must run: nobody would wake it.
    if ([...this.#hands].some(({ orders, waiting }) => orders.length > 0 || waiting))
      for (const child of idle) child.pause();
    else for (const child of idle) child.resume(LIMITS.pageMs);
  }

  #next(hand: Hand): number | undefined {
    if (hand.orders.length >= ORDERS) return undefined;
    if (this.#again.length > 0) return this.#again.shift();
    const ahead = this.#waitingBytes > WAITING_BYTES ? 1 : AHEAD * this.#hands.size;
    if (this.#ordered >= (this.#total ?? 0) || this.#ordered >= this.#written + ahead) return undefined;
    return this.#ordered++;
  }

  async #page(hand: Hand, page: RasterPage, { index, outcome, hidden, letters }: DrawnPage): Promise<void> {
    hand.orders.shift();
    hand.child.touch(LIMITS.pageMs, LIMITS.documentPageMs); // a finished page is progress
    if (outcome === DRAWN.damaged || outcome === DRAWN.outOfMemory) {
      if (outcome === DRAWN.outOfMemory) this.#failure = 'out-of-memory';
      this.#lose(index, outcome === DRAWN.outOfMemory ? 'out-of-memory' : 'damaged');
    } else {
      this.#good += 1;
      this.#inked ||= outcome === DRAWN.inked;
      this.#hidden += hidden;
      if (letters === LETTERS.scan) this.#scans += 1;
    }
    const kept = this.#keep(index, page);
    hand.waiting = true;
    hand.child.pause();
    await kept;
    hand.waiting = false;
    hand.child.touch(LIMITS.pageMs);
    if (hand.orders.length === 0) this.#deal(); // stops its clock while it waits for others
  }

  /** Keeps a page until it is due, and writes those that are. */
  async #keep(index: number, page: RasterPage): Promise<void> {
    this.#waiting.set(index, page);
    this.#waitingBytes += page.pixels.length;
    this.#writing = this.#writing.then(async () => this.#write());
    this.#deal();
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      if (this.#stopped !== undefined) return;
      for (let page = this.#waiting.get(this.#written); page !== undefined; page = this.#waiting.get(this.#written)) {
        this.#waiting.delete(this.#written);
        this.#waitingBytes -= page.pixels.length;
        this.#last = page;
        const began = performance.now();
        this.#stopped = (await this.#take(page, this.#written, this.#total ?? 0)) ?? undefined;
        this.#takenMs += performance.now() - began;
        if (this.#stopped !== undefined) {
          releasePixels(page);
          return this.#deal();
        }
        this.#written += 1;
        this.#deal();
      }
    } catch (error) {
      this.#fault ??= { error };
      this.#deal();
      throw error;
    }
  }

  /** The page a dead child was at is given up, its others are drawn by the next. */
  #died({ orders }: Hand, reason: Reason): void {
    this.#deaths += 1;
    const [guilty, ...innocent] = orders;
    this.#again.push(...innocent);
    this.#failure = reason;
    if (guilty === undefined || this.#deaths > DEATHS || this.#left() <= 0) return;
    this.#lose(guilty, reason);
    const { widthPt, heightPt } = this.#last;
    const pixels = Buffer.alloc(rowBytes(PIXEL.grey4, 1), 0xff);
    const white = { width: 1, height: 1, format: PIXEL.grey4, widthPt, heightPt, pixels, text: [] };
    this.#keep(guilty, white).catch(() => undefined); // kept in #fault
  }

  #lose(index: number, reason: string): void {
    if (this.#losses.length < LIMITS.remarks)
      this.#losses.push({ code: 'page-failed', detail: `page ${index + 1}: ${reason}` });
  }
}
