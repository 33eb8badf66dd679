// The journal: every entry durable and in its chain, whatever ends the process or fills the disk.
import assert from 'node:assert/strict';
import { appendFile, readFile, readdir, truncate, writeFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { csvOf, entriesOf } from '../../src/audit/export.ts';
import { LINE_BYTES } from '../../src/audit/line.ts';
import { openJournal, type JournalOptions } from '../../src/audit/journal.ts';
import { verifyChains } from '../../src/audit/verify-chain.ts';
import { followApart, mostRssMb, writeLongJournal } from '../support/long-journal.ts';
import { scratch } from '../support/scratch.ts';

/** Entries of the long journal; `npm run bench -- journal` takes a million. */
const MANY = Number(process.env['MUGAI_JOURNAL_ENTRIES'] ?? 150_000);

const open = async (root: string, more: Partial<JournalOptions> = {}) =>
  openJournal({ root, zone: 'middle', keepDays: 30, ...more });

async function linesIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(files.map(async (name) => readFile(join(folder, name), 'utf8')));
  return texts.join('').split('\n').slice(0, -1);
}

const actsIn = async (folder: string): Promise<unknown[]> =>
  (await linesIn(folder)).map((line) => (JSON.parse(line) as { act: unknown }).act);

/** Addresses of 989 letters. */
const recipients = (count: number, letter: string): string[] =>
  Array.from({ length: count }, (_, nth) => `${letter.repeat(980)}${String(nth).padStart(3, '0')}@b.jp`);

const words = (_: unknown, nth: number): [string, string] => [`a${nth}`, '市'.repeat(1000)];

