// What becomes of an original that was approved: scanned again when its waiting time is over, and its end told to who asked.
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { entriesOf } from '../../src/audit/export.ts';
import { shardOf, type MessageId } from '../../src/message/id.ts';
import { barePortal } from '../support/bare-portal.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, messageId, Visitor } from '../support/portal.ts';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { startScanner, type Scanner } from '../support/scanner.ts';
import { scratch, until } from '../support/scratch.ts';

const STAFF = 'staff@city.example.lg.jp';

/** Does something as if it were so many minutes later. */
async function later<T>(minutes: number, act: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + minutes * 60_000 });
  try {
    return await act();
  } finally {
    mock.timers.reset();
  }
}

interface Case {
  readonly scanner: Scanner;
  readonly hanako: Visitor;
  readonly kacho: Visitor;
  readonly data: string;
  /** A mail, asked for, approved: its id and the link's address. */
  readonly approved: (
    subject: string,
    mail?: string,
    part?: string,
  ) => Promise<{ readonly id: MessageId; readonly link: string }>;
  /** What the requester's page says, in words. */
  readonly page: () => Promise<string>;
  /** Acts of a message in a zone's journal. */
  readonly acts: (zone: string, id: string) => Promise<string[]>;
}

async function withGateway(waitMinutes: number, run: (it: Case) => Promise<void>): Promise<void> {
  await using folder = await scratch();
  await using scanner = await startScanner(join(folder.path, 'scanner.sock'));
  const policy = join(folder.path, 'policy.yaml');
  await writeFile(policy, `name: t\nversion: "1"\noriginals: { levels: [[]], waitMinutes: ${waitMinutes} }\n`);
  const data = join(folder.path, 'data');
  await using gateway = await startTestGateway(data, { MUGAI_CLAMD: scanner.socket, MUGAI_POLICY_FILE: policy });
  const administrator = await firstAdministrator(gateway);
  const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
  const kacho = await addPerson(administrator, 'kacho', ['approver']);
  const page = async (): Promise<string> => (await hanako.get('/originals')).text();
  await run({
    scanner,
    hanako,
    kacho,
    data,
    page,
    approved: async (subject, mail = plainMail(subject), part = '') => {
      await sendMail(gateway.smtpPort ?? 0, mail);
      const id = await messageId(hanako, subject);
      const posted = await hanako.post(`/messages/${id}/original`, { reason: '原本が必要です', part });
      assert.equal(posted.status, 303);
      const asked = await (await kacho.get('/approvals')).text();
      const request = /action="\/approvals\/([0-9a-f]{32})"/.exec(asked)?.[1] ?? '';
      const sha256 = /name="sha256"\s+value="([0-9a-f]{64})"/.exec(asked)?.[1] ?? '';
      assert.equal((await kacho.post(`/approvals/${request}`, { yes: '1', sha256 })).status, 303);
      const told = await (await hanako.post(`/originals/${request}/link`, {})).text();
      const path = /\/originals\/[0-9a-z]{26}\.[A-Za-z0-9_-]{43}/.exec(told)?.[0] ?? '';
      return { id: id as MessageId, link: `http://127.0.0.1:${gateway.uploadPort}${path}` };
    },
    acts: async (zone, id) => {
      const acts: string[] = [];
      for await (const { act, detail } of entriesOf(join(data, 'journal', zone), { message: id }))
        acts.push(`${act} ${String(detail?.['outcome'] ?? detail?.['reason'] ?? '')}`.trim());
      return acts;
    },
  });
}

