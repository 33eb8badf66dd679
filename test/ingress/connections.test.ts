// As many sessions as the SMTP door holds, and those it turns away: real sockets from many addresses of loopback.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { DOMAIN, openTestDoor, type TestDoor } from '../support/door.ts';
import { plainMail } from '../support/gateway.ts';
import { until } from '../support/scratch.ts';

/** Sessions far above the limit. */
const FAR = 500;
/** Sessions that are opened at once: the kernel's queue of those that wait is short. */
const TOGETHER = 100;
/** Addresses they come from: each is allowed far fewer than there are sessions. */
const ADDRESSES = 100;

interface Session {
  readonly socket: Socket;
  heard: string;
  over: boolean;
}

let opened = 0;
async function open(door: TestDoor): Promise<Session> {
  const localAddress = `127.0.1.${1 + (opened++ % ADDRESSES)}`;
  // Who is turned away keeps its own side open.
  const socket = connect({ port: door.port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  const session: Session = { socket, heard: '', over: false };
  socket.on('data', (chunk: Buffer) => (session.heard += chunk.toString('latin1')));
  socket.on('error', () => undefined); // `over` tells
  socket.on('close', () => (session.over = true));
  await once(socket, 'connect');
  return session;
}

async function openMany(door: TestDoor, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < count) {
    const some = Array.from({ length: Math.min(TOGETHER, count - sessions.length) }, async () => open(door));
    sessions.push(...(await Promise.all(some)));
  }
  await until(() => sessions.every(({ heard }) => heard.endsWith('\r\n')), 60_000, `${count} greetings`);
  return sessions;
}

/** A normal mail in a session that was let in. */
async function mail(door: TestDoor, session: Session): Promise<void> {
  const before = door.taken.length;
  const say = async (line: string, code: string): Promise<void> => {
    session.heard = '';
    session.socket.write(`${line}\r\n`);
    await until(() => /^\d{3} [^\r\n]*\r\n/m.test(session.heard), 60_000, `an answer to ${line}`);
    assert.match(session.heard, new RegExp(`^${code} `, 'm'));
  };
  await say('EHLO test.example', '250');
  await say('MAIL FROM:<a@example.com>', '250');
  await say(`RCPT TO:<staff@${DOMAIN}>`, '250');
  await say('DATA', '354');
  await say(`${plainMail('normal')}\r\n.`, '250');
  assert.equal(door.taken.length, before + 1);
}

test(
  'limits connections and turnedAwayMs: sessions up to the limit are let in, those above hear 421 and are hung up on, mail passes',
  { timeout: 580_000 },
  async () => {
    await using door = await openTestDoor();
    const sessions: Session[] = [];
    try {
      sessions.push(...(await openMany(door, LIMITS.connections)));
      for (const { heard } of sessions) assert.match(heard, /^220 /);
      const [first, second] = sessions as [Session, Session];
      await mail(door, first);

      const began = performance.now();
      const above = await openMany(door, 1 + FAR);
      sessions.push(...above);
      for (const { heard } of above) assert.match(heard, /^421 4\.3\.2 /);
      const told = performance.now();
      await mail(door, first);
      // They do not hang up: for as long as they may read they are there, and then they are not.
      const left = (): number => above.filter(({ over }) => !over).length;
      if (performance.now() < began + LIMITS.turnedAwayMs - 500) assert.equal(left(), above.length);
      await until(
        () => {
          for (const { socket, over } of above) if (!over) socket.write('\r\n'); // nobody hears it: the kernel says so
          return left() === 0;
        },
        LIMITS.turnedAwayMs + 10_000,
        'all of them are gone',
      );
      assert.ok(performance.now() - told > LIMITS.turnedAwayMs - 1000, 'they had the time to read');
      assert.ok(performance.now() - told < LIMITS.turnedAwayMs + 5000, 'and no more');
      await mail(door, first);

      second.socket.destroy();
      await until(() => second.over, 60_000, 'one leaves');
      let next: Session | undefined;
      await until(
        async () => {
          next = await open(door);
          sessions.push(next);
          await until(() => next?.heard.endsWith('\r\n') === true, 60_000, 'a greeting');
          return next.heard.startsWith('220 ');
        },
        60_000,
        'its place is free',
      );
      if (next !== undefined) await mail(door, next);
    } finally {
      for (const { socket } of sessions) socket.destroy();
    }
  },
);
