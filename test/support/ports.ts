// A port for a program that cannot choose one itself: outside the range from which the kernel gives ports to everybody else, so
// that nobody is given it before the program binds it. Ports up to 55535: a node of a Redis cluster takes the one 10,000 above, too.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [LEAST, MOST] = [10_000, 21_999];

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST + 1));
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('no port is free');
}

/** Whether TCP and UDP of loopback can be bound at it. */
async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket('udp4');
  try {
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    return true;
  } catch {
    return false; // somebody has it
  } finally {
    if (tcp.listening) {
      tcp.close();
      await once(tcp, 'close');
    }
    udp.close();
  }
}
