// The edges we wrote ourselves, fuzzed for a minute in all, with a seed; and every input that broke one of them before.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { fuzz } from './fuzz.ts';
import { closeTargets, TARGETS } from './targets.ts';

const MS = 10_000;
const SEED = 20_261_125;

describe('fuzzing', () => {
  after(async () => closeTargets());
  for (const target of TARGETS) {
    it(`${target.name} keeps its promises for any input`, async () => {
      const { inputs, crash } = await fuzz(target, MS, SEED, false);
      assert.equal(crash, undefined, crash === undefined ? '' : `${crash.path}: ${String(crash.error)}`);
      assert.ok(inputs > 50, `${inputs} inputs`);
    });
  }
});
