// The parts of an office document are those that office programs read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { LIMITS } from '../../src/message/limits.ts';
import { readZip } from '../../workers/archive/zip.ts';
import { openPackage } from '../../workers/office/package.ts';

/** Info-ZIP's second name of an entry (APPNOTE 4.6.9). */
function secondName(name: string, second: string): Record<number, Uint8Array> {
  const field = Buffer.alloc(5 + second.length);
  field[0] = 1;
  field.writeUInt32LE(crc32(name), 1);
  field.write(second, 5, 'latin1');
  return { 0x7075: field };
}

test('a part is found by its first name, whatever a second one in its entry says', () => {
  const [name, other] = ['word/document.xml', 'other.xml'];
  const zip = zipSync({
    [name]: [strToU8('seen in Word'), { extra: secondName(name, other) }],
    [other]: [strToU8('not seen'), { extra: secondName(other, name) }],
  });
  const parts = openPackage(Buffer.from(zip));
  assert.equal(Buffer.from(parts.get(name) ?? []).toString(), 'seen in Word');
});

const many = (count: number, more: Readonly<Record<string, string>> = {}): Buffer => {
  const files = Array.from({ length: count }, (_, at) => [`p/${at}.xml`, strToU8(`${at}`)] as const);
  const others = Object.entries(more).map(([name, text]) => [name, strToU8(text)] as const);
  return Buffer.from(zipSync(Object.fromEntries([...files, ...others]), { level: 0 }));
};

test('limit zipEntries: parts of a document are no leaves of a message', () => {
  assert.equal(openPackage(many(LIMITS.zipEntries)).size, LIMITS.zipEntries);
  for (const count of [LIMITS.zipEntries + 1, 2 * LIMITS.zipEntries])
    assert.throws(() => openPackage(many(count)), { reason: 'too-many-parts' });
});

test('limit archiveEntries: folders of an archive are no leaves', () => {
  const folders = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`folder${at}/`, '']));
  const { archiveEntries } = LIMITS;
  assert.equal(readZip(many(archiveEntries, folders)).entries.length, archiveEntries);
  assert.throws(() => readZip(many(archiveEntries + 2, folders)), { reason: 'too-many-parts' });
});
