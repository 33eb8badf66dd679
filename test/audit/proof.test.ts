// What a chain that follows line by line proves, and what it does not: signed up to where, by which key, known to whom.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { appendFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { GENESIS, hashOf, lineOf, positionOf, type Head, type Line } from '../../src/audit/line.ts';
import { followChains, verifyChains } from '../../src/audit/verify-chain.ts';
import type { ActEntry } from '../../src/message/act.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const DAY = 86_400_000;

/** An inner journal of some days, closed each evening. */
async function days(root: string, count: number, keepDays = 300): Promise<string> {
  let now = Date.parse('2026-11-01T10:00:00Z');
  let folder = '';
  for (let day = 0; day < count; day++) {
    const journal = await openJournal({ root, zone: 'inner', keepDays, now: () => (now += 1000) });
    await journal.append({ act: 'viewed', message: `m${day}` });
    await journal.close();
    now += DAY;
    ({ folder } = journal);
  }
  return folder;
}

const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).toSorted();

async function lastOf(path: string): Promise<{ readonly line: Line; readonly head: Head }> {
  const text = (await readFile(path, 'utf8')).split('\n').at(-2) ?? '';
  const line = JSON.parse(text) as Line;
  return { line, head: { seq: line.seq, hash: hashOf(text) } };
}

/** Appends lines as somebody would who knows the format. */
async function forge(path: string, entries: readonly ((here: string) => ActEntry)[]): Promise<void> {
  let { line, head } = await lastOf(path);
  for (const entry of entries) {
    const text = lineOf(entry(positionOf(line.chain, head)), line.chain, head, Date.parse(line.at));
    head = { seq: head.seq + 1, hash: hashOf(text) };
    await appendFile(path, `${text}\n`);
  }
}

const headBy =
  (key: KeyObject) =>
  (of: string): ActEntry => ({
    act: 'head',
    detail: { of, signature: sign(null, Buffer.from(`mugai-journal-head-v1\n${of}\n`), key).toString('base64') },
  });

