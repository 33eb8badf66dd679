// What the middle does with an approved request for an original: compares its digest, has it scanned, lets the outer door
// hand it out once. Nothing of it comes near the outbox.
import { parseMessageId, type MessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Audit } from '../message/act.ts';
import type { ReleaseRecord, Spooled } from '../message/stages.ts';
import { forLine } from '../message/untrusted.ts';
import type { OriginalRequest } from '../requests/request.ts';
import type { Leaf } from '../sanitise/part.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';
import type { Staged } from '../spool/spool.ts';
import { scan } from './clamd.ts';
import type { Answer } from './requests.ts';

export interface OriginalDeps extends SanitiseDeps {
  readonly audit: Audit;
  /** Where clamd listens; undefined: nothing is released. */
  readonly clamd: string | undefined;
}

/** What would be handed out. */
interface Original {
  readonly content: Staged;
  readonly name: string;
}

/** Answers requests for originals. A scanner that is away makes it wait; what it finds stays inside for good. */
export function answerOriginals(deps: OriginalDeps): Answer<OriginalRequest> {
  const { spool, audit, clamd } = deps;
  return async (request, signal) => {
    const id = parseMessageId(request.id);
    if (id === undefined) throw new MugaiError('bad-input', 'no id', { permanent: true });
    if ((await spool.release(id, request.token)) !== undefined) return 'answered';
    const spooled = await spool.spooled(id);
    if (spooled === undefined) throw new MugaiError('not-found', `message ${id} is gone`, { permanent: true });
    const original = await originalOf(spooled, request.part, deps, signal);
    if (original === undefined)
      throw new MugaiError('not-found', `message ${id} has no part ${request.part}`, { permanent: true });
    const { content, name } = original;
    const end = async (state: ReleaseRecord['state'], reason: string): Promise<'answered'> => {
      const { sha256 } = content;
      const detail = { reason, for: request.by, approvedBy: request.approvedBy, sha256, part: request.part };
      await audit.append({ act: state === 'ready' ? 'approved' : 'refused', message: id, detail });
      const record: ReleaseRecord = {
        id,
        request: request.request,
        state,
        reason,
        token: request.token,
        sha256,
        name,
        size: content.size,
        by: request.by,
        notBefore: request.notBefore,
        expires: request.expires,
        ...(request.part === '' ? {} : { part: request.part }),
      };
      await spool.recordRelease(id, record, request.part === '' || state === 'refused' ? undefined : content);
      return 'answered';
    };
    try {
      // What was approved is this digest, and nothing else.
      if (request.sha256 !== content.sha256) return await end('refused', 'changed');
      if (Date.parse(request.expires) <= Date.now()) return await end('refused', 'expired');
      if (clamd === undefined) return await end('refused', 'no-scanner');
      const found = await scanned(clamd, id, content, signal);
      return await (found === undefined ? end('ready', '') : end('refused', `malware: ${found}`));
    } finally {
      await content.discard();
    }
  };
}

/** What the scanner finds; undefined: nothing. Throws when it cannot be asked. */
async function scanned(
  clamd: string,
  id: MessageId,
  content: Staged,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await scan(clamd, content.open(), signal)).found;
  } catch (error) {
    if (error instanceof MugaiError && error.permanent) throw error;
    throw new MugaiError('store-failed', `original of ${id} not scanned: ${reasonOf(error)}`, { cause: error });
  }
}

/** The message as it came, or one part of it: walked to by jailed children, as when it was made harmless. */
async function originalOf(
  spooled: Spooled,
  part: string,
  deps: SanitiseDeps,
  signal: AbortSignal,
): Promise<Original | undefined> {
  const { spool } = deps;
  const { id, record } = spooled;
  const { source, envelope, receivedAt } = record;
  const content = spool.rawContent(spooled);
  if (part === '') return { content, name: source.kind === 'mail' ? `${id}.eml` : source.name };
  let found: Original | undefined;
  const take = async (leaf: Leaf): Promise<void> => {
    const writer = spool.begin(LIMITS.expandedBytes);
    try {
      for await (const chunk of leaf.content.open()) await writer.write(chunk);
      found = { content: writer.finish(), name: forLine(leaf.name, 200) || `${id}-${part}` };
    } catch (error) {
      writer.abort();
      throw error;
    }
  };
  const { live: _, ...tools } = deps;
  const made = await makeHarmless(
    { id, source, envelope, receivedAt, content },
    { ...tools, only: { as: 'bytes', part, take } },
    signal,
  );
  for (const output of made.outputs) if ('discard' in output.content) await output.content.discard();
  return found;
}
