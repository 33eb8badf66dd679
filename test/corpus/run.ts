// Takes files of the shared corpus through the real road and the checker, and counts how they end.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MugaiError } from '../../src/message/errors.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { REASONS, type PartRow, type Verdict } from '../../src/message/part.ts';
import { residentBytes } from '../../src/sandbox/process-tree.ts';
import { seeded } from '../support/attack-row.ts';
import type { Sanitiser } from '../support/sanitiser.ts';
import { leafFaults } from './leaves.ts';
import { checkOffice, type Count } from './office-check.ts';
import { withoutItsOwn } from './other-reader.ts';

export const CORPUS = fileURLToPath(new URL('../../../shared/corpus/', import.meta.url));
/**
 * No input of the corpus is large. The longest limit that one of them meets is that of an office document: whatever takes longer
 * than that and what surrounds it (start, detection, death of the child on a busy machine), the limits did not hold.
 */
const HANG_MS = LIMITS.officeMs + 30_000;

/** How one file ended. */
export interface Ended {
  readonly path: string;
  readonly state: string;
  readonly reason: string | null;
  readonly pages: number;
  /** Verdicts of its parts, its own first. */
  readonly became: readonly Verdict[];
  readonly ms: number;
  /** What breaks the output contract, or is not accounted for; empty for a safe end. */
  readonly unsafe: readonly string[];
  /** Paths of parts of which a converter of ours failed. */
  readonly inside: readonly string[];
  /** What the host threw, if it did. */
  readonly crash: string | undefined;
  readonly hang: boolean;
  /** Letters and cells of an office document that became pages. */
  readonly count?: Count | undefined;
  /** Why it was tried again, as the gateway does where its own machine was at fault (a child that could not start). */
  readonly again: readonly string[];
}

/** The 2,031 files, the 25 licences among them (plain text): paths relative to the corpus, sorted. The lists beside the folders are none. */
export async function corpusPaths(): Promise<string[]> {
  const entries = await readdir(CORPUS, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(CORPUS, join(entry.parentPath, entry.name)))
    .filter((path) => path.includes('/'))
    .toSorted();
}

/** A seeded choice of `count` paths. */
export function sample(paths: readonly string[], count: number, seed: number): string[] {
  const next = seeded(seed);
  return paths
    .map((path) => ({ path, at: next() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ path }) => path);
}

/** A mail comes by the SMTP door, anything else by the HTTP door. */
function kindOf(path: string, bytes: Buffer): 'mail' | 'file' {
  const looksLikeMail = /^(?:>?From |[!-9;-~]{1,60}:[ \t])/.test(bytes.toString('latin1', 0, 80));
  return path.startsWith('mail/') && (/\.eml$/i.test(path) || looksLikeMail) ? 'mail' : 'file';
}

/** One file through the road and the checker; again where the machine was at fault, as often as the gateway would. */
export async function tryFile(path: string, sanitiser: Sanitiser): Promise<Ended> {
  const again: string[] = [];
  for (;;) {
    const ended = await tryOnce(path, sanitiser);
    const { fault, ...rest } = ended;
    if (!(fault instanceof MugaiError) || fault.permanent || again.length + 1 >= LIMITS.attempts)
      return { ...rest, again };
    again.push(fault.message);
  }
}

async function tryOnce(
  path: string,
  sanitiser: Sanitiser,
): Promise<Omit<Ended, 'again'> & { readonly fault?: unknown }> {
  const bytes = await readFile(join(CORPUS, path));
  const started = performance.now();
  try {
    const kind = kindOf(path, bytes);
    const outcome = await sanitiser.judge(kind, path.split('/').at(-1) ?? '', bytes);
    const { state, reason, parts, faults, ms } = outcome;
    const pages = parts.reduce((sum, part) => sum + part.pages, 0);
    const unsafe = [...faults, ...leafFaults(path, parts), ...untold(state, reason, parts)];
    const isPages = parts.length === 1 && parts[0]?.verdict === 'pages';
    const counted = isPages && path.startsWith('office/') ? await checkOffice(path, bytes, outcome) : undefined;
    const count = withoutItsOwn(path, counted);
    const became = parts.map(({ verdict }) => verdict);
    const inside = parts.filter((part) => part.reason === 'converter-failed').map((part) => part.path);
    // Each document of an archive has its own time.
    const documents = Math.max(1, became.filter((verdict) => verdict === 'pages').length);
    const hang = ms > HANG_MS + (documents - 1) * LIMITS.officeMs;
    return { path, state, reason, pages, became, ms, unsafe, inside, crash: undefined, hang, count };
  } catch (error) {
    const crash = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const ms = performance.now() - started;
    return {
      path,
      state: 'failed',
      reason: null,
      pages: 0,
      became: [],
      ms,
      unsafe: [],
      inside: [],
      crash,
      hang: ms > HANG_MS,
      fault: error,
    };
  }
}

/** What was held or refused without one of the reasons of the contract. What is dropped may be one of two forms of a text. */
function untold(state: string, reason: string | null, parts: readonly PartRow[]): string[] {
  const isTold = (why: string | null): boolean => REASONS.some((known) => known === why);
  const faults = state === 'sanitised' || isTold(reason) ? [] : [`${state} for ${reason ?? 'no reason'}`];
  for (const part of parts)
    if (['held', 'refused'].includes(part.verdict) && !isTold(part.reason))
      faults.push(`${part.path} ${part.verdict} for ${part.reason ?? 'no reason'}`);
  return faults;
}

/** Peak resident memory of this process and of all its children together, looked at ten times a second. */
export function watchMemory(): () => { readonly host: number; readonly children: number } {
  let host = 0;
  let children = 0;
  const timer = setInterval(() => {
    const own = process.memoryUsage.rss();
    host = Math.max(host, own);
    children = Math.max(children, residentBytes(process.pid) - own);
  }, 100);
  return () => {
    clearInterval(timer);
    return { host, children };
  };
}
