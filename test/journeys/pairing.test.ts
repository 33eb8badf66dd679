// PPAP: a locked file, and its password in the next mail of the same sender, brought together by the gateway.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MessageId } from '../../src/message/id.ts';
import { loadPublicKeys } from '../../src/outbox/keys.ts';
import type { Predicate } from '../../src/outbox/manifest.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import type { Event } from '../../src/roles.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

const SAMPLES = fileURLToPath(new URL('../../samples/file/', import.meta.url));
const TO = 'staff@city.example.lg.jp';

/** Second mails as they are written; `X` stands for the password. */
const WORDINGS: readonly (readonly [name: string, body: string])[] = [
  ['brackets', '先ほどお送りしたファイルの解凍パスワードは「X」です。'],
  ['full-width', 'ＰＷ：Ｘ'],
  ['a line break after the word', 'パスワードは以下のとおりです。\r\n\r\n　X\r\n\r\n以上'],
  [
    'a forwarded mail',
    '佐藤さんから届きました。\r\n\r\n> 添付ファイルの展開パスワードをお送りします。\r\n>\r\n>   X\r\n>\r\n> 佐藤',
  ],
];

interface House {
  readonly port: number;
  predicate(id: MessageId): Promise<Predicate>;
  /** The packages that came after `known`, once there are `count` of them. */
  next(known: number, count: number): Promise<MessageId[]>;
  readonly seen: () => number;
  readonly folder: string;
}

async function house(folder: string, policy: string, work: (house: House) => Promise<void>): Promise<void> {
  const policyFile = join(folder, 'policy.yaml');
  await writeFile(policyFile, policy);
  const events: Event[] = [];
  const data = join(folder, 'data');
  await using gateway = await startTestGateway(
    data,
    { MUGAI_POLICY_FILE: policyFile },
    { onEvent: (event) => events.push(event) },
  );
  const { outbox, smtpPort } = gateway;
  assert.ok(outbox !== undefined && smtpPort !== undefined);
  const keys = await loadPublicKeys(join(data, 'keys', 'verify-key.pem'));
  const delivered = (): Event[] => events.filter(({ step }) => step === 'deliver');
  await work({
    port: smtpPort,
    folder: data,
    seen: () => delivered().length,
    predicate: async (id) =>
      (await verifyPackage(outbox.files(id), keys, 1e9, AbortSignal.timeout(60_000))).statement.predicate,
    next: async (known, count) => {
      await until(() => delivered().length >= known + count, 120_000, `${count} more packages`);
      return delivered()
        .slice(known)
        .map(({ id }) => id);
    },
  });
}

function lockedPdf(folder: string, password: string): Buffer {
  const to = join(folder, `locked-${password}.pdf`);
  execFileSync('qpdf', ['--encrypt', password, 'owner', '256', '--', join(SAMPLES, 'vertical.pdf'), to]);
  return execFileSync('cat', [to]);
}

function mail(from: string, body: string, file?: { readonly name: string; readonly bytes: Buffer }): string {
  const text = `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(body).toString('base64')}\r\n`;
  const head = `From: =?utf-8?b?${Buffer.from('鈴木').toString('base64')}?= <${from}>\r\nTo: ${TO}\r\nSubject: x\r\nMIME-Version: 1.0\r\n`;
  if (file === undefined) return head + text;
  const base64 = file.bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
  return `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${text}--b\r\nContent-Type: application/octet-stream; name=${file.name}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--b--\r\n`;
}

const wide = (text: string): string =>
  text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));

