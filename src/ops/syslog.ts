// Sends the log to a syslog collector: UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425). A collector that is
// away never holds the road up: lines wait in memory, the oldest are dropped when too many do, and that is counted and told.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { syslogLine, type LogLine, type SyslogFormat } from './syslog-line.ts';

export interface SyslogOptions {
  /** `udp://host:514`, `tcp://host:514`, `tls://host:6514`. */
  readonly url: string;
  readonly format: SyslogFormat;
  /** Certificates the collector's is checked with, PEM; the system's unless given. */
  readonly caFile?: string | undefined;
}

const PORTS: { readonly [scheme: string]: number } = { 'udp:': 514, 'tcp:': 514, 'tls:': 6514 };
/** Lines that wait for a collector that is away. */
const WAITING_MOST = 10_000;
/** RFC 5426 §3.2: what every receiver should take. */
const DATAGRAM_MOST = 2048;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;

/** The sender. It is a destination of pino: `write` takes one JSON line. */
export class Syslog {
  readonly #options: SyslogOptions;
  readonly #version: string;
  readonly #ca: Buffer | undefined;
  #waiting: string[] = [];
  /** Lines that the connection has, and has not handed to the kernel yet. */
  #underWay: string[] = [];
  #dropped = 0;
  /** Datagrams that were handed over and not yet sent. */
  #inFlight = 0;
  #socket: Socket | undefined;
  #udp: UdpSocket | undefined;
  #connecting = false;
  #retryMs = RETRY_FIRST_MS;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** Counts what became of each line; `sent`: the kernel has it, which is no word of the collector's. */
  onLine: ((outcome: 'sent' | 'dropped') => void) | undefined;
  /** Why the collector cannot be reached; undefined while it can, or nothing was sent yet. */
  fault: string | undefined;

  /** Throws `bad-config` when the certificate file cannot be read. */
  constructor(options: SyslogOptions, version: string) {
    this.#options = options;
    this.#version = version;
    if (options.caFile !== undefined && options.caFile !== '') {
      try {
        this.#ca = readFileSync(options.caFile);
      } catch (error) {
        const why = `MUGAI_SYSLOG_CA_FILE ${options.caFile} cannot be read: ${reasonOf(error)}`;
        throw new MugaiError('bad-config', why, { permanent: true, cause: error });
      }
    }
  }

  write(json: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(json) as LogLine;
    } catch {
      this.#count('dropped'); // pino writes JSON; what is none is counted and not guessed at
      return;
    }
    this.#waiting.push(syslogLine(line, this.#options.format, this.#version));
    this.#dropOldest();
    this.#flush();
  }

  #dropOldest(): void {
    const tooMany = Math.max(0, this.#waiting.length - WAITING_MOST);
    this.#waiting.splice(0, tooMany);
    this.#dropped += tooMany;
    for (let nth = 0; nth < tooMany; nth++) this.#count('dropped');
  }

  /** Waits up to `ms` for what is still to be sent, then lets go. */
  async close(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (this.#waiting.length + this.#inFlight > 0 && performance.now() < until)
      await new Promise((done) => setTimeout(done, 20));
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#udp?.close();
    const socket = this.#socket;
    if (socket === undefined) return;
    const ended = once(socket, 'close');
    socket.end();
    const late = setTimeout(() => socket.destroy(), Math.max(200, until - performance.now()));
    await ended.catch(() => undefined);
    clearTimeout(late);
  }

  #flush(): void {
    if (this.#options.url.startsWith('udp:')) return this.#datagrams();
    const socket = this.#socket;
    if (socket === undefined) return this.#connect();
    if (socket.writableNeedDrain) return; // goes on at `drain`
    const lines = this.#waiting;
    this.#waiting = [];
    this.#noteDropped(lines);
    for (const line of lines) {
      const bytes = Buffer.from(line, 'utf8');
      this.#underWay.push(line);
      socket.write(Buffer.concat([Buffer.from(`${bytes.length} `), bytes]), (error) => {
        if ((error !== null && error !== undefined) || this.#socket !== socket) return; // at its close they wait again
        this.#underWay.shift();
        this.#count('sent');
      });
    }
  }

  #datagrams(): void {
    const { hostname, port } = this.#place();
    this.#udp ??= createSocket(isIPv6(hostname) ? 'udp6' : 'udp4').unref();
    const lines = this.#waiting;
    this.#waiting = [];
    for (const line of lines) {
      this.#inFlight += 1;
      this.#udp.send(cut(Buffer.from(line, 'utf8')), port, hostname, (error) => {
        this.#inFlight -= 1;
        this.fault = error === null ? undefined : reasonOf(error);
        this.#count(error === null ? 'sent' : 'dropped');
      });
    }
  }

  #connect(): void {
    if (this.#connecting || this.#retry !== undefined || this.#closed) return;
    this.#connecting = true;
    const { hostname: host, port, protocol } = this.#place();
    const tls = protocol === 'tls:';
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls
      ? connectTls({ host, port, ...name, ...(this.#ca === undefined ? {} : { ca: this.#ca }) })
      : connectTcp({ host, port });
    socket.unref();
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      this.#connecting = false;
      this.#retryMs = RETRY_FIRST_MS;
      this.fault = undefined;
      this.#socket = socket;
      this.#flush();
    });
    socket.on('drain', () => this.#flush());
    socket.resume(); // a collector says nothing; what it says anyway is thrown away
    socket.on('error', (error) => (this.fault = reasonOf(error)));
    socket.once('close', () => {
      this.#connecting = false;
      this.#socket = undefined;
      // What never left goes out again, in its order and before what came later.
      this.#waiting = [...this.#underWay, ...this.#waiting];
      this.#underWay = [];
      this.#dropOldest();
      this.fault ??= 'the collector closed the connection';
      if (this.#closed) return;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        if (this.#waiting.length > 0) this.#connect();
      }, this.#retryMs).unref();
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
    });
  }

  /** The collector must know that something is missing: its own line says so, before those that came through. */
  #noteDropped(lines: string[]): void {
    if (this.#dropped === 0) return;
    const told = {
      level: 'error',
      time: new Date().toISOString(),
      role: 'syslog',
      pid: process.pid,
      msg: 'log lines were dropped while the collector was away',
      count: this.#dropped,
    };
    lines.unshift(syslogLine(told, this.#options.format, this.#version));
    this.#dropped = 0;
  }

  #place(): { readonly hostname: string; readonly port: number; readonly protocol: string } {
    const { hostname, port, protocol } = new URL(this.#options.url);
    const host = hostname.replace(/^\[|\]$/g, '');
    return { hostname: host, protocol, port: port === '' ? (PORTS[protocol] ?? 514) : Number(port) };
  }

  #count(outcome: 'sent' | 'dropped'): void {
    this.onLine?.(outcome);
  }
}

/** At most a datagram, cut at a character. */
function cut(bytes: Buffer): Buffer {
  if (bytes.length <= DATAGRAM_MOST) return bytes;
  let end = DATAGRAM_MOST;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
