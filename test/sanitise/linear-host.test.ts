// What the host itself does with the text of a mail costs linear time: it has one thread, which is that of the doors, too.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { saysTheSame } from '../../src/sanitise/mail-body.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';

const HEAD = 'From: a@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n';
/** CPU milliseconds of this process; the square of a run of this length took a quarter of an hour. */
const MOST_MS = 5000;
const RUN = 400_000;

function cpuMs(since = process.cpuUsage()): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

describe('a mail of', () => {
  let sanitiser: Sanitiser;
  before(async () => {
    sanitiser = await openSanitiser({}, 1);
  });
  after(async () => sanitiser[Symbol.asyncDispose]());

  for (const [name, run] of [
    ['blanks', ' '],
    ['tabs', '\t'],
    ['empty lines', '\r\n'],
    ['full-width blanks', '\u3000'],
    ['blanks that do not break', '\u00a0'],
  ] as const) {
    it(`${RUN} ${name} and a word behind them costs the host no more than its length`, async () => {
      const began = process.cpuUsage();
      const { text } = await sanitiser.mail(`${HEAD}first${run.repeat(RUN)}last`);
      assert.ok(cpuMs(began) < MOST_MS, `${cpuMs(began)} ms`);
      assert.match(text, /last/);
    });
  }
});

it('two forms of a text are compared in linear time, whatever brackets they hold', () => {
  for (const text of [
    `<${'@'.repeat(39_990)}`,
    '<@'.repeat(20_000),
    '[画像'.repeat(13_000),
    'abcdefghij'.repeat(4000),
  ]) {
    const began = process.cpuUsage();
    saysTheSame(text, 'what the other form says, which is long enough to be compared');
    assert.ok(cpuMs(began) < 300, `${text.slice(0, 8)}: ${cpuMs(began)} ms`);
  }
});
