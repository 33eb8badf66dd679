// What lies in the outbox and is no plain file: a FIFO there would hold the whole inner side up, a link lead anywhere.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Ledger } from '../../src/deliver/ledger.ts';
import { folderOf, newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { NO_PAGE, sealPage, sha256 } from '../../src/outbox/live.ts';
import { MANIFEST, keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { GateRefusal } from '../../src/outbox/refusal.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { RequestReader } from '../../src/requests/requests.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { KEYS, PAIR, recordOf } from '../support/packages.ts';
import { scratch } from '../support/scratch.ts';

const SMALL = 'files/01-small.txt';
const LARGE = 'files/02-large.txt';
const signer = new Signer(PAIR.privateKey);

/** What takes the place of a file. */
const KINDS: { readonly [kind: string]: (path: string) => Promise<unknown> } = {
  'a FIFO': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [path]);
  },
  'a link to a FIFO': async (path) => {
    await rm(path);
    execFileSync('mkfifo', [`${path}.aside`]);
    await rename(`${path}.aside`, asideOf(path));
    await symlink(asideOf(path), path);
  },
  'a link to its own bytes': async (path) => {
    await rename(path, asideOf(path));
    await symlink(asideOf(path), path);
  },
  'a link to itself': async (path) => {
    await rm(path);
    await symlink(path, path);
  },
  'a link to nothing': async (path) => {
    await rm(path);
    await symlink(`${asideOf(path)}.none`, path);
  },
  'a folder': async (path) => {
    await rm(path);
    await mkdir(path);
  },
};

/** What takes the place of a folder. */
const NO_FOLDERS: { readonly [kind: string]: (path: string) => Promise<unknown> } = {
  'a file': async (path) => writeFile(path, 'x'),
  'a link to itself': async (path) => symlink(path, path),
};

/** A place beside the outbox. */
function asideOf(path: string): string {
  return path.replace(/\/outbox\/.*/, `/${path.replaceAll('/', '-').slice(-60)}`);
}

async function sealedIn(at: string, id: MessageId): Promise<void> {
  const outputs = [
    { name: SMALL, content: Buffer.from('a') },
    { name: LARGE, content: Buffer.alloc(LIMITS.inlineBytes + 1, 'a') },
  ];
  const record = recordOf(id, [SMALL, LARGE]);
  await new Outbox(await openFsStore(at)).add(id, packageOf(id, record, outputs, signer));
}

