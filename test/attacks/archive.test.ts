// Attack catalogue, rows 92 to 101: archives. They hold whether a format is opened or refused: the output contract, one of the
// ends, bounded time, and a canary that nobody touches.
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { after, afterEach, before, describe } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { tar, zip } from '../support/archives.ts';

let sanitiser: Sanitiser;
let canary: Canary;
before(async () => {
  [sanitiser, canary] = await Promise.all([openSanitiser(), openCanary()]);
});
afterEach(async () => assert.deepEqual(await canary.touched(), []));
after(async () => {
  await sanitiser[Symbol.asyncDispose]();
  await canary[Symbol.asyncDispose]();
});

const LIMIT_MS = 90_000;
const MIB = 1024 * 1024;

async function one(name: string, bytes: Buffer): Promise<Outcome> {
  const outcome = await sanitiser.file(name, bytes);
  assert.match(outcome.state, /^(sanitised|held|refused)$/, name);
  assert.ok(outcome.ms < LIMIT_MS, `${name}: ${outcome.ms} ms`);
  assert.ok(outcome.parts.length <= LIMITS.parts + 1, `${name}: ${outcome.parts.length} rows`);
  if (outcome.state === 'refused') assert.equal(outcome.files.size, 0, name);
  return outcome;
}

/** Each archive to one of the ends; then a mail passes. */
async function each(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const path of paths) outcomes.push(await one(path.split('/').at(-1) ?? '', await corpus(path)));
  assert.match((await sanitiser.mail('From: a@example.com\r\n\r\nnext\r\n')).text, /next/);
  return outcomes;
}

