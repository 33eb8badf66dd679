// The HTTP door over real sockets: what is taken, what is refused, and how.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { entriesOf } from '../../src/audit/export.ts';
import type { FaultPoint } from '../../src/store/fs-fault.ts';
import { openBrowser } from '../support/browser.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

const TO = 'staff@city.example.lg.jp';

function form(fields: readonly (readonly [string, string | Blob, string?])[]): FormData {
  const data = new FormData();
  for (const [name, value, fileName] of fields) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, value, fileName);
  }
  return data;
}

describe('POST /v1/files', () => {
  it('takes files, answers with an id for each, and its receipt says how far they came', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    const body = form([
      ['to', TO],
      ['file', new Blob(['一つ目']), '資料 その1.txt'],
      ['file', new Blob(['two']), 'b.txt'],
    ]);
    const answer = await fetch(url, { method: 'POST', body });
    assert.equal(answer.status, 202);
    const { files } = (await answer.json()) as { files: { id: string; name: string; size: number }[] };
    assert.deepEqual(
      files.map(({ name, size }) => [name, size]),
      [
        ['資料 その1.txt', 9],
        ['b.txt', 3],
      ],
    );
    for (const { id } of files) {
      const stage = async (): Promise<string> =>
        ((await (await fetch(`${url}/${id}`)).json()) as { stage: string }).stage;
      await until(async () => (await stage()) === 'sealed', 60_000, `${id} is sealed`);
    }
  });

  it('in Chromium without scripts the form answers with pages: what is wrong, and what was received', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    for (const language of ['ja', 'en'] as const) {
      await using browser = await openBrowser(language, false);
      const { page } = browser;
      const send = async (to: string): Promise<string> => {
        await page.goto(`http://127.0.0.1:${gateway.uploadPort}/`);
        await page.fill('#to', to);
        await page.setInputFiles('#file', { name: '申請書.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
        await page.click('main button');
        return page.locator('main').innerText();
      };
      const ja = language === 'ja';
      assert.match(await send('x@elsewhere.example'), ja ? /この宛先のドメインは/ : /domain is not served here/);
      const taken = await send(TO);
      assert.match(taken, ja ? /受け付けました/ : /Received/);
      assert.match(taken, /申請書\.txt \(.*\) [0-9a-z]{26}/);
    }
  });

  it('answers each bad request with its status and a sentence, and keeps nothing of it', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    const file = ['file', new Blob(['x']), 'x.txt'] as const;
    const cases: readonly (readonly [string, number, FormData | string])[] = [
      ['no recipient', 400, form([file])],
      ['no address', 400, form([['to', 'nobody'], file])],
      ['foreign domain', 403, form([['to', 'x@elsewhere.example'], file])],
      ['no file', 400, form([['to', TO]])],
      ['no multipart', 415, 'plain'],
    ];
    for (const [name, status, body] of cases) {
      const answer = await fetch(url, { method: 'POST', body });
      assert.equal(answer.status, status, name);
      const problem = (await answer.json()) as { error: string; message: string };
      assert.ok(problem.error.length > 0 && problem.message.endsWith('.'), name);
    }
    // In the language that is asked for, and as a page where a browser asks for one.
    const asking = async (language: string, accept = '*/*'): Promise<{ type: string; text: string }> => {
      const headers = { 'accept-language': language, accept };
      const answer = await fetch(url, { method: 'POST', body: form([['to', 'nobody'], file]), headers });
      assert.equal(answer.status, 400);
      return { type: answer.headers.get('content-type') ?? '', text: await answer.text() };
    };
    const said = ['宛先がメールアドレスではありません', 'Field "to" is no address'] as const;
    for (const [language, words] of [
      ['ja,en;q=0.5', said[0]],
      ['en-GB,en;q=0.9', said[1]],
      ['de', said[1]],
    ] as const) {
      const { type, text } = await asking(language);
      assert.match(type, /^application\/json/);
      assert.ok((JSON.parse(text) as { message: string }).message.startsWith(words), `${language}: ${text}`);
    }
    for (const [language, words] of [
      ['ja', said[0]],
      ['en', 'Field &quot;to&quot; is no address'],
    ] as const) {
      const { type, text } = await asking(language, 'text/html,application/xhtml+xml');
      assert.match(type, /^text\/html/);
      assert.match(text, new RegExp(`<html lang="${language}">`));
      assert.ok(text.includes(words), text);
    }
    for (const id of ['nonsense', '01m82tfhc8jr0vvtht45j76prw'])
      assert.equal((await fetch(`${url}/${id}`)).status, 404);
    assert.deepEqual(await gateway.spool?.unfinished(10), { sanitise: [], seal: [] });
  });
});

