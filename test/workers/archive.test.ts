// Archives through their jailed child: every entry, by its name as it was written; no bomb, no link, no guess.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { EntriesReader } from '../../src/sandbox/entries-reader.ts';
import type { ChildOutcome } from '../../src/sandbox/child.ts';
import { tar } from '../support/archives.ts';
import { corpus } from '../support/attack-row.ts';
import { inLevel2 } from '../../workers/archive/lha-level3.ts';
import { crc16 } from '../../workers/archive/crc16.ts';
import { drive } from '../support/drive-worker.ts';
import { euc, sjis } from '../support/japanese.ts';
import { zipOf } from '../support/office-files.ts';
import { readZip } from '../../workers/archive/zip.ts';

interface Entry {
  readonly name: string;
  readonly trouble: string | undefined;
  readonly text: string;
}

interface Opened {
  readonly outcome: ChildOutcome;
  readonly entries: readonly Entry[];
  readonly findings: readonly string[];
}

async function open(bytes: Buffer, passwords: readonly string[] = [], declaredType = '', called = ''): Promise<Opened> {
  const job = { password: passwords.join('\n'), declaredType, name: called };
  const { outcome, frames } = await drive('archive', bytes, job, 120_000);
  const entries: { name: string; trouble: string | undefined; chunks: Buffer[] }[] = [];
  const findings: string[] = [];
  const reader = new EntriesReader({
    onEntry: ({ name, trouble }) => void entries.push({ name, trouble, chunks: [] }),
    onBytes: (chunk) => void entries.at(-1)?.chunks.push(Buffer.from(chunk)),
    onEntryEnd: () => undefined,
    onFinding: ({ code, detail }) => void findings.push(`${code}: ${detail}`),
    onLoss: () => undefined,
  });
  for (const frame of frames) await reader.take(frame);
  return {
    outcome,
    findings,
    entries: entries.map(({ name, trouble, chunks }) => ({
      name,
      trouble,
      text: Buffer.concat(chunks).toString('utf8'),
    })),
  };
}

