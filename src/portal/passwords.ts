// Passwords of local accounts: argon2id (RFC 9106), one answer and one time for right and wrong names.
import { hash, verify } from '@node-rs/argon2';

/** OWASP's first choice for argon2id: 19 MiB, two passes. The package's default algorithm is argon2id. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Hashes computed at once: each takes 19 MiB and some 20 ms of a core. */
const AT_ONCE = 2;

export const PASSWORD_LEAST = 10;
export const PASSWORD_MOST = 200;

let running = 0;
const waiting: (() => void)[] = [];
let decoy: Promise<string> | undefined;

async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** The hash to keep of a new password. */
export async function hashPassword(password: string): Promise<string> {
  return oneOfFew(async () => hash(password.normalize('NFKC'), COST));
}

/** True when the password is the one of this hash. Without a hash it takes as long and is false. */
export async function checkPassword(password: string, kept: string | undefined): Promise<boolean> {
  decoy ??= hash('no one has this password', COST);
  const against = kept ?? (await decoy);
  const right = await oneOfFew(async () => verify(against, password.normalize('NFKC').slice(0, PASSWORD_MOST)));
  return right && kept !== undefined;
}

/** Why a new password is not taken; undefined when it is. */
export function passwordFault(password: string, name: string): 'short' | 'long' | 'easy' | undefined {
  const plain = password.normalize('NFKC');
  if (Array.from(plain).length < PASSWORD_LEAST) return 'short';
  if (plain.length > PASSWORD_MOST) return 'long';
  const few = new Set(plain.toLowerCase()).size < 4;
  return few ||
    (name.length > 3 && plain.toLowerCase().includes(name)) ||
    /^(0123456789|1234567890|password)/i.test(plain)
    ? 'easy'
    : undefined;
}
