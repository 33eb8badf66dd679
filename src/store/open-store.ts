// A store of the road by its name: a folder under the data folder, or a bucket where MUGAI_STORE_URL names a service.
import { join } from 'node:path';
import type { FaultPoint } from './fs-fault.ts';
import { openFsStore } from './fs-store.ts';
import type { S3Place } from './s3-place.ts';
import type { Store } from './store.ts';

/** What the zones hand to each other; everything else lies on the machine that writes it. */
export type SharedStore = 'spool' | 'outbox' | 'requests';

/** Where the stores are. */
export interface StorePlaces {
  readonly dataDir: string;
  readonly store: S3Place | undefined;
}

/** Opens a store. Throws `bad-config` when the service cannot be used, `store-failed` when the folder cannot. */
export async function openSharedStore(
  { dataDir, store }: StorePlaces,
  name: SharedStore,
  { fault, access = 'write' }: { readonly fault?: FaultPoint | undefined; readonly access?: 'write' | 'read' } = {},
): Promise<Store> {
  const folder = join(dataDir, name);
  if (store === undefined) return openFsStore(folder, fault, access);
  const { openS3Store } = await import('./s3-store.ts'); // some 60 MB that nobody else needs
  return openS3Store(store, name, folder, access);
}
