// The audit journal of a zone: append-only JSON lines, each with the hash of the one before, synced together in groups.
import { closeSync, fdatasync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ActEntry, Audit, Entered, JournalZone, Position } from '../message/act.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { holdAlone } from '../store/alone.ts';
import type { HeadKey } from './head-key.ts';
import { fileName, journalFiles, mendTail, syncFolder } from './journal-files.ts';
import { hashOf, lineOf, parseLine, positionOf, type Head } from './line.ts';
import { startOf, type Start } from './start.ts';

const syncBytes = promisify(fdatasync);
const DAY_MS = 86_400_000;
/** A file is closed at this size, or with its day. */
const FILE_BYTES = 256 * 1024 * 1024;
const HEAD_MS = 3_600_000;
/** Where the group before had so many entries, the next one is gathered for so long after it began, or until it has enough. */
const GATHER = { from: 16, enough: 256, ms: 20 } as const;
/** Processes of one zone that share a data folder: each has a chain of its own. */
const MOST_WRITERS = 64;

export interface JournalOptions {
  /** Folder of all journals of this machine. */
  readonly root: string;
  readonly zone: JournalZone;
  /** Days that are kept; files that are older go, and a line says so. */
  readonly keepDays: number;
  /** Told of every signed head: log it where another zone, a print-out or syslog keeps it. */
  readonly onHead?: (position: Position) => void;
  /** Told when a head could not be signed, or old files not be retired, at the hour. */
  readonly onFault?: (what: 'write' | 'head' | 'retention', error: unknown) => void;
  readonly now?: () => number;
  /** A clock that never leaps: what is retired does not come back. By default that of this process (or `now`, where given). */
  readonly steadyNow?: () => number;
  readonly headMs?: number;
  readonly fileBytes?: number;
  /** Called before each write and sync; a test makes them fail. */
  readonly fault?: (what: 'write' | 'sync') => void;
}

interface Batch {
  readonly lines: string[];
  readonly durable: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Opens the journal of a zone for this process. A second process of the zone gets a folder, and a chain, of its own. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  for (let nth = 1; nth <= MOST_WRITERS; nth++) {
    const folder = join(options.root, nth === 1 ? options.zone : `${options.zone}-${nth}`);
    let release: () => Promise<void>;
    try {
      release = await holdAlone(folder);
    } catch (error) {
      if (error instanceof MugaiError && error.code === 'in-use') continue;
      throw error;
    }
    try {
      return await Journal.open(folder, options, release);
    } catch (error) {
      await release();
      if (error instanceof MugaiError) throw error;
      throw new MugaiError('store-failed', `journal ${folder}: ${reasonOf(error)}`, { cause: error });
    }
  }
  throw new MugaiError('in-use', `${MOST_WRITERS} journals of ${options.zone} are in use`, { permanent: true });
}

/** One chain, written by this process alone. */
export class Journal implements Audit {
  readonly folder: string;
  readonly chain: string;
  readonly #options: JournalOptions;
  readonly #release: () => Promise<void>;
  readonly #key: HeadKey;
  #fd: number;
  #day: string;
  /** What is on the disk for certain. */
  #durable: Head;
  #size: number;
  /** The last line entered, durable or not. */
  #head: Head;
  #batch: Batch | undefined;
  #flushing: Promise<void> | undefined;
  /** The group before: when its writing began (`performance.now`), and its entries. */
  #before = { began: 0, entries: 0 };
  #timer: NodeJS.Timeout | undefined;
  #headed = 0;
  /** Milliseconds of the last line of this run. */
  #at = 0;
  #closed = false;

  private constructor(folder: string, options: JournalOptions, release: () => Promise<void>, start: Start) {
    this.folder = folder;
    this.#options = options;
    this.#release = release;
    this.chain = start.chain;
    this.#key = start.key;
    this.#fd = start.fd;
    this.#size = start.size;
    this.#day = start.day;
    this.#durable = start.head;
    this.#head = start.head;
  }

