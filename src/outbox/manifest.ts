// The manifest of a package: an in-toto Statement v1 in a DSSE envelope, signed with Ed25519.
// Sources: in-toto Attestation Framework v1 (Statement), DSSE v1.0.2 (envelope and pre-authentication encoding).
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Type, type Static } from 'typebox';
import { PositionSchema } from '../message/act.ts';
import { LIMITS } from '../message/limits.ts';
import { DigestSchema, PartRowSchema, ReasonSchema, StateSchema } from '../message/part.ts';
import { AnswersSchema, EnvelopeSchema, HeadersSchema, LiveHeadsSchema, SourceSchema } from '../message/stages.ts';
import { reasonOf } from '../message/errors.ts';
import { recordCodec, type RecordCodec } from '../store/records.ts';
import { checkStatement } from './manifest-rules.ts';
import { refuseManifest, type Rule } from './refusal.ts';

export { MANIFEST } from './refusal.ts';

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'urn:mugai:sanitised:v1';

/** Names a package may hold beside its manifest. */
export const FILE_NAME = '^(message\\.txt|files/[0-9]{2,4}-[^/\\\\\\u0000-\\u001f]{1,100}\\.(pdf|png|jpg|txt))$';

const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
const strict = { additionalProperties: false } as const;

/** As the doors take them: 64 characters before the @, two units each at most, and a name of the DNS behind it. */
const Recipients = Type.Array(Type.String({ maxLength: 2 * 64 + 1 + 253 }), { maxItems: LIMITS.recipients });

/** What became of one message: contracts §3, plus `autoSubmitted` (RFC 3834), which delivery keeps. */
export const PredicateSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    state: StateSchema,
    reason: Type.Union([ReasonSchema, Type.Null()]),
    source: SourceSchema,
    receivedAt: Time,
    sanitisedAt: Time,
    envelope: Type.Object({ from: EnvelopeSchema.properties.from, to: Recipients }, strict),
    headers: Type.Union([HeadersSchema, Type.Null()]),
    autoSubmitted: Type.String({ maxLength: 4096 }),
    policy: Type.Object({ name: Type.String(), version: Type.String(), sha256: DigestSchema }, strict),
    engine: Type.Object(
      {
        version: Type.String(),
        workers: Type.Record(Type.String(), Type.String()),
        /** Digests of the code that ran: `src`, `workers`, `packages`. */
        sha256: Type.Optional(Type.Record(Type.String(), DigestSchema)),
      },
      strict,
    ),
    /** The message itself, where it is a file, and what was in it. */
    parts: Type.Array(PartRowSchema, { maxItems: LIMITS.rows }),
    /** The message that this package is another version of; it then has an id of its own, that of the request. */
    revises: Type.Optional(Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' })),
    /** It answers a request for one part in another form; the inner side shows it in the portal and delivers it to nobody. */
    answers: Type.Optional(AnswersSchema),
    live: Type.Optional(LiveHeadsSchema),
    /** Places of this message in the journals of the outer and the middle zone: each package anchors both chains. */
    chain: Type.Optional(Type.Array(PositionSchema, { maxItems: 4 })),
  },
  strict,
);
export type Predicate = Static<typeof PredicateSchema>;

export const StatementSchema = Type.Object(
  {
    _type: Type.Literal(STATEMENT_TYPE),
    subject: Type.Array(
      Type.Object(
        { name: Type.String({ pattern: FILE_NAME }), digest: Type.Object({ sha256: DigestSchema }, strict) },
        strict,
      ),
    ),
    predicateType: Type.Literal(PREDICATE_TYPE),
    predicate: PredicateSchema,
  },
  strict,
);
export type Statement = Static<typeof StatementSchema>;

export const EnvelopeDsseSchema = Type.Object(
  {
    payloadType: Type.Literal(PAYLOAD_TYPE),
    payload: Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
    signatures: Type.Array(
      Type.Object({ keyid: DigestSchema, sig: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }) }, strict),
      { minItems: 1, maxItems: 8 },
    ),
  },
  strict,
);

const statementCodec = recordCodec('manifest', StatementSchema);
const dsseCodec = recordCodec('envelope', EnvelopeDsseSchema);

// In the thread pool: an Ed25519 verification is a fifth of a millisecond that the event loop need not spend.
const verifyAsync = promisify(verify);

/** Key id: sha256 of the public key's DER (SubjectPublicKeyInfo), hex. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'public' ? key : createPublicKey(key);
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/** DSSE pre-authentication encoding: what is signed. */
export function preAuthentication(payload: Uint8Array): Buffer {
  const type = Buffer.from(PAYLOAD_TYPE, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** Signs a statement: the bytes of `manifest.dsse.json`. */
export function signStatement(statement: Statement, privateKey: KeyObject, id: string): Buffer {
  const payload = statementCodec.encode(inOrder(statement) as Statement);
  const signature = sign(null, preAuthentication(payload), privateKey);
  return dsseCodec.encode({
    payloadType: PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: id, sig: signature.toString('base64') }],
  });
}

