// Calendars and cards in words: times, zones, rules, the cards of phones; what cannot be read stays the text it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calendarText } from '../../workers/calendar-text.ts';
import { cardText } from '../../workers/card-text.ts';
import { textOfLeaf } from '../../workers/leaf-text.ts';
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

void test('rules with a choice of days, with hours, with what has no words', () => {
  const rule = (text: string): string | undefined => told('DTSTART:20260601T100000', `RRULE:${text}`)[1];
  assert.equal(
    rule('FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'),
    '繰り返し: 毎月（月曜日・火曜日・水曜日・木曜日・金曜日）のうち最後',
  );
  assert.equal(rule('FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2'), '繰り返し: 毎月（月曜日）のうち2番目');
  assert.equal(rule('FREQ=DAILY;BYHOUR=9,13;BYMINUTE=30'), '繰り返し: 毎日9時30分・13時30分');
  assert.equal(rule('FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO'), '繰り返し: 毎年月曜日（FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO）');
  assert.equal(rule('FREQ=DAILY;UNTIL=20260630T150000Z'), '繰り返し: 毎日、2026年7月1日まで');
});

void test('exceptions, further dates, the one time that changes, two zones', () => {
  const start = 'DTSTART;TZID=Asia/Tokyo:20260601T100000';
  const shown = '日時: 2026年6月1日(月) 10:00 (Asia/Tokyo)';
  assert.deepEqual(told(start, 'RRULE:FREQ=WEEKLY', 'EXDATE;TZID=Asia/Tokyo:20260608T100000,20260615T100000'), [
    shown,
    '繰り返し: 毎週（2回の例外あり）',
  ]);
  assert.deepEqual(told(start, 'RDATE;TZID=Asia/Tokyo:20260603T090000', 'RDATE;VALUE=PERIOD:20260604T010000Z/PT1H'), [
    shown,
    '追加の日時: 2026年6月3日(水) 09:00 (Asia/Tokyo)、2026年6月4日(木) 10:00 (日本時間)',
  ]);
  assert.deepEqual(told(start, 'RECURRENCE-ID;TZID=Asia/Tokyo:20260608T100000'), [
    '変わる回: 2026年6月8日(月) 10:00 (Asia/Tokyo)',
    shown,
  ]);
  assert.deepEqual(told(start, 'DTEND;TZID=America/New_York:20260601T110000'), [
    '日時: 2026年6月1日(月) 10:00 (Asia/Tokyo) ～ 2026年6月1日(月) 11:00 (America/New_York)',
  ]);
});

void test('answers, comments, addresses and files of an invitation', () => {
  assert.deepEqual(
    told(
      'DTSTART:20260601T100000',
      'ATTENDEE;CN=山田;PARTSTAT=DECLINED:mailto:y@x.example',
      'COMMENT:所用のため',
      'URL:https://meet.example/1',
      'ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.pdf:AAAA',
      'ATTACH:https://x.example/a',
    ),
    [
      '日時: 2026年6月1日(月) 10:00',
      'URL: https://meet.example/1',
      '出席者: 山田 <y@x.example>（欠席）',
      'コメント: 所用のため',
      '添付: a.pdf（予定の中のファイル、お届けできません）, https://x.example/a',
    ],
  );
});

void test('a date that is none: the lines are shown', () => {
  assert.equal(calendarText(event('DTSTART;TZID=Asia/Tokyo:2026-06-01')), undefined);
});

void test('lines that were folded inside a letter', () => {
  const whole = Buffer.from(event('DTSTART:20260601T100000', 'LOCATION:第二会議室'));
  const at = whole.indexOf('議') + 1;
  const folded = Buffer.concat([whole.subarray(0, at), Buffer.from('\r\n '), whole.subarray(at)]);
  const form = { html: false, charset: 'utf-8', flowed: false, delSp: false, cut: false, rough: false } as const;
  const read = textOfLeaf(folded, { ...form, record: 'calendar' });
  assert.deepEqual(read.losses, []);
  assert.match(read.text, /場所: 第二会議室/);
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
  assert.equal(
    cardText(
      [
        'BEGIN:VCARD',
        'N:山田;太郎;;;',
        'FN;ENCODING=b;CHARSET=utf-8:5bGx55Sw',
        'X-PHONETIC-LAST-NAME:ヤマダ',
        'TEL;TYPE=WORK,FAX:03-1',
        'TEL;TYPE="cell":090-1',
        'ROLE:係長',
        'PHOTO;ENCODING=b:AAAA',
        'X-ORG-CODE:1',
        'END:VCARD',
      ].join('\r\n'),
    ),
    '【連絡先】山田\nふりがな: ヤマダ\n職務: 係長\n電話: 090-1\nFAX: 03-1\n（ほかの項目: PHOTO, X-ORG-CODE）',
  );
});