describe('journal', () => {
  it('an appended entry is on the disk when append resolves, and the chain holds over restarts', async () => {
    await using root = await scratch();
    for (let run = 0; run < 3; run++) {
      const journal = await open(root.path);
      const position = await journal.append({ act: 'sealed', message: `m${run}`, detail: { files: run } });
      const last = (await linesIn(journal.folder)).at(-1) ?? '';
      assert.equal((JSON.parse(last) as { message: string }).message, `m${run}`);
      assert.equal(position, journal.position);
      await journal.close();
    }
    const [report] = await verifyChains([join(root.path, 'middle')]);
    assert.equal(report?.broken, undefined);
    assert.equal(report?.entries, 3 * 4); // opened, sealed, closed, head
    assert.equal(report?.heads, 3);
  });

  it('thousands told at once keep their order and share few syncs', async () => {
    await using root = await scratch();
    let syncs = 0;
    const journal = await open(root.path, { fault: (what) => void (syncs += what === 'sync' ? 1 : 0) });
    const before = syncs;
    await Promise.all(
      Array.from({ length: 5000 }, async (_, i) => journal.append({ act: 'viewed', message: `m${i}` })),
    );
    assert.ok(syncs - before < 100, `${syncs - before} syncs`);
    await journal.close();
    const wanted = (await linesIn(journal.folder)).filter((line) => line.includes('"viewed"'));
    assert.deepEqual(
      wanted.map((line) => (JSON.parse(line) as { message: string }).message),
      Array.from({ length: 5000 }, (_, i) => `m${i}`),
    );
  });

  for (const what of ['write', 'sync'] as const) {
    it(`a ${what} that fails is told to whoever waits, leaves no line, and the chain goes on`, async () => {
      await using root = await scratch();
      let full = false;
      const journal = await open(root.path, {
        fault: (step) => {
          if (full && step === what) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        },
      });
      await journal.append({ act: 'sealed', message: 'before' });
      full = true;
      const lost = await Promise.allSettled([
        journal.append({ act: 'sealed', message: 'lost1' }),
        journal.append({ act: 'sealed', message: 'lost2' }),
      ]);
      for (const one of lost) {
        assert.equal(one.status, 'rejected');
        assert.equal((one.reason as { code: string }).code, 'disk-full');
      }
      full = false;
      await journal.append({ act: 'sealed', message: 'after' });
      await journal.close();
      const text = (await linesIn(journal.folder)).join('\n');
      assert.ok(text.includes('before') && text.includes('after') && !text.includes('lost'));
      assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
    });
  }

  it('a line that a power cut tore is cut off at the next start, which says so', async () => {
    await using root = await scratch();
    const journal = await open(root.path);
    await journal.close();
    const [file = ''] = (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl'));
    await appendFile(join(journal.folder, file), '{"seq":4,"at":"2026-');
    await (await open(root.path)).close();
    assert.deepEqual(await actsIn(journal.folder), 'opened closed head recovered opened closed head'.split(' '));
    assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
  });

  it('a journal whose last line was destroyed goes on in a new file, and verify names that line', async () => {
    await using root = await scratch();
    const journal = await open(root.path, { now: () => Date.parse('2026-11-01T00:00:00Z') });
    await journal.close();
    const path = join(journal.folder, '20261101-000000000000001.jsonl');
    const { size } = await stat(path);
    await truncate(path, size - 4);
    await appendFile(path, 'x"}\n');
    await (await open(root.path)).close();
    const [report] = await verifyChains([journal.folder]);
    assert.equal(report?.broken?.line, 3);
    assert.ok((await actsIn(journal.folder).catch(() => ['recovered'])).includes('recovered'));
  });

  for (const junk of [100_000, 200_000, 1_000_000])
    it(`${junk} bytes without a line end behind the last line destroy nothing: the chain goes on`, async () => {
      await using root = await scratch();
      const journal = await open(root.path);
      await journal.append({ act: 'viewed', person: 'tanaka' });
      await journal.close();
      const [file = ''] = (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl'));
      await appendFile(join(journal.folder, file), Buffer.alloc(junk));
      const next = await open(root.path);
      assert.equal(next.chain, journal.chain);
      await next.close();
      assert.deepEqual(await actsIn(journal.folder), [
        ...'opened viewed closed head'.split(' '),
        ...'recovered opened closed head'.split(' '),
      ]);
      assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
    });

  it('a last line that is too long and names no number is kept, and the chain goes on in a file after it', async () => {
    await using root = await scratch();
    const journal = await open(root.path);
    await journal.close();
    const [file = ''] = (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl'));
    await appendFile(join(journal.folder, file), `${'x'.repeat(300_000)}\n`);
    const before = await readFile(join(journal.folder, file));
    const next = await open(root.path);
    assert.equal(next.chain, journal.chain);
    await next.close();
    assert.deepEqual(await readFile(join(journal.folder, file)), before);
    const names = (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl')).toSorted();
    assert.deepEqual(
      names.map((name) => Number(name.slice(9, 24))),
      [1, 5],
    );
  });

  it('a journal whose bytes hold no line end is put aside as it is, and the new one says so', async () => {
    await using root = await scratch();
    const journal = await open(root.path);
    await journal.close();
    const [file = ''] = (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl'));
    await writeFile(join(journal.folder, file), Buffer.alloc(5000, 'x'));
    await (await open(root.path)).close();
    assert.equal((await stat(join(journal.folder, `${file}.torn-1`))).size, 5000);
    assert.deepEqual(await actsIn(journal.folder), 'recovered opened closed head'.split(' '));
  });

  it('a second process of the zone has a chain of its own', async () => {
    await using root = await scratch();
    const first = await open(root.path);
    const second = await open(root.path);
    assert.notEqual(first.folder, second.folder);
    assert.notEqual(first.chain, second.chain);
    await Promise.all([first.append({ act: 'sealed' }), second.append({ act: 'sealed' })]);
    await second.close();
    await first.close();
    const reports = await verifyChains([first.folder, second.folder]);
    assert.deepEqual(
      reports.map((report) => report.broken),
      [undefined, undefined],
    );
  });

  it('goes on in a new file each day, and files over their days go with a line that says so: the chain holds', async () => {
    await using root = await scratch();
    let now = Date.parse('2026-11-01T10:00:00Z');
    for (let day = 0; day < 6; day++) {
      const journal = await open(root.path, { now: () => now, keepDays: 2 });
      await journal.append({ act: 'viewed', message: `day${day}` });
      await journal.close();
      now += 86_400_000;
    }
    const folder = join(root.path, 'middle');
    const files = (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).toSorted();
    assert.deepEqual(
      files.map((name) => name.slice(0, 8)),
      ['20261104', '20261105', '20261106'],
    );
    const [report] = await verifyChains([folder]);
    assert.equal(report?.broken, undefined);
    assert.ok((report?.heads ?? 0) >= 3);
  });

  it('signs a head each hour, tells it, and a position from elsewhere proves that nothing was cut', async () => {
    await using root = await scratch();
    const heads: string[] = [];
    const journal = await open(root.path, { headMs: 20, onHead: (position) => heads.push(position) });
    await journal.append({ act: 'viewed' });
    while (heads.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await journal.close();
    const anchors = heads.map((position) => ({ position, from: 'the print-out' }));
    assert.equal((await verifyChains([journal.folder], anchors))[0]?.broken, undefined);
  });

  it('holds whenever it is followed while it is written, and while another tells of it', async () => {
    await using root = await scratch();
    const middle = await open(root.path);
    const inner = await openJournal({ root: root.path, zone: 'inner', keepDays: 30 });
    let stop = false;
    let told = 0;
    const lanes = Array.from({ length: 50 }, async () => {
      while (!stop) {
        const position = await middle.append({
          act: 'sealed',
          message: 'm'.repeat(90),
          detail: { why: 'x'.repeat(900) },
        });
        await inner.append({ act: 'delivered', detail: { chain: [position] } });
        told += 1;
      }
    });
    for (let looks = 0; looks < 25 || told <= 500; looks++)
      for (const { folder, broken } of await verifyChains([middle.folder, inner.folder]))
        assert.equal(broken, undefined, `look ${looks} at ${folder}`);
    stop = true;
    await Promise.all(lanes);
    assert.ok(told > 500, `${told} told meanwhile`);
    await inner.close();
    await middle.close();
  });

  it(`${MANY} entries are followed in the memory of a few, and 16 bytes a line`, async (context) => {
    await using few = await scratch();
    await using many = await scratch();
    writeLongJournal(few.path, 1000);
    writeLongJournal(many.path, MANY);
    const base = await followApart(few.path);
    const long = await followApart(many.path);
    context.diagnostic(
      `${long.rssMb.toFixed(0)} MB, ${base.rssMb.toFixed(0)} for a thousand, ${long.ms.toFixed(0)} ms`,
    );
    assert.deepEqual([base.broken, long.broken], [null, null]);
    assert.equal(long.entries, MANY);
    assert.ok(long.rssMb < mostRssMb(base.rssMb, MANY), `${long.rssMb} MB after ${base.rssMb}`);
  });

  it('a clock that is set back in a run breaks no chain: the line keeps the time before, and tells its own', async () => {
    await using root = await scratch();
    let now = Date.parse('2026-11-02T00:00:00.500Z');
    const journal = await open(root.path, { now: () => now });
    await journal.append({ act: 'viewed', person: 'a' });
    now -= 1000;
    await journal.append({ act: 'viewed', person: 'b' });
    now += 2000;
    await journal.append({ act: 'viewed', person: 'c' });
    await journal.close();
    const views = (await linesIn(journal.folder)).filter((line) => line.includes('"viewed"'));
    assert.deepEqual(
      views.map((line) => JSON.parse(line) as { at: string; detail?: object }).map(({ at, detail }) => [at, detail]),
      [
        ['2026-11-02T00:00:00.500Z', undefined],
        ['2026-11-02T00:00:00.500Z', { clock: '2026-11-01T23:59:59.500Z' }],
        ['2026-11-02T00:00:01.500Z', undefined],
      ],
    );
    assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
  });

  it('a clock that leaps weeks ahead retires nothing; days that went by do', async () => {
    await using root = await scratch();
    let [wall, steady] = [Date.parse('2026-11-01T10:00:00Z'), Date.parse('2026-11-01T10:00:00Z')];
    const clocks = { now: () => wall, steadyNow: () => steady };
    const journal = await open(root.path, { ...clocks, keepDays: 5, headMs: 10 });
    const files = async (): Promise<string[]> =>
      (await readdir(journal.folder)).filter((name) => name.endsWith('.jsonl')).toSorted();
    wall += 30 * 86_400_000;
    await journal.append({ act: 'viewed' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal((await files())[0]?.slice(0, 8), '20261101');
    steady += 30 * 86_400_000;
    for (let looks = 0; looks < 6000 && (await files())[0]?.startsWith('20261101') === true; looks++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await files())[0]?.slice(0, 8), '20261201');
    await journal.close();
    assert.deepEqual((await verifyChains([journal.folder]))[0]?.unchecked, []);
  });

  it('a new file whose name could not be made durable is not in the way of the next one', async () => {
    await using root = await scratch();
    let full = false;
    const fault = (step: 'write' | 'sync'): void => {
      if (full && step === 'sync') throw new Error('EIO');
    };
    const journal = await open(root.path, { fault, fileBytes: 10 });
    full = true;
    await assert.rejects(journal.append({ act: 'viewed' }));
    full = false;
    await journal.append({ act: 'viewed' });
    await journal.close();
    assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
  });

  it('a head that could not be written is no head: the stop signs one', async () => {
    await using root = await scratch();
    let full = false;
    const fault = (): void => {
      if (full) throw new Error('EIO');
    };
    const journal = await open(root.path, { fault });
    await journal.append({ act: 'viewed' });
    full = true;
    await assert.rejects(journal.signHead());
    full = false;
    await journal.close();
    assert.deepEqual(await actsIn(journal.folder), 'opened viewed closed head'.split(' '));
  });

  it('values are cleaned and cut: no line of it can forge another, on a terminal or in a spreadsheet', async () => {
    await using root = await scratch();
    const journal = await open(root.path);
    await journal.append({
      act: 'signed-in',
      person: '=cmd|evil\n\u001b[2J\u202Egpj',
      detail: { why: `a\r\n"seq":1`, long: 'x'.repeat(5000) },
    });
    await journal.close();
    const found = [];
    for await (const line of entriesOf(journal.folder, { act: 'signed-in' })) found.push(line);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.person, '=cmd|evil [2Jgpj');
    assert.ok(csvOf(found[0]).split(',')[5]?.startsWith("'=cmd"));
    assert.equal((await verifyChains([journal.folder]))[0]?.broken, undefined);
  });

  const long: readonly [name: string, detail: Record<string, string | string[]>, kept: string][] = [
    ['500 recipients of 989 characters', { accepted: recipients(500, 'a'), rejected: [], chain: ['x'] }, 'chain'],
    ['200 recipients that take three bytes a letter', { accepted: recipients(200, '市'), rejected: ['x'] }, 'rejected'],
    ['recipients of both kinds', { accepted: recipients(200, 'a'), rejected: recipients(200, 'b') }, 'accepted'],
    ['forty values of a thousand letters', Object.fromEntries(Array.from({ length: 40 }, words)), 'a0'],
  ];
  for (const [name, detail, kept] of long) {
    it(`a line of ${name} is cut to what is a line, and says so; the chain holds`, async () => {
      await using root = await scratch();
      const journal = await open(root.path);
      await journal.append({ act: 'delivered', message: 'long', detail });
      await journal.append({ act: 'viewed', message: 'after' });
      await journal.close();
      await (await open(root.path)).close(); // nothing to recover from
      const found = [];
      for await (const line of entriesOf(journal.folder, { act: 'delivered' })) found.push(line);
      assert.ok(Buffer.byteLength(JSON.stringify(found[0])) <= LINE_BYTES);
      const { leftOut = 0, ...rest } = found[0]?.detail ?? {};
      assert.ok((rest[kept] as string).length > 0);
      const count = (values: object): number => Object.values(values).flat().length;
      assert.equal(count(rest) + Number(leftOut), count(detail));
      const [report] = await verifyChains([journal.folder]);
      assert.deepEqual([report?.broken, (report?.entries ?? 0) > 4], [undefined, true]);
    });
  }

  for (const before of [0, 4000])
    it(`a line that is too long is none, behind ${before} others as well`, async () => {
      await using root = await scratch();
      const journal = await open(root.path);
      for (let i = 0; i < before; i++) journal.enter({ act: 'viewed', message: 'm'.repeat(100) });
      await journal.append({ act: 'viewed', message: 'long' });
      await journal.append({ act: 'viewed', message: 'after' });
      await journal.close();
      const [name = ''] = (await readdir(journal.folder)).filter((one) => one.endsWith('.jsonl'));
      const path = join(journal.folder, name);
      const text = await readFile(path, 'utf8');
      const value = Array.from({ length: 180 }, () => 'x'.repeat(1000));
      const detail = JSON.stringify({ value });
      await writeFile(path, text.replace('"message":"long",', `"message":"long","detail":${detail},`));
      const broken = (await verifyChains([journal.folder]))[0]?.broken;
      assert.deepEqual([broken?.line, broken?.why], [before + 2, `is over ${LINE_BYTES} bytes`]);
    });

  it('a folder with other files in it is left as it is', async () => {
    await using root = await scratch();
    const journal = await open(root.path);
    await writeFile(join(journal.folder, 'notes.txt'), 'mine');
    await journal.close();
    await (await open(root.path)).close();
    assert.equal(await readFile(join(journal.folder, 'notes.txt'), 'utf8'), 'mine');
  });
});

void it('a head that cannot be kept at the hour is told, and the journal goes on', async () => {
  await using folder = await scratch();
  let full = false;
  const fault = (): void => {
    if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  const told: string[] = [];
  const head = Promise.withResolvers<void>();
  const onFault = (what: string): void => {
    told.push(what);
    if (what === 'head') head.resolve();
  };
  const journal = await openJournal({ root: folder.path, zone: 'inner', keepDays: 1, headMs: 20, fault, onFault });
  full = true;
  journal.enter({ act: 'viewed' }).durable.catch(() => undefined); // something that a head would be signed for
  await head.promise;
  assert.equal(told[0], 'write', 'the line that could not be written is told first');
  full = false;
  assert.notEqual(await journal.append({ act: 'viewed' }), '');
  await journal.close();
});
