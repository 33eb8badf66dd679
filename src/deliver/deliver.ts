// Sealed → Delivered: the gate, then the courier, then the record. What the gate does not verify is never handed on.
import type { KeyObject } from 'node:crypto';
import type { ActEntry, Audit } from '../message/act.ts';
import type { Language } from '../message/account.ts';
import { MugaiError } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import type { Delivered, DeliveryRecord, Envelope, Sealed } from '../message/stages.ts';
import type { Statement } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import { verifyPackage, type VerifiedPackage } from '../outbox/verify.ts';
import { compose } from './compose.ts';
import type { Courier, OutgoingMail } from './courier.ts';
import type { Ledger } from './ledger.ts';
import type { Unrecorded } from './unrecorded.ts';

export interface DeliverDeps {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly courier: Courier;
  /** The inner zone's journal: an end is told there before it is our own record, so that none goes untold. */
  readonly audit: Audit;
  /** Right side of our Message-IDs. */
  readonly domain: string;
  /** What the policy says of a message's delivery: the language of our own words, the charset, bytes of attachments. */
  readonly policyFor: (envelope: Envelope) => {
    readonly language: Language;
    readonly mailCharset: OutgoingMail['charset'];
    readonly attachBytes: number;
    readonly archives: 'files' | 'zip';
    /** Milliseconds that its package is kept: one that is older and came back, out of a backup, is not delivered again. */
    readonly keptMs: number | undefined;
  };
  /** Address of the portal, for what is too large to be attached. */
  readonly portalUrl: string;
  /** Answers of the inner server that wait for their record. */
  readonly unrecorded: Unrecorded<DeliverOutcome>;
  readonly giveUpMs: number;
  /**
   * Milliseconds for which this process has tried to deliver, by a clock that never jumps: before some of them passed nothing
   * is given up, however old it looks. A wall clock that leaps a week ahead must not expire the mail of the day.
   */
  readonly triedMs: () => number;
  /** The time by a clock that never leaps while the process runs: by it a message is over its time of keeping. */
  readonly steadyNow: () => number;
  /** Told what was verified, before it is delivered: who keeps a list need not verify it again. */
  readonly onVerified?: (statement: Statement) => void;
  /** Told of every package the gate refuses, with the reason. */
  readonly onGateRefusal: (id: string, refusal: GateRefusal) => void;
}

/** Part of the give-up age for which the process must have tried itself: an hour of five days. */
const LEAST_TRIED = 120;

/** How the step ended: at an end with its record, or to be tried again after `answer`. */
export type DeliverOutcome =
  | { readonly kind: 'ended'; readonly delivered: Delivered }
  | { readonly kind: 'deferred'; readonly answer: string; readonly ageMs: number };

