// A package that was changed on the disk after it was listed: every page of it says so plainly, and the list does not call it readable.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf } from '../../src/message/id.ts';
import { MANIFEST } from '../../src/outbox/manifest.ts';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { barePortal } from '../support/bare-portal.ts';
import { Visitor } from '../support/portal.ts';

describe('a package that changed after it was listed', { timeout: 580_000 }, () => {
  it('answers 409 wherever it is asked for, and is listed as stopped until it holds again', async () => {
    const bare = await barePortal(['書き換えの件', 'そのままの件']);
    try {
      const reader = new Visitor(bare.url);
      reader.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin('reader', 'full'));
      const id = bare.ids[0] ?? '';
      const reason = '原本が必要です';
      assert.equal((await reader.post(`/messages/${id}/original`, { reason })).status, 303);
      const manifest = join(bare.root, 'outbox', folderOf(id as never), MANIFEST);
      const good = await readFile(manifest);
      await writeFile(manifest, good.toString().replace(/"sig":"./, '"sig":"!'));
      const list = async (): Promise<string> => (await reader.get('/messages')).text();
      const part = { part: '1' };
      const answers = {
        page: await reader.get(`/messages/${id}`),
        file: await reader.get(`/messages/${id}/files/message.txt`),
        zip: await reader.get(`/messages/${id}/all.zip`),
        'original form': await reader.get(`/messages/${id}/original`),
        original: await reader.post(`/messages/${id}/original`, { reason }),
        render: await reader.post(`/messages/${id}/render`, { ...part, dpi: '200', from: '1', to: '1' }),
        text: await reader.post(`/messages/${id}/text`, part),
        values: await reader.post(`/messages/${id}/values`, part),
        password: await reader.post(`/messages/${id}/password`, { ...part, password: 'x' }),
      };
      for (const [what, answer] of Object.entries(answers)) {
        assert.equal(answer.status, 409, what);
        const text = await answer.text();
        assert.match(text, /検査に通らなかったため/, what);
        assert.ok(text.includes(id), what);
      }
      assert.match(await list(), /検査で止まりました[\s\S]*書き換えの件/);
      assert.equal((await list()).match(/検査で止まりました/g)?.length, 1, 'the other one is as it was');
      await writeFile(manifest, good);
      assert.equal((await reader.get(`/messages/${id}`)).status, 200);
      assert.doesNotMatch(await list(), /検査で止まりました/);
    } finally {
      await bare.close();
    }
  });
});
