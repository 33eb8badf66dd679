// A part in another form: as words, as values of its sheets, or (approved, scanned, on the outer side) as it came.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, newMessageId, type MessageId } from '../../src/message/id.ts';
import type { PartRow } from '../../src/message/part.ts';
import { MANIFEST, keyId, signStatement } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { decodeRequest } from '../../src/requests/request.ts';
import { inertCsv } from '../../src/sanitise/inert-csv.ts';
import { linesOf } from '../../src/sanitise/only-text.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { PART, barePortal, entriesFor, openBarePortal } from '../support/bare-portal.ts';
import { openBrowser } from '../support/browser.ts';
import { startClamd } from '../support/clamd.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { gatewayEnv, startGatewayProcess } from '../support/gateway-process.ts';
import { sheetData, xlsx } from '../support/office-files.ts';
import { addPerson, firstAdministrator, messageId, portalUrl, signInAt, Visitor } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

type Row = Partial<PartRow> & Pick<PartRow, 'path'>;

const STAFF = 'staff@city.example.lg.jp';
const BOOK = xlsx([
  {
    name: '予算',
    xml: sheetData([
      ['款', '項', '金額'],
      ['総務費', '=2+5', 12345],
      ['a,b', '"引用"', -7],
    ]),
  },
  { name: '二枚目', xml: sheetData([['次の表']]) },
]);

/** Its sheets as values: what would be taken for a formula stays text. */
const VALUES = ['款,項,金額\n総務費,\'=2+5,12345\n"a,b","""引用""",-7', '次の表'];

/** What the text files of a message say, in their order. */
async function sheetsOf(visitor: Visitor, id: string): Promise<string[]> {
  const page = await (await visitor.get(`/messages/${id}`)).text();
  const links = page.matchAll(/href="(\/messages\/[^"]+\/files\/[^"/]+\.txt)" download/g);
  return Promise.all([...links].map(async ([, link = '']) => (await (await visitor.get(link)).text()).trim()));
}

function mailWith(name: string, bytes: Buffer): string {
  return [
    'From: vendor@example.com',
    `To: ${STAFF}`,
    'Subject: =?utf-8?B?5LqI566X44Gu6KGo?=',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '表をお送りします。',
    '--b',
    `Content-Type: application/octet-stream; name="${name}"`,
    'Content-Transfer-Encoding: base64',
    '',
    bytes.toString('base64').replace(/.{76}/g, '$&\r\n'),
    '--b--',
    '',
  ].join('\r\n');
}