  /** Opens the chain in a folder that this process holds. */
  static async open(folder: string, options: JournalOptions, release: () => Promise<void>): Promise<Journal> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const now = options.now?.() ?? Date.now();
    const { start, recovered } = await startOf(folder, options.zone, now);
    const journal = new Journal(folder, options, release, start);
    await syncFolder(folder);
    await syncFolder(options.root);
    if (recovered !== undefined) journal.#enter({ act: 'recovered', detail: recovered });
    await journal.append({ act: 'opened', detail: { key: start.key.publicKey, pid: process.pid } });
    await journal.#retire();
    const headMs = options.headMs ?? HEAD_MS;
    journal.#timer = setInterval(() => {
      // A head that cannot be kept is no reason to end, but somebody must hear of it: the chain is not anchored meanwhile.
      journal.signHead().catch((error: unknown) => options.onFault?.('head', error));
      journal.#retire().catch((error: unknown) => options.onFault?.('retention', error));
    }, headMs);
    journal.#timer.unref();
    return journal;
  }

  /** Where the chain stands, with what is not durable yet. */
  get position(): Position {
    return positionOf(this.chain, this.#head);
  }

  enter(entry: ActEntry): Entered {
    if (this.#closed) throw new MugaiError('store-failed', 'the journal is closed');
    return this.#enter(entry);
  }

  #enter(entry: ActEntry): Entered {
    const line = lineOf(this.#timed(entry), this.chain, this.#head, this.#at);
    this.#head = { seq: this.#head.seq + 1, hash: hashOf(line) };
    const batch = (this.#batch ??= newBatch());
    batch.lines.push(line);
    this.#flushing ??= this.#flush();
    return { position: positionOf(this.chain, this.#head), durable: batch.durable };
  }

  /** Takes the time of a line: never before that of the line before it. A clock that was set back is told beside it. */
  #timed(entry: ActEntry): ActEntry {
    const now = this.#options.now?.() ?? Date.now();
    if (now >= this.#at) {
      this.#at = now;
      return entry;
    }
    return { ...entry, detail: { ...entry.detail, clock: new Date(now).toISOString() } };
  }

  async append(entry: ActEntry): Promise<Position> {
    const { position, durable } = this.enter(entry);
    await durable;
    return position;
  }

  /** Signs where the chain stands, inside the chain; nothing when the last line is a head already. */
  async signHead(): Promise<void> {
    if (this.#headed === this.#head.seq) return;
    const of = this.position;
    const { durable } = this.#enter({ act: 'head', detail: { of, signature: this.#key.sign(of) } });
    this.#headed = this.#head.seq;
    const position = this.position;
    await durable;
    this.#options.onHead?.(position);
  }

  /** Signs the last head, syncs and closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    try {
      this.#enter({ act: 'closed' });
      await this.signHead();
    } finally {
      await this.#flushing;
      closeSync(this.#fd);
      await this.#release();
    }
  }

  /** Writes and syncs batch after batch until there is none. What comes in while a sync runs makes the next batch. */
  async #flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // what this turn of the loop tells goes together
    while (this.#batch !== undefined) {
      await this.#gather(this.#batch);
      const batch = this.#batch;
      this.#batch = undefined;
      this.#before = { began: performance.now(), entries: batch.lines.length };
      const last = this.#head;
      const bytes = Buffer.from(`${batch.lines.join('\n')}\n`, 'utf8');
      try {
        await this.#turnFile(batch);
        this.#options.fault?.('write');
        writeWhole(this.#fd, bytes, this.#size);
        this.#options.fault?.('sync');
        await syncBytes(this.#fd);
        this.#size += bytes.length;
        this.#durable = last;
        batch.resolve();
      } catch (error) {
        this.#rollBack(batch, error);
      }
    }
    this.#flushing = undefined;
  }

  /**
   * Lets a group grow while thousands of entries come each second: a disk that syncs for each few of them has no time for the mails.
   * Where few come, nobody waits.
   */
  async #gather({ lines }: Batch): Promise<void> {
    const { began, entries } = this.#before;
    const left = began + GATHER.ms - performance.now();
    if (left <= 0 || entries < GATHER.from || lines.length >= GATHER.enough) return;
    await new Promise((resolve) => setTimeout(resolve, left));
  }

  /** What is not durable did not happen: the file is cut to what is, and whoever waits hears of it. */
  #rollBack(batch: Batch, cause: unknown): void {
    const full = systemCode(cause) === 'ENOSPC' || systemCode(cause) === 'EDQUOT';
    const error = new MugaiError(full ? 'disk-full' : 'store-failed', `journal: ${reasonOf(cause)}`, { cause });
    this.#options.onFault?.('write', error);
    const waiting = this.#batch; // its lines follow lines that are not there
    this.#batch = undefined;
    this.#head = this.#durable;
    if (this.#headed > this.#durable.seq) this.#headed = 0; // that head is not there
    try {
      ftruncateSync(this.#fd, this.#size);
    } catch {
      // The lines are overwritten by the next ones, which begin at the same byte.
    }
    batch.reject(error);
    waiting?.reject(error);
  }

  /** Goes on in a new file when the day is over or the file is full. */
  async #turnFile(batch: Batch): Promise<void> {
    const name = fileName(this.#at, this.#durable.seq + 1);
    if (this.#size === 0) return;
    if (name.startsWith(this.#day) && this.#size < (this.#options.fileBytes ?? FILE_BYTES)) return;
    if (batch.lines.length === 0) return;
    const path = join(this.folder, name);
    const fd = openSync(path, 'wx', 0o600);
    try {
      this.#options.fault?.('sync');
      await syncFolder(this.folder);
    } catch (error) {
      closeSync(fd);
      rmSync(path); // empty, and in the way of the next try
      throw error;
    }
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = 0;
    this.#day = name.slice(0, 8);
  }

  /**
   * Deletes files whose days are over, after a line that says which, how far the chain had come there, and the key (whose own
   * line may be among them), and a head over that line: anybody who may write here could append one, and take the first files away.
   */
  async #retire(): Promise<void> {
    const { steadyNow = this.#options.now } = this.#options;
    // A leap ahead is not believed; a clock that was wrong at the start and was set back is.
    const now = steadyNow?.() ?? Math.min(Date.now(), performance.timeOrigin + performance.now());
    const oldest = fileName(now - this.#options.keepDays * DAY_MS, 0).slice(0, 8);
    const files = journalFiles(this.folder);
    for (const [at, name] of files.entries()) {
      const next = files[at + 1];
      if (next === undefined || name.slice(0, 8) >= oldest) break;
      const { line, hash } = mendTail(join(this.folder, name));
      const parsed = line === undefined ? undefined : parseLine(line);
      if (line === undefined || parsed === undefined || 'fault' in parsed) break; // broken: kept for who looks into it
      const upTo = positionOf(this.chain, { seq: parsed.seq, hash });
      await this.#enter({ act: 'retired', detail: { file: name, upTo, key: this.#key.publicKey } }).durable;
      await this.signHead();
      rmSync(join(this.folder, name));
      await syncFolder(this.folder);
    }
  }
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined); // who entered without waiting is not forced to; the error goes to all who do
  return { lines: [], durable: promise, resolve, reject };
}

function writeWhole(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}
