// Lines that a lost connection took back go out again in their order, before those that came later.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { Syslog } from '../../src/ops/syslog.ts';
import { until } from '../support/scratch.ts';

const TIME = '2026-11-30T00:00:00.000Z';
/** Numbers of the lines in what a collector got. */
const numbersIn = (got: string): number[] => [...got.matchAll(/line-(\d+)-/g)].map(([, nth]) => Number(nth));

it('a connection that breaks with many lines under way turns none of them round', async () => {
  const connections: Socket[] = [];
  let got = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    connections.push(socket);
    if (connections.length === 1) socket.pause(); // takes what fits into buffers, and reads nothing
    else socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const syslog = new Syslog({ url: `tcp://127.0.0.1:${port}`, format: 'rfc5424' }, '1');
  const outcomes = { sent: 0, dropped: 0 };
  syslog.onLine = (outcome) => void (outcomes[outcome] += 1);
  const say = (from: number, to: number): void => {
    for (let nth = from; nth < to; nth++)
      syslog.write(
        JSON.stringify({ level: 'info', time: TIME, role: 'test', pid: 1, msg: `line-${nth}-${'x'.repeat(3000)}` }),
      );
  };
  try {
    say(0, 1);
    await until(() => connections.length === 1, 60_000, 'connected');
    say(1, 4000); // 12 MB: more than the buffers of a connection take
    await new Promise((resolve) => setTimeout(resolve, 300));
    connections[0]?.resetAndDestroy();
    await until(() => syslog.fault !== undefined, 60_000, 'the loss is seen');
    say(4000, 4010);
    await until(() => numbersIn(got).includes(4009), 60_000, 'the last line');
    const numbers = numbersIn(got);
    assert.ok(numbers.length > 1000, `${numbers.length} lines came back`);
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
    );
    await until(() => outcomes.sent === 4010, 60_000, `each is counted once: ${JSON.stringify(outcomes)}`);
    assert.equal(outcomes.dropped, 0);
  } finally {
    await syslog.close(2000);
    for (const socket of connections) socket.destroy();
    server.close();
  }
});
