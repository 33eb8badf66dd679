// Small signed records beside the packages: a DSSE envelope over one JSON payload, as manifests are, each kind with a
// payload type of its own, so that none can be taken for another.
import { sign, verify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Type } from 'typebox';
import { DigestSchema } from '../message/part.ts';
import { MugaiError } from '../message/errors.ts';
import { recordCodec, type RecordCodec } from '../store/records.ts';

const strict = { additionalProperties: false } as const;
const verifyAsync = promisify(verify);

const envelopeCodec = recordCodec(
  'small envelope',
  Type.Object(
    {
      payloadType: Type.String({ maxLength: 100 }),
      payload: Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$' }),
      signatures: Type.Array(
        Type.Object({ keyid: DigestSchema, sig: Type.String({ pattern: '^[A-Za-z0-9+/]{86}==$' }) }, strict),
        { minItems: 1, maxItems: 1 },
      ),
    },
    strict,
  ),
);

/** A kind of small record: what is signed, and under which type. */
export interface SmallKind<T> {
  readonly payloadType: string;
  readonly codec: RecordCodec<T>;
}

/** Signs a record: the bytes of its file. */
export function sealSmall<T>({ payloadType, codec }: SmallKind<T>, record: T, key: KeyObject, keyid: string): Buffer {
  const payload = codec.encode(record);
  const sig = sign(null, preAuthentication(payloadType, payload), key).toString('base64');
  return envelopeCodec.encode({ payloadType, payload: payload.toString('base64'), signatures: [{ keyid, sig }] });
}

/** The record, when one of the keys signed it as this kind; undefined for anything else. Nothing unsigned is parsed. */
export async function openSmall<T>(
  { payloadType, codec }: SmallKind<T>,
  bytes: Uint8Array,
  keys: ReadonlyMap<string, KeyObject>,
): Promise<T | undefined> {
  try {
    const { payloadType: said, payload, signatures } = envelopeCodec.decode(bytes);
    const signed = Buffer.from(payload, 'base64');
    const [signature] = signatures;
    const key = signature === undefined ? undefined : keys.get(signature.keyid);
    if (signature === undefined || key === undefined || said !== payloadType) return undefined;
    const what = preAuthentication(payloadType, signed);
    if (!(await verifyAsync(null, what, key, Buffer.from(signature.sig, 'base64')))) return undefined;
    return codec.decode(signed);
  } catch (error) {
    if (error instanceof MugaiError && error.code === 'bad-record') return undefined; // not ours, or half written
    throw error;
  }
}

function preAuthentication(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
}
