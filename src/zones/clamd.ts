// The malware scan of an original before it is released: clamd's INSTREAM, over its socket. The bytes never touch a disk.
// Protocol: clamd(8): `zINSTREAM\0`, chunks of `<length, 4 bytes big endian><bytes>`, a zero length, then one line.
import { once } from 'node:events';
import { connect } from 'node:net';
import { MugaiError, reasonOf } from '../message/errors.ts';

/** Milliseconds clamd may take for one file that is to be released. */
const SCAN_MS = 120_000;
/** The same for a part on its way, and how long a clamd that gave no answer is left alone. */
const PART_MS = 30_000;
const AWAY_MS = 10_000;
const CHUNK = 64 * 1024;
const ANSWER_MOST = 4096;

/** What clamd said: undefined when nothing was found, the signature's name otherwise. */
export type ScanResult = { readonly found: string | undefined };

/** Asks clamd about parts on their way. One that gives no answer is told of, and not asked again for some seconds. */
export function partScanner(
  place: string,
  told: { readonly found: (name: string) => void; readonly away: (why: string) => void },
): (content: { open(): AsyncIterable<Uint8Array> }, signal: AbortSignal) => Promise<string | undefined> {
  let awayUntil = 0;
  return async (content, signal) => {
    if (performance.now() < awayUntil)
      throw new MugaiError('store-failed', 'malware scan: clamd was away a moment ago');
    try {
      const { found } = await scan(place, content.open(), signal, PART_MS);
      if (found !== undefined) told.found(found);
      return found;
    } catch (error) {
      // Larger than its limit is about this part alone: the next one is scanned.
      if (!signal.aborted && !isTooLarge(error)) {
        awayUntil = performance.now() + AWAY_MS;
        told.away(reasonOf(error));
      }
      throw error;
    }
  };
}

/** True for bytes that are more than clamd takes, now and at every other try. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof MugaiError && error.code === 'too-large';
}

/** Scans a stream. Whatever is not a clear answer throws: what was not scanned is not clean. */
export async function scan(
  place: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  mostMs: number = SCAN_MS,
): Promise<ScanResult> {
  const colon = place.lastIndexOf(':');
  const socket = place.startsWith('/')
    ? connect({ path: place })
    : connect({ host: place.slice(0, colon), port: Number(place.slice(colon + 1)) });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(mostMs)]);
  const stop = (): void => void socket.destroy(new Error('the scan took too long or was stopped'));
  limit.addEventListener('abort', stop, { once: true });
  try {
    await once(socket, 'connect');
    const answer = readAnswer(socket);
    answer.catch(() => undefined); // awaited below, after the bytes
    socket.write('zINSTREAM\0');
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; at += CHUNK) {
        const piece = chunk.subarray(at, at + CHUNK);
        const head = Buffer.alloc(4);
        head.writeUInt32BE(piece.length);
        socket.write(head);
        if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
        if (socket.destroyed) break;
      }
    }
    if (!socket.destroyed) socket.write(Buffer.alloc(4));
    return verdictOf(await answer);
  } catch (error) {
    if (error instanceof MugaiError) throw error;
    throw new MugaiError('store-failed', `malware scan: ${reasonOf(error)}`, { cause: error });
  } finally {
    limit.removeEventListener('abort', stop);
    socket.destroy();
  }
}

async function readAnswer(socket: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of socket) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.includes('\0') || text.length > ANSWER_MOST) break;
  }
  return text.replace(/\0.*$/s, '').trim();
}

function verdictOf(answer: string): ScanResult {
  if (answer === 'stream: OK') return { found: undefined };
  const found = /^stream: (.{1,200}) FOUND$/.exec(answer)?.[1];
  if (found !== undefined) return { found };
  if (/size limit exceeded/i.test(answer))
    throw new MugaiError('too-large', 'malware scan: more than clamd takes (StreamMaxLength)', { permanent: true });
  throw new MugaiError('store-failed', `malware scan: clamd said "${answer.slice(0, 200)}"`);
}
