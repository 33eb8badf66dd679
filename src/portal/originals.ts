// Requests for originals and what approvers decided. An approval is bound to one person, one message and one digest.
import { randomBytes } from 'node:crypto';
import type { MessageId } from '../message/id.ts';
import { RELEASE_ENDS, type ReleaseEnd } from '../message/stages.ts';
import type { Database, Row } from './database.ts';
import { Turns } from './turns.ts';

/** What the policy says about originals. Hours and minutes as whole numbers. */
export interface OriginalsPolicy {
  /** Who decides at each level, by sign-in name; an empty level: anybody with the role approver. */
  readonly levels: readonly (readonly string[])[];
  readonly waitMinutes: number;
  /** How long a request may wait for a decision, and an approval for its use. */
  readonly validHours: number;
  readonly linkHours: number;
}

export type OriginalState = 'asked' | 'approved' | 'rejected' | 'expired' | 'released';

export interface OriginalAsked {
  readonly id: string;
  readonly message: MessageId;
  readonly user: string;
  readonly reason: string;
  /** Digest and size of the original as the signed manifest tells them. */
  readonly sha256: string;
  readonly size: number;
  readonly name: string;
  /** Path of the part that is asked for; empty: the whole message. */
  readonly part: string;
  readonly at: number;
  readonly expires: number;
  readonly state: OriginalState;
  /** Levels that agreed. */
  readonly level: number;
  readonly decisions: readonly Decision[];
  /** The request that the link was asked with; undefined before. Since then `expires` is the link's. */
  readonly release: MessageId | undefined;
  /** How the release ended, and what a scanner found; undefined while it has not. */
  readonly end: ReleaseEnd | undefined;
  readonly found: string;
}

export interface Decision {
  readonly level: number;
  readonly by: string;
  readonly at: number;
  readonly yes: boolean;
}

/** A place in the order of requests. */
export type Place = Pick<OriginalAsked, 'at' | 'id'>;

/** A place as an address names it: `<time>-<id>`; undefined for anything else. */
export function placeOf(text: string): Place | undefined {
  const [, at, id] = /^(\d{1,15})-([0-9a-f]{32})$/.exec(text) ?? [];
  return at === undefined || id === undefined ? undefined : { at: Number(at), id };
}

/** Why somebody may not decide. */
export type Hindrance = 'not-yours' | 'own-request' | 'decided-before' | 'not-open' | 'changed';

/** What the policy in force now says of a message; undefined when the message is not there any more. */
export type OriginalsPolicyOf = (message: MessageId) => Promise<OriginalsPolicy | undefined>;

/** How long after its link's end one still looks for what became of an original: the middle may be down for days. */
const FOLLOWED_MS = 30 * 24 * 3_600_000;
/** Rows read at once while many are walked. */
const LOT = 500;

export class Originals {
  readonly #db: Database;
  readonly #now: () => number;
  /** Whoever journals an act on a request and then does it takes his turn, by the request's id. */
  readonly turns = new Turns();
  readonly policyOf: OriginalsPolicyOf;

  constructor(db: Database, policyOf: OriginalsPolicyOf, now: () => number) {
    this.#db = db;
    this.policyOf = policyOf;
    this.#now = now;
  }

