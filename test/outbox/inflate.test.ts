// Inflating the images of pages: exactly their size and nothing behind it, and no memory that waits for the collector.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { faultOfInflating } from '../../src/outbox/inflate.ts';

/** Below Node's pools, below and above what is inflated at once. */
const SIZES = [1, 4095, 65_000, 300_000, 3_900_000, 9_000_000];

test('a stream passes with exactly its size, its checksum and its last byte', async () => {
  for (const size of SIZES) {
    const rows = Buffer.alloc(size, 'Mugai 無害');
    const stream = deflateSync(rows);
    assert.equal(await faultOfInflating(stream, size), undefined);
    assert.equal(await faultOfInflating(stream, size + 1), `${size} bytes of data, not ${size + 1}`);
    assert.equal(await faultOfInflating(stream, size - 1), `over ${size - 1} bytes of data`);
    assert.equal(
      await faultOfInflating(Buffer.concat([stream, Buffer.alloc(1)]), size),
      'bytes behind the zlib stream',
    );
    assert.equal(await faultOfInflating(stream.subarray(0, -1), size), 'no zlib stream');
    const other = Buffer.from(stream);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1; // Adler-32
    assert.equal(await faultOfInflating(other, size), 'no zlib stream');
    assert.deepEqual(deflateSync(Buffer.alloc(size, 'Mugai 無害')), stream, 'what shares a pool with it is as it was');
  }
});

test('the memory of a page that was inflated is given back before the next one', async () => {
  const size = 3_900_000;
  const stream = deflateSync(Buffer.alloc(size));
  await faultOfInflating(stream, size);
  const before = process.memoryUsage().arrayBuffers;
  for (let round = 0; round < 6; round++) {
    assert.equal(await faultOfInflating(stream, size), undefined);
    const more = process.memoryUsage().arrayBuffers - before;
    assert.ok(more < size / 2, `${more} bytes of memory wait`);
  }
});
