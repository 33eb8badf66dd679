// Thousands of manifests changed in their meaning and sealed again by whoever has the key: the gate never takes one that breaks
// what docs/grammar.md says of manifests (another reader judges), never fails in another way than by a refusal, and takes little longer.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { LIMITS } from '../../src/message/limits.ts';
import { newMessageId, timeOf } from '../../src/message/id.ts';
import type { PartRow } from '../../src/message/part.ts';
import type { SanitisedRecord } from '../../src/message/stages.ts';
import {
  MANIFEST,
  PAYLOAD_TYPE,
  StatementSchema,
  keyId,
  openManifest,
  preAuthentication,
} from '../../src/outbox/manifest.ts';
import { GateRefusal } from '../../src/outbox/refusal.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { nameFaults, textFaults } from '../support/checker/text-rules.ts';
import { seeded } from '../support/own-files.ts';
import { KEYS, PAIR, recordOf } from '../support/packages.ts';

const MUTATIONS = Number(process.env['MUGAI_MUTATIONS'] ?? 100_000) / 10;
/** CPU milliseconds that a refusal may take to say which field of the schema is wrong: it walks the manifest once more. */
const SAYING_MS = 1;
const SHA = 'a'.repeat(64);

type Random = (n: number) => number;
type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The signed text of packages of each kind: a mail, another version of one, an answer, a file, one that was held. */
function honest(): readonly (readonly [kind: string, text: string])[] {
  const [id, first] = [newMessageId(), newMessageId()];
  const names = ['files/01-資料.pdf', 'files/02-写真.jpg'];
  const full: SanitisedRecord = {
    ...recordOf(id, names),
    engine: { version: '1', workers: { mail: '1', pdf: '2' }, sha256: { src: SHA, workers: SHA } },
    live: [{ output: 'files/01-資料.pdf', head: SHA }],
    chain: [`outer-00000001:7:${SHA}`, `middle-00000001:9:${SHA}`],
  };
  const [one] = full.parts;
  assert.ok(one !== undefined);
  const findings = [{ code: 'macro', detail: '通知.docm' }];
  const parts = full.parts.map((part) => ({ ...part, findings, losses: [{ code: 'pages-cut', detail: '3' }] }));
  const held: PartRow = { ...one, verdict: 'held', reason: 'password-needed', outputs: [], pages: 0 };
  const came = new Date(timeOf(first)).toISOString();
  const records: readonly (readonly [string, SanitisedRecord])[] = [
    ['mail', { ...full, parts }],
    ['version', { ...full, parts, revises: first, receivedAt: came }],
    ['answer', { ...full, headers: null, text: null, revises: first, receivedAt: came, answers: 'values' }],
    ['file', { ...full, headers: null, text: null, source: { ...full.source, kind: 'file', name: '資料.pdf' } }],
    ['held', { ...recordOf(id, []), state: 'held', reason: 'password-needed', parts: [held] }],
  ];
  return records.map(([kind, record]) => {
    const outputs = record.parts.flatMap((part) => part.outputs).map((name) => ({ name, content: Buffer.from(name) }));
    const sealed = packageOf(id, record, outputs, new Signer(PAIR.privateKey));
    const manifest = Buffer.from(sealed.find(({ name }) => name === MANIFEST)?.content as Uint8Array).toString('utf8');
    return [kind, Buffer.from((JSON.parse(manifest) as { payload: string }).payload, 'base64').toString('utf8')];
  });
}

function resealed(payload: Buffer): Buffer {
  const sig = sign(null, preAuthentication(payload), PAIR.privateKey).toString('base64');
  const signatures = [{ keyid: keyId(PAIR.publicKey), sig }];
  return Buffer.from(
    `${JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: payload.toString('base64'), signatures })}\n`,
  );
}

/** A place in a value: who holds it, and under which name or number. */
interface Place {
  readonly holder: Json[] | { [name: string]: Json };
  readonly key: string;
}

function placesIn(value: Json, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push({ holder: value, key });
    placesIn(inner, found);
  }
  return found;
}

const at = ({ holder, key }: Place): Json => (holder as { [name: string]: Json })[key] as Json;
const put = ({ holder, key }: Place, value: Json): void => {
  (holder as { [name: string]: Json })[key] = value;
};

/** What an attacker with the sealing key would like to say. */
const WORDS: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  '',
  'x',
  ' ',
  'sanitised',
  'held',
  'refused',
  'pages',
  'text',
  'mail',
  'file',
  'values',
  '../../etc/passwd',
  '/etc/passwd',
  'message.txt',
  'files/01-資料.pdf',
  'files/01-a.exe',
  'files/03-b.pdf',
  'files/01-a b.pdf',
  'a\nBcc: all@example.com',
  '\u202egnp.exe',
  '\u0000',
  '\ud800',
  '\u200b',
  '\u001b[2J',
  'ﬁ',
  'e\u0301',
  '2026-02-30T00:00:00.000Z',
  '2026-11-30T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  SHA,
  'A'.repeat(64),
  'a'.repeat(1000),
  'a'.repeat(5000),
  [],
  {},
  [[]],
  { code: 'macro', detail: '' },
  { __proto__: null, constructor: 'x' },
  { output: 'files/02-写真.jpg', head: SHA },
  Array<string>(LIMITS.recipients + 1).fill('a@b'),
];

