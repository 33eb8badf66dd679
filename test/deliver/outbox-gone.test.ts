// The mount of the outbox goes while a package is read: trouble of ours, never an end of the message.
import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Courier } from '../../src/deliver/courier.ts';
import { deliver, type DeliverOutcome } from '../../src/deliver/deliver.ts';
import { Ledger } from '../../src/deliver/ledger.ts';
import { Unrecorded } from '../../src/deliver/unrecorded.ts';
import { MugaiError } from '../../src/message/errors.ts';
import { folderOf, newMessageId } from '../../src/message/id.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import type { PackageFiles } from '../../src/outbox/verify.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { KEYS, PAIR, recordOf } from '../support/packages.ts';
import { scratch } from '../support/scratch.ts';

const COURIER: Courier = {
  name: 'test',
  deliver: async ({ envelope: { to } }) => ({
    kind: 'delivered',
    answer: '250',
    accepted: to,
    rejected: [],
    deferred: [],
  }),
  close: async () => undefined,
};

type Read = keyof PackageFiles;

test('wherever the outbox goes while a package is read, the message has no end, and is delivered when it is back', async () => {
  await using folder = await scratch();
  const at = join(folder.path, 'outbox');
  const writing = new Outbox(await openFsStore(at)); // the middle's
  const store = await openFsStore(at, undefined, 'read'); // the inner side's
  const ledger = new Ledger(await openFsStore(join(folder.path, 'inner')));
  const signer = new Signer(PAIR.privateKey);
  const away = async (): Promise<void> => rename(at, `${at}.away`);
  const back = async (): Promise<void> => rename(`${at}.away`, at);
  const refusals: string[] = [];
  const tell = async (outbox: Outbox, id = newMessageId()): Promise<{ id: typeof id; end: () => Promise<string> }> => {
    const sealed = await writing.add(id, packageOf(id, recordOf(id, []), [], signer));
    const deps = {
      outbox,
      ledger,
      keys: KEYS,
      courier: COURIER,
      audit: { enter: () => ({ position: '', durable: Promise.resolve() }), append: async () => '' },
      domain: 'city.example.lg.jp',
      policyFor: () => ({
        language: 'ja' as const,
        mailCharset: 'utf-8' as const,
        attachBytes: 1,
        archives: 'files' as const,
        keptMs: undefined,
      }),
      portalUrl: '',
      unrecorded: new Unrecorded<DeliverOutcome>(),
      giveUpMs: 1e9,
      triedMs: () => 0,
      steadyNow: () => Date.now(),
      onGateRefusal: (_id: string, { rule }: { rule: string }) => void refusals.push(rule),
    };
    const end = async (): Promise<string> => {
      const outcome = await deliver(sealed, deps, new AbortController().signal);
      return outcome.kind === 'ended' ? outcome.delivered.record.stage : outcome.kind;
    };
    return { id, end };
  };

  for (const [read, returns] of [
    ['get', false],
    ['names', false],
    ['open', false],
    ['open', true],
  ] as const satisfies readonly (readonly [Read, boolean])[]) {
    let gone = false;
    const leaving = new (class extends Outbox {
      override files(id: Parameters<Outbox['files']>[0]): PackageFiles {
        const files = super.files(id);
        const here = files[read] as (...args: unknown[]) => Promise<unknown>;
        const once = async (...args: unknown[]): Promise<unknown> => {
          if (gone) return here(...args);
          gone = true;
          await away();
          const answer = await here(...args);
          if (returns) await back(); // it was away for this one look only
          return answer;
        };
        return { ...files, [read]: once };
      }
    })(store);
    const { id, end } = await tell(leaving);
    if (returns) assert.equal(await end(), 'delivered');
    else {
      await assert.rejects(end(), (error) => error instanceof MugaiError && error.code === 'store-failed', read);
      assert.equal(await ledger.end(id), undefined);
      await back();
      assert.equal(await end(), 'delivered');
    }
  }
  assert.deepEqual(refusals, []);

  // What was taken out of a package that is there is no mount that went.
  const { id, end } = await tell(new Outbox(store));
  await rm(join(at, folderOf(id), 'message.txt'));
  assert.equal(await end(), 'quarantined');
  assert.deepEqual(refusals, ['file-missing']);
});
