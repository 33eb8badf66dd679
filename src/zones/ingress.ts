// The outer zone: two doors that write to the spool.
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import { openHttpDoor } from '../ingress/http-door.ts';
import { ClientLimits } from '../ingress/client-limits.ts';
import { openSmtpDoor, type SmtpDoorDeps } from '../ingress/smtp-door.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import type { Spool } from '../spool/spool.ts';
import { openZoneJournal } from './journal.ts';
import { startPressure } from './pressure.ts';
import type { Road } from './road.ts';

/**
 * Tells V8 to keep its heap small, for a process that holds doors only: with 100 mails of 20 MB coming in at once it
 * peaks at 134 MB resident instead of 205.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
}

/** Certificate and key of the SMTP door, tried together so that a wrong pair stops the start and not each session. */
async function doorTls(config: Config): Promise<SmtpDoorDeps['tls']> {
  if (config.smtpTls === undefined) return undefined;
  const { certFile, keyFile } = config.smtpTls;
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    throw new MugaiError('key-missing', `certificate ${certFile} and key ${keyFile}: ${reasonOf(error)}`, {
      permanent: true,
      cause: error,
    });
  }
}

/** Names of the senders by the digest of their keys. A line that is none stops the start. */
async function readApiKeys(file: string | undefined): Promise<ReadonlyMap<string, string>> {
  if (file === undefined) return new Map();
  const bad = (why: string, cause?: unknown): MugaiError =>
    new MugaiError('bad-config', `MUGAI_API_KEYS ${file}: ${why}`, { permanent: true, cause });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw bad(reasonOf(error), error);
  });
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw bad('it holds no key');
  return new Map(
    lines.map((line) => {
      const [, name = '', digest = ''] = /^([\w.-]{1,64})\s+([0-9a-f]{64})\s*$/.exec(line) ?? ([] as string[]);
      if (name === '') throw bad('a line is not "name sha256"');
      return [digest, name];
    }),
  );
}

/** Opens the doors. */
export async function startIngress(config: Config, log: Log, life: Lifecycle, road: Road, spool: Spool) {
  const audit = await openZoneJournal('outer', config, log, life);
  const pressure = startPressure(config, log, life, road, spool);
  const deps = {
    pressure: () => pressure.fault(),
    spool,
    audit,
    log,
    metrics: road.metrics,
    domains: new Set(config.domains),
    hostname: config.domains[0] ?? 'localhost',
    apiKeys: await readApiKeys(config.apiKeysFile),
    clients: new ClientLimits(config.smtpRelays),
    tls: await doorTls(config),
    onSpooled: ({ id }: { readonly id: MessageId }) => {
      road.done(id, 'spooled', 'ok');
      road.next('sanitise', [id]);
    },
  };
  // A door may use half of what is left, so that a slow sender does not take the time of the mails under way.
  const smtp = await openSmtpDoor(config.smtpListen, deps);
  life.started('SMTP door', async (leftMs) => smtp.close(leftMs / 2));
  const http = await openHttpDoor(config.uploadListen, deps);
  life.started('HTTP door', async (leftMs) => http.close(leftMs / 2));
  return { smtp, http };
}
