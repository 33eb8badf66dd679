// C4 of the output contract: things that nothing may touch while a message is made harmless. A listener for TCP (web, shares) and
// one for UDP (names), a planted secret, a program that leaves a mark. `touched` says what was.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { scratch } from './scratch.ts';

export interface Canary extends AsyncDisposable {
  /** `127.0.0.1:<port>` of the listener. */
  readonly host: string;
  /** A file that everybody on this machine may read. */
  readonly secretPath: string;
  readonly secret: string;
  /** A program that makes a file when it runs. */
  readonly programPath: string;
  /** What was touched so far; must be empty. */
  touched(): Promise<string[]>;
}

export async function openCanary(): Promise<Canary> {
  const folder = await scratch();
  await chmod(folder.path, 0o755);
  const touches: string[] = [];
  const tcp = createServer((socket) => {
    touches.push('TCP');
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const address = tcp.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const udp = createSocket('udp4', () => void touches.push('UDP'));
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const secretPath = join(folder.path, 'secret.txt');
  const secret = 'PLANTED-SECRET-6f1d2c';
  const programPath = join(folder.path, 'marker.sh');
  const markPath = join(folder.path, 'mark');
  await writeFile(secretPath, `${secret} `.repeat(10), { mode: 0o644 });
  await writeFile(programPath, `#!/bin/sh\necho ran > ${markPath}\n`, { mode: 0o755 });
  return {
    host: `127.0.0.1:${port}`,
    secretPath,
    secret,
    programPath,
    touched: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50)); // what is under way arrives
      const ran = await stat(markPath).then(
        () => true,
        () => false,
      );
      return ran ? [...touches, 'the program ran'] : [...touches];
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => tcp.close(resolve));
      udp.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
