// smtp-server's sessions, guarded: our wire under each, limits of each client before it, a count of what leads nowhere.
// oxlint-disable no-underscore-dangle -- smtp-server's own names: typed and documented there, its version pinned
import type { Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { LIMITS } from '../message/limits.ts';
import type { ClientLimits } from './client-limits.ts';
import { REPLY, type SmtpReply } from './smtp-replies.ts';
import { SmtpWire, type WireLimits } from './smtp-wire.ts';

export interface SessionLimits extends WireLimits {
  /** Replies that say no before the session ends; counted anew after each mail. */
  readonly errors: number;
  /** Commands without a mail. */
  readonly commands: number;
  /** Milliseconds without a mail. */
  readonly idleMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  commandBytes: LIMITS.smtpCommandBytes,
  commandMs: LIMITS.smtpIdleMs,
  errors: LIMITS.smtpErrors,
  commands: LIMITS.smtpCommands,
  idleMs: LIMITS.smtpSessionMs,
};

export interface Guards {
  readonly clients: ClientLimits;
  readonly limits: SessionLimits;
  /** Told of each connection that was not let in, by its address. */
  readonly onTurnedAway: (address: string) => void;
  /** Told of each attempt to make two readers disagree. */
  readonly onSmuggling: (address: string, reply: SmtpReply) => void;
  /** Told of each reply that says no. */
  readonly onRefusal: (code: number) => void;
}

/** Not offered, and not even known: dummies, and words of proxies we do not have. */
export const UNKNOWN_COMMANDS = ['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD', 'HELP'];

/** A server whose sessions are guarded. */
export class GuardedServer extends SMTPServer {
  readonly #guards: Guards;

  constructor(options: SMTPServerOptions, guards: Guards) {
    super(options);
    this.#guards = guards;
  }

  override connect(socket: Socket, options?: ConstructorParameters<typeof SMTPConnection>[2]): void {
    const address = socket.remoteAddress ?? '';
    const { clients, onTurnedAway } = this.#guards;
    if (this.connections.size >= LIMITS.connections || !clients.enter(address)) {
      onTurnedAway(address);
      socket.on('error', () => undefined); // it may be gone already
      socket.end(`421 ${REPLY.busy().message}\r\n`);
      // Who does not hang up is hung up on.
      setTimeout(() => socket.destroy(), LIMITS.turnedAwayMs).unref();
      socket.resume();
      return;
    }
    const connection = new GuardedConnection(this, socket, options, this.#guards);
    this.connections.add(connection);
    connection.on('error', (error: Error) => this.emit('error', error));
    connection.init();
  }
}

class GuardedConnection extends SMTPConnection {
  // Set after `super`, which makes the first wire already: its callbacks run later.
  readonly #guards: Guards;
  #left = false;
  #errors = 0;
  #commands = 0;
  #since = performance.now();

  constructor(
    server: SMTPServer,
    socket: Socket,
    options: ConstructorParameters<typeof SMTPConnection>[2],
    guards: Guards,
  ) {
    super(server, socket, options);
    this.#guards = guards;
    this._parser = this._createParser();
    sessions.set(this.session, this);
  }

  /** The place of its address is given back here, once: STARTTLS takes all listeners off the first socket. */
  override _onClose(): void {
    super._onClose();
    if (this.#left) return;
    this.#left = true;
    this.#guards.clients.leave(this.remoteAddress);
  }

  override _createParser(): SmtpWire {
    const limits = #guards in this ? this.#guards.limits : undefined;
    const wire = new SmtpWire(
      {
        greeted: () => this._ready,
        refuse: (reply) => this.refuse(reply),
        complain: (reply, next) => {
          this.#notice(reply);
          this.send(reply.responseCode, reply.message);
          setImmediate(next);
        },
      },
      limits,
    );
    wire.oncommand = (command, next) => this._onCommand(command, next);
    wire.on('error', () => this.close());
    return wire;
  }

  /** Says this and closes. */
  refuse(reply: SmtpReply): void {
    this.#notice(reply);
    this.send(reply.responseCode, reply.message);
    this.close();
  }

  #notice(reply: SmtpReply): void {
    if (reply.smuggling) this.#guards.onSmuggling(this.remoteAddress, reply);
  }

  /** A mail was taken: the books of this session begin anew. */
  tookMail(): void {
    this.#errors = 0;
    this.#commands = 0;
    this.#since = performance.now();
  }

  override _onCommand(command: Buffer, next?: () => void): void {
    const { limits } = this.#guards;
    this.#commands += 1;
    if (this.#commands > limits.commands) this.refuse(REPLY.leadsNowhere());
    else if (performance.now() - this.#since > limits.idleMs) this.refuse(REPLY.commandTooSlow());
    else super._onCommand(command, next);
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    super.send(code, data, context);
    if (code < 400) return;
    this.#guards.onRefusal(code);
    this.#guards.clients.error(this.remoteAddress);
    this.#errors += 1;
    if (code !== 421 && this.#errors >= this.#guards.limits.errors) super.send(421, REPLY.tooManyErrors().message);
  }

  /**
   * Source routes (`<@relay:user@domain>`) would be dropped by smtp-server, and so would words behind the address that are no
   * parameters (RFC 5321 §4.1.2): two readers of one line are one too many.
   */
  override _parseAddressCommand(
    name: string,
    command: Buffer | string,
  ): ReturnType<SMTPConnection['_parseAddressCommand']> {
    const [, route, behind = ''] = /:\s*<(\s*@)?[^<>]*>(.*)$/s.exec(command.toString()) ?? [];
    const words = behind.split(/\s+/).filter((word) => word !== '');
    const odd = route !== undefined || words.some((word) => !/^[A-Za-z0-9][A-Za-z0-9-]*(?:=|$)/.test(word));
    return odd ? false : super._parseAddressCommand(name, command);
  }

  /** RFC 5321 §7.3: lists are not expanded. */
  handler_EXPN(_command: Buffer, next: () => void): void {
    this.send(502, '5.5.1 Lists are not expanded here');
    next();
  }
}

const sessions = new WeakMap<SMTPServerSession, GuardedConnection>();

/** The session brought a mail: its books begin anew. */
export function tookMail(session: SMTPServerSession): void {
  sessions.get(session)?.tookMail();
}

/** Ends a session whose last reply went out, or with this one. */
export function endSession(session: SMTPServerSession, last?: SmtpReply): void {
  const connection = sessions.get(session);
  if (last === undefined) connection?.close();
  else connection?.refuse(last);
}
