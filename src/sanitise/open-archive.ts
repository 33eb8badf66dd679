// An archive through its child: every entry's bytes put aside under no name, its path kept as a word.
import type { Reason, Remark } from '../message/part.ts';
import { parseDeadlineMs } from '../message/limits.ts';
import { EntriesReader, type OpenedEntry } from '../sandbox/entries-reader.ts';
import type { StageWriter, Staged } from '../spool/spool.ts';
import { OverBudget } from './budget.ts';
import type { Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** An entry of an opened archive. */
export interface ArchiveEntry {
  readonly name: string;
  readonly trouble: Reason | undefined;
  readonly content: Staged;
  readonly findings: readonly Remark[];
}

export type OpenedArchive =
  | { readonly kind: 'entries'; readonly entries: readonly ArchiveEntry[]; readonly findings: readonly Remark[] }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly findings: readonly Remark[] };

interface OpenEntry {
  readonly entry: OpenedEntry;
  readonly writer: StageWriter;
  readonly findings: Remark[];
  isNote: boolean;
  isCounted: boolean;
}

/** Milliseconds on top of what parsing takes: LZMA and PPMd are slow, and each password costs some hashing. */
const UNPACK_MS = 60_000;

/** Opens an archive with the passwords there are. What was put aside is discarded when it fails. */
export async function openArchive(leaf: Leaf, type: string, tools: Tools): Promise<OpenedArchive> {
  const entries: ArchiveEntry[] = [];
  const findings: Remark[] = [];
  let open: OpenEntry | undefined;
  let over: OverBudget | undefined;
  const spend = (act: () => void): void => {
    try {
      if (over === undefined) act();
    } catch (error) {
      if (!(error instanceof OverBudget)) throw error;
      over = error; // kept, so that the child may end in order
    }
  };
  /** Once it is known whether the entry that is open is a note of a system: its remarks come before its bytes. */
  const count = (): void => {
    if (open === undefined || open.isCounted) return;
    const { isNote } = open;
    open.isCounted = true;
    spend(() => (isNote ? tools.budget.leftover(leaf.depth + 1) : tools.budget.part(leaf.depth + 1)));
  };
  const reader = new EntriesReader({
    onEntry: (entry) => {
      open = { entry, writer: tools.begin(Number.MAX_SAFE_INTEGER), findings: [], isNote: false, isCounted: false };
    },
    onBytes: (chunk) => {
      count();
      spend(() => tools.budget.bytes(chunk.length));
      return over === undefined ? open?.writer.write(chunk) : undefined;
    },
    onEntryEnd: () => {
      if (open === undefined) return;
      count();
      const { entry, writer } = open;
      entries.push({ name: entry.name, trouble: entry.trouble, content: writer.finish(), findings: open.findings });
      open = undefined;
    },
    onFinding: (remark) => {
      if (open !== undefined && remark.code === 'system-file') open.isNote = true;
      else (open?.findings ?? findings).push(remark);
    },
    onLoss: (remark) => (open?.findings ?? findings).push(remark),
  });
  const deadlineMs = parseDeadlineMs(leaf.content.size) + UNPACK_MS;
  const ask = {
    family: 'archive',
    declaredType: type,
    password: tools.passwords.join('\n'),
    deadlineMs,
    totalMs: deadlineMs,
    whole: () => reader.finish(),
  } as const;
  const drop = async (): Promise<void> => {
    open?.writer.abort();
    for (const { content } of entries) await content.discard();
  };
  const outcome = await tools
    .run(leaf, ask, () => reader.take)
    .catch(async (error: unknown) => {
      await drop();
      throw error;
    });
  if (outcome.kind === 'done' && over === undefined) return { kind: 'entries', entries, findings };
  await drop();
  const reason = over?.reason ?? (outcome.kind === 'done' ? 'converter-failed' : outcome.reason);
  return { kind: 'refused', reason, findings };
}
