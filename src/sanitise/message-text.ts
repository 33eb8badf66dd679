// message.txt: a few headers, a blank line, the body as plain text, and the account of parts.
import type { Headers } from '../message/stages.ts';
import { forLine, forText } from '../message/untrusted.ts';

/** The text of a mail. `account` ends it; a body that is blank is left out. */
export function composeMessageText(headers: Headers, body: string, account: string): string {
  const head = (
    [
      ['From', headers.from],
      ['To', headers.to],
      ['Cc', headers.cc],
      ['Subject', headers.subject],
      ['Date', headers.date],
    ] as const
  )
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${forLine(value, 4096)}\n`)
    .join('');
  const text = forText(body).trimEnd(); // /\s+$/ takes the square of a run of blanks inside the text
  return `${head}\n${text === '' ? '' : `${text}\n\n`}${account}`;
}
