// The stages of a message and the record that proves each. A stage value is branded: only the function that earned it
// makes it, so a step cannot be given a message that has not come that far.
import { Type, type Static } from 'typebox';
import { PositionSchema } from './act.ts';
import type { MessageId } from './id.ts';
import { DigestSchema, PartRowSchema, ReasonSchema, StateSchema } from './part.ts';

const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const Address = Type.String({ maxLength: 1000 });

/** Who sent it to whom, as the door accepted it (RFC 5321 envelope). `from` is empty for a null sender. */
export const EnvelopeSchema = Type.Object({ from: Address, to: Type.Array(Address) }, { additionalProperties: false });
export type Envelope = Static<typeof EnvelopeSchema>;

/** What came in: a mail or a single file; size in bytes. */
export const SourceSchema = Type.Object(
  {
    kind: Type.Union([Type.Literal('mail'), Type.Literal('file')]),
    name: Type.String({ maxLength: 300 }),
    size: Type.Integer({ minimum: 0 }),
    sha256: DigestSchema,
  },
  { additionalProperties: false },
);
export type Source = Static<typeof SourceSchema>;

/** `01-spooled.json`: the raw bytes are durable and the sender was told so. */
export const SpooledRecordSchema = Type.Object(
  {
    stage: Type.Literal('spooled'),
    id: Type.String(),
    source: SourceSchema,
    envelope: EnvelopeSchema,
    /** Where it came from, for the operator: remote address and HELO, or the HTTP client's address. */
    peer: Type.String({ maxLength: 300 }),
    receivedAt: Time,
    /** The raw bytes in base64 when they are few; null: they lie beside the record. */
    raw: Type.Union([Type.String(), Type.Null()]),
    /** Its place in the outer zone's journal. */
    chain: Type.Optional(PositionSchema),
  },
  { additionalProperties: false },
);
export type SpooledRecord = Static<typeof SpooledRecordSchema>;

/** Header fields of a mail as cleaned text; empty when absent. */
export const HeadersSchema = Type.Object(
  {
    from: Type.String(),
    to: Type.String(),
    cc: Type.String(),
    subject: Type.String(),
    date: Type.String(),
    messageId: Type.String(),
  },
  { additionalProperties: false },
);
export type Headers = Static<typeof HeadersSchema>;

/** Documents whose pages were sealed one by one while they were drawn; `head` is the sha256 of the last page's seal. */
export const LiveHeadsSchema = Type.Array(
  Type.Object({ output: Type.String({ maxLength: 200 }), head: DigestSchema }, { additionalProperties: false }),
  { minItems: 1, maxItems: 1000 },
);

/** One output file of the package: `name` is its path there, size in bytes. */
export const OutputSchema = Type.Object(
  { name: Type.String(), size: Type.Integer({ minimum: 0 }), sha256: DigestSchema },
  { additionalProperties: false },
);
export type Output = Static<typeof OutputSchema>;

/** What a package holds that answers a request for a part in another form. */
export const AnswersSchema = Type.Union([Type.Literal('text'), Type.Literal('values')]);

