// A locked file and the mail that tells its password (PPAP): brought together by sender and recipient, where the policy allows it.
// The answer is another version of the message with the locked file, as when a person gives the password. Passwords are read
// from the text of the mail when they are tried; they are in no note, no log and no record.
import { createHmac, randomBytes } from 'node:crypto';
import { withoutAccount } from '../message/account.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { derivedMessageId, timeOf, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import type { Sanitised } from '../message/stages.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../ops/log.ts';
import { passwordCandidates } from '../sanitise/password-words.ts';
import { makeHarmless, type SanitiseDeps } from '../sanitise/sanitise.ts';

const HOUR = 3_600_000;
/** The mail with the password may be made harmless, or even sent, a little before the one with the file. */
const EARLIER_MS = HOUR / 4;
/** Pause between two looks for what was left undone. */
const AGAIN_MS = 10 * 60_000;
/** Words remembered as tried. */
const TRIED_MOST = 10_000;

export interface PairingDeps {
  /** As a whole, since its policy is the one in force at the time. */
  readonly deps: SanitiseDeps;
  readonly seal: (sanitised: Sanitised, signal: AbortSignal) => Promise<void>;
}

/** Brings locked files and their passwords together. */
export class PasswordPairing {
  readonly #deps: SanitiseDeps;
  readonly #seal: PairingDeps['seal'];
  readonly #log: Log;
  readonly #stop = new AbortController();
  /** What was tried on what, in a form that tells nothing: each candidate is tried once. */
  readonly #tried = new Set<string>();
  readonly #secret = randomBytes(32);
  /** One pair at a time: mail that comes in goes first. */
  #line: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor({ deps, seal }: PairingDeps, log: Log) {
    this.#deps = deps;
    this.#seal = seal;
    this.#log = log;
  }

  /** Looks now and then for pairs that a fall or a fault left apart. */
  start(life: Lifecycle): void {
    life.started('password pairing', async () => {
      clearTimeout(this.#timer);
      this.#stop.abort();
      await this.#line;
    });
    const again = (): void => {
      this.#after('notes', async () => {
        try {
          for (const id of await this.#deps.spool.pairing.unsettled(Date.now() - LIMITS.pairingHours * HOUR))
            await this.#again(id).catch((error: unknown) => this.#failed(id, error));
        } finally {
          if (!this.#stop.signal.aborted) this.#timer = setTimeout(again, AGAIN_MS);
        }
      });
    };
    again();
  }

  /** Notes a message before it is sealed; true when it is one of a possible pair, and `sealed` is to be called. */
  async note(sanitised: Sanitised): Promise<boolean> {
    const { record, id } = sanitised;
    if (record.source.kind !== 'mail' || !this.#deps.policy.forMessage(record.envelope).passwordPairing) return false;
    const kinds = [
      ...(lockedParts(sanitised).size > 0 ? (['locked'] as const) : []),
      ...(candidatesOf(sanitised).length > 0 ? (['tells'] as const) : []),
    ];
    for (const kind of kinds) await this.#deps.spool.pairing.add(senderOf(sanitised), id, kind);
    return kinds.length > 0;
  }

  /** Looks for the other half of a message that was noted; does not wait for it. */
  sealed(sanitised: Sanitised): void {
    this.#after(sanitised.id, async () => this.#bringTogether(sanitised));
  }

  /** A person's password opened a message: nothing of it waits any more, unless something is still locked. */
  async opened(id: MessageId, answer: Sanitised): Promise<void> {
    if (lockedParts(answer).size === 0) await this.#deps.spool.pairing.remove(senderOf(answer), { id, kind: 'locked' });
  }

  #after(id: string, work: () => Promise<void>): void {
    this.#line = this.#line.then(work).catch((error: unknown) => this.#failed(id, error));
  }

  #failed(id: string, error: unknown): void {
    if (!this.#stop.signal.aborted) this.#log.warn({ id, error: reasonOf(error) }, 'password pairing failed');
  }

  async #again(id: MessageId): Promise<void> {
    const sanitised = await this.#deps.spool.sanitised(id);
    if (sanitised !== undefined) await this.#bringTogether(sanitised);
  }

  /** Every pair that this message makes with another one of its sender, or with itself. */
  async #bringTogether(sanitised: Sanitised): Promise<void> {
    const { spool } = this.#deps;
    const notes = await spool.pairing.of(senderOf(sanitised));
    const waiting = notes.filter(({ kind }) => kind === 'locked').slice(-LIMITS.pairingWaiting);
    const telling = notes.filter(({ kind }) => kind === 'tells').slice(-LIMITS.pairingWaiting);
    const mine = (id: MessageId): boolean => id === sanitised.id;
    const isLocked = waiting.some(({ id }) => mine(id));
    for (const { id } of waiting) {
      for (const { id: teller } of telling) {
        if (this.#stop.signal.aborted) return;
        if (!mine(id) && !mine(teller) && !isLocked) continue;
        if (await this.#tryPair(id, teller)) break;
      }
    }
  }

  /** Tries what one mail tells on what is locked in another; true when nothing is locked any more. */
  async #tryPair(lockedId: MessageId, tellerId: MessageId): Promise<boolean> {
    const { spool, policy } = this.#deps;
    const apart = timeOf(tellerId) - timeOf(lockedId);
    if (apart < -EARLIER_MS || apart > policy.passwordPairingHours * HOUR) return false;
    const answer = derivedMessageId(Math.max(timeOf(lockedId), timeOf(tellerId)), `${lockedId} ${tellerId}`);
    if ((await spool.stageOf(answer)) === 'sealed') return false;
    const [spooled, locked, teller] = [
      await spool.spooled(lockedId),
      await spool.sanitised(lockedId),
      await spool.sanitised(tellerId),
    ];
    if (spooled === undefined || locked === undefined || teller === undefined) return false; // deleted meanwhile
    const to = commonRecipients(locked, teller);
    if (to.length === 0) return false;
    const passwords = this.#untried(lockedId, candidatesOf(teller, lockedId === tellerId));
    if (passwords.length === 0) return false;
    const { source, envelope, receivedAt } = spooled.record;
    const input = { id: answer, source, envelope: { ...envelope, to }, receivedAt, content: spool.rawContent(spooled) };
    const pairing = { parts: lockedParts(locked), detail: tellerId };
    const signal = this.#stop.signal;
    const harmless = await makeHarmless(input, { ...this.#deps, policy, passwords, pairing }, signal);
    try {
      const made = await spool.recordRevision(spooled, answer, harmless.record, harmless.outputs);
      await this.#seal(made, signal);
      this.#remember(lockedId, passwords);
      const left = lockedParts(made).size;
      this.#log.info(
        { id: lockedId, teller: tellerId, answer, candidates: passwords.length, left },
        'password pairing',
      );
      await this.opened(lockedId, made);
      return left === 0;
    } catch (error) {
      if (error instanceof MugaiError && error.code === 'already-there') return false;
      throw error;
    } finally {
      for (const output of harmless.outputs) if ('discard' in output.content) await output.content.discard();
    }
  }

  #untried(id: MessageId, candidates: readonly string[]): string[] {
    return candidates.filter((candidate) => !this.#tried.has(this.#digest(id, candidate)));
  }

  #remember(id: MessageId, candidates: readonly string[]): void {
    for (const candidate of candidates) this.#tried.add(this.#digest(id, candidate));
    for (const oldest of this.#tried) {
      if (this.#tried.size <= TRIED_MOST) break;
      this.#tried.delete(oldest);
    }
  }

  #digest(id: MessageId, candidate: string): string {
    return createHmac('sha256', this.#secret).update(`${id} ${candidate}`).digest('base64');
  }
}