describe('archives', () => {
  row(92, 'flat and overlapping bombs: bytes, ratio and entries are counted while they inflate', async () => {
    const mib = deflateRawSync(Buffer.alloc(64 * MIB));
    for (const bytes of [
      zip([{ name: 'zeros', data: mib, method: 8, size: 64 * MIB }]),
      zip(Array.from({ length: 50 }, (_, at) => ({ name: `z${at}`, data: mib, method: 8, size: 64 * MIB }))),
      zip(Array.from({ length: 5000 }, (_, at) => ({ name: `f${at}.txt`, data: Buffer.from('x') }))),
      zip([{ name: 'kernel', data: mib, method: 8, size: 64 * MIB }], { again: 5000 }),
    ]) {
      const [outcome, mail] = await Promise.all([
        one('bomb.zip', bytes),
        sanitiser.mail('From: a@example.com\r\n\r\nmeanwhile\r\n'),
      ]);
      const made = [...outcome.files.values()].reduce((sum, file) => sum + file.length, 0);
      assert.ok(made < LIMITS.outputBytes);
      assert.match(mail.text, /meanwhile/);
    }
    await each([
      'hostile/circl-dangerous/archivebomb.zip',
      'archive/libarchive/test_read_format_zip_high_compression.zip',
    ]);
  });

  row(
    93,
    'archives that hold themselves, or one another without end: depth and totals are shared by the whole message',
    async () => {
      let nested = zip([{ name: 'a.txt', data: Buffer.from('innermost') }]);
      for (let depth = 0; depth < 40; depth++)
        nested = depth % 2 === 0 ? gzipSync(nested) : zip([{ name: `${depth}.zip`, data: nested }]);
      await one('nested.zip', nested);
      await each([
        ...corpusFiles('hostile/archive-quine'),
        'archive/tika/droste.zip',
        'archive/tika/quine.gz',
        'archive/libarchive/test_read_too_many_filters.gz',
      ]);
    },
  );

  row(
    94,
    'names that climb, absolute paths, links and devices: entries get names of ours, nothing is written elsewhere',
    async () => {
      const target = `${canary.programPath}.written`;
      const evil = Buffer.from('written by an archive');
      const names = [
        `../../../../../../../..${target}`,
        target,
        'C:\\evil.txt',
        '\\\\host\\share\\evil.txt',
        'a/../../b.txt',
        './/././x.txt',
        'a\0b.txt',
        '-rf',
        `${'d/'.repeat(5000)}x.txt`,
      ];
      for (const bytes of [
        zip(names.map((name) => ({ name, data: evil }))),
        tar(names.map((name) => ({ name: name.slice(0, 99), data: evil }))),
      ]) {
        const outcome = await one('climb.zip', bytes);
        for (const file of outcome.files.keys()) assert.doesNotMatch(file, /\.\./);
      }
      await one(
        'links.tar',
        tar([
          { name: 'link', type: '2', link: canary.secretPath },
          { name: 'hard', type: '1', link: canary.secretPath },
          { name: 'device', type: '3' },
          { name: 'fifo', type: '6' },
          { name: 'link/under.txt', data: evil },
        ]),
      );
      await assert.rejects(access(target), 'nothing is written outside');
      const outcomes = await each([
        'archive/libarchive/test_leading_slash.tar',
        'archive/libarchive/test_symlink_dotdot.zip',
        'archive/libarchive/test_read_format_rar5_symlink.rar',
      ]);
      for (const outcome of outcomes)
        for (const file of outcome.files.values()) assert.ok(!file.toString('latin1').includes(canary.secret));
    },
  );

  row(95, 'encrypted archives are held or refused with a reason, and never passed', async () => {
    for (const outcome of await each([
      ...corpusFiles('archive/libzip', /^encrypt(?!-none).*\.zip$/),
      'archive/tika/full_encrypted.7z',
      'archive/libarchive/test_read_format_rar5_encrypted_filenames.rar',
    ]))
      assert.ok(
        outcome.state !== 'sanitised' ||
          outcome.parts.some((part) => part.verdict === 'held' || part.verdict === 'refused'),
        outcome.parts.map((part) => part.verdict).join(),
      );
  });

  row(96, 'names in CP932, EUC-JP and UTF-8 come clean, and twins do not collide', async () => {
    const twins = zip([
      { name: Buffer.from('955c2e747874', 'hex'), data: Buffer.from('one') },
      { name: '表.txt', data: Buffer.from('two') },
      { name: '表.txt', data: Buffer.from('three') },
    ]);
    const outcome = await one('twins.zip', twins);
    assert.equal(new Set(outcome.files.keys()).size, outcome.files.size);
    await each([
      'archive/libarchive/test_read_format_zip_filename_cp932.zip',
      'archive/tika/testZipEntryNameCharsetShiftSJIS.zip',
      'archive/libarchive/test_read_format_lha_filename_cp932.lzh',
    ]);
  });

  row(97, 'two directories that disagree: told or refused, and no entry goes without a trace', async () => {
    await each([...corpusFiles('archive/libzip', /^incons-.*\.zip$/), 'archive/libzip/filename_duplicate.zip']);
  });

  row(98, 'sizes are counted, not believed', async () => {
    const data = deflateRawSync(Buffer.alloc(8 * MIB, 0x61));
    for (const size of [0, 1, 0xffff_ffff, 0x8000_0000])
      await one('lies.zip', zip([{ name: 'a.txt', data, method: 8, size }]));
    await each([
      'archive/libarchive/test_read_format_zip_size_exceeds_declared_deflate.zip',
      'archive/libarchive/test_read_format_rar5_unpacked_size_exceeds_declared.rar',
    ]);
  });

  row(99, 'headers that ask for gigabytes are refused before anything is allocated', async () => {
    await each([
      'archive/libarchive/test_read_format_7zip_malformed_numfiles_oom.7z',
      'archive/tika/testLZMA_oom',
      'archive/tika/testZ_oom.Z',
    ]);
  });

  row(100, 'old and rare formats: opened in the jail or refused, and their loops end', async () => {
    await each([
      ...corpusFiles('archive/libarchive', /lha.*\.lzh$/).slice(0, 12),
      'archive/libarchive/test_read_format_rar5_loop_bug.rar',
      'archive/opf-arj/MAPS.ARJ',
    ]);
    for (const head of [
      '**ACE**',
      'MSCF\0\0\0\0',
      'Rar!\x1a\x07\x00',
      '-lh5-',
      '\x60\xea',
      'xar!',
      '!<arch>\n',
      '7z\xbc\xaf\x27\x1c',
      '\xfd7zXZ\0',
      'BZh9',
      '\x28\xb5\x2f\xfd',
    ])
      await one('rare.bin', Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(4000, 0x80)]));
  });

  row(101, 'pieces, and archives behind a picture or a program: refused or noted, never passed', async () => {
    const inner = zip([{ name: 'evil.js', data: Buffer.from('evil()'.repeat(100)) }]);
    const png = await corpus('image/pngsuite/basn2c08.png');
    const behind = await one('photo.png', Buffer.concat([png, inner]));
    for (const file of behind.files.values()) assert.ok(!file.includes('evil()'));
    await one('sfx.exe', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(2000, 0x90), inner]));
    await one('x.zip.001', inner.subarray(0, 40));
    await each(['archive/tika/test-documents-spanned.z01', 'archive/libzip/incons-trailing-garbage.zip']);
    await sanitiser.mail(await corpus('mail/rspamd/f.zip.001.eml'));
  });
});
