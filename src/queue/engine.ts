// Where the jobs live: in this process, or in the Redis of MUGAI_QUEUE_URL, which must answer before anything starts.
import { isIPv4 } from 'node:net';
import { createRedisBackend, type BackendFactory, type ConnectionOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { embeddedBackends } from './embedded-backend.ts';
import { within } from './within.ts';

/** A backend for BullMQ's classes and how queues and workers reach it; `prefix` begins every Redis key. */
export interface Engine {
  readonly backend: BackendFactory;
  readonly queueConnection: ConnectionOptions;
  readonly workerConnection: ConnectionOptions;
  readonly prefix: string;
}

const PREFIX = 'mugai';
/** Milliseconds a start waits for Redis. */
const CONNECT_MS = 4000;
/** A queue's command that takes longer has lost its server and is refused; the commands of workers wait for it. */
const COMMAND_MS = 10_000;
const EXAMPLE = 'for example redis://:secret@queue.example:6379/0';

/** Milliseconds until the next try to reach a lost Redis. */
function retryStrategy(times: number): number {
  return Math.min(times * 100, 2000);
}

/** Jobs in this process. */
export function embeddedEngine(): Engine {
  return { backend: embeddedBackends(), queueConnection: {}, workerConnection: {}, prefix: PREFIX };
}

/** Jobs in Redis. Throws `bad-config`, one line without the password, when the URL is wrong or nothing usable answers. */
export async function redisEngine(url: string): Promise<Engine> {
  const address = parseQueueUrl(url);
  await probe(address);
  const connection = { ...address, retryStrategy, connectTimeout: CONNECT_MS };
  return {
    backend: createRedisBackend,
    queueConnection: { ...connection, maxRetriesPerRequest: 3, commandTimeout: COMMAND_MS },
    workerConnection: { ...connection, maxRetriesPerRequest: null },
    prefix: PREFIX,
  };
}

/** Where the Redis server is and how to sign in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly servername?: string };
}

/**
 * Reads `redis://[user][:password]@host[:port][/db]` (or `rediss://`, TLS).
 * Throws `bad-config` for anything else, and for a server beyond loopback without a password: whoever can write to the
 * queue can have any message processed again or dropped.
 */
export function parseQueueUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    throw new MugaiError('bad-config', `MUGAI_QUEUE_URL: must be a redis:// or rediss:// address, ${EXAMPLE}`);
  }
  if (!/^\/?\d{0,5}$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new MugaiError('bad-config', `MUGAI_QUEUE_URL: after the host only a database number may follow, ${EXAMPLE}`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.password === '' && !isLoopback(host)) {
    throw new MugaiError('bad-config', `MUGAI_QUEUE_URL: ${host} is another machine and needs a password, ${EXAMPLE}`);
  }
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1)),
    ...(url.username === '' ? {} : { username: decoded(url.username) }),
    ...(url.password === '' ? {} : { password: decoded(url.password) }),
    // TLS names are for host names only (RFC 6066 §3).
    ...(url.protocol === 'rediss:' ? { tls: /^[\d.]+$|:/.test(host) ? {} : { servername: host } } : {}),
  };
}

/** Connects once and asks for an answer. */
async function probe(address: RedisAddress): Promise<void> {
  const client = new Redis({ ...address, lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null });
  let first: unknown;
  client.on('error', (error: unknown) => {
    first ??= error; // What follows says only that the connection is closed.
  });
  try {
    const answer = client.connect().then(() => client.ping());
    if (!(await within(CONNECT_MS, answer))) throw new Error(`no answer within ${String(CONNECT_MS / 1000)} s`);
  } catch (error) {
    const where = `${address.host}:${String(address.port)}`;
    const line = `MUGAI_QUEUE_URL: no usable Redis at ${where}: ${reasonOf(first ?? error)}`;
    throw new MugaiError('bad-config', line, { cause: error });
  } finally {
    client.disconnect();
  }
}

function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    const line = `MUGAI_QUEUE_URL: a % in the user or the password must be written %25, ${EXAMPLE}`;
    throw new MugaiError('bad-config', line, { cause: error });
  }
}
