// What systems put beside files: dropped and told, not refused one by one.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { zip } from '../support/archives.ts';
import { compoundFile } from '../support/compound-file.ts';
import { openSanitiser } from '../support/sanitiser.ts';

it('notes of a Mac and of Windows in an archive are dropped, by their bytes: what only has their name is not', async () => {
  await using sanitiser = await openSanitiser();
  const { state, parts } = await sanitiser.file(
    'mac.zip',
    zip([
      { name: '資料.txt', data: Buffer.from('hello') },
      { name: '__MACOSX/._資料.txt', data: Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(130)]) },
      { name: '.DS_Store', data: Buffer.concat([Buffer.from('\0\0\0\x01Bud1', 'latin1'), Buffer.alloc(6000)]) },
      { name: '写真/Thumbs.db', data: compoundFile({ Catalog: Buffer.alloc(100) }) },
      { name: '__MACOSX/._real.txt', data: Buffer.from('a text') },
    ]),
  );
  assert.equal(state, 'sanitised');
  assert.deepEqual(
    parts.map(({ verdict, reason }) => [verdict, reason]),
    [
      ['expanded', null],
      ['text', null],
      ['dropped', null],
      ['dropped', null],
      ['dropped', null],
      ['text', null],
    ],
  );
  for (const part of parts.slice(2, 5)) assert.deepEqual(part.findings, [{ code: 'system-file', detail: '' }]);
});
