// A mail that kills its worker, a document of 900 pages beside small mails, and a machine without memory.
import { connect } from 'node:net';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePdf, stream } from '../support/make-pdf.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/scratch.ts';
import { Control } from './control.ts';
import { House, type RoleName } from './house.ts';
import type { Outcome, Scale } from './outcome.ts';
import { numberIn, numbered, sendAll, sendOne, withFile } from './traffic.ts';

const POISON = 999_999;
const POISON_BYTES: readonly [number, number] = [700_000, 710_000];
/** The other mails are smaller than what is kept in a file of its own. */
const poison = (): string => `${numbered(POISON)}${`${'毒'.repeat(25)}\r\n`.repeat(705_000 / 77)}`;

/** A mail that takes its process along each time it is opened: held after some times, and the others flow. */
export async function poisonMail(scale: Scale, queue: 'redis' | 'none'): Promise<Outcome> {
  await using redis = queue === 'redis' ? await startRedis() : undefined;
  await using house = await House.open(redis === undefined ? {} : { MUGAI_QUEUE_URL: redis.url });
  const control = new Control(house.folder.path);
  await control.set({ poisonBytes: POISON_BYTES });
  const role: RoleName = redis === undefined ? 'all' : 'worker';
  const env = control.env(house.dataDir(role));
  await house.start(role, env);
  if (redis !== undefined) for (const other of ['ingress', 'inner'] as const) await house.start(other);
  const keeping = house.keep(role, env);
  await sendOne(house.port, poison());
  const accepted = await sendAll({ port: () => house.port, mails: scale.mails / 20 + 20, lanes: 4, body: numbered });
  const since = performance.now();
  // What is held unseen has no subject: nobody has looked into it.
  const note = (): boolean => house.server.taken.some(({ raw }) => /^X-Mugai-State: held/m.test(raw));
  await until(note, 600_000, 'a note that the mail is held').catch(() => undefined);
  await house.settle(accepted, 60_000);
  const deaths = await keeping();
  const held = note();
  const what = `a mail that kills its worker each time, ${queue === 'redis' ? 'Redis' : 'one process'}`;
  const happened = `${deaths} deaths; then it was ${held ? 'held, with a note to its reader' : 'NOT held'}; the others flowed`;
  const outcome = house.outcome(what, happened, accepted, since);
  return held && deaths > 0 ? outcome : { ...outcome, lost: outcome.lost + 1 };
}

const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN;

/** A document of so many pages, full of text. */
function longPdf(pages: number): Buffer {
  const content = Array.from(
    { length: 50 },
    (_, line) =>
      `1 0 0 1 50 ${800 - 15 * line} Tm (A line of text, ${line}: the quick brown fox jumps over the lazy dog.) Tj`,
  );
  const kids = Array.from({ length: pages }, (_, page) => `${page + 5} 0 R`);
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids.join(' ')}] /MediaBox [0 0 595 842] /Resources <</Font <</F 3 0 R>>>>>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    stream('', `BT /F 10 Tf ${content.join(' ')} ET`),
    ...kids.map(() => '<</Type /Page /Parent 2 0 R /Contents 4 0 R>>'),
  ]);
}

const LONG = 1_000_000;
/** Pairs of stretches, one without and one with the document, so that whatever else the machine does meets both alike. */
const ROUNDS = 5;
/** Milliseconds between two small mails. */
const PACE_MS = 40;

/** Sends small mails at an even pace and waits for them: milliseconds of each from its 250 to its delivery. */
async function paced(house: House, accepted: Set<number>, first: number, mails: number): Promise<number[]> {
  const acceptedAt = new Map<number, number>();
  const one = async (number: number): Promise<void> => {
    if (!(await sendOne(house.port, numbered(number)))) return;
    acceptedAt.set(number, performance.now());
    accepted.add(number);
  };
  const sending: Promise<void>[] = [];
  for (let number = first; number < first + mails; number++) {
    sending.push(one(number));
    await sleep(PACE_MS);
  }
  await Promise.all(sending);
  await house.settle(new Set(acceptedAt.keys()), 120_000);
  return house.server.taken.flatMap(({ raw, at }) => {
    const from = acceptedAt.get(numberIn(raw));
    return from === undefined ? [] : [at - from];
  });
}

