// Asks the configured DNS servers and hands back what they say as it came: no byte of an answer is read here but its fixed
// head and the echo of our own question. What an answer holds is a stranger's, so it is read in the jail (workers/dns-answer.ts).
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { LIMITS } from '../message/limits.ts';

/** A server that answers for all names (a resolver). */
export interface NameServer {
  readonly host: string;
  readonly port: number;
}

/** Gives the answer to a question as it came, `undefined` when nobody answered. Never rejects. */
export type Lookup = (type: number, name: string) => Promise<Uint8Array | undefined>;

const HEAD = 12;
/** Bits of the second and third word of a message (RFC 1035 §4.1.1). */
const IS_ANSWER = 0x8000;
const IS_CUT = 0x0200;
const RCODE = 0x000f;
const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

interface Kept {
  readonly answer: Promise<Uint8Array | undefined>;
  until: number;
}

/**
 * A lookup with a memory over `servers`, asked in turn, `tryMs` for each try. Whoever asks the same meanwhile waits for the
 * same answer.
 */
export function resolverOf(
  servers: readonly NameServer[],
  tryMs: number = LIMITS.dnsTryMs,
  now: () => number = Date.now,
): Lookup {
  const kept = new Map<string, Kept>();
  return async (type, name) => {
    const key = `${type} ${name.toLowerCase()}`;
    const known = kept.get(key);
    if (known !== undefined && known.until > now()) return known.answer;
    const entry: Kept = { answer: askInTurn(servers, type, name, tryMs), until: Number.POSITIVE_INFINITY };
    kept.delete(key);
    kept.set(key, entry);
    for (const oldest of kept.keys()) {
      if (kept.size <= LIMITS.dnsAnswers) break;
      kept.delete(oldest);
    }
    const answer = await entry.answer;
    entry.until = now() + keepMs(answer);
    return answer;
  };
}

/** That a server is out of order is not remembered: the next mail may find it well. */
function keepMs(answer: Uint8Array | undefined): number {
  const rcode = answer === undefined ? -1 : flagsOf(answer) & RCODE;
  if (rcode === NO_ERROR) return LIMITS.dnsKeepMs;
  return rcode === NO_SUCH_NAME ? LIMITS.dnsKeepNoneMs : 0;
}

async function askInTurn(
  servers: readonly NameServer[],
  type: number,
  name: string,
  tryMs: number,
): Promise<Uint8Array | undefined> {
  const question = questionOf(type, name);
  if (question === undefined) return undefined;
  let last: Uint8Array | undefined;
  for (let turn = 0; turn < LIMITS.dnsTries; turn++) {
    const server = servers[turn % servers.length];
    if (server === undefined) return undefined;
    const answer = await overUdp(server, question, tryMs);
    const isCut = answer !== undefined && (flagsOf(answer) & IS_CUT) !== 0;
    const whole = isCut ? await overTcp(server, question, tryMs) : answer;
    if (whole === undefined) continue;
    last = whole;
    const rcode = flagsOf(whole) & RCODE;
    if (rcode === NO_ERROR || rcode === NO_SUCH_NAME) return whole;
  }
  return last; // a server's word that it cannot say
}

/** A question (RFC 1035 §4.1, with RFC 6891's word on how long an answer may be); undefined for what is no name. */
function questionOf(type: number, name: string): Buffer | undefined {
  const labels = name.split('.');
  if (name === '' || name.length > 253 || labels.some((label) => label.length < 1 || label.length > 63))
    return undefined;
  const head = Buffer.alloc(HEAD);
  head.writeUInt16BE(randomInt(0x10000), 0);
  head.writeUInt16BE(0x0100, 2); // to be resolved to its end
  head.writeUInt16BE(1, 4); // one question
  head.writeUInt16BE(1, 10); // one word about ourselves
  const asked = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  const kind = Buffer.from([0, type >> 8, type & 0xff, 0, 1]); // the root, the type, the Internet
  const room = Buffer.from([0, 0, 41, LIMITS.dnsUdpBytes >> 8, LIMITS.dnsUdpBytes & 0xff, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...asked, kind, room]);
}

function flagsOf(message: Uint8Array): number {
  return ((message[2] ?? 0) << 8) | (message[3] ?? 0);
}

/** True for an answer to exactly this question: number, direction, and our question repeated. */
function isAnswerTo(question: Buffer, message: Buffer): boolean {
  const asked = question.subarray(HEAD, question.length - 11);
  return (
    message.length >= HEAD + asked.length &&
    message.readUInt16BE(0) === question.readUInt16BE(0) &&
    (flagsOf(message) & IS_ANSWER) !== 0 &&
    message.readUInt16BE(4) === 1 &&
    sameIgnoringCase(message.subarray(HEAD, HEAD + asked.length), asked)
  );
}

function sameIgnoringCase(a: Buffer, b: Buffer): boolean {
  return a.toString('latin1').toLowerCase() === b.toString('latin1').toLowerCase();
}

/** A socket of its own for each question: its port is as hard to guess as its number (RFC 5452 §9). */
async function overUdp(server: NameServer, question: Buffer, tryMs: number): Promise<Buffer | undefined> {
  const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
  return within(tryMs, (done) => {
    socket.on('error', () => done(undefined));
    socket.on('message', (message) => {
      if (isAnswerTo(question, message)) done(message);
    });
    socket.connect(server.port, server.host, () => socket.send(question)); // from elsewhere nothing is taken
  }).finally(() => socket.close());
}

async function overTcp(server: NameServer, question: Buffer, tryMs: number): Promise<Buffer | undefined> {
  const socket = connect(server.port, server.host);
  return within(tryMs, (done) => {
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', () => done(undefined));
    socket.on('close', () => done(undefined));
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      if (held.length < 2 || held.length < 2 + held.readUInt16BE(0)) return;
      const message = held.subarray(2, 2 + held.readUInt16BE(0));
      done(isAnswerTo(question, message) ? message : undefined);
    });
    socket.write(Buffer.concat([Buffer.from([question.length >> 8, question.length & 0xff]), question]));
  }).finally(() => socket.destroy());
}

/** What `act` is told first, or undefined when that takes too long. */
async function within(
  ms: number,
  act: (done: (message: Buffer | undefined) => void) => void,
): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  act(resolve);
  return promise.finally(() => clearTimeout(timer));
}
