// kill -9: at every durable act of a process, of every role, of every child; and the power cut at each act.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../support/redis.ts';
import { House, type RoleName } from './house.ts';
import type { Outcome, Scale } from './outcome.ts';
import { cutPower, openShadow } from './power.ts';
import { seeded, sendAll } from './traffic.ts';

const DISK = fileURLToPath(new URL('./disk.ts', import.meta.url));
/** Durable acts of a life before it ends: a life of few acts dies in its start, one of many in the midst of mail. */
const MOST_ACTS = 400;

/** One process after another dies before its n-th durable act, n by the seed, while mail comes in. */
export async function killAtEveryAct(scale: Scale, power: 'stays' | 'all-unsynced-lost' | 'by-luck'): Promise<Outcome> {
  await using house = await House.open();
  const random = seeded(scale.seed);
  const data = house.dataDir('all');
  const shadow = join(house.folder.path, 'shadow');
  const acts = join(house.folder.path, 'acts');
  if (power !== 'stays') openShadow(shadow);
  const env = (dieAt: number): Record<string, string> => ({
    NODE_OPTIONS: `--import ${DISK}`,
    FAULT_ROOT: data,
    FAULT_DIE_AT: String(dieAt),
    FAULT_ACTS: acts,
    ...(power === 'stays' ? {} : { FAULT_SHADOW: shadow }),
  });
  let over = false;
  let vanished = 0;
  const killer = (async () => {
    for (let kill = 0; kill < scale.kills; kill++) {
      const gateway = await house.start('all', env(1 + Math.floor(random() ** 2 * MOST_ACTS))).catch(() => undefined);
      if (gateway !== undefined) await gateway.exited; // otherwise it died in its start
      house.running.delete('all');
      if (power !== 'stays') vanished += cutPower(data, shadow, () => power === 'by-luck' && random() < 0.5);
      house.noteEnds();
    }
    over = true;
    await house.start('all', env(0));
  })();
  const [accepted] = await Promise.all([
    sendAll({ port: () => house.port, mails: scale.mails, lanes: 6, enough: () => over }),
    killer,
  ]);
  const since = performance.now();
  await house.settle(accepted, 180_000);
  const what = {
    stays: 'kill -9 before a durable act',
    'all-unsynced-lost': 'power cut: nothing survives that was not synced',
    'by-luck': 'power cut: of what was not synced each file and name survives by chance',
  }[power];
  const count = power === 'stays' ? '' : `; ${vanished} unsynced names vanished`;
  return house.outcome(what, `${scale.kills} deaths, before: ${actsTold(acts)}${count}`, accepted, since);
}

/** Kinds of acts at which lives ended, with their numbers. */
function actsTold(file: string): string {
  const kinds = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const [act = '', path = ''] = line.split(' ');
    const kind = `${act} in ${path.split('/')[1] ?? ''}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds]
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ');
}

/** Three processes (with Redis or without); every so often one of them, or a child of the worker, is killed. */
export async function killRolesAndChildren(scale: Scale, queue: 'redis' | 'none'): Promise<Outcome> {
  await using redis = queue === 'redis' ? await startRedis() : undefined;
  await using house = await House.open(redis === undefined ? {} : { MUGAI_QUEUE_URL: redis.url });
  const random = seeded(scale.seed + 1);
  for (const role of ['worker', 'ingress', 'inner'] as const) await house.start(role);
  const counts = new Map<string, number>();
  let over = false;
  const killer = (async () => {
    for (let kill = 0; kill < scale.kills; kill++) {
      await sleep(50 + random() * 400);
      const choice = random();
      const role: RoleName = choice < 0.2 ? 'ingress' : choice < 0.4 ? 'worker' : 'inner';
      const victim = choice < 0.6 ? role : killChild(house.running.get('worker')?.process.pid ?? 0, random);
      if (victim === undefined) continue;
      if (choice < 0.6) {
        await house.kill(role);
        await house.start(role);
      }
      counts.set(victim, (counts.get(victim) ?? 0) + 1);
    }
    over = true;
  })();
  const [accepted] = await Promise.all([
    sendAll({ port: () => house.port, mails: scale.mails, lanes: 6, enough: () => over }),
    killer,
  ]);
  const since = performance.now();
  await house.settle(accepted, 90_000);
  const told = [...counts].map(([victim, times]) => `${victim} ${times}`).join(', ');
  const what = `kill -9 of roles and children, three processes, ${queue === 'redis' ? 'Redis' : 'no queue between'}`;
  return house.outcome(what, `killed: ${told}`, accepted, since);
}

/** Kills one child at random; its family, or undefined when there was none. */
function killChild(worker: number, random: () => number): string | undefined {
  const jails = descendants(worker).filter((pid) => /workers\/\w+\.ts/.test(commandOf(pid)));
  const pid = jails[Math.floor(random() * jails.length)];
  if (pid === undefined) return undefined;
  const family = /workers\/(\w+)\.ts/.exec(commandOf(pid))?.[1] ?? '?';
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return undefined; // ended meanwhile
  }
  return `${family} child`;
}

function descendants(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(/\s+/))
      .filter((text) => text !== '')
      .flatMap((text) => [Number(text), ...descendants(Number(text))]);
  } catch {
    return []; // gone
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
