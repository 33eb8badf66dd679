// The samples and what a correct gateway makes of each: samples/samples.json, checked against its schema.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MugaiError } from '../message/errors.ts';
import { ReasonSchema, StateSchema, VerdictSchema } from '../message/part.ts';

const strict = { additionalProperties: false } as const;
const Reason = Type.Union([ReasonSchema, Type.Null()]);
const Words = Type.Array(Type.String({ minLength: 1 }));

/** One row of the manifest as it must be, in order. `findings` and `losses` name codes that must be among the row's. */
export const ExpectedPartSchema = Type.Object(
  {
    path: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    verdict: VerdictSchema,
    reason: Reason,
    pages: Type.Optional(Type.Integer({ minimum: 0 })),
    findings: Type.Optional(Words),
    losses: Type.Optional(Words),
    /** Width and height of the one picture made of it. */
    pixels: Type.Optional(Type.Tuple([Type.Integer(), Type.Integer()])),
  },
  strict,
);

/** `text` must occur in message.txt or a text output, `notText` in none of them. */
export const ExpectationSchema = Type.Object(
  {
    state: StateSchema,
    reason: Reason,
    parts: Type.Array(ExpectedPartSchema),
    text: Type.Optional(Words),
    notText: Type.Optional(Words),
  },
  strict,
);
export type Expectation = Static<typeof ExpectationSchema>;

export const SampleSchema = Type.Object(
  {
    file: Type.String({ pattern: '^(mail|file)/[^/]+$' }),
    kind: Type.Union([Type.Literal('mail'), Type.Literal('file')]),
    /** What it shows, in Japanese. */
    title: Type.String({ minLength: 1 }),
    /** Repository, commit and path; or our own generator. */
    origin: Type.String({ minLength: 1 }),
    licence: Type.String({ minLength: 1 }),
    expect: ExpectationSchema,
  },
  strict,
);
export type Sample = Static<typeof SampleSchema>;

const SamplesSchema = Type.Array(SampleSchema, { minItems: 1 });

/** Folder of the samples. */
export const SAMPLES_DIR = fileURLToPath(new URL('../../samples/', import.meta.url));

/** All samples, in the order of samples.json. Throws `bad-config` in one line when that file does not fit its schema. */
export async function loadSamples(): Promise<Sample[]> {
  const value: unknown = JSON.parse(await readFile(join(SAMPLES_DIR, 'samples.json'), 'utf8'));
  const validator = Compile(SamplesSchema);
  if (validator.Check(value)) return value;
  const fault = validator.Errors(value)[0];
  throw new MugaiError('bad-config', `samples/samples.json${fault?.instancePath ?? ''} ${fault?.message ?? ''}`, {
    permanent: true,
  });
}
