// Journeys of people at the portal in a real Chromium, besides those that have a file of their own: a locked archive, a stand-in,
// a session that is over, and what is somebody else's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Database } from '../../src/portal/database.ts';
import { IDLE_MS } from '../../src/portal/sessions.ts';
import { openBrowser } from '../support/browser.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, messageId, portalUrl, signInAt, type Visitor } from '../support/portal.ts';
import { scratch, type Scratch } from '../support/scratch.ts';

const STAFF = 'staff@city.example.lg.jp';

describe('journeys in the portal', { timeout: 580_000 }, () => {
  let folder: Scratch;
  let gateway: Awaited<ReturnType<typeof startTestGateway>>;
  let url: string;
  let hanako: Visitor;
  before(async () => {
    folder = await scratch();
    gateway = await startTestGateway(join(folder.path, 'data'));
    url = portalUrl(gateway);
    const administrator = await firstAdministrator(gateway);
    hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    await addPerson(administrator, 'taro', ['staff'], 'taro@city.example.lg.jp');
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('the password of a locked archive is entered, and what was in it is read', async () => {
    const place = join(folder.path, 'zip');
    await mkdir(place);
    await writeFile(join(place, '議事録.txt'), '議題一: 予算について\n');
    execFileSync('zip', ['-q', '-P', 'Kashima-0314', 'shiryo.zip', '議事録.txt'], { cwd: place });
    const body = new FormData();
    body.append('to', STAFF);
    body.append('file', new Blob([new Uint8Array(await readFile(join(place, 'shiryo.zip')))]), '資料.zip');
    const sent = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body });
    assert.equal(sent.status, 202);
    const id = await messageId(hanako, '資料');
    await using browser = await openBrowser();
    const { page, complaints } = browser;
    await signInAt(page, url, 'hanako');
    await page.click('td.subject a:has-text("資料")');
    await page.fill('input[name=password]', 'Kashima-0314');
    await page.click('form[action$="/password"] button');
    // The page tells by itself when the answer is there.
    await page.locator('#asked .state.good').waitFor();
    await page.locator('#asked a').click();
    await page.locator('.files a:has-text("読む")').click();
    assert.match(await page.locator('pre.text').innerText(), /議題一: 予算について/);
    await page.goto(`${url}/messages`);
    const rows = page.locator('td.subject a:has-text("資料")');
    assert.equal(await rows.count(), 1, 'one line: the version that can be read');
    assert.doesNotMatch((await rows.getAttribute('href')) ?? '', new RegExp(id));
    assert.deepEqual(complaints, []);
  });

  it("a second person does not see the message; a stand-in does from the day's choice until its end is chosen", async () => {
    await sendMail(gateway.smtpPort ?? 0, plainMail('人事の件'));
    const id = await messageId(hanako, '人事の件');
    await using mine = await openBrowser();
    await using theirs = await openBrowser();
    await signInAt(mine.page, url, 'hanako');
    await signInAt(theirs.page, url, 'taro');
    const reads = async (): Promise<boolean> => {
      await theirs.page.goto(`${url}/messages/${id}`);
      const title = await theirs.page.locator('h1').innerText();
      assert.ok(['人事の件', '見つかりません'].includes(title), title);
      return title === '人事の件';
    };
    await theirs.page.goto(`${url}/messages`);
    assert.match(await theirs.page.locator('.empty').innerText(), /./, 'an empty list says so');
    assert.equal(await reads(), false);
    await mine.page.goto(`${url}/account`);
    await mine.page.fill('#taker', 'taro');
    await mine.page.fill('#until', new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
    await mine.page.click('form[action="/account/delegate"] button');
    await mine.page.waitForURL(`${url}/account?saved=1`);
    assert.equal(await reads(), true);
    await theirs.page.goto(`${url}/messages`);
    await theirs.page.click('td.subject a:has-text("人事の件")');
    await mine.page.click('form[action="/account/delegate/end"] button');
    await mine.page.waitForURL(`${url}/account?saved=1`);
    assert.equal(await reads(), false);
  });

  it('a session that is over leads to the sign-in and, after it, back to where the person was going', async () => {
    await sendMail(gateway.smtpPort ?? 0, plainMail('窓口の件'));
    const id = await messageId(hanako, '窓口の件');
    await using browser = await openBrowser('ja', false); // with scripts the open list leaves by itself when something comes
    const { page } = browser;
    await signInAt(page, url, 'hanako');
    // Half an hour without a sign of life, as the sessions' table tells it.
    const db = new Database(join(folder.path, 'data', 'portal'));
    db.run('UPDATE sessions SET seen = seen - ? WHERE user = ?', IDLE_MS + 60_000, 'hanako');
    db.close();
    await page.click('td.subject a:has-text("窓口の件")');
    await page.waitForURL(/\/sign-in\?to=/);
    assert.match(await page.locator('.note').innerText(), /しばらく使われなかった/);
    await page.fill('#name', 'hanako');
    await page.fill('#password', 'さくらの花が咲く2026');
    await page.click('main button');
    await page.waitForURL(`${url}/messages/${id}`);
    await page.click('text=サインアウト');
    await page.goBack();
    await page.reload();
    assert.match(page.url(), /\/sign-in/, 'after the sign-out the way back shows nothing');
  });
});
