// No bypass: whatever a policy can say and whatever can fail, no bytes of an original leave. docs/no-bypass.md argues it.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { systemCode } from '../../src/message/errors.ts';
import { PolicySchema, readPolicy } from '../../src/policy/policy.ts';
import { ACTIONS } from '../../src/policy/rules.ts';
import { mailFaults } from '../support/checker/own-mail.ts';
import { originalOf, packageFaults } from '../support/checker/checker.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { docx, paragraph, zipOf } from '../support/office-files.ts';
import { startRedis } from '../support/redis.ts';
import { valuesOf } from '../support/schema-values.ts';
import { scratch } from '../support/scratch.ts';
import { FAILURES, openWholeRoad, type Failure } from '../support/whole-road.ts';

const SEED = 20261125;
/** Policies and failures tried. More: `MUGAI_NO_BYPASS=1000 node --test test/journeys/no-bypass.test.ts`. */
const RUNS = Number(process.env['MUGAI_NO_BYPASS'] ?? 45);
/** A document of an office engine takes seconds: in one mail of so many. */
const OFFICE_EACH = 40;

/** Words that a rule can hit with: addresses, types, findings of the mails below. */
const WORDS = (
  '* staff@city.example.lg.jp @city.example.lg.jp sender@example.com @example.com tax application/pdf image/png image/* ' +
  'text/plain application/zip application/octet-stream javascript macro embedded-file external-link'
).split(' ');

/** What a policy lowers, and the reason that parts of the mail below end with. */
const LIMITED: readonly (readonly [limits: Readonly<Record<string, number>>, reason: string])[] = [
  [{ parts: 3 }, 'too-many-parts'],
  [{ depth: 1 }, 'too-deep'],
  [{ pages: 1 }, 'too-many-pages'],
  [{ pixels: 1000 }, 'too-many-pixels'],
  [{ expandedBytes: 2000 }, 'ratio'],
];

interface Attached {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

async function attachables(): Promise<readonly Attached[]> {
  const sample = async (name: string, type: string): Promise<Attached> => ({
    name,
    type,
    bytes: await readFile(new URL(`../../samples/file/${name}`, import.meta.url)),
  });
  const unknown = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), randomBytes(5000)]);
  return [
    await sample('javascript-launch.pdf', 'application/pdf'),
    await sample('truncated.pdf', 'application/pdf'),
    await sample('embedded-file.pdf', 'application/pdf'),
    await sample('案内図.png', 'image/png'),
    await sample('rotated-gps.jpg', 'image/jpeg'),
    await sample('お知らせ.html', 'text/html'),
    await sample('会議録-sjis.txt', 'text/plain'),
    { name: 'setup.exe', type: 'application/octet-stream', bytes: unknown },
    {
      name: 'report.pdf',
      type: 'application/pdf',
      bytes: Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(3000)]),
    },
    {
      name: '資料.zip',
      type: 'application/zip',
      bytes: zipOf({ 'a.txt': '資料の中身です。\n', 'b.bin': randomBytes(3000), 'c.zip': zipOf({ 'd.txt': 'deep' }) }),
    },
  ];
}