/**
 * The statement in these bytes, when one of the keys signed it, it is in its one form and its list is whole. Throws
 * `GateRefusal` otherwise; nothing of an unsigned payload is parsed.
 */
export async function openManifest(bytes: Uint8Array, keys: ReadonlyMap<string, KeyObject>): Promise<Statement> {
  const envelope = decoded(dsseCodec, bytes, 'manifest-envelope', 'no DSSE envelope of ours');
  const payload = Buffer.from(envelope.payload, 'base64');
  const { payloadType, signatures } = envelope;
  const ordered = signatures.map(({ keyid, sig }) => ({ keyid, sig: Buffer.from(sig, 'base64').toString('base64') }));
  // One form only: no second spelling of the same base64, no key twice, no space.
  const again = { payloadType, payload: payload.toString('base64'), signatures: ordered };
  if (!sameJson(again, bytes)) refuseManifest('manifest-envelope', 'not in its one form');
  if (new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length)
    refuseManifest('manifest-envelope', 'a key is named twice');
  if (!(await isSigned(payload, signatures, keys))) refuseManifest('manifest-signature', 'no signature of a known key');
  const statement = decoded(statementCodec, payload, 'manifest-schema', 'the signed manifest does not fit its schema');
  if (!sameJson(isInOrder(statement) ? statement : inOrder(statement), payload))
    refuseManifest('manifest-canonical', 'the signed manifest is not in its one form');
  checkStatement(statement);
  return statement;
}

/** True when these bytes are the value as a record is written: JSON without a space, and a line end. */
function sameJson(value: unknown, bytes: Uint8Array): boolean {
  return Buffer.from(`${JSON.stringify(value)}\n`, 'utf8').equals(bytes);
}

function decoded<T>(codec: RecordCodec<T>, bytes: Uint8Array, rule: Rule, what: string): T {
  try {
    return codec.decode(bytes);
  } catch (error) {
    return refuseManifest(rule, `${what}: ${reasonOf(error)}`);
  }
}

/** A value with its keys in the order of the schema, those of records sorted: JSON of it has one form. */
function inOrder(value: unknown, schema: unknown = StatementSchema): unknown {
  if (Array.isArray(value)) return value.map((one) => inOrder(one, (schema as { items?: unknown }).items));
  if (typeof value !== 'object' || value === null) return value;
  const { properties, anyOf } = (schema ?? {}) as { properties?: Record<string, unknown>; anyOf?: unknown[] };
  if (anyOf !== undefined)
    return inOrder(
      value,
      anyOf.find((one) => (one as { type?: string }).type === 'object'),
    );
  const names = properties === undefined ? Object.keys(value).toSorted() : Object.keys(properties);
  const given = value as Record<string, unknown>;
  const kept = names.filter((name) => given[name] !== undefined);
  return Object.fromEntries(kept.map((name) => [name, inOrder(given[name], properties?.[name])]));
}

/** True when `inOrder` would give the same again: what we sealed ourselves, at a third of the cost. */
function isInOrder(value: unknown, schema: unknown = StatementSchema): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((one) => isInOrder(one, (schema as { items?: unknown }).items));
  const { properties, anyOf } = (schema ?? {}) as { properties?: Record<string, unknown>; anyOf?: unknown[] };
  if (anyOf !== undefined)
    return isInOrder(
      value,
      anyOf.find((one) => (one as { type?: string }).type === 'object'),
    );
  const given = value as Record<string, unknown>;
  const names = Object.keys(value);
  if (properties === undefined)
    return names.every((name, at) => (at === 0 || (names[at - 1] as string) < name) && isInOrder(given[name]));
  let at = 0;
  for (const name of Object.keys(properties)) {
    if (names[at] !== name) continue;
    if (!isInOrder(given[name], properties[name])) return false;
    at += 1;
  }
  return at === names.length;
}

/** True when a known key signed it, and no known key is named with a signature that is not its own. */
async function isSigned(
  payload: Buffer,
  signatures: readonly { readonly keyid: string; readonly sig: string }[],
  keys: ReadonlyMap<string, KeyObject>,
): Promise<boolean> {
  let known = 0;
  for (const { keyid, sig } of signatures) {
    const key = keys.get(keyid);
    if (key === undefined) continue;
    if (!(await verifyAsync(null, preAuthentication(payload), key, Buffer.from(sig, 'base64')))) return false;
    known += 1;
  }
  return known > 0;
}
