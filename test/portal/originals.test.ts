// Asking for an original: a reason, another person's yes, a scan, a wait, and one download on the outer side only.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { folderOf, newMessageId, type MessageId } from '../../src/message/id.ts';
import { MANIFEST } from '../../src/outbox/manifest.ts';
import { Originals } from '../../src/portal/originals.ts';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { loadSealingKey } from '../../src/requests/keys.ts';
import { RequestWriter } from '../../src/requests/requests.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { openBrowser } from '../support/browser.ts';
import { startClamd, TEST_MALWARE } from '../support/clamd.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { barePortal, type BarePortal } from '../support/bare-portal.ts';
import { look } from '../support/look.ts';
import { addPerson, firstAdministrator, messageId, portalUrl, signInAt, Visitor } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const HOUR = 3_600_000;
const STAFF = 'staff@city.example.lg.jp';

/** The request's id and digest as an approver's page shows them. */
async function waiting(approver: Visitor): Promise<{ readonly id: string; readonly sha256: string } | undefined> {
  const page = await (await approver.get('/approvals')).text();
  const id = /action="\/approvals\/([0-9a-f]{32})"/.exec(page)?.[1];
  const sha256 = /name="sha256"\s+value="([0-9a-f]{64})"/.exec(page)?.[1];
  return id === undefined || sha256 === undefined ? undefined : { id, sha256 };
}

async function askFor(staff: Visitor, subject: string): Promise<string> {
  const id = await messageId(staff, subject);
  const asked = await staff.post(`/messages/${id}/original`, { reason: '契約書の原本が必要です' });
  assert.equal(asked.status, 303);
  return id;
}

/** The reader of a bare portal and an approver, signed in. */
function people(bare: BarePortal): { readonly reader: Visitor; readonly kacho: Visitor } {
  const { accounts } = bare.portal.desk;
  if (accounts.find('kacho') === undefined) accounts.add('kacho', '課長', ['approver']);
  return { reader: visitorOf(bare, 'reader'), kacho: visitorOf(bare, 'kacho') };
}

function visitorOf(bare: BarePortal, name: string): Visitor {
  const visitor = new Visitor(bare.url);
  visitor.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin(name, 'full'));
  return visitor;
}

/** Does something as if it were so many minutes later. */
async function later<T>(minutes: number, act: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + minutes * 60_000 });
  try {
    return await act();
  } finally {
    mock.timers.reset();
  }
}

/** Presses the button for the link; its path on the outer door. */
async function takeLink(staff: Visitor): Promise<string> {
  const page = await (await staff.get('/originals')).text();
  const id = /action="\/originals\/([0-9a-f]{32})\/link"/.exec(page)?.[1] ?? '';
  const told = await (await staff.post(`/originals/${id}/link`, {})).text();
  return /\/originals\/[0-9a-z]{26}\.[A-Za-z0-9_-]{43}/.exec(told)?.[0] ?? '';
}

/** A request for a mail's original that no portal made; the path of its link. */
async function requestPast(data: string, id: string): Promise<string> {
  const spool = new Spool(await openFsStore(join(data, 'spool')));
  const sha256 = (await spool.spooled(id as MessageId))?.record.source.sha256 ?? '';
  const key = await loadSealingKey(readConfig({ MUGAI_DATA_DIR: data }).sealingKeyFile);
  const requests = new RequestWriter(await openFsStore(join(data, 'requests')), key);
  const token = 'A'.repeat(43);
  await requests.original(
    { id: id as MessageId, part: '', by: 'x' },
    {
      purpose: 'x',
      approvedBy: 'y',
      sha256,
      token: createHash('sha256').update(token).digest('hex'),
      notBefore: new Date().toISOString(),
      expires: new Date(Date.now() + HOUR).toISOString(),
    },
  );
  return `/originals/${id}.${token}`;
}

