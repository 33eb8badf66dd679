// The time a child has to say that it is ready, by the host's clock; mail passes in another child meanwhile.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, mock, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MugaiError } from '../../src/message/errors.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { MailReader } from '../../src/sandbox/mail-reader.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { until } from '../support/scratch.ts';

const nothing = (): void => undefined;
const never = new AbortController().signal;
const DEAF = {
  onHeader: nothing,
  onPart: nothing,
  onBytes: nothing,
  onText: nothing,
  onPartEnd: nothing,
  onFinding: nothing,
  onLoss: nothing,
  onDetected: nothing,
};
/** Never says anything: it is held at its first line. */
const MUTE: Family = {
  ...FAMILIES.text,
  entry: fileURLToPath(new URL('./mute-worker.ts', import.meta.url)),
  readable: ['test/sandbox/mute-worker.ts'],
};

let mails: JailedChild;
before(async () => {
  await machineJail(); // its probe takes time of its own
  mails = await JailedChild.start(FAMILIES.mail, nothing);
});
after(async () => mails.stop());

/** An honest mail in the real family. */
async function mail(): Promise<void> {
  const reader = new MailReader(DEAF);
  const request = { operation: OPERATION.convert, dpi: 0, maxPages: 0, declaredType: '', name: '', password: '' };
  const bounds = { deadlineMs: 20_000, totalMs: 20_000, whole: () => reader.finish(), signal: never };
  const bytes = Buffer.from('From: a@example.com\r\nSubject: x\r\n\r\nhonest');
  assert.deepEqual(await mails.run(request, bytes, reader.take, bounds), { kind: 'done' });
}

/** How the start of a child ends when the host's clock goes on by so much, in two steps of which the second is a millisecond. */
async function startOf(family: Family, ms: number): Promise<string[]> {
  const seen: string[] = [];
  const kills: string[] = [];
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const started = JailedChild.start(family, (_family, cause) => kills.push(cause)).then(
      async (child) => {
        seen.push('ready');
        await child.stop();
      },
      (error: unknown) => {
        assert.ok(error instanceof MugaiError && error.code === 'no-child', String(error));
        seen.push(/did not start: did not start/.test(error.message) ? 'did not start' : error.message);
      },
    );
    // The timers are made in the tasks that follow.
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    await mail();
    mock.timers.tick(ms - 1);
    seen.push(`${kills.length} killed`);
    mock.timers.tick(1);
    seen.push(`${kills.length} killed`);
    await mail();
    if (family.entry === MUTE.entry && kills.length === 0) mock.timers.tick(family.startMs ?? LIMITS.startMs);
    await started;
    return seen;
  } finally {
    mock.timers.reset();
  }
}

test('limit officeStartMs: an engine may take longer, a millisecond more or a day ends it, and mail passes', async () => {
  const engine = { ...MUTE, startMs: LIMITS.officeStartMs };
  assert.deepEqual(await startOf(engine, LIMITS.officeStartMs), ['0 killed', '1 killed', 'did not start']);
  assert.deepEqual(await startOf(engine, LIMITS.officeStartMs - 1), ['0 killed', '0 killed', 'did not start']);
  assert.deepEqual((await startOf(engine, 24 * 3_600_000)).slice(1), ['1 killed', 'did not start']);
  for (const { startMs } of [FAMILIES.office, FAMILIES['office-wasm']]) assert.equal(startMs, LIMITS.officeStartMs);
});

test('limit startMs: a child may take so long to be ready, a millisecond more or a day ends it, and mail passes', async () => {
  assert.deepEqual(await startOf(MUTE, LIMITS.startMs), ['0 killed', '1 killed', 'did not start']);
  assert.deepEqual(await startOf(MUTE, LIMITS.startMs - 1), ['0 killed', '0 killed', 'did not start']);
  assert.deepEqual((await startOf(MUTE, 24 * 3_600_000)).slice(1), ['1 killed', 'did not start']);
  assert.ok((await startOf(FAMILIES.text, 1)).includes('ready'), 'one that is in time');
});

/** Processes of the worker that never says anything, bubblewrap's among them. */
function mutes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('/mute-worker.ts');
      } catch {
        return false; // it has ended
      }
    })
    .map(Number);
}

test('a child that is killed at any moment of its start leaves no process', async () => {
  await Promise.all(
    [1, 2, 3].map(async (lane) => {
      for (let ms = lane; ms < 60; ms += 3)
        await assert.rejects(JailedChild.start({ ...MUTE, startMs: ms }, nothing), /did not start/);
    }),
  );
  await until(() => mutes().length === 0, 60_000, 'all are gone');
});
