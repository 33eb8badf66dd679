// An invitation (iCalendar, RFC 5545) as text: what, when, where, who, how often. Nothing of it is acted on.
import ICAL from 'ical.js';
import { repetitionOf } from './calendar-rule.ts';

/** Characters of a calendar that are read: an invitation has some thousand, whole calendars are files. */
const SOURCE_MAX = 512 * 1024;
const EVENTS_MAX = 50;
const PEOPLE_MAX = 50;

const METHODS: Readonly<Record<string, string>> = {
  REQUEST: '出席の依頼',
  CANCEL: '中止の知らせ',
  REPLY: '出欠の返事',
  COUNTER: '日時変更の提案',
  ADD: '追加',
  REFRESH: '最新情報の依頼',
  DECLINECOUNTER: '日時変更の提案への断り',
};

/** What an attendee answered (RFC 5545 §3.2.12). */
const ANSWERS: Readonly<Record<string, string>> = {
  ACCEPTED: '出席',
  DECLINED: '欠席',
  TENTATIVE: '仮の出席',
  DELEGATED: '代理を依頼',
};
/** Further dates that are listed. */
const DATES_MAX = 20;

/** The text of a calendar; undefined for what ical.js cannot read. Never throws. */
export function calendarText(source: string): string | undefined {
  try {
    return toldOf(new ICAL.Component(ICAL.parse(source.slice(0, SOURCE_MAX)) as unknown[]));
  } catch {
    return undefined; // shown as the lines it is made of: dates and rules are read when they are asked for
  }
}