describe('a password that comes in a second mail', () => {
  it('opens the file of the first one, where the policy says so', { timeout: 580_000 }, async () => {
    await using folder = await scratch();
    await house(folder.path, 'name: p\nversion: "1"\npasswordPairing: true\n', async (gateway) => {
      for (const [nth, [name, wording]] of WORDINGS.entries()) {
        const password = `Kx7mQ2p${nth}`;
        const from = `suzuki${nth}@example.com`;
        const pdf = lockedPdf(folder.path, password);
        let known = gateway.seen();
        const first = 'ファイルをお送りします。パスワードは別途お送りします。';
        await sendMail(gateway.port, mail(from, first, { name: 'form.pdf', bytes: pdf }));
        const [held] = await gateway.next(known, 1);
        assert.ok(held !== undefined);
        assert.equal((await gateway.predicate(held)).parts.at(-1)?.reason, 'password-needed', name);

        known = gateway.seen();
        // A stranger's mail, and one to somebody else, open nothing.
        await sendMail(gateway.port, mail('stranger@example.com', `パスワード：${password}`));
        await sendMail(gateway.port, mail(from, `パスワード：${password}`), 'other@city.example.lg.jp');
        await gateway.next(known, 2);

        known = gateway.seen();
        await sendMail(gateway.port, mail(from, wording.replace('Ｘ', wide(password)).replace('X', password)));
        const ids = await gateway.next(known, 2);
        const found = await Promise.all(ids.map(async (id) => gateway.predicate(id)));
        const answer = found.find(({ revises }) => revises !== undefined);
        assert.equal(answer?.revises, held, name);
        const part = answer.parts.at(-1);
        assert.equal(part?.verdict, 'pages', name);
        const [note] = part.findings.filter(({ code }) => code === 'password-paired');
        assert.ok(note !== undefined && ids.includes(note.detail as MessageId) && note.detail !== answer.id, name);
      }
      const mails = (await readdir(join(gateway.folder, 'delivered'))).filter((file) => file.endsWith('.eml'));
      assert.equal(mails.length, WORDINGS.length * 5);
      // Nothing but the mails that told it holds a password: no note, no journal, no record of the answer.
      for (const entry of await readdir(join(gateway.folder), { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/pairing|journal/.test(entry.parentPath)) continue;
        assert.doesNotMatch(await readFile(join(entry.parentPath, entry.name), 'latin1'), /Kx7mQ2p/, entry.name);
      }
    });
  });

  it('opens nothing without a policy that says so', { timeout: 580_000 }, async () => {
    await using folder = await scratch();
    await house(folder.path, 'name: p\nversion: "1"\n', async (gateway) => {
      const bytes = lockedPdf(folder.path, 'Kx7mQ2p');
      await sendMail(gateway.port, mail('a@example.com', 'ファイルです。', { name: 'form.pdf', bytes }));
      await sendMail(gateway.port, mail('a@example.com', 'パスワード：Kx7mQ2p'));
      await gateway.next(0, 2);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal(gateway.seen(), 2);
    });
  });

  it('that is wrong is told once, and delivers nothing', { timeout: 580_000 }, async () => {
    await using folder = await scratch();
    await house(folder.path, 'name: p\nversion: "1"\npasswordPairing: true\n', async (gateway) => {
      const bytes = lockedPdf(folder.path, 'Kx7mQ2p');
      await sendMail(gateway.port, mail('a@example.com', 'ファイルです。', { name: 'form.pdf', bytes }));
      await gateway.next(0, 1);
      await sendMail(gateway.port, mail('a@example.com', 'パスワード：chigau-9999'));
      const ids = await gateway.next(1, 2);
      await sendMail(gateway.port, mail('a@example.com', 'Re: パスワード：chigau-9999'));
      await gateway.next(3, 1);
      const found = await Promise.all(ids.map(async (id) => gateway.predicate(id)));
      const answer = found.find(({ revises }) => revises !== undefined)?.parts.at(-1);
      assert.equal(answer?.reason, 'password-wrong');
      assert.ok(answer.findings.some(({ code }) => code === 'password-tried'));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal(gateway.seen(), 4, 'the same words are not tried again');
      const mails = await readdir(join(gateway.folder, 'delivered'));
      assert.equal(mails.filter((file) => file.endsWith('.eml')).length, 3);
    });
  });
});
