// What the middle does for the operator on the inner side: try again now, make again with other limits, delete. Each is in
// the journal before it takes effect. Nothing of an original leaves by any of them.
import type { ActEntry, Audit } from '../message/act.ts';
import { MugaiError } from '../message/errors.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { withLimits, type Policy } from '../policy/policy.ts';
import type { DeleteRequest, RerunRequest, RetryRequest } from '../requests/request.ts';
import type { Spool } from '../spool/spool.ts';
import { removePackage } from './live-pages.ts';
import { makeAgain, type AgainDeps, type Answer } from './requests.ts';
import type { Road } from './road.ts';

export interface OperatorDeps {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly audit: Audit;
  readonly road: Road;
}

/** Lets a message that waits for its next attempt be tried at once; one that no queue knows is queued. */
export function answerRetries({ spool, audit, road }: OperatorDeps): Answer<RetryRequest> {
  return async (request) => {
    const id = idOf(request.id);
    const stage = await spool.stageOf(id);
    if (stage === 'unknown') throw new MugaiError('not-found', `message ${id} is gone`, { permanent: true });
    await audit.append(entryOf('retried', request, { stage }));
    if (stage === 'sealed') return 'answered'; // nothing left to do here: what waits is on the inner side
    const step = stage === 'spooled' ? 'sanitise' : 'seal';
    if ((await road.hub?.queue(step).hurry(id)) !== true) road.next(step, [id]);
    return 'answered';
  };
}

/** Makes a message again with the limits of the request, as another version of it. */
export function answerReruns(again: AgainDeps, { audit }: OperatorDeps): Answer<RerunRequest> {
  return async (request, signal) => {
    const { limits } = request;
    const told = Object.entries(limits).map(([name, value]) => `${name}=${value}`);
    await audit.append(entryOf('made-again', request, { limits: told, as: request.request }));
    const policy = withLimits(again.deps.policy, definedOf(limits));
    return makeAgain(request, again, signal, () => ({ policy }));
  };
}

/** Deletes a message for good: the package first, then original and records. One that is still under way is waited for. */
export function answerDeletions({ spool, outbox, audit }: OperatorDeps): Answer<DeleteRequest> {
  return async (request) => {
    const id = idOf(request.id);
    if (request.by === request.confirmedBy)
      throw new MugaiError('bad-input', 'a deletion needs two persons', { permanent: true });
    const stage = await spool.stageOf(id);
    if (stage === 'spooled' || stage === 'sanitised') return 'later';
    if (stage === 'unknown' && (await outbox.find(id)) === undefined) return 'answered'; // it was done, the file stayed
    const { reason, confirmedBy } = request;
    await audit.append(entryOf('deleted', request, { reason, confirmedBy }));
    await removePackage({ spool, outbox }, id);
    if (stage === 'sealed') await spool.forget(id);
    return 'answered';
  };
}

function idOf(text: string): MessageId {
  const id = parseMessageId(text);
  if (id === undefined) throw new MugaiError('bad-input', 'no id', { permanent: true });
  return id;
}

function entryOf(
  act: ActEntry['act'],
  request: { readonly id: string; readonly by: string },
  detail: NonNullable<ActEntry['detail']>,
): ActEntry {
  return { act, message: request.id, person: request.by, detail };
}

/** Limits that were given. */
function definedOf(limits: RerunRequest['limits']): Partial<Policy['limits']> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
