// Heads of the journals at a syslog server: as RFC 5424 writes them, by datagram and by connection, at the stop too.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { verifyChains } from '../../src/audit/verify-chain.ts';
import { startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

describe('a syslog server', () => {
  for (const protocol of ['udp', 'tcp'] as const)
    it(`gets the heads of every zone by ${protocol}, the last one at the stop, and they are lines of the chains`, async () => {
      await using folder = await scratch();
      const heard: string[] = [];
      await using listening = await server(protocol, (text) => heard.push(text));
      {
        await using gateway = await startTestGateway(folder.path, {
          MUGAI_SYSLOG_URL: `${protocol}://127.0.0.1:${listening.port}`,
        });
        assert.ok(gateway.opsPort > 0);
      }
      const zones = ['outer', 'middle', 'inner'];
      const folders = zones.map((zone) => join(folder.path, 'journal', zone));
      const ends = (await verifyChains(folders, [])).map(({ position }) => position);
      const positions = (): string[] => heard.map((text) => /position="([^"]+)"/.exec(text)?.[1] ?? '');
      await until(
        async () => ends.every((end) => end !== undefined && positions().includes(end)),
        60_000,
        'the last head of each zone',
      );
      const told = positions();
      const heads = (zone: string): number => told.filter((position) => position.startsWith(zone)).length;
      assert.deepEqual(zones.map(heads), [2, 2, 2], 'one at the start, one at the stop');
      const anchors = told.map((position) => ({ position, from: 'syslog' }));
      const reports = await verifyChains(folders, anchors);
      for (const { broken } of reports) assert.equal(broken, undefined);
    });
});

async function server(
  protocol: 'udp' | 'tcp',
  hear: (text: string) => void,
): Promise<{ readonly port: number } & AsyncDisposable> {
  if (protocol === 'udp') {
    const socket = createSocket('udp4', (message) => hear(message.toString('utf8')));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { port: socket.address().port, [Symbol.asyncDispose]: async () => void socket.close() };
  }
  const listening = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('end', () => {
      // RFC 6587: each line behind its length in bytes.
      for (let rest = Buffer.from(text); rest.length > 0;) {
        const space = rest.indexOf(' ');
        const end = space + 1 + Number(rest.subarray(0, space).toString());
        assert.ok(space > 0 && end <= rest.length, text);
        hear(rest.subarray(space + 1, end).toString());
        rest = rest.subarray(end);
      }
    });
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => void listening.close(),
  };
}
