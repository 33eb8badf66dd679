// Where the queue's Redis is: one server, three or more sentinels that know it, or a cluster; and how to sign in.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { isLoopback } from '../message/networks.ts';

/** A host and a port. */
export interface Node {
  readonly host: string;
  readonly port: number;
}

/** What `MUGAI_QUEUE_URL` says. */
export interface RedisAddress {
  /** `single`: the server. `sentinel`: the sentinels, which tell where the master `name` is. `cluster`: some of its nodes. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly nodes: readonly [Node, ...Node[]];
  readonly name: string;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Of the sentinels themselves, where they ask for one. */
  readonly sentinelPassword: string | undefined;
  /** `ca`: certificates that the servers' are checked with, instead of the system's. */
  readonly tls: { readonly ca?: string } | undefined;
}

const EXAMPLE = 'for example redis://:secret@queue.example:6379/0';
const SCHEME = /^(rediss?)(?:\+(sentinel|cluster))?$/;
const KIND_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;

/**
 * Reads `redis://[user][:password]@host[:port][/db]`, `redis+sentinel://…@host[:port],…/master[/db]` or
 * `redis+cluster://…@host[:port],…`; with `rediss` for TLS, and after ? `ca=FILE` and `sentinel-password=…`. Throws
 * `bad-config` for anything else, and for servers beyond loopback without a password: whoever can write to the queue can have
 * any message processed again or dropped.
 */
export function parseQueueUrl(text: string): RedisAddress {
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^([a-z+]+):\/\/([^/?#\s]+)(?:\/([^?#\s]*))?(?:\?([^#\s]*))?$/.exec(text) ?? [];
  const [, protocol, more = 'single'] = SCHEME.exec(scheme) ?? [];
  if (protocol === undefined)
    throw wrong('must be a redis:// or rediss:// address, or one with +sentinel or +cluster behind redis or rediss');
  const kind = more as RedisAddress['kind'];
  const at = authority.lastIndexOf('@');
  const [user = '', ...secret] = authority.slice(0, Math.max(0, at)).split(':');
  const nodes = authority
    .slice(at + 1)
    .split(',')
    .map((one) => nodeOf(one, KIND_PORTS[kind]));
  const [first, ...others] = nodes;
  if (first === undefined) throw wrong('names no host');
  if (kind === 'single' && others.length > 0)
    throw wrong('names several hosts, which only sentinels or a cluster may be');
  const options = optionsOf(query, protocol === 'rediss', kind);
  const address = {
    kind,
    nodes: [first, ...others] as const,
    ...placeOf(path, kind),
    username: decoded(user) || undefined,
    password: decoded(secret.join(':')) || undefined,
    ...options,
  };
  const beyond = nodes.find(({ host }) => !isLoopback(host));
  if (address.password === undefined && beyond !== undefined)
    throw wrong(`${beyond.host} is another machine and needs a password`);
  return address;
}

/** True when every node is this machine's own. */
export function isHere({ nodes }: RedisAddress): boolean {
  return nodes.every(({ host }) => isLoopback(host));
}

/** The address for a log line: no user, no password. */
export function told({ kind, nodes, name }: RedisAddress): string {
  const hosts = nodes.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(',');
  return { single: hosts, sentinel: `${name} by ${hosts}`, cluster: `cluster ${hosts}` }[kind];
}

function nodeOf(text: string, standard: number): Node {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? standard : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw wrong(`holds "${text}", which is no host:port`);
  return { host, port };
}

/** What stands after the hosts: the master's name, the number of a database. */
function placeOf(path: string, kind: RedisAddress['kind']): { readonly name: string; readonly db: number } {
  if (kind === 'cluster') {
    if (path !== '') throw wrong('has something after the hosts; a cluster has no databases');
    return { name: '', db: 0 };
  }
  const [, name = '', db = '0'] =
    (kind === 'single' ? /^()(\d{1,5})?$/ : /^([A-Za-z0-9._-]+)(?:\/(\d{1,5}))?$/).exec(path) ?? [];
  const fits = kind === 'single' ? /^\d{0,5}$/.test(path) : name !== '';
  if (!fits && kind === 'single') throw wrong('after the host only a database number may follow');
  if (!fits) throw wrong('after the sentinels stands the name of the master, and a database number if need be');
  return { name, db: Number(db) };
}

function optionsOf(
  query: string,
  tls: boolean,
  kind: RedisAddress['kind'],
): Pick<RedisAddress, 'tls' | 'sentinelPassword'> {
  const given = new URLSearchParams(query);
  for (const key of given.keys())
    if (key !== 'ca' && key !== 'sentinel-password')
      throw wrong(`has "${key}" after ?, where only ca and sentinel-password may stand`);
  const ca = given.get('ca');
  if (ca !== null && !tls) throw wrong('names a ca, but no TLS: write rediss');
  const sentinelPassword = given.get('sentinel-password') ?? undefined;
  if (sentinelPassword !== undefined && kind !== 'sentinel') throw wrong('has a sentinel-password and no sentinels');
  return { sentinelPassword, tls: tls ? (ca === null ? {} : { ca: readCa(ca) }) : undefined };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong(`has a ca that cannot be read: ${reasonOf(error)}`, error);
  }
}

/** Options of a TLS connection to one host. Names are for host names only (RFC 6066 §3). */
export function tlsTo(host: string, tls: RedisAddress['tls']): { ca?: string; servername?: string } | undefined {
  if (tls === undefined) return undefined;
  return { ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw wrong('a % in the user or the password must be written %25', error);
  }
}

function wrong(problem: string, cause?: unknown): MugaiError {
  return new MugaiError('bad-config', `MUGAI_QUEUE_URL: ${problem}, ${EXAMPLE}`, { permanent: true, cause });
}
