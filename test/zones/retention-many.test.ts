// Retention over many messages: one listing serves a whole hour of mail, and a note that a power cut tore holds nobody up.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Audit } from '../../src/message/act.ts';
import { newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import type { Sanitised } from '../../src/message/stages.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import type { Store } from '../../src/store/store.ts';
import { expireMiddle } from '../../src/zones/retention.ts';
import { recordOf } from '../support/packages.ts';
import { scratch } from '../support/scratch.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const { signal } = new AbortController();
const NO_JOURNAL = {
  enter: () => ({ position: undefined, durable: Promise.resolve() }),
  append: async () => undefined,
} as unknown as Audit;

/** Messages that came in one hour, days ago, and are sealed. */
async function sealedMails(spool: Spool, many: number, days = 20): Promise<MessageId[]> {
  const came = Math.floor((Date.now() - days * DAY) / HOUR) * HOUR;
  const ids = Array.from({ length: many }, (_, nth) => newMessageId(came + nth));
  for (const id of ids) {
    const writer = spool.begin(100);
    await writer.write(Buffer.from(id));
    const raw = writer.finish();
    const { source, envelope, receivedAt } = recordOf(id, []);
    const sha256 = createHash('sha256').update(id).digest('hex');
    const facts = { stage: 'spooled' as const, id, source: { ...source, size: raw.size, sha256 }, envelope };
    await spool.accept({ raw, facts: { ...facts, peer: '', receivedAt } });
    await spool.recordSealed({ id, record: recordOf(id, []) } as Sanitised);
  }
  return ids;
}

describe('retention of many messages', () => {
  const open = async (path: string, days: number) => {
    writeFileSync(join(path, 'policy.yaml'), `name: t\nversion: "1"\nkeepDays: ${days}\n`);
    const policy = await loadPolicy(join(path, 'policy.yaml'));
    const store = await openFsStore(join(path, 'spool'));
    return { policy, store, outbox: new Outbox(await openFsStore(join(path, 'outbox'))), audit: NO_JOURNAL };
  };

  for (const [what, days, left] of [
    ['packages', 20, []],
    ['originals', 8, ['03-sealed.json']],
  ] as const)
    it(`${what} of one hour cost two listings of it, not one each`, async () => {
      await using folder = await scratch();
      const { store, ...deps } = await open(folder.path, 5);
      let listings = 0;
      const counting: Store = Object.assign(Object.create(store) as Store, {
        begin: (cap: number) => store.begin(cap),
        put: async (...args: Parameters<Store['put']>) => store.put(...args),
        note: (...args: Parameters<Store['note']>) => store.note(...args),
        get: async (...args: Parameters<Store['get']>) => store.get(...args),
        has: (...args: Parameters<Store['has']>) => store.has(...args),
        delete: async (path: string) => store.delete(path),
        list: async (path: string) => {
          if (/^\d{8}-\d\d$/.test(path)) listings += 1;
          return store.list(path);
        },
      });
      const spool = new Spool(counting);
      const ids = await sealedMails(spool, 30, days);
      listings = 0;
      assert.equal(await expireMiddle({ ...deps, spool }, Date.now(), signal), ids.length);
      assert.equal(listings, 2, 'one to find them, one for what came meanwhile');
      const names = await store.list(shardOf(ids[0] as MessageId));
      assert.deepEqual([...new Set(names.map((name) => name.slice(27)))], left);
    });

  for (const days of [20, 8])
    it(`a part that is released while its message of ${days} days is deleted does not stay`, async () => {
      await using folder = await scratch();
      const { store, ...deps } = await open(folder.path, 5);
      const spool = new Spool(store);
      const [id] = await sealedMails(spool, 1, days);
      assert.ok(id !== undefined);
      const late = `${id}.release-${'a'.repeat(32)}.raw`;
      const audit = {
        ...NO_JOURNAL,
        enter: () => {
          writeFileSync(join(folder.path, 'spool', shardOf(id), late), 'a part'); // the names were read before
          return NO_JOURNAL.enter({ act: 'changed' });
        },
      } as unknown as Audit;
      assert.equal(await expireMiddle({ ...deps, spool, audit }, Date.now(), signal), 1);
      assert.ok(!(await store.list(shardOf(id))).includes(late));
    });

  it('a note of which a power cut left the name alone is made again, and the others go meanwhile', async () => {
    await using folder = await scratch();
    const { store, ...deps } = await open(folder.path, 1);
    const spool = new Spool(store);
    const ids = await sealedMails(spool, 3);
    const [torn, ...others] = ids as [MessageId, MessageId, MessageId];
    const shard = join(folder.path, 'spool', shardOf(torn));
    writeFileSync(join(shard, `${torn}.03-sealed.json`), '');
    const after = new Spool(store); // as the next life finds it
    assert.equal(await after.sanitised(torn), undefined);
    assert.equal(await expireMiddle({ ...deps, spool: after }, Date.now(), signal), others.length);
    assert.deepEqual(readdirSync(shard), [`${torn}.01-spooled.json`]);
    assert.deepEqual((await after.unfinished(10)).sanitise, [torn]);
    await after.recordSealed({ id: torn, record: recordOf(torn, []) } as Sanitised);
    assert.equal(await expireMiddle({ ...deps, spool: after }, Date.now(), signal), 1);
    assert.deepEqual(readdirSync(shard), []);
  });
});
