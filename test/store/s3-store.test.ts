// The S3 driver against a real service (OpenStack Swift with s3api), and what is refused before anything is written.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MugaiError } from '../../src/message/errors.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { S3Bucket } from '../../src/store/s3-bucket.ts';
import { parseStoreUrl, type S3Place } from '../../src/store/s3-place.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import { commitCodec, partKey } from '../../src/store/s3-whole.ts';
import { stage, type Store } from '../../src/store/store.ts';
import { scratch, type Scratch } from '../support/scratch.ts';
import { startSwift, type TestS3 } from '../support/swift.ts';

const signal = new AbortController().signal;
const text = (words: string): Buffer => Buffer.from(words);

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof MugaiError && error.code === code;
}

describe('s3 store', () => {
  let swift: TestS3;
  let folder: Scratch;
  let place: S3Place;
  let store: Store;
  let bucket: S3Bucket;
  before(async () => {
    swift = await startSwift();
    folder = await scratch();
    place = parseStoreUrl(await swift.place('town'));
    store = await openS3Store(place, 'spool', folder.path);
    bucket = new S3Bucket(place, 'town-spool');
  });
  after(async () => {
    await swift[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('gives back what was committed and put, small and large, with its digest', async () => {
    for (const size of [0, 1, LIMITS.inlineBytes, LIMITS.inlineBytes + 1, 3_000_000]) {
      const bytes = Buffer.alloc(size, `${size} `);
      const staged = await stage(store, chunksOf(bytes), 10_000_000, signal);
      assert.equal(staged.size, size);
      const entries = [
        { name: 'raw', content: staged },
        { name: 'files/会議 1.pdf', content: text('a') },
      ];
      assert.equal(await store.commit(`s/${size}`, entries), 'stored');
      assert.deepEqual(await store.get(`s/${size}`, 'raw', 10_000_000), bytes);
      assert.deepEqual(await store.get(`s/${size}`, 'files/会議 1.pdf', 10), text('a'));
      assert.deepEqual(await store.list(`s/${size}`), ['files', 'raw']);
      assert.deepEqual(await store.list(`s/${size}/files`), ['会議 1.pdf']);
      assert.equal(await store.has(`s/${size}`, 'raw'), true);
      assert.equal(await store.has(`s/${size}`, 'row'), false);
      const again = await stage(store, chunksOf(bytes), 10_000_000, signal);
      assert.equal(await store.put('shard', { name: `${size}.raw`, content: again }), 'stored');
      const opened = await store.open('shard', `${size}.raw`);
      assert.equal(opened?.size, size);
      const chunks: Uint8Array[] = [];
      for await (const chunk of opened.stream) chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), bytes);
    }
    assert.deepEqual(await store.list(''), ['s', 'shard']);
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), [], 'nothing waits here any more');
  });

  it('keeps the first of two commits, of two puts and of two notes', async () => {
    const entry = (words: string) => ({ name: 'a', content: text(words) });
    assert.equal(await store.commit('t/x', [entry('first')]), 'stored');
    assert.equal(await store.commit('t/x', [entry('second')]), 'exists');
    assert.equal(await store.put('t/x', entry('third')), 'exists');
    assert.equal(await store.put('t/x', { name: 'b', content: text('b') }), 'stored');
    assert.equal((await store.get('t/x', 'a', 100))?.toString(), 'first');
    assert.equal((await store.get('t/x', 'b', 100))?.toString(), 'b');
    await store.note('t/y', 'n', text('first'));
    await store.note('t/y', 'n', text('second'));
    assert.equal((await store.get('t/y', 'n', 100))?.toString(), 'first');
    assert.equal(
      await store.put('t/y', { name: 'm', content: text('m') }, { name: 'n', content: text('no') }),
      'exists',
    );
    assert.equal(await store.get('t/y', 'm', 100), undefined, 'none is added where one is there');
    assert.equal(await store.commit('t/y', [entry('late')]), 'exists', 'the folder was there already');
  });

  it('is one store for two machines', async () => {
    await using other = await scratch();
    const second = await openS3Store(place, 'spool', other.path);
    assert.equal(await second.has('u', 'record'), false);
    await store.put('u', { name: 'record', content: text('1') });
    assert.equal(await second.has('u', 'record'), true);
    assert.equal(await second.put('u', { name: 'record', content: text('2') }), 'exists');
    assert.equal(await second.get('u/package', 'manifest', 10), undefined);
    await store.commit('u/package', [{ name: 'manifest', content: text('m') }]);
    assert.equal((await second.get('u/package', 'manifest', 10))?.toString(), 'm');
    assert.deepEqual(await second.list('u'), ['package', 'record']);
    await second.delete('u/package');
    assert.equal(await store.get('u/package', 'manifest', 10), undefined);
  });

  it('deletes an object, one file of a committed folder, a folder, and what lies beside it', async () => {
    const large = await stage(store, chunksOf(Buffer.alloc(200_000)), 1_000_000, signal);
    await store.commit('d/x', [
      { name: 'manifest', content: text('m') },
      { name: 'files/large', content: large },
    ]);
    assert.equal((await bucket.keys('.parts/')).length > 0, true);
    await store.delete('d/x/manifest');
    assert.equal(await store.has('d/x', 'manifest'), false);
    assert.deepEqual(await store.list('d/x'), ['files']);
    const parts = await bucket.keys('.parts/');
    await store.delete('d/x');
    assert.deepEqual(await store.list('d'), []);
    assert.equal((await bucket.keys('.parts/')).length, parts.length - 1);
    assert.deepEqual(await bucket.keys('.commits/'), [], 'no commit is under way');
    await store.put('d', { name: 'one', content: text('1') }, { name: 'two', content: text('2') });
    await store.delete('d/one');
    assert.deepEqual(await store.list('d'), ['two']);
    await store.delete('d');
    assert.deepEqual(await store.list('d'), []);
    await store.delete('no');
  });

  it('lists more names than one answer holds, and as few as wanted', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const name of names) await store.put('l', { name, content: new Uint8Array() });
    const inner = { name: 'x', content: new Uint8Array() };
    for (const name of ['h', 'i']) await store.put(`l/${name}`, inner, { ...inner, name: 'y' });
    const pages = new S3Bucket(place, 'town-spool', 2);
    assert.deepEqual(await pages.names('l/'), [...names, 'h', 'i']);
    assert.equal((await pages.keys('l/')).length, 11);
    assert.deepEqual(await store.list('l'), [...names, 'h', 'i']);
    assert.equal((await store.list('l', 4)).length, 4);
    assert.deepEqual(await store.list('no', 7), []);
  });

  it('knows absence from failure, and more than the cap from both', async () => {
    assert.equal(await store.get('no', 'no', 10), undefined);
    assert.equal(await store.open('no', 'no'), undefined);
    await store.put('cap', { name: 'a', content: text('12345678901') });
    await assert.rejects(store.get('cap', 'a', 10), isCode('too-large'));
    await assert.rejects(new S3Bucket(place, 'town-nothing').get('a'), isCode('store-failed'));
    await assert.rejects(stage(store, chunksOf(Buffer.alloc(200_001)), 200_000, signal), isCode('too-large'));
    assert.deepEqual(readdirSync(join(folder.path, 'tmp')), []);
  });

  it('a process that died in a commit leaves no folder; what it left is removed after an hour, and nothing else', async () => {
    const note = (of: string, parts: string, ago: number) =>
      bucket.put(`.commits/${parts}.json`, commitCodec.encode({ folder: of, parts, at: Date.now() - ago }));
    const [dead, young] = ['a'.repeat(24), 'b'.repeat(24)];
    for (const parts of [dead, young]) await bucket.put(partKey(parts, 0), text('left'));
    await note('gone/x', dead, 3_600_001);
    await note('gone/y', young, 0);
    const large = await stage(store, chunksOf(Buffer.alloc(200_000)), 1_000_000, signal);
    await store.commit('kept/x', [{ name: 'large', content: large }]);
    await openS3Store(place, 'spool', folder.path);
    assert.deepEqual(await store.list('gone'), []);
    assert.deepEqual(await bucket.keys(`.parts/${dead}/`), []);
    assert.equal((await bucket.keys(`.parts/${young}/`)).length, 1, 'another process may be at it');
    assert.equal((await store.get('kept/x', 'large', 1_000_000))?.length, 200_000);
  });

  it('refuses a service that overwrites what it was told to keep', async () => {
    const server = createServer((request, response) => request.resume().on('end', () => response.end()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const careless = parseStoreUrl(`s3://k:s@127.0.0.1:${port}/town?tls=off`);
      await assert.rejects(openS3Store(careless, 'spool', folder.path), /does not keep what is there when told so/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('a wrong key, an unknown bucket and a service that is not there are one line without the secret', async () => {
    const wrong = { ...place, secret: 'another' };
    await assert.rejects(openS3Store(wrong, 'spool', folder.path), isCode('bad-config'));
    await assert.rejects(
      openS3Store({ ...place, name: 'village' }, 'spool', folder.path),
      /no usable bucket village-spool/,
    );
    const nowhere = { ...place, endpoint: 'http://127.0.0.1:1' };
    await assert.rejects(openS3Store(nowhere, 'spool', folder.path), (error) => {
      assert.ok(error instanceof MugaiError && error.code === 'bad-config');
      assert.doesNotMatch(error.message, /not-a-secret|\n/);
      return true;
    });
  });
});

describe('MUGAI_STORE_URL', () => {
  it('is read whole', () => {
    assert.deepEqual(parseStoreUrl('s3://key:s%2Fecret@s3.example:8443/mugai?region=ap-northeast-1'), {
      endpoint: 'https://s3.example:8443',
      region: 'ap-northeast-1',
      accessKey: 'key',
      secret: 's/ecret',
      name: 'mugai',
    });
    assert.equal(parseStoreUrl('s3://k:s@[::1]:9000/m1?tls=off').endpoint, 'http://[::1]:9000');
  });

  for (const [url, why] of [
    ['http://k:s@h/m', /must be an s3:/],
    ['s3://k:s@h/', /after the host stands one name/],
    ['s3://k:s@h/Mugai', /small letters/],
    ['s3://k:s@h/mu/gai', /one name/],
    ['s3://k:s@h/mugai?tsl=off', /"tsl"/],
    ['s3://k:s@h/mugai?tls=no', /tls=on nor tls=off/],
    ['s3://k:s@10.0.0.1/mugai?tls=off', /another machine, 10\.0\.0\.1, without TLS/],
    ['s3://k@h/mugai', /needs a key and its secret/],
    ['s3://k:%zz@h/mugai', /written %25/],
  ] as const) {
    it(`refuses ${url} with its reason`, () => {
      assert.throws(
        () => parseStoreUrl(url),
        (error) => isCode('bad-config')(error) && why.test(String(error)),
      );
    });
  }
});
