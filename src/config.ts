// The configuration: one schema, environment to frozen object. The only reader of process.env.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Compile } from 'typebox/compile';
import { ConfigSchema, type ConfigKey, type ConfigValues } from './config-keys.ts';
import { domainForm } from './message/address.ts';
import { MugaiError, reasonOf } from './message/errors.ts';
import type { LogLevel } from './ops/log.ts';
import type { SyslogOptions } from './ops/syslog.ts';
import { parseQueueUrl } from './queue/address.ts';
import { parseStoreUrl, type S3Place } from './store/s3-place.ts';

/** An address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** The configuration the rest of the house sees: parsed, absolute, frozen. */
export interface Config {
  readonly dataDir: string;
  readonly smtpListen: Listen;
  /** Addresses and networks of our own mail servers. */
  readonly smtpRelays: readonly string[];
  /** Resolvers to ask when senders are checked; none: they are not. */
  readonly dnsServers: readonly Listen[];
  /** Paths of certificate and key; both or none. */
  readonly smtpTls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly uploadListen: Listen;
  readonly portalListen: Listen;
  readonly opsListen: Listen;
  readonly outerUrl: string;
  readonly portalUrl: string;
  readonly oidc: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string } | undefined;
  readonly ldap: { readonly url: string; readonly bind: string } | undefined;
  readonly proxy: { readonly header: string; readonly addresses: readonly string[] } | undefined;
  /** Addresses and networks of reverse proxies whose word on who asks is believed. */
  readonly trustedProxies: readonly string[];
  readonly clamd: string | undefined;
  readonly apiKeysFile: string | undefined;
  readonly domains: readonly string[];
  readonly queueUrl: string | undefined;
  /** Where spool, outbox and requests are; undefined: folders of `dataDir`. */
  readonly store: S3Place | undefined;
  readonly innerSmtpUrl: string | undefined;
  readonly policyFile: string | undefined;
  readonly signingKeyFile: string;
  readonly verifyKeyFile: string;
  /** True when both key paths are the defaults, so that a first start may make the pair. */
  readonly ownKeys: boolean;
  readonly requestKeyFile: string;
  readonly sealingKeyFile: string;
  /** True when both paths of the requests' keys are the defaults. */
  readonly ownRequestKeys: boolean;
  readonly workers: number;
  readonly jail: 'require' | 'best';
  readonly retrySeconds: number;
  /** Marks at which the doors say "later". */
  readonly leastFreeMb: number;
  readonly leastMemoryMb: number;
  readonly mostWaitSeconds: number;
  readonly stopSeconds: number;
  /** How the two persons of a policy are told from each other; undefined: one suffices. */
  readonly policyPersons: 'names' | 'logins' | undefined;
  readonly journalDays: number;
  readonly syslog: SyslogOptions | undefined;
  readonly otlpUrl: string | undefined;
  readonly alarmMail: string | undefined;
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the configuration. A wrong key or value is one `bad-config` line: the key, the problem, an example. */
export function readConfig(env: Environment = process.env): Config {
  refuseStrange(env);
  const values = valuesOf(env);
  const validator = Compile(ConfigSchema);
  const fault = validator.Check(values) ? undefined : validator.Errors(values)[0];
  if (fault !== undefined) {
    const name = KEYS.find((one) => fault.instancePath === `/${one}`);
    if (name !== undefined)
      throw wrong(
        name,
        `is "${isSecret(name) ? '***' : values[name]}", not ${ConfigSchema.properties[name].facts.problem}`,
      );
  }
  const path = (name: ConfigKey): string => (values[name] === '' ? '' : resolve(values[name]));
  const dataDir = resolve(values.MUGAI_DATA_DIR);
  const config: Config = {
    dataDir,
    smtpListen: listen('MUGAI_SMTP_LISTEN', values),
    smtpRelays: relays('MUGAI_SMTP_RELAYS', values),
    dnsServers: nameServers('MUGAI_DNS_SERVERS', values),
    smtpTls: smtpTls(path('MUGAI_SMTP_CERT_FILE'), path('MUGAI_SMTP_KEY_FILE')),
    uploadListen: listen('MUGAI_UPLOAD_LISTEN', values),
    portalListen: listen('MUGAI_PORTAL_LISTEN', values),
    opsListen: listen('MUGAI_OPS_LISTEN', values),
    portalUrl: (baseUrl('MUGAI_PORTAL_URL', values) ?? `http://${values.MUGAI_PORTAL_LISTEN}`).replace(/\/+$/, ''),
    oidc: oidcOf(values),
    ldap: ldapOf(values),
    proxy: proxyOf(values.MUGAI_PROXY_HEADER),
    trustedProxies: relays('MUGAI_TRUSTED_PROXIES', values),
    outerUrl: (baseUrl('MUGAI_OUTER_URL', values) ?? `http://${values.MUGAI_UPLOAD_LISTEN}`).replace(/\/+$/, ''),
    apiKeysFile: path('MUGAI_API_KEYS') || undefined,
    clamd: clamdOf('MUGAI_CLAMD', values),
    domains: domainsOf('MUGAI_DOMAINS', values),
    queueUrl: queueUrl(values.MUGAI_QUEUE_URL),
    store: storeOf(url('MUGAI_STORE_URL', values)),
    innerSmtpUrl: smtpUrl('MUGAI_INNER_SMTP_URL', values),
    policyFile: path('MUGAI_POLICY_FILE') || undefined,
    signingKeyFile: path('MUGAI_SIGNING_KEY_FILE') || join(dataDir, 'keys', 'signing-key.pem'),
    verifyKeyFile: path('MUGAI_VERIFY_KEY_FILE') || join(dataDir, 'keys', 'verify-key.pem'),
    ownKeys: values.MUGAI_SIGNING_KEY_FILE === '' && values.MUGAI_VERIFY_KEY_FILE === '',
    requestKeyFile: path('MUGAI_REQUEST_KEY_FILE') || join(dataDir, 'keys', 'request-key.pem'),
    sealingKeyFile: path('MUGAI_SEALING_KEY_FILE') || join(dataDir, 'keys', 'sealing-key.pem'),
    ownRequestKeys: values.MUGAI_REQUEST_KEY_FILE === '' && values.MUGAI_SEALING_KEY_FILE === '',
    workers: integer('MUGAI_WORKERS', values, 1, 256) ?? availableParallelism(),
    jail: values.MUGAI_JAIL as Config['jail'], // the pattern lets these two through only
    retrySeconds: integer('MUGAI_RETRY_SECONDS', values, 1, 86_400) ?? 15,
    leastFreeMb: integer('MUGAI_LEAST_FREE_MB', values, 1, 999_999) ?? 512,
    leastMemoryMb: integer('MUGAI_LEAST_MEMORY_MB', values, 1, 999_999) ?? 128,
    mostWaitSeconds: integer('MUGAI_MOST_WAIT_SECONDS', values, 1, 999_999) ?? 1800,
    stopSeconds: integer('MUGAI_STOP_SECONDS', values, 1, 3600) ?? 25,
    policyPersons: personsOf(values.MUGAI_POLICY_PERSONS),
    journalDays: integer('MUGAI_JOURNAL_DAYS', values, 1, 100_000) ?? 1095,
    syslog: syslogOf(values),
    otlpUrl: url('MUGAI_OTLP_URL', values),
    alarmMail: values.MUGAI_ALARM_MAIL === '' ? undefined : values.MUGAI_ALARM_MAIL,
    logLevel: values.MUGAI_LOG_LEVEL as LogLevel, // the pattern lets these five through only
  };
  return Object.freeze(config);
}

