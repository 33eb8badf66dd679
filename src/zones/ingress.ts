// The outer zone: two doors that write to the spool.
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { parseApiKeys, type ApiKeys } from '../ingress/api-keys.ts';
import type { Spooled } from '../message/stages.ts';
import { openHttpDoor } from '../ingress/http-door.ts';
import { ClientLimits } from '../ingress/client-limits.ts';
import { openSmtpDoor, type SmtpDoorDeps } from '../ingress/smtp-door.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import type { Spool } from '../spool/spool.ts';
import { openZoneJournal } from './journal.ts';
import { startPressure } from './pressure.ts';
import type { Road } from './road.ts';

/** Milliseconds between two looks at the file of the API keys. */
const KEYS_LOOK_MS = 2000;

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

/** The keys of the HTTP door, read again when their file changes; undefined where no key is asked for. */
async function apiKeysOf(config: Config, log: Log, life: Lifecycle): Promise<(() => ApiKeys) | undefined> {
  const file = config.apiKeysFile;
  if (file === undefined) return undefined;
  const read = async (): Promise<ApiKeys> => {
    try {
      return parseApiKeys(await readFile(file, 'utf8'));
    } catch (error) {
      throw new MugaiError('bad-config', `MUGAI_API_KEYS ${file}: ${reasonOf(error)}`, {
        permanent: true,
        cause: error,
      });
    }
  };
  let last = stampOf(file); // before it is read: what changes meanwhile is seen at the first look
  let keys = await read();
  const tell = (): void => {
    if (keys.size === 0) log.warn({ file }, 'there is no API key: nobody may send files');
  };
  tell();
  const look = async (): Promise<void> => {
    try {
      keys = await read();
      log.info({ keys: keys.size }, 'API keys read again');
      tell();
    } catch (error) {
      log.error({ error: reasonOf(error) }, 'the API keys changed and are not taken: those before stay');
    }
  };
  const timer = setInterval(() => {
    const now = stampOf(file);
    if (now !== last) void look();
    last = now;
  }, KEYS_LOOK_MS);
  life.started('API keys', async () => clearInterval(timer));
  return () => keys;
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}

/** Opens the doors. */
export async function startIngress(config: Config, log: Log, life: Lifecycle, road: Road, spool: Spool) {
  const audit = await openZoneJournal('outer', config, log, life, road);
  const pressure = startPressure(config, log, life, road, spool);
  const deps = {
    pressure: () => pressure.fault(),
    spool,
    audit,
    log,
    metrics: road.metrics,
    domains: new Set(config.domains),
    hostname: config.domains[0] ?? 'localhost',
    apiKeys: await apiKeysOf(config, log, life),
    trustedProxies: config.trustedProxies,
    clients: new ClientLimits(config.smtpRelays),
    tls: await doorTls(config),
    alarms: road.alarms,
    onSpooled: ({ id, record }: Spooled) => {
      road.alarms.mail(record.envelope.from);
      road.traces?.received(id, { 'mugai.kind': record.source.kind, 'mugai.bytes': record.source.size });
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
