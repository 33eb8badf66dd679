// An inner mail server that is slow, breaks off, refuses for a day or for good, or whose name is not found.
import { setTimeout as sleep } from 'node:timers/promises';
import { Control } from './control.ts';
import { House } from './house.ts';
import type { Outcome, Scale } from './outcome.ts';
import { mixed, numberIn, numbered, sendAll } from './traffic.ts';

interface InnerFault {
  readonly fault: string;
  readonly happened: string;
  readonly begin: (house: House, control: Control) => Promise<unknown>;
  readonly end: (house: House, control: Control) => Promise<unknown>;
  /** Numbers whose end is a refusal by the inner server, told in its record. */
  readonly refused?: (number: number) => boolean;
}

/** A few mails more than once: RFC 5321 §4.1.1.4 leaves that to a server that breaks off after it took them. */
const BREAKS_EVERY = 5;
const seen = new Set<number>();

export const INNER_FAULTS = {
  slow: {
    fault: 'inner server slow',
    happened: 'it thought 4 s over each mail',
    begin: async ({ server }) => (server.manner = { waitMs: 4000 }),
    end: async ({ server }) => (server.manner = {}),
  },
  breaksOff: {
    fault: 'inner server breaks off after DATA',
    happened: `every ${BREAKS_EVERY}th mail once: half of them it had taken (a double with the same Message-ID follows), half not`,
    begin: async ({ server }) => {
      seen.clear();
      server.manner = {
        breaks: (raw) => {
          const number = numberIn(raw);
          if (number % BREAKS_EVERY !== 0 || seen.has(number)) return undefined;
          seen.add(number);
          return number % (2 * BREAKS_EVERY) === 0 ? 'taken' : 'not-taken';
        },
      };
    },
    end: async () => undefined,
  },
  fourForADay: {
    fault: 'inner server says 4xx for a day',
    happened: '451 to everything while the clock went 24 hours ahead; the gateway was restarted then',
    begin: async ({ server }) => (server.refuse = { data: () => 451 }),
    end: async (house, control) => {
      await control.set({ clockMs: 24 * 3_600_000 });
      await sleep(2000);
      house.server.refuse = {};
      await house.kill('all'); // the wait until the next try is half an hour by then
      await house.start('all', control.env(house.dataDir('all')));
    },
  },
  five: {
    fault: 'inner server refuses for good (5xx)',
    happened: 'every 4th mail: its record says rejected, with the answer; the others arrived',
    begin: async ({ server }) => (server.refuse = { data: (raw) => (numberIn(raw) % 4 === 0 ? 550 : undefined) }),
    end: async () => undefined,
    refused: (number) => number % 4 === 0,
  },
  noNames: {
    fault: 'DNS gone',
    happened: 'the name of the inner server was not found',
    begin: async (_house, control) => control.set({ noNames: true }),
    end: async (_house, control) => control.set({}),
  },
} satisfies Record<string, InnerFault>;

export async function innerTrouble(scale: Scale, trouble: InnerFault): Promise<Outcome> {
  await using house = await House.open();
  const control = new Control(house.folder.path);
  const url = house.server.url.replace('127.0.0.1', 'localhost');
  await house.start('all', { ...control.env(house.dataDir('all')), MUGAI_INNER_SMTP_URL: url });
  let over = false;
  let since = 0;
  const acting = (async () => {
    await sleep(500);
    await trouble.begin(house, control);
    await sleep(Math.max(4, scale.pauseSeconds / 4) * 1000);
    await trouble.end(house, control);
    since = performance.now();
    over = true;
  })();
  const body = (number: number): string => (number % 3 === 0 ? mixed(number) : numbered(number));
  const [accepted] = await Promise.all([
    sendAll({ port: () => house.port, mails: scale.mails / 4, lanes: 4, body, enough: () => over, pauseMs: 100 }),
    acting,
  ]);
  const { refused } = trouble;
  const wanted = new Set([...accepted].filter((number) => refused?.(number) !== true));
  await house.settle(wanted, 120_000);
  const outcome = house.outcome(trouble.fault, trouble.happened, wanted, since);
  if (refused === undefined) return outcome;
  // The refused ones must have their record; one may have been delivered before the trouble began.
  const told = house.ends().filter((stage) => stage === 'rejected').length;
  const arrived = house.server.taken.filter((mail) => refused(numberIn(mail.raw))).length;
  const missing = Math.max(0, accepted.size - wanted.size - told - arrived);
  return {
    ...outcome,
    accepted: accepted.size,
    lost: outcome.lost + missing,
    happened: `${outcome.happened}; ${told} rejected`,
  };
}
