// What the inner side may ask of the middle: seven small records, each checked against its schema, at most 4 KiB.
import { Type, type Static, type TSchema } from 'typebox';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import { recordCodec } from '../store/records.ts';

/** Bytes of one request at most: it is the only thing that goes from the inner side to the middle. */
export const REQUEST_BYTES = 4096;

const ID = '^[0-7][0-9a-hjkmnp-tv-z]{25}$';
const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const strict = { additionalProperties: false } as const;
const Base64 = (maxLength: number) => Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength });

/** What every request says: its own id, the message and part it is about, who asked when. */
const common = {
  /** Id of the request, and of the package that answers it. */
  request: Type.String({ pattern: ID }),
  /** The message it is about. */
  id: Type.String({ pattern: ID }),
  /** Path of the part in its manifest; empty: the whole message. */
  part: Type.String({ pattern: '^([0-9]+(\\.[0-9]+)*)?$', maxLength: 200 }),
  /** Who asked, by the name the portal knows; for the journal. */
  by: Type.String({ minLength: 1, maxLength: 200 }),
  at: Time,
};

/** Passwords for a held part, sealed to the worker's key: `sealed-box.ts`. */
export const PasswordRequestSchema = Type.Object(
  { kind: Type.Literal('password'), ...common, box: Base64(2600) },
  strict,
);
/** Pages of a part once more, at another resolution or in all their colours. */
export const RenderRequestSchema = Type.Object(
  {
    kind: Type.Literal('render'),
    ...common,
    dpi: Type.Integer({ minimum: 72, maximum: 300 }),
    from: Type.Integer({ minimum: 1, maximum: 2000 }),
    to: Type.Integer({ minimum: 1, maximum: 2000 }),
    /** In all their colours, whatever stands on them: where grey is suspected to hide a mark. */
    colour: Type.Optional(Type.Literal(true)),
  },
  strict,
);
/** A part once more as nothing but its text, or a sheet as its values. */
export const TextRequestSchema = Type.Object(
  {
    kind: Type.Literal('text'),
    ...common,
    form: Type.Union([Type.Literal('text'), Type.Literal('values')]),
  },
  strict,
);
/** The original of a part, for a purpose that an approver agreed to. The file never crosses: it is handed out on the outer side. */
export const OriginalRequestSchema = Type.Object(
  {
    kind: Type.Literal('original'),
    ...common,
    purpose: Type.String({ minLength: 1, maxLength: 500 }),
    approvedBy: Type.String({ maxLength: 200 }),
    /** Digest of the original that was approved: another one is not handed out. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Digest of the one token that opens it on the outer side. */
    token: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** From when and until when it may be fetched. */
    notBefore: Time,
    expires: Time,
  },
  strict,
);
/** A message that waits for its next attempt is to be tried now. */
export const RetryRequestSchema = Type.Object({ kind: Type.Literal('retry'), ...common }, strict);

const limit = (ceiling: number) => Type.Optional(Type.Integer({ minimum: 1, maximum: ceiling }));
/** Limits of one run: the policy's are left aside for it, the ceilings hold. */
export const RunLimitsSchema = Type.Object(
  {
    parts: limit(LIMITS.parts),
    depth: limit(LIMITS.depth),
    pages: limit(LIMITS.pages),
    expandedBytes: limit(LIMITS.expandedBytes),
    outputBytes: limit(LIMITS.outputBytes),
    dpi: limit(300),
  },
  strict,
);
export type RunLimits = Static<typeof RunLimitsSchema>;
/** The whole message is to be made harmless once more, with these limits. */
export const RerunRequestSchema = Type.Object(
  { kind: Type.Literal('rerun'), ...common, limits: RunLimitsSchema },
  strict,
);
/** A message is to be deleted for good; a second person agreed. */
export const DeleteRequestSchema = Type.Object(
  {
    kind: Type.Literal('delete'),
    ...common,
    reason: Type.String({ minLength: 1, maxLength: 300 }),
    confirmedBy: Type.String({ minLength: 1, maxLength: 200 }),
  },
  strict,
);
export const RequestSchema = Type.Union([
  PasswordRequestSchema,
  RenderRequestSchema,
  TextRequestSchema,
  OriginalRequestSchema,
  RetryRequestSchema,
  RerunRequestSchema,
  DeleteRequestSchema,
]);

export type PasswordRequest = Static<typeof PasswordRequestSchema>;
export type RenderRequest = Static<typeof RenderRequestSchema>;
export type TextRequest = Static<typeof TextRequestSchema>;
export type OriginalRequest = Static<typeof OriginalRequestSchema>;
export type RetryRequest = Static<typeof RetryRequestSchema>;
export type RerunRequest = Static<typeof RerunRequestSchema>;
export type DeleteRequest = Static<typeof DeleteRequestSchema>;
export type Request = Static<typeof RequestSchema>;

const codec = recordCodec('request', RequestSchema as TSchema);

/** The bytes of a request; `bad-record` when it does not fit its schema, `too-large` beyond `REQUEST_BYTES`. */
export function encodeRequest(request: Request): Buffer {
  const bytes = codec.encode(request);
  if (bytes.length > REQUEST_BYTES)
    throw new MugaiError('too-large', `a request of ${bytes.length} bytes, at most ${REQUEST_BYTES}`, {
      permanent: true,
    });
  return bytes;
}

/** The request in these bytes; `bad-record` for anything else. */
export function decodeRequest(bytes: Uint8Array): Request {
  if (bytes.length > REQUEST_BYTES)
    throw new MugaiError('bad-record', `a request of ${bytes.length} bytes`, { permanent: true });
  return codec.decode(bytes) as Request;
}
