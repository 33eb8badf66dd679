// One mail through the mail child: headers, tree, the bytes of every leaf put aside, the text of body leaves kept.
import { parseDeadlineMs } from '../message/limits.ts';
import type { Reason, Remark } from '../message/part.ts';
import type { Headers } from '../message/stages.ts';
import { MailReader, type MailNode } from '../sandbox/mail-reader.ts';
import type { StageWriter, Staged } from '../spool/spool.ts';
import { OverBudget } from './budget.ts';
import type { Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** A node of the mail's tree; leaves have content, body leaves have text too. */
export interface MailTreeNode {
  readonly part: MailNode;
  readonly content: Staged | undefined;
  readonly text: string | undefined;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

export interface ReadMail {
  readonly headers: Headers;
  readonly autoSubmitted: string;
  readonly sender: string;
  readonly replyTo: string;
  readonly nodes: readonly MailTreeNode[];
  /** What was seen of the mail as a whole, before its first part. */
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

/** A mail that could not be read, and what was seen of it before. */
export interface UnreadMail {
  readonly refused: Reason;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

interface OpenNode {
  readonly part: MailNode;
  readonly writer: StageWriter;
  text: string[] | undefined;
  readonly findings: Remark[];
  readonly losses: Remark[];
}

/**
 * Reads a mail (or what else of the `mail` route is of `type`), or says why not. What was put aside is discarded when it
 * fails.
 */
export async function readMail(leaf: Leaf, tools: Tools, type = 'message/rfc822'): Promise<ReadMail | UnreadMail> {
  const headers: Headers = { from: '', to: '', cc: '', subject: '', date: '', messageId: '' };
  const nodes: MailTreeNode[] = [];
  const mail = { autoSubmitted: '', sender: '', replyTo: '', findings: [] as Remark[], losses: [] as Remark[] };
  let open: OpenNode | undefined;
  let over: OverBudget | undefined;
  const reader = new MailReader({
    onHeader: (field, text) => {
      if (field === 'autoSubmitted' || field === 'sender' || field === 'replyTo') mail[field] = text;
      else if (field in headers) headers[field] = text;
    },
    onPart: (part) => {
      if (part.kind === 'multipart') {
        nodes.push({ part, content: undefined, text: undefined, findings: [], losses: [] });
        return;
      }
      over ??= spend(() => tools.budget.part(leaf.depth));
      open = { part, writer: tools.begin(Number.MAX_SAFE_INTEGER), text: undefined, findings: [], losses: [] };
    },
    onBytes: (chunk) => {
      over ??= spend(() => tools.budget.bytes(chunk.length));
      return over === undefined ? open?.writer.write(chunk) : undefined;
    },
    onText: (piece) => {
      if (open !== undefined) (open.text ??= []).push(piece);
    },
    onPartEnd: () => {
      if (open === undefined) return;
      const { part, writer, text, findings, losses } = open;
      nodes.push({ part, content: writer.finish(), text: text?.join(''), findings, losses });
      open = undefined;
    },
    onFinding: (remark) => (open ?? mail).findings.push(remark),
    onLoss: (remark) => (open ?? mail).losses.push(remark),
  });
  const deadlineMs = parseDeadlineMs(leaf.content.size);
  const ask = {
    family: 'mail',
    declaredType: type,
    deadlineMs,
    totalMs: deadlineMs,
    whole: () => reader.finish(),
  } as const;
  const drop = async (): Promise<void> => {
    open?.writer.abort();
    for (const node of nodes) await node.content?.discard();
  };
  const outcome = await tools
    .run(leaf, ask, () => reader.take)
    .catch(async (error: unknown) => {
      await drop();
      throw error;
    });
  if (outcome.kind === 'done' && over === undefined) return { headers, nodes, ...mail };
  await drop();
  const { findings, losses } = mail;
  if (over !== undefined) return { refused: over.reason, findings, losses };
  return { refused: outcome.kind === 'done' ? 'converter-failed' : outcome.reason, findings, losses };
}

/** Spends from the purse; going over it is kept, so that the child may end its mail in order. */
function spend(act: () => void): OverBudget | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof OverBudget) return error;
    throw error;
  }
}
