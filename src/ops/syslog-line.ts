// A log line as syslog: RFC 5424 with structured data, or CEF (ArcSight Common Event Format 0) as its message, which is what
// the collectors of the prefectures' security clouds (自治体情報セキュリティクラウド) read.
import { hostname } from 'node:os';

/** What a line of the log holds beside its own facts. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly role: string;
  readonly pid: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

export type SyslogFormat = 'rfc5424' | 'cef';

/** Facility local0, which no other program of a mail gateway's machine uses by default; "log audit" for what proves the journals. */
const FACILITY = 16;
const AUDIT_FACILITY = 13;
/** RFC 5424 §6.2.1 by pino's words. */
const SEVERITY: { readonly [level: string]: number } = { debug: 7, info: 6, warn: 4, error: 3, fatal: 2 };
/** CEF counts from 0 to 10. */
const CEF_SEVERITY: { readonly [level: string]: number } = { debug: 0, info: 2, warn: 5, error: 8, fatal: 10 };
/** RFC 5612: the number set aside for those who have none of their own. */
const SD_ID = 'mugai@32473';
const OWN = new Set(['level', 'time', 'role', 'pid', 'msg']);
const VALUE_MOST = 1000;

const HOST = printable(hostname(), 255);

/** One line, without framing. Nothing in it can begin another: line ends and control characters are gone. */
export function syslogLine(line: LogLine, format: SyslogFormat, version: string): string {
  const alarm = typeof line['alarm'] === 'string' ? line['alarm'] : undefined;
  const severity = SEVERITY[line.level] ?? 6;
  const id = printable(alarm === undefined ? line.msg.replace(/\s+/g, '-') : `ALARM-${alarm}`, 32);
  const facility = line.msg === 'journal head' ? AUDIT_FACILITY : FACILITY;
  const head = `<${facility * 8 + severity}>1 ${line.time} ${HOST} mugai-${printable(line.role, 40)} ${line.pid} ${id}`;
  const facts = Object.entries(line).filter(([name, value]) => !OWN.has(name) && value !== undefined && value !== null);
  if (format === 'cef') return `${head} - ${cef(line, alarm, facts, version)}`;
  const data = facts.map(([name, value]) => ` ${printable(name, 32)}="${quoted(textOf(value))}"`).join('');
  return `${head} ${data === '' ? '-' : `[${SD_ID}${data}]`} ${oneLine(line.msg)}`;
}

function cef(
  line: LogLine,
  alarm: string | undefined,
  facts: readonly (readonly [string, unknown])[],
  version: string,
): string {
  const of = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);
  const severity = of(line['severity'], CEF_SEVERITY[line.level] ?? 2);
  const head = [
    'CEF:0',
    'Mugai',
    'Mugai',
    version,
    alarm ?? line.msg,
    alarm === undefined ? line.msg : `alarm ${alarm}`,
  ];
  const parts = [`rt=${Date.parse(line.time)}`, `dvchost=${extension(HOST)}`, `dvcpid=${line.pid}`];
  const rest: string[] = [];
  for (const [name, value] of facts) {
    const text = textOf(value);
    if (name === 'severity' || name === 'alarm') continue;
    else if (name === 'id') parts.push(`externalId=${extension(text)}`);
    else if (name === 'subject' && /^[0-9a-fA-F.:]+$/.test(text) && /[.:]/.test(text)) parts.push(`src=${text}`);
    else if (name === 'count') parts.push(`cnt=${extension(text)}`);
    else if (name === 'outcome') parts.push(`outcome=${extension(text)}`);
    else if (name === 'detail' || name === 'error' || name === 'reason') parts.push(`reason=${extension(text)}`);
    else rest.push(`${name}: ${text}`);
  }
  if (rest.length > 0) parts.push(`msg=${extension(rest.join('; ').slice(0, VALUE_MOST))}`);
  return `${head.map((field, at) => (at === 0 ? field : headField(field))).join('|')}|${severity}|${parts.join(' ')}`;
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, VALUE_MOST).toWellFormed();
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

/** RFC 5424 §6.3.3: `"`, `\` and `]` are escaped. */
function quoted(text: string): string {
  return oneLine(text).replace(/["\\\]]/g, (letter) => `\\${letter}`);
}

function headField(text: string): string {
  return oneLine(text).replace(/[\\|]/g, (letter) => `\\${letter}`);
}

function extension(text: string): string {
  return oneLine(text).replace(/[\\=]/g, (letter) => `\\${letter}`);
}

/** PRINTUSASCII of RFC 5424 without what would end a name. */
function printable(text: string, most: number): string {
  return text.replace(/[^\x21-\x7e]|[="\]]/g, '').slice(0, most) || '-';
}
