// What is on its way: its place in the queue, its first pages readable while the rest is drawn, and nobody else's to see.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { BOARD_LIVES_MS, readerOf, type BoardEntry } from '../../src/outbox/board.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { OnTheWay } from '../../src/portal/arriving.ts';
import { IDLE_MS } from '../../src/portal/sessions.ts';
import { Signer } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { barePortal } from '../support/bare-portal.ts';
import { openBrowser } from '../support/browser.ts';
import { startTestGateway } from '../support/gateway.ts';
import { slowPdf } from '../support/make-pdf.ts';
import { addPerson, firstAdministrator, messageId, portalUrl, signInAt, Visitor } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const STAFF = 'staff@city.example.lg.jp';

async function upload(port: number, name: string, bytes: Buffer): Promise<string> {
  const body = new FormData();
  body.append('to', STAFF);
  body.append('file', new Blob([new Uint8Array(bytes)]), name);
  const answer = await fetch(`http://127.0.0.1:${port}/v1/files`, { method: 'POST', body });
  assert.equal(answer.status, 202);
  const { files } = (await answer.json()) as { files: { id: string }[] };
  return files[0]?.id ?? '';
}

describe('what is on its way', { timeout: 580_000 }, () => {
  it('is in the list with its place; the first pages are read while the rest is drawn, in Chromium; then all of it has come', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path, { MUGAI_WORKERS: '1' });
    const url = portalUrl(gateway);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const taro = await addPerson(administrator, 'taro', ['staff'], 'taro@city.example.lg.jp');
    await using browser = await openBrowser();
    const { page, complaints } = browser;
    await signInAt(page, url, 'hanako');
    const [first, second] = [
      await upload(gateway.uploadPort ?? 0, '計画書.pdf', slowPdf(60, 3000)),
      await upload(gateway.uploadPort ?? 0, '次の書類.pdf', slowPdf(2, 10)),
    ];
    // The list that is open shows them without anybody touching it.
    const row = page.locator(`.on-way:has(a[href="/messages/${first}/arriving"])`);
    await row.waitFor();
    await page.locator(`.on-way:has(a[href="/messages/${second}/arriving"]) >> text=順番待ち`).waitFor();
    await row.locator('progress').waitFor();
    assert.match(await row.innerText(), /60ページ中\d+ページできました/);
    await row.locator('a').click();
    const sheets = page.locator('.sheets li');
    await sheets.first().waitFor();
    const drawn = await page
      .locator('.sheets img')
      .first()
      .evaluate(async (image) => {
        const shown = image as unknown as { decode(): Promise<void>; naturalWidth: number };
        await shown.decode();
        return shown.naturalWidth;
      });
    assert.ok(drawn > 500, `${drawn} pixels wide`);
    const early = await sheets.count();
    assert.ok(early < 60, 'the rest is still being drawn');
    await until(async () => (await sheets.count()) > early, 60_000, 'more pages come by themselves');
    const live = await page.locator('.sheets img').first().getAttribute('src');
    // Another person finds none of it; nor is a page handed out that is not there.
    for (const path of [`/messages/${first}/arriving`, live ?? '']) {
      const answer = await taro.get(path);
      assert.equal(answer.status, 404, path);
      assert.equal(await answer.text(), await (await taro.get(`/messages/${newMessageId()}/arriving`)).text());
    }
    assert.doesNotMatch(await (await taro.get('/messages')).text(), /計画書/);
    assert.equal((await hanako.get((live ?? '').replace(/1$/, '600'))).status, 404);
    assert.equal((await hanako.get((live ?? '').replace(/\/[^/]+\/1$/, '/02-other.pdf/1'))).status, 404);
    assert.equal((await hanako.get(`/messages/${first}`)).status, 404, 'no package yet');
    await messageId(hanako, '計画書', 180_000);
    await page.locator('text=全部そろいました').click();
    await page.waitForURL(`${url}/messages/${first}`);
    assert.equal((await hanako.get(live ?? '')).status, 404, 'the package has their place now');
    assert.equal((await hanako.get(`/messages/${first}/arriving`)).headers.get('location'), `/messages/${first}`);

    // A finer picture of two pages: asked, drawn, looked at, without another package or mail.
    await page.locator('summary').first().click();
    await page.fill('input[name=from]', '7');
    await page.fill('input[name=to]', '8');
    await page.click('form[action$="/render"] button');
    await page.locator('#asked .state.good').waitFor();
    await page.locator('#asked a').first().click();
    await page.locator('.sheets li').nth(1).waitFor();
    const wide = await page
      .locator('.sheets img')
      .first()
      .evaluate(async (image) => {
        const shown = image as unknown as { decode(): Promise<void>; naturalWidth: number };
        await shown.decode();
        return shown.naturalWidth;
      });
    assert.ok(wide > 1.8 * drawn, `${wide} pixels wide at 300 dpi, ${drawn} before`);
    const asked = new URL(page.url()).pathname;
    assert.equal((await taro.get(asked)).status, 404);
    assert.equal((await taro.get(`${asked}/01-x.pdf/1`)).status, 404);
    assert.deepEqual(complaints, []);
  });

  it('is believed only when a known key signed it lately, and told to its recipients only', async () => {
    await using folder = await scratch();
    const outbox = new Outbox(await openFsStore(folder.path));
    const [pair, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
    let now = Date.now();
    const way = new OnTheWay(outbox, keys, () => now);
    const entry: BoardEntry = {
      id: newMessageId(),
      for: [readerOf('Hanako@City.example.lg.jp')],
      kind: 'mail',
      name: '',
      from: 'a@example.com',
      size: 5,
      ahead: 2,
      done: 0,
      pages: 0,
      seconds: 20,
    };
    const mine = ['hanako@city.example.lg.jp'];
    const write = async (run: string, key: typeof pair, more: Partial<BoardEntry> = {}, at = now): Promise<void> => {
      const board = { run, at, entries: [{ ...entry, ...more }] };
      await outbox.boards.write(board, undefined, new Signer(key.privateKey).signBoard(board));
      now += 2000;
    };
    await write('0000000a', other);
    assert.deepEqual(await way.of(mine), [], 'a foreign key');
    await write('0000000b', pair);
    assert.equal((await way.of(mine))[0]?.ahead, 2);
    assert.deepEqual(await way.of(['taro@city.example.lg.jp']), []);
    await write('0000000c', pair, { ahead: 0, done: 3, pages: 9 });
    assert.equal((await way.of(mine))[0]?.done, 3, 'the further board counts');
    assert.ok((await way.find(entry.id as never, mine)) !== undefined);
    now += BOARD_LIVES_MS + 1000;
    assert.deepEqual(await way.of(mine), [], 'old news');
    // A board under another name (an old one put back) is none.
    const board = { run: '0000000d', at: now, entries: [entry] };
    const bytes = new Signer(pair.privateKey).signBoard(board);
    now += 2000;
    await outbox.boards.write({ run: '0000000d', at: now }, undefined, bytes);
    assert.deepEqual(await way.of(mine), []);
    await outbox.boards.sweep(now + 10 * BOARD_LIVES_MS);
    assert.deepEqual((await outbox.boards.entries(keys, now)).size, 0);
  });

  it('the stream that a page listens to keeps no session alive and ends with it', async () => {
    const bare = await barePortal(['x']);
    try {
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      const cookie = [...visitor.cookies].map((pair) => pair.join('=')).join('; ');
      const events = await fetch(`${bare.url}/live?list`, {
        headers: { accept: 'text/event-stream', cookie },
      });
      assert.equal(events.headers.get('content-type'), 'text/event-stream');
      assert.match(events.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      const reader = events.body?.getReader();
      const heard = await reader?.read();
      assert.match(new TextDecoder().decode(heard?.value), /^data: [\w-]{16}\n\n$/);
      for (let spent = 0; spent <= IDLE_MS; spent += IDLE_MS / 10) {
        assert.equal((await visitor.get('/live')).status, 200);
        bare.pass(IDLE_MS / 10);
      }
      assert.equal((await visitor.get('/live')).status, 303, 'nobody was there for so long');
      while ((await reader?.read())?.done === false); // the server ends it
    } finally {
      await bare.close();
    }
  });

  it('what is said while a page fetches itself, and what it could not fetch, is shown none the less', async () => {
    const bare = await barePortal(['前の件名']);
    try {
      await using browser = await openBrowser();
      const { page } = browser;
      await bare.signIn(page);
      const rename = (subject: string): number => bare.db.run('UPDATE idx.messages SET subject = ?', subject);
      const events = (...tokens: string[]): string =>
        `retry: 600000\n\n${tokens.map((token) => `data: ${token}\n\n`).join('')}`;
      let said = events('one', 'two');
      await page.route('**/live?*', async (route) => route.fulfill({ contentType: 'text/event-stream', body: said }));
      let fetches = 0;
      let first: 'old' | 'fails' = 'old';
      await page.route('**/messages', async (route) => {
        if (route.request().headers()['x-mugai-by-itself'] === undefined) return route.continue();
        fetches += 1;
        if (fetches > 1) return route.continue();
        if (first === 'fails') return route.fulfill({ status: 503, body: '' });
        // Something changes after this answer was made, and is said before it is there.
        const response = await route.fetch();
        const body = await response.text();
        rename('次の件名');
        return route.fulfill({ response, body });
      });
      await page.goto(`${bare.url}/messages`);
      await page.locator('td.subject >> text=次の件名').waitFor();
      assert.equal(fetches, 2);

      [said, fetches, first] = [events('three'), 0, 'fails'];
      await page.goto(`${bare.url}/messages`);
      await until(() => fetches === 1, 60_000, 'the first one failed');
      rename('後の件名');
      await page.locator('td.subject >> text=後の件名').waitFor();
    } finally {
      await bare.close();
    }
  });
});