describe('releases of originals', { timeout: 580_000 }, () => {
  it('signatures that came within the waiting time count: what was clean at its start is scanned again at its end', async () => {
    await withGateway(60, async ({ scanner, approved, page, acts }) => {
      const before = scanner.scans;
      const { id, link } = await approved('待つ件');
      await until(() => scanner.scans >= before + 2, 60_000, 'as a part, and once for the release');
      assert.match(await (await fetch(link)).text(), /受け取れるのは .* からです/);
      assert.equal((await fetch(link, { method: 'POST' })).status, 409);
      scanner.finds = 'Late.Signature';
      await later(61, async () => {
        await until(async () => /原本はお渡しできません/.test(await (await fetch(link)).text()), 60_000, 'refused');
        const taken = await fetch(link, { method: 'POST' });
        assert.equal(taken.status, 404);
        assert.doesNotMatch(await taken.text(), /こんにちは/);
      });
      await until(async () => /Late\.Signature/.test(await page()), 60_000, 'told to who asked');
      assert.ok((await acts('middle', id)).includes('refused malware: Late.Signature'));
      await until(async () => (await acts('inner', id)).includes('release-ended malware'), 60_000, 'in the journal');
    });
  });

  it('a part in which something is found is told as that, not as one that could not be taken out', async () => {
    await withGateway(60, async ({ scanner, approved, page }) => {
      const mail = `From: a@example.com\r\nTo: ${STAFF}\r\nSubject: =?UTF-8?B?${Buffer.from('部分の件').toString('base64')}?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nattached words\r\n--b\r\nContent-Type: text/plain; name=named.txt\r\n\r\nnamed words\r\n--b--\r\n`;
      const named = await approved('部分の件', mail, '3');
      await later(61, async () => {
        await until(async () => (await fetch(named.link)).status === 200, 60_000, 'scanned');
        assert.match(await (await fetch(named.link, { method: 'POST' })).text(), /^named words\s*$/);
      });
      const { link } = await approved('部分の件', mail, '2');
      scanner.finds = 'Part.Signature';
      await later(61, async () => {
        await until(async () => /原本はお渡しできません/.test(await (await fetch(link)).text()), 60_000, 'refused');
        assert.match(await (await fetch(link)).text(), /安全に渡せない/);
      });
      await until(async () => /Part\.Signature/.test(await page()), 60_000, 'told to who asked');
    });
  });

  it('a scanner that is away when the time comes is no malware: it is said, tried again, and the original is handed out', async () => {
    await withGateway(60, async ({ scanner, approved, page, acts }) => {
      const { id, link } = await approved('止まった検査の件');
      scanner.away = true;
      await later(61, async () => {
        await new Promise((resolve) => setTimeout(resolve, 2500));
        await until(async () => (await fetch(link)).status === 503, 60_000, 'it was tried');
        const looked = await fetch(link);
        assert.equal(looked.status, 503);
        assert.ok(Number(looked.headers.get('retry-after')) > 0);
        assert.match(await looked.text(), /検査がまだ終わっていません/);
        assert.equal((await fetch(link, { method: 'POST' })).status, 503);
        scanner.away = false;
        await until(async () => (await fetch(link)).status === 200, 60_000, 'tried again');
        assert.match(await (await fetch(link, { method: 'POST' })).text(), /こんにちは/);
      });
      await until(async () => /受け取りました/.test(await page()), 60_000, 'told to who asked');
      assert.ok((await acts('inner', id)).includes('release-ended used'));
    });
  });

  it('a scanner that stays away, a link that nobody used, an original that is gone: each is told as what it is, once', async () => {
    await withGateway(0, async ({ scanner, approved, page, acts, data }) => {
      const unused = await approved('使われない件');
      await until(async () => (await fetch(unused.link)).status === 200, 60_000, 'scanned');
      await later(25 * 60, async () => {
        await until(async () => (await acts('middle', unused.id)).includes('release-ended unused'), 60_000, 'ended');
      });
      await until(async () => /使われませんでした/.test(await page()), 60_000, 'told');

      const gone = await approved('消えた件');
      await until(async () => (await fetch(gone.link)).status === 200, 60_000, 'scanned');
      const shard = join(data, 'spool', shardOf(gone.id));
      for (const name of await readdir(shard)) if (name.startsWith(`${gone.id}.01`)) await rm(join(shard, name));
      await until(async () => /もう残っていません/.test(await page()), 60_000, 'told');
      assert.equal((await fetch(gone.link, { method: 'POST' })).status, 404);

      scanner.away = true;
      const never = await approved('検査できない件');
      await until(async () => (await fetch(never.link)).status === 503, 60_000, 'tried');
      await later(25 * 60, async () => {
        await until(async () => (await acts('middle', never.id)).includes('refused not-scanned'), 60_000, 'given up');
      });
      await until(async () => /検査ができなかった/.test(await page()), 60_000, 'told');
      for (const [{ id }, outcome] of [
        [unused, 'unused'],
        [gone, 'gone'],
        [never, 'not-scanned'],
      ] as const) {
        await until(async () => (await acts('inner', id)).length > 0, 60_000, 'journal');
        const ends = (await acts('inner', id)).filter((act) => act.startsWith('release-ended'));
        assert.deepEqual(ends, [`release-ended ${outcome}`]);
      }
    });
  });
});

describe('where no scanner is', { timeout: 580_000 }, () => {
  it('an original is not offered, and the page says why; nothing is asked, and no approval is used up', async () => {
    const bare = await barePortal(['検査なしの件']);
    try {
      const reader = new Visitor(bare.url);
      reader.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin('reader', 'full'));
      bare.portal.desk.accounts.add('kacho', '課長', ['approver']);
      const kacho = new Visitor(bare.url);
      kacho.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin('kacho', 'full'));
      const id = bare.ids[0];
      assert.equal((await reader.post(`/messages/${id}/original`, { reason: '原本が必要です' })).status, 303);
      const asked = await (await kacho.get('/approvals')).text();
      const request = /action="\/approvals\/([0-9a-f]{32})"/.exec(asked)?.[1] ?? '';
      const sha256 = /name="sha256"\s+value="([0-9a-f]{64})"/.exec(asked)?.[1] ?? '';
      await kacho.post(`/approvals/${request}`, { yes: '1', sha256 });
      bare.setScanner(false);
      assert.equal((await reader.post(`/originals/${request}/link`, {})).status, 409);
      const page = await (await reader.get(`/messages/${id}`)).text();
      assert.doesNotMatch(page, /href="\/messages\/[0-9a-z]{26}\/original/);
      assert.match(page, /マルウェア検査が設定されていないため/);
      const form = await (await reader.get(`/messages/${id}/original`)).text();
      assert.match(form, /マルウェア検査が設定されていないため/);
      assert.doesNotMatch(form, /<textarea/);
      const before = bare.journal.length;
      assert.equal((await reader.post(`/messages/${id}/original`, { reason: '原本が必要です' })).status, 409);
      assert.equal(bare.journal.length, before, 'nothing was asked');
      bare.setScanner(true);
      assert.equal((await reader.post(`/originals/${request}/link`, {})).status, 200, 'the approval is still there');
    } finally {
      await bare.close();
    }
  });

  it('the inner side knows it from the signed status of the worker', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    await sendMail(gateway.smtpPort ?? 0, plainMail('検査装置のない件'));
    const id = await messageId(hanako, '検査装置のない件');
    await until(
      async () => /マルウェア検査が設定されていないため/.test(await (await hanako.get(`/messages/${id}`)).text()),
      60_000,
      'said',
    );
  });
});