const fixture = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../fixtures/archive/${name}`, import.meta.url)));

/** ZipCrypto (APPNOTE 6.1) as Info-ZIP writes it while it does not know the sum: nothing in its head tells a wrong password. */
function locked(packed: Buffer, password: string): Buffer {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
    return sum;
  });
  let [a, b, c] = [0x12345678, 0x23456789, 0x34567890];
  const update = (byte: number): void => {
    a = (table[(a ^ byte) & 255] as number) ^ (a >>> 8);
    b = (Math.imul((b + (a & 255)) >>> 0, 134775813) + 1) >>> 0;
    c = (table[(c ^ (b >>> 24)) & 255] as number) ^ (c >>> 8);
  };
  for (const byte of Buffer.from(password)) update(byte);
  return Buffer.concat([Buffer.alloc(12, 7), packed]).map((byte) => {
    const t = (c | 2) & 0xffff;
    update(byte);
    return byte ^ ((Math.imul(t, t ^ 1) >>> 8) & 255);
  }) as Buffer;
}

/** A zip made by hand: `entries` as central directory and local headers may say otherwise. */
function handmade(
  entries: readonly {
    name: Buffer;
    local?: Buffer;
    content: Buffer;
    flags?: number;
    unix?: number;
    at?: number;
    password?: string;
  }[],
): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, local = name, content, flags = 0, unix, at: elsewhere, password } of entries) {
    const plain = deflateRawSync(content);
    const packed = password === undefined ? plain : locked(plain, password);
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(flags, 6);
    head.writeUInt16LE(8, 8);
    head.writeUInt32LE(crc32(content), 14);
    head.writeUInt32LE(packed.length, 18);
    head.writeUInt32LE(content.length, 22);
    head.writeUInt16LE(local.length, 26);
    const listed = Buffer.alloc(46);
    listed.writeUInt32LE(0x02014b50, 0);
    listed.writeUInt8(unix === undefined ? 0 : 3, 5);
    head.copy(listed, 8, 6, 26);
    listed.writeUInt16LE(name.length, 28);
    listed.writeUInt32LE(((unix ?? 0) << 16) >>> 0, 38);
    listed.writeUInt32LE(elsewhere ?? at, 42);
    central.push(listed, name);
    if (elsewhere === undefined) {
      parts.push(head, local, packed);
      at += 30 + local.length + packed.length;
    }
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

/** LHA, header level 0, stored. */
function lzh(name: Buffer, content: Buffer): Buffer {
  let sum = 0;
  for (const byte of content) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xa001 : sum >>> 1;
  }
  const head = Buffer.alloc(22 + name.length + 2);
  head.writeUInt8(head.length - 2, 0);
  head.write('-lh0-', 2, 'latin1');
  head.writeUInt32LE(content.length, 7);
  head.writeUInt32LE(content.length, 11);
  head.writeUInt8(0x20, 19);
  head.writeUInt8(name.length, 21);
  name.copy(head, 22);
  head.writeUInt16LE(sum, 22 + name.length);
  head.writeUInt8(head.subarray(2).reduce((a, b) => a + b, 0) & 255, 1);
  return Buffer.concat([head, content, Buffer.from([0])]);
}

/** LHA, header level 3, stored. */
function lzh3(name: Buffer, content: Buffer): Buffer {
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  // A sum of the header, which nobody reads, and the name.
  const extended = Buffer.concat([
    u32(7),
    Buffer.from([0, 1, 2]),
    u32(name.length + 5),
    Buffer.from([1]),
    name,
    u32(0),
  ]);
  const head = Buffer.alloc(28);
  head.writeUInt16LE(4, 0);
  head.write('-lh0-', 2, 'latin1');
  head.writeUInt32LE(content.length, 7);
  head.writeUInt32LE(content.length, 11);
  head.writeUInt8(0x20, 19);
  head.writeUInt8(3, 20);
  head.writeUInt16LE(crc16(content), 21);
  head.writeUInt8(0x55, 23);
  head.writeUInt32LE(head.length + extended.length, 24);
  return Buffer.concat([head, extended, content]);
}

describe('a zip', () => {
  it('that Info-ZIP locked opens by the last of ten candidates, and wrong ones cost it nothing', async () => {
    const content = Buffer.alloc(6 * 1024 * 1024, 'a');
    const names = ['a', 'b', 'c', 'd', 'e'];
    const bytes = handmade(
      names.map((name) => ({ name: Buffer.from(name), content, flags: 9, password: 'Kashima-0314' })),
    );
    const wrong = Array.from({ length: 9 }, (_, nth) => `wrong-${nth}`);
    const { entries } = await open(bytes, [...wrong, 'Kashima-0314']);
    assert.deepEqual(
      entries.map(({ name, trouble, text }) => [name, trouble, text.length]),
      names.map((name) => [name, undefined, content.length]),
    );
    const none = await open(bytes, [...wrong, 'wrong-9']);
    assert.deepEqual([...new Set(none.entries.map(({ trouble }) => trouble))], ['password-wrong']);
  });

  it('gives its entries in the order of its directory, folders left out', async () => {
    const { outcome, entries } = await open(zipOf({ 'a.txt': 'one', '資料/b.txt': 'two', 'empty/': '' }));
    assert.equal(outcome.kind, 'done');
    assert.deepEqual(entries, [
      { name: 'a.txt', trouble: undefined, text: 'one' },
      { name: '資料/b.txt', trouble: undefined, text: 'two' },
    ]);
  });

  it('of a Japanese Windows has its names from Shift_JIS', async () => {
    const name = Buffer.from('97ff8fee82cc8ffab1b22e747874', 'hex'); // not UTF-8
    const { entries } = await open(handmade([{ name, content: Buffer.from('x') }]));
    assert.equal(entries[0]?.name, new TextDecoder('shift_jis').decode(name));
  });

  it('of a Japanese Windows keeps half-width kana, whatever else two of them may be', async () => {
    for (const word of ['ﾃﾞｰﾀ', 'ｱﾝｹｰﾄ', 'ﾁﾗｼ', 'ﾀﾞｳﾝﾛｰﾄﾞ', 'ﾃｷ']) {
      const { entries } = await open(handmade([{ name: sjis(`${word}.xls`), content: Buffer.from('x') }]));
      assert.equal(entries[0]?.name, `${word}.xls`);
    }
  });

  it('has its names judged together, where its maker does not say what they are written in', async () => {
    const names = async (encoded: readonly Buffer[], unix?: number): Promise<string[]> => {
      const made = encoded.map((name) => ({
        name,
        content: Buffer.from('x'),
        ...(unix === undefined ? {} : { unix }),
      }));
      return (await open(handmade(made))).entries.map(({ name }) => name);
    };
    const some = ['ﾃﾞｰﾀ.xls', '申請書のひな形.doc', 'é.txt'];
    const plain = 0o100644;
    assert.deepEqual(await names(some.slice(0, 2).map(sjis), plain), some.slice(0, 2));
    assert.deepEqual(await names(some.slice(1, 2).map(euc), plain), some.slice(1, 2));
    assert.deepEqual(
      await names(
        some.map((name) => Buffer.from(name)),
        plain,
      ),
      some,
    );
    assert.deepEqual(await names([sjis('表示.txt'), Buffer.from('日本語の名前.txt')], plain), [
      '表示.txt',
      '日本語の名前.txt',
    ]);
  });

  it('whose entries share bytes is refused as ambiguous: a bomb of 42 KB that is 4 GB', async () => {
    const content = Buffer.alloc(100_000);
    const bomb = handmade([
      { name: Buffer.from('a'), content },
      { name: Buffer.from('b'), content, at: 0 },
    ]);
    const { outcome } = await open(bomb);
    assert.deepEqual([outcome.kind, outcome.kind === 'refused' && outcome.reason], ['refused', 'ambiguous']);
  });

  it('whose two directories disagree is told', async () => {
    const odd = handmade([
      { name: Buffer.from('safe.txt'), local: Buffer.from('evil.exe'), content: Buffer.from('x') },
    ]);
    const { findings, entries } = await open(odd);
    assert.deepEqual(findings, ['odd-archive: its two directories disagree']);
    assert.equal(entries[0]?.name, 'safe.txt');
  });

  it('whose directory makes no sense gives what stands before it, and that is told', async () => {
    const honest = zipOf({ 'a.txt': 'one', 'b.txt': 'two' });
    const end = honest.length - 22;
    const entries = [
      { name: 'a.txt', trouble: undefined, text: 'one' },
      { name: 'b.txt', trouble: undefined, text: 'two' },
    ];
    const withoutEnd = Buffer.from(honest);
    withoutEnd.write('PX', end, 'latin1');
    const outside = Buffer.from(honest);
    outside.writeUInt32LE(outside.readUInt32LE(end + 12) + 1, end + 12);
    for (const [bytes, why] of [
      [withoutEnd, 'odd-archive: no end of the directory'],
      [outside, 'odd-archive: its directory lies outside'],
    ] as const) {
      const opened = await open(bytes, [], 'application/zip');
      assert.deepEqual([opened.outcome.kind, opened.entries, opened.findings], ['done', entries, [why]]);
    }
    const nothing = await open(Buffer.from('PK\x03\x04 and nothing of the kind', 'latin1'), [], 'application/zip');
    assert.deepEqual([nothing.outcome.kind, nothing.entries], ['refused', []]);
  });

  it('with something before it, as its detection says, is opened, and that is told', async () => {
    const shifted = Buffer.concat([Buffer.alloc(89, 0x8a), zipOf({ 'a.txt': 'one' })]);
    const { entries, findings } = await open(shifted, [], 'application/zip');
    assert.deepEqual(entries, [{ name: 'a.txt', trouble: undefined, text: 'one' }]);
    assert.deepEqual(findings, ['odd-archive: 89 bytes before its start']);
  });

  it('one of whose entries is not where the directory says has the others', async () => {
    const bytes = handmade([
      { name: Buffer.from('a'), content: Buffer.from('one') },
      { name: Buffer.from('b'), content: Buffer.from('two'), at: 3 },
      { name: Buffer.from('c'), content: Buffer.from('three') },
    ]);
    const { entries } = await open(bytes);
    assert.deepEqual(entries, [
      { name: 'a', trouble: undefined, text: 'one' },
      { name: 'b', trouble: 'damaged', text: '' },
      { name: 'c', trouble: undefined, text: 'three' },
    ]);
  });

  it('one of whose entries the directory says wrongly has it by its own header, and that is told', async () => {
    const honest = handmade([{ name: Buffer.from('a'), content: Buffer.from('one one one') }]);
    const listed = honest.indexOf('PK\x01\x02');
    for (const [place, value] of [
      [16, 0x12345678], // its sum
      [24, 5], // its size
    ] as const) {
      const lying = Buffer.from(honest);
      lying.writeUInt32LE(value, listed + place);
      const { entries, findings } = await open(lying);
      assert.deepEqual(entries, [{ name: 'a', trouble: undefined, text: 'one one one' }]);
      assert.ok(findings.includes('odd-archive: its two directories disagree'));
      lying.writeUInt32LE(0x12345678, 14);
      assert.deepEqual((await open(lying)).entries, [{ name: 'a', trouble: 'damaged', text: '' }]);
    }
  });

  it('one of whose entries has bytes of another by its own header gives neither by it', async () => {
    const content = Buffer.from('one one one');
    const inner = handmade([{ name: Buffer.from('b'), content }]);
    const [from, to] = [inner.indexOf('PK\x03\x04'), inner.indexOf('PK\x01\x02')];
    // The bytes of `a` are a block that is stored, of the header of `b` and its bytes.
    const quoted = inner.subarray(from, to);
    const block = Buffer.from([1, quoted.length, 0, 255 - quoted.length, 255]);
    const bytes = handmade([
      { name: Buffer.from('a'), content: Buffer.from('zz') },
      { name: Buffer.from('b'), content },
    ]);
    const second = bytes.lastIndexOf('PK\x03\x04');
    const body = Buffer.concat([bytes.subarray(0, 31), block, bytes.subarray(second)]);
    const moved = body.lastIndexOf('PK\x03\x04');
    const listed = body.indexOf('PK\x01\x02');
    body.writeUInt32LE(moved, body.indexOf('PK\x01\x02', listed + 4) + 42);
    body.writeUInt32LE(listed, body.length - 6);
    body.writeUInt32LE(crc32(quoted), 14);
    body.writeUInt32LE(block.length + quoted.length, 18);
    body.writeUInt32LE(quoted.length, 22);
    assert.deepEqual((await open(body)).entries, [
      { name: 'a', trouble: 'damaged', text: '' },
      { name: 'b', trouble: undefined, text: content.toString() },
    ]);
  });

  it('what comes out of its entries for nothing counts as if it had come out', () => {
    const size = LIMITS.expandedBytes / 2 - 1;
    const content = Buffer.alloc(size);
    const lying = handmade(['a', 'b', 'c'].map((name) => ({ name: Buffer.from(name), content })));
    for (let at = lying.indexOf('PK\x01\x02'); at >= 0; at = lying.indexOf('PK\x01\x02', at + 4))
      lying.writeUInt32LE(0x12345678, at + 16);
    for (let at = lying.indexOf('PK\x03\x04'); at >= 0; at = lying.indexOf('PK\x03\x04', at + 4))
      lying.writeUInt32LE(0x12345678, at + 14);
    const zip = readZip(lying);
    const troubles = zip.entries.map((entry) => zip.open(entry, []).trouble);
    assert.deepEqual(troubles, ['damaged', 'damaged', 'ratio']);
  });

  it('whose last entry says wrongly how long its name is has it before the directory', async () => {
    const honest = handmade([{ name: Buffer.from('a'), content: Buffer.from('one') }]);
    for (const [length, place] of [
      [3, 26],
      [7, 28],
    ] as const) {
      const wrong = Buffer.from(honest);
      wrong.writeUInt16LE(length, place);
      assert.deepEqual((await open(wrong)).entries, [{ name: 'a', trouble: undefined, text: 'one' }]);
    }
  });

  it('of which only the first volume is there gives what is whole in it, and that is told', async () => {
    const whole = handmade([
      { name: Buffer.from('a.txt'), content: Buffer.from('one') },
      { name: Buffer.from('b.txt'), content: Buffer.from('two '.repeat(50)) },
    ]);
    const first = Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), whole.subarray(0, whole.indexOf('b.txt') + 8)]);
    const { entries, findings } = await open(first, [], 'application/zip');
    assert.deepEqual(entries, [{ name: 'a.txt', trouble: undefined, text: 'one' }]);
    assert.ok(findings.includes('odd-archive: cut'));
  });

  it('gives no link', async () => {
    const { entries } = await open(
      handmade([{ name: Buffer.from('link'), content: Buffer.from('/etc/passwd'), unix: 0o120777 }]),
    );
    assert.deepEqual(entries, [{ name: 'link', trouble: 'unsupported-type', text: '' }]);
  });

  it('keeps a path that climbs as a word', async () => {
    const { entries } = await open(handmade([{ name: Buffer.from('../../etc/cron.d/x'), content: Buffer.from('x') }]));
    assert.equal(entries[0]?.name, '../../etc/cron.d/x');
  });

  it('that inflates to more than it says, or than is allowed, gives nothing of it', async () => {
    const honest = handmade([{ name: Buffer.from('a'), content: Buffer.alloc(1000, 'a') }]);
    const lying = Buffer.from(honest);
    for (const at of [22, lying.indexOf('PK\x01\x02') + 24]) lying.writeUInt32LE(10, at);
    assert.deepEqual((await open(lying)).entries, [{ name: 'a', trouble: 'damaged', text: '' }]);
    const huge = handmade([{ name: Buffer.from('a'), content: Buffer.alloc(300 * 1024 * 1024) }]);
    assert.deepEqual((await open(huge)).entries, [{ name: 'a', trouble: 'ratio', text: '' }]);
  });

  it('behind a program (a self-extractor) is opened', async () => {
    const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(5000, 1), zipOf({ 'a.txt': 'one' })]);
    const { entries } = await open(program, [], 'application/x-self-extracting');
    assert.deepEqual(entries, [{ name: 'a.txt', trouble: undefined, text: 'one' }]);
  });
});

describe('a locked archive', () => {
  for (const [name, password] of [
    ['zipcrypto.zip', 'Kashima-0314'],
    ['aes256.zip', 'Kashima-0314'],
    ['sjis-password.zip', '鹿島市'],
    ['locked.7z', 'Kashima-0314'],
    ['locked-names.7z', 'Kashima-0314'],
  ] as const) {
    it(`${name} asks for its password, does not open with another, opens with the right one among several`, async () => {
      const bytes = fixture(name);
      const reasonOf = ({ outcome, entries }: Opened): string | undefined =>
        outcome.kind === 'done' ? entries[0]?.trouble : outcome.kind === 'refused' ? outcome.reason : outcome.kind;
      assert.equal(reasonOf(await open(bytes)), 'password-needed');
      assert.equal(reasonOf(await open(bytes, ['kashima', '0314'])), 'password-wrong');
      const { entries } = await open(bytes, ['wrong', password]);
      assert.deepEqual(entries, [{ name: 'お知らせ.txt', trouble: undefined, text: '鹿島市からのお知らせ\n' }]);
    });
  }
});

describe('other archives', () => {
  const text = '鹿島市からのお知らせ\n';
  for (const name of ['plain.7z', 'plain.tar', 'plain.tar.bz2', 'plain.tar.xz', 'plain.zst']) {
    it(`${name} gives its entry`, async () => {
      const { outcome, entries } = await open(fixture(name));
      assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
      assert.equal(entries.length, 1);
      assert.ok((entries[0]?.text ?? '').includes(text));
    });
  }

  it('an entry that is called as 7-Zip calls those without a name keeps it', async () => {
    const { entries } = await open(tar([{ name: 'a~', data: Buffer.from(text) }]));
    assert.deepEqual(entries, [{ name: 'a~', trouble: undefined, text }]);
  });

  it('7z of Zstandard gives its entries, solid or not; a block that is none is damaged', async () => {
    for (const name of ['solid_zstd', 'zstd']) {
      const bytes = await corpus(`archive/libarchive/test_read_format_7zip_${name}.7z`);
      const { outcome, entries } = await open(bytes);
      assert.equal(outcome.kind, 'done');
      const lines = ['a', 'b', 'c', 'd'].map((letter) => `${letter.repeat(12)}\n`);
      assert.deepEqual(
        entries,
        ['dir1/file1', 'file2', 'file3', 'file4'].map((file, nth) => ({
          name: file,
          trouble: undefined,
          text: lines.slice(0, nth + 1).join(''),
        })),
      );
    }
    const wrong = Buffer.from(await corpus('archive/libarchive/test_read_format_7zip_solid_zstd.7z'));
    wrong.writeUInt8(0, 32); // its first four bytes say that it is Zstandard
    for (const { trouble } of (await open(wrong)).entries) assert.equal(trouble, 'damaged');
  });

  it('LHA gives its entry, named in Shift_JIS', async () => {
    const { entries } = await open(lzh(Buffer.from('955c2e747874', 'hex'), Buffer.from(text)));
    assert.deepEqual(entries, [{ name: '表.txt', trouble: undefined, text }]);
    const half = await open(lzh(sjis('ﾃﾞｰﾀ.txt'), Buffer.from(text)));
    assert.deepEqual(half.entries, [{ name: 'ﾃﾞｰﾀ.txt', trouble: undefined, text }]);
  });

  it('LHA of header level 3 gives its entries; with a header that makes no sense it is refused', async () => {
    // A name so long that the size of the header written anew ends in a zero byte.
    const long = Buffer.from('n'.repeat(256 - 26 - 3));
    const two = [lzh3(sjis('表.txt'), Buffer.from(text)), lzh3(long, Buffer.from('two')), Buffer.from([0])];
    assert.deepEqual((await open(Buffer.concat(two))).entries, [
      { name: '表.txt', trouble: undefined, text },
      { name: String(long), trouble: undefined, text: 'two' },
    ]);
    const torn = Buffer.concat([lzh3(Buffer.from('a.txt'), Buffer.from(text)), Buffer.from('rubbish')]);
    assert.deepEqual((await open(torn)).entries, [{ name: 'a.txt', trouble: undefined, text }]);
    for (const size of [0xffffffff, 3, 100]) {
      const odd = lzh3(Buffer.from('a.txt'), Buffer.from(text));
      odd.writeUInt32LE(size, 28);
      assert.equal((await open(odd)).outcome.kind, 'refused');
    }
  });

  it('LHA of level 3 that is nothing but headers is not kept piece by piece', () => {
    const many = lzh3(Buffer.alloc(0), Buffer.alloc(0));
    const endless = Buffer.concat([many.subarray(0, 28), Buffer.alloc(4 * 1024 * 1024, Buffer.from([5, 0, 0, 0, 1]))]);
    endless.writeUInt32LE(endless.length, 24);
    assert.equal(inLevel2(endless), endless, 'its extended headers fit no header');
    const heads = Buffer.concat(Array.from({ length: 30_000 }, () => lzh3(Buffer.from('a'), Buffer.alloc(0))));
    const made = inLevel2(heads);
    let anew = 0;
    for (let at = 0; made[at + 20] === 2; at += 30) anew += 1;
    assert.ok(anew >= LIMITS.archiveEntries && anew <= LIMITS.archiveEntries + 1, `${anew} headers anew`);
  });

  it('LHA that ends in rubbish has its entries by their sums, and none whose sum differs', async () => {
    const torn = Buffer.concat([lzh(Buffer.from('a.txt'), Buffer.from(text)).subarray(0, -1), Buffer.from('rubbish')]);
    assert.deepEqual((await open(torn)).entries, [{ name: 'a.txt', trouble: undefined, text }]);
    const wrong = Buffer.from(torn);
    wrong.writeUInt8((wrong[wrong.indexOf(text)] ?? 0) ^ 1, wrong.indexOf(text));
    assert.deepEqual((await open(wrong)).entries, [{ name: 'a.txt', trouble: 'damaged', text: '' }]);
  });

  it('a tar without its end has its entries, one that is cut has not', async () => {
    const whole = tar([{ name: 'a.txt', data: Buffer.from(text) }]);
    assert.deepEqual((await open(whole.subarray(0, 1024))).entries, [{ name: 'a.txt', trouble: undefined, text }]);
    const cut = (await open(whole.subarray(0, 520))).entries;
    assert.deepEqual(cut, [{ name: 'a.txt', trouble: 'damaged', text: '' }]);
  });

  it('what breaks off gives what stands before, and tells that there may be more; what is whole tells nothing', async () => {
    const names = ['a.txt', 'b.txt', 'c.txt'];
    const tarred = tar(names.map((name) => ({ name, data: Buffer.from(text) })));
    const lha = Buffer.concat(
      names.map((name) => lzh(Buffer.from(name), Buffer.from(text)).subarray(0, name === 'c.txt' ? undefined : -1)),
    );
    const tornAt = (whole: Buffer, at: number): Buffer => {
      const torn = Buffer.from(whole);
      torn.writeUInt8((torn[at] ?? 0) ^ 1, at);
      return torn;
    };
    for (const [bytes, whole, findings] of [
      [tarred, 3, []],
      [lha, 3, []],
      [tornAt(tarred, 1024 + 10), 1, ['odd-archive: it breaks off']],
      [tornAt(lha, lha.indexOf('b.txt')), 1, ['odd-archive: it breaks off']],
      [tarred.subarray(0, 2048), 2, ['odd-archive: it breaks off']],
      [tarred.subarray(0, 2100), 2, ['odd-archive: it breaks off']],
    ] as const) {
      const opened = await open(bytes);
      const entries = names.slice(0, whole).map((name) => ({ name, trouble: undefined, text }));
      assert.deepEqual([opened.entries, opened.findings], [entries, findings]);
    }
  });

  it('compress gives what is in it, which it names and measures nowhere', async () => {
    // Every byte as a code of nine bits, the lowest first: no more than two hundred, so that codes stay that long.
    const bytes = Buffer.from(text);
    const packed = Buffer.alloc(3 + Math.ceil((bytes.length * 9) / 8));
    packed.set([0x1f, 0x9d, 0x90]);
    for (const [index, byte] of bytes.entries())
      for (let bit = 0; bit < 9; bit++) {
        const at = index * 9 + bit;
        if (((byte >> bit) & 1) === 1) packed[3 + (at >> 3)] = (packed[3 + (at >> 3)] ?? 0) | (1 << (at & 7));
      }
    const { entries } = await open(packed);
    assert.deepEqual(
      entries.map((entry) => entry.text),
      [text],
    );
  });

  it('XAR gives its entries, and not its table of them', async () => {
    const content = Buffer.from(text);
    const size = content.length;
    const table = Buffer.from(
      `<?xml version="1.0"?><xar><toc><creation-time>2026-11-30T00:00:00</creation-time><file id="1"><name>a.txt</name><type>file</type><data><length>${size}</length><size>${size}</size><offset>0</offset><encoding style="application/octet-stream"/></data></file></toc></xar>`,
    );
    const packed = deflateSync(table);
    const head = Buffer.alloc(28);
    head.write('xar!', 0, 'latin1');
    head.writeUInt16BE(28, 4);
    head.writeUInt16BE(1, 6);
    head.writeBigUInt64BE(BigInt(packed.length), 8);
    head.writeBigUInt64BE(BigInt(table.length), 16);
    const { entries } = await open(Buffer.concat([head, packed, content]), [], 'application/x-xar');
    assert.deepEqual(entries, [{ name: 'a.txt', trouble: undefined, text }]);
    const empty = deflateSync(
      Buffer.from('<?xml version="1.0"?><xar><toc><file id="1"><name>a.txt</name><type>file</type></file></toc></xar>'),
    );
    head.writeBigUInt64BE(BigInt(empty.length), 8);
    const none = (await open(Buffer.concat([head, empty]), [], 'application/x-xar')).entries;
    assert.deepEqual(none.map((entry) => entry.text).join(''), '');
  });

  it('gzip gives what is in it', async () => {
    const { entries } = await open(gzipSync(text));
    assert.deepEqual(
      entries.map((entry) => entry.text),
      [text],
    );
  });

  it('gzip of several members gives all of them, under the name of the file where it has none of its own', async () => {
    const members = Buffer.concat([gzipSync('a,b\n'), gzipSync('c,d\n')]);
    const { entries } = await open(members, [], 'application/gzip', 'table.csv.gz');
    assert.deepEqual(entries, [{ name: 'table.csv', trouble: undefined, text: 'a,b\nc,d\n' }]);
    const broken = Buffer.from(members);
    broken.writeUInt32LE(0, broken.length - 8);
    assert.deepEqual(
      (await open(broken)).entries.map(({ trouble }) => trouble),
      ['damaged'],
    );
  });

  it('a bomb of gzip is refused as such', async () => {
    const { outcome } = await open(gzipSync(Buffer.alloc(300 * 1024 * 1024)));
    assert.deepEqual([outcome.kind, outcome.kind === 'refused' && outcome.reason], ['refused', 'ratio']);
  });

  it('what is no archive is refused as damaged', async () => {
    const { outcome } = await open(Buffer.from('Rar!\x1a\x07\x00 and nothing of the kind', 'latin1'));
    assert.deepEqual([outcome.kind, outcome.kind === 'refused' && outcome.reason], ['refused', 'damaged']);
  });
});
