// A document asked for as its words: all that stands on its pages is given, however small.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { onePage } from '../support/make-pdf.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';

const HELVETICA = ['<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>'];

let words: Sanitiser;

before(async () => {
  words = await openSanitiser({ only: { as: 'text', part: '1' } }, 1);
});
after(async () => {
  await words[Symbol.asyncDispose]();
});

test('small print is among the words, and is not called hidden', async () => {
  const small = [12, 5, 4, 3, 2].map(
    (size, i) => `BT /F ${size} Tf 20 ${300 - 40 * i} Td (Clause of ${size} points) Tj ET`,
  );
  const { parts, files } = await words.file(
    'small.pdf',
    onePage('0 0 595 842', small.join('\n'), '/Font <</F 5 0 R>>', HELVETICA),
  );
  const [text] = files.values();
  assert.deepEqual(
    String(text).trim().split('\n'),
    [12, 5, 4, 3, 2].map((size) => `Clause of ${size} points`),
  );
  assert.deepEqual(parts[0]?.findings, []);
});