/** A mail that lets its parts be told from each other, in base64 lines as mail programs write them. */
function mailOf(parts: readonly Attached[]): Buffer {
  const entity = ({ name, type, bytes }: Attached): string =>
    `--=b\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n` +
    `Content-Disposition: attachment; filename*=UTF-8''${encodeURIComponent(name)}\r\n\r\n` +
    `${bytes.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
  const head =
    'From: sender@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: test\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: multipart/mixed; boundary="=b"\r\n\r\n';
  const body = '--=b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello https://example.com/a\r\n';
  return Buffer.from(`${head}${body}${parts.map(entity).join('')}--=b--\r\n`);
}

/** Names of keys that a policy uses, at any depth: `limits.pages`, `rules.when.type`. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => keysOf(one, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const key = path === '' ? name : `${path}.${name}`;
    return [key, ...keysOf(one, key)];
  });
}

function schemaKeys(schema: unknown, path = ''): string[] {
  const { properties, items } = schema as { properties?: Record<string, unknown>; items?: unknown };
  if (items !== undefined) return schemaKeys(items, path);
  return Object.entries(properties ?? {}).flatMap(([name, one]) => {
    const key = path === '' ? name : `${path}.${name}`;
    return [key, ...schemaKeys(one, key)];
  });
}

describe('no bypass', () => {
  it(`of ${RUNS} policies of the schema, each with a failure of every kind, none lets bytes of an original leave`, async (context) => {
    await using road = await openWholeRoad();
    const pool = await attachables();
    const office: Attached = {
      name: '通知.docx',
      type: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      bytes: docx(paragraph('通知の本文'), [], { 'word/vbaProject.bin': randomBytes(4000) }),
    };
    const policies = fc.sample(valuesOf(PolicySchema, WORDS), { seed: SEED, numRuns: RUNS });
    const picks = fc.sample(fc.tuple(fc.subarray(pool as Attached[], { minLength: 1, maxLength: 4 }), fc.nat(8)), {
      seed: SEED,
      numRuns: RUNS,
    });
    const used = new Set<string>();
    const actions = new Set<string>();
    const why = new Set<string>();
    const ends = new Map<string, number>();
    for (const [nth, value] of policies.entries()) {
      const policy = readPolicy(stringify(value), 'generated');
      for (const key of keysOf(value)) used.add(key);
      for (const rule of policy.rules) if (rule.action !== undefined) actions.add(rule.action);
      const [parts, after] = picks[nth] as [Attached[], number];
      const failure = FAILURES[nth % FAILURES.length] as Failure;
      const raw = mailOf(nth % OFFICE_EACH === 0 ? [...parts, office] : parts);
      const { faults, end, reasons } = await road.send(raw, policy, { failure, after });
      assert.deepEqual(faults, [], `${failure} after ${after}, ${parts.map(({ name }) => name).join(' ')}, ${end}`);
      for (const reason of reasons) why.add(`${failure}: ${reason}`);
      const told = `${failure}: ${end}`;
      ends.set(told, (ends.get(told) ?? 0) + 1);
    }
    for (const [told, count] of ends) context.diagnostic(`${count} × ${told}`);
    // The walk was one over everything the schema has a word for, and each failure took place.
    assert.deepEqual(
      schemaKeys(PolicySchema).filter((key) => !used.has(key)),
      [],
    );
    assert.deepEqual([...actions].toSorted(), [...ACTIONS].toSorted());
    const seen = [...ends.keys()].join('\n');
    assert.match(seen, /^disk-full: .* after .*disk-full/m);
    assert.match(seen, /^sync-fails: .* after .*disk-full/m);
    assert.match(seen, /^stopped: held .* after signal/m);
    assert.ok(road.killed >= RUNS / FAILURES.length, `${road.killed} children killed from outside`);
    for (const one of [
      'time-out: timeout',
      'out-of-memory: out-of-memory',
      'abort: out-of-memory',
      'cut: converter-failed',
    ])
      assert.ok(why.has(one), `${one} is not among ${[...why].join(', ')}`);
    for (const reason of ['unsupported-type', 'policy', 'damaged'])
      assert.ok(
        [...why].some((one) => one.endsWith(reason)),
        `${reason} is not among ${[...why].join(', ')}`,
      );
  });

  it('a part over a limit that a policy lowers ends with the reason of that limit, and none of its bytes leaves', async () => {
    await using road = await openWholeRoad();
    const pool = await attachables();
    for (const [limits, reason] of LIMITED) {
      const policy = readPolicy(stringify({ name: 'low', version: '1', limits }), 'low');
      const { faults, end, reasons } = await road.send(mailOf(pool), policy, { failure: 'none', after: 0 });
      assert.deepEqual(faults, [], reason);
      assert.ok(reasons.includes(reason), `${JSON.stringify(limits)}: ${reasons.join(', ')}, ${end}`);
    }
  });

  it('has no word that passes an original on', () => {
    const words = JSON.stringify(PolicySchema).match(/"const":"[^"]*"/g) ?? [];
    assert.ok(words.length > 10);
    for (const word of words) assert.doesNotMatch(word, /original|raw|allow|bypass|as-is|trust|skip/i);
    // `originals` of a policy names who may agree that one is handed out on the side it came from, never inwards.
    assert.deepEqual(
      schemaKeys(PolicySchema).filter((key) => /original|raw|bypass|trust|skip|exempt/i.test(key)),
      ['originals', 'originals.levels', 'originals.waitMinutes', 'originals.validHours', 'originals.linkHours'],
    );
  });

  it('when the queue goes away with mail on the road, what leaves is sealed or nothing, and all of it comes when the queue is back', async () => {
    await using folder = await scratch();
    await using redis = await startRedis();
    await using gateway = await startTestGateway(folder.path, { MUGAI_QUEUE_URL: redis.url });
    const pool = await attachables();
    const raws = pool.map((one) => mailOf([one]));
    for (const [nth, raw] of raws.entries()) {
      if (nth === 3) await redis.kill();
      assert.match(await sendMail(gateway.smtpPort ?? 0, raw), /^(250|4\d\d) /);
    }
    const original = originalOf(...raws);
    const lookOnce = async (): Promise<number> => {
      let mails = 0;
      for (const zone of ['outbox', 'delivered', 'inner', 'journal', 'requests', 'portal']) {
        const entries = await readdir(join(folder.path, zone), { recursive: true, withFileTypes: true });
        for (const entry of entries) {
          const path = join(entry.parentPath, entry.name);
          if (entry.name === 'manifest.dsse.json') assert.deepEqual(await packageFaults(entry.parentPath, ...raws), []);
          if (!entry.name.endsWith('.eml')) continue;
          mails += 1;
          assert.deepEqual(mailFaults(await readFile(path), original), []);
        }
      }
      return mails;
    };
    // What was moved to its place while one looked is looked at there.
    const look = async (): Promise<number> =>
      lookOnce().catch(async (error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error;
        return look();
      });
    await look();
    await redis.start();
    let came = 0;
    for (let tries = 0; tries < 240 && came < 3; tries++) {
      came = await look();
      await sleep(500);
    }
    assert.ok(came >= 3, `${came} mails came`);
  });
});