describe('originals', { timeout: 580_000 }, () => {
  it('row 107: asked by one, approved by another, scanned, fetched once on the outer side, in Chromium; all of it in the journal', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(join(folder.path, 'clamd'));
    await using gateway = await startTestGateway(join(folder.path, 'data'), { MUGAI_CLAMD: clamd.socket });
    const url = portalUrl(gateway);
    const outer = `http://127.0.0.1:${gateway.uploadPort}`;
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff', 'approver'], STAFF);
    const kacho = await addPerson(administrator, 'kacho', ['approver']);
    await sendMail(gateway.smtpPort ?? 0, plainMail('契約書の件'));
    const id = await messageId(hanako, '契約書の件');

    await using browser = await openBrowser();
    const { page } = browser;
    await signInAt(page, url, 'hanako');
    await page.goto(`${url}/messages/${id}`);
    await page.click('text=原本を申請する');
    await page.fill('#reason', '契約書の原本が必要です');
    await page.click('main button');
    assert.match(await page.locator('main').innerText(), /承認待ち/);

    // Nobody approves his own request, though he has the role.
    assert.equal(await waiting(hanako), undefined);
    const request = await waiting(kacho);
    assert.ok(request !== undefined);
    const { id: asked, sha256 } = request;
    assert.equal((await hanako.post(`/approvals/${asked}`, { yes: '1', sha256 })).status, 409);
    // What is approved is what was seen.
    const other = 'f'.repeat(64);
    assert.equal((await kacho.post(`/approvals/${asked}`, { yes: '1', sha256: other })).status, 409);
    // Before the approval there is no link to be had.
    assert.equal((await hanako.post(`/originals/${asked}/link`, {})).status, 404);
    assert.equal((await kacho.post(`/approvals/${asked}`, { yes: '1', sha256 })).status, 303);
    assert.equal((await kacho.post(`/approvals/${asked}`, { yes: '1', sha256 })).status, 409);
    // The approver does not get the link, the requester gets it once.
    assert.equal((await kacho.post(`/originals/${asked}/link`, {})).status, 404);

    await page.reload();
    await page.click('text=受け取りリンクを出す');
    const told = await page.locator('[data-link]').innerText();
    const link = told.slice(told.indexOf('/originals/'));
    assert.equal((await hanako.post(`/originals/${asked}/link`, {})).status, 404);

    await until(async () => (await fetch(outer + link)).status === 200, 60_000, 'scanned');
    for (let looks = 0; looks < 3; looks++)
      assert.equal((await fetch(outer + link)).status, 200, 'a look uses nothing up');
    await page.goto(outer + link);
    await look(page, 'release');
    assert.match(await page.locator('main').innerText(), new RegExp(sha256));
    const downloading = page.waitForEvent('download');
    await page.click('main button');
    const download = await downloading;
    assert.equal(download.suggestedFilename(), `${id}.eml`);
    assert.equal((await fetch(outer + link, { method: 'POST' })).status, 404, 'used up');
    assert.equal((await fetch(outer + link)).status, 404);
    const wrong = `${link.slice(0, -2)}${link.endsWith('AA') ? 'BB' : 'AA'}`;
    assert.equal((await fetch(outer + wrong)).status, 404);

    const journal = await import('../../src/audit/export.ts');
    const acts: string[] = [];
    for (const zone of ['inner', 'middle', 'outer'])
      for await (const line of journal.entriesOf(join(folder.path, 'data', 'journal', zone), { message: id }))
        acts.push(`${zone} ${line.act} ${line.person ?? ''}`.trim());
    for (const act of ['inner asked hanako', 'inner approved kacho', 'middle approved', 'outer released'])
      assert.ok(acts.includes(act), `${act} in ${acts.join(', ')}`);
  });

  it('what clamd finds stays inside; without a scanner nothing is released', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(join(folder.path, 'clamd'));
    for (const [name, more] of [
      ['scanned', { MUGAI_CLAMD: clamd.socket }],
      ['none', {}],
    ] as const) {
      const data = join(folder.path, name);
      await using gateway = await startTestGateway(data, more);
      const administrator = await firstAdministrator(gateway);
      const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
      const kacho = await addPerson(administrator, 'kacho', ['approver']);
      await sendMail(gateway.smtpPort ?? 0, plainMail('あやしい便り', name === 'scanned' ? TEST_MALWARE : 'clean'));
      let path: string;
      if (name === 'scanned') {
        await askFor(hanako, 'あやしい便り');
        const request = await waiting(kacho);
        await kacho.post(`/approvals/${request?.id}`, { yes: '1', sha256: request?.sha256 ?? '' });
        path = await takeLink(hanako);
      } else {
        // The portal does not offer it; a request that comes all the same gives nothing out.
        path = await requestPast(data, await messageId(hanako, 'あやしい便り'));
      }
      const link = `http://127.0.0.1:${gateway.uploadPort}${path}`;
      await until(async () => (await fetch(link)).status === 200, 60_000, 'looked at');
      const page = await (await fetch(link)).text();
      assert.match(page, /原本はお渡しできません/);
      // What could not be scanned is not called malware.
      assert.match(page, name === 'scanned' ? /安全に渡せない/ : /悪いものが見つかったのではありません/);
      const taken = await fetch(link, { method: 'POST' });
      assert.equal(taken.status, 404);
      assert.doesNotMatch(await taken.text(), /MUGAI-TEST|clean/);
    }
  });

  it('row 107: several levels by name, different persons, the wait before the release, rejection', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(join(folder.path, 'clamd'));
    const policy = join(folder.path, 'policy.yaml');
    await writeFile(
      policy,
      'name: t\nversion: "1"\noriginals: { levels: [[kakari, fuku], [kacho, fuku]], waitMinutes: 60 }\n',
    );
    await using gateway = await startTestGateway(join(folder.path, 'data'), {
      MUGAI_CLAMD: clamd.socket,
      MUGAI_POLICY_FILE: policy,
    });
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const [kacho, fuku, yoso] = [
      await addPerson(administrator, 'kacho', ['approver']),
      await addPerson(administrator, 'fuku', ['approver']),
      await addPerson(administrator, 'yoso', ['approver']),
    ];
    await sendMail(gateway.smtpPort ?? 0, plainMail('二段階の件'));
    await askFor(hanako, '二段階の件');
    assert.equal(await waiting(kacho), undefined, 'not his turn yet');
    assert.equal(await waiting(yoso), undefined, 'not named');
    const request = await waiting(fuku); // the deputy of the first level
    const form = { yes: '1', sha256: request?.sha256 ?? '' };
    assert.equal((await yoso.post(`/approvals/${request?.id}`, form)).status, 404);
    assert.equal((await fuku.post(`/approvals/${request?.id}`, form)).status, 303);
    assert.equal((await fuku.post(`/approvals/${request?.id}`, form)).status, 409, 'one person, one level');
    assert.equal((await hanako.post(`/originals/${request?.id}/link`, {})).status, 404, 'one level is not enough');
    assert.equal((await kacho.post(`/approvals/${request?.id}`, form)).status, 303);
    const link = `http://127.0.0.1:${gateway.uploadPort}${await takeLink(hanako)}`;
    await until(async () => (await fetch(link)).status === 200, 60_000, 'scanned');
    assert.equal((await fetch(link, { method: 'POST' })).status, 409, 'the wait is not over');
    assert.match(await (await fetch(link)).text(), /受け取れるのは .* からです/);
    // The wait ends by itself; so does the link, a day later.
    const taken = await later(61, async () => {
      await until(async () => (await fetch(link)).status === 200, 60_000, 'scanned once more');
      return fetch(link, { method: 'POST' });
    });
    assert.equal(taken.status, 200);
    assert.match(await taken.text(), /二段階の件/);

    await askFor(hanako, '二段階の件');
    const second = await waiting(fuku);
    await fuku.post(`/approvals/${second?.id}`, { yes: '0', sha256: second?.sha256 ?? '' });
    assert.match(await (await hanako.get('/originals')).text(), /却下されました/);
    assert.equal((await hanako.post(`/originals/${second?.id}/link`, {})).status, 404);
  });

  it('row 107: what nobody decides, an approval that nobody uses and a link that nobody opens end by themselves', async () => {
    const bare = await barePortal(['期限の件']);
    try {
      const { accounts, sessions } = bare.portal.desk;
      accounts.add('kacho', '課長', ['approver']);
      const visit = (name: string): Visitor => {
        const visitor = new Visitor(bare.url);
        visitor.cookies.set(SESSION_COOKIE, sessions.begin(name, 'full'));
        return visitor;
      };
      await askFor(visit('reader'), '期限の件');
      const undecided = await waiting(visit('kacho'));
      assert.ok(undecided !== undefined);
      bare.pass(72 * HOUR + 1000);
      assert.equal(await waiting(visit('kacho')), undefined, 'not in the list any more');
      const form = { yes: '1', sha256: undecided.sha256 };
      assert.equal((await visit('kacho').post(`/approvals/${undecided.id}`, form)).status, 409);
      assert.match(await (await visit('reader').get('/originals')).text(), /期限切れ/);

      await askFor(visit('reader'), '期限の件');
      const unused = await waiting(visit('kacho'));
      assert.equal((await visit('kacho').post(`/approvals/${unused?.id}`, form)).status, 303);
      bare.pass(72 * HOUR + 1000);
      assert.equal((await visit('reader').post(`/originals/${unused?.id}/link`, {})).status, 404);
      assert.doesNotMatch(await (await visit('reader').get('/originals')).text(), /受け取りリンクを出す/);
    } finally {
      await bare.close();
    }

    await using folder = await scratch();
    await using clamd = await startClamd(join(folder.path, 'clamd'));
    await using gateway = await startTestGateway(join(folder.path, 'data'), { MUGAI_CLAMD: clamd.socket });
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const kacho = await addPerson(administrator, 'kacho', ['approver']);
    await sendMail(gateway.smtpPort ?? 0, plainMail('開かないリンク'));
    await askFor(hanako, '開かないリンク');
    const request = await waiting(kacho);
    await kacho.post(`/approvals/${request?.id}`, { yes: '1', sha256: request?.sha256 ?? '' });
    const link = `http://127.0.0.1:${gateway.uploadPort}${await takeLink(hanako)}`;
    await until(async () => (await fetch(link)).status === 200, 60_000, 'scanned');
    for (const method of ['GET', 'POST'])
      assert.equal(await later(25 * 60, async () => (await fetch(link, { method })).status), 404, method);
    assert.equal((await fetch(link)).status, 200, 'it was only the time');
  });

  it('a rule names the approvers of its messages, and a changed policy decides without a restart', async () => {
    await using folder = await scratch();
    const policy = join(folder.path, 'policy.yaml');
    const naming = async (who: string): Promise<void> =>
      writeFile(
        policy,
        `name: t\nversion: "1"\nrules: [{ name: r, when: { to: [${STAFF}] }, set: { approvers: [[${who}]] } }]\n`,
      );
    await naming('kacho');
    await using gateway = await startTestGateway(join(folder.path, 'data'), {
      MUGAI_POLICY_FILE: policy,
      MUGAI_CLAMD: join(folder.path, 'clamd.sock'), // nothing is released here
    });
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    const kacho = await addPerson(administrator, 'kacho', ['approver']);
    const fuku = await addPerson(administrator, 'fuku', ['approver']);
    await sendMail(gateway.smtpPort ?? 0, plainMail('規則の件'));
    await askFor(hanako, '規則の件');
    assert.equal(await waiting(fuku), undefined, 'the rule does not name him');
    const request = await waiting(kacho);
    assert.ok(request !== undefined);
    await naming('fuku');
    await until(async () => (await waiting(fuku)) !== undefined, 60_000, 'the new policy names him');
    const form = { yes: '1', sha256: request.sha256 };
    assert.equal((await kacho.post(`/approvals/${request.id}`, form)).status, 404);
    assert.equal((await fuku.post(`/approvals/${request.id}`, form)).status, 303);

    // A package that was changed since somebody asked is nothing to decide on, and the other requests stay on the page.
    await sendMail(gateway.smtpPort ?? 0, plainMail('ほかの件'));
    const other = await askFor(hanako, 'ほかの件');
    assert.ok((await waiting(fuku)) !== undefined);
    await sendMail(gateway.smtpPort ?? 0, plainMail('変わった件'));
    const changed = await askFor(hanako, '変わった件');
    const manifest = join(folder.path, 'data', 'outbox', folderOf(changed as MessageId), MANIFEST);
    await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(/"sig":"./, '"sig":"!'));
    const page = await (await fuku.get('/approvals')).text();
    assert.match(page, /ほかの件/, other);
    assert.doesNotMatch(page, /変わった件/);
    assert.match(await (await hanako.get('/originals')).text(), /変わった件/, 'who asked still sees that he did');
  });

  it('an approval is not used up by a request that could not be written: the link can be asked for again, once', async () => {
    const bare = await barePortal(['書けない件']);
    try {
      const { reader, kacho } = people(bare);
      await askFor(reader, '書けない件');
      const asked = await waiting(kacho);
      assert.ok(asked !== undefined);
      await kacho.post(`/approvals/${asked.id}`, { yes: '1', sha256: asked.sha256 });
      const requests = join(bare.root, 'requests');
      await rename(requests, `${requests}-away`);
      await writeFile(requests, 'no folder');
      assert.equal((await reader.post(`/originals/${asked.id}/link`, {})).status, 503);
      await rm(requests);
      await rename(`${requests}-away`, requests);
      assert.match(await (await reader.get('/originals')).text(), /受け取りリンクを出す/);
      const twice = await Promise.all([1, 2].map(async () => reader.post(`/originals/${asked.id}/link`, {})));
      assert.deepEqual(
        twice.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 404],
      );
      assert.equal((await readdir(join(requests, 'waiting'))).length, 1);
    } finally {
      await bare.close();
    }
  });

  it('row 107: of two who decide at once one counts, and the journal has his decision only', async () => {
    const bare = await barePortal(['同時の件']);
    try {
      const { reader, kacho } = people(bare);
      bare.portal.desk.accounts.add('fuku', '副課長', ['approver']);
      const fuku = visitorOf(bare, 'fuku');
      await askFor(reader, '同時の件');
      const asked = await waiting(kacho);
      assert.ok(asked !== undefined);
      const { id, sha256 } = asked;
      const statuses = await Promise.all(
        [kacho, fuku, kacho, fuku].map(
          async (who, at) => (await who.post(`/approvals/${id}`, { yes: String(at % 2), sha256 })).status,
        ),
      );
      assert.deepEqual(
        statuses.toSorted((a, b) => a - b),
        [303, 409, 409, 409],
      );
      const told = bare.journal.filter(({ act }) => act === 'approved' || act === 'rejected');
      assert.equal(told.length, 1, JSON.stringify(told));
      const [decision] = told;
      assert.equal(decision?.detail?.['request'], id);
      const page = await (await reader.get('/originals')).text();
      assert.match(page, decision?.act === 'approved' ? /承認されました/ : /却下されました/);
    } finally {
      await bare.close();
    }
  });

  it('nobody has two open requests for the same, nor sends endless ones; approvers see all there are, fifty to a page', async () => {
    const subjects = Array.from({ length: 31 }, (_, at) => `多数の件${String(at).padStart(2, '0')}`);
    const bare = await barePortal(subjects);
    try {
      const { reader, kacho } = people(bare);
      bare.portal.desk.accounts.add('taro', '太郎', ['staff']);
      bare.portal.desk.accounts.giveAddress('taro', STAFF, 'own', null, 'test');
      const taro = visitorOf(bare, 'taro');
      const ask = async (who: Visitor, at: number): Promise<number> =>
        (await who.post(`/messages/${bare.ids[at]}/original`, { reason: '原本が必要です' })).status;
      assert.deepEqual(await Promise.all([ask(reader, 0), ask(reader, 0), ask(reader, 0)]), [303, 303, 303]);
      const mine = await (await reader.get('/originals')).text();
      assert.equal(mine.match(/承認待ち/g)?.length, 1);
      assert.equal(bare.journal.filter(({ act }) => act === 'asked').length, 1);
      for (const who of [reader, taro]) for (let at = 0; at < 30; at++) assert.equal(await ask(who, at), 303, `${at}`);
      assert.equal(await ask(reader, 30), 429);

      const seen = new Set<string>();
      const counts: number[] = [];
      for (let path: string | undefined = '/approvals'; path !== undefined;) {
        const page: string = await (await kacho.get(path)).text();
        const ids = [...page.matchAll(/action="\/approvals\/([0-9a-f]{32})"/g)].map(([, id = '']) => id);
        counts.push(ids.length);
        for (const id of ids) seen.add(id);
        path = /rel="next" href="([^"]+)"/.exec(page)?.[1];
      }
      assert.deepEqual(counts, [50, 10]);
      assert.equal(seen.size, 60);
      bare.pass(16 * 60_000);
      assert.equal(await ask(reader, 30), 303);
    } finally {
      await bare.close();
    }
  });

  it('every link that was given is followed, however many there are, until its end is known', async () => {
    const bare = await barePortal(['古い件']);
    try {
      const now = Date.now();
      const policy = { levels: [[]], waitMinutes: 0, validHours: 72, linkHours: 24 };
      const originals = new Originals(
        bare.db,
        async () => policy,
        () => now,
      );
      const message = bare.ids[0] as MessageId;
      const given = bare.db.transaction(() =>
        Array.from({ length: 1203 }, (_, at) => {
          const name = `申請${at}`;
          const sha256 = 'a'.repeat(64);
          const id = originals.ask(
            { message, user: 'reader', reason: '理由', sha256, size: 1, name, part: '' },
            policy,
          );
          const end = now + (at % 7) * 1000; // some at the same moment
          bare.db.run(
            "UPDATE originals SET state = 'released', request = ?, expires = ? WHERE id = ?",
            newMessageId(now),
            end,
            id,
          );
          return id;
        }),
      );
      assert.deepEqual(Array.from(originals.following(), ({ id }) => id).toSorted(), given.toSorted());
      const seen: string[] = [];
      for (const { id } of originals.following()) {
        originals.ended(id, 'used', ''); // while they are walked
        seen.push(id);
      }
      assert.deepEqual(seen.toSorted(), given.toSorted());
      assert.deepEqual([...originals.following()], []);
    } finally {
      await bare.close();
    }
  });

  it('who asked sees all of his requests, however many, the newest first, page by page', async () => {
    const bare = await barePortal(['古い件']);
    try {
      const { reader } = people(bare);
      let now = Date.now() - 1_000_000;
      const policy = { levels: [[]], waitMinutes: 0, validHours: 72, linkHours: 24 };
      const originals = new Originals(
        bare.db,
        async () => policy,
        () => now,
      );
      const message = bare.ids[0] as MessageId;
      const asked: string[] = [];
      for (let at = 0; at < 230; at++) {
        if (at % 3 === 0) now += 1000; // some at the same moment
        const name = `申請${String(at).padStart(3, '0')}`;
        originals.ask(
          { message, user: 'reader', reason: '理由', sha256: 'a'.repeat(64), size: 1, name, part: '' },
          policy,
        );
        asked.push(name);
      }
      originals.ask(
        { message, user: 'kacho', reason: '理由', sha256: 'a'.repeat(64), size: 1, name: '他人', part: '' },
        policy,
      );
      const seen: string[] = [];
      const counts: number[] = [];
      for (let path: string | undefined = '/originals'; path !== undefined;) {
        const page: string = await (await reader.get(path)).text();
        assert.doesNotMatch(page, /他人/);
        const names = [...page.matchAll(/<b>(申請\d{3})<\/b/g)].map(([, name = '']) => name);
        counts.push(names.length);
        seen.push(...names);
        assert.equal(
          page.includes('href="/originals"') && /class="button quiet" href="\/originals"/.test(page),
          path !== '/originals',
        );
        path = /rel="next" href="([^"]+)"/.exec(page)?.[1];
      }
      assert.deepEqual(counts, [50, 50, 50, 50, 30]);
      assert.deepEqual(seen.toSorted(), asked);
      assert.equal(new Set(seen).size, 230);
      const newest = seen.map((name) => Math.floor(asked.indexOf(name) / 3));
      assert.deepEqual(
        newest,
        newest.toSorted((a, b) => b - a),
        'the newest first',
      );
      assert.equal((await reader.get('/originals?before=nonsense')).status, 200);
    } finally {
      await bare.close();
    }
  });
});
