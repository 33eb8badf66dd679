// Trouble with Redis, which only an index of work is: killed, restarted empty, paused, read-only, full.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { House } from './house.ts';
import type { Outcome, Scale } from './outcome.ts';
import { sendAll } from './traffic.ts';

interface RedisFault {
  readonly fault: string;
  readonly begin: (redis: TestRedis) => Promise<unknown>;
  readonly end: (redis: TestRedis) => Promise<unknown>;
}

export const REDIS_FAULTS = {
  gone: {
    fault: 'Redis killed, restarted empty',
    begin: async (redis) => redis.kill(),
    end: async (redis) => redis.start(),
  },
  paused: {
    fault: 'Redis paused',
    begin: async (redis) => redis.pause(true),
    end: async (redis) => redis.pause(false),
  },
  readOnly: {
    fault: 'Redis read-only (a replica of nobody)',
    begin: async (redis) => redis.tell('replicaof', '127.0.0.1', '1'),
    end: async (redis) => redis.tell('replicaof', 'no', 'one'),
  },
  full: {
    fault: 'Redis full (maxmemory, noeviction)',
    begin: async (redis) => redis.tell('config', 'set', 'maxmemory', '1mb'),
    end: async (redis) => redis.tell('config', 'set', 'maxmemory', '0'),
  },
} satisfies Record<string, RedisFault>;

/** Three processes; mail comes in before, while and after Redis is in trouble. */
export async function redisTrouble(scale: Scale, { fault, begin, end }: RedisFault): Promise<Outcome> {
  await using redis = await startRedis();
  await using house = await House.open({ MUGAI_QUEUE_URL: redis.url });
  for (const role of ['worker', 'ingress', 'inner'] as const) await house.start(role);
  let over = false;
  let since = 0;
  let during = 0;
  const trouble = (async () => {
    await sleep(2000);
    const before = house.server.taken.length;
    await begin(redis);
    await sleep(scale.pauseSeconds * 1000);
    during = house.server.taken.length - before;
    await end(redis);
    since = performance.now();
    await sleep(1000);
    over = true;
  })();
  const [accepted] = await Promise.all([
    sendAll({ port: () => house.port, mails: scale.mails / 2, lanes: 4, enough: () => over, pauseMs: 100 }),
    trouble,
  ]);
  await house.settle(accepted, 240_000);
  return house.outcome(
    fault,
    `for ${scale.pauseSeconds} s; the doors went on taking mail; ${during} mails were delivered meanwhile`,
    accepted,
    since,
  );
}
