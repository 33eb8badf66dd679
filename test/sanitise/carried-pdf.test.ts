// PDFs that an archive keeps as they are: each is a file of its own, though a reader of PDF would take the archive for the first.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tar, zip } from '../support/archives.ts';
import { onePage } from '../support/make-pdf.ts';
import { openSanitiser } from '../support/sanitiser.ts';

it('two PDFs in a tar, and in a zip that packs nothing, are two files', async () => {
  await using sanitiser = await openSanitiser();
  const entries = ['一.pdf', '二.pdf'].map((name) => ({ name, data: onePage('0 0 90 90', '9 9 60 60 re f') }));
  for (const [name, bytes] of [
    ['a.tar', tar(entries)],
    ['a.zip', zip(entries)],
  ] as const) {
    const { state, parts } = await sanitiser.file(name, bytes);
    assert.equal(state, 'sanitised');
    assert.deepEqual(
      parts.map(({ verdict, pages, findings }) => [verdict, pages, findings]),
      [
        ['expanded', 0, []],
        ['pages', 1, []],
        ['pages', 1, []],
      ],
    );
  }
});
