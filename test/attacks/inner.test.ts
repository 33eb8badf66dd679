// Attack catalogue, rows 2, 5 and 13: what reaches the inner mail server, and what goes back to a stranger.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe } from 'node:test';
import { TLSSocket, createServer as createTlsServer } from 'node:tls';
import { corpusFiles, corpus, row } from '../support/attack-row.ts';
import { originalOf } from '../support/checker/checker.ts';
import { mailFaults } from '../support/checker/own-mail.ts';
import { gatewayEnv, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

describe('towards the inner side', () => {
  row(
    2,
    'SMTP smuggling, outbound: whatever dots and line ends a body holds, one mail arrives, in CRLF lines',
    async () => {
      await using folder = await scratch();
      await using inner = await startInnerServer();
      await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
      const fake =
        'MAIL FROM:<x@evil.example>\r\nRCPT TO:<staff@city.example.lg.jp>\r\nDATA\r\nSubject: second\r\n\r\nx';
      const bodies = [
        `a\r\n..\r\n${fake}`,
        `a\n..\n${fake}`,
        `a\r..\r${fake}`,
        `..\r\n..\r\n.. \r\n${fake}`,
        `Content-Type: x\r\n\r\n=0D=0A.=0D=0A${fake}`,
      ];
      const encoded = Buffer.from(`a\r\n.\r\n${fake}`).toString('base64');
      const mails = [
        ...bodies.map((body) => `From: a@example.com\r\nSubject: s\r\n\r\n${body}`),
        `From: a@example.com\r\nSubject: s\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}`,
        `From: a@example.com\r\nSubject: s\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=0A.=0A${fake.replaceAll('=', '=3D')}`,
      ];
      for (const [at, mail] of mails.entries()) {
        assert.match(await sendMail(gateway.smtpPort ?? 0, mail), /^250 /);
        await until(() => inner.taken.length > at, 60_000, `mail ${at}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(inner.taken.length, mails.length, 'no second mail');
      for (const [at, taken] of inner.taken.entries()) {
        assert.equal(taken.from, 'sender@example.com');
        assert.deepEqual(mailFaults(Buffer.from(taken.raw), originalOf(Buffer.from(mails[at] ?? ''))), []);
      }
    },
  );

  row(
    5,
    'where TLS is asked for, nothing is sent in clear or to a server with a certificate nobody vouches for',
    async () => {
      await using folder = await scratch();
      const key = join(folder.path, 'key.pem');
      const cert = join(folder.path, 'cert.pem');
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
          '-subj',
          '/CN=localhost',
          '-keyout',
          key,
          '-out',
          cert,
        ],
        { stdio: 'ignore' },
      );
      let heard = '';
      const tls = { key: await readFile(key), cert: await readFile(cert) };
      /** A server that says yes to everything; `extension` is what it offers. */
      const answering =
        (extension: string) =>
        (socket: Socket): void => {
          socket.on('error', () => undefined); // the gateway hangs up
          socket.write('220 inner ESMTP\r\n');
          const answer = (chunk: Buffer): void => {
            heard += chunk.toString('latin1');
            if (/^STARTTLS/im.test(chunk.toString())) {
              socket.removeListener('data', answer);
              socket.write('220 go ahead\r\n');
              const secure = new TLSSocket(socket, { isServer: true, ...tls });
              secure.on('error', () => undefined); // it does not trust us
              secure.on('data', (secret: Buffer) => void (heard += secret.toString('latin1')));
            } else if (/^EHLO/im.test(chunk.toString())) socket.write(`250-inner\r\n250 ${extension}\r\n`);
            else socket.write(/^DATA/im.test(chunk.toString()) ? '354 go\r\n' : '250 ok\r\n');
          };
          socket.on('data', answer);
        };
      const stripped = createTcpServer(answering('8BITMIME'));
      const offering = createTcpServer(answering('STARTTLS'));
      const selfSigned = createTlsServer(tls, answering('8BITMIME'));
      for (const [name, server, url, sent] of [
        ['smtps, in clear', stripped, 'smtps://localhost:PORT', false],
        ['smtps, self-signed', selfSigned, 'smtps://localhost:PORT', false],
        ['required, stripped', stripped, 'smtp://localhost:PORT?tls=require', false],
        ['required, self-signed', offering, 'smtp://localhost:PORT?tls=require', false],
        ['not required', stripped, 'smtp://localhost:PORT', true],
      ] as const) {
        heard = '';
        server.on('tlsClientError', () => undefined); // the gateway does not trust it
        server.listen(0, 'localhost');
        await once(server, 'listening');
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        await using gateway = await startTestGateway(join(folder.path, name.replaceAll(/\W/g, '-')), {
          MUGAI_INNER_SMTP_URL: url.replace('PORT', String(port)),
        });
        assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('secret words')), /^250 /);
        if (sent) await until(() => /secret words/.test(heard), 60_000, name);
        else await new Promise((resolve) => setTimeout(resolve, 2500));
        assert.equal(/MAIL FROM|secret words/i.test(heard), sent, name);
        server.close();
      }
    },
  );

  row(
    5,
    'where TLS is required and the certificate is vouched for, for this very name, the mail goes, and no word of it in clear',
    async () => {
      await using folder = await scratch();
      for (const [certificateFor, url, goes] of [
        ['localhost', 'smtp://localhost:PORT?tls=require', true],
        ['elsewhere.example', 'smtp://localhost:PORT?tls=require', false],
      ] as const) {
        const cert = join(folder.path, `${certificateFor}.pem`);
        const key = join(folder.path, `${certificateFor}.key`);
        const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${certificateFor} -addext subjectAltName=DNS:${certificateFor}`;
        execFileSync('openssl', [...made.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
        const tls = { key: await readFile(key), cert: await readFile(cert) };
        const heard = { clear: '', secret: '' };
        const server = createTcpServer((socket) => {
          socket.on('error', () => undefined); // the gateway hangs up
          socket.write('220 inner ESMTP\r\n');
          const answers = (to: Socket | TLSSocket, where: keyof typeof heard) => {
            let inData = false;
            return (chunk: Buffer): void => {
              const said = chunk.toString('latin1');
              heard[where] += said;
              if (inData) {
                if (!/(?:^|\r\n)\.\r\n$/.test(said)) return;
                inData = false;
                to.write('250 taken\r\n');
              } else if (/^STARTTLS/i.test(said)) {
                socket.removeAllListeners('data');
                socket.write('220 go ahead\r\n');
                const secure = new TLSSocket(socket, { isServer: true, ...tls });
                secure.on('error', () => undefined); // a certificate for somebody else
                secure.on('data', answers(secure, 'secret'));
              } else if (/^DATA/i.test(said)) {
                inData = true;
                to.write('354 go\r\n');
              } else to.write(/^EHLO/i.test(said) ? '250-inner\r\n250 STARTTLS\r\n' : '250 ok\r\n');
            };
          };
          socket.on('data', answers(socket, 'clear'));
        });
        server.listen(0, 'localhost');
        await once(server, 'listening');
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const gateway = await startGatewayProcess({
          ...gatewayEnv(join(folder.path, `data-${certificateFor}`), { MUGAI_RETRY_SECONDS: '1' }),
          MUGAI_INNER_SMTP_URL: url.replace('PORT', String(port)),
          NODE_EXTRA_CA_CERTS: cert, // how an authority of the house is made known
        });
        try {
          assert.match(await sendMail(gateway.smtpPort, plainMail('secret words')), /^250 /);
          if (goes) await until(() => heard.secret.includes('\r\n.\r\n'), 60_000, 'the mail');
          else await until(() => gateway.lines.some((line) => /altnames/i.test(line)), 60_000, 'a word of the name');
          assert.equal(
            /^MAIL FROM/im.test(heard.secret) && heard.secret.includes('secret words'),
            goes,
            certificateFor,
          );
          assert.match(heard.clear, /^EHLO \S+\r\nSTARTTLS\r\n/);
          assert.doesNotMatch(heard.clear, /MAIL FROM|secret words/i);
        } finally {
          await gateway.end('SIGTERM');
          server.close();
        }
      }
    },
  );

  row(
    13,
    'backscatter: refusals are said in the session; after that nothing goes to a stranger, bounces end as mail',
    async () => {
      await using folder = await scratch();
      await using inner = await startInnerServer();
      await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
      await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
      await dialog.reply();
      await dialog.say('EHLO a.example');
      await dialog.say('MAIL FROM:<forged@victim.example>');
      assert.match(await dialog.say('RCPT TO:<nobody@elsewhere.example>'), /^550 /);
      const bounces = corpusFiles('mail/sisimai', /\.eml$/).slice(0, 12);
      for (const path of bounces) {
        await using session = await SmtpDialog.open(gateway.smtpPort ?? 0);
        await session.toData('staff@city.example.lg.jp', '');
        // Stuffed and in CRLF lines, as a mail server would send it.
        const text = (await corpus(path)).toString('latin1').replaceAll(/\r?\n/g, '\r\n').replaceAll(/^\./gm, '..');
        session.write(Buffer.from(`${text}\r\n.\r\n`, 'latin1'));
        assert.match(await session.reply(), /^250 /, path);
      }
      // One that the inner server refuses for good: its end is noted here, and no notice goes out.
      inner.refuse.data = () => 550;
      assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('refused inside')), /^250 /);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      for (const taken of inner.taken) {
        assert.deepEqual(taken.to, ['staff@city.example.lg.jp']);
        assert.equal(taken.from, '');
      }
    },
  );
});
