// `mugai index rebuild`: makes the portal's list of messages anew from the outbox.
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../config.ts';
import { Ledger } from '../deliver/ledger.ts';
import { MugaiError } from '../message/errors.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Database, messagesIn } from '../portal/database.ts';
import { MessageIndex } from '../portal/message-index.ts';
import { openFsStore } from '../store/fs-store.ts';
import { openSharedStore } from '../store/open-store.ts';
import { portalFolder } from '../zones/portal.ts';
import { say, UsageError, type Command } from './usage.ts';

export const index: Command = {
  help: `mugai index rebuild

Makes the portal's list of messages anew from the outbox and puts it in the place of the present one. The list is a cache:
nothing is lost when it is. A gateway that runs takes the new one within seconds; people stay signed in.
Where the outbox is empty though the present list has messages, its mount is taken for lost: exit code 1, the list stays.

Example: mugai index rebuild`,

  run: async (args) => {
    if (args.length !== 1 || args[0] !== 'rebuild') throw new UsageError('say "index rebuild"');
    const config = readConfig();
    const keys = await loadPublicKeys(config.verifyKeyFile);
    const outbox = new Outbox(await openSharedStore(config, 'outbox', { access: 'read' }));
    const present = join(portalFolder(config), 'index.sqlite');
    if (!(await outbox.isThere()) && messagesIn(present) > 0)
      throw new MugaiError(
        'store-failed',
        'the outbox is empty though the list has messages: is its mount lost? The list stays as it is',
      );
    const ledger = new Ledger(await openFsStore(join(config.dataDir, 'inner'), undefined, 'read'));
    const fresh = `index.sqlite.new-${process.pid}`;
    const db = new Database(portalFolder(config), fresh);
    const started = performance.now();
    try {
      const made = new MessageIndex(db, {
        outbox,
        keys,
        end: async (id) => (await ledger.end(id))?.record,
      });
      const count = await made.catchUp(new AbortController().signal);
      db.close();
      renameSync(db.indexFile, present);
      const seconds = (performance.now() - started) / 1000;
      say(`${count} messages in ${seconds.toFixed(1)} s (${Math.round(count / seconds)} a second)`);
    } finally {
      db.close();
      rmSync(db.indexFile, { force: true });
    }
    return 0;
  },
};
