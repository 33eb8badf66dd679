// The inner mail server of the tests: takes mail as told, remembers what it took.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly messageId: string;
  /** When it was taken, `performance.now()`. */
  readonly at: number;
}

export interface InnerServer extends AsyncDisposable {
  readonly url: string;
  readonly taken: TakenMail[];
  /** What to answer: an error refuses at this point of the session. */
  refuse: { rcpt?: (address: string) => number | undefined; data?: (raw: string) => number | undefined };
  /** How it behaves otherwise: how long it thinks over a mail, and whether the connection then breaks without an answer. */
  manner: { waitMs?: number; breaks?: (raw: string) => 'taken' | 'not-taken' | undefined };
  close(): Promise<void>;
}

/** Starts it on a free port of loopback (or on `port` of `host`). */
export async function startInnerServer(port = 0, host = '127.0.0.1'): Promise<InnerServer> {
  const taken: TakenMail[] = [];
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 500,
    onRcptTo: (address, _session, callback) => callback(reply(inner.refuse.rcpt?.(address.address))),
    onData: (stream, session: SMTPServerSession, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('utf8');
        const fault = reply(inner.refuse.data?.(raw));
        const breaks = inner.manner.breaks?.(raw);
        const answer = (): void => {
          if (fault === null && breaks !== 'not-taken') taken.push(takenMail(raw, session));
          if (breaks === undefined) callback(fault);
          else cut(server, session);
        };
        if (inner.manner.waitMs === undefined) answer();
        else setTimeout(answer, inner.manner.waitMs);
      });
    },
  });
  server.on('error', () => undefined); // a client that was killed
  const listening = server.listen(port, host);
  await once(listening, 'listening');
  const address = listening.address();
  const inner: InnerServer = {
    url: `smtp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`,
    taken,
    refuse: {},
    manner: {},
    close: async () => new Promise<void>((resolve) => server.close(() => resolve())),
    [Symbol.asyncDispose]: async () => inner.close(),
  };
  return inner;
}

function takenMail(raw: string, { envelope: { mailFrom, rcptTo } }: SMTPServerSession): TakenMail {
  return {
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map((to) => to.address),
    raw,
    messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '',
    at: performance.now(),
  };
}

/** Breaks the connection of a session. */
function cut(server: SMTPServer, { id }: SMTPServerSession): void {
  const open = server.connections as Iterable<{ readonly session: { readonly id: string }; _socket: Socket }>;
  // oxlint-disable-next-line no-underscore-dangle -- smtp-server has no other way to break off
  for (const one of open) if (one.session.id === id) one._socket.destroy();
}

function reply(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error('as told'), { responseCode: code });
}