/** A key that is none stops the start: a setting that is silently not taken is worse than none. */
function refuseStrange(env: Environment): void {
  for (const name of Object.keys(env)) {
    if (!name.startsWith('MUGAI_') || isKey(name)) continue;
    const whole = name.endsWith('_FILE') ? name.slice(0, -5) : '';
    if (isKey(whole) && isSecret(whole)) continue;
    const why = isKey(whole)
      ? `is not a configuration key: ${whole} holds no secret, so its value stands in ${whole} itself`
      : 'is not a configuration key; README.md lists them';
    throw new MugaiError('bad-config', `${name} ${why}`, { permanent: true });
  }
}

function isKey(name: string): name is ConfigKey {
  return Object.hasOwn(ConfigSchema.properties, name);
}

/** Several hosts make no URL of the standard's: the queue's own reader judges it, here so that a start fails early. */
function queueUrl(value: string): string | undefined {
  if (value === '') return undefined;
  parseQueueUrl(value);
  return value;
}

function storeOf(place: string | undefined): Config['store'] {
  return place === undefined ? undefined : parseStoreUrl(place);
}

function syslogOf(values: ConfigValues): Config['syslog'] {
  const place = url('MUGAI_SYSLOG_URL', values);
  if (place === undefined) return undefined;
  const format = values.MUGAI_SYSLOG_FORMAT as SyslogOptions['format']; // the pattern lets these two through only
  return { url: place, format, caFile: values.MUGAI_SYSLOG_CA_FILE };
}

