// A put that failed takes away what it left, and nothing that another process put there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { parseStoreUrl } from '../../src/store/s3-place.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import type { Store } from '../../src/store/store.ts';
import { scratch, type Scratch } from '../support/scratch.ts';

/** Objects by key, with their `x-amz-meta-*`. */
const objects = new Map<string, { readonly bytes: Buffer; readonly meta: Record<string, string> }>();
/** Answers 500 to every put of this key; `stored`: which it stores all the same. */
let trouble: { readonly key: string; readonly stored: boolean } | undefined;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://s3');
  const key = decodeURIComponent(url.pathname).split('/').slice(2).join('/');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const end = (status: number, body = ''): void => void response.writeHead(status).end(body);
  const object = objects.get(key);
  if (url.searchParams.has('list-type'))
    return end(200, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
  if (key === '') return end(200);
  if (request.method === 'PUT') {
    if (trouble?.key === key && (!trouble.stored || object !== undefined)) return end(500);
    if (request.headers['if-none-match'] === '*' && object !== undefined) return end(412);
    const meta = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('x-amz-meta')));
    objects.set(key, { bytes: Buffer.concat(chunks), meta: meta as Record<string, string> });
    return end(trouble?.key === key ? 500 : 200);
  }
  if (request.method === 'DELETE') objects.delete(key);
  else if (object === undefined) return end(404);
  response.writeHead(request.method === 'DELETE' ? 204 : 200, object?.meta);
  response.end(request.method === 'GET' ? object?.bytes : undefined);
}

describe('two processes on one bucket', () => {
  const server = createServer((request, response) => void answer(request, response));
  let folder: Scratch;
  let store: Store;
  before(async () => {
    folder = await scratch();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    store = await openS3Store(parseStoreUrl(`s3://k:s@127.0.0.1:${port}/town?tls=off`), 'spool', folder.path);
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await folder[Symbol.asyncDispose]();
  });

  it('a put that fails leaves what the other one put', { timeout: 60_000 }, async () => {
    await store.put('s', { name: 'link.used', content: Buffer.from('the first') });
    trouble = { key: 's/link.used', stored: false };
    await assert.rejects(store.put('s', { name: 'link.used', content: Buffer.from('the second') }));
    assert.equal(objects.get('s/link.used')?.bytes.toString(), 'the first');
  });

  it('a put that arrived and was told to fail is taken away, with those before it', { timeout: 60_000 }, async () => {
    trouble = { key: 's/b', stored: true };
    const both = ['a', 'b'].map((name) => ({ name, content: Buffer.from(name) }));
    await assert.rejects(store.put('s', ...both));
    assert.deepEqual(
      [...objects.keys()].filter((key) => key === 's/a' || key === 's/b'),
      [],
    );
  });
});
