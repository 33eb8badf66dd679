// What runs in the inner zone's thread.
import { parentPort } from 'node:worker_threads';
import { readConfig } from '../config.ts';
import { Lifecycle } from '../lifecycle.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { openLog } from '../ops/log.ts';
import { openMetrics } from '../ops/metrics.ts';
import { StdoutLines } from '../ops/stdout-lines.ts';
import { Syslog } from '../ops/syslog.ts';
import { VERSION } from '../version.ts';
import { startInner } from './inner.ts';
import type { FromThread, ToThread } from './inner-thread.ts';
import { Road } from './road.ts';
import { countLog, countSyslog, headSender, startTraces } from './watching.ts';

const port = parentPort;
if (port === null) throw new TypeError('runs in a thread only');
const say = (message: FromThread): void => port.postMessage(message);

const config = readConfig();
const syslog = config.syslog === undefined ? undefined : new Syslog(config.syslog, VERSION);
const lines = new StdoutLines('inner');
const log = openLog(config.logLevel, 'inner', syslog, lines);
const life = new Lifecycle(log, config.stopSeconds * 1000);
const road = new Road(openMetrics(false), log, ['deliver'], undefined);
countSyslog(syslog, road.metrics);
countLog(lines, road.metrics);
road.onHead = headSender(syslog, log);
let portalFault: () => string | undefined = () => undefined;
life.started('syslog', async (leftMs) => syslog?.close(leftMs));
life.started('alarms', async () => road.alarms.close());
try {
  road.traces = await startTraces(config, 'inner', life);
  const inner = await startInner(config, log, life, road, true);
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'sealed':
        return inner.tell(message.ids);
      case 'count':
        return void count();
      case 'status':
        return void inner.status().then(
          (status) => say({ kind: 'status', status }),
          (error: unknown) => log.error({ error: reasonOf(error) }, 'status'),
        );
      case 'stop':
        return void stop(message.leftMs);
      default:
        return message satisfies never;
    }
  });
  portalFault = inner.portal.fault;
  const { port: portalPort, firstCode } = inner.portal.portal;
  say({ kind: 'ready', portal: { port: portalPort, firstCode } });
} catch (error) {
  const code = error instanceof MugaiError ? error.code : 'store-failed';
  say({ kind: 'failed', code, message: reasonOf(error) });
  await stop();
}

async function count(): Promise<void> {
  const fault = await road.countJobs().then(
    () => '',
    (error: unknown) => reasonOf(error),
  );
  const metrics = await road.metrics.registry.getMetricsAsJSON();
  say({ kind: 'counted', metrics, fault, portalFault: portalFault() ?? '' });
}

async function stop(leftMs?: number): Promise<void> {
  await life.stop(leftMs);
  say({ kind: 'stopped' });
}
