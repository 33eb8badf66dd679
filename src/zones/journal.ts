// The journal of a zone in this process: where it lies, how long it is kept, and where its signed heads are told.
import { join } from 'node:path';
import { openJournal, type Journal } from '../audit/journal.ts';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { JournalZone } from '../message/act.ts';
import { reasonOf } from '../message/errors.ts';
import type { Alarms } from '../ops/alarms.ts';
import type { Log } from '../ops/log.ts';

/** What hears of a journal besides the log. */
export interface JournalTold {
  readonly alarms: Alarms;
  /** Told of every signed head; the last one comes at the stop and is the one that matters most. */
  readonly onHead: ((zone: JournalZone, position: string) => void) | undefined;
}

/** Opens it; it is closed after whatever is started later. */
export async function openZoneJournal(
  zone: JournalZone,
  config: Config,
  log: Log,
  life: Lifecycle,
  { alarms, onHead }: JournalTold,
): Promise<Journal> {
  const journal = await openJournal({
    root: join(config.dataDir, 'journal'),
    zone,
    keepDays: config.journalDays,
    onFault: (what, error) => {
      log.error({ zone, what, error: reasonOf(error) }, 'journal');
      alarms.raise('journal', zone, `${what}: ${reasonOf(error)}`);
    },
    // Whoever keeps the heads elsewhere can prove that the chain was not rewritten.
    onHead: (position) => {
      log.info({ zone, position }, 'journal head');
      onHead?.(zone, position);
    },
  });
  life.started(`journal of the ${zone} zone`, async () => journal.close());
  // At once, not in an hour: whoever is killed before, and whatever a run before left, is signed.
  await journal.signHead();
  return journal;
}
