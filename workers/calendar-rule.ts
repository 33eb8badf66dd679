// How often an event repeats (RRULE, RFC 5545 §3.3.10), in Japanese words.
import type ICAL from 'ical.js';

const DAYS: Readonly<Record<string, string>> = { MO: '月', TU: '火', WE: '水', TH: '木', FR: '金', SA: '土', SU: '日' };
const EVERY: Readonly<Record<string, readonly [string, string]>> = {
  DAILY: ['毎日', '日ごと'],
  WEEKLY: ['毎週', '週間ごと'],
  MONTHLY: ['毎月', 'か月ごと'],
  YEARLY: ['毎年', '年ごと'],
  HOURLY: ['毎時', '時間ごと'],
  MINUTELY: ['毎分', '分ごと'],
  SECONDLY: ['毎秒', '秒ごと'],
};
const LISTED = 31;
/** What is told in words. A rule with anything else is shown as it is written, too: without it the words would say another thing. */
const WORDED = new Set(['BYMONTH', 'BYMONTHDAY', 'BYDAY', 'BYSETPOS', 'BYHOUR', 'BYMINUTE']);

type Parts = Readonly<Record<string, readonly (string | number)[]>>;

/** The rule in words: `毎週火曜日、10回`. `lastDay` words the day of its end. */
export function repetitionOf(rule: ICAL.Recur, lastDay: (until: ICAL.Time) => string): string {
  const [once, several] = EVERY[rule.freq] ?? [rule.freq, rule.freq];
  const every = rule.interval > 1 ? `${rule.interval}${several}` : once;
  const { parts } = rule as unknown as { readonly parts: Parts };
  const months = list(parts['BYMONTH'], (month) => `${month}月`);
  const monthDays = list(parts['BYMONTHDAY'], (day) =>
    Number(day) < 0 ? (Number(day) === -1 ? '末日' : `末日から${-Number(day)}日目`) : `${day}日`,
  );
  const days = chosen(list(parts['BYDAY'], dayWords), list(parts['BYSETPOS'], placeWords));
  const when = months + monthDays + days + clockWords(parts);
  const odd = Object.keys(parts).some((name) => !WORDED.has(name)) ? `（${String(rule).slice(0, 300)}）` : '';
  const whole = `${every}${rule.interval > 1 && when !== '' ? 'の' : ''}${when}${odd}`;
  if (rule.count !== null && rule.count > 0) return `${whole}、${rule.count}回`;
  const { until } = rule;
  return until === null ? whole : `${whole}、${lastDay(until)}まで`;
}

function list(values: readonly (string | number)[] | undefined, words: (value: string | number) => string): string {
  return (values ?? []).slice(0, LISTED).map(words).join('・');
}

/** `TU` is every Tuesday, `2TU` the second, `-1FR` the last Friday. */
function dayWords(value: string | number): string {
  const match = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(String(value));
  if (match === null) return '';
  const nth = Number(match[1] ?? 0);
  const day = `${DAYS[match[2] ?? ''] ?? ''}曜日`;
  return nth === 0 ? day : nth > 0 ? `第${nth}${day}` : nth === -1 ? `最終${day}` : `最後から${-nth}番目の${day}`;
}

/** BYSETPOS: which of the days that the rest names, as Outlook writes "the last weekday of the month". */
function chosen(days: string, places: string): string {
  return places === '' ? days : days === '' ? `の${places}` : `（${days}）のうち${places}`;
}

function placeWords(value: string | number): string {
  const nth = Number(value);
  return nth > 0 ? `${nth}番目` : nth === -1 ? '最後' : `最後から${-nth}番目`;
}

/** The hours of the day, where the rule names them. */
function clockWords(parts: Parts): string {
  const [hours, minutes] = [parts['BYHOUR'], parts['BYMINUTE']];
  if (hours === undefined) return list(minutes, (minute) => `${minute}分`);
  const past = (minutes ?? []).length === 0 ? [''] : (minutes ?? []).map((minute) => `${minute}分`);
  return list(
    hours.flatMap((hour) => past.map((minute) => `${hour}時${minute}`)),
    String,
  );
}
