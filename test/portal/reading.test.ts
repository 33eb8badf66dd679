// The journey of a member of staff, in a real Chromium: first sign-in, the list, a message, its pages, its files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { barePortal } from '../support/bare-portal.ts';
import { openBrowser } from '../support/browser.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, messageId, portalUrl, signInAt, PASSWORD, Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';

const SAMPLE = fileURLToPath(new URL('../../samples/mail/iso-2022-jp-attachments.eml', import.meta.url));

async function sample(): Promise<Buffer> {
  return Buffer.from(
    (await readFile(SAMPLE, 'latin1')).replace(/\r?\n/g, '\r\n').replace(/\r\n\./g, '\r\n..'),
    'latin1',
  );
}

describe('staff read what came', { timeout: 580_000 }, () => {
  it('first sign-in, list, search, message, page preview, download, zip; with no word of complaint from the browser', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path, {}, { firstAddress: 'staff@city.example.lg.jp' });
    const url = portalUrl(gateway);
    await sendMail(gateway.smtpPort ?? 0, await sample());
    await sendMail(gateway.smtpPort ?? 0, plainMail('別の便り'));
    await using browser = await openBrowser();
    const { page, complaints } = browser;

    await page.goto(url);
    await page.click('text=コードを受け取った方はこちら');
    await page.fill('#code', gateway.portal?.firstCode ?? '');
    await page.fill('#name', 'hanako');
    await page.fill('#display', '佐倉 花子');
    assert.equal(await page.inputValue('#address'), 'staff@city.example.lg.jp');
    await page.fill('#password', PASSWORD);
    await page.fill('#again', PASSWORD);
    await page.click('main button');
    await page.waitForURL(`${url}/messages`);
    // The code is used up.
    const again = new Visitor(url);
    const code = gateway.portal?.firstCode ?? '';
    const form = { code, name: 'x1', display: 'x', address: '', password: PASSWORD, again: PASSWORD };
    assert.equal((await again.post('/first', form, '/first')).status, 403);

    const staff = new Visitor(url);
    assert.equal((await staff.signIn('hanako')).status, 303);
    const id = await messageId(staff, '事務用椅子');
    await messageId(staff, '別の便り');

    await page.fill('#q', '椅子');
    await page.click('text=表示');
    await page.waitForURL(/[?&]q=/);
    assert.equal(await page.locator('td.subject a').count(), 1);
    await page.click('td.subject a');
    assert.match(await page.locator('pre.text').innerText(), /御見積書をお送りします/);
    assert.match(await page.locator('table.parts').innerText(), /見えなくなったもの/);

    await page.locator('.files a:has-text("ページを見る")').first().click();
    const picture = page.locator('.sheets img').first();
    await picture.waitFor();
    const drawn = await picture.evaluate(async (image) => {
      const shown = image as unknown as { decode(): Promise<void>; naturalWidth: number };
      await shown.decode();
      return shown.naturalWidth;
    });
    assert.ok(drawn > 500, `the page is ${drawn} pixels wide`);
    const first = await picture.boundingBox();
    const middle = (first?.x ?? 0) + (first?.width ?? 0) / 2;
    assert.ok(
      Math.abs(middle - 683) < 10 && (first?.width ?? 0) === 800,
      `as wide as on paper, in the middle: ${middle}`,
    );
    await page.keyboard.press('+');
    assert.equal(await page.locator('.sheets').getAttribute('class'), 'sheets zoom-3');
    for (let larger = 0; larger < 3; larger++) await page.keyboard.press('+');
    const box = await picture.boundingBox();
    assert.ok(
      (box?.width ?? 0) > 1366 && (box?.x ?? -1) >= 0,
      'larger than the screen, and its left side can be reached',
    );
    for (let smaller = 0; smaller < 9; smaller++) await page.keyboard.press('-');
    assert.ok(((await picture.boundingBox())?.height ?? 1e9) < 768, 'a whole page on the screen');
    await page.goBack();

    const downloading = page.waitForEvent('download');
    await page.locator('.files a:has-text("ダウンロード")').first().click();
    const download = await downloading;
    const bytes = await readFile(await download.path());
    assert.equal(bytes.subarray(0, 5).toString(), '%PDF-');
    const named = download.suggestedFilename();
    assert.match(named, /^01-御見積書.*\.pdf$/);
    assert.equal((await staff.get(`/messages/${id}/files/${encodeURIComponent(named)}`)).status, 200);

    const zip = await staff.get(`/messages/${id}/all.zip`);
    assert.equal(zip.headers.get('content-type'), 'application/zip');
    const all = Buffer.from(await zip.arrayBuffer());
    assert.ok(all.includes(bytes), 'the zip holds the file as it is');
    assert.ok(createHash('sha256').update(all).digest('hex').length === 64);
    assert.deepEqual(complaints, []);
  });

  it('another person neither sees the message nor finds it by its address, and the administrator does not either', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], 'staff@city.example.lg.jp');
    const taro = await addPerson(administrator, 'taro', ['staff'], 'taro@city.example.lg.jp');
    await sendMail(gateway.smtpPort ?? 0, await sample());
    const id = await messageId(hanako, '事務用椅子');
    for (const visitor of [taro, administrator]) {
      for (const path of ['', '/all.zip', '/files/message.txt', '/files/01-x.pdf/pages', '/files/01-x.pdf/pages/1']) {
        const answer = await visitor.get(`/messages/${id}${path}`);
        const absent = await visitor.get(`/messages/01m82tfhc8jr0vvtht45j76prw${path}`);
        assert.equal(answer.status, 404, path);
        assert.equal(await answer.text(), await absent.text(), 'the same answer as for a message that is not there');
      }
      assert.doesNotMatch(await (await visitor.get('/messages')).text(), /事務用椅子/);
    }
  });

  it("a section's mailbox and a stand-in see it while they may, and not a moment longer", async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], 'staff@city.example.lg.jp');
    const taro = await addPerson(administrator, 'taro', ['staff']);
    await sendMail(gateway.smtpPort ?? 0, plainMail('課の便り'));
    const id = await messageId(hanako, '課の便り');
    const status = async (): Promise<number> => (await taro.get(`/messages/${id}`)).status;
    assert.equal(await status(), 404);

    const address = 'staff@city.example.lg.jp';
    await administrator.post('/people/taro/addresses', { address, kind: 'shared' });
    assert.equal(await status(), 200);
    await administrator.post('/people/taro/addresses/take', { address });
    assert.equal(await status(), 404);

    const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    for (const until of [day(-2), day(100), 'never'])
      assert.equal((await hanako.post('/account/delegate', { taker: 'taro', until })).status, 400, until);
    assert.equal((await hanako.post('/account/delegate', { taker: 'taro', until: day(7) })).status, 303);
    assert.equal(await status(), 200);
    assert.match(await (await taro.get('/account')).text(), /代理 hanako/);
    await hanako.post('/account/delegate/end', { taker: 'taro' });
    assert.equal(await status(), 404);
  });

  it('a stand-in reads no address for longer than the one who lent it, and sees how long that is', async () => {
    const bare = await barePortal(['期限つきの便り']);
    try {
      const { accounts, sessions } = bare.portal.desk;
      const [now, hour] = [Date.now(), 3_600_000];
      accounts.add('standin', '代理', ['staff']);
      accounts.delegate('reader', 'standin', now + 10 * hour);
      const untilOf = (at: number) => accounts.mailboxes('standin', at).map(({ until }) => until);
      assert.deepEqual(untilOf(now), [now + 10 * hour]);
      accounts.giveAddress('reader', 'staff@city.example.lg.jp', 'own', now + hour, 'test');
      assert.deepEqual(untilOf(now), [now + hour]);
      const visitor = new Visitor(bare.url);
      visitor.cookies.set(SESSION_COOKIE, sessions.begin('standin', 'full'));
      assert.match(await (await visitor.get('/messages')).text(), /期限つきの便り/);
      bare.pass(hour + 1000);
      visitor.cookies.set(SESSION_COOKIE, sessions.begin('standin', 'full'));
      assert.doesNotMatch(await (await visitor.get('/messages')).text(), /期限つきの便り/);
      assert.equal((await visitor.get(`/messages/${bare.ids[0]}`)).status, 404);
      accounts.giveAddress('reader', 'staff@city.example.lg.jp', 'own', now + 20 * hour, 'test');
      assert.deepEqual(untilOf(now + 2 * hour), [now + 10 * hour], 'the delegation ends by itself, too');
    } finally {
      await bare.close();
    }
  });

  it('a search for signs that stand in no text finds nothing, and an empty one leaves the list as it is', async () => {
    const bare = await barePortal(['探す便り', '別の便り']);
    try {
      const reader = new Visitor(bare.url);
      await reader.signIn('reader');
      const found = async (words: string): Promise<number> => {
        const page = await (await reader.get(`/messages?q=${encodeURIComponent(words)}`)).text();
        return page.match(/class="subject"/g)?.length ?? 0;
      };
      for (const words of ['***', '"', '😀', ' ! ', '。']) {
        assert.equal(await found(words), 0, words);
        const { lines } = bare.index.lists.listAll({ filter: 'all', words, before: undefined, most: 50 });
        assert.equal(lines.length, 0, `the operator's list: ${words}`);
      }
      for (const [words, count] of [
        ['', 2],
        [' 　', 2],
        ['探す***', 1],
      ] as const)
        assert.equal(await found(words), count, words);
    } finally {
      await bare.close();
    }
  });

  it('everybody begins with what his role is for, in the language that his browser asked for', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    for (const [role, begin] of [
      ['staff', '/messages'],
      ['approver', '/approvals'],
      ['operator', '/console'],
      ['auditor', '/audit'],
      ['administrator', '/people'],
    ] as const) {
      const visitor = await addPerson(administrator, `one-${role}`, [role]);
      assert.equal((await visitor.get('/')).headers.get('location'), begin);
    }
    const made = await administrator.post('/people', { name: 'alice', display: 'Alice', address: '', role: ['staff'] });
    const code = /<code class="code">([^<]+)</.exec(await made.text())?.[1] ?? '';
    await using browser = await openBrowser('en');
    const { page } = browser;
    await page.goto(`${portalUrl(gateway)}/first`);
    await page.fill('#code', code);
    await page.fill('#password', PASSWORD);
    await page.fill('#again', PASSWORD);
    await page.click('main button');
    assert.equal(await page.locator('h1').innerText(), 'Messages');
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });

  it('everything can be done without scripts', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway, 'kanri', 'staff@city.example.lg.jp');
    await sendMail(gateway.smtpPort ?? 0, await sample());
    await messageId(administrator, '事務用椅子');
    await using browser = await openBrowser('en', false);
    const { page } = browser;
    await signInAt(page, portalUrl(gateway), 'kanri');
    await page.click('td.subject a');
    await page.locator('.files .button').first().click();
    await page.waitForURL(/\/pages$/);
    assert.equal(await page.locator('.sheets img').count(), 1);
    assert.equal(await page.locator('button:visible:has-text("大きく")').count(), 0, 'no button that does nothing');
    await page.goBack();
    await page.click('text=未読に戻す');
    await page.waitForURL(/\/messages$/);
    assert.equal(await page.locator('tr.unread').count(), 1);
    await page.click('text=サインアウト');
    await page.waitForURL(/\/sign-in\?out=1$/);
    await page.goto(`${portalUrl(gateway)}/messages`);
    assert.match(page.url(), /\/sign-in/);
  });
});
