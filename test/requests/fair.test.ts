// Requests that have to wait, and those behind them.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { Lifecycle } from '../../src/lifecycle.ts';
import { newMessageId } from '../../src/message/id.ts';
import { openLog } from '../../src/ops/log.ts';
import { RequestReader, RequestWriter } from '../../src/requests/requests.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { startRequests } from '../../src/zones/requests.ts';
import { scratch, until } from '../support/scratch.ts';

describe('requests that have to wait', { timeout: 580_000 }, () => {
  it('hold nobody up who comes after them, and are tried again themselves', async () => {
    await using place = await scratch();
    const store = await openFsStore(place.path);
    const writer = new RequestWriter(store, generateKeyPairSync('x25519').publicKey);
    const asked = () => ({ id: newMessageId(), part: '', by: 'sato' });
    const waiting = await Promise.all(
      Array.from({ length: 120 }, async () => writer.remove(asked(), { reason: '誤送信', confirmedBy: 'eto' })),
    );
    const log = openLog('silent', 'test');
    const life = new Lifecycle(log, 5000);
    const tries = new Map<string, number>();
    const retried: string[] = [];
    startRequests(log, life, new RequestReader(store), {
      delete: async ({ request }) => {
        tries.set(request, (tries.get(request) ?? 0) + 1);
        if (tries.size % 2 === 0) throw new Error('not now');
        return 'later';
      },
      retry: async ({ request }) => {
        retried.push(request);
        return 'answered';
      },
    });
    try {
      await until(() => tries.size >= 8, 60_000, 'all of them have their turn');
      const request = await writer.retry(asked());
      await until(() => retried.includes(request), 60_000, 'whoever comes now is not behind those that wait');
      await until(async () => !(await writer.waiting(request)), 60_000, 'answered');
      assert.ok(await writer.waiting(waiting[0] ?? request), 'what waits stays');
    } finally {
      await life.stop();
    }
  });

  it('are tried again when no other is there', async () => {
    await using place = await scratch();
    const store = await openFsStore(place.path);
    const writer = new RequestWriter(store, generateKeyPairSync('x25519').publicKey);
    const request = await writer.retry({ id: newMessageId(), part: '', by: 'sato' });
    const log = openLog('silent', 'test');
    const life = new Lifecycle(log, 5000);
    let tries = 0;
    startRequests(log, life, new RequestReader(store), {
      retry: async () => ((tries += 1) < 3 ? 'later' : 'answered'),
    });
    try {
      await until(async () => !(await writer.waiting(request)), 60_000, 'answered in the end');
      assert.equal(tries, 3);
    } finally {
      await life.stop();
    }
  });
});
