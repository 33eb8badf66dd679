// What the converters of one message share: children, the purse, a place for output bytes, numbers for file names.
import type { Metrics } from '../ops/metrics.ts';
import type { Traces } from '../ops/traces.ts';
import type { Policy } from '../policy/policy.ts';
import type { ChildOutcome, FrameSink, JailedChild } from '../sandbox/child.ts';
import type { ChildPool } from '../sandbox/pool.ts';
import type { FamilyName } from '../sandbox/families.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { StageWriter, Staged } from '../spool/spool.ts';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Reason } from '../message/part.ts';
import { forFileName, forLog } from '../message/untrusted.ts';
import { Budget } from './budget.ts';
import type { LiveSink } from './live.ts';
import type { Leaf } from './part.ts';

/** Children by family. */
export type Pools = { readonly [name in FamilyName]: ChildPool };

/** What is asked of a child for one leaf. */
export interface Ask {
  readonly family: FamilyName;
  readonly operation?: number;
  readonly declaredType?: string;
  readonly password?: string;
  /** Dots per inch; what the policy says unless given. */
  readonly dpi?: number;
  /** Pages at most; what the message may still have unless given. */
  readonly maxPages?: number;
  /** Only the first bytes are needed. */
  readonly head?: number;
  readonly deadlineMs: number;
  readonly totalMs: number;
  /** The input is our own: it does not spend of the message's time. */
  readonly ours?: boolean;
  /** Ends the reading of the frames; throws a `WireError` when they are no whole. */
  readonly whole: () => void;
}

/** One part that is wanted once more, and nothing else of the message: some pages (from 1), its words, or the bytes it had. */
export type Only = OnlyPages | OnlyText | OnlyBytes;

/** Asks a malware scanner about bytes: the name of what it found, undefined for nothing. Throws when it gives no answer. */
export type Scan = (content: Staged, signal: AbortSignal) => Promise<string | undefined>;

export interface OnlyPages {
  readonly as: 'pages';
  readonly part: string;
  readonly dpi: number;
  readonly from: number;
  readonly to: number;
  /** In all their colours, whatever stands on them. */
  readonly colour?: boolean | undefined;
}

export interface OnlyText {
  readonly as: 'text' | 'values';
  readonly part: string;
}

export interface OnlyBytes {
  readonly as: 'bytes';
  readonly part: string;
  /** Told of the part; its content is gone when the promise resolves. */
  readonly take: (leaf: Leaf) => Promise<void>;
}

/** Why a part could not be converted, in words for the log: cleaned, cut, and without what a parser cites of its input. */
export interface Failure {
  readonly part: string;
  readonly worker: FamilyName;
  readonly reason: Reason;
  readonly detail: string;
}

/** The tools for one message. */
export class Tools {
  readonly pools: Pools;
  readonly policy: Policy;
  readonly budget: Budget;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly passwords: readonly string[];
  readonly begin: (cap: number) => StageWriter;
  readonly live: LiveSink | undefined;
  readonly only: Only | undefined;
  readonly #onFailure: ((failure: Failure) => void) | undefined;
  readonly scan: Scan | undefined;
  readonly #traces: Traces | undefined;
  #files = 0;

  constructor(
    shared: {
      readonly pools: Pools;
      readonly policy: Policy;
      readonly metrics: Metrics;
      readonly passwords: readonly string[];
      readonly begin: (cap: number) => StageWriter;
      readonly live?: LiveSink | undefined;
      readonly only?: Only | undefined;
      readonly onFailure?: (failure: Failure) => void;
      readonly scan?: Scan | undefined;
      readonly traces?: Traces | undefined;
    },
    signal: AbortSignal,
  ) {
    this.pools = shared.pools;
    this.policy = shared.policy;
    this.metrics = shared.metrics;
    this.passwords = shared.passwords;
    this.begin = shared.begin;
    this.live = shared.live;
    this.only = shared.only;
    this.#onFailure = shared.onFailure;
    this.scan = shared.scan;
    this.#traces = shared.traces;
    this.signal = signal;
    this.budget = new Budget(shared.policy.limits);
  }

  /** Path in the package of the next output made of a part of this name. */
  nextFile(originalName: string, extension: 'pdf' | 'png' | 'jpg' | 'txt'): string {
    this.#files += 1;
    return `files/${forFileName(this.#files, originalName, extension)}`;
  }

  /** Puts an output's bytes aside; what does not fit the message's purse is `OverBudget`. */
  async keep(bytes: Uint8Array): Promise<Staged> {
    const output = this.output();
    try {
      for (let at = 0; at < bytes.length; at += LIMITS.frameBytes)
        await output.write(bytes.subarray(at, at + LIMITS.frameBytes));
      return output.finish();
    } catch (error) {
      output.abort();
      throw error;
    }
  }

