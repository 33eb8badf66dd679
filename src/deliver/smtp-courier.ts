// The courier to an inner mail server: nodemailer's pool. A connection lost after the final dot is never retried inside
// the pool; the step tries again with the same Message-ID.
import { createTransport } from 'nodemailer';
import { forLog } from '../message/untrusted.ts';
import { reasonOf, systemCode } from '../message/errors.ts';
import type { Courier, CourierAnswer } from './courier.ts';
import { asSent, toSend } from './nodemailer-options.ts';

/**
 * Delivers to `smtp://` or `smtps://` (userinfo: credentials). `?tls=require`: nothing is sent before STARTTLS with a certificate
 * that somebody vouches for. `name` is our HELO name, `connections` the pool's size.
 */
export function smtpCourier(url: string, name: string, connections: number): Courier {
  const target = new URL(url);
  const secure = target.protocol === 'smtps:';
  const transport = createTransport({
    pool: true,
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port === '' ? (secure ? 465 : 25) : Number(target.port),
    secure,
    requireTLS: target.searchParams.get('tls') === 'require',
    name,
    ...(target.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(target.username), pass: decodeURIComponent(target.password) } }),
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
    maxRequeues: 0,
    connectionTimeout: 30_000,
    greetingTimeout: 30_000,
    socketTimeout: 300_000, // RFC 5321 §4.5.3.2.6: the answer to the final dot may take minutes
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name: 'smtp',
    deliver: async (mail) => {
      try {
        const info = await transport.sendMail(await toSend(mail));
        const rejectedErrors = info.rejectedErrors ?? [];
        const later = rejectedErrors
          .filter((error) => isTransient(error.responseCode))
          .map((error) => error.recipient)
          .filter((recipient) => recipient !== undefined);
        const accepted = info.accepted.map(plain);
        const rejected = info.rejected.map(plain).filter((recipient) => !later.includes(recipient));
        const given = givenNames(mail.envelope.to, [...accepted, ...rejected, ...later]);
        return {
          kind: 'delivered',
          answer: forLog(info.response),
          accepted: accepted.flatMap(given),
          rejected: rejected.flatMap(given),
          deferred: later.flatMap(given),
        };
      } catch (error) {
        return answerOf(error);
      }
    },
    close: async () => transport.close(),
  };
}

/**
 * The recipients that a name in nodemailer's answer stands for: it writes domains in its own way. By another name than the
 * envelope's nobody would know at the next attempt that somebody has the mail.
 */
function givenNames(to: readonly string[], told: readonly string[]): (name: string) => readonly string[] {
  const names = new Set(told);
  if (to.every((address) => names.has(address))) return (name) => [name];
  const given = Map.groupBy(to, asSent);
  return (name) => given.get(name) ?? [name];
}

function plain(address: string | { readonly address: string }): string {
  return typeof address === 'string' ? address : address.address;
}

function isTransient(code: number | undefined): boolean {
  return code === undefined || code < 500;
}

function responseCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('responseCode' in error)) return undefined;
  return typeof error.responseCode === 'number' ? error.responseCode : undefined;
}

function answerOf(error: unknown): CourierAnswer {
  const code = responseCodeOf(error);
  const answer = forLog(`${systemCode(error) ?? ''} ${reasonOf(error)}`.trim());
  // Several recipients refused for different reasons: one that may pass later keeps the whole mail waiting.
  const each =
    typeof error === 'object' && error !== null && 'rejectedErrors' in error && Array.isArray(error.rejectedErrors)
      ? error.rejectedErrors
      : [];
  const someLater = each.some((one: unknown) => isTransient(responseCodeOf(one)));
  // A 5xx to EHLO, AUTH or the greeting is about the connection, not about this mail.
  const aboutMail = ['EENVELOPE', 'EMESSAGE', 'EDATA'].includes(systemCode(error) ?? '');
  if (aboutMail && code !== undefined && code >= 500 && !someLater) return { kind: 'refused', answer };
  return { kind: 'deferred', answer };
}
