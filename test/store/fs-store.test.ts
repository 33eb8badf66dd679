// The store's contract on the file system driver.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { MugaiError } from '../../src/message/errors.ts';
import type { FaultPoint } from '../../src/store/fs-fault.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { scratch } from '../support/scratch.ts';

const signal = new AbortController().signal;

const MIB = 1024 * 1024;

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A disk that is full from the n-th act of a kind on. */
function failing(act: Parameters<FaultPoint>[0], from = 1): { fault: FaultPoint; state: { on: boolean } } {
  const state = { on: true };
  let count = 0;
  return {
    state,
    fault: (seen) => {
      if (seen === act && state.on && ++count >= from)
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    },
  };
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // the folder's own, closed by now
  }
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof MugaiError && error.code === code;
}

describe('fs store', () => {
  it('gives back what was committed, small and large, with its digest', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    for (const size of [0, 1, LIMITS.inlineBytes, LIMITS.inlineBytes + 1, 3_000_000]) {
      const bytes = Buffer.alloc(size, `${size} `);
      const staged = await stage(store, chunksOf(bytes, 10_000), 10_000_000, signal);
      assert.equal(staged.size, size);
      assert.equal(staged.sha256, createHash('sha256').update(bytes).digest('hex'));
      const again: Uint8Array[] = [];
      for await (const chunk of staged.open()) again.push(chunk);
      assert.deepEqual(Buffer.concat(again), bytes);
      assert.equal(
        await store.commit(`s/${size}`, [
          { name: 'raw', content: staged },
          { name: 'files/a', content: Buffer.from('a') },
        ]),
        'stored',
      );
      assert.deepEqual(await store.get(`s/${size}`, 'raw', 10_000_000), bytes);
      assert.deepEqual(await store.get(`s/${size}`, 'files/a', 10), Buffer.from('a'));
    }
    assert.deepEqual(await store.list(''), ['s']);
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), [], 'nothing is left half-done');
  });

  it('keeps the first of two commits and of two puts', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    const entry = (text: string) => ({ name: 'a', content: Buffer.from(text) });
    assert.equal(await store.commit('s/x', [entry('first')]), 'stored');
    assert.equal(await store.commit('s/x', [entry('second')]), 'exists');
    assert.equal(await store.put('s/x', entry('third')), 'exists');
    assert.equal(await store.put('s/x', { name: 'b', content: Buffer.from('b') }), 'stored');
    assert.equal((await store.get('s/x', 'a', 100))?.toString(), 'first');
  });

  it('stores one of many commits of the same folder at once', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => store.commit('s/x', [{ name: 'a', content: Buffer.from(String(i)) }])),
    );
    assert.equal(results.filter((result) => result === 'stored').length, 1);
  });

  it('says too-large as soon as a byte is over the cap, and keeps nothing', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    await assert.rejects(stage(store, chunksOf(Buffer.alloc(200_001), 1000), 200_000, signal), isCode('too-large'));
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
    await store.commit('s/x', [{ name: 'a', content: Buffer.alloc(11) }]);
    await assert.rejects(store.get('s/x', 'a', 10), isCode('too-large'));
  });

  it('knows absence from failure', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    assert.equal(await store.get('no', 'no', 10), undefined);
    assert.equal(await store.open('no', 'no'), undefined);
    assert.deepEqual(await store.list('no'), []);
    await store.delete('no');
  });

  for (const act of ['write', 'fdatasync', 'rename', 'fsync-dir'] as const) {
    it(`says disk-full when the disk is full at ${act}, leaves nothing, and works when there is room again`, async () => {
      await using folder = await scratch();
      const { fault, state } = failing(act);
      const store = await openFsStore(folder.path, fault);
      const entries = [{ name: 'a', content: Buffer.from('a') }];
      await assert.rejects(store.commit('s/x', entries), isCode('disk-full'));
      await assert.rejects(store.put('s', { name: 'b', content: Buffer.from('b') }), isCode('disk-full'));
      assert.ok(!existsSync(join(folder.path, 's/x')), 'what is not durable is not there');
      assert.ok(!existsSync(join(folder.path, 's/b')));
      assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
      state.on = false;
      assert.equal(await store.commit('s/x', entries), 'stored');
      assert.equal(await store.put('s', { name: 'b', content: Buffer.from('b') }), 'stored');
    });
  }

  it('an object of which a piece could not be written stays broken when there is room again', async () => {
    await using folder = await scratch();
    const { fault, state } = failing('write', 3);
    const store = await openFsStore(folder.path, fault);
    const writer = store.begin(10 * MIB);
    const piece = Buffer.alloc(MIB, 'x');
    await writer.write(piece);
    await assert.rejects(async () => writer.write(piece), isCode('disk-full'));
    state.on = false;
    await assert.rejects(async () => writer.write(piece), isCode('disk-full'));
    assert.throws(() => writer.finish(), isCode('disk-full'));
    writer.abort();
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
  });

  it('a writer given up under a running write leaves nothing, and its bytes go into no other file', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    for (let round = 0; round < 20; round++) {
      const writer = store.begin(10 * MIB);
      await writer.write(Buffer.alloc(MIB, 'x'));
      const late = Promise.resolve(writer.write(Buffer.alloc(MIB, 'y'))).catch(() => undefined);
      writer.abort();
      const other = openSync(join(folder.path, `other-${round}`), 'w');
      await late;
      assert.throws(() => writer.write(Buffer.from('z')), isCode('store-failed'));
      closeSync(other);
      assert.equal(statSync(join(folder.path, `other-${round}`)).size, 0);
    }
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
  });

  it('an object that has other bytes on the disk than were written is none', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    const writer = store.begin(10 * MIB);
    await writer.write(Buffer.alloc(MIB, 'x'));
    const [name = ''] = readdirSync(join(folder.path, 'tmp'));
    truncateSync(join(folder.path, 'tmp', name), 1000);
    assert.throws(() => writer.finish(), isCode('store-failed'));
    // Nobody has anything to discard: it is gone by itself, name and descriptor.
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
    assert.equal(
      readdirSync('/proc/self/fd').some((fd) => linkOf(fd).includes(folder.path)),
      false,
    );
  });

  it('shares directory syncs without ever skipping the one a commit needs', async () => {
    await using folder = await scratch();
    const syncs: string[] = [];
    const store = await openFsStore(folder.path, (act, path) => void (act === 'fsync-dir' && syncs.push(path)));
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => store.commit(`s/${i}`, [{ name: 'a', content: Buffer.from('a') }])),
    );
    assert.equal(syncs.filter((path) => path.endsWith('/s')).length, 50, 'each commit asks for its parent');
    assert.equal((await store.list('s')).length, 50);
    assert.equal((await store.list('s', 7)).length, 7);
    assert.equal((await store.list('s', 51)).length, 50);
    assert.deepEqual(await store.list('no', 7), []);
  });

  it('tells nothing as absent while its folder is not the one it was opened with, or cannot be looked into', async () => {
    await using folder = await scratch();
    const root = join(folder.path, 'inner');
    const store = await openFsStore(root);
    await store.put('s', { name: 'end', content: Buffer.from('x') });
    assert.equal(store.has('s', 'other'), false);
    assert.equal(await store.get('s', 'other', 10), undefined);
    symlinkSync('around', join(root, 'around'));
    await assert.rejects(store.get('around', 'end', 10), { code: 'store-failed' });
    assert.throws(() => store.has('around', 'end'), { code: 'store-failed' });
    assert.equal(store.has('s', 'n'.repeat(300)), false, 'no file has such a name');
    renameSync(root, join(folder.path, 'away')); // as when a mount goes: an empty folder stands there
    mkdirSync(root);
    await assert.rejects(store.get('s', 'end', 10), { code: 'store-failed' });
    await assert.rejects(store.open('s', 'end'), { code: 'store-failed' });
    await assert.rejects(store.list('s'), { code: 'store-failed' });
    await assert.rejects(store.list(''), { code: 'store-failed' });
    assert.throws(() => store.has('s', 'end'), { code: 'store-failed' });
    rmSync(root, { recursive: true });
    renameSync(join(folder.path, 'away'), root);
    assert.equal((await store.get('s', 'end', 10))?.toString(), 'x');
  });

  it('a note that finds no room is not there in part', async () => {
    await using folder = await scratch();
    const full = failing('write');
    const store = await openFsStore(folder.path, full.fault);
    mkdirSync(join(folder.path, 's'));
    assert.throws(() => store.note('s', 'n', Buffer.from('all of it')), isCode('disk-full'));
    assert.equal(existsSync(join(folder.path, 's/n')), false);
    full.state.on = false;
    void store.note('s', 'n', Buffer.from('all of it'));
    void store.note('s', 'n', Buffer.from('something else'));
    assert.equal((await store.get('s', 'n', 100))?.toString(), 'all of it');
  });
});