  ask(
    asked: Pick<OriginalAsked, 'message' | 'user' | 'reason' | 'sha256' | 'size' | 'name' | 'part'>,
    policy: OriginalsPolicy,
  ): string {
    const id = randomBytes(16).toString('hex');
    const now = this.#now();
    const expires = now + policy.validHours * 3_600_000;
    this.#db.run(
      `INSERT INTO originals (id, message, user, reason, sha256, size, name, at, expires, state, level, part)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'asked', 0, ?)`,
      id,
      asked.message,
      asked.user,
      asked.reason,
      asked.sha256,
      asked.size,
      asked.name,
      now,
      expires,
      asked.part,
    );
    return id;
  }

  find(id: string): OriginalAsked | undefined {
    const row = this.#db.get('SELECT * FROM originals WHERE id = ?', id);
    return row === undefined ? undefined : this.#of(row);
  }

  /** Up to `most` of a person's own requests, newest first, from the one after `before`; and whether there are more. */
  ofUser(
    user: string,
    most: number,
    { at, id }: Place = { at: Number.MAX_SAFE_INTEGER, id: '' },
  ): { readonly asked: OriginalAsked[]; readonly more: boolean } {
    const rows = this.#db.all(
      'SELECT * FROM originals WHERE user = ? AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?',
      user,
      at,
      id,
      most + 1,
    );
    return { asked: rows.slice(0, most).map((row) => this.#of(row)), more: rows.length > most };
  }

  /** The request of this person for this that still runs: nobody has two of them. */
  openOf({ message, user, part }: Pick<OriginalAsked, 'message' | 'user' | 'part'>): OriginalAsked | undefined {
    const row = this.#db.get(
      `SELECT * FROM originals WHERE user = ? AND message = ? AND part = ? AND state IN ('asked', 'approved')
       AND expires > ? LIMIT 1`,
      user,
      message,
      part,
      this.#now(),
    );
    return row === undefined ? undefined : this.#of(row);
  }

  /** Up to `most` requests this person may decide now, oldest first, from the one after `after`; and whether there are more. */
  async waitingFor(
    user: string,
    most: number,
    after?: Place,
  ): Promise<{ readonly asked: OriginalAsked[]; readonly more: boolean }> {
    const mine: OriginalAsked[] = [];
    for (let open = this.#openAfter(after); open.length > 0; open = this.#openAfter(open.at(-1))) {
      for (const one of open) {
        const policy = await this.policyOf(one.message);
        if (policy === undefined || this.hindrance(one, user, policy) !== undefined) continue;
        if (mine.length === most) return { asked: mine, more: true };
        mine.push(one);
      }
    }
    return { asked: mine, more: false };
  }

  #openAfter({ at, id }: Place = { at: 0, id: '' }): OriginalAsked[] {
    return this.#db
      .all(
        "SELECT * FROM originals WHERE state = 'asked' AND expires > ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT 200",
        this.#now(),
        at,
        id,
      )
      .map((row) => this.#of(row));
  }

  /** Why this person may not decide on the request now; undefined when he may. */
  hindrance(asked: OriginalAsked, user: string, policy: OriginalsPolicy): Hindrance | undefined {
    if (asked.state !== 'asked') return 'not-open';
    if (asked.user === user) return 'own-request';
    const named = policy.levels[asked.level] ?? [];
    if (named.length > 0 && !named.includes(user)) return 'not-yours';
    if (asked.decisions.some(({ by }) => by === user)) return 'decided-before'; // one person, one level
    return undefined;
  }

  /** Decides; the digest is the one the approver saw. Returns why not, or undefined when it counted. */
  decide(
    id: string,
    decision: { readonly by: string; readonly yes: boolean; readonly sha256: string },
    policy: OriginalsPolicy,
  ): Hindrance | undefined {
    const { by: user, yes, sha256 } = decision;
    return this.#db.transaction(() => {
      const asked = this.find(id);
      if (asked === undefined) return 'not-open';
      const hindrance = this.hindrance(asked, user, policy);
      if (hindrance !== undefined) return hindrance;
      if (asked.sha256 !== sha256) return 'changed';
      const now = this.#now();
      this.#db.run('INSERT INTO decisions VALUES (?, ?, ?, ?, ?)', id, asked.level, user, now, yes ? 1 : 0);
      const level = asked.level + (yes ? 1 : 0);
      const state = !yes ? 'rejected' : level >= policy.levels.length ? 'approved' : 'asked';
      const expires = now + policy.validHours * 3_600_000;
      this.#db.run('UPDATE originals SET state = ?, level = ?, expires = ? WHERE id = ?', state, level, expires, id);
      return undefined;
    });
  }

  /** Uses an approval up, by the request for a link that lives so long. True once only, and only while it holds. */
  release(id: string, request: MessageId, expires: number): boolean {
    return (
      this.#db.run(
        `UPDATE originals SET state = 'released', request = ?, expires = ?
         WHERE id = ? AND state = 'approved' AND expires > ?`,
        request,
        expires,
        id,
        this.#now(),
      ) === 1
    );
  }

  /** Requests whose link was given and whose end is not known: all of them, read in lots while they are walked. */
  *following(): Generator<OriginalAsked> {
    for (let after: readonly [expires: number, id: string] = [this.#now() - FOLLOWED_MS, '']; ;) {
      const lot = this.#db.all(
        `SELECT * FROM originals WHERE state = 'released' AND (expires, id) > (?, ?) AND request <> '' AND outcome = ''
         ORDER BY expires, id LIMIT ${LOT}`,
        ...after,
      );
      for (const row of lot) yield this.#of(row);
      const last = lot.at(-1);
      if (last === undefined) return;
      after = [Number(last['expires']), String(last['id'])];
    }
  }

  /** Notes how a release ended. */
  ended(id: string, end: ReleaseEnd, found: string): void {
    this.#db.run("UPDATE originals SET outcome = ?, found = ? WHERE id = ? AND outcome = ''", end, found, id);
  }

  #of(row: Row): OriginalAsked {
    const id = String(row['id']);
    const kept = String(row['state']) as OriginalState;
    const expires = Number(row['expires']);
    const open = kept === 'asked' || kept === 'approved';
    const request = String(row['request']);
    const end = RELEASE_ENDS.find((one) => one === row['outcome']);
    return {
      id,
      message: String(row['message']) as MessageId,
      user: String(row['user']),
      reason: String(row['reason']),
      sha256: String(row['sha256']),
      size: Number(row['size']),
      name: String(row['name']),
      part: String(row['part']),
      at: Number(row['at']),
      expires,
      state: open && expires <= this.#now() ? 'expired' : kept,
      level: Number(row['level']),
      release: request === '' ? undefined : (request as MessageId),
      end,
      found: String(row['found']),
      decisions: this.#db
        .all('SELECT level, by, at, yes FROM decisions WHERE original = ? ORDER BY level', id)
        .map((one) => ({
          level: Number(one['level']),
          by: String(one['by']),
          at: Number(one['at']),
          yes: one['yes'] === 1,
        })),
    };
  }
}
