// What somebody with write access to a journal may try. Each is found, and the first broken line named.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { cp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { GENESIS, hashOf } from '../../src/audit/line.ts';
import { followChains, verifyChains, type ChainReport } from '../../src/audit/verify-chain.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

/** A middle chain over three days, and an inner chain that delivered what was sealed there. */
async function twoZones(root: string): Promise<{ readonly middle: string; readonly inner: string }> {
  let now = Date.parse('2026-11-01T10:00:00Z');
  const sealed: string[] = [];
  for (let day = 0; day < 3; day++) {
    const journal = await openJournal({ root, zone: 'middle', keepDays: 300, now: () => (now += 1000) });
    for (let i = 0; i < 4; i++)
      sealed.push(await journal.append({ act: 'sealed', message: `d${day}m${i}`, detail: { files: i } }));
    await journal.close();
    now += 86_400_000;
  }
  const inner = await openJournal({ root, zone: 'inner', keepDays: 300, now: () => (now += 1000) });
  for (const position of sealed) await inner.append({ act: 'delivered', detail: { chain: [position] } });
  await inner.close();
  return { middle: join(root, 'middle'), inner: join(root, 'inner') };
}

const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).toSorted();

async function edit(folder: string, nth: number, change: (lines: string[]) => string[]): Promise<void> {
  const name = (await filesOf(folder))[nth] ?? '';
  const lines = (await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1);
  await writeFile(
    join(folder, name),
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

const swap = (lines: string[], a: number, b: number): string[] => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');

/** Rewrites a chain consistently from one act on, as somebody would who knows the format. `resign`: with a key of his own. */
async function rewrite(folder: string, change: (line: Record<string, unknown>) => void, resign = false): Promise<void> {
  const own = generateKeyPairSync('ed25519');
  let prev = GENESIS;
  let seq = 0;
  for (const name of await filesOf(folder)) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1);
    const changed = lines.map((text) => {
      const line = JSON.parse(text) as Record<string, unknown> & { detail?: Record<string, unknown>; chain: string };
      change(line);
      line['prev'] = prev;
      if (line.detail !== undefined && line['act'] === 'head') {
        const of = `${line.chain}:${seq}:${prev}`;
        line.detail['of'] = of;
        if (resign)
          line.detail['signature'] = sign(null, Buffer.from(`mugai-journal-head-v1\n${of}\n`), own.privateKey).toString(
            'base64',
          );
      }
      if (resign && line['act'] === 'opened' && line.detail !== undefined)
        line.detail['key'] = own.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
      const out = JSON.stringify(line);
      prev = hashOf(out);
      seq = line['seq'] as number;
      return `${out}\n`;
    });
    await writeFile(join(folder, name), changed.join(''));
  }
}

interface Tampering {
  readonly does: (folder: string) => Promise<unknown>;
  /** What the report names: line in its file, or 0, and words of the reason. */
  readonly line: number;
  readonly why: RegExp;
}