describe('an upload that does not come whole', () => {
  const head = `--B\r\nContent-Disposition: form-data; name="to"\r\n\r\n${TO}\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n`;

  it('is 400 when the form ends before its end, however large, and leaves nothing', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    const headers = { 'content-type': 'multipart/form-data; boundary=B' };
    for (const body of [
      head.slice(0, 20),
      head.slice(0, -10),
      `${head}half`,
      `${head}${'x'.repeat(1_000_000)}`,
      `${head}one\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\n${'y'.repeat(200_000)}`,
    ]) {
      const answer = await fetch(url, { method: 'POST', headers, body });
      assert.equal(answer.status, 400, `${body.length} bytes`);
      assert.match(((await answer.json()) as { message: string }).message, /broke off.*nothing was accepted/);
    }
    await leavesNothing(folder.path);
  });

  it('leaves nothing when the connection is cut', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const socket = connect(gateway.uploadPort ?? 0, '127.0.0.1');
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 2000000\r\n\r\n${head}${'x'.repeat(500_000)}`,
    );
    const staged = async (): Promise<number> => (await readdir(join(folder.path, 'spool', 'tmp'))).length;
    await until(async () => (await staged()) === 1, 60_000, 'its bytes are on the disk');
    socket.destroy();
    await until(async () => (await staged()) === 0, 60_000, 'they are gone again');
    await leavesNothing(folder.path);
  });
});

describe('several files in one upload', () => {
  it('are accepted all or none, wherever the disk is full at the second, and none twice when they are sent again', async () => {
    await using folder = await scratch();
    let failing: { act: string; after: number } | undefined;
    let failed = 0;
    const fault: FaultPoint = (act, path) => {
      if (act !== failing?.act || !path.includes('/spool/') || failing.after-- > 0) return;
      failed += 1;
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    await using gateway = await startTestGateway(folder.path, {}, { fault });
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    const send = async (size: number): Promise<Response> => {
      const files = ['one', 'two'].map((name) => ['file', new Blob([name.repeat(size)]), `${name}.txt`] as const);
      return fetch(url, { method: 'POST', body: form([['to', TO], ...files]) });
    };
    let sent = 0;
    const delivered = async (): Promise<number> =>
      (await readdir(join(folder.path, 'delivered'))).filter((name) => name.endsWith('.eml')).length;
    for (const size of [10, 50_000])
      for (const [act, after] of [
        ['fdatasync', 1],
        ['rename', 1],
        ['fsync-dir', size === 10 ? 0 : 1], // one for the names of all records, and before them of all large bytes
      ] as const) {
        const before = await spooledNames(folder.path);
        failing = { act, after };
        failed = 0;
        const answer = await send(size);
        failing = undefined;
        assert.ok(failed > 0, `the disk was full at ${act}`);
        assert.equal(answer.status, 507);
        assert.match(((await answer.json()) as { message: string }).message, /nothing was accepted/);
        assert.deepEqual(await spooledNames(folder.path), before, `${act} of ${size}`);
        assert.equal((await send(size)).status, 202);
        sent += 2;
        await until(async () => (await delivered()) === sent, 60_000, `both, after ${act} of ${size}`);
      }
    const acts: string[] = [];
    for await (const { act } of entriesOf(join(folder.path, 'journal', 'outer'), {})) acts.push(act);
    const count = (act: string): number => acts.filter((one) => one === act).length;
    assert.equal(count('received') - count('not-accepted'), sent, 'the journal tells the same');
  });
});

/** Names of all that lies in the spool, but the note of what is under way. */
async function spooledNames(folder: string): Promise<string[]> {
  const found = await readdir(join(folder, 'spool'), { recursive: true, withFileTypes: true });
  const names = found.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map(({ name }) => name);
  return names.toSorted();
}

/** No bytes, no record, no delivery. */
async function leavesNothing(folder: string): Promise<void> {
  assert.deepEqual(await spooledNames(folder), []);
  assert.deepEqual(
    (await readdir(join(folder, 'delivered'))).filter((name) => name.endsWith('.eml')),
    [],
  );
}

describe('operations', () => {
  it('health, readiness and metrics tell of the mail that went through', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const ops = `http://127.0.0.1:${gateway.opsPort}`;
    assert.equal((await fetch(`${ops}/healthz`)).status, 200);
    const ready = (await (await fetch(`${ops}/readyz`)).json()) as {
      ready: boolean;
      checks: Record<string, string>;
      details: Record<string, string>;
    };
    assert.equal(ready.ready, true);
    assert.deepEqual(ready.checks, {
      portal: 'ok',
      queue: 'ok',
      spool: 'ok',
      outbox: 'ok',
      'requests disk': 'ok',
      'inner disk': 'ok',
      'portal disk': 'ok',
      'journal disk': 'ok',
    });
    assert.match(ready.details['jail'] ?? '', /^(full|partial|bare)/);
    const body = form([
      ['to', TO],
      ['file', new Blob(['x']), 'x.txt'],
    ]);
    await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body });
    const metrics = async (): Promise<string> => (await fetch(`${ops}/metrics`)).text();
    await until(
      async () => (await metrics()).includes('mugai_messages_total{stage="deliver",outcome="delivered"} 1'),
      60_000,
      'delivered',
    );
    assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('metrics', 'body')), /^250/);
    await until(
      async () => (await metrics()).includes('mugai_messages_total{stage="deliver",outcome="delivered"} 2'),
      60_000,
      'both delivered',
    );
    const text = await metrics();
    const value = (series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.slice(series.length),
      );
    for (const series of [
      'mugai_step_seconds_count{step="sanitise"}',
      'mugai_step_seconds_count{step="seal"}',
      'mugai_step_seconds_count{step="deliver"}',
      'mugai_convert_seconds_count{worker="mail"}',
      'mugai_convert_seconds_count{worker="text"}',
      'mugai_bytes_total{direction="in"}',
      'mugai_bytes_total{direction="out"}',
      'mugai_disk_free_bytes{store="spool"}',
      'mugai_disk_free_bytes{store="outbox"}',
      'mugai_disk_free_bytes{store="requests"}',
      'mugai_disk_free_bytes{store="inner"}',
      'mugai_disk_free_bytes{store="portal"}',
      'mugai_disk_free_bytes{store="journal"}',
    ])
      assert.ok(value(series) > 0, `${series}: ${value(series)}`);
    const contract =
      'messages_total parts_total pages_total bytes_total step_seconds convert_seconds queue_jobs oldest_waiting_seconds ' +
      'smtp_connections smtp_replies_total jail_kills_total disk_free_bytes gate_refusals_total';
    for (const name of contract.split(' ')) assert.match(text, new RegExp(`^# TYPE mugai_${name} `, 'm'));
    assert.match(text, /^process_cpu_seconds_total /m, 'those of Node itself');
    for (const line of [
      'mugai_messages_total{stage="spooled",outcome="ok"} 2',
      'mugai_parts_total{worker="text",verdict="text",reason=""} 2', // the file, and the body of the mail
      'mugai_smtp_replies_total{code="250"} 1',
      'mugai_smtp_connections{state="open"} 0',
      'mugai_queue_jobs{queue="sanitise",state="waiting"} 0',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });
});