/** A misspelt demand for TLS must not pass for none. */
function personsOf(value: string): Config['policyPersons'] {
  if (value === '2') return 'names';
  return value === '2-logins' ? 'logins' : undefined; // the pattern lets but 1 through besides
}

function smtpUrl(name: ConfigKey, values: ConfigValues): string | undefined {
  const value = url(name, values);
  if (value === undefined) return undefined;
  const { search } = new URL(value);
  if (search !== '' && search !== '?tls=require') throw wrong(name, 'has something after ? that is not tls=require');
  return value;
}

/** The configuration as one may print it: secrets as `***`. */
export function redactedConfig(env: Environment = process.env): Record<string, string> {
  const values = valuesOf(env);
  return Object.fromEntries(KEYS.map((name) => [name, isSecret(name) && values[name] !== '' ? '***' : values[name]]));
}

function oidcOf(values: ConfigValues): Config['oidc'] {
  const issuer = url('MUGAI_OIDC_ISSUER', values);
  if (issuer === undefined) return undefined;
  for (const name of ['MUGAI_OIDC_CLIENT_ID', 'MUGAI_OIDC_CLIENT_SECRET'] as const)
    if (values[name] === '') throw wrong(name, 'is needed with MUGAI_OIDC_ISSUER');
  return { issuer, clientId: values.MUGAI_OIDC_CLIENT_ID, clientSecret: values.MUGAI_OIDC_CLIENT_SECRET };
}

function ldapOf(values: ConfigValues): Config['ldap'] {
  const place = url('MUGAI_LDAP_URL', values);
  if (place === undefined) return undefined;
  if (values.MUGAI_LDAP_BIND === '') throw wrong('MUGAI_LDAP_BIND', 'is needed with MUGAI_LDAP_URL');
  return { url: place, bind: values.MUGAI_LDAP_BIND };
}

function proxyOf(value: string): Config['proxy'] {
  const at = value.indexOf('@');
  if (at < 0) return undefined;
  const addresses = value.slice(at + 1).split(',');
  if (addresses.some((address) => isIP(address) === 0))
    throw wrong('MUGAI_PROXY_HEADER', 'has an address that is none');
  return { header: value.slice(0, at).toLowerCase(), addresses };
}

const KEYS = Object.keys(ConfigSchema.properties) as ConfigKey[];

function isSecret(name: ConfigKey): boolean {
  return ConfigSchema.properties[name].facts.secret === true;
}

function wrong(name: ConfigKey, problem: string): MugaiError {
  const { example } = ConfigSchema.properties[name].facts;
  return new MugaiError('bad-config', `${name} ${problem}; for example ${name}=${example}`, { permanent: true });
}

