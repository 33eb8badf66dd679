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
      const { port, close } = await server(protocol, (text) => heard.push(text));
      {
        await using gateway = await startTestGateway(folder.path, {
          MUGAI_SYSLOG_URL: `${protocol}://127.0.0.1:${port}`,
        });
        assert.ok(gateway.opsPort > 0);
      }
      await until(async () => heard.length >= 3, 60_000, 'three heads');
      const anchors = heard.map((text) => ({
        position: /position="([^"]+)"/.exec(text)?.[1] ?? '',
        from: 'syslog',
      }));
      const folders = ['outer', 'middle', 'inner'].map((zone) => join(folder.path, 'journal', zone));
      const reports = await verifyChains(folders, anchors);
      assert.deepEqual(
        reports.map(({ position }) => position),
        ['outer', 'middle', 'inner'].map((zone) => anchors.find(({ position }) => position.startsWith(zone))?.position),
      );
      for (const { broken } of reports) assert.equal(broken, undefined);
      close();
    });
});

async function server(
  protocol: 'udp' | 'tcp',
  hear: (text: string) => void,
): Promise<{ readonly port: number; readonly close: () => void }> {
  if (protocol === 'udp') {
    const socket = createSocket('udp4', (message) => hear(message.toString('utf8')));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return { port: socket.address().port, close: () => void socket.close() };
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
    close: () => void listening.close(),
  };
}
