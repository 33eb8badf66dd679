// Deletions by two persons: who asked, and which other operator agreed. They stay listed for good.
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { Database, Row } from '../portal/database.ts';

export interface Deletion {
  readonly id: MessageId;
  readonly by: string;
  readonly reason: string;
  readonly at: number;
  /** `asked`; `confirmed`: on its way to the middle; `deleted`; `refused`. */
  readonly state: 'asked' | 'confirmed' | 'deleted' | 'refused';
  readonly decidedBy: string;
  /** Milliseconds since the epoch; 0 while it is not decided. */
  readonly decided: number;
}

/** The list of deletions, in the portal's database. */
export class Deletions {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Notes that somebody wants a message deleted; false when that is asked for already. */
  ask(id: MessageId, by: string, reason: string, at: number): boolean {
    const known = this.#db.get('SELECT state FROM deletions WHERE id = ?', id)?.['state'];
    if (known === 'asked' || known === 'confirmed' || known === 'deleted') return false;
    this.#db.run(
      `INSERT INTO deletions (id, by, reason, at, state) VALUES (?, ?, ?, ?, 'asked')
       ON CONFLICT (id) DO UPDATE SET by = excluded.by, reason = excluded.reason, at = excluded.at, state = 'asked',
         decided_by = NULL, decided = NULL`,
      id,
      by,
      reason,
      at,
    );
    return true;
  }

  find(id: MessageId): Deletion | undefined {
    const row = this.#db.get('SELECT * FROM deletions WHERE id = ?', id);
    return row === undefined ? undefined : deletionOf(row);
  }

  /** Decides an open one; false when it is not open, or the same person asked. One statement: two clicks decide once. */
  decide(id: MessageId, by: string, state: 'confirmed' | 'refused', at: number): boolean {
    return (
      this.#db.run(
        `UPDATE deletions SET state = ?, decided_by = ?, decided = ? WHERE id = ? AND state = 'asked' AND by <> ?`,
        state,
        by,
        at,
        id,
        by,
      ) === 1
    );
  }

  /** Takes one's own back. */
  withdraw(id: MessageId, by: string, at: number): void {
    this.#db.run(
      `UPDATE deletions SET state = 'refused', decided_by = ?, decided = ? WHERE id = ? AND state = 'asked' AND by = ?`,
      by,
      at,
      id,
      by,
    );
  }

  /** Opens it again: the request could not be written, or the middle gave it up. */
  reopen(id: MessageId): void {
    this.#db.run("UPDATE deletions SET state = 'asked', decided_by = NULL, decided = NULL WHERE id = ?", id);
  }

  done(id: MessageId): void {
    this.#db.run("UPDATE deletions SET state = 'deleted' WHERE id = ?", id);
  }

  /** Open ones first, then the newest. */
  list(most: number): Deletion[] {
    return this.#db
      .all("SELECT * FROM deletions ORDER BY state = 'asked' DESC, at DESC LIMIT ?", most)
      .map(deletionOf)
      .filter((one) => one !== undefined);
  }

  /** Those that the middle was asked to carry out. */
  underWay(): Deletion[] {
    return this.#db
      .all("SELECT * FROM deletions WHERE state = 'confirmed' LIMIT 1000")
      .map(deletionOf)
      .filter((one) => one !== undefined);
  }
}

function deletionOf(row: Row): Deletion | undefined {
  const id = parseMessageId(String(row['id']));
  if (id === undefined) return undefined;
  return {
    id,
    by: String(row['by']),
    reason: String(row['reason']),
    at: Number(row['at']),
    state: String(row['state']) as Deletion['state'], // only this class writes it
    decidedBy: String(row['decided_by'] ?? ''),
    decided: Number(row['decided'] ?? 0),
  };
}
