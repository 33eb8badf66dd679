// The configuration: one schema, environment to frozen object. The only reader of process.env.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { MugaiError, reasonOf } from './message/errors.ts';
import type { LogLevel } from './ops/log.ts';

/** An address to listen on. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

const LISTEN = '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:\\[\\]/]+):\\d{1,5}$';
const URL_OF = (schemes: string): string => `^((${schemes})://[^\\s/]+[^\\s]*)?$`;
const NUMBER = '^\\d{0,6}$';

/** What is known of a key besides its pattern; `problem` says what a value that does not fit is not. */
interface KeyFacts {
  readonly default: string;
  readonly example: string;
  readonly meaning: string;
  readonly pattern: string;
  readonly problem: string;
  readonly secret?: boolean;
}

const key = (facts: KeyFacts) =>
  Object.assign(
    Type.String({
      default: facts.default,
      examples: [facts.example],
      description: facts.meaning,
      pattern: facts.pattern,
    }),
    { facts },
  );

/** The schema of the environment: every key with its default, meaning, shape and example. README.md is tested against it. */
export const ConfigSchema = Type.Object({
  MUGAI_DATA_DIR: key({
    default: './var',
    example: '/var/lib/mugai',
    meaning: 'spool, outbox, inner records and keys under it',
    pattern: '^[^\\0]+$',
    problem: 'a path',
  }),
  MUGAI_SMTP_LISTEN: key({
    default: '127.0.0.1:2525',
    example: '0.0.0.0:25',
    meaning: 'SMTP door',
    pattern: LISTEN,
    problem: 'host:port',
  }),
  MUGAI_SMTP_RELAYS: key({
    default: '127.0.0.1,::1',
    example: '192.0.2.10,2001:db8::/64',
    meaning: 'mail servers of yours that bring mail here: no limits for each client address; addresses or networks',
    pattern: '^[0-9a-fA-F.:/,\\s]*$',
    problem: 'a list of addresses or networks',
  }),
  MUGAI_DNS_SERVERS: key({
    default: '',
    example: '192.0.2.53,[2001:db8::53]:53',
    meaning: 'resolvers for SPF, DKIM, ARC and DMARC, addresses with or without a port; unset: senders are not checked',
    pattern: '^[0-9a-fA-F.:\\[\\],\\s]*$',
    problem: 'a list of addresses, each with a port or without',
  }),
  MUGAI_SMTP_CERT_FILE: key({
    default: '',
    example: '/etc/mugai/smtp-cert.pem',
    meaning: 'certificate of the SMTP door, PEM: STARTTLS is offered; unset: it is not',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_SMTP_KEY_FILE: key({
    default: '',
    example: '/etc/mugai/smtp-key.pem',
    meaning: 'private key of that certificate, PEM',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_UPLOAD_LISTEN: key({
    default: '127.0.0.1:8025',
    example: '0.0.0.0:8025',
    meaning: 'HTTP door (outer side)',
    pattern: LISTEN,
    problem: 'host:port',
  }),
  MUGAI_PORTAL_LISTEN: key({
    default: '127.0.0.1:8080',
    example: '0.0.0.0:8080',
    meaning: 'portal (inner side)',
    pattern: LISTEN,
    problem: 'host:port',
  }),
  MUGAI_PORTAL_URL: key({
    default: '',
    example: 'https://mugai.city.kashima.lg.jp',
    meaning: 'address of the portal as browsers see it, for OpenID Connect; unset: made of `MUGAI_PORTAL_LISTEN`',
    pattern: URL_OF('https?'),
    problem: 'an http:// or https:// URL',
  }),
  MUGAI_OIDC_ISSUER: key({
    default: '',
    example: 'https://login.city.kashima.lg.jp',
    meaning: 'OpenID provider that signs people in at the portal',
    pattern: URL_OF('https?'),
    problem: 'an http:// or https:// URL',
  }),
  MUGAI_OIDC_CLIENT_ID: key({
    default: '',
    example: 'mugai',
    meaning: 'our name at the OpenID provider',
    pattern: '^\\S*$',
    problem: 'a name without spaces',
  }),
  MUGAI_OIDC_CLIENT_SECRET: key({
    default: '',
    example: '(from the provider)',
    meaning: 'our secret at the OpenID provider',
    pattern: '^\\S*$',
    problem: 'a word without spaces',
    secret: true,
  }),
  MUGAI_LDAP_URL: key({
    default: '',
    example: 'ldaps://ad.city.kashima.lg.jp',
    meaning: 'directory (LDAP, Active Directory) that checks passwords of people without a local account',
    pattern: URL_OF('ldaps?'),
    problem: 'an ldap:// or ldaps:// URL',
  }),
  MUGAI_LDAP_BIND: key({
    default: '',
    example: 'uid={name},ou=people,dc=city',
    meaning: 'name to bind with; `{name}` stands for the person’s',
    pattern: '^(.*\\{name\\}.*)?$',
    problem: 'a name with {name} in it',
  }),
  MUGAI_PROXY_HEADER: key({
    default: '',
    example: 'x-remote-user@127.0.0.1',
    meaning: 'header with the name of a person whom a reverse proxy signed in, and the addresses it is believed from',
    pattern: '^([A-Za-z0-9-]+@[0-9a-fA-F.:]+(,[0-9a-fA-F.:]+)*)?$',
    problem: 'header@address[,address]',
  }),
  MUGAI_OUTER_URL: key({
    default: '',
    example: 'https://upload.city.kashima.lg.jp',
    meaning:
      'address of the HTTP door as people type it, for links to released originals; unset: made of `MUGAI_UPLOAD_LISTEN`',
    pattern: URL_OF('https?'),
    problem: 'an http:// or https:// URL',
  }),
  MUGAI_API_KEYS: key({
    default: '',
    example: '/etc/mugai/api-keys',
    meaning: 'file with a line `name sha256-of-the-key` for each sender at the HTTP door; unset: no key is asked for',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_CLAMD: key({
    default: '',
    example: '/run/clamav/clamd.ctl',
    meaning: 'malware scanner (clamd) of the worker: path of its socket, or host:port; unset: no original is released',
    pattern: '^(/[^\\0]+|[^\\s:/]+:\\d{1,5})?$',
    problem: 'a path or host:port',
  }),
  MUGAI_OPS_LISTEN: key({
    default: '127.0.0.1:9464',
    example: '127.0.0.1:9464',
    meaning: '`/healthz` `/readyz` `/metrics`',
    pattern: LISTEN,
    problem: 'host:port',
  }),
  MUGAI_DOMAINS: key({
    default: 'localhost,city.example.lg.jp',
    example: 'city.kashima.lg.jp',
    meaning: 'recipient domains accepted at RCPT',
    pattern:
      '^\\s*[\\p{L}\\p{N}]([\\p{L}\\p{N}.-]*[\\p{L}\\p{N}])?(\\s*,\\s*[\\p{L}\\p{N}]([\\p{L}\\p{N}.-]*[\\p{L}\\p{N}])?)*\\s*$',
    problem: 'a list of domain names',
  }),
  MUGAI_QUEUE_URL: key({
    default: '',
    example: 'redis://127.0.0.1:6379',
    meaning: 'unset: embedded queue; `redis://…` or `rediss://…`',
    pattern: URL_OF('rediss?'),
    problem: 'a redis:// or rediss:// URL',
    secret: true,
  }),
  MUGAI_INNER_SMTP_URL: key({
    default: '',
    example: 'smtp://10.0.0.5:25',
    meaning: 'unset: folder courier, `DATA/delivered/<id>.eml`; `smtp://…`, `smtps://…`',
    pattern: URL_OF('smtps?'),
    problem: 'an smtp:// or smtps:// URL',
    secret: true,
  }),
  MUGAI_POLICY_FILE: key({
    default: '',
    example: '/etc/mugai/policy.yaml',
    meaning: 'policy in YAML; unset: the built-in policy',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_SIGNING_KEY_FILE: key({
    default: '',
    example: '/etc/mugai/signing-key.pem',
    meaning: 'Ed25519 private key, PEM; unset: made under the data folder on first start',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_VERIFY_KEY_FILE: key({
    default: '',
    example: '/etc/mugai/verify-key.pem',
    meaning: 'Ed25519 public key, PEM; unset: made under the data folder on first start',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_REQUEST_KEY_FILE: key({
    default: '',
    example: '/etc/mugai/request-key.pem',
    meaning: 'X25519 private key of the worker, PEM: opens passwords from the inner side; unset: made on first start',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_SEALING_KEY_FILE: key({
    default: '',
    example: '/etc/mugai/sealing-key.pem',
    meaning: 'X25519 public key, PEM: the inner side seals passwords to it; unset: made on first start',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_WORKERS: key({
    default: '',
    example: '4',
    meaning: 'messages sanitised at once; unset: CPU count',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_JAIL: key({
    default: 'best',
    example: 'require',
    meaning:
      '`require`: does not start without the full jail around its children; `best`: runs with what the machine has',
    pattern: '^(require|best)$',
    problem: 'one of require, best',
  }),
  MUGAI_RETRY_SECONDS: key({
    default: '15',
    example: '60',
    meaning: 'shortest wait before a deferred delivery is tried again',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_LEAST_FREE_MB: key({
    default: '512',
    example: '2048',
    meaning: 'megabytes free in the spool below which the doors say "later"; open again at one and a half times that',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_LEAST_MEMORY_MB: key({
    default: '128',
    example: '512',
    meaning: 'megabytes of memory left to the process below which the doors say "later"',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_MOST_WAIT_SECONDS: key({
    default: '1800',
    example: '600',
    meaning: 'age of the oldest message not yet made harmless at which the doors say "later"; open again at half of it',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_STOP_SECONDS: key({
    default: '25',
    example: '60',
    meaning: 'seconds a stop may take before what is under way is given back',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_POLICY_PERSONS: key({
    default: '1',
    example: '2',
    meaning: '`2`: a policy file counts only when a second person approved it (`mugai policy propose`, `approve`)',
    pattern: '^[12]$',
    problem: '1 or 2',
  }),
  MUGAI_JOURNAL_DAYS: key({
    default: '1095',
    example: '3650',
    meaning: 'days the audit journals are kept',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_LOG_LEVEL: key({
    default: 'info',
    example: 'debug',
    meaning: '`debug` `info` `warn` `error` `silent`',
    pattern: '^(debug|info|warn|error|silent)$',
    problem: 'one of debug, info, warn, error, silent',
  }),
});
export type ConfigKey = keyof Static<typeof ConfigSchema>;

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
  readonly clamd: string | undefined;
  readonly apiKeysFile: string | undefined;
  readonly domains: readonly string[];
  readonly queueUrl: string | undefined;
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
  readonly policyPersons: 1 | 2;
  readonly journalDays: number;
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the configuration. A wrong key or value is one `bad-config` line: the key, the problem, an example. */
export function readConfig(env: Environment = process.env): Config {
  const known = (name: string): boolean => Object.hasOwn(ConfigSchema.properties, name);
  const strange = Object.keys(env).find(
    (name) => name.startsWith('MUGAI_') && !known(name) && !(name.endsWith('_FILE') && known(name.slice(0, -5))),
  );
  if (strange !== undefined)
    throw new MugaiError('bad-config', `${strange} is not a configuration key; README.md lists them`, {
      permanent: true,
    });
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
    portalUrl: (url('MUGAI_PORTAL_URL', values) ?? `http://${values.MUGAI_PORTAL_LISTEN}`).replace(/\/+$/, ''),
    oidc: oidcOf(values),
    ldap: ldapOf(values),
    proxy: proxyOf(values.MUGAI_PROXY_HEADER),
    outerUrl: (url('MUGAI_OUTER_URL', values) ?? `http://${values.MUGAI_UPLOAD_LISTEN}`).replace(/\/+$/, ''),
    apiKeysFile: path('MUGAI_API_KEYS') || undefined,
    clamd: values.MUGAI_CLAMD === '' ? undefined : values.MUGAI_CLAMD,
    domains: values.MUGAI_DOMAINS.split(',').map((name) => name.trim().toLowerCase()),
    queueUrl: url('MUGAI_QUEUE_URL', values),
    innerSmtpUrl: url('MUGAI_INNER_SMTP_URL', values),
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
    policyPersons: values.MUGAI_POLICY_PERSONS === '2' ? 2 : 1,
    journalDays: integer('MUGAI_JOURNAL_DAYS', values, 1, 100_000) ?? 1095,
    logLevel: values.MUGAI_LOG_LEVEL as LogLevel, // the pattern lets these five through only
  };
  return Object.freeze(config);
}

/** The configuration as one may print it: secrets as `***`. */
export function redactedConfig(env: Environment = process.env): Record<string, string> {
  const values = valuesOf(env);
  return Object.fromEntries(KEYS.map((name) => [name, isSecret(name) && values[name] !== '' ? '***' : values[name]]));
}

function oidcOf(values: Static<typeof ConfigSchema>): Config['oidc'] {
  const issuer = url('MUGAI_OIDC_ISSUER', values);
  if (issuer === undefined) return undefined;
  for (const name of ['MUGAI_OIDC_CLIENT_ID', 'MUGAI_OIDC_CLIENT_SECRET'] as const)
    if (values[name] === '') throw wrong(name, 'is needed with MUGAI_OIDC_ISSUER');
  return { issuer, clientId: values.MUGAI_OIDC_CLIENT_ID, clientSecret: values.MUGAI_OIDC_CLIENT_SECRET };
}

function ldapOf(values: Static<typeof ConfigSchema>): Config['ldap'] {
  const place = url('MUGAI_LDAP_URL', values);
  if (place === undefined) return undefined;
  if (values.MUGAI_LDAP_BIND === '') throw wrong('MUGAI_LDAP_BIND', 'is needed with MUGAI_LDAP_URL');
  return { url: place, bind: values.MUGAI_LDAP_BIND };
}

function proxyOf(value: string): Config['proxy'] {
  const at = value.indexOf('@');
  return at < 0 ? undefined : { header: value.slice(0, at).toLowerCase(), addresses: value.slice(at + 1).split(',') };
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
function valuesOf(env: Environment): Static<typeof ConfigSchema> {
  const values = KEYS.map((name) => {
    const file = isSecret(name) ? env[`${name}_FILE`] : undefined;
    const given = file === undefined || file === '' ? env[name]?.trim() : readSecret(name, file);
    return [name, given === undefined || given === '' ? ConfigSchema.properties[name].facts.default : given];
  });
  return Object.fromEntries(values) as Static<typeof ConfigSchema>;
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

function listen(name: ConfigKey, values: Static<typeof ConfigSchema>): Listen {
  const value = values[name];
  const colon = value.lastIndexOf(':');
  const port = Number(value.slice(colon + 1));
  if (port > 65_535) throw wrong(name, `is "${value}": a port is at most 65535`);
  return { host: value.slice(0, colon).replace(/^\[|\]$/g, ''), port };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function nameServers(name: ConfigKey, values: Static<typeof ConfigSchema>): Listen[] {
  return listOf(values[name]).map((entry) => {
    const [, v6, v4, port = '53'] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(entry) ?? [undefined, entry];
    const host = v6 ?? v4 ?? '';
    if (isIP(host) === 0 || Number(port) > 65_535) throw wrong(name, `holds "${entry}", no address`);
    return { host, port: Number(port) };
  });
}

function relays(name: ConfigKey, values: Static<typeof ConfigSchema>): string[] {
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

function url(name: ConfigKey, values: Static<typeof ConfigSchema>): string | undefined {
  const value = values[name];
  if (value === '') return undefined;
  if (!URL.canParse(value)) throw wrong(name, 'is no URL');
  return value;
}

function integer(
  name: ConfigKey,
  values: Static<typeof ConfigSchema>,
  least: number,
  most: number,
): number | undefined {
  const value = values[name];
  if (value === '') return undefined;
  const number = Number(value);
  if (number < least || number > most) throw wrong(name, `is ${value}, not from ${least} to ${most}`);
  return number;
}
