// The lying child: workers that break every rule of the wire and of their lives, against the host's own pools and readers.
// Each ends in its clear outcome, within bounded time and memory, and the next input passes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Scratch } from '../support/scratch.ts';
import { scratch } from '../support/scratch.ts';
import { LIMITS } from '../../src/message/limits.ts';
import type { Reason } from '../../src/message/part.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import type { ChildOutcome } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { MailReader } from '../../src/sandbox/mail-reader.ts';
import { CodeReader } from '../../src/sandbox/code-reader.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { TextReader } from '../../src/sandbox/text-reader.ts';
import { OPERATION, PIXEL } from '../../src/sandbox/wire.ts';
import { authenticate } from '../../src/sanitise/authenticate.ts';
import { convertPdf } from '../../src/sanitise/convert-pages.ts';
import type { Leaf } from '../../src/sanitise/part.ts';
import { CodeFinder } from '../../src/sanitise/read-codes.ts';
import { readMail } from '../../src/sanitise/read-mail.ts';
import { Tools } from '../../src/sanitise/tools.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage, type Store } from '../../src/store/store.ts';
import { ATTACKS } from './hostile-worker.ts';

const MIB = 1024 * 1024;
/** What the host may grow by while a child floods it: a few pages of 36 million pixels, and what waits to be collected. */
const HOST_GROWTH = 700 * MIB;
/** Of what only its deadline ends. Whatever else ends has the time that a busy machine needs for it. */
const DEADLINE_MS = 1500;
const LONG_MS = 20_000;
/** A child may take its deadline, a poll, and its death; the rest is for a busy machine. */
const PATIENCE_MS = 30_000;

/** A family whose parser is the liar: little memory, so that what eats it is found soon. */
const HOSTILE: Family = {
  ...FAMILIES.mail,
  entry: fileURLToPath(new URL('./hostile-worker.ts', import.meta.url)),
  readable: ['test/sandbox/hostile-worker.ts'],
  heapMiB: 64,
  rssLimit: 300 * MIB,
};

let folder: Scratch;
let store: Store;
let pool: ChildPool;
const kills: string[] = [];

before(async () => {
  folder = await scratch();
  store = await openFsStore(folder.path);
  const { walls } = await machineJail();
  pool = new ChildPool(HOSTILE, { most: 1, warm: 1 }, (_family, cause) => kills.push(cause), walls);
  await pool.warm();
});