/** `02-sanitised.json`: every leaf has its row and every output file is durable beside the record. */
export const SanitisedRecordSchema = Type.Object(
  {
    stage: Type.Literal('sanitised'),
    id: Type.String(),
    state: StateSchema,
    reason: Type.Union([ReasonSchema, Type.Null()]),
    source: SourceSchema,
    envelope: EnvelopeSchema,
    receivedAt: Time,
    sanitisedAt: Time,
    headers: Type.Union([HeadersSchema, Type.Null()]),
    /** Value of the mail's Auto-Submitted header (RFC 3834), empty when absent. */
    autoSubmitted: Type.String(),
    policy: Type.Object(
      { name: Type.String(), version: Type.String(), sha256: DigestSchema },
      { additionalProperties: false },
    ),
    engine: Type.Object(
      {
        version: Type.String(),
        workers: Type.Record(Type.String(), Type.String()),
        /** Digests of the code that ran: `src`, `workers`, `packages`. */
        sha256: Type.Optional(Type.Record(Type.String(), DigestSchema)),
      },
      { additionalProperties: false },
    ),
    parts: Type.Array(PartRowSchema),
    /** The whole of `message.txt`; null for a file. Kept in the record so that a text mail costs one durable file. */
    text: Type.Union([Type.String(), Type.Null()]),
    outputs: Type.Array(OutputSchema),
    /** Folder beside this record that holds the outputs; empty when there are none. */
    outputFolder: Type.String({ pattern: '^([0-9a-z]{26}\\.out-[0-9a-f]{12})?$' }),
    /** The message that this is another version of: made with a password, after a request. Absent in a first version. */
    revises: Type.Optional(Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' })),
    /** It answers a request for a part in another form: nobody but who looks in the portal gets it. */
    answers: Type.Optional(AnswersSchema),
    /** Documents whose pages were visible before the package: digest of the last page's seal. */
    live: Type.Optional(LiveHeadsSchema),
    /** Milliseconds the step took. */
    ms: Type.Integer({ minimum: 0 }),
    /** Its places in the journals of the zones before this one. */
    chain: Type.Optional(Type.Array(PositionSchema, { maxItems: 4 })),
  },
  { additionalProperties: false },
);
export type SanitisedRecord = Static<typeof SanitisedRecordSchema>;

/** `04-delivered.json` and the other ends on the inner side. */
export const DeliveryRecordSchema = Type.Object(
  {
    stage: Type.Union([
      Type.Literal('delivered'),
      Type.Literal('expired'),
      Type.Literal('rejected'),
      Type.Literal('quarantined'),
    ]),
    id: Type.String(),
    at: Time,
    /** Which courier took it, and what the inner server said (or why it ended otherwise). */
    courier: Type.String(),
    answer: Type.String(),
    accepted: Type.Array(Address),
    rejected: Type.Array(Address),
    /** The envelope of the verified manifest, for who asks later what the policy says of the message. */
    envelope: Type.Optional(EnvelopeSchema),
  },
  { additionalProperties: false },
);
export type DeliveryRecord = Static<typeof DeliveryRecordSchema>;

/** An original that an approver let out on the outer side: what the door hands out for one token, once. */
export const ReleaseRecordSchema = Type.Object(
  {
    id: Type.String(),
    request: Type.String(),
    /** `refused`: it stays inside, for the reason. */
    state: Type.Union([Type.Literal('ready'), Type.Literal('refused')]),
    reason: Type.String({ maxLength: 300 }),
    /** Digest of the token that opens it. */
    token: DigestSchema,
    sha256: DigestSchema,
    name: Type.String({ maxLength: 300 }),
    size: Type.Integer({ minimum: 0 }),
    by: Type.String({ maxLength: 200 }),
    notBefore: Time,
    expires: Time,
    /** Path of the part whose bytes lie beside this record; absent: the whole message as it came. */
    part: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export type ReleaseRecord = Static<typeof ReleaseRecordSchema>;

/** An original that is approved and not handed out yet: followed until its end. */
export const OpenReleaseSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    request: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    /** Path of the part; empty: the whole message. */
    part: Type.String({ maxLength: 200 }),
    by: Type.String({ maxLength: 200 }),
    approvedBy: Type.String({ maxLength: 200 }),
    sha256: DigestSchema,
    token: DigestSchema,
    notBefore: Time,
    expires: Time,
    /** When the request came to the middle. */
    noted: Time,
  },
  { additionalProperties: false },
);
export type OpenRelease = Static<typeof OpenReleaseSchema>;

/** How the release of an original ended. */
export const RELEASE_ENDS = [
  'used', // handed out
  'unused', // its link grew too old
  'malware',
  'changed', // not what was approved
  'no-scanner', // none is configured
  'not-scanned', // the scanner gave no answer as long as the link would have lived
  'expired', // asked for too late
  'gone', // the original was deleted before
  'no-part', // the part cannot be taken out of the message
] as const;
export type ReleaseEnd = (typeof RELEASE_ENDS)[number];

/** A message whose raw bytes are durable. Made by `spool/` only. */
export interface Spooled {
  readonly __stage: 'spooled';
  readonly id: MessageId;
  readonly record: SpooledRecord;
}

/** A message that was made harmless; its output files, if any, are durable. Made by `spool/` only. */
export interface Sanitised {
  readonly __stage: 'sanitised';
  readonly id: MessageId;
  readonly record: SanitisedRecord;
}

/** A message whose signed package is durable in the outbox. Made by `outbox/` only. */
export interface Sealed {
  readonly __stage: 'sealed';
  readonly id: MessageId;
}

/** A message that reached its end on the inner side. Made by `deliver/` only. */
export interface Delivered {
  readonly __stage: 'delivered';
  readonly id: MessageId;
  readonly record: DeliveryRecord;
}
