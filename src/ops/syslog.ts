// Lines for a syslog server on another machine: RFC 5424, over UDP (RFC 5426) or TCP with octet counting (RFC 6587).
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { hostname } from 'node:os';

/** Facility 13, "log audit"; severity 6, informational. */
const PRIORITY = 13 * 8 + 6;
const SEND_MS = 5000;

/** One line. `id` names the kind of event; `facts` become structured data. */
export interface SyslogLine {
  readonly id: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly text: string;
  readonly at: Date;
}

/** Where lines go: `udp://host:port` or `tcp://host:port`; the port is 514 where none is given. */
export interface SyslogServer {
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** A line as RFC 5424 writes it. */
export function syslogText({ id, facts, text, at }: SyslogLine): string {
  const name = (word: string): string => word.replace(/[^!#-<>-\\^-~]/g, '_').slice(0, 48) || '-';
  // PARAM-VALUE: backslash, quote and bracket are escaped; a control would break the line for its readers.
  const value = (word: string): string =>
    word.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/[\\"\]]/g, (letter) => `\\${letter}`);
  const pairs = Object.entries(facts).map(([key, one]) => ` ${name(key).slice(0, 32)}="${value(one)}"`);
  // 32473 is the enterprise number of documents (RFC 5612): ours is private to this product.
  const data = pairs.length === 0 ? '-' : `[mugai@32473${pairs.join('')}]`;
  const said = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  return `<${PRIORITY}>1 ${at.toISOString()} ${name(hostname())} mugai ${process.pid} ${name(id).slice(0, 32)} ${data} \ufeff${said}`;
}

/** Sends a line; rejects when it could not be handed over. UDP knows no more than that it was sent. */
export async function sendSyslog(server: SyslogServer, line: SyslogLine): Promise<void> {
  const bytes = Buffer.from(syslogText(line), 'utf8');
  await (server.protocol === 'udp' ? sendDatagram(server, bytes) : sendFramed(server, bytes));
}

async function sendDatagram({ host, port }: SyslogServer, bytes: Buffer): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.send(bytes, port, host, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    socket.close();
  }
}

async function sendFramed({ host, port }: SyslogServer, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(SEND_MS, () => socket.destroy(new Error(`${host}:${port} does not answer`)));
    socket.once('error', reject);
    socket.once('close', (failed) => {
      if (!failed) resolve();
    });
    socket.end(Buffer.concat([Buffer.from(`${bytes.length} `), bytes]));
    socket.resume();
  });
}
