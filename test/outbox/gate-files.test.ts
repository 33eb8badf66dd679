// The code that is counted as the gate's is all of this room that runs when a package is verified.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gateFiles } from '../bench/gate.ts';

const OUTBOX = new URL('../../src/outbox/', import.meta.url).href;

test('every file of the room that verify.ts loads is counted as the gate’s, and no other', () => {
  const code = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    await import(${JSON.stringify(`${OUTBOX}verify.ts`)});
    console.log(JSON.stringify(loaded));`;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const loaded = (JSON.parse(told) as string[]).filter((url) => url.startsWith(OUTBOX));
  assert.deepEqual(loaded.map((url) => url.slice(OUTBOX.length)).toSorted(), gateFiles());
});