describe('a part in another form', { timeout: 580_000 }, () => {
  it('words and values come from the original anew, for the portal only; the original of one part leaves on the outer side', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(join(folder.path, 'clamd'));
    await using gateway = await startTestGateway(join(folder.path, 'data'), { MUGAI_CLAMD: clamd.socket });
    const url = portalUrl(gateway);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const kacho = await addPerson(administrator, 'kacho', ['approver']);
    await sendMail(gateway.smtpPort ?? 0, mailWith('yosan.xlsx', BOOK));
    const id = await messageId(hanako, '予算の表', 120_000);
    const delivered = async (): Promise<number> => {
      const names = await readdir(join(folder.path, 'data', 'delivered'), { recursive: true });
      return names.filter((name) => name.endsWith('.eml')).length;
    };
    await until(async () => (await delivered()) === 1, 60_000, 'the mail itself is delivered');

    await using browser = await openBrowser();
    const { page, complaints } = browser;
    await signInAt(page, url, 'hanako');
    const open = async (form: string): Promise<string> => {
      await page.goto(`${url}/messages/${id}`);
      await page.click('table.parts summary');
      await page.click(`form[action$="/${form}"] button`);
      await page.locator('#asked .state.good').first().waitFor();
      await page.locator('#asked li').first().locator('a').click();
      await page.locator('.files a:has-text("読む")').first().click();
      return page.locator('pre.text').innerText();
    };
    assert.equal((await open('values')).trim(), VALUES[0]);
    const made = new URL(page.url()).pathname.split('/')[2] ?? '';
    assert.deepEqual(await sheetsOf(hanako, made), VALUES, 'every sheet');
    const words = await open('text');
    for (const word of ['款', '総務費', '12345', '次の表']) assert.ok(words.includes(word), `${word} in ${words}`);
    assert.equal(await delivered(), 1, 'nobody gets an answer by mail');
    const list = await (await hanako.get('/messages')).text();
    assert.equal(list.match(/class="subject"/g)?.length, 1, 'nor does it stand in the list');
    for (const form of ['text', 'values'])
      assert.equal((await hanako.post(`/messages/${id}/${form}`, { part: '9' })).status, 404, 'no such part');
    assert.deepEqual(complaints, []);

    await page.goto(`${url}/messages/${id}`);
    await page.click('table.parts summary');
    await page.click('text=この部分の原本');
    assert.match(await page.locator('main').innerText(), /yosan\.xlsx/);
    await page.fill('#reason', '数式を確かめるため');
    await page.click('main form button');
    const asked = await (await kacho.get('/approvals')).text();
    const request = /action="\/approvals\/([0-9a-f]{32})"/.exec(asked)?.[1] ?? '';
    const sha256 = createHash('sha256').update(BOOK).digest('hex');
    assert.ok(asked.includes(sha256), 'the approver sees the digest of the part');
    await kacho.post(`/approvals/${request}`, { yes: '1', sha256 });
    const told = await (await hanako.post(`/originals/${request}/link`, {})).text();
    const link = /\/originals\/[0-9a-z]{26}\.[A-Za-z0-9_-]{43}/.exec(told)?.[0] ?? '';
    const outer = `http://127.0.0.1:${gateway.uploadPort}`;
    await until(async () => (await fetch(outer + link)).status === 200, 60_000, 'scanned');
    const got = await fetch(outer + link, { method: 'POST' });
    assert.match(got.headers.get('content-disposition') ?? '', /filename="yosan\.xlsx"/);
    assert.ok(Buffer.from(await got.arrayBuffer()).equals(BOOK), 'byte for byte');
    assert.equal((await fetch(outer + link, { method: 'POST' })).status, 404, 'once');
    // A part that is not there, or that has no name of a file, is nothing to ask for.
    for (const part of ['7', '1'])
      assert.equal((await hanako.get(`/messages/${id}/original?part=${part}`)).status, 404, part);
  });

  it('a part is asked only for what its page offers: what cannot be had is refused plainly, and nothing is sent', async () => {
    const ms = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
    const bare = await barePortal(
      ['頼みごと'],
      [
        { path: '2', verdict: 'held', reason: 'password-needed' },
        { path: '3', verdict: 'held', reason: 'password-wrong' },
        { path: '4', verdict: 'held', reason: 'converter-failed' },
        { path: '5', verdict: 'refused', reason: 'encrypted' },
        { path: '6', verdict: 'pages', pages: 3 },
        { path: '7', verdict: 'pages', pages: 1, detectedType: ms },
        { path: '8', verdict: 'pages', pages: 9, detectedType: 'image/tiff' },
        { path: '9', verdict: 'pages', pages: 9, detectedType: 'application/vnd.hancom.hwp' },
        { path: '10', verdict: 'pages', pages: 9, detectedType: 'application/vnd.fujixerox.docuworks' },
      ],
    );
    try {
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      const [id] = bare.ids;
      const page = await (await visitor.get(`/messages/${id}`)).text();
      const can = { password: ['2', '3'], render: ['6', '7', '9'], text: ['6', '7'], values: ['7'] };
      for (const [kind, parts] of Object.entries(can)) {
        const offered = page.matchAll(
          new RegExp(`action="/messages/${id}/${kind}"[^]*?name="part" value="([0-9.]+)"`, 'g'),
        );
        assert.deepEqual(
          [...offered].map(([, part]) => part),
          parts,
          kind,
        );
        for (const part of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']) {
          bare.pass(16 * 60_000); // more requests than a person may send at once
          const form = {
            part,
            password: 'x',
            dpi: '300',
            from: '1',
            to: '1',
            ...(part === '6' ? { colour: '1' } : {}),
          };
          const answer = await visitor.post(`/messages/${id}/${kind}`, form);
          assert.equal(answer.status, parts.includes(part) ? 303 : 400, `${kind} of ${part}`);
        }
      }
      const waiting = join(bare.root, 'requests', 'waiting');
      const sent = await Promise.all((await readdir(waiting)).map(async (name) => readFile(join(waiting, name))));
      assert.equal(sent.length, 8);
      const renders = sent.map(decodeRequest).filter((request) => request.kind === 'render');
      assert.deepEqual(
        renders.filter(({ colour }) => colour === true).map(({ part }) => part),
        ['6'],
        'in colour where that was asked for',
      );
    } finally {
      await bare.close();
    }
  });

  it('a part that a password opened is not asked for anew: nobody keeps the password', async () => {
    await using folder = await scratch();
    const pair = generateKeyPairSync('ed25519');
    const outbox = new Outbox(await openFsStore(join(folder.path, 'outbox')));
    const [first, opened] = [newMessageId(), newMessageId()];
    const add = async (id: MessageId, rows: readonly Row[], revises?: MessageId): Promise<unknown> =>
      outbox.add(
        id,
        entriesFor(id, '鍵つき', ({ predicate, ...statement }) => {
          const parts = [...predicate.parts, ...rows.map((row) => ({ ...PART, ...row }))];
          const more = revises === undefined ? { parts } : { parts, revises };
          return signStatement(
            { ...statement, predicate: { ...predicate, ...more } },
            pair.privateKey,
            keyId(pair.publicKey),
          );
        }),
      );
    const locked = { verdict: 'held', reason: 'password-needed' } as const;
    const pages = { verdict: 'pages', pages: 3 } as const;
    await add(first, [
      { path: '2', ...locked },
      { path: '3', ...locked, detectedType: 'application/zip' },
      { path: '4', ...pages },
    ]);
    const rows: Row[] = [
      { path: '2', ...pages },
      { path: '3', verdict: 'expanded', detectedType: 'application/zip' },
      { path: '3.1', ...pages },
      { path: '4', ...pages },
    ];
    await add(opened, rows, first);
    const bare = await openBarePortal(folder.path, pair.publicKey);
    try {
      const visitor = new Visitor(bare.url);
      await visitor.signIn('reader');
      const page = await (await visitor.get(`/messages/${opened}`)).text();
      for (const kind of ['render', 'text']) {
        const offered = page.matchAll(
          new RegExp(`action="/messages/${opened}/${kind}"[^]*?name="part" value="([0-9.]+)"`, 'g'),
        );
        assert.deepEqual(
          [...offered].map(([, part]) => part),
          ['4'],
          kind,
        );
        for (const part of ['2', '3.1', '4']) {
          const form = { part, dpi: '300', from: '1', to: '1' };
          assert.equal(
            (await visitor.post(`/messages/${opened}/${kind}`, form)).status,
            part === '4' ? 303 : 400,
            part,
          );
        }
      }
      const originals = [...page.matchAll(/original\?part=([0-9.]+)"/g)].map(([, part]) => part);
      assert.deepEqual(
        originals,
        ['1', '2', '3', '4'],
        'what lies in a locked archive has none that the middle could give out',
      );
    } finally {
      await bare.close();
    }
  });

  it('a cell that a spreadsheet would take for a formula stays text (CWE-1236)', () => {
    const inert = inertCsv('=cmd|x,+1,-2.5,@a,"=""q"" , z"\n-x,100%,\t=1,"two\nlines"');
    assert.equal(inert, `'=cmd|x,+1,-2.5,'@a,"'=""q"" , z"\n'-x,100%,"'\t=1","two\nlines"`);
    assert.equal(inertCsv(''), '');
    assert.equal(inertCsv('a,b\n'), 'a,b');
  });

  it('runs become lines by where they stand, along the direction of writing', () => {
    const run = (text: string, x: number, y: number, dx: number, dy = 0) => ({ text, x, y, dx, dy, size: 10 });
    const across = [
      run('Hello', 10, 100, 50),
      run('world', 64, 100, 50),
      run('7', 200, 100, 5),
      run('next', 10, 85, 40),
    ];
    assert.equal(linesOf(across), 'Hello world\t7\nnext');
    const down = [run('縦', 100, 700, 0, -20), run('書', 100, 680, 0, -20), run('次', 80, 700, 0, -20)];
    assert.equal(linesOf(down), '縦書\n次');
  });
});

describe('a part in another form, with nothing installed', { timeout: 800_000 }, () => {
  it('values come from the embedded engine where the system has no LibreOffice', async () => {
    await using folder = await scratch();
    const without = ['unshare', '--mount', 'sh', '-ec', 'mount -t tmpfs none /usr/lib/libreoffice; exec "$@"', 'sh'];
    const running = await startGatewayProcess(gatewayEnv(folder.path), 'all', without);
    try {
      const told = running.lines.map((line) => JSON.parse(line) as { url?: string; code?: string });
      const first = told.find(({ code, url }) => code !== undefined && url?.endsWith('/first') === true);
      const gateway = { portal: { port: Number(new URL(first?.url ?? '').port), firstCode: first?.code } };
      const hanako = await firstAdministrator(gateway, 'hanako', STAFF);
      await sendMail(running.smtpPort, mailWith('yosan.xlsx', BOOK));
      const id = await messageId(hanako, '予算の表', 300_000);
      assert.equal((await hanako.post(`/messages/${id}/values`, { part: '2' })).status, 303);
      let made = '';
      await until(
        async () => {
          const page = await (await hanako.get(`/messages/${id}`)).text();
          made = /できました<\/span\s*>\s*<a href="\/messages\/([0-9a-z]{26})"/.exec(page)?.[1] ?? '';
          return made !== '';
        },
        300_000,
        'the values are there',
      );
      assert.deepEqual(await sheetsOf(hanako, made), VALUES);
      const sealed = await readFile(join(folder.path, 'outbox', folderOf(made as MessageId), MANIFEST), 'utf8');
      const { payload } = JSON.parse(sealed) as { payload: string };
      assert.match(Buffer.from(payload, 'base64').toString(), /LibreOffice-WASM/, 'no other engine was there');
    } finally {
      await running.end('SIGTERM');
    }
  });
});
