// Records: small JSON objects with a schema, written once. A record that does not fit its schema is an error, never a guess.
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { MugaiError } from '../message/errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads and writes one kind of record. */
export interface RecordCodec<T> {
  encode(value: T): Buffer;
  /** The record in these bytes; `bad-record` with the first fault otherwise. */
  decode(bytes: Uint8Array): T;
}

/** A codec for records of the schema; `what` names them in errors. */
export function recordCodec<S extends TSchema>(what: string, schema: S): RecordCodec<Static<S>> {
  let compiled: Validator | undefined;
  const check = (value: unknown): Static<S> => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return value as Static<S>;
    const first = compiled.Errors(value)[0];
    const where =
      first === undefined
        ? 'unknown fault'
        : `${first.instancePath === '' ? '/' : first.instancePath}: ${first.message}`;
    throw new MugaiError('bad-record', `${what} record: ${where}`, { permanent: true });
  };
  return {
    encode: (value) => Buffer.from(`${JSON.stringify(check(value))}\n`, 'utf8'),
    decode: (bytes) => {
      let value: unknown;
      try {
        value = JSON.parse(UTF8.decode(bytes));
      } catch (error) {
        throw new MugaiError('bad-record', `${what} record is not JSON`, { permanent: true, cause: error });
      }
      return check(value);
    },
  };
}
