// Which zone's journal lies here: where zones are machines apart, an act is told in that of its own machine.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_ZONES, type JournalZone } from '../message/act.ts';

/** The zone that is usual for an act, unless only another one's journal is here: no chain is begun that belongs elsewhere. */
export function zoneHere(root: string, usual: JournalZone): JournalZone {
  const here = JOURNAL_ZONES.filter((zone) => existsSync(join(root, zone)));
  return here.includes(usual) ? usual : (here[0] ?? usual);
}