/** Delivers a sealed message. A message that has its end already is not touched again. */
export async function deliver(sealed: Sealed, deps: DeliverDeps, signal: AbortSignal): Promise<DeliverOutcome> {
  const earlier = await deps.ledger.end(sealed.id);
  if (earlier !== undefined) return { kind: 'ended', delivered: earlier };
  const answered = await deps.unrecorded.again(sealed.id);
  if (answered !== undefined) return answered;
  let verified: VerifiedPackage;
  try {
    verified = await verifyThere(sealed.id, deps, signal);
    if (verified.statement.predicate.id !== sealed.id) {
      throw new GateRefusal('manifest-id', `package of ${verified.statement.predicate.id} lies under another id`);
    }
  } catch (error) {
    if (!(error instanceof GateRefusal)) throw error;
    deps.onGateRefusal(sealed.id, error);
    return ended(sealed, deps, [], {
      stage: 'quarantined',
      courier: '',
      answer: `gate: ${error.message}`,
      accepted: [],
      rejected: [],
    });
  }
  deps.onVerified?.(verified.statement);
  const chain = verified.statement.predicate.chain ?? [];

  // An answer to a password that opened nothing, or a part in another form, is for whoever asked, in the portal; the mail itself
  // was delivered before.
  const { revises, answers, parts, envelope } = verified.statement.predicate;
  if (answers !== undefined || (revises !== undefined && parts.some((part) => part.verdict === 'held'))) {
    const answer = answers === undefined ? `no news of ${revises}` : `${answers} of ${revises ?? ''}`;
    const none = { courier: 'none', accepted: [], rejected: [] };
    return ended(sealed, deps, chain, { ...none, stage: 'delivered', answer, envelope });
  }

  const { language, attachBytes, mailCharset, archives, keptMs = Infinity } = deps.policyFor(envelope);
  const ageMs = Date.now() - Date.parse(verified.statement.predicate.receivedAt);
  if (deps.steadyNow() - Date.parse(verified.statement.predicate.receivedAt) > keptMs) {
    const answer = 'over its time of keeping';
    const none = { courier: 'none', accepted: [], rejected: envelope.to };
    return ended(sealed, deps, chain, { ...none, stage: 'expired', answer, envelope });
  }
  const form = { language, charset: mailCharset, archives, portalUrl: deps.portalUrl };
  const mail = compose(attaching(verified, attachBytes), deps.domain, form);
  const earlierAnswers = await deps.ledger.settled(sealed.id);
  const had = [...earlierAnswers.accepted];
  const refused = [...earlierAnswers.rejected];
  const to = mail.envelope.to.filter((recipient) => !had.includes(recipient) && !refused.includes(recipient));
  await deps.unrecorded.demandRoom();
  const answer = await deps.courier.deliver({ ...mail, envelope: { ...mail.envelope, to } }, signal);
  const end = { courier: deps.courier.name, answer: answer.answer, envelope };
  const givenUp = ageMs > deps.giveUpMs && deps.triedMs() > deps.giveUpMs / LEAST_TRIED;
  switch (answer.kind) {
    case 'delivered': {
      const accepted = [...had, ...answer.accepted];
      const rejected = [...refused, ...answer.rejected];
      if (answer.deferred.length === 0)
        return ended(sealed, deps, chain, { ...end, stage: 'delivered', accepted, rejected });
      if (givenUp) {
        rejected.push(...answer.deferred);
        return ended(sealed, deps, chain, { ...end, stage: 'expired', accepted, rejected });
      }
      const at = new Date().toISOString();
      const part = { accepted: [...answer.accepted], rejected: [...answer.rejected] };
      return deps.unrecorded.record(sealed.id, async () => {
        await deps.ledger.recordSettled(sealed.id, { id: sealed.id, at, stage: 'delivered', ...end, ...part });
        return { kind: 'deferred', answer: answer.answer, ageMs };
      });
    }
    case 'refused':
      return ended(sealed, deps, chain, { ...end, stage: 'rejected', accepted: had, rejected: [...refused, ...to] });
    case 'deferred':
      if (!givenUp) return { kind: 'deferred', answer: answer.answer, ageMs };
      return ended(sealed, deps, chain, { ...end, stage: 'expired', accepted: had, rejected: [...refused, ...to] });
    default:
      return answer satisfies never;
  }
}

/**
 * Verifies a package. One that was there a moment ago is whole: what is missing of it went with the outbox, whose mount may
 * come and go while we read. That is trouble of ours (`store-failed`), to be tried again; a file that is missing twice from a
 * package that is there was taken away (`GateRefusal`).
 */
async function verifyThere(
  id: MessageId,
  { outbox, keys }: DeliverDeps,
  signal: AbortSignal,
): Promise<VerifiedPackage> {
  const verify = async (): Promise<VerifiedPackage> =>
    verifyPackage(outbox.files(id), keys, LIMITS.attachBytes, signal).catch((error: unknown) => {
      if (!(error instanceof GateRefusal) || error.rule !== 'manifest-missing') throw error;
      throw new MugaiError('store-failed', `the package of ${id} is not there any more`);
    });
  try {
    return await verify();
  } catch (error) {
    if (!(error instanceof GateRefusal) || error.rule !== 'file-missing') throw error;
    return verify();
  }
}

/** The package with as many files to attach as the policy allows; the others are named in the text. */
function attaching(verified: VerifiedPackage, attachBytes: number): VerifiedPackage {
  let room = attachBytes;
  const files = verified.files.map((file) => {
    if (file.name === 'message.txt' || file.bytes === undefined) return file;
    if (file.size > room) return { ...file, bytes: undefined };
    room -= file.size;
    return file;
  });
  return { ...verified, files };
}

const ACT_OF: { readonly [stage in DeliveryRecord['stage']]: ActEntry['act'] } = {
  delivered: 'delivered',
  rejected: 'undeliverable',
  expired: 'undeliverable',
  quarantined: 'gate-refused',
};

async function ended(
  sealed: Sealed,
  deps: DeliverDeps,
  chain: string[],
  end: Omit<DeliveryRecord, 'id' | 'at'>,
): Promise<DeliverOutcome> {
  const { stage, courier, answer, accepted, rejected } = end;
  const detail = { stage, courier, answer, accepted, rejected, ...(chain.length === 0 ? {} : { chain }) };
  const record = { ...end, id: sealed.id, at: new Date().toISOString() };
  let told = false;
  return deps.unrecorded.record(sealed.id, async () => {
    if (!told) await deps.audit.append({ act: ACT_OF[stage], message: sealed.id, detail });
    told = true;
    return { kind: 'ended', delivered: await deps.ledger.recordEnd(sealed.id, record) };
  });
}
