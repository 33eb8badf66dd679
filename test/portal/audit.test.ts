// The auditor's page: what was delivered is given to it, by a form without scripts, and it tells where that came from; what was
// tampered with it refuses with the gate's rule. Everything that was asked is in the journal.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { entriesOf } from '../../src/audit/export.ts';
import { placesOf } from '../../src/audit/story.ts';
import { putAside, TooLarge } from '../../src/portal/upload.ts';
import { openBrowser } from '../support/browser.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { look } from '../support/look.ts';
import { addPerson, firstAdministrator, messageId, PASSWORD, portalUrl, type Visitor } from '../support/portal.ts';
import { scratch, until, type Scratch } from '../support/scratch.ts';

const STAFF = 'staff@city.example.lg.jp';
const MANIFEST = 'manifest.dsse.json';

/** Verdict and words of each thing on a page of results: `true 見出し …`. */
function verdicts(page: string): string[] {
  return [...page.matchAll(/<section class="judged" data-holds="(true|false)">([\s\S]*?)<\/section>/g)].map(
    ([, holds = '', body = '']) =>
      `${holds} ${body
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()}`,
  );
}

describe('the auditor’s page', { timeout: 580_000 }, () => {
  let folder: Scratch;
  let gateway: Awaited<ReturnType<typeof startTestGateway>>;
  let auditor: Visitor;
  let id: string;
  /** The package as it lies in the outbox, by name. */
  let files: Map<string, Buffer>;

  before(async () => {
    folder = await scratch();
    // Originals are asked for, and none is released here.
    gateway = await startTestGateway(folder.path, { MUGAI_CLAMD: `${folder.path}/clamd.sock` });
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const kacho = await addPerson(administrator, 'kacho', ['approver']);
    auditor = await addPerson(administrator, 'kansa', ['auditor']);
    const body = plainMail('契約書の件').replace('text/plain; charset=utf-8', 'multipart/mixed; boundary=b');
    const attached =
      '--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n本文\r\n--b\r\nContent-Type: text/plain; charset=utf-8; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n添付の文\r\n--b--';
    await sendMail(gateway.smtpPort ?? 0, body.replace('こんにちは', attached));
    id = await messageId(hanako, '契約書の件');
    await hanako.post(`/messages/${id}/original`, { reason: '契約の手続きに原本が必要' });
    const asked = await (await kacho.get('/approvals')).text();
    const original = /action="\/approvals\/([0-9a-f]{32})"/.exec(asked)?.[1] ?? '';
    const sha256 = /name="sha256"\s+value="([0-9a-f]{64})"/.exec(asked)?.[1] ?? '';
    assert.equal((await kacho.post(`/approvals/${original}`, { yes: '1', sha256 })).status, 303);
    const shard = (await readdir(join(folder.path, 'outbox'))).find((name) => /^\d{8}-\d{2}$/.test(name)) ?? '';
    const root = join(folder.path, 'outbox', shard, id);
    const names = await readdir(root, { recursive: true, withFileTypes: true });
    files = new Map();
    for (const entry of names.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      files.set(path.slice(root.length + 1), await readFile(path));
    }
    assert.ok(files.has(MANIFEST) && files.size === 3, [...files.keys()].join(' '));
    await until(async () => (await lines(['delivered'])).length > 0, 60_000, 'the inner journal tells of the delivery');
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const attachment = (): [string, Buffer] =>
    [...files].find(([name]) => name.startsWith('files/')) ?? ['', Buffer.alloc(0)];
  const predicate = (): {
    source: { sha256: string };
    policy: { sha256: string };
    receivedAt: string;
    chain: string[];
  } => {
    const { payload } = JSON.parse((files.get(MANIFEST) ?? '').toString()) as { payload: string };
    return (JSON.parse(Buffer.from(payload, 'base64').toString()) as { predicate: ReturnType<typeof predicate> })
      .predicate;
  };
  const lines = async (acts: readonly string[]) => {
    const found = [];
    for await (const line of entriesOf(join(folder.path, 'journal', 'inner'), {}))
      if (acts.includes(line.act)) found.push(line);
    return found;
  };
  const ask = async (given: readonly (readonly [string, Uint8Array])[]): Promise<string> => {
    const answer = await auditor.upload(
      '/audit',
      given.map(([name, bytes]) => ({ name, bytes })),
    );
    assert.equal(answer.status, 200);
    return answer.text();
  };
  const inFolder = (change: (files: Map<string, Buffer>) => void): [string, Buffer][] => {
    const copy = new Map(files);
    change(copy);
    return [...copy].map(([name, bytes]) => [`package/${name}`, bytes]);
  };

  it('a delivered file by itself: source, policy, engine, times, approvals and places in the journals', async () => {
    const [name, bytes] = attachment();
    const page = await ask([['a.txt', bytes]]);
    const [told = '', ...others] = verdicts(page);
    assert.deepEqual(others, []);
    assert.match(told, /^true a\.txt 確かめました/);
    const { source, policy, receivedAt, chain } = predicate();
    assert.equal(chain.length, 2);
    for (const words of [id, source.sha256, policy.sha256, receivedAt, name, ...chain])
      assert.ok(told.includes(words), words);
    assert.match(told, /エンジン \S+ \(/);
    assert.match(told, /承認 .* kacho .* for: hanako/);
    assert.match(told, /配達/);
    // Both places are those lines of the journals, which lie on this machine.
    assert.equal(page.match(/data-place="line"/g)?.length, 2);
  });

  it('a package: all files hold; a changed, added or missing one is refused by its rule', async () => {
    assert.match(
      verdicts(await ask(inFolder(() => undefined)))[0] ?? '',
      /^true package\/manifest\.dsse\.json 確かめました/,
    );
    const [name] = attachment();
    const tampered: readonly [(copy: Map<string, Buffer>) => void, RegExp][] = [
      [(copy) => copy.set(name, Buffer.from('別の文\n')), /file-digest/],
      [(copy) => copy.set('files/02-b.txt', Buffer.from('b\n')), /file-unlisted: package\/files\/02-b\.txt/],
      [(copy) => copy.delete('message.txt'), /file-missing: message\.txt/],
      [(copy) => copy.set(MANIFEST, Buffer.from(`${String(copy.get(MANIFEST))} `)), /manifest-envelope/],
    ];
    for (const [change, rule] of tampered) {
      const [told = ''] = verdicts(await ask(inFolder(change)));
      assert.match(told, /^false package\/manifest\.dsse\.json 確かめられません/);
      assert.match(told, rule);
    }
  });

  it('a file that nobody sealed, and a manifest without a file, are not called right', async () => {
    const [stranger = ''] = verdicts(await ask([['stranger.pdf', Buffer.from('%PDF-1.7\n')]]));
    assert.match(stranger, /^false stranger\.pdf 確かめられません。 保管中のどのパッケージの目録にもありません/);
    const [alone = ''] = verdicts(await ask([[MANIFEST, files.get(MANIFEST) ?? Buffer.alloc(0)]]));
    assert.match(alone, /^false .*そのファイルが一つも置かれていません/);
    const both = verdicts(await ask([[MANIFEST, files.get(MANIFEST) ?? Buffer.alloc(0)], attachment()]));
    assert.equal(both.length, 1);
    assert.match(both[0] ?? '', /^true .*目録の 2 個のうち 1 個を調べました.*置かれていません/);
  });

  it('what was asked is in the journal before it is answered, with its verdict', async () => {
    const [, bytes] = attachment();
    const already = (await lines(['audited'])).length;
    await ask([
      ['a.txt', bytes],
      ['b.txt', Buffer.from('b')],
    ]);
    const [first, second, ...others] = (await lines(['audited'])).slice(already);
    assert.deepEqual(others, []);
    assert.equal(first?.person, 'kansa');
    assert.equal(first.message, id);
    assert.equal(first.detail?.['holds'], true);
    assert.deepEqual(
      [second?.message, second?.detail?.['holds'], second?.detail?.['why']],
      [undefined, false, 'unknown'],
    );
  });

  it('no file is read without the token, which comes first, and none is kept', async () => {
    const [, bytes] = attachment();
    const cookie = [...auditor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const token = await auditor.token('/audit');
    const send = async (parts: readonly (readonly [string, string | Blob])[]): Promise<number> => {
      const body = new FormData();
      for (const [name, value] of parts) body.append(name, value);
      return (await fetch(`${auditor.url}/audit`, { method: 'POST', body, headers: { cookie } })).status;
    };
    const file = new Blob([Uint8Array.from(bytes)]);
    const already = (await lines(['audited'])).length;
    assert.equal(await send([['files', file]]), 403);
    assert.equal(
      await send([
        ['csrf', 'x'],
        ['files', file],
      ]),
      403,
    );
    assert.equal(
      await send([
        ['files', file],
        ['csrf', token],
      ]),
      403,
    );
    assert.equal(await send([['csrf', token]]), 400, 'nothing was chosen');
    assert.equal((await lines(['audited'])).length, already);
    assert.equal(
      await send([
        ['csrf', token],
        ['files', file],
      ]),
      200,
    );
    assert.ok(!(await readdir(join(folder.path, 'portal'))).includes('audit'));
    await assert.rejects(
      putAside(
        (async function* () {
          yield {
            name: 'a',
            bytes: (async function* () {
              yield Buffer.alloc(60);
              yield Buffer.alloc(60);
            })(),
          };
        })(),
        join(folder.path, 'aside'),
        100,
      ),
      TooLarge,
    );
    assert.ok(!(await readdir(folder.path)).includes('aside'));
  });

  it('the journals of this side are followed, and the tool to carry comes with the key in it', async () => {
    const page = await (await auditor.post('/audit/journals', {}, '/audit')).text();
    const told = verdicts(page);
    assert.deepEqual(
      told.map((one) => one.replace(/-.*/, '')),
      ['true 監査記録 outer', 'true 監査記録 middle', 'true 監査記録 inner'],
    );
    const answer = await auditor.get('/audit/tool');
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="auditor\.html"/);
    const [, key = ''] =
      /KEY-----\n(\S+)/.exec(await readFile(join(folder.path, 'keys', 'verify-key.pem'), 'utf8')) ?? [];
    assert.ok(key !== '' && (await answer.text()).includes(key));
  });

  it('a place at which the journal has another line is told as a fault', () => {
    const at = (act: 'sealed', hash: string) => ({
      line: { seq: 4, at: '', chain: 'middle-00000000', act, prev: '' },
      position: `middle-00000000:4:${hash}`,
    });
    const signed = `middle-00000000:4:${'a'.repeat(64)}`;
    assert.equal(placesOf([signed], [at('sealed', 'a'.repeat(64))])[0]?.known, 'line');
    assert.equal(placesOf([signed], [at('sealed', 'b'.repeat(64))])[0]?.known, 'other');
    assert.equal(placesOf([signed], [])[0]?.known, 'elsewhere');
  });

  for (const script of [false, true])
    it(`in Chromium ${script ? 'with' : 'without'} scripts: a folder and a file are chosen and checked`, async () => {
      const root = join(folder.path, script ? 'dropped-with' : 'dropped-without', 'package');
      for (const [name, bytes] of files) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), bytes);
      }
      const stranger = join(dirname(root), 'stranger.txt');
      await writeFile(stranger, 'never sealed\n');
      await using browser = await openBrowser('ja', script);
      const { page, complaints } = browser;
      await page.goto(`${portalUrl(gateway)}/sign-in`);
      await page.fill('#name', 'kansa');
      await page.fill('#password', PASSWORD);
      await page.click('main button');
      await page.waitForURL(`${portalUrl(gateway)}/audit`);
      if (script) await look(page, 'audit');
      await choose(page, root, stranger);
      assert.equal(await page.locator('.judged[data-holds=true]').count(), 1);
      assert.equal(await page.locator('.judged[data-holds=false]').count(), 1);
      assert.match(await page.locator('.judged').first().innerText(), new RegExp(predicate().source.sha256));
      if (script) {
        await look(page, 'audit-result');
        await auditor.post('/account/language', { language: 'en' });
        await page.goto(`${portalUrl(gateway)}/audit`);
        await choose(page, root, stranger);
        assert.match(await page.locator('.judged').first().innerText(), /It holds: signature, digests and the form/);
        await look(page, 'audit-result-english');
      }
      assert.deepEqual(complaints, []);
    });
});

async function choose(page: Page, folder: string, file: string): Promise<void> {
  await page.setInputFiles('#folder', folder);
  await page.setInputFiles('#files', file);
  await page.click('form[action="/audit"] button');
  await page.locator('.judged').first().waitFor();
}
