// What Prometheus is told, against Debian's real promtool; alert rules and dashboard name only metrics that exist.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openMetrics } from '../../src/ops/metrics.ts';
import { RULES } from '../../src/outbox/refusal.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

const OPS = fileURLToPath(new URL('../../docs/ops/', import.meta.url));

/** Contracts §6: names that others rely on. */
const CONTRACT = [
  'mugai_messages_total',
  'mugai_parts_total',
  'mugai_pages_total',
  'mugai_bytes_total',
  'mugai_step_seconds',
  'mugai_convert_seconds',
  'mugai_queue_jobs',
  'mugai_oldest_waiting_seconds',
  'mugai_smtp_connections',
  'mugai_smtp_replies_total',
  'mugai_jail_kills_total',
  'mugai_disk_free_bytes',
  'mugai_gate_refusals_total',
];

function promtool(args: readonly string[], input = ''): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync('/usr/bin/promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { code: status, said: stdout + stderr };
}

describe('prometheus', () => {
  it('promtool finds nothing wrong with the metrics of a gateway that has worked, and every name of the contract is there', async () => {
    await using place = await scratch();
    await using gateway = await startTestGateway(place.path);
    await sendMail(gateway.smtpPort ?? 0, plainMail('数える'));
    const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
    await until(
      async () => /stage="deliver",outcome="delivered"\} 1/.test(await metrics()),
      60_000,
      'it was delivered',
    );
    const text = await metrics();
    const { code, said } = promtool(['check', 'metrics'], text);
    // promtool's linter wants `_total` on counters only, units, help on all: nothing of ours may be named.
    assert.equal(
      said
        .split('\n')
        .filter((line) => line.startsWith('mugai_'))
        .join('\n'),
      '',
      said,
    );
    assert.ok(code === 0 || code === 3, said);
    for (const name of CONTRACT) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), name);
    assert.match(text, /^mugai_step_seconds_bucket\{le="[^"]+",step="sanitise"\} [1-9]/m);
    assert.match(text, /^process_resident_memory_bytes \d/m);
  });

  it('what one event is an alert for is counted from 0: a series that begins at 1 never rose', async () => {
    const rules = await readFile(join(OPS, 'alerts.yml'), 'utf8');
    const alerts = [...rules.matchAll(/increase\((mugai_[a-z_]+)(?:\{([^}]*)\})?\[\w+\]\) > 0/g)];
    assert.ok(alerts.length >= 7);
    await using place = await scratch();
    await using gateway = await startTestGateway(place.path, { MUGAI_SYSLOG_URL: 'udp://127.0.0.1:9' });
    const text = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
    for (const [, name = '', labels = ''] of alerts) {
      const wanted = labels.split(',');
      const series = text.split('\n').filter((line) => line.startsWith(`${name}{`));
      assert.ok(
        series.some((line) => wanted.every((label) => line.includes(label))),
        `${name}{${labels}}`,
      );
    }
    for (const rule of RULES) assert.ok(text.includes(`mugai_gate_refusals_total{reason="${rule}"} 0`), rule);
  });

  it('promtool does find something wrong where something is', () => {
    assert.match(promtool(['check', 'metrics'], 'mugai_bad_total{a="b} 1\n').said, /error/i);
  });

  it('alert rules hold, and fire where they should', () => {
    for (const args of [
      ['check', 'rules', join(OPS, 'alerts.yml')],
      ['test', 'rules', join(OPS, 'alerts.test.yml')],
    ]) {
      const { code, said } = promtool(args);
      assert.equal(code, 0, said);
      assert.match(said, /SUCCESS/);
    }
  });

  it('alert rules, their tests and the dashboard name no metric and no label that does not exist', async () => {
    const known = new Map(
      openMetrics(false)
        .registry.getMetricsAsArray()
        .map((metric) => [metric.name, new Set((metric as unknown as { labelNames: string[] }).labelNames)]),
    );
    for (const file of ['alerts.yml', 'alerts.test.yml', 'grafana.json']) {
      const text = (await readFile(join(OPS, file), 'utf8')).replaceAll('\\"', '"');
      const named = [...text.matchAll(/(mugai_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{([^}]*)\}|[^a-z_])/g)];
      assert.ok(named.length > 5, file);
      for (const [, name = '', labels = ''] of named) {
        const labelNames = known.get(name);
        assert.ok(labelNames !== undefined, `${file} names ${name}`);
        for (const [, label = ''] of labels.matchAll(/([a-z]+)(?:=~?|!~?=?)"/g))
          assert.ok(labelNames.has(label) || ['job', 'instance', 'le'].includes(label), `${file}: ${name}{${label}}`);
      }
    }
  });

  it('the dashboard is JSON whose every panel asks something', async () => {
    const board = JSON.parse(await readFile(join(OPS, 'grafana.json'), 'utf8')) as {
      panels: { id: number; title: string; targets: { expr: string }[] }[];
    };
    assert.ok(board.panels.length >= 12);
    assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
    for (const { title, targets } of board.panels) assert.ok(targets.length > 0 && title !== '', title);
  });
});
