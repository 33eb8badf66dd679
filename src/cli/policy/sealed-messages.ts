// What the signed manifests of the outbox say of messages that came.
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import { timeOf, type MessageId } from '../../message/id.ts';
import { LIMITS } from '../../message/limits.ts';
import { loadPublicKeys } from '../../outbox/keys.ts';
import { MANIFEST, openManifest } from '../../outbox/manifest.ts';
import { Outbox } from '../../outbox/outbox.ts';
import { openSharedStore } from '../../store/open-store.ts';
import { tell } from '../usage.ts';

/** The packages of the outbox, to be read by their manifests alone. */
export async function openSealed(config: Config) {
  const outbox = new Outbox(await openSharedStore(config, 'outbox', { access: 'read' }));
  const keys = await loadPublicKeys(config.verifyKeyFile);
  /** What is said of a message; undefined where it has no package. */
  const of = async (id: MessageId) => {
    const manifest = await outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
    return manifest === undefined ? undefined : (await openManifest(manifest, keys)).predicate;
  };
  async function* since(time: number) {
    for (const shard of await outbox.shards()) {
      for (const id of await outbox.idsOf(shard)) {
        if (timeOf(id) < time) continue;
        try {
          const predicate = await of(id);
          if (predicate !== undefined) yield predicate;
        } catch (error) {
          if (!(error instanceof MugaiError)) throw error;
          tell(`${id}: ${error.message}`); // a package that does not verify tells nothing
        }
      }
    }
  }
  return { of, since, isThere: async () => outbox.isThere() };
}
