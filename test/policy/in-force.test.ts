// The policy in force: a change is taken although the journal failed once, and one made while nothing ran is told at the start.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config.ts';
import type { ActEntry } from '../../src/message/act.ts';
import { approve, propose } from '../../src/policy/two-persons.ts';
import { openPolicy } from '../../src/zones/policy.ts';
import { scratch, until } from '../support/scratch.ts';

test('a change is taken although the journal failed once; one that is no policy, or was made in a stop, is told', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  const write = async (version: string) => writeFile(file, `name: a\nversion: '${version}'\n`);
  const config = readConfig({ MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file });
  let fails = 0;
  const told: unknown[] = [];
  const errors: unknown[] = [];
  const start = async () => {
    let stop: (leftMs: number) => Promise<void> = async () => undefined;
    const policy = await openPolicy(config, 'inner', {
      log: { info: () => undefined, error: (fields: { error: string }) => void errors.push(fields.error) } as never,
      life: { started: (_what: string, end: typeof stop) => void (stop = end) },
      audit: {
        append: async ({ detail }: ActEntry) => {
          if (fails-- > 0) throw new Error('journal: ENOSPC');
          told.push(detail?.['policy']);
          return 'inner-00000000:1:';
        },
      },
      lookMs: 20,
    });
    return { policy, stop: async () => stop(0) };
  };
  await write('1');
  const first = await start();
  assert.deepEqual(told, [], 'nothing changed');
  fails = 2;
  await write('two');
  await until(async () => first.policy.current.version === 'two', 60_000, 'the change is taken');
  assert.deepEqual([told, errors], [['a two'], ['journal: ENOSPC']]);
  await writeFile(file, 'no policy');
  await until(async () => errors.length === 2, 60_000, 'a text that is no policy is told');
  assert.equal(first.policy.current.version, 'two');
  await first.stop();
  await write('three');
  await (await start()).stop();
  assert.deepEqual(told, ['a two', 'a three']);
  await (await start()).stop();
  assert.deepEqual(told, ['a two', 'a three'], 'the same policy again is no change');
});

test('a policy that is put in its place while the one before is told of at a start is taken', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  const write = async (version: string) => writeFile(file, `name: a\nversion: '${version}'\n`);
  const config = readConfig({ MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file });
  const start = async (append: () => Promise<unknown>) => {
    let stop: (leftMs: number) => Promise<void> = async () => undefined;
    const policy = await openPolicy(config, 'inner', {
      log: { info: () => undefined, error: () => undefined } as never,
      life: { started: (_what: string, end: typeof stop) => void (stop = end) },
      audit: { append: async () => append().then(() => 'inner-00000000:1:') },
      lookMs: 20,
    });
    return { policy, [Symbol.asyncDispose]: async () => stop(0) };
  };
  await write('1');
  {
    await using _ = await start(async () => undefined);
  }
  await write('two');
  await using second = await start(async () => write('three'));
  assert.equal(second.policy.current.version, 'two');
  await until(async () => second.policy.current.version === 'three', 60_000, 'what came meanwhile is taken');
});

test('a data folder that takes nothing but its stores keeps no gateway from its start: what cannot be kept is told', async () => {
  await using root = await scratch();
  await writeFile(join(root.path, 'data'), 'no folder: nothing can be made under it');
  const file = join(root.path, 'policy.yaml');
  await writeFile(file, "name: a\nversion: '1'\n");
  for (const more of [{}, { MUGAI_POLICY_FILE: file }]) {
    const errors: unknown[] = [];
    const config = { ...readConfig({ MUGAI_DATA_DIR: root.path, ...more }), dataDir: join(root.path, 'data') };
    let stop: (leftMs: number) => Promise<void> = async () => undefined;
    const policy = await openPolicy(config, 'inner', {
      log: { info: () => undefined, error: (fields: { error: string }) => void errors.push(fields.error) } as never,
      life: { started: (_what: string, end: typeof stop) => void (stop = end) },
      audit: { append: async () => 'inner-00000000:1:' },
    });
    await stop(0);
    assert.ok(policy.current.sha256.length > 0);
    assert.ok(errors.length > 0);
  }
});