  /** A place for an output that is made piece by piece, paid from the message's purse. */
  output(): StageWriter {
    const writer = this.begin(LIMITS.outputBytes);
    return {
      get size(): number {
        return writer.size;
      },
      write: (chunk) => {
        this.budget.output(chunk.length);
        return writer.write(chunk);
      },
      finish: () => writer.finish(),
      abort: () => writer.abort(),
    };
  }

  /**
   * Gives a leaf to a child of the family; `sink` gets the child (to prolong its time) and its frames. A child that an
   * earlier input may have spoilt, and that failed before it gave anything of this one, is followed by a fresh one; so is
   * one that was killed from outside before it gave anything. Throws `child-killed` when one was killed from outside later, or
   * the fresh one, too: the message begins anew. A message that has had its time gets no child any more.
   */
  async run(leaf: Leaf, ask: Ask, sink: (child: JailedChild) => FrameSink): Promise<ChildOutcome> {
    if (this.#traces === undefined) return this.#run(leaf, ask, sink);
    const facts = { 'mugai.part': leaf.path, 'mugai.bytes': leaf.content.size, 'mugai.worker': ask.family };
    return this.#traces.piece(`convert ${ask.family}`, facts, async () => this.#run(leaf, ask, sink));
  }

  async #run(leaf: Leaf, ask: Ask, sink: (child: JailedChild) => FrameSink): Promise<ChildOutcome> {
    const seconds = this.metrics.convertSeconds.startTimer({ worker: ask.family });
    try {
      const run = async (child: JailedChild): Promise<ChildOutcome> => this.#runIn(child, leaf, ask, sink);
      const pool = this.pools[ask.family];
      let outcome = await pool.use(this.signal, run);
      const mayTryAnother =
        outcome.kind === 'failed' && (outcome.spoilt || (outcome.outside === true && !outcome.gave));
      if (mayTryAnother && !this.signal.aborted) outcome = await pool.use(this.signal, run, true);
      // A child that was stopped because we stop says nothing about its input.
      if (this.signal.aborted) throw new MugaiError('signal', 'stopped while a part was being converted');
      // An innocent input must not be refused for ever because the machine was short of memory: it comes again later.
      if (outcome.kind === 'failed' && outcome.outside === true)
        throw new MugaiError('child-killed', `a ${ask.family} child was killed from outside`);
      if (outcome.kind !== 'done')
        this.#onFailure?.({
          part: leaf.path,
          worker: ask.family,
          reason: outcome.reason,
          detail: withoutCitations(outcome.detail),
        });
      return outcome;
    } finally {
      seconds();
    }
  }

  /** Gives a leaf to one more child, for a share of the work: no second try, and no word of it when it fails. */
  async share(leaf: Leaf, ask: Ask, sink: (child: JailedChild) => FrameSink): Promise<ChildOutcome> {
    return this.pools[ask.family].use(this.signal, async (child) => this.#runIn(child, leaf, ask, sink));
  }

  async #runIn(
    child: JailedChild,
    leaf: Leaf,
    ask: Ask,
    sink: (child: JailedChild) => FrameSink,
  ): Promise<ChildOutcome> {
    const leftMs = ask.ours === true ? Number.POSITIVE_INFINITY : this.budget.msLeft;
    if (leftMs === 0) return { kind: 'failed', reason: 'timeout', detail: 'the message had its time', spoilt: false };
    const started = performance.now();
    const outcome = await child.run(
      {
        operation: ask.operation ?? OPERATION.convert,
        dpi: ask.dpi ?? this.policy.limits.dpi,
        maxPages: ask.maxPages ?? Math.max(1, this.budget.pagesLeft),
        declaredType: ask.declaredType ?? leaf.declaredType,
        name: leaf.name,
        password: ask.password ?? '',
      },
      firstBytes(leaf.content, ask.head),
      sink(child),
      {
        deadlineMs: ask.deadlineMs,
        totalMs: Math.min(ask.totalMs, leftMs),
        whole: ask.whole,
        signal: this.signal,
      },
    );
    if (ask.ours !== true) this.budget.ms(performance.now() - started);
    return outcome;
  }
}

/** Messages of parsers put what they read in quotes: a name, a value, a piece of text. That is the mail's, not the log's. */
export function withoutCitations(detail: string): string {
  return forLog(detail.replaceAll(/(["'`]).*?\1|[“「].*?[”」]/gs, '…'));
}

async function* firstBytes(
  content: Staged,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = most;
  for await (const bytes of content.open()) {
    yield bytes.length > left ? bytes.subarray(0, left) : bytes;
    left -= bytes.length;
    if (left <= 0) return;
  }
}
