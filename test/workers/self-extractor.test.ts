// Self-extracting programs: told by their bytes, opened as the archive they carry, held where it does not open; no program passes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { corpus } from '../support/attack-row.ts';
import { zipOf } from '../support/office-files.ts';
import { dosProgram, linuxProgram, windowsProgram } from '../support/programs.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';
import { detect } from '../../workers/detect.ts';

const MS = 500_000;
const TYPE = 'application/x-self-extracting';
const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/archive/${name}`, import.meta.url));
const ZIP = zipOf({ 'お知らせ.txt': '鹿島市からのお知らせ\n' });
const WORDS = Buffer.from(';!@Install@!UTF-8!\nRunProgram="setup.exe"\n;!@InstallEnd@!');

const PROGRAMS: readonly (readonly [name: string, bytes: () => Promise<Buffer> | Buffer, entry: string])[] = [
  ['a zip behind a program of Windows', () => windowsProgram(ZIP), 'お知らせ.txt'],
  [
    'a zip in a section of its own, as WinZip has it',
    () => windowsProgram(Buffer.alloc(0), ZIP, '_winzip_'),
    'お知らせ.txt',
  ],
  ['a zip behind a program of Linux', () => linuxProgram(ZIP), 'お知らせ.txt'],
  [
    '7z behind words for its program',
    () => windowsProgram(Buffer.concat([WORDS, fixture('plain.7z')])),
    'お知らせ.txt',
  ],
  ['rar', async () => windowsProgram(await corpus('archive/corkami-mini/rar4.rar')), ''],
  [
    'LHA behind a program of DOS',
    async () => dosProgram(await corpus('archive/libarchive/test_read_format_lha_header1.lzh')),
    '',
  ],
  [
    'a cabinet among the resources',
    async () => windowsProgram(Buffer.alloc(0), await corpus('archive/libarchive/test_read_format_cab_1.cab'), '.rsrc'),
    '',
  ],
];

async function ended(
  sanitiser: Sanitiser,
  bytes: Buffer,
): Promise<{ verdict: string; reason: string | null; codes: string[]; names: string[] }> {
  const { parts, files } = await sanitiser.file('資料.exe', bytes);
  for (const file of files.values()) assert.notEqual(file.toString('latin1', 0, 2), 'MZ');
  const [first, ...rest] = parts;
  assert.equal(first?.detectedType, TYPE);
  return {
    verdict: first.verdict,
    reason: first.reason,
    codes: first.findings.map(({ code }) => code),
    names: rest.map(({ name }) => name),
  };
}

describe('a self-extracting program', () => {
  for (const [name, make, entry] of PROGRAMS)
    it(`with ${name} is opened as its archive`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const { verdict, codes, names } = await ended(sanitiser, await make());
      assert.equal(verdict, 'expanded');
      assert.deepEqual(codes, ['self-extracting']);
      assert.ok(
        names.some((one) => one.includes(entry)),
        names.join(),
      );
    });

  it('that is locked waits for its password', { timeout: MS }, async () => {
    const locked = windowsProgram(fixture('aes256.zip'));
    {
      await using sanitiser = await openSanitiser();
      const { verdict, reason } = await ended(sanitiser, locked);
      assert.deepEqual([verdict, reason], ['held', 'password-needed']);
    }
    await using sanitiser = await openSanitiser({ passwords: ['Kashima-0314'] });
    const { names } = await ended(sanitiser, locked);
    assert.deepEqual(names, ['お知らせ.txt']);
  });

  it('whose archive does not open is held, and its reader told what to ask for', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser();
    const torn = windowsProgram(ZIP.subarray(0, ZIP.length - 30));
    const { verdict, reason, codes } = await ended(sanitiser, torn);
    assert.deepEqual(
      [verdict, reason, codes],
      ['held', 'damaged', ['odd-archive', 'self-extracting', 'ask-for-archive']],
    );
  });
});

describe('a program', () => {
  const plain = async (bytes: Buffer): Promise<string> => (await detect(bytes, 'a.exe')).mimeType;
  it('that carries no archive is a program', async () => {
    for (const program of [windowsProgram, dosProgram, linuxProgram])
      assert.notEqual(await plain(program(Buffer.alloc(3000, 0x80))), TYPE);
  });

  it('whose own code names the signs of archives is a program', async () => {
    const signs = Buffer.concat([
      Buffer.from('PK\x03\x04 7z\xbc\xaf\x27\x1c Rar!\x1a\x07\0 -lh5- MSCF\0\0\0\0', 'latin1'),
      Buffer.alloc(100),
    ]);
    assert.notEqual(await plain(windowsProgram(Buffer.from('behind'), signs)), TYPE);
  });

  it('made of nothing but beginnings is told in linear time', async () => {
    for (const sign of ['PK\x03\x04\xff', '-lh5-\0', 'MSCF\0\0\0\0', '7z\xbc\xaf\x27\x1c']) {
      const started = process.cpuUsage();
      await detect(windowsProgram(Buffer.from(sign.repeat(2_000_000 / sign.length), 'latin1')), '');
      assert.ok(process.cpuUsage(started).user < 5_000_000, sign);
    }
  });
});
