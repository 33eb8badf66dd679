// The cache of the children's code: read by a child behind the full jail and by no other, written by none.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, utimesSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { CODE_CACHE } from '../../src/sandbox/code-cache.ts';
import { CODE_ROOT, FAMILIES } from '../../src/sandbox/families.ts';
import { jailCommand, type Walls } from '../../src/sandbox/jail.ts';
import { makeCodeCache } from '../../src/sandbox/make-code-cache.ts';
import { machineJail } from '../../src/sandbox/probe.ts';

const ASK = `const { getCompileCacheDir } = require('node:module');
let write = 'written';
try { require('node:fs').writeFileSync(process.argv[1] + '/x', 'x'); } catch (error) { write = error.code; }
console.log(JSON.stringify({ cache: getCompileCacheDir() ?? '', write, may: process.permission.has('fs.write', process.argv[1]) }));`;

let walls: Walls;

/** What Node says behind these walls, asked in the place of a parser. */
function ask(given: Walls): { readonly cache: string; readonly write: string; readonly may: boolean } {
  const { command, args } = jailCommand(FAMILIES.image, { ...given, filter: undefined });
  const inside = given.bubblewrap === undefined ? CODE_ROOT : '/mugai';
  const asked = spawnSync(command, [...args.slice(0, -1), '-e', ASK, join(inside, CODE_CACHE)], { env: {}, cwd: '/' });
  assert.equal(asked.status, 0, asked.stderr.toString());
  return JSON.parse(asked.stdout.toString()) as ReturnType<typeof ask>;
}

before(async () => {
  ({ walls } = await machineJail());
  assert.ok(walls.bubblewrap, 'these tests need bubblewrap');
  assert.equal(await makeCodeCache(AbortSignal.timeout(120_000)), true);
});

describe('the code cache of the children', () => {
  it('is read behind the full jail, and its mount takes nothing', () => {
    const told = ask(walls);
    assert.match(told.cache, /^\/mugai\/node_modules\/\.cache\/mugai-children\/v\d+/);
    assert.equal(told.write, 'EROFS');
  });

  it('is not used where no mount makes it read-only: Node itself denies the write there', () => {
    const told = ask({ ...walls, bubblewrap: undefined });
    assert.deepEqual(told, { cache: '', write: 'ERR_ACCESS_DENIED', may: false });
  });

  it('is not used, and nothing may be written, by a child that is to start without it', () => {
    const told = ask({ ...walls, uncached: true });
    assert.deepEqual(told, { cache: '', write: 'ERR_ACCESS_DENIED', may: false });
  });

  it('is made again when the code changed, and left alone otherwise', async () => {
    const stamp = join(CODE_ROOT, CODE_CACHE, 'made-of');
    const made = readFileSync(stamp, 'utf8');
    const old = new Date('2020-01-01T00:00:00Z');
    utimesSync(stamp, old, old);
    assert.equal(await makeCodeCache(AbortSignal.timeout(120_000)), true);
    assert.equal(readFileSync(stamp, 'utf8'), made);
    rmSync(stamp);
    assert.equal(ask(walls).cache, ''); // half-made, as far as anybody knows
    assert.equal(await makeCodeCache(AbortSignal.timeout(120_000)), true);
    assert.equal(readFileSync(stamp, 'utf8'), made);
  });
});