test('with two persons, what one of them puts back is not taken, running or at a start; what is in force stays over a start', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  const text = (version: string): string => `name: a\nversion: '${version}'\n`;
  const config = readConfig({ MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '2' });
  const errors: string[] = [];
  const start = async () => {
    let stop: (leftMs: number) => Promise<void> = async () => undefined;
    const policy = await openPolicy(config, 'inner', {
      log: {
        info: () => undefined,
        error: (fields: { error: string }, told: string) => void errors.push(`${told}: ${fields.error}`),
      } as never,
      life: { started: (_what: string, end: typeof stop) => void (stop = end) },
      audit: { append: async () => 'inner-00000000:1:' },
      lookMs: 20,
    });
    return { policy, [Symbol.asyncDispose]: async () => stop(0) };
  };
  const approved = async (version: string): Promise<void> => {
    const next = join(root.path, 'next.yaml');
    await writeFile(next, text(version));
    const sha256 = await propose(root.path, next, { name: 'tanaka', account: 'mugai' });
    await approve(root.path, sha256, { by: { name: 'suzuki', account: 'mugai' }, toldBy: 'names' });
  };
  for (const version of ['lax', 'strict']) await approved(version);
  await writeFile(file, text('strict'));
  {
    await using first = await start();
    assert.equal(first.policy.current.version, 'strict');
    await writeFile(file, text('lax'));
    await until(async () => errors.some((told) => told.includes('is not what was last approved')), 60_000, 'told');
    assert.equal(first.policy.current.version, 'strict');
  }
  await assert.rejects(start(), /is not what was last approved/);
  // Approved, and its file could not be replaced: what is in force stays, and so it does after a stop.
  await writeFile(file, text('strict'));
  await approved('third');
  {
    await using second = await start();
    assert.equal(second.policy.current.version, 'strict');
    await writeFile(file, text('third'));
    await until(async () => second.policy.current.version === 'third', 60_000, 'taken');
  }
  await writeFile(file, text('strict'));
  await assert.rejects(start(), /is not what was last approved/);
});

test('with two persons and no place to remember what is in force, a start after another approval says which place that is', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  const text = (version: string): string => `name: a\nversion: '${version}'\n`;
  const config = readConfig({ MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '2' });
  const errors: string[] = [];
  const start = async (): Promise<string> => {
    let stop: (leftMs: number) => Promise<void> = async () => undefined;
    const { current } = await openPolicy(config, 'middle', {
      log: { info: () => undefined, error: (_fields: unknown, said: string) => void errors.push(said) } as never,
      life: { started: (_what: string, end: typeof stop) => void (stop = end) },
      audit: { append: async () => 'middle-00000000:1:' },
    });
    await stop(0);
    return current.version;
  };
  const approved = async (version: string): Promise<void> => {
    const next = join(root.path, 'next.yaml');
    await writeFile(next, text(version));
    const sha256 = await propose(root.path, next, { name: 'tanaka', account: 'mugai' });
    await approve(root.path, sha256, { by: { name: 'suzuki', account: 'mugai' }, toldBy: 'names' });
  };
  await approved('first');
  const place = join(root.path, 'policy/in-force');
  await writeFile(place, 'no folder');
  await writeFile(file, text('first'));
  assert.equal(await start(), 'first');
  assert.match(errors.join(), /once another one is approved, this will start with that one only/);
  await approved('second');
  await assert.rejects(start(), (error: Error) => error.message.includes(join(place, 'middle')));
  await assert.rejects(start(), /can that folder be written\?\); put what was approved last in its place/);
  await writeFile(file, text('second'));
  assert.equal(await start(), 'second');
  // With a place, the text that is in force is enough until the approved one is there.
  await rm(place);
  assert.equal(await start(), 'second');
  await approved('third');
  assert.equal(await start(), 'second');
});
