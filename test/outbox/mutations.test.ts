// A hundred thousand changed files of our own: the gate never takes one that breaks the contract (another reader judges),
// never fails in another way than by a refusal, and never takes much longer than for the file as it was.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgePdf } from '../support/checker/own-pdf.ts';
import { jpegFaults, pngFaults } from '../support/checker/own-picture.ts';
import { utf8Faults } from '../support/checker/text-rules.ts';
import { ownFiles, refusalOf, seeded } from '../support/own-files.ts';

const MUTATIONS = Number(process.env['MUGAI_MUTATIONS'] ?? 100_000);
/** One of so many is read once more by the clock. */
const SOME = 10;
/** CPU milliseconds that no single one takes; honest ones take less than one. */
const LONG_MS = 50;

/** What an attacker with the sealing key would like to put in. */
const TOKENS = [
  '/OpenAction << /S /JavaScript /JS (app.alert(1)) >>',
  '/AA << /O 9 0 R >>',
  '/Annots [9 0 R]',
  '/AcroForm << >>',
  '/Names << /EmbeddedFiles 9 0 R >>',
  '/Metadata 9 0 R',
  '/Encrypt 9 0 R',
  '/URI (http://example.com)',
  '/SMask 9 0 R',
  '/Type /ObjStm',
  '/Filter [/ASCIIHexDecode /FlateDecode]',
  '9 0 obj\n<< /S /Launch >>\nendobj\n',
  'xref\n0 1\ntrailer\n<< /Prev 1 /Root 9 0 R >>\nstartxref\n1\n%%EOF\n',
  '%PDF-1.7\n',
  ' ',
  '\n',
  '%',
  '\r',
  '\u0000',
  'endstream\nendobj\n',
  '\u00ff\u00fe',
  '\u00ff\u00d9',
].map((token) => Buffer.from(token, 'latin1'));

type Random = (n: number) => number;

const CHANGES: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  // a byte, a bit
  (bytes, random) => put(bytes, random(bytes.length), 1, Buffer.from([random(256)])),
  (bytes, random) => {
    const at = random(bytes.length);
    return put(bytes, at, 1, Buffer.from([(bytes[at] as number) ^ (1 << random(8))]));
  },
  // a digit of a number for another
  (bytes, random) => {
    const at = bytes.indexOf(0x30 + random(10), random(bytes.length));
    return at < 0 ? put(bytes, 0, 0, Buffer.from('1')) : put(bytes, at, 1, Buffer.from([0x30 + random(10)]));
  },
  // taken out, put in, doubled, moved, cut, lengthened
  (bytes, random) => put(bytes, random(bytes.length), 1 + random(30), Buffer.alloc(0)),
  (bytes, random) => put(bytes, random(bytes.length), 0, TOKENS[random(TOKENS.length)] as Buffer),
  (bytes, random) => put(bytes, random(bytes.length), random(12), TOKENS[random(TOKENS.length)] as Buffer),
  (bytes, random) => {
    const from = random(bytes.length);
    return put(bytes, random(bytes.length), 0, bytes.subarray(from, from + 1 + random(200)));
  },
  (bytes, random) => {
    const [from, size] = [random(bytes.length), 1 + random(100)];
    const piece = Buffer.from(bytes.subarray(from, from + size));
    const rest = put(bytes, from, size, Buffer.alloc(0));
    return put(rest, random(rest.length + 1), 0, piece);
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => Buffer.concat([bytes, TOKENS[random(TOKENS.length)] as Buffer]),
  (bytes, random) => Buffer.concat([TOKENS[random(TOKENS.length)] as Buffer, bytes]),
];

function put(bytes: Buffer, at: number, size: number, piece: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + size)]);
}

/** The contract's word on a file, from the checker, which shares no code with the gate. */
function faultsOf(name: string, bytes: Buffer): readonly string[] {
  if (name.endsWith('pdf')) return judgePdf(bytes, name).faults;
  if (name.endsWith('jpg')) return jpegFaults(bytes).faults;
  if (name.endsWith('png')) return pngFaults(bytes).faults;
  return utf8Faults(bytes, name);
}

describe('the gate, given changed files of our own', () => {
  it(`takes none of ${MUTATIONS} that breaks the contract, and no longer than for honest ones`, async (context) => {
    const files = [...(await ownFiles())];
    const random = seeded(20261125);
    for (const [name, bytes] of files) for (let i = 0; i < 200; i++) await refusalOf(name, bytes); // warm
    const each = Math.ceil(MUTATIONS / files.length);
    let refused = 0;
    const taken: string[] = [];
    for (const [name, bytes] of files) {
      const some: Buffer[] = [];
      const slow: Buffer[] = [];
      for (let nth = 0; nth < each; nth++) {
        let mutated = bytes;
        for (let times = 1 + random(2); times > 0; times--)
          mutated = (CHANGES[random(CHANGES.length)] as (typeof CHANGES)[number])(mutated, random);
        if (nth % SOME === 0) some.push(mutated);
        const before = process.cpuUsage();
        const refusal = await refusalOf(name, mutated);
        if (cpuMs(before) > LONG_MS) slow.push(mutated);
        if (refusal !== undefined) {
          refused += 1;
          assert.ok(
            refusal.offset !== undefined && refusal.offset >= 0 && refusal.offset <= mutated.length,
            refusal.message,
          );
        } else if (!mutated.equals(bytes)) {
          taken.push(name);
          assert.deepEqual(faultsOf(name, mutated), [], `${name}, mutation ${nth}`);
        }
      }
      await assertAsQuick(name, bytes, some);
      for (const one of slow) {
        let least = Number.POSITIVE_INFINITY;
        for (let round = 0; round < 10; round++) least = Math.min(least, await meanMs(name, [one]));
        assert.ok(least < LONG_MS, `${name}: ${least.toFixed(0)} ms for one`);
      }
    }
    context.diagnostic(`${refused} refused, ${taken.length} taken, and the checker found no fault in them`);
    // Most of what is taken has other pixels, other letters: what a sealed file may say anyway.
    assert.ok(refused > 0.6 * MUTATIONS && taken.length > 0, `${refused} refused, ${taken.length} taken`);
  });
});

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** CPU milliseconds of one of these, in the mean. */
async function meanMs(name: string, all: readonly Buffer[]): Promise<number> {
  const before = process.cpuUsage();
  for (const bytes of all) await refusalOf(name, bytes);
  return cpuMs(before) / all.length;
}

/** Reads the file and changed ones in turn, and compares the least cost of each: a busy machine only ever adds to it. */
async function assertAsQuick(name: string, bytes: Buffer, changed: readonly Buffer[]): Promise<void> {
  let [honest, other] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 10 && !(other < 2 * honest + 0.05); round++) {
    honest = Math.min(honest, await meanMs(name, Array<Buffer>(500).fill(bytes)));
    other = Math.min(other, await meanMs(name, changed));
  }
  assert.ok(other < 2 * honest + 0.05, `${name}: ${other.toFixed(3)} ms a mutation, ${honest.toFixed(3)} as it was`);
}