/** Who a mail is from: the address that its reader sees, since notices are often sent under a return path of their own. */
function senderOf({ record }: Sanitised): string {
  const from = record.headers?.from ?? '';
  const address = /<([^<>\s]+@[^<>\s]+)>\s*$/.exec(from)?.[1] ?? /^\s*([^<>\s]+@[^<>\s]+)\s*$/.exec(from)?.[1];
  return (address ?? record.envelope.from).toLowerCase();
}

/** Recipients of the locked file that the other mail went to, too. */
function commonRecipients(locked: Sanitised, teller: Sanitised): string[] {
  const told = new Set(teller.record.envelope.to.map((address) => address.toLowerCase()));
  return locked.record.envelope.to.filter((address) => told.has(address.toLowerCase()));
}

/** Paths of the parts that a password would open. */
function lockedParts({ record }: Sanitised): ReadonlySet<string> {
  const locked = record.parts.filter(({ reason }) => reason === 'password-needed' || reason === 'password-wrong');
  return new Set(locked.map(({ path }) => path));
}

/**
 * What the body of a mail tells; its head and the account of its parts are not the sender's words. `sureOnly` of the mail with
 * the file itself, most of which say only that the password comes in another one.
 */
function candidatesOf({ record }: Sanitised, sureOnly = false): string[] {
  if (record.text === null) return [];
  const text = withoutAccount(record.text);
  return passwordCandidates(text.slice(text.indexOf('\n\n') + 1), sureOnly);
}
