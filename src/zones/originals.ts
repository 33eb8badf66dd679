// What the middle does with an approved request for an original: notes it, compares its digest, has it scanned at once and
// again when its waiting time is over, and lets the outer door hand it out once. Nothing of it comes near the outbox.
import { createHash } from 'node:crypto';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Audit } from '../message/act.ts';
import type { OpenRelease, ReleaseEnd, ReleaseRecord, Spooled } from '../message/stages.ts';
import { forLine } from '../message/untrusted.ts';
import type { OriginalRequest } from '../requests/request.ts';
import type { Leaf } from '../sanitise/part.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';
import type { Spool, Staged } from '../spool/spool.ts';
import { isTooLarge, scan } from './clamd.ts';
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

/** What a look at an original said; `clean`: it may be handed out now. */
export type Looked =
  | { readonly state: 'clean'; readonly original: Original }
  | { readonly state: Exclude<ReleaseEnd, 'used' | 'unused'>; readonly found?: string };

/** Answers requests for originals: each is noted, and followed from then on. */
export function answerOriginals(spool: Spool): Answer<OriginalRequest> {
  return async (request) => {
    const id = parseMessageId(request.id);
    if (id === undefined) throw new MugaiError('bad-input', 'no id', { permanent: true });
    const { part, by, approvedBy, sha256, token, notBefore, expires } = request;
    await spool.openReleases.add({
      id,
      request: request.request,
      part,
      by,
      approvedBy,
      sha256,
      token,
      notBefore,
      expires,
      noted: new Date().toISOString(),
    });
    return 'answered';
  };
}

/** Looks at an original as it is now. Whoever gets `clean` discards its content. Throws when the scanner gives no answer. */
export async function lookAt(
  release: OpenRelease,
  deps: OriginalDeps & { readonly away: (why: string) => void },
  signal: AbortSignal,
): Promise<Looked> {
  const { spool, clamd, away } = deps;
  const spooled = await spool.spooled(release.id as MessageId);
  if (spooled === undefined) return { state: 'gone' };
  const original = await originalOf(spooled, release.part, deps, signal);
  if (original === undefined) return { state: 'no-part' };
  const { content } = original;
  let kept = false;
  try {
    // What was approved is this digest, and nothing else.
    if (release.sha256 !== content.sha256) return { state: 'changed' };
    if (clamd === undefined) return { state: 'no-scanner' };
    const hash = createHash('sha256');
    const bytes = hashed(content.open(), hash);
    const { found } = await scan(clamd, bytes, signal).catch((error: unknown) => {
      if (!isGone(error) && !isTooLarge(error)) away(reasonOf(error));
      throw error;
    });
    if (found !== undefined) return { state: 'malware', found };
    if (hash.digest('hex') !== release.sha256) return { state: 'changed' };
    kept = true;
    return { state: 'clean', original };
  } catch (error) {
    if (isGone(error)) return { state: 'gone' };
    if (isTooLarge(error)) return { state: 'not-scanned' };
    throw error;
  } finally {
    if (!kept) await content.discard();
  }
}

/** Decides on a release: the line in the journal, then the record that the outer door goes by. False: another's word stands. */
export async function decide(
  release: OpenRelease,
  { spool, audit }: Pick<OriginalDeps, 'spool' | 'audit'>,
  looked: Looked,
): Promise<boolean> {
  const { id, request, part, by, approvedBy, token, sha256, notBefore, expires } = release;
  const clean = looked.state === 'clean';
  const reason = clean ? '' : looked.state === 'malware' ? `malware: ${looked.found ?? ''}` : looked.state;
  const detail = { reason, for: by, approvedBy, sha256, part };
  await audit.append({ act: clean ? 'approved' : 'refused', message: id, detail });
  if (looked.state === 'gone') return true; // no record is put where its message was deleted
  const record: ReleaseRecord = {
    id,
    request,
    state: clean ? 'ready' : 'refused',
    reason,
    token,
    sha256,
    name: clean ? looked.original.name : '',
    size: clean ? looked.original.content.size : 0,
    by,
    notBefore,
    expires,
    ...(part === '' ? {} : { part }),
  };
  return spool.recordRelease(id as MessageId, record, clean && part !== '' ? looked.original.content : undefined);
}

/** True when the bytes of a message were deleted while one looked at it. */
function isGone(error: unknown): boolean {
  return error instanceof MugaiError && error.code === 'not-found';
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
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
  // What is taken out is scanned as a whole, afterwards: a part on the way to it must not end the walk.
  const { live: _, scan: __, ...tools } = deps;
  const made = await makeHarmless(
    { id, source, envelope, receivedAt, content },
    { ...tools, only: { as: 'bytes', part, take } },
    signal,
  );
  for (const output of made.outputs) if ('discard' in output.content) await output.content.discard();
  const { parts, reason: ofAll } = made.record;
  const onTheWay = parts.filter(({ path }) => part === path || part.startsWith(`${path}.`)).map(({ reason }) => reason);
  const trouble = [ofAll, ...onTheWay].find((reason) => reason !== null && PASSING.has(reason));
  if (found === undefined && trouble !== undefined)
    throw new MugaiError('child-failed', `part ${part} could not be reached just now: ${trouble}`);
  return found;
}

/** Reasons that may be gone at the next try. */
const PASSING: ReadonlySet<string> = new Set(['timeout', 'out-of-memory', 'converter-failed']);
