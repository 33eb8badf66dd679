// All faults, by name. `npm run faults` runs them whole; the suite runs each in a small way, but for those that cannot be short.
import { clockJumps, diskFailsForADay, diskTrouble, outboxGone } from './disk-faults.ts';
import { INNER_FAULTS, innerTrouble } from './inner-faults.ts';
import { killAtEveryAct, killRolesAndChildren } from './kills.ts';
import { fairShare, memoryPressure, poisonMail } from './load-faults.ts';
import type { Scenario } from './outcome.ts';
import { REDIS_FAULTS, redisTrouble } from './redis-faults.ts';

const SCAN = 'what Redis lost is found by the scan of each minute';

export const SCENARIOS: readonly Scenario[] = [
  { name: 'kill-acts', run: async (scale) => killAtEveryAct(scale, 'stays') },
  { name: 'kill-roles-redis', run: async (scale) => killRolesAndChildren(scale, 'redis') },
  { name: 'kill-roles', run: async (scale) => killRolesAndChildren(scale, 'none') },
  { name: 'power-cut', run: async (scale) => killAtEveryAct(scale, 'all-unsynced-lost') },
  { name: 'power-cut-luck', run: async (scale) => killAtEveryAct(scale, 'by-luck') },
  { name: 'redis-gone', run: async (scale) => redisTrouble(scale, REDIS_FAULTS.gone), long: SCAN },
  { name: 'redis-paused', run: async (scale) => redisTrouble(scale, REDIS_FAULTS.paused) },
  { name: 'redis-read-only', run: async (scale) => redisTrouble(scale, REDIS_FAULTS.readOnly), long: SCAN },
  { name: 'redis-full', run: async (scale) => redisTrouble(scale, REDIS_FAULTS.full), long: SCAN },
  { name: 'disk-full', run: async (scale) => diskTrouble(scale, 'ENOSPC') },
  { name: 'disk-fails', run: async (scale) => diskTrouble(scale, 'EIO') },
  { name: 'disk-fails-a-day', run: diskFailsForADay },
  { name: 'outbox-gone', run: outboxGone },
  { name: 'clock-jumps', run: clockJumps },
  { name: 'inner-slow', run: async (scale) => innerTrouble(scale, INNER_FAULTS.slow) },
  { name: 'inner-breaks-off', run: async (scale) => innerTrouble(scale, INNER_FAULTS.breaksOff) },
  { name: 'inner-4xx-a-day', run: async (scale) => innerTrouble(scale, INNER_FAULTS.fourForADay) },
  { name: 'inner-5xx', run: async (scale) => innerTrouble(scale, INNER_FAULTS.five) },
  { name: 'dns-gone', run: async (scale) => innerTrouble(scale, INNER_FAULTS.noNames) },
  { name: 'poison', run: async (scale) => poisonMail(scale, 'none') },
  {
    name: 'poison-redis',
    run: async (scale) => poisonMail(scale, 'redis'),
    long: 'BullMQ gives a vanished worker half a minute each time',
  },
  { name: 'fair-share', run: fairShare, long: 'a figure of time: no verdict on a machine that does other things, too' },
  { name: 'memory-short', run: memoryPressure },
];
