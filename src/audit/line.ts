// A line of a journal: JSON in one canonical form, the hash of the line before inside it. The chain is the sha256 of the
// lines as they stand in the file, so that sha256sum can follow it.
import { hash } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import {
  ACTS,
  LIST_MOST,
  DetailValueSchema,
  PositionSchema,
  type ActEntry,
  type DetailValue,
  type Position,
} from '../message/act.ts';
import { forLine } from '../message/untrusted.ts';
import { LEFT_OUT, fitDetail } from './fit-detail.ts';

/** What stands before the first line of a chain. */
export const GENESIS = '0'.repeat(64);
/** Bytes of one line; longer ones are no lines of ours. */
export const LINE_BYTES = 64 * 1024;

const strict = { additionalProperties: false } as const;

/** A line, its keys in this order. */
export const LineSchema = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    at: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' }),
    chain: Type.String({ pattern: '^(outer|middle|inner)-[0-9a-f]{8}$' }),
    act: Type.Unsafe<ActEntry['act']>(Type.Union(ACTS.map((act) => Type.Literal(act)))),
    message: Type.Optional(Type.String({ maxLength: 100 })),
    person: Type.Optional(Type.String({ maxLength: 300 })),
    detail: Type.Optional(Type.Record(Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9]{0,39}$' }), DetailValueSchema)),
    prev: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  strict,
);
export type Line = Static<typeof LineSchema>;

let lines: Validator | undefined;
let positions: Validator | undefined;

/** Where a chain stands: the number and the hash of its last line. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The hash of a line (its bytes without the line end). */
export function hashOf(line: string | Uint8Array): string {
  return hash('sha256', line, 'hex');
}

/**
 * The text of a line, without its end. Values are cleaned and cut: a journal is read in terminals and spreadsheets, and a longer
 * line would be none.
 */
export function lineOf(entry: ActEntry, chain: string, after: Head, now: number): string {
  const line = {
    seq: after.seq + 1,
    at: timeOf(now),
    chain,
    act: entry.act,
    message: entry.message === undefined ? undefined : clean(entry.message, 100),
    person: entry.person === undefined ? undefined : clean(entry.person, 300),
    detail: entry.detail === undefined ? undefined : cleanDetail(entry.detail),
    prev: after.hash,
  };
  const text = JSON.stringify(line);
  // A unit of a string is three bytes of UTF-8 at most: most lines are not counted.
  const over = text.length * 3 <= LINE_BYTES ? 0 : Buffer.byteLength(text) - LINE_BYTES;
  if (over <= 0 || line.detail === undefined) return text;
  return JSON.stringify({ ...line, detail: fitDetail(line.detail, over) });
}

let told = { now: Number.NaN, at: '' };

/** A time as text. Entries that come together have the same one, and to write it takes as long as the rest of a line. */
function timeOf(now: number): string {
  if (now !== told.now) told = { now, at: new Date(now).toISOString() };
  return told.at;
}

// Nearly every value is plain ASCII: one test instead of three replacements.
const PLAIN = /^[ -~]*$/;

function clean(text: string, max: number): string {
  return text.length <= max && PLAIN.test(text) ? text : forLine(text, max);
}

function cleanDetail(detail: Readonly<Record<string, DetailValue>>): Record<string, DetailValue> {
  const cleaned: Record<string, DetailValue> = {};
  let leftOut = 0;
  for (const [name, value] of Object.entries(detail)) {
    if (typeof value === 'string') cleaned[name] = clean(value, 1000);
    else if (Array.isArray(value)) {
      cleaned[name] = value.slice(0, LIST_MOST).map((one) => clean(one, 1000));
      leftOut += Math.max(0, value.length - LIST_MOST);
    } else cleaned[name] = value;
  }
  if (leftOut > 0) cleaned[LEFT_OUT] = leftOut;
  return cleaned;
}

/** The line in this text, or what is wrong with it. Only the canonical form is a line: no spaces, no double keys. */
export function parseLine(text: string): Line | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: error instanceof SyntaxError ? 'is no JSON' : 'cannot be read' };
  }
  lines ??= Compile(LineSchema);
  if (!lines.Check(value)) {
    const first = lines.Errors(value)[0];
    return { fault: `does not fit its schema${first === undefined ? '' : `: ${first.instancePath} ${first.message}`}` };
  }
  const line = value as Line;
  const { seq, at, chain, act, message, person, detail, prev } = line;
  const canonical = JSON.stringify({ seq, at, chain, act, message, person, detail, prev });
  return canonical === text ? line : { fault: 'is not in canonical form' };
}

/** A place in a chain as text. */
export function positionOf(chain: string, head: Head): Position {
  return `${chain}:${head.seq}:${head.hash}`;
}

/** A place in a chain, or undefined where the text is none. */
export function parsePosition(text: unknown): (Head & { readonly chain: string }) | undefined {
  positions ??= Compile(PositionSchema);
  if (!positions.Check(text)) return undefined;
  const [chain = '', seq = '', sha256 = ''] = (text as string).split(':');
  return { chain, seq: Number(seq), hash: sha256 };
}
