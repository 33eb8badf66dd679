// Bad input and bad surroundings: each gets its clear answer, nothing is lost, and the next mail passes.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { parseMessageId, type MessageId } from '../../src/message/id.ts';
import type { Gateway } from '../../src/roles.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);

function idOf(reply: string): MessageId {
  const id = parseMessageId(/queued as (\w+)/.exec(reply)?.[1] ?? '');
  assert.ok(id !== undefined, `not accepted: ${reply}`);
  return id;
}

async function ended(gateway: Gateway, id: MessageId): Promise<string> {
  await until(async () => (await gateway.ledger?.end(id)) !== undefined, 60_000, `end of ${id}`);
  return (await gateway.ledger?.end(id))?.record.stage ?? '';
}

async function deliveredText(folder: string, id: MessageId): Promise<string> {
  const eml = await readFile(join(folder, 'delivered', `${id}.eml`), 'latin1');
  const base64 = /Content-Transfer-Encoding: base64\r\n(?:[^\r\n]+\r\n)*\r\n([A-Za-z0-9+/=\r\n]+)/.exec(eml)?.[1] ?? '';
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** The next mail passes: the proof after each fault. */
async function nextMailPasses(gateway: Gateway): Promise<void> {
  const reply = await sendMail(gateway.smtpPort ?? 0, plainMail('next'));
  assert.equal(await ended(gateway, idOf(reply)), 'delivered');
}

describe('at the SMTP door', () => {
  it('a declared size over the limit is refused at MAIL, sent size over the limit at the end of data', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    await using declared = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await declared.reply();
    assert.match(await declared.say('EHLO test.example'), new RegExp(`SIZE ${LIMITS.messageBytes}`));
    assert.match(await declared.say(`MAIL FROM:<a@example.com> SIZE=${LIMITS.messageBytes + 1}`), /^552/);

    await using sent = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await sent.toData();
    sent.write('Subject: big\r\n\r\n');
    const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(1000));
    for (let bytes = 0; bytes <= LIMITS.messageBytes; bytes += line.length) {
      sent.write(line);
      await sent.drained();
    }
    sent.write('\r\n.\r\n');
    assert.match(await sent.reply(30_000), /^552 5\.3\.4 /);
    assert.deepEqual(await readdir(join(folder.path, 'spool', 'tmp')), [], 'nothing of it is kept');
    await nextMailPasses(gateway);
  });

  it('recipients outside our domains and addresses of two meanings are refused, in every syntax', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await dialog.reply();
    await dialog.say('EHLO test.example');
    await dialog.say('MAIL FROM:<>');
    for (const address of [
      '<x@elsewhere.example>',
      '<x%elsewhere.example@city.example.lg.jp>',
      '<"x@elsewhere.example"@city.example.lg.jp>',
      '<elsewhere.example!x@city.example.lg.jp>',
      '<x@city.example.lg.jp@elsewhere.example>',
      '<x>',
      '<x@[127.0.0.1]>',
    ]) {
      assert.match(await dialog.say(`RCPT TO:${address}`), /^5\d\d /, address);
    }
    assert.match(await dialog.say('RCPT TO:<Staff@CITY.example.lg.jp>'), /^250/);
  });

  it('a full disk is 452, nothing half-written stays, and mail passes when there is room again', async () => {
    await using folder = await scratch();
    let full = true;
    await using gateway = await startTestGateway(
      folder.path,
      {},
      {
        fault: (act, path) => {
          if (full && act === 'fdatasync' && path.includes('/spool/'))
            throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        },
      },
    );
    assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('full')), /^452 4\.3\.1 /);
    const form = new FormData();
    form.set('to', 'staff@city.example.lg.jp');
    form.set('file', new Blob(['hello']), 'a.txt');
    const upload = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body: form });
    assert.equal(upload.status, 507);
    assert.deepEqual(await gateway.spool?.unfinished(10), { sanitise: [], seal: [] });
    full = false;
    await nextMailPasses(gateway);
  });

  it('a connection cut inside its data leaves no message', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    {
      await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
      await dialog.toData();
      dialog.write(plainMail('half a mail'));
    }
    await nextMailPasses(gateway);
    assert.equal((await readdir(join(folder.path, 'delivered'))).filter((name) => name.endsWith('.eml')).length, 1);
  });
});

