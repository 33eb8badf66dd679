// What the corpus run counts as converted.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isConverted } from './rates.ts';

it('a document counts by its pages, an archive by a file of it, not by having ended well', () => {
  for (const [path, became, converted] of [
    ['office/a.docx', ['pages'], true],
    ['office/a.docx', ['expanded', 'text', 'text'], false],
    ['office/a.hwp', ['image'], true],
    ['office/a.csv', ['text'], true],
    ['office/a.epub', ['expanded', 'text'], true],
    ['archive/a.zip', ['expanded', 'refused', 'dropped'], false],
    ['archive/a.zip', ['expanded', 'refused', 'image'], true],
    ['image/a.png', ['image'], true],
  ] as const)
    assert.equal(isConverted({ path, state: 'sanitised', became }), converted, `${path} ${became.join(' ')}`);
  assert.equal(isConverted({ path: 'office/a.docx', state: 'refused', became: ['refused'] }), false);
});
