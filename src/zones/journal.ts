// The journal of a zone in this process: where it lies, how long it is kept, and where its signed heads are told.
import { join } from 'node:path';
import { openJournal, type Journal } from '../audit/journal.ts';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { JournalZone } from '../message/act.ts';
import { reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import { sendSyslog } from '../ops/syslog.ts';

/** Opens it; it is closed after whatever is started later. */
export async function openZoneJournal(zone: JournalZone, config: Config, log: Log, life: Lifecycle): Promise<Journal> {
  const sending = new Set<Promise<void>>();
  const journal = await openJournal({
    root: join(config.dataDir, 'journal'),
    zone,
    keepDays: config.journalDays,
    // The log goes to syslog or journald: whoever keeps that elsewhere can prove that the chain was not rewritten.
    onFault: (what, error) => log.error({ zone, what, error: reasonOf(error) }, 'journal'),
    onHead: (position) => {
      log.info({ position }, 'journal head');
      if (config.syslog === undefined) return;
      const line = { id: 'journal-head', facts: { zone, position }, text: `journal head ${position}`, at: new Date() };
      const sent = sendSyslog(config.syslog, line)
        .catch((error: unknown) => log.error({ zone, error: reasonOf(error) }, 'the head did not reach syslog'))
        .finally(() => sending.delete(sent));
      sending.add(sent);
    },
  });
  life.started(`journal of the ${zone} zone`, async () => {
    await journal.close();
    await Promise.all(sending); // the last head of all is the one that matters most
  });
  return journal;
}
