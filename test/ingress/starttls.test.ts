// The place of a client address is given back after a session under TLS, as after one in clear.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { CLIENT_ALLOWANCE, ClientLimits } from '../../src/ingress/client-limits.ts';
import { DOMAIN, openTestDoor } from '../support/door.ts';
import { scratch } from '../support/scratch.ts';

const AT_ONCE = 3;
const OPENSSL = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=mx.test';

async function answer(socket: Socket): Promise<string> {
  let heard = '';
  while (!/^\d{3} .*\r\n$/m.test(heard)) heard += String((await once(socket, 'data'))[0]);
  return heard;
}

async function say(socket: Socket, line: string): Promise<string> {
  const answered = answer(socket);
  socket.write(`${line}\r\n`);
  return answered;
}

/** One mail in a session of its own; the last answer. */
async function mail(port: number, secure: boolean): Promise<string> {
  const plain = connect(port, '127.0.0.1').on('error', () => undefined);
  const hello = await answer(plain);
  if (!hello.startsWith('220')) return hello;
  await say(plain, 'EHLO a.example');
  let socket: Socket = plain;
  if (secure) {
    await say(plain, 'STARTTLS');
    socket = connectTls({ socket: plain, rejectUnauthorized: false }).on('error', () => undefined);
    await once(socket, 'secureConnect');
    await say(socket, 'EHLO a.example');
  }
  await say(socket, 'MAIL FROM:<a@a.example>');
  await say(socket, `RCPT TO:<staff@${DOMAIN}>`);
  await say(socket, 'DATA');
  const taken = await say(socket, 'Subject: x\r\n\r\nhello\r\n.');
  const closed = once(plain, 'close');
  socket.resume().end('QUIT\r\n');
  await closed;
  return taken;
}

test('a client may bring one mail after the other under TLS, far more than it may have sessions at once', async () => {
  await using folder = await scratch();
  const [cert, key] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')];
  execFileSync('openssl', [...OPENSSL.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const clients = new ClientLimits([], { ...CLIENT_ALLOWANCE, atOnce: AT_ONCE });
  await using door = await openTestDoor({ clients, tls: { cert: await readFile(cert), key: await readFile(key) } });
  for (let nth = 1; nth <= 4 * AT_ONCE; nth++)
    assert.match(await mail(door.port, nth % 4 !== 0), /^250 /, `mail ${nth}`);
  // Sessions that end in the middle, before and after the handshake, give their places back, too.
  for (let nth = 0; nth < 2 * AT_ONCE; nth++) {
    const socket = connect(door.port, '127.0.0.1').on('error', () => undefined);
    await answer(socket);
    if (nth % 2 === 0) {
      await say(socket, 'EHLO a.example');
      await say(socket, 'STARTTLS');
    }
    const closed = once(socket, 'close');
    socket.destroy();
    await closed;
  }
  for (let tries = 0; ; tries++) {
    const said = await mail(door.port, true);
    if (said.startsWith('250 ')) break;
    assert.ok(tries < 50, said);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});
