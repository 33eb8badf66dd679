// A download is checked and then read again: somebody who swaps the file in between gets no byte of his own out.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, newMessageId } from '../../src/message/id.ts';
import { MugaiError } from '../../src/message/errors.ts';
import { MANIFEST } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { Packages } from '../../src/portal/packages.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { KEYS, sealedPackage } from '../support/packages.ts';
import { scratch } from '../support/scratch.ts';

const NAME = 'files/01-a.txt';
const HONEST = Buffer.from('無害な文\n'.repeat(100_000), 'utf8');

/** What a reader gets of the honest file when it is another one after the check, and whether the download broke off. */
async function downloaded(
  after: Buffer,
): Promise<{ readonly got: Buffer; readonly broke: boolean; readonly told: readonly string[] }> {
  await using folder = await scratch();
  const id = newMessageId();
  for (const [name, content] of sealedPackage(new Map([[NAME, HONEST]]), id)) {
    const path = join(folder.path, folderOf(id), name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const told: string[] = [];
  const packages = new Packages(new Outbox(await openFsStore(folder.path)), KEYS, (of, { rule }) => {
    assert.equal(of, id);
    told.push(rule);
  });
  const checked = await packages.check(id, await packages.statement(id), NAME);
  assert.equal(checked.size, HONEST.length);
  await writeFile(join(folder.path, folderOf(id), NAME), after);
  const got: Uint8Array[] = [];
  try {
    for await (const chunk of packages.stream(id, checked)) got.push(Uint8Array.from(chunk));
    return { got: Buffer.concat(got), broke: false, told };
  } catch (error) {
    assert.ok(error instanceof MugaiError && error.code === 'bad-package', String(error));
    return { got: Buffer.concat(got), broke: true, told };
  }
}

describe('a download', () => {
  it('is the file that was checked', async () => {
    const { got, broke, told } = await downloaded(HONEST);
    assert.deepEqual([broke, got.equals(HONEST), told], [false, true, []]);
  });

  it('gives nothing of a file that was put in its place', async () => {
    const { got, broke, told } = await downloaded(Buffer.alloc(HONEST.length, 'MZ'));
    assert.deepEqual([broke, got.length, told], [true, 0, ['file-digest']]);
  });

  for (const [what, change] of Object.entries({
    'has other bytes in its middle': (bytes: Buffer) => bytes.fill('MZ', 700_000, 700_010),
    'has another last byte': (bytes: Buffer) => bytes.fill(' ', bytes.length - 1),
    'has become longer': (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('MZ')]),
    'has become shorter': (bytes: Buffer) => bytes.subarray(0, -2),
    'is cut between two blocks': (bytes: Buffer) => bytes.subarray(0, 1024 * 1024),
  }))
    it(`breaks off where the file ${what}: what went out is of the honest one`, async () => {
      const { got, broke } = await downloaded(change(Buffer.from(HONEST)));
      assert.ok(broke);
      assert.ok(got.equals(HONEST.subarray(0, got.length)));
      assert.ok(got.length < HONEST.length || what === 'has become longer');
    });

  it('that is refused is told like what the gate refuses, and one that is gone after its time is not', async () => {
    await using folder = await scratch();
    const id = newMessageId();
    for (const [name, content] of sealedPackage(new Map([[NAME, HONEST]]), id)) {
      const path = join(folder.path, folderOf(id), name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
    const told: string[] = [];
    const packages = new Packages(new Outbox(await openFsStore(folder.path)), KEYS, (_, { rule }) => told.push(rule));
    const statement = await packages.statement(id);
    await writeFile(join(folder.path, folderOf(id), NAME), 'MZ');
    await assert.rejects(packages.check(id, statement, NAME), /file-digest/);
    await assert.rejects(packages.bytes(id, statement, NAME, 10_000_000), /file-digest/);
    await writeFile(join(folder.path, folderOf(id), MANIFEST), '{}\n');
    await assert.rejects(packages.statement(id), /manifest-envelope/);
    assert.deepEqual(told, ['file-digest', 'file-digest', 'manifest-envelope']);
    await rm(join(folder.path, folderOf(id)), { recursive: true });
    await assert.rejects(packages.check(id, statement, NAME), /file-missing/);
    await assert.rejects(packages.statement(id), /is not kept any more/);
    assert.equal(told.length, 3);
  });
});
