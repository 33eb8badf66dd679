// `mugai user`, `mugai apikey`, `mugai index rebuild`, as an administrator types them.
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { entriesOf } from '../../src/audit/export.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { firstAdministrator, messageId, PASSWORD, portalUrl, Visitor } from '../support/portal.ts';
import { mugai } from '../support/run-command.ts';
import { scratch, until } from '../support/scratch.ts';

async function changes(root: string, zone: string): Promise<string[]> {
  const told: string[] = [];
  // Beside a gateway that runs, a command has a chain of its own.
  for (const chain of (await readdir(join(root, 'journal'))).filter((name) => name.startsWith(zone)))
    for await (const line of entriesOf(join(root, 'journal', chain), { act: 'changed' }))
      told.push(`${String(line.detail?.['what'])} ${String(line.detail?.['of'])}`);
  return told;
}

describe('commands for the portal', { timeout: 580_000 }, () => {
  it('a person is added, signs in with the code, is listed, gets a new code, is disabled; each in the journal', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: folder.path };
    const added = await mugai(
      [
        'user',
        'add',
        'Tanaka',
        '--display',
        '田中',
        '--address',
        't@city.example.lg.jp',
        '--shared',
        's@city.example.lg.jp',
      ],
      env,
    );
    assert.equal(added.code, 0, added.stderr);
    const code = /one-time code {2}(\S+)/.exec(added.stdout)?.[1] ?? '';
    const listed = await mugai(['user', 'list'], env);
    assert.equal(listed.stdout.trim(), 'tanaka  staff  t@city.example.lg.jp  s@city.example.lg.jp');
    const json = JSON.parse((await mugai(['user', 'list', '--json'], env)).stdout) as {
      name: string;
      hasPassword: boolean;
    };
    assert.deepEqual([json.name, json.hasPassword], ['tanaka', false]);
    assert.ok(!JSON.stringify(json).includes(code));

    await using gateway = await startTestGateway(folder.path);
    assert.equal(gateway.portal?.firstCode, undefined, 'there are people: nobody becomes administrator by a code');
    const tanaka = new Visitor(portalUrl(gateway));
    assert.equal((await tanaka.post('/first', { code, password: PASSWORD, again: PASSWORD }, '/first')).status, 303);
    assert.equal((await tanaka.get('/messages')).status, 200);
    const again = await mugai(['user', 'code', 'tanaka'], env);
    assert.match(again.stdout, /one-time code/);
    assert.equal((await mugai(['user', 'disable', 'tanaka'], env)).code, 0);
    assert.equal((await tanaka.get('/messages')).status, 303, 'signed out at once');
    assert.match((await mugai(['user', 'list'], env)).stdout, /^tanaka {2}disabled/);
    for (const args of [
      ['user'],
      ['user', 'add'],
      ['user', 'add', 'Bad Name'],
      ['user', 'add', 'x', '--role', 'king'],
      ['user', 'add', 'x', '--address', 'nowhere'],
      ['user', 'add', 'tanaka', 'more'],
      ['user', 'code', 'nobody'],
      ['user', 'disable', 'nobody'],
      ['user', 'list', 'x'],
    ]) {
      const { code: exit, stderr } = await mugai(args, env);
      assert.equal(exit, 2, args.join(' '));
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
    assert.notEqual((await mugai(['user', 'add', 'tanaka'], env)).code, 0, 'there is one already');
    assert.deepEqual((await changes(folder.path, 'inner')).slice(0, 1), ['person added tanaka']);
  });

  it('an API key is shown once, kept as its digest, taken by the door that runs, and revoked', async () => {
    await using folder = await scratch();
    const file = join(folder.path, 'api-keys');
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data'), MUGAI_API_KEYS: file };
    await writeFile(file, '# senders\n');
    await using gateway = await startTestGateway(env.MUGAI_DATA_DIR, { MUGAI_API_KEYS: file });
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    const status = async (key: string): Promise<number> => {
      const body = new FormData();
      body.append('to', 'staff@city.example.lg.jp');
      body.append('file', new Blob(['x']), 'x.txt');
      return (await fetch(url, { method: 'POST', body, headers: { authorization: `Bearer ${key}` } })).status;
    };
    assert.equal(await status('a'.repeat(43)), 401, 'a file without keys lets nobody send');
    const made = await mugai(['apikey', 'create', 'suido'], env);
    assert.equal(made.code, 0, made.stderr);
    const key = /key of suido {2}([\w-]{43})/.exec(made.stdout)?.[1] ?? '';
    const kept = await readFile(file, 'utf8');
    assert.ok(!kept.includes(key));
    assert.match(kept, /^# senders\nsuido [0-9a-f]{64}\n$/);
    await until(async () => (await status(key)) === 202, 60_000, 'the door takes it');
    assert.equal((await mugai(['apikey', 'create', 'suido'], env)).code, 2, 'one of that name');
    assert.equal((await mugai(['apikey', 'create', 'gesui'], env)).code, 0);
    assert.equal((await mugai(['apikey', 'list'], env)).stdout, 'gesui\nsuido\n');
    assert.equal((await mugai(['apikey', 'revoke', 'suido'], env)).code, 0);
    await until(async () => (await status(key)) === 401, 60_000, 'it opens nothing any more');
    assert.equal((await mugai(['apikey', 'list'], env)).stdout, 'gesui\n');
    for (const args of [['apikey'], ['apikey', 'create'], ['apikey', 'create', 'a b'], ['apikey', 'revoke', 'suido']])
      assert.equal((await mugai(args, env)).code, 2, args.join(' '));
    const unset = await mugai(['apikey', 'list'], { MUGAI_DATA_DIR: env.MUGAI_DATA_DIR });
    assert.equal(unset.code, 2);
    assert.match(unset.stderr, /MUGAI_API_KEYS/);
    await writeFile(file, 'no line of ours\n');
    assert.equal((await mugai(['apikey', 'list'], env)).code, 2);
    assert.deepEqual(
      (await changes(env.MUGAI_DATA_DIR, 'outer')).filter((line) => line.startsWith('api-key')).toSorted(),
      ['api-key-created gesui', 'api-key-created suido', 'api-key-revoked suido'],
    );
  });

  it('the index is made anew beside a gateway that runs; people stay signed in, read marks stay', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const visitor = await firstAdministrator(gateway, 'kanri', 'staff@city.example.lg.jp');
    await sendMail(gateway.smtpPort ?? 0, plainMail('一通目'));
    const id = await messageId(visitor, '一通目');
    assert.equal((await visitor.get(`/messages/${id}`)).status, 200);
    const made = await mugai(['index', 'rebuild'], { MUGAI_DATA_DIR: folder.path });
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^1 messages in [\d.]+ s \(\d+ a second\)\n$/);
    await sendMail(gateway.smtpPort ?? 0, plainMail('二通目'));
    await messageId(visitor, '二通目');
    const list = await (await visitor.get('/messages')).text();
    assert.equal(list.match(/class="unread"/g)?.length, 1, 'the first one is still read');
    assert.equal(await messageId(visitor, '一通目'), id);
    assert.equal((await mugai(['index'], { MUGAI_DATA_DIR: folder.path })).code, 2);
  });

  it('the index is not made anew from an outbox whose mount is lost', async () => {
    await using folder = await scratch();
    {
      await using gateway = await startTestGateway(folder.path);
      const visitor = await firstAdministrator(gateway, 'kanri', 'staff@city.example.lg.jp');
      await sendMail(gateway.smtpPort ?? 0, plainMail('一通目'));
      await messageId(visitor, '一通目');
    }
    const outbox = join(folder.path, 'outbox');
    const file = join(folder.path, 'portal', 'index.sqlite');
    const before = await readFile(file);
    await rename(outbox, join(folder.path, 'away'));
    await mkdir(outbox);
    const refused = await mugai(['index', 'rebuild'], { MUGAI_DATA_DIR: folder.path });
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /outbox is empty.*mount lost/);
    assert.deepEqual(await readFile(file), before, 'the list that stands is whole');
    await rm(outbox, { recursive: true });
    await rename(join(folder.path, 'away'), outbox);
    const made = await mugai(['index', 'rebuild'], { MUGAI_DATA_DIR: folder.path });
    assert.match(made.stdout, /^1 messages/, made.stderr);
    // Where nothing was ever known, there is nothing to lose.
    await using other = await scratch();
    await cp(join(folder.path, 'keys'), join(other.path, 'keys'), { recursive: true });
    const empty = await mugai(['index', 'rebuild'], { MUGAI_DATA_DIR: other.path });
    assert.equal(empty.code, 0, empty.stderr);
  });
});
