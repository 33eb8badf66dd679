// Uploads at the HTTP door: the page in Chromium with a broken line, the protocol by hand, keys, quotas.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseMessageId } from '../../src/message/id.ts';
import { Quota } from '../../src/ingress/upload-fault.ts';
import type { FaultPoint } from '../../src/store/fs-fault.ts';
import { openBrowser } from '../support/browser.ts';
import { startTestGateway } from '../support/gateway.ts';
import { scratch } from '../support/scratch.ts';

const TO = 'staff@city.example.lg.jp';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A wire to `port` that breaks each time after so many bytes, `times` times; then it holds. */
async function breakingWire(port: number, bytes: number, times: number) {
  let left = times;
  let broken = 0;
  const server = createServer((from: Socket) => {
    const to = connect(port, '127.0.0.1');
    let passed = 0;
    for (const socket of [from, to]) socket.on('error', () => undefined);
    from.on('data', (chunk) => {
      passed += chunk.length;
      if (left > 0 && passed > bytes) {
        left -= 1;
        broken += 1;
        from.destroy();
        to.destroy();
      } else to.write(chunk);
    });
    to.on('data', (chunk) => from.write(chunk));
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    broken: () => broken,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

async function begin(
  url: string,
  length: number,
  name = '資料.txt',
  headers: Record<string, string> = {},
): Promise<Response> {
  const metadata = `filename ${base64(name)},to ${base64(TO)}`;
  return fetch(`${url}/v1/uploads`, {
    method: 'POST',
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(length), 'Upload-Metadata': metadata, ...headers },
  });
}

async function piece(place: string, offset: number, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(place, {
    method: 'PATCH',
    body,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Offset': String(offset),
      'Content-Type': 'application/offset+octet-stream',
    },
  });
}

describe('uploads', { timeout: 300_000 }, () => {
  it('a file goes through the page though the line breaks again and again, whole and once', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    await using wire = await breakingWire(gateway.uploadPort ?? 0, 700_000, 4);
    await using browser = await openBrowser();
    const { page } = browser;
    await page.goto(`http://127.0.0.1:${wire.port}/`);
    await page.fill('#to', TO);
    const bytes = Buffer.from(`${randomBytes(1_500_000).toString('base64')}\n`);
    await page.setInputFiles('#file', { name: '大きい資料.txt', mimeType: 'text/plain', buffer: bytes });
    await page.click('button');
    await page.locator('#list li:has-text("届けました")').waitFor({ timeout: 120_000 });
    assert.equal(wire.broken(), 4);
    const said = await page.locator('#list li').innerText();
    const id = parseMessageId(/\(([0-9a-z]{26})\)/.exec(said)?.[1] ?? '');
    assert.ok(id !== undefined, said);
    const record = (await gateway.spool?.spooled(id))?.record;
    assert.equal(record?.source.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(record?.source.name, '大きい資料.txt');
    assert.deepEqual(record?.envelope.to, [TO]);
  });

  it('row 113: offsets, lengths, owners, names and quotas are held', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const url = `http://127.0.0.1:${gateway.uploadPort}`;
    assert.equal((await begin(url, 1e11)).status, 413);
    assert.equal((await begin(url, -1)).status, 400);
    const elsewhere = `filename ${base64('x')},to ${base64('x@elsewhere.example')}`;
    assert.equal((await begin(url, 5, 'x', { 'Upload-Metadata': elsewhere })).status, 403);

    const made = await begin(url, 10, '../../etc/passwd');
    const place = url + (made.headers.get('location') ?? '');
    assert.equal((await piece(place, 3, new Uint8Array(2))).status, 409);
    assert.equal((await piece(place, 0, Buffer.from('hello'))).status, 204);
    assert.equal(
      (await piece(place, 0, Buffer.from('HELLO'))).status,
      409,
      'what was sent is not sent again otherwise',
    );
    const head = await fetch(place, { method: 'HEAD' });
    assert.equal(head.headers.get('upload-offset'), '5');
    const done = await piece(place, 5, Buffer.from('world'));
    const id = parseMessageId(done.headers.get('mugai-id') ?? '');
    assert.ok(id !== undefined);
    const record = (await gateway.spool?.spooled(id))?.record;
    assert.equal(record?.source.sha256, createHash('sha256').update('helloworld').digest('hex'));
    assert.equal((await piece(place, 10, Buffer.from('!'))).status, 404, 'the end is the end');

    const over = url + ((await begin(url, 3)).headers.get('location') ?? '');
    assert.equal((await piece(over, 0, Buffer.from('more than three'))).status, 413);
    assert.equal((await fetch(over, { method: 'HEAD' })).status, 404, 'it is gone');
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await begin(url, 5)).status);
    assert.equal(statuses.filter((status) => status === 201).length, 10);
    assert.ok(statuses.includes(429));
    const quota = new Quota(100);
    quota.take('a', 60, 0);
    assert.throws(() => quota.take('a', 60, 1000), /as much as you may/);
    quota.take('b', 60, 1000);
    quota.take('a', 60, 3_600_001);
  });

  it('what could not be written is gone: the sender begins anew, and no file with a hole is taken', async () => {
    await using folder = await scratch();
    let full = false;
    const fault: FaultPoint = (act, path) => {
      if (full && act === 'write' && path.includes('/spool/tmp/'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    await using gateway = await startTestGateway(folder.path, {}, { fault });
    const url = `http://127.0.0.1:${gateway.uploadPort}`;
    const half = randomBytes(2_000_000);
    const place = url + ((await begin(url, 2 * half.length)).headers.get('location') ?? '');
    assert.equal((await piece(place, 0, half)).status, 204);
    full = true;
    // The answer may come before all was read: then the line breaks at the sender's, and what it asks next on it, too.
    const steady = async (ask: () => Promise<Response>): Promise<number> => {
      for (let tries = 0; ; tries++) {
        const answer = await ask().catch((error: unknown) => error);
        if (answer instanceof Response) return answer.status;
        assert.ok(tries < 5, String(answer));
      }
    };
    assert.ok([507, 404].includes(await steady(async () => piece(place, half.length, half))));
    full = false;
    assert.equal(await steady(async () => fetch(place, { method: 'HEAD' })), 404);
    assert.equal(await steady(async () => piece(place, half.length, new Uint8Array(2))), 404);
    assert.deepEqual(await readdir(join(folder.path, 'spool', 'tmp')), []);
  });

  it('with keys: nothing without one, the name of the key in the record, receipts for key holders only', async () => {
    await using folder = await scratch();
    const key = randomBytes(24).toString('base64url');
    const file = join(folder.path, 'keys.txt');
    await writeFile(file, `# senders\nsuido ${createHash('sha256').update(key).digest('hex')}\n`);
    await using gateway = await startTestGateway(join(folder.path, 'data'), { MUGAI_API_KEYS: file });
    const url = `http://127.0.0.1:${gateway.uploadPort}`;
    const body = new FormData();
    body.append('to', TO);
    body.append('file', new Blob(['x']), 'x.txt');
    for (const authorization of ['', 'Bearer wrong', `Bearer ${'a'.repeat(32)}`, key])
      assert.equal((await fetch(`${url}/v1/files`, { method: 'POST', body, headers: { authorization } })).status, 401);
    assert.equal((await begin(url, 5)).status, 401);
    const headers = { authorization: `Bearer ${key}` };
    const taken = await fetch(`${url}/v1/files`, { method: 'POST', body, headers });
    assert.equal(taken.status, 202);
    const { files } = (await taken.json()) as { files: { id: string }[] };
    const receipt = `${url}/v1/files/${files[0]?.id}`;
    assert.equal((await fetch(receipt)).status, 401);
    const told = (await (await fetch(receipt, { headers })).json()) as Record<string, unknown>;
    assert.deepEqual(Object.keys(told), ['id', 'stage', 'receivedAt'], 'the state, never the content');
    const api = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: Record<string, unknown> };
    assert.deepEqual(Object.keys(api.paths).toSorted(), ['/v1/files', '/v1/files/{id}']);
  });
});