describe('in the outbox', () => {
  for (const [kind, put] of Object.entries(KINDS)) {
    for (const name of [MANIFEST, SMALL, LARGE]) {
      it(`${kind} as ${name} is refused by the gate, at once and for good`, async () => {
        await using root = await scratch();
        const at = join(root.path, 'outbox');
        const id = newMessageId();
        await sealedIn(at, id);
        const outbox = new Outbox(await openFsStore(at, undefined, 'read'));
        const verify = async () => verifyPackage(outbox.files(id), KEYS, 0, AbortSignal.timeout(5000));
        assert.equal((await verify()).files.length, 3);
        await put(join(at, folderOf(id), name));
        assert.ok(await outbox.find(id), 'it is not as if there were none');
        const isRefusal = (error: unknown): boolean =>
          error instanceof GateRefusal && error.rule === 'file-missing' && error.file === name && error.permanent;
        await assert.rejects(verify(), isRefusal);
      });
    }

    it(`${kind} as a status, a board, a live page or the end of a release is passed over`, async () => {
      await using root = await scratch();
      const at = join(root.path, 'outbox');
      const outbox = new Outbox(await openFsStore(at));
      const now = Date.now();
      for (const name of ['worker-a-1', 'worker-b-2']) await outbox.status.publish(name, Buffer.from(name), now);
      await put(join(at, `status/worker-a-1.${now}.json`));
      const statuses = await outbox.status.read(1000, now);
      assert.deepEqual(
        statuses.map(({ process }) => process),
        ['worker-b-2'],
      );

      const board = { run: '0000000d', at: now, entries: [] };
      await outbox.boards.write(board, undefined, signer.signBoard(board));
      await put(join(at, 'board', `0000000d-${String(now).padStart(15, '0')}.json`));
      assert.equal((await outbox.boards.entries(KEYS, now)).size, 0);

      const [sealGone, pageGone, request] = [newMessageId(), newMessageId(), newMessageId()];
      const output = 'files/01-a.pdf';
      for (const id of [sealGone, pageGone]) {
        const file = Buffer.from('%PDF');
        const seal = { id, output, page: 1, pages: 1, size: file.length, sha256: sha256(file), previous: NO_PAGE };
        await outbox.live(id).add(seal, file, sealPage(seal, PAIR.privateKey, keyId(PAIR.publicKey)));
      }
      await put(join(at, `${folderOf(sealGone)}.live/01-00001.json`));
      assert.deepEqual(await outbox.live(sealGone).documents(KEYS), []);
      assert.equal(await outbox.live(sealGone).page(output, 1, KEYS), undefined);
      await put(join(at, `${folderOf(pageGone)}.live/01-00001.pdf`));
      await assert.rejects(
        outbox.live(pageGone).page(output, 1, KEYS),
        (error) => error instanceof GateRefusal && error.rule === 'file-digest',
      );

      await outbox.releases(sealGone).tell(request, Buffer.from('{}'));
      await put(join(at, `${folderOf(sealGone)}.releases/${request}.json`));
      assert.equal(await outbox.releases(sealGone).of(request, KEYS), undefined);
    });

    it(`${kind} as a request is told as none`, async () => {
      await using root = await scratch();
      const store = await openFsStore(join(root.path, 'outbox'));
      await store.put('waiting', { name: 'x.json', content: Buffer.from('{}') });
      await put(join(root.path, 'outbox/waiting/x.json'));
      assert.match(JSON.stringify(await new RequestReader(store).read('x.json')), /"fault":".*no plain file/);
    });
  }

  for (const [kind, put] of Object.entries(NO_FOLDERS)) {
    const instead = async (path: string): Promise<void> => {
      await rm(path, { recursive: true, force: true });
      await mkdir(dirname(path), { recursive: true });
      await put(path);
    };

    it(`${kind} in the place of a package is none, and can be taken away`, async () => {
      await using root = await scratch();
      const at = join(root.path, 'outbox');
      const [id, other] = [newMessageId(), newMessageId()];
      for (const one of [id, other]) await sealedIn(at, one);
      await instead(join(at, folderOf(id)));
      const outbox = new Outbox(await openFsStore(at, undefined, 'read'));
      assert.equal(await outbox.find(id), undefined);
      assert.equal(await outbox.files(id).get(MANIFEST, 1000), undefined);
      assert.deepEqual(await outbox.files(id).names(5), []);
      assert.ok(await outbox.find(other));
      await new Outbox(await openFsStore(at)).remove(id);
      assert.deepEqual(await outbox.idsOf(shardOf(id)), [other]);
    });

    it(`${kind} in the place of the files of a package is refused by the gate, for good`, async () => {
      await using root = await scratch();
      const at = join(root.path, 'outbox');
      const id = newMessageId();
      await sealedIn(at, id);
      await instead(join(at, folderOf(id), 'files'));
      const outbox = new Outbox(await openFsStore(at, undefined, 'read'));
      await assert.rejects(
        verifyPackage(outbox.files(id), KEYS, 0, AbortSignal.timeout(5000)),
        (error) => error instanceof GateRefusal && error.rule === 'file-missing' && error.permanent,
      );
    });

    it(`${kind} in the place of an hour hides the packages of no other hour`, async () => {
      await using root = await scratch();
      const at = join(root.path, 'outbox');
      const [early, late] = [newMessageId(Date.now() - 3 * 3_600_000), newMessageId()];
      for (const one of [early, late]) await sealedIn(at, one);
      await instead(join(at, shardOf(early)));
      const outbox = new Outbox(await openFsStore(at, undefined, 'read'));
      const ledger = new Ledger(await openFsStore(join(root.path, 'inner')));
      assert.deepEqual(await ledger.unfinished(outbox, 10), [late]);
      assert.deepEqual(await outbox.liveOf(shardOf(early)), []);
    });

    it(`${kind} in the place of live pages, ends of releases, statuses or boards is as if there were none`, async () => {
      await using root = await scratch();
      const at = join(root.path, 'outbox');
      const id = newMessageId();
      for (const name of [`${folderOf(id)}.live`, `${folderOf(id)}.releases`, 'status', 'board'])
        await instead(join(at, name));
      const outbox = new Outbox(await openFsStore(at, undefined, 'read'));
      assert.deepEqual(await outbox.live(id).documents(KEYS), []);
      assert.equal(await outbox.live(id).page('files/01-a.pdf', 1, KEYS), undefined);
      assert.equal(await outbox.releases(id).of(newMessageId(), KEYS), undefined);
      assert.deepEqual(await outbox.status.read(1000), []);
      assert.equal((await outbox.boards.entries(KEYS, Date.now())).size, 0);
    });
  }

  it('a folder that is itself reached by a link is read as ever', async () => {
    await using root = await scratch();
    const id = newMessageId();
    await sealedIn(join(root.path, 'elsewhere'), id);
    await symlink(join(root.path, 'elsewhere'), join(root.path, 'outbox'));
    const outbox = new Outbox(await openFsStore(join(root.path, 'outbox'), undefined, 'read'));
    const { files } = await verifyPackage(outbox.files(id), KEYS, 0, AbortSignal.timeout(5000));
    assert.equal(files.length, 3);
  });
});