describe('inside', () => {
  it('a broken MIME tree ends as a mail or as a note with its reason', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const deep = Array.from(
      { length: 3000 },
      (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`,
    ).join('');
    const id = idOf(await sendMail(gateway.smtpPort ?? 0, `From: a@example.com\r\nSubject: deep\r\n${deep}x`));
    assert.equal(await ended(gateway, id), 'delivered');
    assert.match(await deliveredText(folder.path, id), /お届けできません。理由: /);
    await nextMailPasses(gateway);
  });

  it('a PDF that loops stops only its own part', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const pdf = (await readFile(new URL('pdf/pdfjs/ContentStreamCycleType3insideType3.pdf', CORPUS)))
      .toString('base64')
      .replace(/.{76}/g, '$&\r\n');
    const mail = [
      'From: a@example.com',
      'Subject: loop',
      'Content-Type: multipart/mixed; boundary=B',
      '',
      '--B',
      'Content-Type: text/plain; charset=utf-8',
      '',
      '本文です',
      '--B',
      'Content-Type: application/pdf; name=loop.pdf',
      'Content-Transfer-Encoding: base64',
      '',
      pdf,
      '--B--',
    ].join('\r\n');
    const id = idOf(await sendMail(gateway.smtpPort ?? 0, mail));
    await nextMailPasses(gateway); // while the loop turns
    await until(async () => (await gateway.ledger?.end(id)) !== undefined, 80_000, 'the loop ends');
    const text = await deliveredText(folder.path, id);
    assert.match(text, /本文です/);
    assert.match(text, /loop\.pdf/);
  });
});

describe('towards the inner server', () => {
  it('4xx defers and delivers later, 5xx ends as rejected with the answer kept', async () => {
    await using folder = await scratch();
    await using inner = await startInnerServer();
    await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
    let refusals = 0;
    inner.refuse.data = () => (++refusals <= 2 ? 451 : undefined);
    const later = idOf(await sendMail(gateway.smtpPort ?? 0, plainMail('later')));
    assert.equal(await ended(gateway, later), 'delivered');
    assert.equal(refusals, 3);
    assert.equal(inner.taken.length, 1);

    inner.refuse = { rcpt: () => 550 };
    const never = idOf(await sendMail(gateway.smtpPort ?? 0, plainMail('never')));
    assert.equal(await ended(gateway, never), 'rejected');
    assert.match((await gateway.ledger?.end(never))?.record.answer ?? '', /550/);
    inner.refuse = {};
    await nextMailPasses(gateway);
  });

  it('recipients that accepted do not get the mail again while another is deferred', async () => {
    await using folder = await scratch();
    await using inner = await startInnerServer();
    await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
    let busy = true;
    inner.refuse.rcpt = (address) => (address.startsWith('slow') && busy ? 450 : undefined);
    await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await dialog.reply();
    await dialog.say('EHLO test.example');
    await dialog.say('MAIL FROM:<a@example.com>');
    await dialog.say('RCPT TO:<quick@city.example.lg.jp>');
    await dialog.say('RCPT TO:<slow@city.example.lg.jp>');
    await dialog.say('DATA');
    dialog.write(`${plainMail('two')}\r\n.\r\n`);
    const id = idOf(await dialog.reply());
    await until(() => inner.taken.length === 1, 60_000, 'the quick one');
    busy = false;
    assert.equal(await ended(gateway, id), 'delivered');
    assert.deepEqual(
      inner.taken.map((mail) => mail.to),
      [['quick@city.example.lg.jp'], ['slow@city.example.lg.jp']],
    );
    assert.equal(inner.taken[0]?.messageId, inner.taken[1]?.messageId);
  });

  it('an inner server that is gone defers, and mail arrives when it is back', async () => {
    await using folder = await scratch();
    const gone = await startInnerServer();
    const port = Number(new URL(gone.url).port);
    await gone.close();
    await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: gone.url });
    const id = idOf(await sendMail(gateway.smtpPort ?? 0, plainMail('patience')));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await using back = await startInnerServer(port);
    assert.equal(await ended(gateway, id), 'delivered');
    assert.equal(back.taken.length, 1);
  });
});

describe('at the start', () => {
  const oneLine = (text: string): string => {
    assert.equal(text.trim().split('\n').length, 1, text);
    return text;
  };

  it('two gateways on one data folder: the second says so in one line and exits 1; after kill -9 a third starts', async () => {
    await using folder = await scratch();
    const first = await startGatewayProcess(gatewayEnv(folder.path));
    const second = await runMugai(['serve'], gatewayEnv(folder.path));
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^mugai: .*in use by another gateway.*\n$/);
    await first.end('SIGKILL');
    const third = await startGatewayProcess(gatewayEnv(folder.path));
    assert.equal(await third.end('SIGTERM'), 0);
  });

  it('two gateways on one port: the second says so in one line and exits 1', async () => {
    await using folder = await scratch();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    for (const key of ['MUGAI_SMTP_LISTEN', 'MUGAI_UPLOAD_LISTEN', 'MUGAI_PORTAL_LISTEN', 'MUGAI_OPS_LISTEN']) {
      const run = await runMugai(
        ['serve'],
        gatewayEnv(folder.path, { [key]: `127.0.0.1:${port}`, MUGAI_LOG_LEVEL: 'silent' }),
      );
      assert.equal(run.code, 1, key);
      assert.match(oneLine(run.stderr), new RegExp(`127\\.0\\.0\\.1:${port}`));
    }
    taken.close();
  });

  it('a wrong key or value: one line with the key, the problem and an example, exit 2', async () => {
    await using folder = await scratch();
    for (const [key, value] of [
      ['MUGAI_SMTP_LISTEN', 'nonsense'],
      ['MUGAI_WORKERS', 'many'],
      ['MUGAI_DOMAINS', ' , '],
      ['MUGAI_QUEUE_URL', 'mysql://x'],
      ['MUGAI_INNER_SMTP_URL', 'http://x'],
      ['MUGAI_INNER_SMTP_URL', 'smtp://user:50%@mail.example'],
      ['MUGAI_LOG_LEVEL', 'loud'],
    ] as const) {
      const run = await runMugai(['serve'], gatewayEnv(folder.path, { [key]: value }));
      assert.equal(run.code, 2, `${key}: ${run.stderr}`);
      assert.match(oneLine(run.stderr), new RegExp(`${key} .*for example ${key}=`));
    }
    const typo = await runMugai(['serve'], gatewayEnv(folder.path, { MUGAI_DOMIANS: 'x' }));
    assert.equal(typo.code, 2);
    assert.match(oneLine(typo.stderr), /MUGAI_DOMIANS is not a configuration key/);
    const asFile = await runMugai(['serve'], gatewayEnv(folder.path, { MUGAI_DOMAINS_FILE: '/etc/hostname' }));
    assert.equal(asFile.code, 2);
    assert.match(
      oneLine(asFile.stderr),
      /MUGAI_DOMAINS_FILE is not a configuration key: MUGAI_DOMAINS holds no secret/,
    );
  });

  it('a data folder that is none or cannot be made: one line with its key, exit 2, in every role', async () => {
    await using folder = await scratch();
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    for (const [role, path] of [
      ['all', file],
      ['worker', join(file, 'below')],
      ['ingress', '/proc/mugai'],
      ['inner', '/proc/mugai/below'],
    ] as const) {
      const run = await runMugai(['serve', '--role', role], gatewayEnv(path, { MUGAI_LOG_LEVEL: 'silent' }));
      assert.equal(run.code, 2, `${path}: ${run.stderr}`);
      assert.ok(oneLine(run.stderr).includes(`MUGAI_DATA_DIR is "${path}"`), run.stderr);
    }
  });

  it('a key file that is missing, no key, or of another kind: one line, exit 2', async () => {
    await using folder = await scratch();
    const bad = join(folder.path, 'bad.pem');
    await writeFile(bad, 'not a key');
    for (const file of [join(folder.path, 'absent.pem'), bad]) {
      const run = await runMugai(
        ['serve'],
        gatewayEnv(folder.path, { MUGAI_SIGNING_KEY_FILE: file, MUGAI_LOG_LEVEL: 'silent' }),
      );
      assert.equal(run.code, 2, run.stderr);
      assert.ok(oneLine(run.stderr).includes(file));
    }
  });

  it('wrong usage: one line, exit 2; --help: an example, exit 0', async () => {
    for (const args of [
      ['nonsense'],
      ['serve', '--role', 'king'],
      ['serve', '--nope'],
      ['sanitise'],
      ['sanitise', 'x'],
      ['verify'],
      ['keys'],
      ['sanitise', '/no/such/file', '--out', '/tmp/x'],
    ]) {
      const run = await runMugai(args);
      assert.equal(run.code, 2, `${args.join(' ')}: ${run.stderr}`);
      oneLine(run.stderr);
    }
    for (const command of ['serve', 'sanitise', 'verify', 'keys']) {
      const run = await runMugai([command, '--help']);
      assert.equal(run.code, 0);
      assert.match(run.stdout, /Example: /);
    }
  });
});
