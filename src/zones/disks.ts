// The disks under what a role writes, or needs to be there: whoever watches hears of each before it is full.
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { systemCode } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Check } from '../ops/health.ts';

type Role = 'ingress' | 'worker' | 'inner';

/** Folders of the data folder by role. */
const FOLDERS = {
  ingress: ['spool', 'journal'],
  worker: ['spool', 'outbox', 'journal'],
  inner: ['outbox', 'requests', 'inner', 'portal', 'journal'],
} as const satisfies { readonly [role in Role]: readonly string[] };
/** Those that are no folders where `MUGAI_STORE_URL` names a service: there is no end of it to be told. */
const SHARED: ReadonlySet<string> = new Set(['spool', 'outbox', 'requests']);

/** A store and the bytes that are free for it. */
export interface Disk {
  readonly store: string;
  readonly freeBytes: number;
}

/** The disks of these roles, each store once. */
export async function disksOf(
  roles: readonly Role[],
  { dataDir, store }: Pick<Config, 'dataDir' | 'store'>,
): Promise<Disk[]> {
  const names = storesOf(roles).filter((name) => store === undefined || !SHARED.has(name));
  const found = await Promise.all(
    names.map(async (name) => ({ store: name, free: await freeBytes(join(dataDir, name)) })),
  );
  return found.flatMap(({ store: name, free }) => (free === undefined ? [] : [{ store: name, freeBytes: free }]));
}

/** A check of a store by itself: one that does not answer is a fault, whatever it stands on, and so are less than `least` bytes free. */
export function storeCheck(
  name: 'spool' | 'outbox',
  store: { freeBytes(): Promise<number | undefined> },
  least: number = LIMITS.leastFreeBytes,
): Check {
  return { name, run: async () => tooLittle(await store.freeBytes(), least) };
}

/** A check for the disk of each other folder: less than `least` bytes free is a fault. */
export function diskChecks(
  roles: readonly Role[],
  config: Pick<Config, 'dataDir' | 'store'>,
  least: number = LIMITS.leastFreeBytes,
): Check[] {
  const others = storesOf(roles).filter((name) => name !== 'spool' && name !== 'outbox');
  return others.map((name) => ({
    name: `${name} disk`, // `portal` and `inner` are other checks
    run: async () => tooLittle((await disksOf(roles, config)).find(({ store }) => store === name)?.freeBytes, least),
  }));
}

function tooLittle(free: number | undefined, least: number): string | undefined {
  return free !== undefined && free < least ? `only ${free} bytes free` : undefined;
}

function storesOf(roles: readonly Role[]): string[] {
  return [...new Set(roles.flatMap((role) => FOLDERS[role]))];
}

/** Bytes that are free for a folder; undefined where there is none. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined; // not made yet
    throw error;
  }
}
