// What is watched beside the road: lines of the log counted, and where the configuration asks for it lines to syslog and traces.
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { StdoutLines } from '../ops/stdout-lines.ts';
import type { Syslog } from '../ops/syslog.ts';
import type { Traces } from '../ops/traces.ts';
import { VERSION } from '../version.ts';
import type { JournalTold } from './journal.ts';

/** Counts what became of each line for stdout. */
export function countLog(lines: StdoutLines | undefined, metrics: Metrics): void {
  for (const outcome of ['written', 'dropped'] as const) metrics.logLines.inc({ outcome }, 0);
  if (lines !== undefined) lines.onLine = (outcome) => metrics.logLines.inc({ outcome });
}

/** Counts what became of each line for the collector. */
export function countSyslog(syslog: Syslog | undefined, metrics: Metrics): void {
  if (syslog === undefined) return;
  for (const outcome of ['sent', 'dropped'] as const) metrics.syslogLines.inc({ outcome }, 0);
  syslog.onLine = (outcome) => metrics.syslogLines.inc({ outcome });
}

/**
 * Sends heads of the journals to the collector whatever the level of the log is. `log` undefined: the log does not go there
 * anyway.
 */
export function headSender(syslog: Syslog | undefined, log: Log | undefined): JournalTold['onHead'] {
  if (syslog === undefined) return undefined;
  return (zone, position) => {
    if (log?.isLevelEnabled('info') === true) return; // it came as a line of the log
    const line = { level: 'info', time: new Date().toISOString(), role: zone, pid: process.pid, zone, position };
    syslog.write(JSON.stringify({ ...line, msg: 'journal head' }));
  };
}

/** Opens traces where a collector is named; the packages for them are not even loaded elsewhere. */
export async function startTraces(config: Config, role: string, life: Lifecycle): Promise<Traces | undefined> {
  if (config.otlpUrl === undefined) return undefined;
  const { openTraces } = await import('../ops/traces.ts');
  const traces = await openTraces(config.otlpUrl, role, VERSION);
  life.started('traces', async (leftMs) => traces.close(Math.min(leftMs, 3000)));
  return traces;
}
