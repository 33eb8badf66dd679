// The narrow way back: only small, schema-checked files cross, and only the worker reads a password.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { newMessageId } from '../../src/message/id.ts';
import { MugaiError } from '../../src/message/errors.ts';
import { PasswordAllowance } from '../../src/requests/allowance.ts';
import { generateRequestKeys, loadRequestKey, loadSealingKey } from '../../src/requests/keys.ts';
import { REQUEST_BYTES, decodeRequest, encodeRequest, type Request } from '../../src/requests/request.ts';
import { RequestReader, RequestWriter, type Found } from '../../src/requests/requests.ts';
import { openPasswords, sealPasswords } from '../../src/requests/sealed-box.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

const isCode = (code: string) => (error: unknown) => error instanceof MugaiError && error.code === code;
/** What is in all files that wait. */
async function all(reader: RequestReader): Promise<Found[]> {
  const found = await Promise.all((await reader.names()).map(async (name) => reader.read(name)));
  return found.filter((one) => one !== undefined);
}

const context = { request: newMessageId(), id: newMessageId(), part: '1.2' };

describe('a sealed box of passwords', () => {
  const worker = generateKeyPairSync('x25519');

  it('opens with the worker’s key and holds what went in, whatever its characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }), { minLength: 1, maxLength: 5 }),
        (passwords) => {
          const given = passwords.map((one) => one.slice(0, 40).toWellFormed()).filter((one) => one !== '');
          if (given.length === 0) return;
          assert.deepEqual(
            openPasswords(sealPasswords(given, worker.publicKey, context), worker.privateKey, context),
            given,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('does not tell the length of a password, and is never twice the same', () => {
    const one = sealPasswords(['a'], worker.publicKey, context);
    const other = sealPasswords(['b'.repeat(100), 'c'.repeat(100)], worker.publicKey, context);
    assert.equal(one.length, other.length);
    assert.notEqual(one, sealPasswords(['a'], worker.publicKey, context));
  });

  it('does not open for another message, part, request or key, nor after any change', () => {
    const box = sealPasswords(['secret'], worker.publicKey, context);
    for (const moved of [
      { ...context, id: newMessageId() },
      { ...context, part: '1' },
      { ...context, request: newMessageId() },
    ])
      assert.throws(() => openPasswords(box, worker.privateKey, moved), isCode('bad-input'));
    assert.throws(() => openPasswords(box, generateKeyPairSync('x25519').privateKey, context), isCode('bad-input'));
    const bytes = Buffer.from(box, 'base64');
    for (const at of [0, 31, 32, 44, 500, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => openPasswords(changed.toString('base64'), worker.privateKey, context), isCode('bad-input'));
    }
    assert.throws(() => openPasswords('AAAA', worker.privateKey, context), isCode('bad-input'));
  });

  it('refuses none, too many, empty and endless passwords', () => {
    for (const wrong of [
      [],
      ['1', '2', '3', '4', '5', '6'],
      [''],
      ['x'.repeat(128)],
      Array<string>(5).fill('漢'.repeat(127)),
    ])
      assert.throws(() => sealPasswords(wrong, worker.publicKey, context), isCode('bad-input'));
  });
});

describe('a request', () => {
  const at = new Date().toISOString();
  const render: Request = {
    kind: 'render',
    request: newMessageId(),
    id: newMessageId(),
    part: '1',
    by: 'sato',
    at,
    dpi: 200,
    from: 1,
    to: 3,
  };

  it('is what its schema says and nothing more', () => {
    for (const one of [render, { ...render, colour: true } as const])
      assert.deepEqual(decodeRequest(encodeRequest(one)), one);
    for (const wrong of [
      { ...render, extra: 1 },
      { ...render, kind: 'delete' },
      { ...render, dpi: 301 },
      { ...render, colour: false },
      { ...render, id: '../../etc/passwd' },
      { ...render, part: '1/2' },
      { ...render, by: '' },
    ])
      assert.throws(() => decodeRequest(Buffer.from(JSON.stringify(wrong))), isCode('bad-record'));
  });

  it('is at most 4 KiB, however it is padded', () => {
    const bytes = Buffer.concat([encodeRequest(render), Buffer.alloc(REQUEST_BYTES, ' ')]);
    assert.throws(() => decodeRequest(bytes), isCode('bad-record'));
  });

  it('with five long passwords still fits', () => {
    const { publicKey } = generateKeyPairSync('x25519');
    const box = sealPasswords(['x'.repeat(127), 'y'.repeat(127)], publicKey, context);
    const { length } = encodeRequest({ kind: 'password', ...context, by: '名'.repeat(200), at, box });
    assert.ok(length <= REQUEST_BYTES, `${length} bytes`);
  });
});

describe('the requests folder', () => {
  it('carries a password from the inner side to the worker, and nobody who looks at the disk sees it', async () => {
    await using place = await scratch();
    const [own, open] = [join(place.path, 'keys', 'request-key.pem'), join(place.path, 'keys', 'sealing-key.pem')];
    await generateRequestKeys(own, open);
    await assert.rejects(generateRequestKeys(own, open), isCode('already-there'));
    const folder = join(place.path, 'requests');
    const writer = new RequestWriter(await openFsStore(folder), await loadSealingKey(open));
    const id = newMessageId();
    const request = await writer.password({ id, part: '1.2', by: 'sato' }, ['ひみつ-4711xyz']);
    for (const name of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (name.isFile())
        assert.doesNotMatch(await readFile(join(name.parentPath, name.name), 'utf8'), /ひみつ|4711xyz/u);
    assert.ok(await writer.waiting(request));

    const reader = new RequestReader(await openFsStore(folder));
    const [found, ...rest] = await all(reader);
    assert.ok(found !== undefined && 'request' in found && rest.length === 0);
    assert.equal(found.request.id, id);
    assert.ok(found.request.kind === 'password');
    assert.deepEqual(openPasswords(found.request.box, await loadRequestKey(own), found.request), ['ひみつ-4711xyz']);
    await reader.remove(found.name);
    assert.deepEqual(await all(reader), []);
    assert.ok(!(await writer.waiting(request)));
  });

  it('tells a file that is no request, and goes on', async () => {
    await using place = await scratch();
    const folder = join(place.path, 'waiting');
    await mkdir(folder);
    await writeFile(join(folder, 'a.json'), '{"kind":"password"');
    await writeFile(join(folder, 'b.json'), 'x'.repeat(5000));
    const writer = new RequestWriter(await openFsStore(place.path), generateKeyPairSync('x25519').publicKey);
    const request = await writer.original(
      { id: newMessageId(), part: '1', by: 'sato' },
      {
        purpose: '原本の確認',
        approvedBy: 'suzuki',
        sha256: 'a'.repeat(64),
        token: 'b'.repeat(64),
        notBefore: new Date().toISOString(),
        expires: new Date().toISOString(),
      },
    );
    await writeFile(join(folder, `${newMessageId()}.json`), await readFile(join(folder, `${request}.json`)));
    const found = await all(new RequestReader(await openFsStore(place.path)));
    assert.equal(found.filter((one) => 'fault' in one).length, 3);
    assert.deepEqual(
      found.flatMap((one) => ('request' in one ? [one.request.request] : [])),
      [request],
    );
  });

  it('keys of another kind, or none, are told in one line', async () => {
    await using place = await scratch();
    const file = join(place.path, 'key.pem');
    await assert.rejects(loadRequestKey(file), /does not exist/);
    await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await assert.rejects(loadRequestKey(file), /ed25519 key, not X25519/);
    await writeFile(file, 'nothing');
    await assert.rejects(loadSealingKey(file), /not a key in PEM/);
  });
});

describe('guessing passwords', () => {
  it('five requests a message and thirty a person in a quarter of an hour, then a wait', () => {
    const allowance = new PasswordAllowance();
    const taken = (id: string, by: string, now: number): boolean => allowance.take(id, by, now);
    for (let i = 0; i < 5; i++) assert.ok(taken('a', 'sato', 0));
    assert.ok(!taken('a', 'sato', 1000));
    assert.ok(!taken('a', 'another', 1000));
    for (let i = 0; i < 25; i++) assert.ok(taken(`m${i}`, 'sato', 0));
    assert.ok(!taken('z', 'sato', 1000));
    assert.ok(taken('a', 'sato', 15 * 60_000));
  });
});