const TREE: readonly ((value: Json, random: Random) => void)[] = [
  // taken out, another word, another type
  (value, random) => {
    const { holder, key } = pick(placesIn(value), random);
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  (value, random) => put(pick(placesIn(value), random), structuredClone(pick(WORDS, random))),
  (value, random) => {
    const place = pick(placesIn(value), random);
    const was = at(place);
    put(
      place,
      pick<Json>(
        [
          [was],
          { value: was },
          typeof was === 'object' ? 0 : String(was),
          was === null ? {} : null,
          JSON.stringify(was),
        ],
        random,
      ),
    );
  },
  // one like it from elsewhere, doubled, changed about
  (value, random) => {
    const [one, other] = [pick(placesIn(value), random), pick(placesIn(value), random)];
    put(one, structuredClone(at(other)));
  },
  (value, random) => {
    const lists = placesIn(value).filter(({ holder }) => Array.isArray(holder));
    const { holder, key } = pick(lists, random);
    (holder as Json[]).splice(random((holder as Json[]).length + 1), 0, structuredClone(at({ holder, key })));
  },
  (value, random) => {
    const [one, other] = [pick(placesIn(value), random), pick(placesIn(value), random)];
    const was = at(one);
    if (
      placesIn(was).some(({ holder }) => holder === other.holder) ||
      placesIn(at(other)).some(({ holder }) => holder === one.holder)
    )
      return;
    put(one, at(other));
    put(other, was);
  },
  // a word more, a name more or another one, other order
  (value, random) => {
    const { holder } = pick(placesIn(value), random);
    if (Array.isArray(holder)) holder.push(structuredClone(pick(WORDS, random)));
    else
      holder[pick(['revises', 'answers', 'live', 'chain', 'reason', 'sha256', 'x', 'zz', ''], random)] =
        structuredClone(pick(WORDS, random));
  },
  (value, random) => {
    const { holder, key } = pick(
      placesIn(value).filter((place) => !Array.isArray(place.holder)),
      random,
    );
    const was = at({ holder, key });
    delete (holder as { [name: string]: Json })[key];
    (holder as { [name: string]: Json })[pick([key, `${key} `, key.toUpperCase(), 'name'], random)] = was;
  },
  (value, random) => {
    const place = pick(
      placesIn(value).filter((one) => typeof at(one) === 'string'),
      random,
    );
    const was = at(place) as string;
    const cut = random(was.length + 1);
    put(
      place,
      was.slice(0, cut) +
        pick(['', 'a', '0', '\n', '\u202e', '\u0007', '𠮷', '\ud83d', '/', ' '], random) +
        was.slice(cut + random(2)),
    );
  },
];

/** Other spellings of the same, and what stands behind it. */
const SPELLING: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => insert(text, random, [' ', '\n', '\t', ',', '\ufeff', '"', '}', '\u0000']),
  (text, random) => text.replace(/"(\w+)":("[^"]*"|\d+|null)/g, (all) => (random(20) === 0 ? `${all},${all}` : all)),
  (text, random) =>
    text.replace(/[a-z]/g, (letter) => (random(200) === 0 ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter)),
  (text, random) =>
    text.replace(/:(\d+)([,}])/g, (all, digits: string, end: string) => (random(5) === 0 ? `:${digits}.0${end}` : all)),
  (text, random) => text + pick([text, '\n', ' ', '{}', '\u0000'], random),
  (text) => text.trimEnd(),
  (text) => `\ufeff${text}`,
  (text, random) => text.slice(0, random(text.length)),
];

function pick<T>(from: readonly T[], random: Random): T {
  const one = from[random(from.length)];
  assert.ok(one !== undefined);
  return one;
}

function insert(text: string, random: Random, pieces: readonly string[]): string {
  const cut = random(text.length);
  return text.slice(0, cut) + pick(pieces, random) + text.slice(cut);
}

function mutated(text: string, random: Random): string {
  if (random(8) === 0) return pick(SPELLING, random)(text, random);
  const value = JSON.parse(text) as Json;
  for (let times = 1 + random(2); times > 0; times--) pick(TREE, random)(value, random);
  return `${JSON.stringify(value)}\n`;
}

const fits = new Ajv2020({ strict: false, allErrors: false }).compile(StatementSchema);

