// The acts an audit journal tells of, and the port by which rooms tell it. Words only: the journal itself is in audit/.
import { Type, type Static } from 'typebox';

/** What is told. Adding is free; a name that was written once is never used for something else. */
export const ACTS = [
  // the road
  'received', // durable before the sender hears yes
  'not-accepted', // told as received, but then its bytes could not be kept and the sender heard no
  'converted',
  'refused',
  'held',
  'sealed',
  'gate-refused',
  'delivered',
  'undeliverable', // expired, or refused by the inner server
  'expired', // deleted after its time of keeping
  // people
  'viewed',
  'downloaded',
  'asked',
  'approved',
  'rejected',
  'released',
  'release-ended', // how the release of an original ended: `detail.outcome` says it
  'signed-in',
  'sign-in-failed',
  'signed-out',
  'changed', // policy, users, keys, configuration: `detail.what` says which
  'exported',
  'audited', // an auditor looked into a delivered file, a package or the journals: `detail` says what and how it was found
  'retried', // tried again at once, or delivered once more
  'made-again', // made harmless once more, with other limits
  'delete-asked',
  'delete-refused',
  'deleted',
  // the journal itself
  'opened',
  'closed',
  'head',
  'recovered',
  'retired',
] as const;
export type Act = (typeof ACTS)[number];

/** The zones that keep a journal each. */
export const JOURNAL_ZONES = ['outer', 'middle', 'inner'] as const;
export type JournalZone = (typeof JOURNAL_ZONES)[number];

/** Values of a list in a detail at most. */
export const LIST_MOST = 200;

/** A value of a detail: nothing secret, nothing of a mail's text. */
export const DetailValueSchema = Type.Union([
  Type.String({ maxLength: 1000 }),
  Type.Number(),
  Type.Boolean(),
  Type.Array(Type.String({ maxLength: 1000 }), { maxItems: LIST_MOST }),
]);
export type DetailValue = Static<typeof DetailValueSchema>;

/** One act to be told. `message` is a message id, `person` who did it (a user's name), both absent where there is none. */
export interface ActEntry {
  readonly act: Act;
  readonly message?: string;
  readonly person?: string;
  readonly detail?: Readonly<Record<string, DetailValue>>;
}

/** A place in a chain, `<chain>:<number>:<sha256 of that line>`: whoever holds it can prove that the chain was not rewritten. */
export const PositionSchema = Type.String({
  pattern: '^(outer|middle|inner)-[0-9a-f]{8}:[1-9][0-9]{0,14}:[0-9a-f]{64}$',
});
export type Position = Static<typeof PositionSchema>;

/** An act that has its place in the chain and becomes durable. */
export interface Entered {
  readonly position: Position;
  /** Resolves when the entry is on the disk; rejects when it could not be kept: then the act must not take effect. */
  readonly durable: Promise<void>;
}

/** Where acts are told. */
export interface Audit {
  /** Gives the act its place in the chain. */
  enter(entry: ActEntry): Entered;
  /** Tells an act; resolves when it is durable. */
  append(entry: ActEntry): Promise<Position>;
}