function toldOf(whole: ICAL.Component): string | undefined {
  const items = [...whole.getAllSubcomponents('vevent'), ...whole.getAllSubcomponents('vtodo')];
  const method = METHODS[textOf(whole, 'method').toUpperCase()];
  const texts = items.slice(0, EVENTS_MAX).map((item) => itemText(item, method));
  if (items.length > texts.length) texts.push(`（ほかに ${items.length - texts.length} 件）`);
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function itemText(item: ICAL.Component, method: string | undefined): string {
  const title = textOf(item, 'summary') || '（件名なし）';
  const lines = [`【${item.name === 'vtodo' ? 'タスク' : '予定'}】${title}`];
  const add = (label: string, text: string): void => void (text === '' ? 0 : lines.push(`${label}: ${text}`));
  add('種類', method ?? '');
  if (textOf(item, 'status').toUpperCase() === 'CANCELLED') add('状態', '中止');
  add('変わる回', timeOf(item, 'recurrence-id'));
  add('日時', periodOf(item));
  add('期限', timeOf(item, 'due'));
  add('繰り返し', repetition(item));
  add('追加の日時', furtherDates(item));
  add('場所', textOf(item, 'location'));
  add('URL', [textOf(item, 'url'), textOf(item, 'conference')].filter((url) => url !== '').join(' '));
  add('主催者', people(item, 'organizer'));
  add('出席者', people(item, 'attendee'));
  add('コメント', textOf(item, 'comment'));
  add('添付', attachments(item));
  const description = textOf(item, 'description');
  return description === '' ? lines.join('\n') : `${lines.join('\n')}\n\n${description.trim()}`;
}

function textOf(item: ICAL.Component, name: string): string {
  const value: unknown = item.getFirstPropertyValue(name);
  return typeof value === 'string' ? value : '';
}

function repetition(item: ICAL.Component): string {
  const rule: unknown = item.getFirstPropertyValue('rrule');
  const words = rule instanceof ICAL.Recur ? repetitionOf(rule, (until) => dateWords(inJapan(until), false)) : '';
  const except = item.getAllProperties('exdate').reduce((sum, property) => sum + property.getValues().length, 0);
  return except > 0 && words !== '' ? `${words}（${except}回の例外あり）` : words;
}

function periodOf(item: ICAL.Component): string {
  const start: unknown = item.getFirstPropertyValue('dtstart');
  if (!(start instanceof ICAL.Time)) return '';
  const end = endOf(item, start);
  const zone = zoneOf(item, start);
  if (start.isDate) {
    const last = end?.clone();
    last?.adjust(-1, 0, 0, 0); // the end of whole days is the day after the last
    return last === undefined || last.compare(start) <= 0
      ? `${dateWords(start)} 終日`
      : `${dateWords(start)} ～ ${dateWords(last)} 終日`;
  }
  if (end === undefined) return momentOf(start, zone);
  const [from, to] = [inJapan(start), inJapan(end)];
  const endZone = item.getFirstProperty('dtend') === null ? zone : zoneOf(item, end, 'dtend');
  if (endZone !== zone) return `${momentOf(start, zone)} ～ ${momentOf(end, endZone)}`;
  const until = dateWords(from) === dateWords(to) ? clock(to) : `${dateWords(to)} ${clock(to)}`;
  return `${dateWords(from)} ${clock(from)} ～ ${until}${zone}`;
}

function momentOf(time: ICAL.Time, zone: string): string {
  const local = inJapan(time);
  return time.isDate ? dateWords(time) : `${dateWords(local)} ${clock(local)}${zone}`;
}

/** RDATE: days beside those of the rule. */
function furtherDates(item: ICAL.Component): string {
  const times = item.getAllProperties('rdate').flatMap((property) =>
    property.getValues().flatMap((value: unknown) => {
      const time = value instanceof ICAL.Period ? value.start : value;
      return time instanceof ICAL.Time ? [momentOf(time, zoneOf(item, time, 'rdate'))] : [];
    }),
  );
  const listed = times.slice(0, DATES_MAX).join('、');
  return times.length > DATES_MAX ? `${listed}、ほか${times.length - DATES_MAX}回` : listed;
}

/** ATTACH: files are named and not delivered, addresses shown. */
function attachments(item: ICAL.Component): string {
  const all = item.getAllProperties('attach').map((property) => {
    const value: unknown = property.getFirstValue();
    const named: unknown = property.getFirstParameter('x-filename') || property.getFirstParameter('filename');
    const name = typeof named === 'string' ? named : '';
    if (typeof value === 'string' && property.type !== 'binary') return `${name} ${value.slice(0, 500)}`.trim();
    return `${name}（予定の中のファイル、お届けできません）`;
  });
  return all.slice(0, PEOPLE_MAX).join(', ') + (all.length > PEOPLE_MAX ? `, ほか ${all.length - PEOPLE_MAX} 件` : '');
}

function endOf(item: ICAL.Component, start: ICAL.Time): ICAL.Time | undefined {
  const end: unknown = item.getFirstPropertyValue('dtend');
  if (end instanceof ICAL.Time) return end;
  const duration: unknown = item.getFirstPropertyValue('duration');
  if (!(duration instanceof ICAL.Duration)) return undefined;
  const after = start.clone();
  after.addDuration(duration);
  return after;
}

function timeOf(item: ICAL.Component, name: string): string {
  const time: unknown = item.getFirstPropertyValue(name);
  return time instanceof ICAL.Time ? momentOf(time, zoneOf(item, time, name)) : '';
}

/** UTC is shown as Japanese time; other zones as they are, with their name. */
function inJapan(time: ICAL.Time): ICAL.Time {
  if (time.zone?.tzid !== 'UTC') return time;
  const local = time.clone();
  local.adjust(0, 9, 0, 0);
  return local;
}

function zoneOf(item: ICAL.Component, time: ICAL.Time, name = 'dtstart'): string {
  if (time.isDate) return '';
  if (time.zone?.tzid === 'UTC') return ' (日本時間)';
  const zone: unknown = item.getFirstProperty(name)?.getFirstParameter('tzid');
  return typeof zone === 'string' && zone !== '' ? ` (${zone})` : '';
}

function dateWords(time: ICAL.Time, withDay = true): string {
  const date = `${time.year}年${time.month}月${time.day}日`;
  if (!withDay) return date;
  const day = '日月火水木金土'.charAt(new Date(Date.UTC(time.year, time.month - 1, time.day)).getUTCDay());
  return `${date}(${day})`;
}

function clock(time: ICAL.Time): string {
  return `${String(time.hour).padStart(2, '0')}:${String(time.minute).padStart(2, '0')}`;
}

function people(item: ICAL.Component, name: string): string {
  const all = item.getAllProperties(name);
  const shown = all.slice(0, PEOPLE_MAX).map((property) => {
    const value: unknown = property.getFirstValue();
    const address = typeof value === 'string' ? value.replace(/^mailto:/i, '') : '';
    const called: unknown = property.getFirstParameter('cn');
    const person = typeof called === 'string' ? called.replace(/^"|"$/g, '') : '';
    const answer: unknown = property.getFirstParameter('partstat');
    const answered = ANSWERS[typeof answer === 'string' ? answer.toUpperCase() : ''];
    const named = person === '' || person === address ? address : `${person} <${address}>`;
    return answered === undefined ? named : `${named}（${answered}）`;
  });
  if (all.length > shown.length) shown.push(`ほか ${all.length - shown.length} 名`);
  return shown.join(', ');
}
