// What the signed manifests of the outbox say of messages that came.
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import { timeOf } from '../../message/id.ts';
import { LIMITS } from '../../message/limits.ts';
import { loadPublicKeys } from '../../outbox/keys.ts';
import { MANIFEST, openManifest } from '../../outbox/manifest.ts';
import { Outbox } from '../../outbox/outbox.ts';
import { openSharedStore } from '../../store/open-store.ts';
import { tell } from '../usage.ts';

/** What the packages of the outbox say of messages since then. */
export async function* messagesSince(since: number, config: Config) {
  const outbox = new Outbox(await openSharedStore(config, 'outbox', { access: 'read' }));
  const keys = await loadPublicKeys(config.verifyKeyFile);
  for (const shard of await outbox.shards()) {
    for (const id of await outbox.idsOf(shard)) {
      if (timeOf(id) < since) continue;
      const manifest = await outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
      if (manifest === undefined) continue;
      try {
        yield (await openManifest(manifest, keys)).predicate;
      } catch (error) {
        if (!(error instanceof MugaiError)) throw error;
        tell(`${id}: ${error.message}`); // a package that does not verify tells nothing
      }
    }
  }
}
