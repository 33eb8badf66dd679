// What the worker does with requests of the inner side: looks into their folder, acts on each once, removes it.
import type { KeyObject } from 'node:crypto';
import type { Lifecycle } from '../lifecycle.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { waitsForPassword, type PartRow, type Reason } from '../message/part.ts';
import type { Sanitised } from '../message/stages.ts';
import type { Log } from '../ops/log.ts';
import { PasswordAllowance } from '../requests/allowance.ts';
import type { PasswordRequest, Request } from '../requests/request.ts';
import type { RequestReader } from '../requests/requests.ts';
import { openPasswords } from '../requests/sealed-box.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';

/** Pause between two looks: a person waits for the answer. */
const LOOK_MS = 1000;
/** Requests acted on at once; the children are shared with the mail that comes in. */
const AT_ONCE = 4;
/** A request that could not be answered for so long is given up. */
const GIVE_UP_MS = 60 * 60_000;

/** Acts on one request. `later`: it stays in the folder and is tried again. Throws for trouble of ours: tried again, too. */
export type Answer<R extends Request> = (request: R, signal: AbortSignal) => Promise<'answered' | 'later'>;

/** What is done with each kind; a kind without a handler is refused, with a line in the log. */
export type Answers = { readonly [kind in Request['kind']]?: Answer<Extract<Request, { kind: kind }>> };

/** Looks for requests until the gateway stops. */
export function startRequests(log: Log, life: Lifecycle, reader: RequestReader, answers: Answers): void {
  const stop = new AbortController();
  const busy = new Map<string, Promise<void>>();
  /** Those that have to wait, in the order of their last try: they take their turns after whoever was not tried yet. */
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const act = async (name: string, request: Request): Promise<void> => {
    waiting.delete(name);
    const stay = (): void => void waiting.add(name);
    const about = { request: request.request, id: request.id, kind: request.kind };
    try {
      const answer = answers[request.kind] as Answer<Request> | undefined;
      if (answer === undefined) log.warn(about, 'request of a kind that is not answered here');
      else if ((await answer(request, stop.signal)) === 'later' && Date.now() - Date.parse(request.at) < GIVE_UP_MS)
        return stay();
      else log.info(about, 'request answered');
    } catch (error) {
      const permanent = error instanceof MugaiError && error.permanent;
      log.warn({ ...about, error: reasonOf(error) }, permanent ? 'request refused' : 'request failed');
      if (!permanent && Date.now() - Date.parse(request.at) < GIVE_UP_MS) return stay();
    }
    await reader.remove(name);
  };
  const look = async (): Promise<void> => {
    const names = new Set(await reader.names());
    for (const name of waiting) if (!names.has(name)) waiting.delete(name);
    for (const name of new Set([...[...names].filter((one) => !waiting.has(one)), ...waiting])) {
      if (busy.has(name)) continue;
      if (busy.size >= AT_ONCE) break;
      const found = await reader.read(name);
      if (found === undefined) continue;
      if ('fault' in found) {
        log.warn({ fault: found.fault }, 'a file among the requests is none; removed');
        await reader.remove(name);
        continue;
      }
      const acting = act(name, found.request)
        .catch((error: unknown) => log.error({ error: reasonOf(error) }, 'requests'))
        .finally(() => busy.delete(name));
      busy.set(name, acting);
    }
  };
  const again = (): void => {
    look()
      .catch((error: unknown) => log.error({ error: reasonOf(error) }, 'requests'))
      .finally(() => {
        if (!stop.signal.aborted) timer = setTimeout(again, LOOK_MS);
      });
  };
  life.started('requests', async () => {
    clearTimeout(timer);
    stop.abort();
    await Promise.all(busy.values());
  });
  again();
}

/** What answering a password needs. */
export interface PasswordDeps {
  /** As a whole, since its policy is the one in force at the time. */
  readonly deps: SanitiseDeps;
  readonly requestKey: KeyObject;
  readonly seal: (sanitised: Sanitised, signal: AbortSignal) => Promise<void>;
  /** Hears which message was made anew, and what came of it. */
  readonly opened: (id: MessageId, made: Sanitised) => Promise<void>;
}

/**
 * Tries the passwords of a request on what is held in a message: the whole message is made harmless once more and sealed
 * as another version of it, under the request's id. Done twice it gives the same package. Where no password is wanted
 * nothing is made (`bad-input`): another version goes to all recipients of the message.
 */
export function answerPasswords({ deps, requestKey, seal, opened }: PasswordDeps): Answer<PasswordRequest> {
  const allowance = new PasswordAllowance();
  return async (request, signal) => {
    const of = parseMessageId(request.id);
    const first = of === undefined ? undefined : await deps.spool.sanitised(of);
    if (first !== undefined && !mayBeLocked(first.record.parts, request.part))
      throw new MugaiError('bad-input', `part ${request.part} waits for no password`, { permanent: true });
    return makeAgain(request, { deps, seal, made: opened }, signal, () => {
      const passwords = openPasswords(request.box, requestKey, request);
      return allowance.take(request.id, request.by) ? { passwords } : undefined;
    });
  };
}

/** A part that failed for these may have been found locked when an operator had it made again. */
const UNKNOWN: ReadonlySet<Reason | null> = new Set<Reason>(['converter-failed', 'timeout', 'out-of-memory']);

/** True when the part, or something that it lies in, was held for a password when the message came. */
function mayBeLocked(parts: readonly PartRow[], part: string): boolean {
  return parts
    .filter(({ path }) => part === path || part.startsWith(`${path}.`))
    .some((row) => waitsForPassword(row) || UNKNOWN.has(row.reason));
}

/** What making a message again needs. */
export interface AgainDeps {
  /** As a whole, since its policy is the one in force at the time. */
  readonly deps: SanitiseDeps;
  readonly seal: (sanitised: Sanitised, signal: AbortSignal) => Promise<void>;
  /** Hears which message was made anew, and what came of it. */
  readonly made?: (id: MessageId, made: Sanitised) => Promise<void>;
}

/**
 * Makes the whole message of a request harmless once more and seals it as another version of it, under the request's id.
 * `other`: what is different this time; undefined: not now.
 */
export async function makeAgain(
  request: Pick<Request, 'request' | 'id'>,
  { deps, seal, made }: AgainDeps,
  signal: AbortSignal,
  other: () => Partial<SanitiseDeps> | undefined,
): Promise<'answered' | 'later'> {
  const id = parseMessageId(request.request);
  const of = parseMessageId(request.id);
  if (id === undefined || of === undefined) throw new MugaiError('bad-input', 'no id', { permanent: true });
  const { spool } = deps;
  if ((await spool.stageOf(id)) === 'sealed') return 'answered'; // it was, and the file could not be removed then
  const earlier = await spool.sanitised(id);
  if (earlier !== undefined) {
    await seal(earlier, signal);
    return 'answered';
  }
  const changed = other();
  if (changed === undefined) return 'later';
  const spooled = await spool.spooled(of);
  if (spooled === undefined) throw new MugaiError('not-found', `message ${of} is gone`, { permanent: true });
  const { source, envelope, receivedAt } = spooled.record;
  const content = spool.rawContent(spooled);
  const harmless = await makeHarmless({ id, source, envelope, receivedAt, content }, { ...deps, ...changed }, signal);
  try {
    const again = await spool.recordRevision(spooled, id, harmless.record, harmless.outputs);
    await seal(again, signal);
    await made?.(of, again);
  } finally {
    for (const output of harmless.outputs) if ('discard' in output.content) await output.content.discard();
  }
  return 'answered';
}
