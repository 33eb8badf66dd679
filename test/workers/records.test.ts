// Calendars and cards in words: times, zones, rules, the cards of phones; what cannot be read stays the text it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarText } from '../../workers/calendar-text.ts';
import { cardText } from '../../workers/card-text.ts';
import { sjis } from '../support/japanese.ts';

const event = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'SUMMARY:会', ...lines, 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n');
const told = (...lines: string[]): string[] =>
  calendarText(event(...lines))
    ?.split('\n')
    .slice(1) ?? [];

void test('times: UTC is shown as Japanese time, whole days without a clock, a length as an end', () => {
  assert.deepEqual(told('DTSTART:20260601T010000Z', 'DTEND:20260601T160000Z'), [
    '日時: 2026年6月1日(月) 10:00 ～ 2026年6月2日(火) 01:00 (日本時間)',
  ]);
  assert.deepEqual(told('DTSTART;VALUE=DATE:20260601', 'DTEND;VALUE=DATE:20260602'), ['日時: 2026年6月1日(月) 終日']);
  assert.deepEqual(told('DTSTART;VALUE=DATE:20260601', 'DTEND;VALUE=DATE:20260604'), [
    '日時: 2026年6月1日(月) ～ 2026年6月3日(水) 終日',
  ]);
  assert.deepEqual(told('DTSTART:20260601T100000', 'DURATION:PT1H30M'), ['日時: 2026年6月1日(月) 10:00 ～ 11:30']);
});

void test('rules of repetition in words', () => {
  const rule = (text: string): string | undefined => told('DTSTART:20260601T100000', `RRULE:${text}`)[1];
  assert.equal(rule('FREQ=DAILY'), '繰り返し: 毎日');
  assert.equal(
    rule('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261231T000000Z'),
    '繰り返し: 2週間ごとの月曜日・水曜日、2026年12月31日まで',
  );
  assert.equal(rule('FREQ=MONTHLY;BYDAY=2TU'), '繰り返し: 毎月第2火曜日');
  assert.equal(rule('FREQ=MONTHLY;BYDAY=-1FR;COUNT=3'), '繰り返し: 毎月最終金曜日、3回');
  assert.equal(rule('FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1'), '繰り返し: 毎年4月1日');
});

void test('a calendar that is none, or a hostile one, is no calendar text, and soon', () => {
  assert.equal(calendarText('BEGIN:VCALENDAR'), undefined);
  assert.equal(calendarText('x'), undefined);
  const started = process.cpuUsage();
  calendarText(
    event(
      'DTSTART:20260601T100000',
      'RRULE:FREQ=SECONDLY;COUNT=99999999',
      ...Array.from({ length: 20_000 }, () => 'ATTENDEE:mailto:a@b.c'),
    ),
  );
  calendarText('BEGIN:VCALENDAR\r\n'.repeat(20_000));
  assert.ok(process.cpuUsage(started).user < 5_000_000);
});

void test('cards: of today, and of phones in quoted-printable Shift_JIS', () => {
  const quoted = [...sjis('佐藤')].map((byte) => `=${byte.toString(16).toUpperCase()}`).join('');
  assert.equal(
    cardText(
      `BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:${quoted};;;\r\nTEL;CELL:090-0000-0000\r\nEND:VCARD\r\n`,
    ),
    '【連絡先】佐藤\n電話: 090-0000-0000',
  );
  assert.equal(
    cardText('BEGIN:VCARD\nFN:A\nNOTE:one\n  two\\, three\nitem1.EMAIL;type=HOME:a@b.c\nEND:VCARD'),
    '【連絡先】A\nメール: a@b.c\n備考: one two, three',
  );
  assert.equal(cardText('no card'), undefined);
});
