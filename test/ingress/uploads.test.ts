// Uploads at the HTTP door: the page in Chromium with a broken line, the protocol by hand, keys, quotas.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { FastifyRequest } from 'fastify';
import { parseMessageId } from '../../src/message/id.ts';
import type { ApiKeys } from '../../src/ingress/api-keys.ts';
import { openHttpDoor } from '../../src/ingress/http-door.ts';
import { Uploads } from '../../src/ingress/uploads.ts';
import { openLog } from '../../src/ops/log.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { clientOf, Quota } from '../../src/ingress/upload-fault.ts';
import type { FaultPoint } from '../../src/store/fs-fault.ts';
import { openBrowser } from '../support/browser.ts';
import { DEAF_AUDIT } from '../support/door.ts';
import { startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

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

/** The door alone, on a spool of its own. */
async function bareDoor(keys?: ApiKeys) {
  const folder = await scratch();
  const spool = new Spool(await openFsStore(folder.path));
  const logged: unknown[] = [];
  let [pressed, spooled] = [false, 0];
  const door = await openHttpDoor(
    { host: '127.0.0.1', port: 0 },
    {
      pressure: () => (pressed ? { reason: 'disk', retryAfterSeconds: 123 } : undefined),
      spool,
      audit: DEAF_AUDIT,
      onSpooled: () => void (spooled += 1),
      domains: new Set(['city.example.lg.jp']),
      log: Object.assign(openLog('silent', 'test'), { error: (line: unknown) => void logged.push(line) }),
      metrics: openMetrics(false),
      apiKeys: keys === undefined ? undefined : () => keys,
    },
  );
  return {
    url: `http://127.0.0.1:${door.port}`,
    port: door.port,
    spool,
    logged,
    spooled: () => spooled,
    press: (on: boolean) => void (pressed = on),
    [Symbol.asyncDispose]: async () => {
      await door.close(100);
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('uploads', { timeout: 580_000 }, () => {
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
    await page.locator('#list li:has-text("処理を終えました")').waitFor({ timeout: 580_000 });
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
    const clientAt = (ip: string): string => clientOf({ ip } as FastifyRequest, undefined);
    assert.equal(
      clientAt('2001:db8:0:1::1'),
      clientAt('2001:db8:0:1:ffff::2'),
      'one household, however many addresses',
    );
    assert.notEqual(clientAt('2001:db8:0:1::1'), clientAt('2001:db8:0:2::1'));
    assert.equal(clientAt('::ffff:192.0.2.1'), clientAt('192.0.2.1'));
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

  it('an upload that ended tells so for an hour: nobody sends a file twice because the last answer was lost', async () => {
    await using door = await bareDoor();
    const place = door.url + ((await begin(door.url, 5)).headers.get('location') ?? '');
    const id = (await piece(place, 0, Buffer.from('hello'))).headers.get('mugai-id');
    const head = await fetch(place, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.deepEqual(
      ['upload-offset', 'upload-length', 'mugai-id'].map((name) => head.headers.get(name)),
      ['5', '5', id],
    );
    const uploads = new Uploads();
    const upload = { client: 'a', name: '', to: [], length: 0, writer: door.spool.begin(10), touched: 0 };
    const ended = uploads.add(upload);
    await uploads.finish(ended, upload, async () => 'message');
    assert.equal((await uploads.done(ended))?.message, 'message');
    uploads.sweep(Date.now() + 3_600_001);
    assert.equal(await uploads.done(ended), undefined);
    uploads.close();
  });

  it('uploads that rest or trickle make room when all places are taken, the slowest first; quick and young ones stay', async () => {
    const uploads = new Uploads();
    const now = 1_000_000_000;
    const begun = (client: string, size: number, at: number): string => {
      const writer = { size, write: () => undefined, finish: assert.fail, abort: () => void aborted.push(client) };
      return uploads.add({ client, name: '', to: [], length: 1e9, writer, touched: at }, at);
    };
    const aborted: string[] = [];
    try {
      const trickling = begun('trickles', 50_000, now);
      const body = new Readable({ read: () => undefined });
      const { end } = await uploads.begin(trickling, 50_000, body);
      body.once('close', end);
      const resting = begun('rests', 0, now);
      const quick = Array.from({ length: 98 }, (_, nth) => begun(`quick ${nth}`, 10_000_000, now));
      const full = (at: number): void => assert.throws(() => begun('new', 0, at), /Too many uploads/);
      full(now + 60_000); // nobody is slow yet
      const later = now + 300_000;
      begun('new', 0, later);
      assert.equal(uploads.find(resting), undefined, 'who gave nothing goes first');
      begun('new', 0, later);
      assert.equal(uploads.find(trickling), undefined);
      assert.equal(body.destroyed, true);
      full(later); // all others are quick, or young
      assert.ok(quick.every((id) => uploads.find(id) !== undefined));
      await until(() => aborted.length === 2, 60_000, 'what was written of them is gone');
      assert.deepEqual(aborted, ['rests', 'trickles']);
    } finally {
      uploads.close();
    }
  });

  it('a line that was dropped without a word does not hold its upload: who comes next goes on where it stood', async () => {
    await using door = await bareDoor();
    const path = (await begin(door.url, 1000)).headers.get('location') ?? '';
    const hung = connect(door.port, '127.0.0.1');
    hung.on('error', () => undefined);
    hung.write(
      `PATCH ${path} HTTP/1.1\r\nHost: x\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 1000\r\n\r\nabc`,
    );
    const place = door.url + path;
    const offset = async (): Promise<string | null> =>
      (await fetch(place, { method: 'HEAD' })).headers.get('upload-offset');
    await until(async () => (await offset()) === '3', 60_000, 'its bytes are here');
    assert.equal((await piece(place, 0, Buffer.alloc(1000))).status, 409, 'it stands elsewhere');
    const both = await Promise.all([0, 1].map(async () => piece(place, 3, Buffer.alloc(997, 'y'))));
    const statuses = both.map(({ status }) => status).toSorted((a, b) => a - b);
    assert.ok(statuses[0] === 204 && [404, 409].includes(statuses[1] ?? 0), `one of two, whole: ${statuses.join(' ')}`);
    const done = parseMessageId((await fetch(place, { method: 'HEAD' })).headers.get('mugai-id') ?? '');
    assert.ok(done !== undefined);
    const sha256 = createHash('sha256')
      .update(`abc${'y'.repeat(997)}`)
      .digest('hex');
    assert.equal((await door.spool.spooled(done))?.record.source.sha256, sha256);
    assert.equal(door.spooled(), 1);
    hung.destroy();
  });

  it('another kind of body is 415, another tus 412, too much waiting 503; nothing of it is logged as a fault of ours', async () => {
    await using door = await bareDoor();
    const path = (await begin(door.url, 5)).headers.get('location') ?? '';
    const patch = async (headers: Record<string, string>, body?: string): Promise<Response> =>
      fetch(door.url + path, {
        method: 'PATCH',
        headers: { 'Upload-Offset': '0', ...headers },
        ...(body === undefined ? {} : { body }),
      });
    const kinds = ['application/json', 'application/octet-stream', 'application/x-www-form-urlencoded', 'text/plain'];
    for (const kind of kinds) assert.equal((await patch({ 'Content-Type': kind }, '{}')).status, 415, kind);
    const none = await patch({});
    assert.equal(none.status, 415);
    assert.equal(none.headers.get('tus-resumable'), '1.0.0');
    const pieces = { 'Content-Type': 'application/offset+octet-stream' };
    for (const other of [
      await patch({ ...pieces, 'Tus-Resumable': '0.2.2' }, 'hello'),
      await begin(door.url, 5, 'x', { 'Tus-Resumable': '2.0.0' }),
    ]) {
      assert.equal(other.status, 412);
      assert.equal(other.headers.get('tus-version'), '1.0.0');
    }
    door.press(true);
    for (const busy of [await begin(door.url, 5), await patch(pieces, 'hello')]) {
      assert.equal(busy.status, 503);
      assert.equal(busy.headers.get('retry-after'), '123');
    }
    door.press(false);
    assert.equal((await patch(pieces, 'hello')).status, 204);
    assert.deepEqual(door.logged, []);
  });

  it('an empty file is complete when it is announced', async () => {
    await using door = await bareDoor();
    const made = await begin(door.url, 0);
    assert.equal(made.status, 201);
    const id = parseMessageId(made.headers.get('mugai-id') ?? '');
    assert.ok(id !== undefined);
    assert.equal((await door.spool.spooled(id))?.record.source.size, 0);
    const head = await fetch(door.url + (made.headers.get('location') ?? ''), { method: 'HEAD' });
    assert.equal(head.headers.get('mugai-id'), id);
  });

  it('a receipt is for the key that sent the file', async () => {
    const [one, two] = [randomBytes(24).toString('base64url'), randomBytes(24).toString('base64url')];
    const digest = (key: string): string => createHash('sha256').update(key).digest('hex');
    await using door = await bareDoor(
      new Map([
        [digest(one), 'suido'],
        [digest(two), 'gesui'],
      ]),
    );
    const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
    const body = new FormData();
    body.append('to', TO);
    body.append('file', new Blob(['x']), 'x.txt');
    const taken = await fetch(`${door.url}/v1/files`, { method: 'POST', body, headers: as(one) });
    const { files } = (await taken.json()) as { files: { id: string }[] };
    const ids = [files[0]?.id, (await begin(door.url, 0, 'y.txt', as(one))).headers.get('mugai-id')];
    for (const id of ids)
      assert.deepEqual(
        await Promise.all(
          [one, two].map(async (key) => (await fetch(`${door.url}/v1/files/${id}`, { headers: as(key) })).status),
        ),
        [200, 404],
      );
  });

  it('the page sends a file once: at a double click, and when the last answer is lost; it goes slowly where it is refused', async () => {
    await using door = await bareDoor();
    await using browser = await openBrowser();
    const { page } = browser;
    const send = async (act: () => Promise<void>): Promise<void> => {
      await page.goto(door.url);
      await page.fill('#to', TO);
      await page.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
      await act();
    };
    const place = '**/v1/uploads/*';
    const received = page.locator('#list li:has-text("受け付けました。無害化しています")');
    await send(async () => page.dblclick('button'));
    await received.waitFor();
    assert.match(await received.innerText(), /Received\. It is being made harmless\. \([0-9a-z]{26}\)/);
    await page.locator('button:enabled').waitFor();
    assert.equal(await page.locator('#list li').count(), 1);
    assert.equal(door.spooled(), 1);

    let lost = 0;
    await page.route(place, async (route) => {
      if (route.request().method() !== 'PATCH' || lost++ > 0) return route.continue();
      await route.fetch();
      return route.abort('connectionreset');
    });
    await send(async () => page.click('button'));
    await received.waitFor();
    assert.equal(lost, 1);
    assert.equal(door.spooled(), 2);
    await page.unroute(place);

    let refused = 0;
    await page.route(place, async (route) => {
      if (route.request().method() !== 'PATCH') return route.continue();
      refused += 1;
      return route.fulfill({ status: 409, json: {} });
    });
    await send(async () => page.click('button'));
    await until(() => refused >= 2, 60_000, 'it tries again');
    const [already, from] = [refused, performance.now()];
    await page.waitForTimeout(4000);
    // It waited half a second, waits a second now, then twice as long each time; what was told late is forgiven a second.
    const most = Math.floor(Math.log2(2 + (performance.now() - from) / 1000));
    assert.ok(refused - already <= most, `${refused - already} times in 4 seconds`);
  });

  it('an address that cannot be decoded is not there, as any other', async () => {
    await using door = await bareDoor();
    for (const path of ['/v1/files/%E0%A4%A', `/v1/files/${'a'.repeat(500)}`, '/nothing']) {
      const answer = await fetch(door.url + path);
      assert.equal(answer.status, 404, path);
      assert.deepEqual(await answer.json(), { error: 'not-found', message: 'There is nothing here.' });
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    }
  });
});

describe('Retry-After at the HTTP door', () => {
  it('is what the house knows, the same for a form and for pieces, whenever it says later', async () => {
    await using door = await bareDoor();
    door.press(true);
    const form = new FormData();
    form.set('to', 'staff@city.example.lg.jp');
    form.set('file', new Blob(['x']), 'x.txt');
    const asked = {
      form: await fetch(`${door.url}/v1/files`, { method: 'POST', body: form }),
      pieces: await fetch(`${door.url}/v1/uploads`, { method: 'POST', headers: { 'Upload-Length': '1' } }),
    };
    for (const [way, answer] of Object.entries(asked)) {
      assert.equal(answer.status, 503, way);
      assert.equal(answer.headers.get('retry-after'), '123', way);
    }
    door.press(false);
    const to = `to ${Buffer.from('staff@city.example.lg.jp').toString('base64')}`;
    let last: Response | undefined;
    for (let sent = 0; sent < 50 && last?.status !== 429; sent += 1)
      last = await fetch(`${door.url}/v1/uploads`, {
        method: 'POST',
        headers: { 'Upload-Length': '1', 'Upload-Metadata': to },
      });
    assert.equal(last?.status, 429);
    const seconds = Number(last.headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= 3600, `${seconds}`);
  });

  it('of the hour’s quota is the rest of the hour', () => {
    const quota = new Quota(100);
    const hour = 3_600_000 * 500_000;
    quota.take('a', 100, hour);
    assert.throws(() => quota.take('a', 1, hour + 600_000), { statusCode: 429, retryAfterSeconds: 3000 });
  });
});
