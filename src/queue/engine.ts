// Where the jobs live: in this process, or in the Redis of MUGAI_QUEUE_URL, which must answer before anything starts.
import { createRedisBackend, type BackendFactory, type ConnectionOptions } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { isHere, parseQueueUrl, tlsTo, told, type RedisAddress } from './address.ts';
import { embeddedBackends } from './embedded-backend.ts';
import { within } from './within.ts';

/** A backend for BullMQ's classes and how queues and workers reach it; `prefix` begins every Redis key. */
export interface Engine {
  readonly backend: BackendFactory;
  /** A connection for one queue, or for one worker. */
  readonly connection: (user: 'queue' | 'worker') => ConnectionOptions;
  readonly prefix: string;
  /** Ends the connections that nobody else ends. */
  close(): void;
}

const PREFIX = 'mugai';
/** Milliseconds a start waits for Redis. */
const CONNECT_MS = 4000;
/** A queue's command that takes longer has lost its server and is refused; the commands of workers wait for it. */
const COMMAND_MS = 10_000;
const QUEUE = { maxRetriesPerRequest: 3, commandTimeout: COMMAND_MS };
const WORKER = { maxRetriesPerRequest: null };

/** Milliseconds until the next try to reach a lost Redis. */
function retryStrategy(times: number): number {
  return Math.min(times * 100, 2000);
}

/** Jobs in this process. */
export function embeddedEngine(): Engine {
  return { backend: embeddedBackends(), connection: () => ({}), prefix: PREFIX, close: () => undefined };
}

/** Jobs in Redis. Throws `bad-config`, one line without the password, when the URL is wrong or nothing usable answers. */
export async function redisEngine(url: string): Promise<Engine> {
  const address = parseQueueUrl(url);
  await probe(address);
  if (address.kind === 'cluster') return clusterEngine(address);
  const common = { ...optionsOf(address), retryStrategy };
  return {
    backend: createRedisBackend,
    connection: (user) => ({ ...common, ...(user === 'queue' ? QUEUE : WORKER) }),
    prefix: PREFIX,
    close: () => undefined, // BullMQ makes these connections and ends them
  };
}

/** A cluster's connections are objects of ours, which BullMQ leaves open. Braces keep all keys of a queue on one node. */
function clusterEngine(address: RedisAddress): Engine {
  const made: Cluster[] = [];
  return {
    backend: createRedisBackend,
    connection: (user) => {
      const of = user === 'queue' ? QUEUE : WORKER;
      const cluster = new Cluster([...address.nodes], clusterOptions(address, of, retryStrategy));
      made.push(cluster);
      return cluster;
    },
    prefix: `{${PREFIX}}`,
    close: () => {
      for (const cluster of made) cluster.disconnect();
    },
  };
}

/** Options of a connection to the server, or by the sentinels. */
function optionsOf({ nodes, kind, name, db, username, password, sentinelPassword, tls }: RedisAddress) {
  const [{ host, port }] = nodes;
  const signIn = { ...given({ username, password }), db, connectTimeout: CONNECT_MS };
  if (kind !== 'sentinel') return { host, port, ...signIn, ...given({ tls: tlsTo(host, tls) }) };
  return {
    sentinels: [...nodes],
    name,
    ...signIn,
    ...given({ sentinelPassword, tls, sentinelTLS: tls }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: retryStrategy,
    // A master that became a replica refuses writes: the sentinels know the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

function clusterOptions(
  { username, password, tls }: RedisAddress,
  of: typeof QUEUE | typeof WORKER,
  retry: (times: number) => number | null,
) {
  return {
    redisOptions: { ...given({ username, password, tls }), connectTimeout: CONNECT_MS, ...of },
    clusterRetryStrategy: retry,
    ...(tls === undefined
      ? {}
      : { dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host) }), // certificates carry names
  };
}

/** Connects once and asks for an answer; beyond this machine nothing may answer that does not ask who is there. */
async function probe(address: RedisAddress): Promise<void> {
  const fault = await askOnce(address);
  if (fault !== undefined) throw bad(`no usable Redis at ${told(address)}: ${reasonOf(fault)}`, fault);
  if (isHere(address)) return;
  const nobody = { ...address, username: undefined, password: undefined };
  if ((await askOnce(nobody)) === undefined)
    throw bad(`${told(address)} is another machine and answers to anybody: give it a password or an ACL`);
}

/** What was wrong with one connection and one question; undefined when it was answered. */
async function askOnce(address: RedisAddress): Promise<unknown> {
  const client =
    address.kind === 'cluster'
      ? new Cluster([...address.nodes], { ...clusterOptions(address, QUEUE, () => null), lazyConnect: true })
      : new Redis({
          ...optionsOf(address),
          lazyConnect: true,
          retryStrategy: () => null,
          sentinelRetryStrategy: () => null,
        });
  let first: unknown;
  const note = (error: unknown): void => {
    first ??= deepest(error); // What follows says only that the connection is closed.
  };
  client.on('error', note);
  client.on('node error', note);
  try {
    const answer = client.connect().then(async () => client.ping());
    if (!(await within(CONNECT_MS, answer))) throw new Error(`no answer within ${String(CONNECT_MS / 1000)} s`);
    return undefined;
  } catch (error) {
    return first ?? deepest(error);
  } finally {
    client.disconnect();
  }
}

/** ioredis wraps what a node of a cluster said. */
function deepest(error: unknown): unknown {
  const inner = error instanceof Error ? (error as { lastNodeError?: unknown }).lastNodeError : undefined;
  return inner ?? error;
}

function bad(problem: string, cause?: unknown): MugaiError {
  return new MugaiError('bad-config', `MUGAI_QUEUE_URL: ${problem}`, { cause });
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
