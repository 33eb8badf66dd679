// `npm run demo`: a whole gateway on embedded defaults, every sample through its doors, and where the results lie.
import { createServer } from 'node:net';
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { openLog } from '../ops/log.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { startGateway, type Gateway } from '../roles.ts';
import { VERSION } from '../version.ts';
import { guide, shortPath } from './guide.ts';
import { showStranger, travel, type Running, type Summary } from './journey.ts';
import { loadSamples } from './samples.ts';
import { RECIPIENT } from './senders.ts';
import { Table } from './table.ts';
import { Watch } from './watch.ts';

const HELP = `npm run demo [-- --once] [-- --data DIR] [-- --log LEVEL]

Starts the whole gateway on this machine, relays the mails and files of samples/ through its SMTP and
HTTP doors, shows what became of each part, and stays up for your own mails until Ctrl-C.

  --once   end after the samples; exit 0 only if every sample ended as expected, 1 otherwise
  --data   folder for everything the demo writes, new or empty (default: a new folder under var/)
  --log    level of the gateway's own log on stdout: debug, info, warn, error, silent (default: silent)

Example: npm run demo -- --once`;

/** Exit code after Ctrl-C in the middle of the samples, as a shell has it (128 + SIGINT). */
const INTERRUPTED = 130;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      data: { type: 'string' },
      log: { type: 'string', default: 'silent' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const samples = await loadSamples();
  const dataDir = await newFolder(values.data);
  const table = new Table(process.stdout);
  const watch = new Watch();
  const stop = stopAsked();
  const config = readConfig({
    MUGAI_DATA_DIR: dataDir,
    MUGAI_SMTP_LISTEN: await listen(2525, values.once),
    MUGAI_UPLOAD_LISTEN: await listen(8025, values.once),
    MUGAI_PORTAL_LISTEN: await listen(8080, values.once),
    MUGAI_OPS_LISTEN: await listen(9464, values.once),
    MUGAI_LOG_LEVEL: values.log,
  });
  table.line(`Mugai ${VERSION}: starting the gateway on this machine, data under ${shortPath(dataDir)}`);
  const gateway = await startGateway('all', config, openLog(config.logLevel, 'demo'), {
    onEvent: watch.hear,
    firstAddress: RECIPIENT,
  });
  try {
    const { smtp, upload } = doorsOf(gateway);
    const { outbox, jail } = gateway;
    if (jail !== undefined) table.line(`Jail around the children: ${jail}`);
    if (outbox === undefined) throw new TypeError('a whole gateway has an outbox');
    const keys = await loadPublicKeys(config.verifyKeyFile);
    table.line(`SMTP door 127.0.0.1:${smtp}, HTTP door 127.0.0.1:${upload}; ${samples.length} samples\n`);
    const running: Running = { config, doors: { smtp, upload }, outbox, keys, watch, table, signal: stop.signal };
    const summary = await travel(samples, running);
    tellSummary(summary, table);
    for (const line of guide(
      config,
      { smtp, upload, ops: gateway.opsPort, portal: gateway.portal },
      values.once || stop.signal.aborted,
    ))
      table.line(line);
    if (!values.once && !stop.signal.aborted) {
      watch.onStranger = (id, ended) => void showStranger(id, ended, running);
      await stop.asked;
      table.line('\nStopping ...');
    }
    if (summary.samples < samples.length) return INTERRUPTED;
    return summary.faults.size === 0 ? 0 : 1;
  } finally {
    await gateway.stop();
  }
}

function doorsOf({ smtpPort, uploadPort }: Gateway): { readonly smtp: number; readonly upload: number } {
  if (smtpPort === undefined || uploadPort === undefined) throw new TypeError('a whole gateway has both doors');
  return { smtp: smtpPort, upload: uploadPort };
}

function tellSummary({ samples, faults, pages, seconds }: Summary, table: Table): void {
  table.line();
  const rate = (pages / seconds).toFixed(1);
  table.line(
    `${samples} samples, ${samples - faults.size} as expected; ${pages} pages and pictures in ${seconds.toFixed(1)} s (${rate} a second)`,
  );
  if (faults.size === 0) {
    table.line('Every package was verified (signature, digests, no file beside them) and every mail was delivered.');
    return;
  }
  table.line(table.paint(`\n${faults.size} not as expected:`, 'red'));
  for (const [file, list] of faults) for (const fault of list) table.line(`  ${file}: ${fault}`);
}

/** A folder nobody wrote to yet. */
async function newFolder(asked: string | undefined): Promise<string> {
  const stamp = new Date().toISOString().replace(/[-:]|\..*/g, '');
  const folder = resolve(asked ?? join('var', `demo-${stamp}-${process.pid}`));
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new MugaiError('bad-config', `--data ${folder} is not empty; name a new folder`, { permanent: true });
  }
  return folder;
}

/** The usual address, or any free port when that one is taken (always any when nobody will type it). */
async function listen(port: number, any: boolean): Promise<string> {
  return `127.0.0.1:${!any && (await isFree(port)) ? port : 0}`;
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

/** The first SIGINT or SIGTERM asks for a stop in order, the second ends at once. */
function stopAsked(): { readonly signal: AbortSignal; readonly asked: Promise<void> } {
  const controller = new AbortController();
  const asked = new Promise<void>((done) => {
    const on = (): void => {
      if (controller.signal.aborted) process.exit(INTERRUPTED);
      controller.abort();
      done();
    };
    process.on('SIGINT', on);
    process.on('SIGTERM', on);
  });
  return { signal: controller.signal, asked };
}

function explain(error: unknown): number {
  process.stderr.write(`demo: ${reasonOf(error)}\n`);
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  return usage || (error instanceof MugaiError && error.code === 'bad-config') ? 2 : 1;
}

process.exit(await main(process.argv.slice(2)).catch(explain));