/** Small mails at an even pace, in turn alone and beside a document of 900 pages: the slowest hundredth, from 250 to delivered. */
export async function fairShare(scale: Scale): Promise<Outcome> {
  await using house = await House.open();
  await house.start('all');
  const mails = Math.max(20, scale.mails / 2 / ROUNDS);
  const document = longPdf(scale.mails >= 1000 ? 900 : 200);
  const accepted = await sendAll({ port: () => house.port, mails: 50, lanes: 2, body: numbered }); // warm
  await house.settle(accepted, 60_000);
  const took = { alone: [] as number[], beside: [] as number[] };
  const busy: boolean[] = [];
  const loads: number[] = [];
  const stretch = async (round: number, kind: 'alone' | 'beside'): Promise<void> => {
    const long = LONG + round;
    const arrived = (): boolean => house.server.taken.some(({ raw }) => numberIn(raw) === long);
    if (kind === 'beside') {
      accepted.add(long);
      if (!(await sendOne(house.port, withFile(long, 'long.pdf', document))))
        throw new Error('the document was refused');
      await sleep(1000); // its pages are being drawn
    }
    const first = (kind === 'alone' ? 100_000 : 200_000) + round * 10_000;
    took[kind].push(...(await paced(house, accepted, first, mails)));
    if (kind === 'alone') return void loads.push(loadavg()[0] ?? 0); // of what else the machine does
    busy.push(!arrived());
    await house.settle(new Set([long]), 600_000);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const kinds = ['alone', 'beside'] as const;
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) await stretch(round, kind);
  }
  const since = performance.now();
  const [before, after] = [percentile(took.alone, 0.99), percentile(took.beside, 0.99)];
  const ratio = after / before;
  const outcome = house.outcome(
    `${scale.mails >= 1000 ? 900 : 200}-page PDF beside ${ROUNDS * mails} small mails`,
    `${ROUNDS} times in turn without and with it, on a machine whose load without it was ${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}; p99 of the small ones from 250 to delivered: ${before.toFixed(0)} ms alone, ${after.toFixed(0)} ms beside it (${ratio.toFixed(2)} times); p50 ${percentile(took.alone, 0.5).toFixed(0)} and ${percentile(took.beside, 0.5).toFixed(0)} ms`,
    accepted,
    since,
  );
  // A document that was done before the small ones were took nothing of their time: no figure.
  return { ...outcome, lost: outcome.lost + busy.filter((one) => !one).length, ratio };
}

/** The first answer to MAIL FROM at a door. */
async function answerToMail(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  let step = 0;
  let last = '';
  try {
    for await (const chunk of socket) {
      for (const line of String(chunk)
        .split('\r\n')
        .filter((text) => /^\d{3} /.test(text))) {
        last = line;
        step += 1;
        if (step === 1) socket.write('EHLO test\r\n');
        if (step === 2) socket.write('MAIL FROM:<a@example.com>\r\n');
        if (step === 3) return last;
      }
    }
  } finally {
    socket.destroy();
  }
  return last;
}

/** The system has no memory left to promise anything with: the doors say later, what was accepted goes on. */
export async function memoryPressure(scale: Scale): Promise<Outcome> {
  await using house = await House.open();
  const control = new Control(house.folder.path);
  const gateway = await house.start('all', control.env(house.dataDir('all')));
  house.server.refuse.data = () => 451; // what was accepted is still on the road when memory runs out
  const accepted = await sendAll({ port: () => house.port, mails: scale.mails / 20 + 10, lanes: 4 });
  await control.set({ availableMemory: 20_000_000 });
  await sleep(2500);
  const smtp = await answerToMail(gateway.smtpPort);
  const http = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body: 'x' });
  const retryAfter = http.headers.get('retry-after');
  const refused = !(await sendOne(house.port, numbered(1)));
  house.server.refuse = {};
  await house.settle(accepted, 60_000); // while the doors are closed
  const closed = smtp.startsWith('452') && http.status === 503 && retryAfter !== null && refused;
  await control.set({});
  await sleep(2500);
  const since = performance.now();
  const after = await sendAll({
    port: () => house.port,
    mails: 20,
    lanes: 4,
    body: (number) => numbered(number + 500_000),
  });
  for (const number of after) accepted.add(number + 500_000);
  await house.settle(accepted, 60_000);
  const happened = `the doors said "${smtp}" and ${http.status}, Retry-After ${retryAfter}; what was accepted was delivered meanwhile; then they opened again`;
  const outcome = house.outcome('memory runs short', happened, accepted, since);
  return closed ? outcome : { ...outcome, lost: outcome.lost + 1 };
}
