// Every key of the configuration: default, shape, example, meaning. README.md and README.ja.md are tested against it.
import { Type, type Static } from 'typebox';

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
    meaning:
      'address of the portal as browsers see it, for OpenID Connect and passkeys; unset: made of `MUGAI_PORTAL_LISTEN`',
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
    meaning:
      '`header@address[,address]`: header with the name of a person whom a reverse proxy signed in, and the addresses it is believed from; people sign in at `/sign-in/proxy`',
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
  MUGAI_TRUSTED_PROXIES: key({
    default: '',
    example: '192.0.2.20,2001:db8::/64',
    meaning:
      'reverse proxies before the HTTP door and the portal, addresses or networks: who asks is whom their `X-Forwarded-For` names; unset: whoever connects',
    pattern: '^[0-9a-fA-F.:/,\\s]*$',
    problem: 'a list of addresses or networks',
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
    meaning:
      'malware scanner (clamd) of the worker, a second opinion on every part: path of its socket, or host:port; unset: none, and no original is released',
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
    meaning: 'unset: embedded queue; `redis://…` or `rediss://…`, of sentinels or a cluster, too (docs/ops)',
    pattern: URL_OF('rediss?(\\+sentinel|\\+cluster)?'),
    problem: 'a redis:// or rediss:// URL, or one with +sentinel or +cluster',
    secret: true,
  }),
  MUGAI_STORE_URL: key({
    default: '',
    example: 's3://KEY:SECRET@s3.example/mugai?region=us-east-1',
    meaning:
      'unset: files under the data folder; `s3://…`: spool, outbox and requests in buckets of an S3 service (docs/ops)',
    pattern: URL_OF('s3'),
    problem: 'an s3:// URL',
    secret: true,
  }),
  MUGAI_INNER_SMTP_URL: key({
    default: '',
    example: 'smtp://10.0.0.5:25',
    meaning:
      'unset: folder courier, `DATA/delivered/<id>.eml`; `smtp://…` (with `?tls=require` nothing is sent without STARTTLS), `smtps://…`',
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
    meaning:
      'how long a message has waited for a worker, or for an outbox that takes nothing, at which the doors say "later"; open again at half of it',
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
    meaning:
      '`2`: a policy file counts only when a second person approved it (`mugai policy propose`, `approve`), and nothing else since; `2-logins`: one who signed in to the machine as another account (Linux, loginuid)',
    pattern: '^(1|2|2-logins)$',
    problem: '1, 2 or 2-logins',
  }),
  MUGAI_JOURNAL_DAYS: key({
    default: '1095',
    example: '3650',
    meaning: 'days the audit journals are kept',
    pattern: NUMBER,
    problem: 'a whole number',
  }),
  MUGAI_SYSLOG_URL: key({
    default: '',
    example: 'tls://siem.pref.example.lg.jp:6514',
    meaning:
      'syslog collector that gets the log and each signed head of the journals: `udp://…`, `tcp://…` or `tls://…`; unset: none',
    pattern: URL_OF('udp|tcp|tls'),
    problem: 'a udp://, tcp:// or tls:// URL',
  }),
  MUGAI_SYSLOG_FORMAT: key({
    default: 'rfc5424',
    example: 'cef',
    meaning: '`rfc5424` (structured data) or `cef`, as the collector reads',
    pattern: '^(rfc5424|cef)$',
    problem: 'one of rfc5424, cef',
  }),
  MUGAI_SYSLOG_CA_FILE: key({
    default: '',
    example: '/etc/mugai/siem-ca.pem',
    meaning: 'certificates that the collector is checked with, PEM; unset: those of Node',
    pattern: '^[^\\0]*$',
    problem: 'a path',
  }),
  MUGAI_OTLP_URL: key({
    default: '',
    example: 'http://127.0.0.1:4318',
    meaning: 'OpenTelemetry collector (OTLP over HTTP) that gets traces of the road; unset: none are made',
    pattern: URL_OF('https?'),
    problem: 'an http:// or https:// URL',
  }),
  MUGAI_ALARM_MAIL: key({
    default: '',
    example: 'joho@city.kashima.lg.jp',
    meaning: 'address that alarms are mailed to by the inner side; unset: none',
    pattern: '^([^\\s@]+@[^\\s@]+)?$',
    problem: 'a mail address',
  }),
  MUGAI_LOG_LEVEL: key({
    default: 'info',
    example: 'debug',
    meaning: '`debug` `info` `warn` `error` `silent`',
    pattern: '^(debug|info|warn|error|silent)$',
    problem: 'one of debug, info, warn, error, silent',
  }),
});
export type ConfigValues = Static<typeof ConfigSchema>;
export type ConfigKey = keyof ConfigValues;
