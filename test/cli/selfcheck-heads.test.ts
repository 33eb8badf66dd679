// A head key that was lost: its journal is a doubt of every self-check until a place behind the new key was printed and is named.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { followChains } from '../../src/audit/verify-chain.ts';
import { placesKnown } from '../../src/cli/places-known.ts';
import { collect } from '../../src/cli/selfcheck/collect.ts';
import { readConfig } from '../../src/config.ts';
import { gatewayEnv, runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

describe('mugai selfcheck --heads', () => {
  it('believes a journal that another key goes on with from a place behind that, which was kept elsewhere', async () => {
    await using folder = await scratch();
    const root = join(folder.path, 'journal');
    const opened = { root, zone: 'inner', keepDays: 1095 } as const;
    const before = await openJournal(opened);
    await before.append({ act: 'viewed', message: 'm', person: 'hanako' });
    await before.close();
    const printOut = join(folder.path, 'heads.txt');
    const print = async (): Promise<void> => {
      const { reports } = await followChains([before.folder]);
      await writeFile(printOut, reports.map(({ position, last }) => `${position}  ${last}\n`).join(''));
    };
    const { PATH: _path, ...env } = gatewayEnv(folder.path);
    const journal = async (known?: string): Promise<string | undefined> => {
      const evidence = await collect(readConfig(env), Date.now(), await placesKnown(known));
      return evidence.find(({ control }) => control === 'journal')?.state;
    };
    assert.equal(await journal(), 'holds');
    await print();
    await rm(join(before.folder, 'head-key.pem'));
    const after = await openJournal(opened);
    await after.append({ act: 'viewed', message: 'm2', person: 'hanako' });
    await after.close();
    assert.equal(await journal(), 'fails');
    assert.equal(await journal(printOut), 'fails', 'a place that was printed before the key was lost');
    await print();
    assert.equal(await journal(printOut), 'holds');
  });

  it('is wrong usage with a file that names no place, before anything is tried', async () => {
    await using folder = await scratch();
    const file = join(folder.path, 'heads.txt');
    await writeFile(file, 'nothing\n');
    const { code, stderr } = await runMugai(['selfcheck', '--heads', file], gatewayEnv(folder.path));
    assert.equal(code, 2);
    assert.match(stderr, /names no position of a journal/);
  });
});
