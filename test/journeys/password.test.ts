// A locked attachment: held, asked for by the inner side through the requests folder, opened, delivered; never stored.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MessageId } from '../../src/message/id.ts';
import { loadPublicKeys } from '../../src/outbox/keys.ts';
import type { Predicate } from '../../src/outbox/manifest.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { loadSealingKey } from '../../src/requests/keys.ts';
import { RequestWriter } from '../../src/requests/requests.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import type { Event } from '../../src/roles.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

const SAMPLES = fileURLToPath(new URL('../../samples/file/', import.meta.url));
const PASSWORD = 'Kashima-0314';

async function lockedPdf(folder: string): Promise<Buffer> {
  const to = join(folder, 'locked.pdf');
  execFileSync('qpdf', ['--encrypt', PASSWORD, 'owner', '256', '--', join(SAMPLES, 'vertical.pdf'), to]);
  return readFile(to);
}

function mailWith(pdf: Buffer): string {
  const base64 = pdf.toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    'From: vendor@example.com',
    'To: staff@city.example.lg.jp',
    'Subject: locked',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'パスワードは別のメールでお送りします。',
    '--b',
    'Content-Type: application/pdf; name=form.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    base64,
    '--b--',
    '',
  ].join('\r\n');
}

describe('a locked attachment', () => {
  it(
    'is held, opened by a password from the inner side, and comes as another version of the message',
    { timeout: 580_000 },
    async () => {
      await using folder = await scratch();
      const events: Event[] = [];
      await using gateway = await startTestGateway(folder.path, {}, { onEvent: (event) => events.push(event) });
      const { outbox, smtpPort } = gateway;
      assert.ok(outbox !== undefined && smtpPort !== undefined);
      const keys = await loadPublicKeys(join(folder.path, 'keys', 'verify-key.pem'));
      const predicateOf = async (id: MessageId): Promise<Predicate> =>
        (await verifyPackage(outbox.files(id), keys, 1e9, AbortSignal.timeout(60_000))).statement.predicate;
      const delivered = (id: string): boolean => events.some((event) => event.id === id && event.step === 'deliver');

      assert.match(await sendMail(smtpPort, mailWith(await lockedPdf(folder.path))), /^250 /);
      await until(() => events.some((event) => event.step === 'deliver'), 90_000, 'first version');
      const [first] = events.filter((event) => event.step === 'deliver');
      assert.ok(first !== undefined);
      const held = (await predicateOf(first.id)).parts.find((part) => part.verdict === 'held');
      assert.equal(held?.reason, 'password-needed');

      const writer = new RequestWriter(
        await openFsStore(join(folder.path, 'requests')),
        await loadSealingKey(join(folder.path, 'keys', 'sealing-key.pem')),
      );
      const asked = { id: first.id, part: held.path, by: 'sato' };
      const wrong = await writer.password(asked, ['not this one']);
      await until(() => delivered(wrong), 90_000, 'answer to a wrong password');
      const after = await predicateOf(wrong);
      assert.equal(after.revises, first.id);
      assert.equal(after.parts.find((part) => part.path === held.path)?.reason, 'password-wrong');

      const right = await writer.password(asked, ['nor this', PASSWORD]);
      await until(() => delivered(right), 90_000, 'answer to the right password');
      const opened = (await predicateOf(right)).parts.find((part) => part.path === held.path);
      assert.equal(opened?.verdict, 'pages');
      assert.equal(opened.outputs.length, 1);
      await until(
        async () => !(await writer.waiting(right)) && !(await writer.waiting(wrong)),
        60_000,
        'the requests are removed',
      );

      // Where no password is wanted nothing is made, and nobody is mailed.
      for (const part of ['1', '9']) {
        const needless = await writer.password({ ...asked, part }, [PASSWORD]);
        await until(async () => !(await writer.waiting(needless)), 60_000, 'answered');
        assert.equal(await outbox.find(needless), undefined, part);
      }

      // The wrong one told the asker only; the first and the right one came as mails.
      assert.equal((await readdir(join(folder.path, 'delivered'))).filter((name) => name.endsWith('.eml')).length, 2);
      for (const entry of await readdir(folder.path, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const bytes = await readFile(join(entry.parentPath, entry.name));
        assert.ok(!bytes.includes(PASSWORD), `${entry.name} holds the password`);
      }
    },
  );
});
