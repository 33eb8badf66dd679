// When what the portal stands on gives way: a clear page, red where machines look, and recovery by itself.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { MugaiError } from '../../src/message/errors.ts';
import { folderOf, newMessageId } from '../../src/message/id.ts';
import { keyId, signStatement } from '../../src/outbox/manifest.ts';
import { barePortal, entriesFor } from '../support/bare-portal.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { firstAdministrator, messageId, Visitor } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const STAFF = 'staff@city.example.lg.jp';

/** The answer is the plain page of trouble, says nothing of what went wrong inside, and asks to come again. */
async function assertTrouble(answer: Response): Promise<void> {
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '30');
  const text = await answer.text();
  assert.match(text, /何も失われていません/);
  assert.doesNotMatch(text, /SQLITE|sqlite|outbox|Error|ENOENT|disk/);
}

/** Whether a database lies there; none does for a moment while it is made anew. */
function isDatabase(file: string): boolean {
  try {
    return readFileSync(file).subarray(0, 15).toString() === 'SQLite format 3';
  } catch {
    return false;
  }
}

describe('trouble of the portal', { timeout: 580_000 }, () => {
  it('an outbox whose mount is lost: a clear page, /readyz red with the reason, and all is well when it is back', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const visitor = await firstAdministrator(gateway, 'kanri', STAFF);
    await sendMail(gateway.smtpPort ?? 0, plainMail('大切な便り'));
    const id = await messageId(visitor, '大切な便り');
    const readyz = async (): Promise<{ status: number; portal: string }> => {
      const answer = await fetch(`http://127.0.0.1:${gateway.opsPort}/readyz`);
      const { checks } = (await answer.json()) as { checks: Record<string, string> };
      return { status: answer.status, portal: checks['portal'] ?? '' };
    };
    assert.equal((await readyz()).portal, 'ok');
    renameSync(join(folder.path, 'outbox'), join(folder.path, 'away'));
    for (const path of [`/messages/${id}`, `/messages/${id}/files/message.txt`, `/messages/${id}/all.zip`])
      await assertTrouble(await visitor.get(path));
    assert.equal((await visitor.get('/messages')).status, 200, 'the list is still known');
    await until(async () => (await readyz()).portal !== 'ok', 60_000, 'red');
    assert.equal((await readyz()).status, 503);
    assert.match((await readyz()).portal, /outbox/);
    rmSync(join(folder.path, 'outbox'), { recursive: true, force: true }); // what others made in its place
    renameSync(join(folder.path, 'away'), join(folder.path, 'outbox'));
    assert.equal((await visitor.get(`/messages/${id}`)).status, 200);
    await until(async () => (await readyz()).portal === 'ok', 60_000, 'green');
    // One package that is not kept any more is another thing: it is not there.
    rmSync(join(folder.path, 'outbox', folderOf(id as never)), { recursive: true });
    await sendMail(gateway.smtpPort ?? 0, plainMail('次の便り'));
    await messageId(visitor, '次の便り');
    assert.equal((await visitor.get(`/messages/${id}`)).status, 404);
  });

  it('an index that is destroyed while it is used, or missing, or garbage at the start, is made anew; nobody is signed out', async () => {
    await using folder = await scratch();
    const file = join(folder.path, 'portal', 'index.sqlite');
    let cookies: ReadonlyMap<string, string>;
    {
      await using gateway = await startTestGateway(folder.path);
      const visitor = await firstAdministrator(gateway, 'kanri', STAFF);
      await sendMail(gateway.smtpPort ?? 0, plainMail('一通目'));
      const id = await messageId(visitor, '一通目');
      const destroy: readonly (() => void)[] = [
        () => writeFileSync(file, randomBytes(statSync(file).size), { flag: 'r+' }), // the same file, other bytes
        () => rmSync(file),
      ];
      for (const act of destroy) {
        act();
        let plain = true;
        await until(
          async () => {
            const answer = await visitor.get(`/messages?q=${encodeURIComponent('一通')}`);
            if (answer.status === 503) await assertTrouble(answer);
            else if (answer.status !== 200) plain = false;
            return answer.status === 200 && (await answer.text()).includes(id);
          },
          60_000,
          'it is back',
        );
        assert.ok(plain, 'no other answer in between');
        await until(async () => isDatabase(file), 60_000, 'a new file lies there');
      }
      cookies = visitor.cookies;
    }
    writeFileSync(file, 'this is no database');
    await using gateway = await startTestGateway(folder.path);
    const visitor = new Visitor(`http://127.0.0.1:${gateway.portal?.port}`);
    for (const [name, value] of cookies) visitor.cookies.set(name, value);
    await messageId(visitor, '一通目');
  });

  it('an index that is destroyed while nobody looks is made anew by itself', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    await sendMail(gateway.smtpPort ?? 0, plainMail('一通目'));
    const file = join(folder.path, 'portal', 'index.sqlite');
    /** How many messages the file knows; undefined while it is being made, or is none. */
    const known = (): number | undefined => {
      try {
        using db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
        return Number(db.prepare('SELECT count(*) AS n FROM messages').get()?.['n']);
      } catch {
        return undefined;
      }
    };
    await until(async () => known() === 1, 60_000, 'the index has the mail');
    writeFileSync(file, Buffer.alloc(statSync(file).size, 0x55), { flag: 'r+' });
    await until(async () => isDatabase(file) && known() === 1, 60_000, 'a new index lies there');
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${gateway.opsPort}/readyz`)).status;
    await until(async () => (await ready()) === 200, 60_000, 'green');
  });

  it('on a full disk what cannot be journaled does not happen, and what cannot be kept is said; room made, it goes on', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      const [id] = bare.ids;
      bare.breakJournal(new MugaiError('disk-full', 'no space left on device'));
      for (const path of [`/messages/${id}`, `/messages/${id}/files/message.txt`, `/messages/${id}/all.zip`]) {
        const answer = await visitor.get(path);
        assert.equal(answer.headers.get('content-disposition'), null);
        await assertTrouble(answer);
      }
      await assertTrouble(await visitor.post(`/messages/${id}/original`, { reason: '原本が必要です' }));
      await assertTrouble(await new Visitor(bare.url).signIn('reader'));
      assert.equal(bare.index.lists.find(id as never, [STAFF], 'reader')?.read, false, 'not read: it was not shown');
      bare.breakJournal(undefined);
      assert.equal((await visitor.get(`/messages/${id}`)).status, 200);

      // The database of the accounts has no page left: sign-ins are refused plainly, whoever is signed in goes on reading.
      const pages = Number(bare.db.get('PRAGMA main.page_count')?.['page_count']);
      bare.db.get(`PRAGMA main.max_page_count = ${pages}`);
      let answers: Response[] = [];
      for (let n = 0; n < 60 && answers.every(({ status }) => status === 303); n++)
        answers = [...answers, await new Visitor(bare.url).signIn('reader')];
      await assertTrouble(answers.at(-1) as Response);
      assert.equal((await visitor.get(`/messages/${id}`)).status, 200);
      bare.db.get('PRAGMA main.max_page_count = 1000000');
      assert.equal((await new Visitor(bare.url).signIn('reader')).status, 303);
    } finally {
      await bare.close();
    }
  });

  it('an index without room is a fault that is told and that ends by itself', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const pages = Number(bare.db.get('PRAGMA idx.page_count')?.['page_count']);
      bare.db.get(`PRAGMA idx.max_page_count = ${pages}`);
      const { signal } = new AbortController();
      const pair = generateKeyPairSync('ed25519');
      // Packages that no key of ours signed are noted, too, and need room.
      for (let n = 0; n < 300; n++) {
        const message = newMessageId();
        const sign = (statement: Parameters<typeof signStatement>[0]): Buffer =>
          signStatement(statement, pair.privateKey, keyId(pair.publicKey));
        await bare.outbox.add(message, entriesFor(message, 'あ'.repeat(200), sign));
      }
      await assert.rejects(bare.index.catchUp(signal));
      assert.match(bare.index.fault ?? '', /full/);
      bare.db.get('PRAGMA idx.max_page_count = 1000000');
      assert.equal(await bare.index.catchUp(signal), 300);
      assert.equal(bare.index.fault, undefined);
      // Signed by a stranger: known as broken, in nobody's list.
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      assert.equal((await (await visitor.get('/messages')).text()).match(/class="subject"/g)?.length, 1);
    } finally {
      await bare.close();
    }
  });

  it('an address that cannot be decoded, or is too long, is the page that is not there, with the heads of every page', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const usual = await fetch(`${bare.url}/nothing`);
      const names = [...usual.headers.keys()].filter(
        (name) => !['date', 'content-length', 'set-cookie'].includes(name),
      );
      assert.ok(names.includes('content-security-policy'));
      for (const path of ['/messages/%E0%A4%A', `/messages/${'a'.repeat(500)}`])
        for (const language of ['ja', 'en']) {
          const answer = await fetch(bare.url + path, { headers: { 'accept-language': language } });
          assert.equal(answer.status, 404, path);
          for (const name of names) assert.equal(answer.headers.get(name), usual.headers.get(name), name);
          assert.match(await answer.text(), language === 'ja' ? /<html lang="ja"/ : /<html lang="en"/);
        }
    } finally {
      await bare.close();
    }
  });

  it('a package that was changed after it was sealed shows nothing and hands nothing out', async () => {
    const bare = await barePortal(['一通目', '二通目']);
    try {
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      const [first, second] = bare.ids;
      const place = (id: string | undefined, name: string): string =>
        join(bare.root, 'outbox', folderOf(id as never), name);
      writeFileSync(place(first, 'message.txt'), '別の本文\n');
      writeFileSync(place(second, 'extra.txt'), 'x');
      const manifest = place(second, 'manifest.dsse.json');
      writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"sig":"./, '"sig":"!'));
      for (const id of [first, second])
        for (const path of ['', '/files/message.txt', '/files/message.txt/pages', '/all.zip']) {
          const answer = await visitor.get(`/messages/${id}${path}`);
          assert.equal(answer.status, 409, path);
          const text = await answer.text();
          assert.match(text, /検査に通らなかったため/);
          assert.ok(text.includes(id ?? ''), 'with the number to tell');
          assert.doesNotMatch(text, /別の本文/);
        }
    } finally {
      await bare.close();
    }
  });
});
