// The log at a syslog collector: Debian's rsyslog over UDP, TCP and TLS, the grammar of RFC 5424 and CEF, a collector that is away.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLog } from '../../src/ops/log.ts';
import { Syslog } from '../../src/ops/syslog.ts';
import { syslogLine } from '../../src/ops/syslog-line.ts';
import { startGatewayProcess, gatewayEnv } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';
import { scratch, until } from '../support/scratch.ts';

/** RFC 5424 §6: the whole of a line, as a second reader sees it. */
const RFC5424 =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) (-|(?:\[[\x21-\x7e]{1,32}(?: [\x21-\x7e]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\])+)(?: ([^\n]*))?$/u;

/** A key and a certificate for 127.0.0.1 that sign themselves. */
function certificate(folder: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const made = spawnSync('openssl', [...args, ...name, '-keyout', key, '-out', cert], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return { key, cert };
}

interface Collector extends AsyncDisposable {
  readonly tcp: number;
  readonly udp: number;
  readonly tls: number;
  readonly cert: string;
  /** What rsyslog understood: a line each, its fields parted by tabs. */
  lines(): Promise<string[]>;
}

async function startRsyslog(folder: string): Promise<Collector> {
  const { key, cert } = certificate(folder);
  const [tcp, udp, tls] = [await freePort(), await freePort(), await freePort()];
  const out = join(folder, 'got.log');
  await writeFile(
    join(folder, 'rsyslog.conf'),
    `global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${cert}" defaultNetstreamDriverCertFile="${cert}" defaultNetstreamDriverKeyFile="${key}" parser.escapeControlCharactersOnReceive="off" maxMessageSize="64k")
module(load="imudp")
module(load="imtcp")
module(load="imptcp")
input(type="imudp" address="127.0.0.1" port="${udp}")
input(type="imptcp" address="127.0.0.1" port="${tcp}")
input(type="imtcp" address="127.0.0.1" port="${tls}" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="fields" type="string" string="%pri%\\t%app-name%\\t%procid%\\t%msgid%\\t%structured-data%\\t%msg%\\n")
action(type="omfile" file="${out}" template="fields" flushInterval="1" asyncWriting="off")
`,
  );
  const child = spawn('/usr/sbin/rsyslogd', ['-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'exit');
  const lines = async (): Promise<string[]> =>
    (await readFile(out, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`rsyslogd: ${said}`);
      const socket = createSocket('udp4');
      await new Promise<void>((done) => socket.send('<13>1 - - up - - - up', udp, '127.0.0.1', () => done()));
      socket.close();
      return (await lines()).some((line) => line.includes('\tup\t'));
    },
    60_000,
    `rsyslogd listens ${said}`,
  );
  return {
    tcp,
    udp,
    tls,
    cert,
    lines,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

describe('syslog', () => {
  it('a real rsyslog reads what is sent over UDP, TCP and TLS: facility, severity, name, structured data and Japanese text', async () => {
    await using place = await scratch();
    await using collector = await startRsyslog(place.path);
    for (const scheme of ['udp', 'tcp', 'tls'] as const) {
      const syslog = new Syslog(
        { url: `${scheme}://127.0.0.1:${collector[scheme]}`, format: 'rfc5424', caFile: collector.cert },
        '1.2.3',
      );
      const log = openLog('info', `t-${scheme}`, { write: (line) => syslog.write(line) });
      log.warn({ alarm: 'smuggling', subject: '192.0.2.7', detail: 'a "quoted] \\ thing' }, 'ALARM 警報');
      log.info({ position: `inner-00000000:1:${'a'.repeat(64)}` }, 'journal head');
      const mine = async (): Promise<string[]> =>
        (await collector.lines()).filter((line) => line.includes(`mugai-t-${scheme}\t`));
      await until(async () => (await mine()).length === 2, 60_000, `${scheme}: ${String(syslog.fault)}`);
      const [alarm = '', head = ''] = await mine();
      const fields = alarm.split('\t');
      assert.deepEqual([fields[0], fields[2], fields[3]], [String(16 * 8 + 4), String(process.pid), 'ALARM-smuggling']);
      assert.match(
        fields[4] ?? '',
        /^\[mugai@32473 alarm="smuggling" subject="192\.0\.2\.7" detail="a \\"quoted\\\] \\\\ thing"\]$/,
      );
      assert.match(fields[5] ?? '', /ALARM 警報/);
      assert.match(head, /\tjournal-head\t\[mugai@32473 position="inner-00000000:1:a{64}"\]\t/);
      await syslog.close(2000);
    }
  });

  it('a collector whose certificate is not known gets nothing', async () => {
    await using place = await scratch();
    await using collector = await startRsyslog(place.path);
    const syslog = new Syslog({ url: `tls://127.0.0.1:${collector.tls}`, format: 'rfc5424' }, '1');
    openLog('info', 'secret', { write: (line) => syslog.write(line) }).info('for nobody');
    await until(() => syslog.fault !== undefined, 60_000, 'it is told');
    assert.match(syslog.fault ?? '', /self-signed|certificate/);
    await syslog.close(100);
    assert.deepEqual(
      (await collector.lines()).filter((line) => line.includes('secret')),
      [],
    );
  });

  it('whatever stands in a line, it stays one line that RFC 5424 and CEF parse', () => {
    const nasty = [
      'a\nb',
      '<34>1 - - forged',
      'x"] ]',
      '\\',
      'a|b=c',
      '\u0000\u001b[2J',
      '日本語\u2028行',
      '\ud800',
      'x'.repeat(5000),
    ];
    for (const text of nasty) {
      const line = {
        level: 'warn',
        time: '2026-11-25T01:02:03.004Z',
        role: 'r e',
        pid: 1,
        msg: text,
        id: text,
        'odd name=': text,
        none: null,
      };
      const plain = syslogLine(line, 'rfc5424', '1');
      assert.match(plain, RFC5424, JSON.stringify(text));
      const cef = syslogLine({ ...line, alarm: text }, 'cef', '1');
      assert.match(cef, RFC5424);
      const [, head = ''] = /(CEF:0\|.*)$/.exec(cef) ?? [];
      assert.match(
        head,
        /^CEF:0\|Mugai\|Mugai\|1\|(?:[^|\\]|\\[|\\])*\|(?:[^|\\]|\\[|\\])*\|\d{1,2}\|(?: ?[a-zA-Z]+=(?:[^=\\]|\\[=\\])*)+$/,
        head,
      );
    }
  });

  it('CEF names the kind of alarm, its severity, the address and how often', () => {
    const line = {
      level: 'warn',
      time: '2026-11-25T01:02:03.004Z',
      role: 'ingress',
      pid: 7,
      msg: 'ALARM',
      alarm: 'smuggling',
      severity: 8,
      subject: '192.0.2.7',
      detail: 'a=b',
      count: 3,
    };
    assert.match(
      syslogLine(line, 'cef', '9'),
      /CEF:0\|Mugai\|Mugai\|9\|smuggling\|alarm smuggling\|8\|rt=1795568523004 .*src=192\.0\.2\.7 reason=a\\=b cnt=3$/,
    );
  });

  it('lines wait for a collector that is away, the oldest are dropped and counted, and the gap is told', async () => {
    const port = await freePort();
    const outcomes = { sent: 0, dropped: 0 };
    const syslog = new Syslog({ url: `tcp://127.0.0.1:${port}`, format: 'rfc5424' }, '1');
    syslog.onLine = (outcome) => (outcomes[outcome] += 1);
    const log = openLog('info', 'away', { write: (line) => syslog.write(line) });
    for (let at = 0; at < 10_050; at++)
      syslog.write(
        JSON.stringify({ level: 'info', time: new Date().toISOString(), role: 'away', pid: 1, msg: `line ${at}` }),
      );
    assert.equal(outcomes.dropped, 50);
    let bytes: Buffer = Buffer.alloc(0);
    let got = '';
    const server = createServer((socket) =>
      socket.on('data', (chunk: Buffer) => (got = (bytes = Buffer.concat([bytes, chunk])).toString())),
    );
    server.listen(port, '127.0.0.1').unref();
    await once(server, 'listening');
    await until(() => got.includes('line 10049'), 60_000, 'all that waited came');
    assert.match(got, /^\d+ <131>1 .*were-dropped.* \[mugai@32473 count="50"\]/);
    log.info('after');
    await until(() => got.includes('after'), 60_000, 'it goes on');
    // Octet counting: every frame's length is right.
    const told: string[] = [];
    for (let at = 0, frames = 0; at < bytes.length; frames++) {
      const space = bytes.indexOf(32, at);
      const size = Number(bytes.subarray(at, space).toString());
      assert.ok(size > 0, `frame ${frames}`);
      assert.equal(bytes.subarray(space + 1, space + 2).toString(), '<');
      at = space + 1 + size;
      told.push(/(line \d+)$/.exec(bytes.subarray(space + 1, at).toString())?.[1] ?? '');
    }
    assert.deepEqual([told[1], told.at(-2)], ['line 50', 'line 10049']);
    assert.equal(outcomes.sent, 10_002);
    await syslog.close(1000);
    server.close();
  });

  it('a gateway sends its alarms and the heads of its three journals to the collector, and says the same to stdout', async () => {
    await using place = await scratch();
    await using collector = await startRsyslog(place.path);
    const gateway = await startGatewayProcess(
      gatewayEnv(join(place.path, 'var'), {
        MUGAI_SYSLOG_URL: `tcp://127.0.0.1:${collector.tcp}`,
        MUGAI_SYSLOG_FORMAT: 'cef',
      }),
    );
    try {
      await using dialog = await SmtpDialog.open(gateway.smtpPort);
      dialog.write('EHLO a\r\nNOOP\nMAIL FROM:<a@example.com>\r\n');
      await until(
        async () => (await collector.lines()).some((line) => line.includes('|smuggling|')),
        60_000,
        'the alarm came',
      );
    } finally {
      await gateway.end('SIGTERM');
    }
    // What the gateway sent before it ended is the collector's to write down.
    await until(
      async () => (await collector.lines()).some((line) => line.includes('|stopped|')),
      60_000,
      'the last line came, too',
    );
    const lines = await collector.lines();
    assert.match(lines.find((line) => line.includes('|smuggling|')) ?? '', /\|8\|.*src=127\.0\.0\.1/);
    for (const zone of ['outer', 'middle', 'inner'])
      assert.ok(
        lines.some((line) => line.includes('journal head') && line.includes(`position: ${zone}-`)),
        zone,
      );
    assert.ok(gateway.lines.some((line) => line.includes('"alarm":"smuggling"')));
  });
});
