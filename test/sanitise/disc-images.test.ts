// Images of discs: refused, but where the policy opens them, and then by their files as an archive.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readPolicy } from '../../src/policy/policy.ts';
import { discImage } from '../support/disc-image.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const image = discImage({
  'お知らせ.txt': Buffer.from('鹿島市からのお知らせ'),
  'a.exe': Buffer.from('MZ\x90\0\x03\0\0\0'),
});

it('an image of a disc is refused, and opened where the policy says so: each of its files as its own kind', async () => {
  {
    await using sanitiser = await openSanitiser();
    const { state, parts } = await sanitiser.file('a.iso', image);
    assert.deepEqual([state, parts.length], ['refused', 1]);
    assert.deepEqual([parts[0]?.detectedType, parts[0]?.reason], ['application/x-iso9660-image', 'unsupported-type']);
  }
  const policy = readPolicy('name: p\nversion: "1"\ndiscImages: open\n', 'p');
  await using sanitiser = await openSanitiser({ policy });
  const { state, parts, files } = await sanitiser.file('a.iso', image);
  assert.equal(state, 'sanitised');
  assert.deepEqual(
    new Map(parts.map(({ name, verdict }) => [name, verdict])),
    new Map([
      ['a.iso', 'expanded'],
      ['お知らせ.txt', 'text'],
      ['a.exe', 'refused'],
    ]),
  );
  assert.equal([...files.values()].map(String).join(''), '鹿島市からのお知らせ');
  const torn = await sanitiser.file('a.iso', image.subarray(0, 18 * 2048));
  assert.equal(torn.state, 'refused');
});
