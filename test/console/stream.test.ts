// The stream that keeps the console's first page fresh, and deletions that the middle has carried out: on a portal by itself.
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addConsole, settleDeletions } from '../../src/console/console.ts';
import { Deletions } from '../../src/console/deletions.ts';
import type { ConsoleDeps } from '../../src/console/desk.ts';
import { Statuses } from '../../src/console/statuses.ts';
import { openLog } from '../../src/ops/log.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { Accounts } from '../../src/portal/accounts.ts';
import { IDLE_MS } from '../../src/portal/sessions.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { barePortal } from '../support/bare-portal.ts';
import { Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';

describe('the stream of the console', { timeout: 580_000 }, () => {
  it('keeps no session alive, and ends with it', async () => {
    await using folder = await scratch();
    const statuses = new Statuses({
      outbox: new Outbox(await openFsStore(join(folder.path, 'outbox'))),
      keys: new Map(),
      own: async () => Promise.reject(new Error('this process tells nothing')),
      log: openLog('silent', 'test'),
    });
    const delivering = { servers: () => [], deferred: () => [] };
    const bare = await barePortal(['x'], [], (desk) => {
      const deps: Partial<ConsoleDeps> = { desk, statuses, delivering: delivering as never };
      addConsole(deps as ConsoleDeps); // the first page needs no more of them
    });
    try {
      const accounts = new Accounts(bare.db);
      accounts.change('reader', { roles: ['operator'] });
      const operator = new Visitor(bare.url);
      await operator.signIn('reader');
      const open = async (): Promise<ReadableStreamDefaultReader<Uint8Array> | undefined> => {
        const events = await operator.get('/console/events');
        assert.equal(events.headers.get('content-type'), 'text/event-stream');
        return events.body?.getReader();
      };
      for (let spent = 0; spent <= IDLE_MS; spent += IDLE_MS / 10) {
        await (await open())?.cancel();
        bare.pass(IDLE_MS / 10);
      }
      assert.equal((await operator.get('/console/events')).status, 303, 'nobody was there for so long');

      await operator.signIn('reader');
      const reader = await open();
      const heard: string[] = [];
      const ended = (async () => {
        for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
          heard.push(new TextDecoder().decode(next.value));
      })();
      await statuses.look();
      while (!heard.join('').includes('event: sample')) await new Promise((resolve) => setTimeout(resolve, 20));
      accounts.change('reader', { disabled: true });
      const told = heard.length;
      await statuses.look();
      await ended;
      assert.equal(heard.length, told, 'whoever is signed out hears no more');
    } finally {
      await bare.close();
    }
  });
});

describe('a deletion that was agreed on', { timeout: 580_000 }, () => {
  it('is told as done when its package is gone, and not while the outbox as a whole is', async () => {
    const bare = await barePortal(['消すもの', '残すもの']);
    try {
      const { outbox, db, portal, root } = bare;
      const [id] = bare.ids;
      assert.ok(id !== undefined);
      const deletions = new Deletions(db);
      deletions.ask(id, 'ueda', '誤送信', 1);
      deletions.decide(id, 'eto', 'confirmed', portal.desk.now());
      const seen = new Outbox(await openFsStore(join(root, 'outbox'), undefined, 'read')); // as the inner side sees it
      const deps = {
        deletions,
        desk: portal.desk,
        packaged: async () => (await seen.find(id)) !== undefined,
        hasOutbox: async () => seen.isThere(),
      };
      await rename(join(root, 'outbox'), join(root, 'away'));
      await settleDeletions(deps);
      assert.equal(deletions.find(id)?.state, 'confirmed', 'nobody knows yet');
      assert.notEqual(bare.index.lists.anyOf(id), undefined);
      await rename(join(root, 'away'), join(root, 'outbox'));
      await settleDeletions(deps);
      assert.equal(deletions.find(id)?.state, 'confirmed', 'the middle has not done it');
      bare.pass(3 * 3_600_000);
      await settleDeletions(deps);
      assert.equal(deletions.find(id)?.state, 'asked', 'the middle gave it up: it can be agreed on once more');
      assert.ok(deletions.decide(id, 'eto', 'confirmed', portal.desk.now()));
      await settleDeletions(deps);
      assert.equal(deletions.find(id)?.state, 'confirmed');
      await outbox.remove(id);
      await settleDeletions(deps);
      assert.equal(deletions.find(id)?.state, 'deleted');
      assert.equal(bare.index.lists.anyOf(id), undefined);
    } finally {
      await bare.close();
    }
  });
});

describe('asking for a deletion', { timeout: 580_000 }, () => {
  it('tells both persons that other versions of the message stay', async () => {
    const bare = await barePortal(['一つの版', '別の版', '一つだけ'], [], (desk, db) => {
      const deps: Partial<ConsoleDeps> = { desk, deletions: new Deletions(db) };
      addConsole(deps as ConsoleDeps); // lists and acts on deletions need no more
    });
    try {
      const [first = '', again = '', alone = ''] = bare.ids;
      bare.db.run('UPDATE idx.messages SET revises = ? WHERE id = ?', first, again);
      new Accounts(bare.db).change('reader', { roles: ['operator'] });
      const operator = new Visitor(bare.url);
      await operator.signIn('reader');
      const act = { id: [first, alone], act: 'delete', reason: '誤送信' };
      const told = await (await operator.post('/console/act', act)).text();
      assert.equal(told.split('別の版1件は残ります').length, 2, told);
      const listed = await (await operator.get('/console/deletions')).text();
      assert.equal(listed.split('別の版1件は残ります').length, 2);
      await operator.post('/account/language', { language: 'en' });
      assert.ok((await (await operator.get('/console/deletions')).text()).includes('(1 other versions stay)'));
    } finally {
      await bare.close();
    }
  });
});
