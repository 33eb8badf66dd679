// Prometheus metrics, by the names of the contract. One registry per process.
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** Node's own, of the whole process; empty unless asked for. */
  readonly process: Registry;
  readonly messages: Counter<'stage' | 'outcome'>;
  readonly parts: Counter<'worker' | 'verdict' | 'reason'>;
  readonly pages: Counter;
  readonly bytes: Counter<'direction'>;
  readonly stepSeconds: Histogram<'step'>;
  readonly convertSeconds: Histogram<'worker'>;
  readonly queueJobs: Gauge<'queue' | 'state'>;
  readonly oldestWaiting: Gauge<'queue'>;
  readonly smtpConnections: Gauge<'state'>;
  readonly smtpReplies: Counter<'code'>;
  readonly jailKills: Counter<'worker' | 'cause'>;
  readonly diskFree: Gauge<'store'>;
  readonly pressure: Gauge<'reason'>;
  readonly gateRefusals: Counter<'reason'>;
  readonly alarms: Counter<'kind'>;
  readonly syslogLines: Counter<'outcome'>;
  readonly logLines: Counter<'outcome'>;
}

/** Makes the metrics. `withProcess` adds Node's own (not in tests, where many registries live in one process). */
export function openMetrics(withProcess: boolean): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const ofProcess = new Registry();
  if (withProcess) collectDefaultMetrics({ register: ofProcess });
  const counter = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <const L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });
  const histogram = <const L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram({ name, help, labelNames: [...labelNames], buckets, registers });
  return {
    registry,
    process: ofProcess,
    messages: counter('mugai_messages_total', 'Messages that left a stage, by how', ['stage', 'outcome']),
    parts: counter('mugai_parts_total', 'Parts by what became of them', ['worker', 'verdict', 'reason']),
    pages: counter('mugai_pages_total', 'Pages and pictures drawn', []),
    bytes: counter('mugai_bytes_total', 'Bytes taken in and handed out', ['direction']),
    stepSeconds: histogram(
      'mugai_step_seconds',
      'Seconds a step took',
      ['step'],
      [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    ),
    convertSeconds: histogram(
      'mugai_convert_seconds',
      'Seconds a child took for one input',
      ['worker'],
      [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    ),
    queueJobs: gauge('mugai_queue_jobs', 'Jobs by state', ['queue', 'state']),
    oldestWaiting: gauge('mugai_oldest_waiting_seconds', 'Age of the oldest message that waits or is delayed', [
      'queue',
    ]),
    smtpConnections: gauge('mugai_smtp_connections', 'SMTP connections now open', ['state']),
    smtpReplies: counter('mugai_smtp_replies_total', 'SMTP replies that decided on a mail', ['code']),
    jailKills: counter('mugai_jail_kills_total', 'Children that were killed', ['worker', 'cause']),
    diskFree: gauge('mugai_disk_free_bytes', 'Free bytes', ['store']),
    pressure: gauge('mugai_pressure', 'Whether the doors say "later" (1), by what is short', ['reason']),
    gateRefusals: counter(
      'mugai_gate_refusals_total',
      'Packages refused by the gate, or by the portal when they are read again',
      ['reason'],
    ),
    alarms: counter('mugai_alarms_total', 'Alarms on suspicious traffic and broken trust', ['kind']),
    syslogLines: counter(
      'mugai_syslog_lines_total',
      'Lines for the syslog collector: sent (handed to the kernel), or dropped while it was away',
      ['outcome'],
    ),
    logLines: counter('mugai_log_lines_total', 'Lines of the log: written to stdout, or dropped', ['outcome']),
  };
}

/** A registry as one thread hands it to another. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** The text a scrape gets: the metrics of this thread and of others added up, and the process's own. */
export async function exposition(metrics: Metrics, others: readonly MetricsSnapshot[]): Promise<string> {
  const all = AggregatorRegistry.aggregate([await metrics.registry.getMetricsAsJSON(), ...others]);
  return `${await all.metrics()}${await metrics.process.metrics()}`;
}
