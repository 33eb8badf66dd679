// Attack catalogue, rows 102 to 105: text and file names. Every outcome has been through the checker C1-C3, C6, C7.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { corpus, row } from '../support/attack-row.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';
import { scratch } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser();
});
after(async () => sanitiser[Symbol.asyncDispose]());

/** Names that deceive or do harm. */
const NAMES = [
  'invoice\u202efdp.exe',
  'a.pdf                                                  .exe',
  'a.pdf.exe',
  'a.exe.',
  'a.exe ',
  'a.txt:stream',
  'a.txt::$DATA',
  '../../etc/passwd',
  '..\\..\\windows\\system32\\x.dll',
  '/etc/passwd',
  'C:\\autoexec.bat',
  'CON',
  'aux.txt',
  'LPT1.pdf',
  '-rf',
  '--checkpoint-action=exec=sh',
  'a\0b.txt',
  'a\nb.txt',
  'a\r\nContent-Type: text\u002fhtml',
  '.htaccess',
  '...',
  '',
  ' ',
  '__proto__',
  'constructor',
  'toString.txt',
  '$(touch x).txt',
  '`id`.txt',
  '%00.txt',
  '%2e%2e%2fx',
  '<img src=x onerror=evil()>.txt',
  '"><script>.txt',
  'é'.normalize('NFD'),
  '\u{1f4a9}.txt',
  '\ud800.txt',
  'desktop.ini',
  'x'.repeat(4000),
  'あ'.repeat(4000),
  '表.pdf',
];

describe('text and names', () => {
  row(102, 'cells that would run stand in a text or a picture, where nothing runs', async () => {
    const cells = ["=cmd|' /C calc'!A0", '+1+1', '-1+1', '@SUM(1)', '\t=1', '\r=1', '=HYPERLINK("http://evil.example")']
      .map((cell) => `"${cell}",x`)
      .join('\r\n');
    for (const [name, bytes] of [
      ['a.csv', Buffer.from(cells)],
      ['dde.csv', await corpus('hostile/office-oletools/msodde-dde-in-csv.csv')],
      ['blns.txt', await corpus('hostile/strings-blns/blns.txt')],
    ] as const) {
      const outcome = await sanitiser.file(name, bytes);
      assert.equal(outcome.state, 'sanitised');
      for (const file of outcome.files.keys()) assert.match(file, /\.(txt|pdf|png)$/);
    }
  });

  row(103, 'escape sequences and line ends of strangers reach neither the log nor a terminal', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(join(folder.path, 'data'), { MUGAI_LOG_LEVEL: 'debug' }));
    try {
      await using dialog = await SmtpDialog.open(gateway.smtpPort);
      await dialog.reply();
      await dialog.say('EHLO \u001b]0;evil\u0007');
      await dialog.say('EHLO evil.example');
      await dialog.say('MAIL FROM:<\u001b[2J@example.com>');
      await dialog.say('MAIL FROM:<a@example.com>');
      await dialog.say('RCPT TO:<staff@city.example.lg.jp>');
      await dialog.say('DATA');
      dialog.write(
        'From: \u001b[31m\u009b <a@example.com>\r\nSubject: x\u001b[2J\u0000y\r\n{"level":"fatal"}\r\n.\r\n',
      );
      assert.match(await dialog.reply(), /^250/);
      await new Promise((resolve) => setTimeout(resolve, 500));
    } finally {
      await gateway.end('SIGTERM');
    }
    assert.ok(gateway.lines.length > 1);
    for (const line of gateway.lines) {
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
      assert.equal(typeof (JSON.parse(line) as { level: unknown }).level, 'string');
    }
    const shown = await runMugai([
      'sanitise',
      join(folder.path, 'no\u001b[2J-such'),
      '--out',
      join(folder.path, 'out'),
    ]);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(shown.stderr + shown.stdout, /\u001b\[2J/);
  });

  row(104, 'deceptive names: one extension, ours, of what the bytes are; the type is told', async () => {
    const png = await corpus('image/pngsuite/basn2c08.png');
    // Each picture has a child of its own: every fourth name is enough of them, the rest come as text.
    for (const [at, name] of NAMES.entries()) {
      if (at % 4 !== 0) {
        const text = await sanitiser.file(name, 'text');
        assert.match([...text.files.keys()][0] ?? '', /^files\/01-[^.]+\.txt$/, JSON.stringify(name));
        continue;
      }
      const outcome = await sanitiser.file(name, png);
      const [file = ''] = outcome.files.keys();
      assert.match(file, /^files\/01-[^.]+\.(png|jpg)$/, JSON.stringify(name));
    }
    for (const path of ['mail/rspamd/next2last-doublebad.eml', 'mail/rspamd/fname.eml'])
      await sanitiser.mail(await corpus(path));
  });

  row(
    105,
    'dangerous names: stored under ids, shown as text, never a path; the command and the doors alike',
    async () => {
      for (const name of NAMES) {
        const encoded = Buffer.from(name.toWellFormed()).toString('base64');
        const outcome = await sanitiser.mail(
          [
            `From: a@example.com`,
            'Content-Type: multipart/mixed; boundary=B',
            '',
            '--B',
            `Content-Type: text/plain; name="=?utf-8?B?${encoded}?="`,
            'Content-Disposition: attachment',
            '',
            'text',
            '--B--',
            '',
          ].join('\r\n'),
        );
        assert.ok(outcome.parts.every((part) => part.name.length <= 300));
      }
      const strings = JSON.parse((await corpus('hostile/strings-blns/blns.json')).toString('utf8')) as string[];
      for (const name of strings) await sanitiser.file(name, 'text');

      await using folder = await scratch();
      const gateway = await startGatewayProcess(gatewayEnv(join(folder.path, 'data')));
      try {
        for (const name of NAMES) {
          const form = new FormData();
          form.set('to', 'staff@city.example.lg.jp');
          form.set('file', new Blob(['text']), name);
          const reply = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body: form });
          assert.ok([202, 400].includes(reply.status), `${JSON.stringify(name)}: ${reply.status}`);
        }
      } finally {
        await gateway.end('SIGTERM');
      }
      assert.deepEqual(await readdir(folder.path), ['data'], 'nothing beside the data folder');
      for (const entry of await readdir(join(folder.path, 'data', 'spool'), { recursive: true }))
        assert.match(entry, /^[\w./-]+$/);
      await readFile(join(folder.path, 'data', 'keys', 'verify-key.pem'));
    },
  );
});
