// What the portal says: each word once, in both languages, and none that no page says.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GROUPS, wordsOf } from '../../src/portal/words.ts';
import { aboutWords, aheadWords, drawnWords, timeWords } from '../../src/portal/words-of-time.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;

describe('the words of the portal', () => {
  const all = GROUPS.flatMap((group) => Object.entries(group));

  it('stand in one group each, in Japanese and in English', () => {
    const names = all.map(([name]) => name);
    assert.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
      'a second one would hide the first',
    );
    for (const [name, [ja, en]] of all) {
      assert.ok(ja !== '' && en !== '', name);
      assert.doesNotMatch(en, JAPANESE, name);
    }
    const same = all.filter(([, [ja]]) => !JAPANESE.test(ja)).map(([name]) => name);
    assert.deepEqual(same, ['cc'], 'words that are no Japanese');
  });

  it('are all said by a page', () => {
    const code = globSync('{portal,console}/**/*.ts', { cwd: SRC })
      .filter((file) => !/words[\w-]*\.ts$/.test(file))
      .map((file) => readFileSync(`${SRC}${file}`, 'utf8'))
      .join('\n');
    const said = (name: string): boolean =>
      code.includes(`'${name}'`) || (name.startsWith('role_') && code.includes('role_$'));
    assert.deepEqual(
      all.map(([name]) => name).filter((name) => !said(name)),
      [],
    );
  });

  it('tell counts and times as people read them', () => {
    assert.equal(wordsOf('en')('signIn'), 'Sign in');
    assert.equal(timeWords('2026-11-29T15:30:00.000Z', 'ja'), '2026/11/30 00:30');
    assert.equal(timeWords('2026-11-29T15:30:00.000Z', 'en'), '30/11/2026, 00:30');
    assert.equal(aboutWords(61, 'ja'), 'あと約2分');
    assert.equal(aboutWords(20, 'en'), 'about 20 s left');
    assert.equal(aheadWords(2, 'ja'), '順番待ち（前に2件）');
    assert.equal(drawnWords(3, 60, 'en'), '3 of 60 pages drawn');
  });
});
