// The SMTP door: smtp-server, our guards, and intake. 250 goes out only when the message is durable.
import { once } from 'node:events';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { forLog, untrusted } from '../message/untrusted.ts';
import type { Log } from '../ops/log.ts';
import type { Alarms } from '../ops/alarms.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Spool, StageWriter } from '../spool/spool.ts';
import { ByteGuard, DATA_LIMITS, type DataLimits } from './byte-guard.ts';
import { ClientLimits } from './client-limits.ts';
import {
  endSession,
  GuardedServer,
  SESSION_LIMITS,
  tookMail,
  UNKNOWN_COMMANDS,
  type SessionLimits,
} from './guarded-server.ts';
import { Hops } from './hops.ts';
import { intake, MESSAGE_BYTES, type IntakeDeps } from './intake.ts';
import { isSender, recipientFault, wholeRecipient } from './recipients.ts';
import { REPLY, replyFor, SmtpReply } from './smtp-replies.ts';

export interface SmtpDoorDeps extends IntakeDeps {
  readonly domains: ReadonlySet<string>;
  /** Name in the banner. */
  readonly hostname: string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of suspicious traffic. */
  readonly alarms?: Alarms | undefined;
  /** Certificate and key in PEM: STARTTLS is offered. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** What one client address may do; by default nothing is a relay and the limits are those of `LIMITS`. */
  readonly clients?: ClientLimits;
  readonly limits?: { readonly session?: SessionLimits; readonly data?: DataLimits };
}

/** Milliseconds between two looks at a DATA phase in which nothing comes. */
const HURRY_MS = 1000;
/** Milliseconds between two looks at the sessions of a door that closes. */
const LEAVE_MS = 100;
/** The longest a timer takes: smtp-server would end mails by a clock of its own. */
const NEVER_MS = 2 ** 31 - 1;

