// What several children tell of one document is told as if one had drawn it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinRemarks } from '../../src/sanitise/join-remarks.ts';

test('what children count of the pages each of them drew is one sum; what each tells of the document stays', () => {
  const cut = { code: 'pages-cut', detail: '2000 of 3000 pages' };
  const joined = joinRemarks([
    [
      { code: 'xfa', detail: 'a dynamic form is shown by its static page only' },
      cut,
      { code: 'not-printed', detail: '3 annotations that are not to be printed' },
      { code: 'text-cut', detail: '1 pages have more text than can be searched' },
    ],
    [],
    [cut, { code: 'not-printed', detail: '39 annotations that are not to be printed' }],
  ]);
  assert.deepEqual(joined, [
    { code: 'xfa', detail: 'a dynamic form is shown by its static page only' },
    cut,
    { code: 'not-printed', detail: '42 annotations that are not to be printed' },
    { code: 'text-cut', detail: '1 pages have more text than can be searched' },
    cut,
  ]);
});

test('letters that no font has are told once each, whoever met them', () => {
  const missing = (detail: string) => ({ code: 'glyph-missing', detail });
  assert.deepEqual(joinRemarks([[missing('𠮷a')], [missing('b𠮷')]]), [missing('𠮷ab')]);
  const many = Array.from({ length: 50 }, (_, i) => String.fromCodePoint(0x20000 + i));
  const others = Array.from({ length: 50 }, (_, i) => String.fromCodePoint(0x21000 + i));
  const [first, ...more] = joinRemarks([[missing(many.join(''))], [missing(others.join(''))]]);
  assert.equal(first?.detail, [...many, ...others].slice(0, 60).join(''));
  assert.deepEqual(more, []);
});

test('a count that is none is left as it came', () => {
  const odd = { code: 'not-printed', detail: 'many annotations' };
  const even = { code: 'not-printed', detail: '2 annotations' };
  assert.deepEqual(joinRemarks([[odd, even], [odd]]), [odd, even, odd]);
});
