// `mugai serve`: runs the gateway until a signal. The first SIGTERM or SIGINT stops in order, a second ends at once.
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { readConfig, redactedConfig } from '../config.ts';
import { openLog } from '../ops/log.ts';
import { StdoutLines } from '../ops/stdout-lines.ts';
import { Syslog } from '../ops/syslog.ts';
import { VERSION } from '../version.ts';
import { ROLES, startGateway, type Role } from '../roles.ts';
import { UsageError, type Command } from './usage.ts';

export const serve: Command = {
  help: `mugai serve [--role all|ingress|worker|inner]

Runs the gateway, or one role of it, until SIGTERM. Configuration: environment, see README.md.

  --role   which rooms run in this process (default: all)

Example: MUGAI_DOMAINS=city.example.lg.jp mugai serve`,

  run: async (args) => {
    const { values } = parseArgs({ args: [...args], options: { role: { type: 'string', default: 'all' } } });
    const role = ROLES.find((known): known is Role => known === values.role);
    if (role === undefined) throw new UsageError(`--role is "${values.role}", not one of ${ROLES.join(', ')}`);
    const config = readConfig();
    const syslog = config.syslog === undefined ? undefined : new Syslog(config.syslog, VERSION);
    const lines = new StdoutLines(role);
    const log = openLog(config.logLevel, role, syslog, lines);
    log.info({ config: redactedConfig() }, 'starting');
    const signals = stopSignals();
    const gateway = await startGateway(role, config, log, { innerThread: true, syslog, lines });
    collectStartGarbage();
    log.info(
      { smtp: gateway.smtpPort, upload: gateway.uploadPort, ops: gateway.opsPort, portal: gateway.portal?.port },
      'ready',
    );
    const signal = await signals;
    log.info({ signal }, 'stopping');
    await gateway.stop();
    log.info('stopped');
    await syslog?.close(2000);
    return 0;
  },
};

/**
 * Gives back what only the start needed, once, in some 0.1 s: V8 sees no reason to while little happens, and the process would
 * stand 15-20 MB larger for as long as it runs.
 */
function collectStartGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how: { type: string; execution: string; flavor: string }) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process with 128 + signal, as a shell would see it. */
async function stopSignals(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const on = (signal: NodeJS.Signals): void => {
      if (asked) {
        process.kill(process.pid, 'SIGKILL');
        return;
      }
      asked = true;
      resolve(signal);
    };
    process.on('SIGTERM', on);
    process.on('SIGINT', on);
  });
}
