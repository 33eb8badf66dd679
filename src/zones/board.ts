// Keeps the worker's board: which messages wait and which are being made harmless, how many of their pages are drawn, and
// how long it may take still. Mails that are done in a moment never come to stand on it.
import { randomBytes } from 'node:crypto';
import type { Lifecycle } from '../lifecycle.ts';
import { reasonOf } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import type { Spooled } from '../message/stages.ts';
import { forLine } from '../message/untrusted.ts';
import type { Log } from '../ops/log.ts';
import { BOARD_ENTRIES, BOARD_LIVES_MS, readerOf, type BoardEntry } from '../outbox/board.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { StepQueue } from '../queue/queues.ts';
import type { LiveSink } from '../sanitise/live.ts';
import type { Signer } from '../seal/seal.ts';
import type { Spool } from '../spool/spool.ts';

/** Milliseconds between two looks, and those a message must be there before it is told of. */
const LOOK_MS = 1000;
const QUICK_MS = 2000;
/** A board that did not change is written again after this, so that it stays news. */
const AGAIN_MS = BOARD_LIVES_MS / 4;

/** A message that is being made harmless. */
interface Working {
  readonly spooled: Spooled;
  readonly since: number;
  /** Pages by document. */
  readonly documents: Map<string, { done: number; readonly pages: number; readonly since: number }>;
}

export interface BoardDeps {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
  readonly queue: StepQueue;
  /** Messages that are made harmless at once. */
  readonly atOnce: number;
}

/** The board of this process. */
export class BoardKeeper {
  readonly #deps: BoardDeps;
  readonly #run = randomBytes(4).toString('hex');
  readonly #working = new Map<MessageId, Working>();
  /** Facts of messages that wait: a record is read once. */
  readonly #known = new Map<MessageId, Omit<BoardEntry, 'ahead' | 'done' | 'pages' | 'seconds'>>();
  #written: { readonly at: number; readonly text: string } | undefined;
  /** Milliseconds a message took lately that took long enough to be told of. */
  #usualMs = 10_000;

  constructor(deps: BoardDeps) {
    this.#deps = deps;
  }

  /** A message's turn has come. */
  begin(spooled: Spooled): void {
    this.#working.set(spooled.id, { spooled, since: Date.now(), documents: new Map() });
  }

  /** Its package is there, or it will be tried again later. */
  end(id: MessageId): void {
    const working = this.#working.get(id);
    if (working === undefined) return;
    this.#working.delete(id);
    this.#known.delete(id);
    const ms = Date.now() - working.since;
    if (ms > QUICK_MS) this.#usualMs = 0.7 * this.#usualMs + 0.3 * ms;
  }

  /** The sink, with an eye on how far it is. */
  watch(id: MessageId, sink: LiveSink): LiveSink {
    return {
      heads: () => sink.heads(),
      page: async (output, index, pages, file) => {
        await sink.page(output, index, pages, file);
        const documents = this.#working.get(id)?.documents;
        const known = documents?.get(output);
        const done = Math.min(index + 1, pages);
        if (known === undefined) documents?.set(output, { done, pages, since: Date.now() });
        else known.done = done;
      },
    };
  }

  /** Looks once, and writes when there is news. */
  async look(now: number): Promise<void> {
    const entries = await this.#entries(now);
    const text = JSON.stringify(entries);
    const before = this.#written;
    if (entries.length === 0) {
      this.#known.clear();
      this.#written = undefined;
      if (before !== undefined) await this.#deps.outbox.boards.drop(this.#run, before.at);
      return;
    }
    if (before !== undefined && before.text === text && now - before.at < AGAIN_MS) return;
    const board = { run: this.#run, at: Math.max(now, (before?.at ?? 0) + 1), entries };
    await this.#deps.outbox.boards.write(board, before?.at, this.#deps.signer.signBoard(board));
    this.#written = { at: board.at, text };
  }

  async #entries(now: number): Promise<BoardEntry[]> {
    const entries: BoardEntry[] = [];
    const add = (entry: BoardEntry): void => void (entries.length < BOARD_ENTRIES && entries.push(entry));
    // Those under way hold the children in the order they came; who has pages is surely being drawn.
    const working = [...this.#working.values()].toSorted((a, b) => (a.spooled.id < b.spooled.id ? -1 : 1));
    let turn = 0;
    // What those before still take, as far as one can tell: who waits, waits for that.
    let leftMs = 0;
    for (const { spooled, since, documents } of working) {
      const all = [...documents.values()];
      const pages = all.reduce((sum, one) => sum + one.pages, 0);
      const done = all.reduce((sum, one) => sum + one.done, 0);
      const ahead = pages > 0 ? 0 : Math.max(0, turn - this.#deps.atOnce + 1);
      const last = all.at(-1);
      const own =
        last !== undefined && last.done > 1
          ? ((now - last.since) / (last.done - 1)) * (pages - done)
          : Math.max(0, this.#usualMs - (ahead > 0 ? 0 : now - since));
      const ms = own + (ahead > 0 ? leftMs / this.#deps.atOnce : 0);
      turn += 1;
      leftMs += own;
      if (now - Date.parse(spooled.record.receivedAt) >= QUICK_MS)
        add({ ...factsOf(spooled), ahead, done, pages, seconds: secondsOf(ms) });
    }
    for (const [index, { id, addedAt }] of (await this.#deps.queue.list('waiting', BOARD_ENTRIES)).entries()) {
      if (now - addedAt < QUICK_MS || this.#working.has(id as MessageId)) continue;
      const facts = await this.#factsOf(id as MessageId);
      const ahead = this.#working.size + index;
      if (facts !== undefined)
        add({ ...facts, ahead, done: 0, pages: 0, seconds: secondsOf(leftMs / this.#deps.atOnce + this.#usualMs) });
      leftMs += this.#usualMs;
    }
    return entries;
  }

  async #factsOf(id: MessageId): Promise<ReturnType<typeof factsOf> | undefined> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const spooled = await this.#deps.spool.spooled(id);
    if (spooled === undefined) return undefined;
    const facts = factsOf(spooled);
    if (this.#known.size > 10 * BOARD_ENTRIES) this.#known.clear();
    this.#known.set(id, facts);
    return facts;
  }
}

function secondsOf(ms: number): number {
  // In steps that a person reads: to the second is more than anybody knows.
  const step = ms < 60_000 ? 5 : 30;
  return Math.max(step, Math.ceil(ms / 1000 / step) * step);
}

function factsOf({ id, record }: Spooled): Omit<BoardEntry, 'ahead' | 'done' | 'pages' | 'seconds'> {
  const { envelope, source } = record;
  return {
    id,
    for: [...new Set(envelope.to.map(readerOf))].slice(0, 200),
    kind: source.kind,
    name: forLine(source.name, 300),
    from: forLine(envelope.from, 320),
    size: source.size,
  };
}

/** Keeps the board until the gateway stops. */
export function startBoard(log: Log, life: Lifecycle, deps: BoardDeps): BoardKeeper {
  const keeper = new BoardKeeper(deps);
  let running = deps.outbox.boards.sweep(Date.now());
  const tell = (error: unknown): void => log.warn({ error: reasonOf(error) }, 'the board is not written');
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = running
      .then(async () => keeper.look(Date.now()))
      .catch(tell)
      .finally(() => (busy = false));
  }, LOOK_MS);
  life.started('board', async () => {
    clearInterval(timer);
    await running.catch(tell);
  });
  return keeper;
}