describe('a chain that follows line by line', () => {
  it('says how far it is signed, and by whom else it is known', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 2);
    const alone = (await followChains([folder])).reports[0];
    assert.deepEqual([alone?.signedTo, alone?.heads, alone?.anchored, alone?.unchecked], [7, 2, undefined, []]);
    const position = alone?.position ?? '';
    const [known] = await verifyChains([folder], [{ position, from: 'the print-out' }]);
    assert.deepEqual(known?.anchored, { seq: 8, from: 'the print-out' });
  });

  it('is not checked where no line was signed for hours, whoever took the heads out', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 2);
    let head: Head = { seq: 0, hash: GENESIS };
    let [first = ''] = await filesOf(folder);
    let bytes = '';
    for (const name of await filesOf(folder)) {
      for (const text of (await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1)) {
        const { act, at, chain, detail } = JSON.parse(text) as Line;
        if (act === 'head') continue;
        const line = lineOf({ act, ...(detail && { detail }) }, chain, head, Date.parse(at));
        head = { seq: head.seq + 1, hash: hashOf(line) };
        bytes += `${line}\n`;
      }
      await rm(join(folder, name));
    }
    first = first.replace(/^\d{8}/, '20261101');
    await writeFile(join(folder, first), bytes);
    const [report] = await verifyChains([folder]);
    assert.deepEqual([report?.broken, report?.heads], [undefined, 0]);
    assert.deepEqual(report?.unchecked, ['no line is signed in 24 hours']);
    const told = await runMugai(['audit', 'verify', folder], {});
    assert.equal(told.code, 3, told.stdout);
    assert.match(
      told.stdout,
      /^UNCHECKED .*; NOT SIGNED: no head was checked; NOT ANCHORED: .*; no line is signed in 24/,
    );
  });

  it('is not checked from where another key goes on with it, until somebody else names a line behind that', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 1);
    await rm(join(folder, 'head-key.pem'));
    const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 300 });
    await journal.append({ act: 'approved', message: 'forged', person: 'kacho' });
    await journal.close();
    const doubt = ['lines from number 5 on are signed with a key that nobody who had the one before confirms'];
    const [report] = await verifyChains([folder]);
    assert.deepEqual([report?.broken, report?.keys.length, report?.unchecked], [undefined, 2, doubt]);
    const chain = report?.chain ?? '';
    const lines: string[] = [];
    for (const name of await filesOf(folder))
      lines.push(...(await readFile(join(folder, name), 'utf8')).split('\n').slice(0, -1));
    const knownAt = async (seq: number): Promise<readonly string[] | undefined> => {
      const position = positionOf(chain, { seq, hash: hashOf(lines[seq - 1] ?? '') });
      return (await verifyChains([folder], [{ position, from: 'the print-out' }]))[0]?.unchecked;
    };
    assert.deepEqual(await knownAt(4), doubt, 'what was there before the other key');
    assert.deepEqual(await knownAt(5), []);
  });

  it('is not checked where its first lines were retired by a line that nobody signed, or another key did', async () => {
    await using root = await scratch();
    const own = generateKeyPairSync('ed25519');
    const key = own.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    for (const more of [[], [headBy(own.privateKey)]]) {
      const folder = await days(join(root.path, String(more.length)), 3);
      const [first = '', , last = ''] = await filesOf(folder);
      const { line, head } = await lastOf(join(folder, first));
      const retired: ActEntry = { act: 'retired', detail: { file: first, upTo: positionOf(line.chain, head) } };
      const opened: ActEntry = { act: 'opened', detail: { key, pid: 1 } };
      await forge(join(folder, last), [...(more.length > 0 ? [() => opened] : []), () => retired, ...more]);
      await rm(join(folder, first));
      const [report] = await verifyChains([folder]);
      assert.equal(report?.broken, undefined);
      assert.match(
        report?.unchecked.join() ?? '',
        /^older lines are gone, and the line that retires them is not signed/,
      );
      const anchors = [{ position: report?.position ?? '', from: 'the print-out' }];
      assert.deepEqual((await verifyChains([folder], anchors))[0]?.unchecked, []);
    }
  });

  it('is not checked where the line that retires names a key of its own, and no head before it is signed with that', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 3);
    const [first = '', second = '', last = ''] = await filesOf(folder);
    const { line } = await lastOf(join(folder, second));
    // Of the last day only the lines after its opening one are left: no key is named before the forged line.
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const texts = (await readFile(join(folder, last), 'utf8')).split('\n').slice(0, -1);
    const opening = texts.findIndex((text) => (JSON.parse(text) as Line).act === 'opened');
    const kept = texts.slice(opening + 1).filter((text) => (JSON.parse(text) as Line).act !== 'head');
    assert.ok(kept.length > 0);
    const before = JSON.parse(texts[opening] ?? '') as Line;
    const upTo = positionOf(line.chain, { seq: before.seq, hash: hashOf(texts[opening] ?? '') });
    await rm(join(folder, first));
    await rm(join(folder, second));
    await rm(join(folder, last));
    const [left = ''] = kept;
    const name = last.replace(/\d+(?=\.jsonl$)/, (digits) =>
      String((JSON.parse(left) as Line).seq).padStart(digits.length, '0'),
    );
    await writeFile(join(folder, name), `${left}\n`);
    const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    await forge(join(folder, name), [
      () => ({ act: 'retired', detail: { file: first, upTo, key } }),
      headBy(privateKey),
    ]);
    const [report] = (await followChains([folder])).reports;
    assert.equal(report?.broken, undefined);
    assert.match(
      report?.unchecked.join() ?? '',
      /the line that retires them is not signed with the key of the lines before/,
    );
  });

  it('whose first lines were retired by the gateway is checked at once', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 4, 2);
    let now = Date.parse('2026-11-06T10:00:00Z');
    const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 2, now: () => (now += 1000) });
    const [report] = await verifyChains([folder]);
    assert.ok((report?.entries ?? 99) < 12, `${report?.entries} lines`);
    assert.deepEqual([report?.broken, report?.unchecked], [undefined, []]);
    await journal.close();
    assert.equal((await runMugai(['audit', 'verify', folder], {})).code, 0);
  });

  it('is hashed as its bytes lie: bytes that are no UTF-8 are no line', async () => {
    await using root = await scratch();
    const folder = await days(root.path, 1);
    const [name = ''] = await filesOf(folder);
    await forge(join(folder, name), [() => ({ act: 'viewed', person: 'a\u{fffd}b' })]);
    assert.equal((await verifyChains([folder]))[0]?.broken, undefined);
    const bytes = await readFile(join(folder, name));
    const at = bytes.lastIndexOf(Buffer.from('\u{fffd}'));
    await writeFile(
      join(folder, name),
      Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at + 3)]),
    );
    const [report] = await verifyChains([folder]);
    assert.deepEqual([report?.broken?.why, report?.broken?.line], ['is no UTF-8', 5]);
  });
});
