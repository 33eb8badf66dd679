// What the corpus run counts as converted.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isConverted, ratesOf } from './rates.ts';
import type { Ended } from './run.ts';

it('a document counts by its pages, an archive by a file of it, not by having ended well', () => {
  for (const [path, became, converted] of [
    ['office/a.docx', ['pages'], true],
    ['office/a.docx', ['expanded', 'text', 'text'], false],
    ['office/a.hwp', ['image'], true],
    ['office/tika/testODTnotaZipFile.odt', ['text'], true],
    ['office/a.odt', ['text'], false],
    ['office/a.pages', ['expanded', 'image', 'pages', 'text'], true],
    ['office/a.pages', ['expanded', 'image', 'text'], false],
    ['office/a.docx', ['expanded', 'image', 'pages'], false],
    ['office/a.csv', ['text'], true],
    ['office/a.epub', ['expanded', 'text'], true],
    ['archive/a.zip', ['expanded', 'refused', 'dropped'], false],
    ['archive/a.zip', ['expanded', 'refused', 'image'], true],
    ['image/a.png', ['image'], true],
  ] as const)
    assert.equal(isConverted({ path, state: 'sanitised', became }), converted, `${path} ${became.join(' ')}`);
  assert.equal(isConverted({ path: 'office/a.docx', state: 'refused', became: ['refused'] }), false);
});

it('what nobody can convert and what is locked are out of the rate, an archive that was opened for nothing is not', () => {
  const end = (path: string, odd: Partial<Ended>): Ended => ({
    path,
    state: 'sanitised',
    reason: null,
    pages: 0,
    became: ['expanded', 'text'],
    ms: 1,
    unsafe: [],
    inside: [],
    crash: undefined,
    hang: false,
    again: [],
    ...odd,
  });
  const percent = (...ended: readonly Ended[]): number | undefined => ratesOf(ended).percent.get('archive');
  const good = end('archive/a.zip', {});
  assert.equal(percent(good), 100);
  assert.equal(percent(good, end('archive/b.zip', { became: ['expanded', 'refused'] })), 50);
  assert.equal(percent(good, end('archive/b.zip', { became: ['expanded', 'held'] })), 100);
  const bare = { became: ['expanded', 'refused'] } as const;
  assert.equal(percent(good, end('archive/tika/quine.gz', bare)), 100);
  assert.equal(percent(good, end('archive/tika/quine.gz', {})), 100);
});
