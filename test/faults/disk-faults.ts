// Trouble with disks and clocks: a store that is full, failing or gone, and back; a wall clock that leaps.
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../support/ports.ts';
import { ASKED_FOR, Asker } from './asker.ts';
import { Control } from './control.ts';
import { House } from './house.ts';
import type { Outcome, Scale } from './outcome.ts';
import { sendAll } from './traffic.ts';

const STORES = ['spool', 'outbox', 'inner', 'journal', 'requests', 'portal'] as const;
const HOUR = 3_600_000;

/** One process with a switch for its trouble; mail keeps coming in while `act` runs. */
async function underTrouble(
  scale: Scale,
  fault: string,
  act: (house: House, control: Control) => Promise<string>,
  after?: () => Promise<{ readonly told: string; readonly lost: number }>,
): Promise<Outcome> {
  await using house = await House.open();
  const control = new Control(house.folder.path);
  // Who is signed in finds the portal where it was, also after a restart.
  const env = { ...control.env(house.dataDir('all')), MUGAI_PORTAL_LISTEN: `127.0.0.1:${await freePort()}` };
  await house.start('all', env);
  const keeping = house.keep('all', env);
  let over = false;
  let since = 0;
  let happened = '';
  const acting = (async () => {
    await sleep(1000);
    happened = await act(house, control).finally(() => (over = true));
    since = performance.now();
  })();
  const [accepted] = await Promise.all([
    sendAll({ port: () => house.port, mails: scale.mails / 4, lanes: 4, enough: () => over, pauseMs: 100 }),
    acting,
  ]);
  await house.settle(accepted, 180_000);
  const more = await after?.();
  const deaths = await keeping();
  const held = house.server.taken.filter(({ raw }) => /^X-Mugai-State: held/m.test(raw)).length;
  if (more !== undefined) happened += `; ${more.told}`;
  const outcome = house.outcome(fault, `${happened}; ${deaths} restarts, ${held} mails held`, accepted, since);
  return { ...outcome, lost: outcome.lost + held + (more?.lost ?? 0) };
}

/** Each store in turn refuses every write with this code, then works again; somebody asks for finer pictures meanwhile. */
export async function diskTrouble(scale: Scale, code: 'ENOSPC' | 'EIO'): Promise<Outcome> {
  const fault =
    code === 'ENOSPC'
      ? 'disk full and back, each store in turn'
      : 'disk fails (EIO) and works again, each store in turn';
  const seconds = Math.max(4, scale.pauseSeconds / 4);
  let asker: Asker | undefined;
  return underTrouble(
    scale,
    fault,
    async (house, control) => {
      asker = await Asker.open(house);
      let over = false;
      const asking = asker.ask(((seconds + 1.5) * 1000 * STORES.length) / ASKED_FOR, () => over);
      asking.catch(() => undefined); // thrown where it is awaited, when all stores had their trouble
      try {
        for (const store of STORES) {
          asker.during = store;
          await control.set({ disk: { [store]: code } });
          await sleep(seconds * 1000);
          await control.set({});
          await sleep(1500);
        }
      } finally {
        over = true;
      }
      await asking;
      return `${STORES.join(', ')}, ${seconds} s each`;
    },
    async () => (await asker?.account()) ?? { told: 'nobody asked', lost: 1 },
  );
}

/** Spool and outbox fail for longer than a day: by the clock, which goes 26 hours ahead meanwhile. No mail may end as held. */
export async function diskFailsForADay(scale: Scale): Promise<Outcome> {
  return underTrouble(scale, 'disk fails (EIO) for 26 hours', async (_house, control) => {
    const disk = { spool: 'EIO', outbox: 'EIO' };
    await control.set({ disk: { outbox: 'EIO' } }); // mail still comes in
    await sleep(3000);
    await control.set({ disk });
    await sleep(2000);
    await control.set({ disk, clockMs: 26 * HOUR });
    await sleep(Math.max(15, scale.pauseSeconds / 2) * 1000);
    await control.set({ clockMs: 26 * HOUR });
    return 'outbox, then spool and outbox, while the clock went 26 hours ahead';
  });
}

/** The mount of the outbox goes away and leaves its empty mount point; then it is back. */
export async function outboxGone(scale: Scale): Promise<Outcome> {
  return underTrouble(scale, 'outbox mount gone and back', async (house) => {
    const outbox = join(house.dataDir('all'), 'outbox');
    await rename(outbox, `${outbox}.away`);
    await mkdir(outbox);
    await sleep(Math.max(6, scale.pauseSeconds / 2) * 1000);
    await rm(outbox, { recursive: true });
    await rename(`${outbox}.away`, outbox);
    return `for ${Math.max(6, scale.pauseSeconds / 2)} s`;
  });
}

/** The wall clock leaps about while nothing can be delivered; nothing is given up for it. */
export async function clockJumps(scale: Scale): Promise<Outcome> {
  const leaps = [24, -48, 7 * 24, 0];
  return underTrouble(scale, 'the clock leaps', async (house, control) => {
    for (const hours of leaps) {
      house.server.refuse.data = () => 451;
      await control.set({ clockMs: hours * HOUR });
      await sleep(Math.max(3, scale.pauseSeconds / 12) * 1000);
      house.server.refuse = {};
      await sleep(1500);
    }
    return `by ${leaps.map((hours) => `${hours} h`).join(', ')}, each while the inner server says 451`;
  });
}
