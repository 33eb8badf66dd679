// Where an S3 store is and who signs: `s3://KEY:SECRET@host[:port]/name[?region=…][&tls=off]`. Each store has a bucket of
// its own, `name-spool`, `name-outbox`, `name-requests`, so that each zone's key can be kept to the buckets it may see.
import { MugaiError } from '../message/errors.ts';
import { isLoopback } from '../message/networks.ts';

/** An S3 service, the key to it, and the name that its buckets begin with. */
export interface S3Place {
  /** `https://host:port`; plain HTTP on loopback only. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secret: string;
  readonly name: string;
}

const EXAMPLE = 'for example s3://KEY:SECRET@s3.example/mugai?region=us-east-1';

/** Reads the address. Throws `bad-config`, one line without the secret. */
export function parseStoreUrl(text: string): S3Place {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 's3:' || url.hostname === '') throw wrong('must be an s3:// address');
  const name = /^\/([a-z0-9][a-z0-9-]{1,50})$/.exec(url.pathname)?.[1];
  if (name === undefined)
    throw wrong('after the host stands one name of small letters, digits and -, that the buckets begin with');
  for (const key of url.searchParams.keys())
    if (key !== 'region' && key !== 'tls') throw wrong(`has "${key}" after ?, where only region and tls may stand`);
  const tls = url.searchParams.get('tls') ?? 'on';
  if (tls !== 'on' && tls !== 'off') throw wrong('says neither tls=on nor tls=off');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (tls === 'off' && !isLoopback(host)) throw wrong(`goes to another machine, ${host}, without TLS`);
  const [accessKey, secret] = [decoded(url.username), decoded(url.password)];
  if (accessKey === '' || secret === '') throw wrong('needs a key and its secret');
  return {
    endpoint: `${tls === 'on' ? 'https' : 'http'}://${url.host}`,
    region: url.searchParams.get('region') ?? 'us-east-1',
    accessKey,
    secret,
    name,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw wrong('has a % in its key or secret that begins no %XX; a % itself is written %25', error);
  }
}

function wrong(problem: string, cause?: unknown): MugaiError {
  return new MugaiError('bad-config', `MUGAI_STORE_URL ${problem}, ${EXAMPLE}`, { permanent: true, cause });
}
