// How every page looks and reads: taken in Chromium at 1366×768, checked by axe-core; and the password of a held file.
// With MUGAI_SCREENSHOTS=1 the pictures in docs/portal/ are taken anew.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Secret, TOTP } from 'otpauth';
import { openBrowser } from '../support/browser.ts';
import { startClamd } from '../support/clamd.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { look } from '../support/look.ts';
import { slowPdf } from '../support/make-pdf.ts';
import { addPerson, firstAdministrator, messageId, PASSWORD, portalUrl, signInAt, Visitor } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STAFF = 'staff@city.example.lg.jp';
const MAP = await readFile(`${ROOT}samples/file/案内図.png`);
async function mail(name: string): Promise<Buffer> {
  const text = await readFile(`${ROOT}samples/mail/${name}.eml`, 'latin1');
  return Buffer.from(text.replace(/\r?\n/g, '\r\n').replace(/\r\n\./g, '\r\n..'), 'latin1');
}

describe('how the portal looks', { timeout: 580_000 }, () => {
  it('every page without a serious violation of axe-core; a held file opens with its password', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(`${folder.path}/clamd`);
    await using gateway = await startTestGateway(`${folder.path}/data`, {
      MUGAI_WORKERS: '1',
      MUGAI_CLAMD: clamd.socket, // originals are asked for, and none is released here
    });
    const url = portalUrl(gateway);
    const outer = `http://127.0.0.1:${gateway.uploadPort}`;
    await using browser = await openBrowser();
    const { page, complaints } = browser;
    await page.goto(`${url}/first`);
    await look(page, 'first-sign-in');
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff', 'approver', 'administrator'], STAFF);
    const jiro = await addPerson(administrator, 'jiro', ['staff'], STAFF);
    for (const name of [
      'iso-2022-jp-attachments',
      'forged-from',
      'html-only',
      'bounce-iso-2022-jp',
      'euc-jp',
      'forwarded',
    ])
      await sendMail(gateway.smtpPort ?? 0, await mail(name));
    const locked = `${folder.path}/locked.pdf`;
    const source = `${ROOT}samples/file/vertical.pdf`;
    execFileSync('qpdf', ['--encrypt', 'mugai', 'owner', '256', '--', source, locked]);
    const body = new FormData();
    body.append('to', STAFF);
    body.append('file', new Blob([await readFile(locked)]), '予算資料.pdf');
    assert.equal((await fetch(`${outer}/v1/files`, { method: 'POST', body })).status, 202);
    const estimate = await messageId(hanako, '事務用椅子');
    await messageId(hanako, '予算資料');
    const fwd = await messageId(hanako, 'Fwd');
    const forwarded = await (await hanako.get(`/messages/${fwd}`)).text();
    assert.equal(forwarded.match(/<li class="card file">/g)?.length, 2, 'its text and its PDF, each once');

    await page.goto(`${url}/sign-in`);
    await look(page, 'sign-in');
    await signInAt(page, url, 'hanako');
    await look(page, 'messages');
    await page.goto(`${url}/messages/${estimate}`);
    await look(page, 'message');
    await page.locator('.files .button').first().click();
    await page.locator('.sheets img').first().waitFor();
    await look(page, 'preview');

    await page.goto(`${url}/messages/${fwd}`);
    await page.locator('.files a:has-text("読む")').first().click();
    await look(page, 'text');

    // The held file: a wrong password is told, the right one opens it, and the list shows the version that can be read.
    const held = await messageId(hanako, '予算資料');
    await page.goto(`${url}/messages/${held}`);
    const stations = await page.locator('.road li').evaluateAll((all) => all.map((one) => one.className));
    assert.deepEqual(stations, ['done', 'wait', 'open', 'open'], 'held is shown as held');
    await look(page, 'held');
    await page.fill('input[name=password]', 'wrong');
    await page.click('form[action$="/password"] button');
    await until(
      async () => (await (await hanako.get(`/messages/${held}`)).text()).includes('パスワードが違います'),
      60_000,
      'told',
    );
    await page.goto(`${url}/messages/${held}`);
    await page.fill('input[name=password]', 'mugai');
    await page.click('form[action$="/password"] button');
    await until(async () => (await messageId(hanako, '予算資料')) !== held, 60_000, 'the open version is in the list');
    await page.goto(`${url}/messages/${held}`);
    await look(page, 'held-opened');
    await page.locator('#asked a').first().click();
    await page.locator('.files a:has-text("ページを見る")').first().click();
    await page.waitForURL(/\/pages$/);
    assert.equal(await page.locator('.sheets img').count(), 3);

    await page.goto(`${url}/messages/${estimate}`);
    await page.locator('table.parts details summary').last().click();
    await page.locator('table.parts').scrollIntoViewIfNeeded();
    await look(page, 'other-forms');

    await page.goto(`${url}/messages/${estimate}/original`);
    await look(page, 'original');
    await page.fill('#reason', '契約の手続きに原本が必要なため');
    await page.click('main button');
    await look(page, 'originals');
    await jiro.post(`/messages/${estimate}/original`, { reason: '見積書の電子署名を確かめるため' });
    await page.goto(`${url}/approvals`);
    await look(page, 'approvals');
    await page.goto(`${url}/people`);
    await look(page, 'people');
    await page.goto(`${url}/people/jiro`);
    await look(page, 'person');
    await page.goto(`${url}/account`);
    await look(page, 'account');
    await page.click('text=二段階認証を使う');
    await look(page, 'totp');
    const secret = Secret.fromBase32(await page.locator('[data-secret]').innerText());
    const code = (steps: number): string => new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });
    await page.fill('#totp', code(0));
    await page.click('main form button');
    await page.waitForURL(`${url}/account?saved=1`);
    await page.click('text=サインアウト');
    await page.fill('#name', 'hanako');
    await page.fill('#password', PASSWORD);
    await page.click('main button');
    await page.waitForURL(`${url}/sign-in/code`);
    await look(page, 'totp-code');
    await page.fill('#totp', code(1));
    await page.click('main form button');
    await page.goto(`${url}/people/hanako`); // his own: nothing to take away
    assert.equal(await page.locator('form[action$="/factors"]').count(), 0);
    assert.equal((await administrator.post('/people/hanako/factors', {})).status, 200);
    await signInAt(page, url, 'hanako'); // his sessions ended with it
    // Passkeys are bound to a name: here it is localhost.
    const named = url.replace('127.0.0.1', 'localhost');
    await signInAt(page, named, 'hanako');
    await page.goto(`${named}/account`);
    await page.click('text=パスキーを加える');
    await look(page, 'passkey');

    await page.goto(outer);
    await look(page, 'upload');
    await page.fill('#to', STAFF);
    await page.setInputFiles('#file', { name: '地図.png', mimeType: 'image/png', buffer: MAP });
    await page.click('main button');
    await page.locator('#list li:has-text("処理を終えました")').waitFor();
    await look(page, 'upload-receipt');

    // A long document on its way, and one that waits behind it.
    const send = async (name: string, bytes: Buffer): Promise<void> => {
      const form = new FormData();
      form.append('to', STAFF);
      form.append('file', new Blob([new Uint8Array(bytes)]), name);
      assert.equal((await fetch(`${outer}/v1/files`, { method: 'POST', body: form })).status, 202);
    };
    await send('都市計画マスタープラン.pdf', slowPdf(60, 3000));
    await send('パブリックコメント集計.pdf', slowPdf(2, 10));
    await page.goto(`${url}/messages`);
    await page.locator('.on-way progress').first().waitFor();
    await look(page, 'arriving-list');
    await page.locator('.on-way a').first().click();
    await page.locator('.sheets img').first().waitFor();
    await look(page, 'arriving');
    assert.deepEqual(complaints, []);
    await page.goto(`${url}/messages/${'0'.repeat(26)}`);
    await look(page, 'not-found');

    await page.waitForLoadState('networkidle');
    renameSync(`${folder.path}/data/outbox`, `${folder.path}/away`);
    await page.goto(`${url}/messages/${estimate}`);
    await look(page, 'trouble');
    rmSync(`${folder.path}/data/outbox`, { recursive: true, force: true });
    renameSync(`${folder.path}/away`, `${folder.path}/data/outbox`);

    // Seen by somebody who prefers English, on a narrow screen.
    await page.setViewportSize({ width: 420, height: 800 });
    await new Visitor(url).signIn('jiro');
    await page.goto(`${url}/account`);
    await page.selectOption('#language', 'en');
    await page.click('text=保存');
    await page.goto(`${url}/messages`);
    await look(page, 'messages-english-narrow');
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    assert.ok(Number(wide) <= 420, `the page is ${String(wide)} wide`);
  });
});
