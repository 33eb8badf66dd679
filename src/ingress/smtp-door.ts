// The SMTP door: smtp-server, our guards, and intake. 250 goes out only when the message is durable.
import { once } from 'node:events';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { forLog, untrusted } from '../message/untrusted.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { StageWriter } from '../spool/spool.ts';
import { ByteGuard } from './byte-guard.ts';
import { intake, MESSAGE_BYTES, type IntakeDeps } from './intake.ts';
import { isSender, recipientFault } from './recipients.ts';
import { REPLY, replyFor, SmtpReply } from './smtp-replies.ts';

export interface SmtpDoorDeps extends IntakeDeps {
  readonly domains: ReadonlySet<string>;
  /** Name in the banner. */
  readonly hostname: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Door {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets the ones under way end within `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

/** Opens the door. Throws `port-in-use` in one line. */
export async function openSmtpDoor(
  listen: { readonly host: string; readonly port: number },
  deps: SmtpDoorDeps,
): Promise<Door> {
  let stopping = false;
  const server = new SMTPServer({
    name: deps.hostname,
    banner: 'Mugai',
    size: MESSAGE_BYTES,
    maxClients: LIMITS.connections,
    socketTimeout: LIMITS.smtpIdleMs,
    closeTimeout: 5000,
    // AUTH has no users here; STARTTLS waits for a certificate of the site; VRFY answers 252 (RFC 5321 §7.3).
    disabledCommands: ['AUTH', 'STARTTLS'],
    // Not announced: smtp-server would put its own code, made of the reply code alone, before ours.
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    logger: false,
    onConnect: (_session, callback) => {
      deps.metrics.smtpConnections.inc({ state: 'opened' });
      callback(stopping ? REPLY.stopping() : null);
    },
    onClose: () => deps.metrics.smtpConnections.inc({ state: 'closed' }),
    onMailFrom: (address, _session, callback) =>
      answer(callback, stopping ? REPLY.stopping() : senderFault(address.address)),
    onRcptTo: (address, session, callback) => answer(callback, rcptFault(address.address, session, deps.domains)),
    onData: (stream, session, callback) => {
      receive(server, stream, session, deps).then(
        (id) => {
          deps.metrics.smtpReplies.inc({ code: '250' });
          callback(null, `2.0.0 Ok: queued as ${id}`);
        },
        (error: unknown) => {
          const reply = replyFor(error);
          if (!(error instanceof SmtpReply))
            deps.log.error({ peer: forLog(session.remoteAddress), error: reasonOf(error) }, 'mail not accepted');
          answer(callback, reply);
        },
      );
    },
  });
  const answer = (callback: (error?: Error | null) => void, fault: SmtpReply | undefined): void => {
    if (fault !== undefined) deps.metrics.smtpReplies.inc({ code: String(fault.responseCode) });
    callback(fault ?? null);
  };
  server.on('error', (error: Error) => deps.log.debug({ error: reasonOf(error) }, 'smtp session error'));

  const listening = server.listen(listen.port, listen.host);
  try {
    await once(listening, 'listening');
  } catch (error) {
    throw listenError('SMTP', listen, error);
  }
  const address = listening.address();
  return {
    host: listen.host,
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    close: async (deadlineMs) => {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const timer = setTimeout(() => {
        for (const connection of server.connections) connection.close();
      }, deadlineMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Turns a failed listen into one line. */
export function listenError(
  what: string,
  listen: { readonly host: string; readonly port: number },
  error: unknown,
): MugaiError {
  const where = `${listen.host}:${listen.port}`;
  const why =
    systemCode(error) === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened: ${reasonOf(error)}`;
  return new MugaiError('port-in-use', `${what} port ${where} ${why}`, { permanent: true, cause: error });
}

function senderFault(address: string): SmtpReply | undefined {
  return isSender(address) ? undefined : REPLY.badSender();
}

function rcptFault(address: string, session: SMTPServerSession, domains: ReadonlySet<string>): SmtpReply | undefined {
  if (session.envelope.rcptTo.length >= LIMITS.recipients) return REPLY.tooManyRecipients();
  const fault = recipientFault(address, domains);
  if (fault === undefined) return undefined;
  return fault === 'relay' ? REPLY.relay() : REPLY.badRecipient();
}

async function receive(
  server: SMTPServer,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  deps: SmtpDoorDeps,
): Promise<string> {
  const guard = new ByteGuard(MESSAGE_BYTES);
  const writer = deps.spool.begin(MESSAGE_BYTES);
  let fault: unknown;
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      // The sender learns of a fault at the end of its data; what comes until then is read and thrown away.
      if (fault !== undefined) guard.discard(bytes.length);
      else fault = await takeChunk(bytes, guard, writer);
    }
  } catch (error) {
    // Cut off by the other side, or by the guard, which has no patience for the rest of abusive data.
    writer.abort();
    closeConnection(server, session.id);
    throw error;
  }
  if (fault !== undefined) {
    writer.abort();
    throw fault;
  }
  const raw = writer.finish();
  deps.metrics.bytes.inc({ direction: 'in' }, raw.size);
  const { mailFrom, rcptTo } = session.envelope;
  try {
    const spooled = await intake(
      {
        kind: 'mail',
        name: untrusted(''),
        envelope: {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((recipient) => recipient.address),
        },
        peer: untrusted(`${session.remoteAddress} ${session.hostNameAppearsAs || ''}`),
      },
      raw,
      deps,
    );
    return spooled.id;
  } finally {
    await raw.discard();
  }
}

/** Takes a chunk; what went wrong is returned, for the reply at the end of the data. */
async function takeChunk(bytes: Buffer, guard: ByteGuard, writer: StageWriter): Promise<unknown> {
  try {
    guard.take(bytes.length);
    const waiting = writer.write(bytes);
    if (waiting !== undefined) await waiting;
    return undefined;
  } catch (error) {
    if (error instanceof SmtpReply && error.responseCode === 421) throw error;
    return error;
  }
}

function closeConnection(server: SMTPServer, sessionId: string): void {
  for (const connection of server.connections) if (connection.id === sessionId) connection.close();
}
