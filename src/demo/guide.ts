// What the demo says at its end: where the results lie, how to look at them, how to send something of one's own.
import { join, relative } from 'node:path';
import type { Config } from '../config.ts';
import { RECIPIENT } from './senders.ts';

export interface Ports {
  readonly smtp: number;
  readonly upload: number;
  readonly ops: number;
  readonly portal: { readonly port: number; readonly firstCode: string | undefined } | undefined;
}

/** A path as one would type it here: relative below this folder, absolute elsewhere. */
export function shortPath(path: string): string {
  const short = relative('.', path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}

/** Lines to print. `ended`: the gateway is about to stop, so nothing can be sent any more. */
export function guide(config: Config, ports: Ports, ended: boolean): string[] {
  const at = (...path: string[]): string => shortPath(join(config.dataDir, ...path));
  const results = [
    '',
    'Where the results lie',
    `  delivered mails   ${at('delivered')}/<id>.eml  (open one with any mail program)`,
    `  signed packages   ${at('outbox')}/<hour>/<id>/  (message.txt, files/, manifest.dsse.json)`,
    `  originals         ${at('spool')}/  (these never cross)`,
    '',
    'Check the packages again, offline, as the inner side does',
    `  npx mugai verify ${at('outbox')} --key ${shortPath(config.verifyKeyFile)}`,
  ];
  if (ended) return results;
  return [
    ...results,
    '',
    'Read the results as staff do, in a browser',
    `  http://127.0.0.1:${ports.portal?.port}/first  one-time code ${ports.portal?.firstCode}`,
    '',
    'Send a mail of your own (any one of these)',
    `  curl smtp://127.0.0.1:${ports.smtp} --mail-from you@example.com --mail-rcpt ${RECIPIENT} --upload-file mail.eml`,
    `  swaks --server 127.0.0.1:${ports.smtp} --from you@example.com --to ${RECIPIENT} --attach @report.pdf`,
    'Send a file of your own',
    `  curl -F to=${RECIPIENT} -F file=@report.pdf http://127.0.0.1:${ports.upload}/v1/files`,
    'Ask how the gateway is',
    `  curl http://127.0.0.1:${ports.ops}/readyz  (also /healthz, /metrics)`,
    '',
    'The gateway stays up until Ctrl-C. What you send appears below.',
    '',
  ];
}