export interface Door {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets the mails that are coming end within `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

type Answer = (error?: Error | null) => void;

/** Opens the door. Throws `port-in-use` in one line. */
export async function openSmtpDoor(
  listen: { readonly host: string; readonly port: number },
  deps: SmtpDoorDeps,
): Promise<Door> {
  let stopping = false;
  /** Sessions whose mail is coming. */
  const receiving = new Set<SMTPServerSession>();
  const clients = deps.clients ?? new ClientLimits();
  const options = {
    name: deps.hostname,
    banner: 'Mugai',
    size: MESSAGE_BYTES,
    // Dots side by side or at an end: docomo and au once gave out such addresses. `recipients.ts` says what is taken.
    lenientAddressParsing: true,
    socketTimeout: LIMITS.smtpIdleMs,
    closeTimeout: NEVER_MS,
    // AUTH has no users here; VRFY answers 252 (RFC 5321 §7.3).
    disabledCommands: ['AUTH', ...UNKNOWN_COMMANDS, ...(deps.tls === undefined ? ['STARTTLS'] : [])],
    ...(deps.tls === undefined ? {} : { ...deps.tls, minVersion: 'TLSv1.2' as const }),
    // Not announced: smtp-server would put its own code, made of the reply code alone, before ours.
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    logger: false as const,
    onConnect: (_session: SMTPServerSession, callback: Answer) => {
      deps.metrics.smtpConnections.inc({ state: 'open' });
      callback(stopping ? REPLY.stopping() : null);
    },
    onClose: () => deps.metrics.smtpConnections.dec({ state: 'open' }),
    onMailFrom: (address: { address: string }, _session: SMTPServerSession, callback: Answer) =>
      callback((stopping ? REPLY.stopping() : (pressureFault(deps) ?? senderFault(address.address))) ?? null),
    onRcptTo: (address: { address: string }, session: SMTPServerSession, callback: Answer) =>
      callback(rcptFault(wholeRecipient(address.address, deps.domains), session, deps, clients) ?? null),
    onData: (
      stream: SMTPServerDataStream,
      session: SMTPServerSession,
      callback: (error: Error | null, message?: string) => void,
    ) => {
      receiving.add(session);
      receive(stream, session, deps).then(
        (id) => {
          receiving.delete(session);
          deps.metrics.smtpReplies.inc({ code: '250' });
          tookMail(session);
          callback(null, `2.0.0 Ok: queued as ${id}`);
        },
        (error: unknown) => {
          receiving.delete(session);
          if (!(error instanceof SmtpReply))
            deps.log.error({ peer: forLog(session.remoteAddress), error: reasonOf(error) }, 'mail not accepted');
          if (error instanceof SmtpReply && error.smuggling)
            deps.alarms?.raise('smuggling', session.remoteAddress, error.message);
          const wholly = stream.readableEnded; // read to its end: the session may go on
          callback(replyFor(error));
          if (!wholly) endSession(session);
        },
      );
    },
  };
  const server = new GuardedServer(options, {
    clients,
    limits: deps.limits?.session ?? SESSION_LIMITS,
    onSmuggling: (address, reply) => deps.alarms?.raise('smuggling', address, reply.message),
    onTurnedAway: (address) => {
      deps.alarms?.raise('turned-away', address, 'too many connections or errors');
      deps.metrics.smtpConnections.inc({ state: 'turned-away' });
      deps.metrics.smtpReplies.inc({ code: '421' });
    },
    onRefusal: (code) => deps.metrics.smtpReplies.inc({ code: String(code) }),
  });
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
      // From here on every command is answered with 421, so only a mail that is coming is worth a wait.
      const leave = setInterval(() => {
        for (const { session } of server.connections)
          if (!receiving.has(session)) endSession(session, REPLY.stopping());
      }, LEAVE_MS);
      const timer = setTimeout(() => {
        for (const connection of server.connections) connection.close();
      }, deadlineMs);
      await closed;
      clearInterval(leave);
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

/** Nothing new while the house is too full; what was accepted goes on, and so does a mail whose data is coming. */
function pressureFault(deps: IntakeDeps): SmtpReply | undefined {
  const closed = deps.pressure?.();
  return closed === undefined ? undefined : REPLY.pressed(closed.reason);
}

function senderFault(address: string): SmtpReply | undefined {
  return isSender(address) ? undefined : REPLY.badSender();
}

function rcptFault(
  address: string,
  session: SMTPServerSession,
  { domains, alarms }: SmtpDoorDeps,
  clients: ClientLimits,
): SmtpReply | undefined {
  if (session.envelope.rcptTo.length >= LIMITS.recipients) return REPLY.tooManyRecipients();
  const fault = recipientFault(address, domains);
  if (fault === 'relay') alarms?.raise('relay-refused', session.remoteAddress, `to ${address}`);
  if (fault !== undefined) return fault === 'relay' ? REPLY.relay() : REPLY.badRecipient();
  if (clients.recipient(session.remoteAddress)) return undefined;
  alarms?.raise('turned-away', session.remoteAddress, 'too many recipients in a minute');
  return REPLY.recipientRate();
}

async function receive(stream: SMTPServerDataStream, session: SMTPServerSession, deps: SmtpDoorDeps): Promise<string> {
  const guard = new ByteGuard(deps.limits?.data ?? DATA_LIMITS);
  const hops = new Hops();
  const writer = deps.spool.begin(MESSAGE_BYTES);
  let fault: unknown;
  stream.on('error', () => undefined); // the loop below hears of it; a late one has nobody to tell
  const clock = setInterval(() => {
    try {
      guard.hurry();
    } catch (error) {
      stream.destroy(error as SmtpReply);
    }
  }, HURRY_MS);
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      // The sender learns of a fault at the end of its data; what comes until then is read and thrown away.
      if (fault !== undefined) guard.discard(bytes.length);
      else fault = await takeChunk(bytes, guard, hops, writer);
    }
  } catch (error) {
    // Cut off by the other side, by the wire, or by the guard, which has no patience for the rest.
    writer.abort();
    throw error;
  } finally {
    clearInterval(clock);
  }
  try {
    fault ??= (await isLoop(hops, deps.spool)) ? REPLY.loop() : undefined;
  } catch (error) {
    writer.abort();
    throw error; // the spool cannot be asked
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
          to: [...new Set(rcptTo.map((recipient) => wholeRecipient(recipient.address, deps.domains)))],
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

/** True for a mail that goes round: too long on the road, or with a number that one of ours has. */
async function isLoop(hops: Hops, spool: Spool): Promise<boolean> {
  for (const id of hops.marks) if (await spool.knows(id)) return true;
  return hops.tooMany;
}

/** Takes a chunk; what went wrong is returned, for the reply at the end of the data. */
async function takeChunk(bytes: Buffer, guard: ByteGuard, hops: Hops, writer: StageWriter): Promise<unknown> {
  try {
    guard.take(bytes.length);
    hops.take(bytes);
    const waiting = writer.write(bytes);
    if (waiting !== undefined) await waiting;
    return undefined;
  } catch (error) {
    if (error instanceof SmtpReply && error.responseCode === 421) throw error;
    return error;
  }
}
