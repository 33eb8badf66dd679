// A scanner that speaks clamd's INSTREAM and says what a test wants: newer signatures, or no answer at all.
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface Scanner extends AsyncDisposable {
  readonly socket: string;
  /** What it finds in whatever it gets; empty: nothing. */
  finds: string;
  /** It hangs up without a word. */
  away: boolean;
  /** It takes no stream of so many bytes. */
  limit: number;
  /** Streams it gave an answer for. */
  scans: number;
}

export async function startScanner(socket: string): Promise<Scanner> {
  const server = createServer((connection) => {
    let bytes: Buffer = Buffer.alloc(0);
    connection.on('error', () => undefined);
    if (scanner.away) {
      connection.destroy();
      return;
    }
    connection.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length > scanner.limit) {
        connection.end('INSTREAM size limit exceeded. ERROR\0');
        return;
      }
      if (!isWhole(bytes)) return;
      scanner.scans += 1;
      connection.end(scanner.finds === '' ? 'stream: OK\0' : `stream: ${scanner.finds} FOUND\0`);
    });
  });
  server.listen(socket);
  await once(server, 'listening');
  const scanner: Scanner = {
    socket,
    finds: '',
    away: false,
    limit: Infinity,
    scans: 0,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
  return scanner;
}

/** True when the piece of no bytes came that ends a stream. */
function isWhole(bytes: Buffer): boolean {
  for (let at = 'zINSTREAM\0'.length; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (length === 0) return true;
    at += 4 + length;
  }
  return false;
}
