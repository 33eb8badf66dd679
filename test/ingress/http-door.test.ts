// The HTTP door over real sockets: what is taken, what is refused, and how.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
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
      await until(async () => (await stage()) === 'sealed', 20_000, `${id} is sealed`);
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
    for (const id of ['nonsense', '01m82tfhc8jr0vvtht45j76prw'])
      assert.equal((await fetch(`${url}/${id}`)).status, 404);
    assert.deepEqual(await gateway.spool?.unfinished(10), { sanitise: [], seal: [] });
  });
});

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
    assert.deepEqual(ready.checks, { portal: 'ok', queue: 'ok', spool: 'ok', outbox: 'ok' });
    assert.match(ready.details['jail'] ?? '', /^(full|partial|bare)/);
    const body = form([
      ['to', TO],
      ['file', new Blob(['x']), 'x.txt'],
    ]);
    await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body });
    const metrics = async (): Promise<string> => (await fetch(`${ops}/metrics`)).text();
    await until(
      async () => (await metrics()).includes('mugai_messages_total{stage="deliver",outcome="delivered"} 1'),
      20_000,
      'delivered',
    );
    const text = await metrics();
    for (const line of [
      'mugai_messages_total{stage="spooled",outcome="ok"} 1',
      'mugai_parts_total{worker="text",verdict="text",reason=""} 1',
      'mugai_bytes_total{direction="in"} 1',
      'mugai_queue_jobs{queue="sanitise",state="waiting"} 0',
    ]) {
      assert.ok(text.includes(line), line);
    }
  });
});