/** Values of all keys: from the environment, from the file that `…_FILE` names, or the default. */
function valuesOf(env: Environment): ConfigValues {
  const values = KEYS.map((name) => {
    const file = isSecret(name) ? env[`${name}_FILE`] : undefined;
    const given = file === undefined || file === '' ? env[name]?.trim() : readSecret(name, file);
    return [name, given === undefined || given === '' ? ConfigSchema.properties[name].facts.default : given];
  });
  return Object.fromEntries(values) as ConfigValues;
}

function readSecret(name: ConfigKey, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new MugaiError('bad-config', `${name}_FILE cannot be read: ${reasonOf(error)}`, {
      permanent: true,
      cause: error,
    });
  }
}

function listen(name: ConfigKey, values: ConfigValues): Listen {
  const value = values[name];
  const colon = value.lastIndexOf(':');
  // 0: any that is free.
  const port = portOf(name, value.slice(colon + 1), 0);
  return { host: value.slice(0, colon).replace(/^\[|\]$/g, ''), port };
}

function portOf(name: ConfigKey, text: string, least = 1): number {
  const port = Number(text);
  if (port < least || port > 65_535) throw wrong(name, `has the port ${text}, not one from ${least} to 65535`);
  return port;
}

function clamdOf(name: ConfigKey, values: ConfigValues): string | undefined {
  const value = values[name];
  if (value === '') return undefined;
  if (!value.startsWith('/')) portOf(name, value.slice(value.lastIndexOf(':') + 1));
  return value;
}

/** Each in the form it is compared in. */
function domainsOf(name: ConfigKey, values: ConfigValues): string[] {
  return listOf(values[name]).map((entry) => {
    const form = domainForm(entry);
    if (form === undefined) throw wrong(name, `holds "${entry}", no domain name`);
    return form;
  });
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function nameServers(name: ConfigKey, values: ConfigValues): Listen[] {
  return listOf(values[name]).map((entry) => {
    const [, v6, v4, port = '53'] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(entry) ?? [undefined, entry];
    const host = v6 ?? v4 ?? '';
    if (isIP(host) === 0) throw wrong(name, `holds "${entry}", no address`);
    return { host, port: portOf(name, port) };
  });
}

function relays(name: ConfigKey, values: ConfigValues): string[] {
  const list = listOf(values[name]);
  for (const entry of list) {
    const [address = '', bits, ...more] = entry.split('/');
    const most = isIP(address) === 6 ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (isIP(address) === 0 || !fits || more.length > 0) throw wrong(name, `holds "${entry}", no address or network`);
  }
  return list;
}

function smtpTls(certFile: string, keyFile: string): Config['smtpTls'] {
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '') throw wrong('MUGAI_SMTP_CERT_FILE', 'is not set, but MUGAI_SMTP_KEY_FILE is');
  if (keyFile === '') throw wrong('MUGAI_SMTP_KEY_FILE', 'is not set, but MUGAI_SMTP_CERT_FILE is');
  return { certFile, keyFile };
}

function url(name: ConfigKey, values: ConfigValues): string | undefined {
  const value = values[name];
  if (value === '') return undefined;
  if (!URL.canParse(value)) throw wrong(name, 'is no URL');
  const { username, password, port } = new URL(value);
  if (port !== '') portOf(name, port);
  try {
    decodeURIComponent(`${username}:${password}`);
  } catch {
    throw wrong(name, 'has a % in its user or password that begins no %XX; a % itself is written %25');
  }
  return value;
}

/** The beginning of addresses: what comes after ? or # would stand in their middle. */
function baseUrl(name: ConfigKey, values: ConfigValues): string | undefined {
  const value = url(name, values);
  if (value !== undefined && /[?#]/.test(value)) throw wrong(name, 'has a ? or # in it, and paths are put behind it');
  return value;
}

function integer(name: ConfigKey, values: ConfigValues, least: number, most: number): number | undefined {
  const value = values[name];
  if (value === '') return undefined;
  const number = Number(value);
  if (number < least || number > most) throw wrong(name, `is ${value}, not from ${least} to ${most}`);
  return number;
}
