// What the middle finds in the spool that no queue knows of: after a start, and where doors and worker share nothing else.
import type { MessageId } from '../message/id.ts';
import type { Spool } from '../spool/spool.ts';
import { QUEUED_MOST, SCAN_MOST, type Road } from './road.ts';

/**
 * Makes the scan of a worker. Where one found all it may queue, the next one goes on behind it: what waits for long must not hide
 * what is new. What is found until the first time through has waited since it came: a queue in memory that a restart emptied would
 * say that the worker is not behind. What turns up later (tried again, asked for again) waits from then on. `most`: messages in a
 * queue from which on nothing is added.
 */
export function findWork(road: Road, spool: Spool, most: number = QUEUED_MOST): () => Promise<void> {
  let last: MessageId | undefined;
  let sinceArrival = true;
  return async () => {
    if (!(await road.hasRoom(most))) return;
    const found = await spool.unfinished(SCAN_MOST, last);
    // The road's pause between scans counts this, too: an add of 20,000 that are there already is work.
    await road.add('sanitise', found.sanitise, { sinceArrival });
    await road.add('seal', found.seal, { sinceArrival });
    last = found.last;
    if (last === undefined) sinceArrival = false;
  };
}