const TAMPERINGS: { readonly [name: string]: Tampering } = {
  'a value is changed': {
    does: async (folder) => edit(folder, 0, (lines) => lines.with(2, (lines[2] ?? '').replace('d0m1', 'd0m9'))),
    line: 4,
    why: /hash of the line before/,
  },
  'a line is taken out': {
    does: async (folder) => edit(folder, 1, (lines) => lines.toSpliced(2, 1)),
    line: 3,
    why: /has number 11, not 10/,
  },
  'a line is put in': {
    does: async (folder) =>
      edit(folder, 1, (lines) => lines.toSpliced(2, 0, (lines[1] ?? '').replace('d1m0', 'forged'))),
    line: 3,
    why: /has number/,
  },
  'a line stands twice': {
    does: async (folder) => edit(folder, 1, (lines) => lines.toSpliced(3, 0, lines[2] ?? '')),
    line: 4,
    why: /has number/,
  },
  'two lines are swapped': {
    does: async (folder) => edit(folder, 0, (lines) => swap(lines, 1, 2)),
    line: 2,
    why: /has number 3, not 2/,
  },
  'lines are renumbered over a gap': {
    does: async (folder) =>
      edit(folder, 2, (lines) =>
        lines
          .toSpliced(1, 1)
          .map((text) =>
            text.replace(/^\{"seq":(\d+)/, (_, seq: string) => `{"seq":${Number(seq) - (Number(seq) > 15 ? 1 : 0)}`),
          ),
      ),
    line: 2,
    why: /hash of the line before/,
  },
  'a whole day is taken out': {
    does: async (folder) => rm(join(folder, (await filesOf(folder))[1] ?? '')),
    line: 1,
    why: /has number 15, not 8/,
  },
  'the first day is taken out, with no line that retires it': {
    does: async (folder) => rm(join(folder, (await filesOf(folder))[0] ?? '')),
    line: 1,
    why: /no line says that they were retired/,
  },
  'the last lines are cut off': {
    does: async (folder) => edit(folder, 2, (lines) => lines.slice(0, 2)),
    line: 0,
    why: /inner-.* has another line here/,
  },
  'the last day is taken out': {
    does: async (folder) => rm(join(folder, (await filesOf(folder))[2] ?? '')),
    line: 0,
    why: /inner-.* has another line here/,
  },
  'all of it is written anew without one message, hashes and all': {
    does: async (folder) => rewrite(folder, (line) => void (line['message'] === 'd1m2' && (line['message'] = 'other'))),
    line: 7,
    why: /signature that does not hold/,
  },
  'all of it is written anew and signed with another key': {
    does: async (folder) =>
      rewrite(folder, (line) => void (line['message'] === 'd1m2' && (line['message'] = 'other')), true),
    line: 0,
    why: /inner-.* has another line here/,
  },
  'the times are moved back': {
    does: async (folder) =>
      rewrite(folder, (line) => void (line['seq'] === 4 && (line['at'] = '2026-10-01T00:00:00.000Z'))),
    line: 4,
    why: /older than the line before/,
  },
  'a line is written in another form of the same JSON': {
    does: async (folder) => edit(folder, 0, (lines) => lines.with(1, (lines[1] ?? '').replace('"act":', '"act": '))),
    line: 2,
    why: /canonical form/,
  },
  'a key stands twice in a line': {
    does: async (folder) =>
      edit(folder, 0, (lines) => lines.with(1, (lines[1] ?? '').replace('"message"', '"message":"x","message"'))),
    line: 2,
    why: /canonical form/,
  },
  'something that is no line is put behind': {
    does: async (folder) => edit(folder, 2, (lines) => [...lines, 'hello']),
    line: 8,
    why: /no JSON/,
  },
  'the last line has no end': {
    does: async (folder) => {
      const path = join(folder, (await filesOf(folder))[2] ?? '');
      await writeFile(path, (await readFile(path, 'utf8')).slice(0, -1));
    },
    line: 7,
    why: /no line end/,
  },
  'a line of a megabyte': {
    does: async (folder) => edit(folder, 0, (lines) => lines.with(1, 'x'.repeat(1_000_000))),
    line: 2,
    why: /over 65536 bytes/,
  },
  'a head is signed for another line': {
    does: async (folder) =>
      edit(folder, 0, (lines) => lines.with(6, (lines[6] ?? '').replace(/:6:[0-9a-f]{64}"/, `:6:${GENESIS}"`))),
    line: 7,
    why: /signs another line/,
  },
  'a file is renamed to another number': {
    does: async (folder) => {
      const name = (await filesOf(folder))[1] ?? '';
      await rename(join(folder, name), join(folder, name.replace(/0(\d)\.jsonl$/, '1$1.jsonl')));
    },
    line: 1,
    why: /begins with another number|has number/,
  },
  'lines of another chain are put in its place': {
    does: async (folder) => rewrite(folder, (line) => void (line['seq'] === 9 && (line['chain'] = 'middle-00000000'))),
    line: 2,
    why: /is of the chain middle-00000000/,
  },
  'a retirement of lines that never were': {
    does: async (folder) =>
      rewrite(folder, (line) => {
        if (line['seq'] !== 12) return;
        line['act'] = 'retired';
        line['detail'] = { file: 'x', upTo: `${String(line['chain'])}:3:${GENESIS}` };
      }),
    line: 5,
    why: /never were/,
  },
};

describe('audit verify', () => {
  it('follows a chain that nobody touched, and what the inner side tells of it', async () => {
    await using root = await scratch();
    const { middle, inner } = await twoZones(root.path);
    const reports = await verifyChains([middle, inner]);
    assert.deepEqual(
      reports.map(({ broken, entries }) => [broken, entries]),
      [
        [undefined, 21],
        [undefined, 15],
      ],
    );
  });

  for (const [name, { does, line, why }] of Object.entries(TAMPERINGS)) {
    it(`finds it when ${name}`, async () => {
      await using root = await scratch();
      const { middle, inner } = await twoZones(root.path);
      await does(middle);
      const [report] = (await verifyChains([middle, inner])) as readonly [ChainReport];
      assert.ok(report.broken !== undefined, 'not found');
      assert.match(report.broken.why, why);
      assert.equal(report.broken.line, line);
    });
  }

  it('finds it when a journal is emptied, though nobody tells of it', async () => {
    await using root = await scratch();
    const { inner } = await twoZones(root.path);
    const [name = ''] = await filesOf(inner);
    await writeFile(join(inner, name), '');
    const [report] = await verifyChains([inner]);
    assert.deepEqual(report?.broken, { file: join(inner, name), line: 0, seq: undefined, why: 'there is no line' });
    for (const act of ['verify', 'heads']) {
      const told = await runMugai(['audit', act, inner], {});
      assert.deepEqual([told.code, /^BROKEN .*there is no line/.test(told.stdout)], [1, true], told.stdout);
    }
  });

  it('finds it when a chain lies in two folders, cut in one of them, whichever is read first', async () => {
    for (const [cut, whole] of [
      ['middle', 'middle-2'],
      ['middle-2', 'middle'],
    ] as const) {
      await using root = await scratch();
      const { middle, inner } = await twoZones(root.path);
      await cp(middle, join(root.path, 'aside'), { recursive: true });
      await edit(middle, 2, (lines) => lines.slice(0, 2));
      await rename(middle, join(root.path, 'cut'));
      await rename(join(root.path, 'cut'), join(root.path, cut));
      await rename(join(root.path, 'aside'), join(root.path, whole));
      const folders = [join(root.path, 'middle'), join(root.path, 'middle-2'), inner];
      const [first, second, last] = await verifyChains(folders);
      assert.equal(second?.broken?.why, `is the chain of ${folders[0]}, too`);
      assert.deepEqual([second?.anchored, last?.broken], [undefined, undefined]);
      if (cut === 'middle') assert.match(first?.broken?.why ?? '', /inner-.* has another line here/);
      else assert.deepEqual([first?.broken, first?.anchored?.seq], [undefined, 19]);
    }
  });

  it('finds it when a whole journal is taken out and begun anew', async () => {
    await using root = await scratch();
    const { middle, inner } = await twoZones(root.path);
    await rm(middle, { recursive: true });
    await (await openJournal({ root: root.path, zone: 'middle', keepDays: 300 })).close();
    const reports = await verifyChains([middle, inner]);
    assert.deepEqual(
      reports.map(({ broken }) => broken === undefined),
      [true, true, false],
    );
    assert.match(reports[2]?.broken?.why ?? '', /^line 2 of inner-.* names chain middle-.{8}, which is not here$/);
  });

  it('finds it when a whole journal is taken out, by a position on paper; without one the places are counted', async () => {
    await using root = await scratch();
    const { middle, inner } = await twoZones(root.path);
    const [known] = await verifyChains([middle]);
    await rm(middle, { recursive: true });
    const alone = await followChains([inner]);
    assert.deepEqual([alone.reports.map(({ broken }) => broken), alone.elsewhere], [[undefined], 12]);
    const anchors = [{ position: known?.position ?? '', from: 'the print-out' }];
    const reports = await verifyChains([inner], anchors);
    assert.match(reports[1]?.broken?.why ?? '', /^the print-out names chain middle-.{8}, which is not here$/);
  });

  it('a chain that is named by one read before it is here', async () => {
    await using root = await scratch();
    const first = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
    const second = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
    await first.append({ act: 'delivered', detail: { chain: [second.position] } });
    await first.close();
    await second.close();
    const { reports, elsewhere } = await followChains([first.folder, second.folder]);
    assert.deepEqual([reports.map(({ broken }) => broken), elsewhere], [[undefined, undefined], 0]);
  });

  it(
    'waits for no FIFO under the name of a file, and finds what it took the place of',
    { timeout: 120_000 },
    async () => {
      await using root = await scratch();
      const { middle, inner } = await twoZones(root.path);
      execFileSync('mkfifo', [join(middle, '20261201-000000000000099.jsonl')]);
      assert.equal((await verifyChains([middle, inner]))[0]?.broken, undefined);
      const [, name = ''] = await filesOf(middle);
      await rm(join(middle, name));
      execFileSync('mkfifo', [join(middle, name)]);
      assert.match((await verifyChains([middle, inner]))[0]?.broken?.why ?? '', /has number 15, not 8/);
    },
  );

  it('finds a chain that was put back as it was yesterday, by a position on paper', async () => {
    await using root = await scratch();
    const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
    await cp(journal.folder, join(root.path, 'yesterday'), {
      recursive: true,
      filter: (path) => !path.endsWith('.lock'),
    });
    const position = await journal.append({ act: 'viewed', person: 'tanaka', message: 'secret' });
    await journal.close();
    const [report] = await verifyChains([join(root.path, 'yesterday')], [{ position, from: 'the print-out' }]);
    assert.match(report?.broken?.why ?? '', /^the print-out has another line here/);
  });

  it('tells the lie of a package whose sealer had the key, and breaks no chain that others had seen before', async () => {
    await using root = await scratch();
    const { middle } = await twoZones(root.path);
    const [{ chain = '', position = '' } = {}] = await verifyChains([middle]);
    const inner = await openJournal({ root: root.path, zone: 'inner', keepDays: 300 });
    const false3 = `${chain}:3:${GENESIS}`;
    await inner.append({ act: 'delivered', message: 'forged', detail: { chain: [false3] } });
    await inner.close();
    const { reports, lies } = await followChains([middle, inner.folder]);
    assert.deepEqual(
      reports.map(({ broken }) => broken),
      [undefined, undefined],
    );
    assert.deepEqual(
      lies.map((lie) => [lie.position, lie.message]),
      [[false3, 'forged']],
    );
    assert.match(lies[0]?.from ?? '', /^line 17 of inner-/);
    const told = await runMugai(['audit', 'verify', middle, inner.folder], {});
    assert.equal(told.code, 1);
    assert.match(
      told.stdout,
      /^holds .*middle[\s\S]*^LIE {5}the package of forged \(line 17 of inner-.{8}\) names middle-/m,
    );

    // A place that nobody confirmed before may be a lie or a cut; a position on paper decides.
    const last = Number(position.split(':')[1]);
    const again = await openJournal({ root: root.path, zone: 'inner', keepDays: 300 });
    await again.append({ act: 'delivered', message: 'forged2', detail: { chain: [`${chain}:${last}:${GENESIS}`] } });
    await again.close();
    const open = await followChains([middle, inner.folder]);
    assert.match(open.reports[0]?.broken?.why ?? '', /cut or written anew, or the package of forged2 lies$/);
    const settled = await followChains([middle, inner.folder], [{ position, from: 'the print-out' }]);
    assert.deepEqual([settled.reports[0]?.broken, settled.lies.length], [undefined, 2]);
  });
});