after(async () => {
  await pool[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const never = new AbortController().signal;

/** `codes`: a child that looks for codes. Without it none are looked for: the one child there is draws meanwhile. */
function tools(codes?: ChildPool): Tools {
  const rest = { image: pool, archive: pool, office: pool, 'office-wasm': pool, ocr: pool, codes: codes ?? pool };
  const pools = { mail: pool, auth: pool, text: pool, pdf: pool, ...rest };
  const shared = {
    pools,
    policy: { ...builtInPolicy(), codePages: codes === undefined ? 0 : 3 },
    metrics: openMetrics(false),
    passwords: [],
  };
  return new Tools({ ...shared, begin: (cap) => store.begin(cap) }, never);
}

async function leafOf(name: string, family: string, bytes: Buffer = Buffer.from('input')): Promise<Leaf> {
  const content = await stage(store, Readable.from([bytes]), 64 * MIB, never);
  return { path: '1', depth: 0, name, declaredType: family, content };
}

const nothing = (): void => undefined;
const DEAF = {
  onHeader: nothing,
  onPart: nothing,
  onBytes: nothing,
  onText: nothing,
  onPartEnd: nothing,
  onFinding: nothing,
  onLoss: nothing,
  onDetected: nothing,
};

/** The mail reader with a deadline that a test can wait for. */
async function runMail(name: string, bytes?: Buffer): Promise<ChildOutcome> {
  const reader = new MailReader(DEAF);
  const ms = ENDS[name] === 'timeout' ? DEADLINE_MS : LONG_MS;
  const bounds = { deadlineMs: ms, totalMs: ms, whole: () => reader.finish() };
  return tools().run(await leafOf(name, 'mail', bytes), { family: 'mail', ...bounds }, () => reader.take);
}

async function runText(name: string): Promise<ChildOutcome> {
  const reader = new TextReader(OPERATION.convert, DEAF);
  const bounds = { deadlineMs: LONG_MS, totalMs: LONG_MS, whole: () => reader.finish() };
  return tools().run(await leafOf(name, 'text'), { family: 'text', ...bounds }, () => reader.take);
}

/** How a mail, a document and a text end that come after the attack. */
async function honestOnes(): Promise<string[]> {
  const mail = await readMail(await leafOf('honest', 'mail'), tools(), 'mail');
  const pages = await convertPdf(await leafOf('honest', 'pages'), tools());
  const text = await runText('honest');
  return ['refused' in mail ? mail.refused : (mail.nodes[0]?.text ?? ''), `${pages.verdict} ${pages.pages}`, text.kind];
}

/** Runs an attack within bounded time and memory; then the next inputs pass. */
async function survives<T>(attack: () => Promise<T>): Promise<T> {
  const grown = watchMemory();
  const started = performance.now();
  const outcome = await attack();
  const ms = performance.now() - started;
  const growth = grown();
  assert.ok(ms < PATIENCE_MS, `${ms} ms`);
  assert.ok(growth < HOST_GROWTH, `the host grew by ${Math.round(growth / MIB)} MiB`);
  assert.deepEqual(await honestOnes(), ['honest text', 'pages 1', 'done']);
  return outcome;
}

function watchMemory(): () => number {
  const start = process.memoryUsage.rss();
  let most = start;
  const look = (): void => void (most = Math.max(most, process.memoryUsage.rss()));
  const timer = setInterval(look, 20);
  return () => {
    look();
    clearInterval(timer);
    return most - start;
  };
}

/** What does not end as a failed converter. `done`: the answer stands, but the child is gone. */
const ENDS: { readonly [name: string]: Reason | 'done' } = {
  'half a frame, then silence': 'timeout',
  silence: 'timeout',
  'a busy loop': 'timeout',
  'a busy loop that ignores SIGTERM': 'timeout',
  'an abort': 'out-of-memory', // what V8 does when its heap is full
  'a heap without end': 'out-of-memory',
  'memory outside the heap without end': 'out-of-memory',
  'the end, and exits at once': 'done',
  'the end, and exits late': 'done',
  'the end, and dies of it': 'done',
  'the end, and eats memory': 'done',
  'the end twice': 'done',
  'the end, and words for the next input': 'done',
  'a frame after the end': 'done',
  'a frame long after the end': 'done',
};

const endOf = (outcome: ChildOutcome): string => (outcome.kind === 'done' ? 'done' : outcome.reason);

describe('whatever is asked of it, a child that', () => {
  for (const name of ATTACKS.any) {
    it(`sends or does ${name} ends in its clear outcome, and the next input passes`, async () => {
      const outcome = await survives(async () => runMail(name));
      assert.equal(endOf(outcome), ENDS[name] ?? 'converter-failed', JSON.stringify(outcome));
    });
  }

  it('answers before its input ended has failed, and the next input passes', async () => {
    const large = Buffer.alloc(8 * MIB);
    const outcome = await survives(async () => runMail('an answer before the input ended', large));
    assert.equal(endOf(outcome), 'converter-failed');
    assert.match(outcome.kind === 'failed' ? outcome.detail : '', /before its input ended/);
  });

  it('exits while the next input is under way costs that one nothing: a fresh child takes it', async () => {
    assert.equal(endOf(await runMail('the end, and exits late')), 'done');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const mail = await readMail(await leafOf('honest', 'mail'), tools(), 'mail');
    assert.ok(!('refused' in mail));
  });

  it('writes escape sequences to stderr cannot speak to whoever reads the log', async () => {
    const outcome = await runMail('escape sequences on stderr');
    const detail = outcome.kind === 'failed' ? outcome.detail : '';
    assert.match(detail, /all is well/);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(detail, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('was killed is told of, with its cause', () => {
    assert.ok(kills.includes('timeout') && kills.includes('out-of-memory') && kills.includes('converter-failed'));
  });
});

describe('asked for a mail, a child that', () => {
  for (const name of ATTACKS.mail) {
    it(`sends ${name} gives no mail, and the next input passes`, async () => {
      const mail = await survives(async () => readMail(await leafOf(name, 'mail'), tools(), 'mail'));
      assert.ok('refused' in mail);
      // Floods cost the host most: whether their number or the time stops them depends on the machine.
      assert.match(mail.refused, name.endsWith('without end') ? /^(converter-failed|timeout)$/ : /^converter-failed$/);
    });
  }
});

describe('asked for a document, a child that', () => {
  for (const name of ATTACKS.pages) {
    it(`sends ${name} gives nothing but good pages, and the next input passes`, async () => {
      const converted = await survives(async () => convertPdf(await leafOf(name, 'pages'), tools()));
      // Pages that were whole before the lie are kept.
      const kept = name === 'more pages than announced' ? 1 : 0;
      assert.equal(converted.pages, kept);
      assert.equal(converted.verdict, kept > 0 ? 'pages' : 'refused');
      if (kept === 0) assert.equal(converted.reason, 'converter-failed');
    });
  }
});

describe('asked for a document, a child that sends large pages without end', () => {
  it('is stopped by its time, however slow the taker, and the next input passes', async () => {
    let pages = 0;
    const collector = new PageCollector(() => void (pages += 1));
    const bounds = { deadlineMs: DEADLINE_MS, totalMs: DEADLINE_MS, whole: () => void collector.finish() };
    const outcome = await survives(async () =>
      tools().run(await leafOf('large pages', 'pages'), { family: 'pdf', ...bounds }, (child) => async (frame) => {
        await collector.take(frame);
        child.touch(DEADLINE_MS); // what looks like progress does not prolong the total
      }),
    );
    assert.equal(endOf(outcome), 'timeout');
    assert.ok(pages > 0);
  });
});

describe('asked for a text, a child that', () => {
  for (const name of ATTACKS.text) {
    it(`sends ${name} has failed, and the next input passes`, async () => {
      assert.equal(endOf(await survives(async () => runText(name))), 'converter-failed');
    });
  }
});

describe('asked for the codes of a page, a child that', () => {
  const codesOf = async (name: string, reader = new CodeReader()): Promise<ChildOutcome> => {
    const bounds = { deadlineMs: LONG_MS, totalMs: LONG_MS, whole: nothing };
    return tools().run(await leafOf(name, 'codes'), { family: 'codes', ...bounds }, () => reader.take);
  };
  for (const name of ATTACKS.codes) {
    it(`sends ${name} has failed, and the next input passes`, async () => {
      assert.equal(endOf(await survives(async () => codesOf(name))), 'converter-failed');
    });
  }

  it('fails costs the document nothing but its codes, and that is told', async () => {
    const { walls } = await machineJail();
    await using codes = new ChildPool(HOSTILE, { most: 1, warm: 0 }, () => undefined, walls);
    const finder = new CodeFinder('1', tools(codes));
    const pixels = Buffer.alloc(100 * 100);
    await finder.look({ width: 100, height: 100, format: PIXEL.grey8, widthPt: 10, heightPt: 10, pixels, text: [] });
    assert.deepEqual(await finder.remarks(), { findings: [], losses: [{ code: 'codes-unread', detail: '1 pages' }] });
  });
});

describe('asked to check a sender, a child that', () => {
  for (const name of [...ATTACKS.auth, 'half a frame']) {
    it(`sends ${name} has proved nothing, and the next input passes`, async () => {
      const asked: string[] = [];
      const lookup = async (_type: number, of: string): Promise<undefined> => void asked.push(of);
      const checks = { lookup, isRelay: () => false };
      const envelope = { from: 'a@example.jp', to: [] };
      const remarks = await survives(async () =>
        authenticate(await leafOf(name, 'auth'), { envelope, client: undefined }, checks, tools()),
      );
      const detail = 'spf=temperror dkim=temperror dmarc=temperror';
      assert.deepEqual(remarks, [{ code: 'authentication', detail }]);
      assert.ok(asked.length <= LIMITS.questions, `${asked.length} questions`);
    });
  }
});
