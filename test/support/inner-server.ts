// The inner mail server of the tests: takes mail as told, remembers what it took.
import { once } from 'node:events';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';

export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly messageId: string;
}

export interface InnerServer extends AsyncDisposable {
  readonly url: string;
  readonly taken: TakenMail[];
  /** What to answer: an error refuses at this point of the session. */
  refuse: { rcpt?: (address: string) => number | undefined; data?: () => number | undefined };
  close(): Promise<void>;
}

/** Starts it on a free port of loopback (or on `port`). */
export async function startInnerServer(port = 0): Promise<InnerServer> {
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
        const fault = reply(inner.refuse.data?.());
        if (fault === null) {
          const raw = Buffer.concat(chunks).toString('utf8');
          const { mailFrom, rcptTo } = session.envelope;
          const messageId = /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '';
          taken.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map((to) => to.address),
            raw,
            messageId,
          });
        }
        callback(fault);
      });
    },
  });
  server.on('error', () => undefined); // a client that was killed
  const listening = server.listen(port, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  const inner: InnerServer = {
    url: `smtp://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`,
    taken,
    refuse: {},
    close: async () => new Promise<void>((resolve) => server.close(() => resolve())),
    [Symbol.asyncDispose]: async () => inner.close(),
  };
  return inner;
}

function reply(code: number | undefined): Error | null {
  return code === undefined ? null : Object.assign(new Error('as told'), { responseCode: code });
}
