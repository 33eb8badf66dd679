// What the doors watch before they take more: room in the spool, memory, and how long the oldest message waits.
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { reasonOf } from '../message/errors.ts';
import { memoryLeft } from '../ops/memory.ts';
import { Pressure, type Mark } from '../ops/pressure.ts';
import type { Log } from '../ops/log.ts';
import type { QueueHub } from '../queue/queues.ts';
import type { Spool } from '../spool/spool.ts';
import type { Road } from './road.ts';
import { keepTelling, processName, STATUS_STALE_MS } from './status.ts';

const MB = 1_000_000;
const LOOK_MS = 2000;

/** Starts looking; the doors ask `fault()`. */
export function startPressure(config: Config, log: Log, life: Lifecycle, road: Road, spool: Spool): Pressure {
  const { leastFreeMb, leastMemoryMb, mostWaitSeconds } = config;
  const marks: Mark[] = [
    {
      reason: 'disk',
      read: async () => spool.freeBytes(),
      bad: 'low',
      closeAt: leastFreeMb * MB,
      openAt: leastFreeMb * MB * 1.5,
    },
    {
      reason: 'memory',
      read: async () => memoryLeft(), // of the machine or of our control groups, whichever is less
      bad: 'low',
      closeAt: leastMemoryMb * MB,
      openAt: leastMemoryMb * MB * 1.5,
    },
    {
      reason: 'queue',
      // How far the workers are behind: not how old the oldest is, which may wait for something of its own.
      read: async () => (road.hub === undefined ? behindApart(spool) : (await behindMs(road.hub)) / 1000),
      bad: 'high',
      closeAt: mostWaitSeconds,
      openAt: mostWaitSeconds / 2,
      // What came within that time has to be worked off, at about the pace it came in; nothing new is taken meanwhile.
      retryAfterSeconds: (age) => age - mostWaitSeconds / 2,
    },
  ];
  const pressure = new Pressure(marks, {
    gauge: road.metrics.pressure,
    onChange: (reason, closed, value) => {
      const line = { reason, value: Math.round(value) };
      if (!closed) return log.info(line, 'the doors are open again');
      log.warn(line, 'the doors say later');
      if (reason === 'disk')
        road.alarms.raise('disk', 'spool', `${Math.round(value / MB)} MB free: the doors say later`);
    },
  });
  pressure.start(LOOK_MS);
  life.started('pressure', async () => pressure.stop());
  return pressure;
}

/** The same in seconds where no queue joins doors and worker: as the worker says, and by the oldest in the spool while none says anything. */
async function behindApart(spool: Spool): Promise<number> {
  return (await spool.behind.seconds(STATUS_STALE_MS)) ?? (await spool.oldestUnfinishedMs()) / 1000;
}

/** Tells doors that no queue joins with this worker how far it is behind. */
export function tellBehind(log: Log, life: Lifecycle, hub: QueueHub, spool: Spool): void {
  const name = processName('worker');
  keepTelling(
    life,
    async () => spool.behind.publish(name, (await behindMs(hub)) / 1000),
    (error) => log.warn({ error: reasonOf(error) }, 'the doors cannot be told how far the worker is behind'),
  );
}

/** Milliseconds that the middle is behind: what waits for a worker, and what cannot be sealed because the outbox takes nothing. */
export async function behindMs(hub: Pick<QueueHub, 'queue'>): Promise<number> {
  const seal = hub.queue('seal');
  return Math.max(await hub.queue('sanitise').oldestWaitingMs(), await seal.oldestWaitingMs(), await seal.setAsideMs());
}
