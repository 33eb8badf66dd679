// What the portal's pages share: accounts, index, packages, the journal, the clock.
import type { ActEntry } from '../message/act.ts';
import type { Log } from '../ops/log.ts';
import type { Accounts, Mailbox, User } from './accounts.ts';
import type { Admissions } from './admitting.ts';
import type { OnTheWay } from './arriving.ts';
import type { Directories } from './directory-pages.ts';
import type { Guesses } from './guesses.ts';
import type { MessageIndex } from './message-index.ts';
import type { Listed } from './message-lists.ts';
import type { Packages } from './packages.ts';
import type { Pages, Visit } from './pages.ts';
import type { Passkeys } from './passkeys.ts';
import type { Sessions } from './sessions.ts';
import { parseMessageId } from '../message/id.ts';
import type { Views } from './views.ts';

export interface Desk {
  readonly pages: Pages;
  readonly accounts: Accounts;
  readonly admissions: Admissions;
  readonly sessions: Sessions;
  readonly guesses: Guesses;
  readonly index: MessageIndex;
  readonly packages: Packages;
  readonly onTheWay: OnTheWay;
  /** Undefined where the portal's address has no name that passkeys could be bound to. */
  readonly passkeys: Passkeys | undefined;
  readonly log: Log;
  readonly now: () => number;
  /** Writes an act into the journal; resolves when it is durable. What was not noted must not happen. */
  readonly note: (entry: ActEntry) => Promise<unknown>;
  /** Writes there who looks at what, before it is shown. */
  readonly views: Views;
  /** Where somebody goes whose password was right and who still owes a second factor. */
  readonly nextFactor: (user: User) => string | undefined;
  readonly directories: Directories;
  /** Address offered to the first administrator (the demo's recipient). */
  readonly firstAddress: string | undefined;
}

/** The mailboxes of whoever is here. */
export function mailboxesOf(desk: Desk, visit: Visit): Mailbox[] {
  return desk.accounts.mailboxes(visit.user.name, desk.now());
}

/** The message a page is about, if this person may read it; otherwise undefined, as if there were none. Attack row 106. */
export function messageOf(desk: Desk, visit: Visit): Listed | undefined {
  const id = parseMessageId(visit.params['id'] ?? '');
  if (id === undefined) return undefined;
  const addresses = mailboxesOf(desk, visit).map(({ address }) => address);
  return desk.index.lists.find(id, addresses, visit.user.name);
}