/** What docs/grammar.md forbids of a signed manifest, read by others than the gate: the schema by Ajv, the rest from its words. */
function faultsOf(payload: Buffer): string[] {
  const text = payload.toString('utf8');
  const value = JSON.parse(text) as Json;
  if (!fits(value)) return [`schema: ${fits.errors?.[0]?.instancePath} ${fits.errors?.[0]?.message}`];
  const { subject, predicate } = value as unknown as {
    subject: { name: string }[];
    predicate: Omit<SanitisedRecord, 'text' | 'outputs'>;
  };
  const { parts, state, reason, source, answers, envelope } = predicate;
  const faults: string[] = [];
  const add = (bad: boolean, what: string): void => void (bad && faults.push(what));
  add(`${JSON.stringify(value)}\n` !== text, 'another spelling');
  for (const place of placesIn(value))
    for (const one of [place.key, at(place)])
      if (typeof one === 'string') {
        faults.push(...textFaults(one, 'manifest'));
        add(/[\n\t]/.test(one), 'no line');
      }
  const listed = subject.map(({ name }) => name);
  const made = parts.flatMap(({ outputs }) => outputs);
  for (const name of listed) {
    faults.push(...nameFaults(name).filter((fault) => fault.endsWith('not a name the gateway makes')));
    add(name !== 'message.txt' && !made.includes(name), `nobody made ${name}`);
  }
  add(new Set(listed).size !== listed.length, 'listed twice');
  for (const name of made) add(!listed.includes(name), `${name} is not listed`);
  add(new Set(parts.map(({ path }) => path)).size !== parts.length, 'two parts at one place');
  add((state === 'sanitised') !== (reason === null) && parts[0]?.verdict !== 'dropped', 'a state without its reason');
  for (const part of parts)
    add(
      ['held', 'refused'].includes(part.verdict) && (part.reason === null || part.outputs.length > 0),
      'a part held for nothing',
    );
  add(source.kind === 'mail' && answers === undefined && !listed.includes('message.txt'), 'no text');
  add(envelope.to.length > LIMITS.recipients, 'too many recipients');
  return faults;
}

describe('the gate, given changed manifests that are sealed again', () => {
  it(`takes none of ${MUTATIONS} that breaks the grammar, and little longer than for honest ones`, async (context) => {
    const random = seeded(20261130);
    const texts = honest();
    const counts = new Map<string, number>();
    for (const [kind, text] of texts) {
      assert.deepEqual(faultsOf(Buffer.from(text)), [], kind);
      await openManifest(resealed(Buffer.from(text)), KEYS);
      const some: Buffer[] = [];
      for (let nth = 0; nth < MUTATIONS / texts.length; nth++) {
        const payload = Buffer.from(mutated(text, random), 'utf8');
        const bytes = resealed(payload);
        if (nth % 20 === 0) some.push(bytes);
        const refusal = await refusalOf(bytes);
        const rule = refusal?.rule ?? 'taken';
        counts.set(rule, (counts.get(rule) ?? 0) + 1);
        if (refusal === undefined)
          assert.deepEqual(faultsOf(payload), [], `${kind}, mutation ${nth}: ${payload.toString()}`);
        else assert.match(refusal.rule, /^manifest-(?:schema|canonical|files)$/, `${kind}, mutation ${nth}`);
      }
      await assertAsQuick(kind, resealed(Buffer.from(text)), some);
    }
    context.diagnostic([...counts].map(([rule, count]) => `${count} ${rule}`).join(', '));
    for (const rule of ['taken', 'manifest-schema', 'manifest-canonical', 'manifest-files'])
      assert.ok((counts.get(rule) ?? 0) > MUTATIONS / 200, `${rule}: ${counts.get(rule)}`);
  });
});

/** Why the gate refuses a manifest; any other failure is thrown. */
async function refusalOf(bytes: Buffer): Promise<GateRefusal | undefined> {
  try {
    await openManifest(bytes, KEYS);
    return undefined;
  } catch (error) {
    if (error instanceof GateRefusal) return error;
    throw error;
  }
}

/** CPU milliseconds of one of these, in the mean. */
async function meanMs(all: readonly Buffer[]): Promise<number> {
  const before = process.cpuUsage();
  for (const bytes of all) await refusalOf(bytes);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / all.length;
}

/** Reads the manifest and changed ones in turn, and compares the least cost of each: a busy machine only ever adds to it. */
async function assertAsQuick(kind: string, bytes: Buffer, changed: readonly Buffer[]): Promise<void> {
  let [own, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 10 && !(other < 2 * own + SAYING_MS); round++) {
    own = Math.min(own, await meanMs(Array<Buffer>(changed.length).fill(bytes)));
    other = Math.min(other, await meanMs(changed));
  }
  assert.ok(other < 2 * own + SAYING_MS, `${kind}: ${other.toFixed(3)} ms a mutation, ${own.toFixed(3)} as it was`);
}
