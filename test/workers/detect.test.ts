// What a file is: by its bytes, whatever its name says.
import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { test } from 'node:test';
import { detect, looksLikeText } from '../../workers/detect.ts';
import { packageWords } from '../../workers/package-words.ts';
import { sniff } from '../../workers/office/sniff.ts';
import { compoundFile } from '../support/compound-file.ts';
import { zipOf as wholeZip } from '../support/office-files.ts';
import { euc, jis, sjis } from '../support/japanese.ts';

const typeOf = async (bytes: Uint8Array | string, name = ''): Promise<string> =>
  (await detect(typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes), name)).mimeType;

/** A zip of one stored or deflated entry, without a central directory: what a detector sees first. */
function zipOf(name: string, content: string): Buffer {
  const packed = deflateRawSync(content);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(packed.length, 18);
  head.writeUInt32LE(content.length, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), packed]);
}

const types = (part: string): string =>
  `<?xml version="1.0"?><Types><Override PartName="/x" ContentType="application/vnd.openxmlformats-officedocument.${part}.main+xml"/></Types>`;

void test('pictures, PDF, zip and Office files are told by their bytes', async () => {
  assert.equal(await typeOf(Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')), 'image/png');
  assert.equal(await typeOf('%PDF-1.7\n%âãÏÓ'), 'application/pdf');
  assert.equal(await typeOf(zipOf('a.txt', 'x')), 'application/zip');
  assert.match(await typeOf(zipOf('[Content_Types].xml', types('wordprocessingml.document'))), /wordprocessingml/);
  assert.match(await typeOf(zipOf('[Content_Types].xml', types('spreadsheetml.sheet'))), /spreadsheetml/);
});

void test('a PDF with junk before its header is a PDF, whatever the junk looks like', async () => {
  assert.equal(await typeOf(`${'GIF89a'.padEnd(900, ' ')}%PDF-1.4\n`), 'application/pdf');
  assert.notEqual(await typeOf(`${' '.repeat(2000)}%PDF-1.4\n`), 'application/pdf');
});

const ole = (name: string): Buffer =>
  Buffer.concat([
    Buffer.from('d0cf11e0a1b11ae1', 'hex'),
    Buffer.alloc(600),
    Buffer.from(`${name}\0`, 'utf16le'),
    Buffer.alloc(600),
  ]);

void test('OLE files are told apart by their directory', async () => {
  assert.equal(await typeOf(ole('WordDocument')), 'application/msword');
  assert.equal(await typeOf(ole('Workbook')), 'application/vnd.ms-excel');
  assert.equal(await typeOf(ole('PowerPoint Document')), 'application/vnd.ms-powerpoint');
  assert.equal(await typeOf(ole('__properties_version1.0')), 'application/vnd.ms-outlook');
  assert.equal(await typeOf(ole('EncryptedPackage')), 'application/x-encrypted-office');
  assert.equal(await typeOf(ole('x')), 'application/x-cfb');
});

void test('an OLE file is what its root says, whatever is embedded in it', async () => {
  const word = { 'MBD0001/WordDocument': Buffer.from('x'), 'MBD0001/1Table': Buffer.from('x') };
  assert.equal(await typeOf(compoundFile({ ...word, Workbook: Buffer.from('x') })), 'application/vnd.ms-excel');
  assert.equal(sniff(compoundFile({ ...word, Workbook: Buffer.from('x') })).extension, 'xls');
  assert.equal(await typeOf(compoundFile(word)), 'application/x-cfb');
});

void test('a document is what its main part is, whatever its charts and objects are kept as', async () => {
  const inside =
    '<Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/>' +
    '<Default Extension="pptx" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation"/>' +
    '<Default Extension="vsdx" ContentType="application/vnd.ms-visio.drawing"/>';
  for (const [part, kind, extension] of [
    ['wordprocessingml.document', 'writer', 'docx'],
    ['presentationml.presentation', 'impress', 'pptx'],
    ['spreadsheetml.sheet', 'calc', 'xlsx'],
  ] as const) {
    const bytes = wholeZip({ '[Content_Types].xml': types(part).replace('<Types>', `<Types>${inside}`) });
    assert.match(await typeOf(bytes), new RegExp(part));
    const found = sniff(bytes);
    assert.deepEqual([found.kind, found.extension], [kind, extension]);
  }
  const addin =
    '<Types><Override PartName="/x" ContentType="application/vnd.ms-powerpoint.addin.macroEnabled.main+xml"/></Types>';
  assert.equal(sniff(wholeZip({ '[Content_Types].xml': addin })).kind, 'impress');
  const drawing = '<Types><Override PartName="/x" ContentType="application/vnd.ms-visio.drawing.main+xml"/></Types>';
  assert.equal(sniff(wholeZip({ '[Content_Types].xml': drawing })).filter, 'Visio Document');
});

void test('names in an OLE file are the same in letters of any case', async () => {
  for (const [stream, type, filter] of [
    ['WORKBOOK', 'application/vnd.ms-excel', 'MS Excel 97'],
    ['WorkBook', 'application/vnd.ms-excel', 'MS Excel 97'],
    ['BOOK', 'application/vnd.ms-excel', 'MS Excel 95'],
    ['WORDDOCUMENT', 'application/msword', 'MS Word 97'],
    ['POWERPOINT DOCUMENT', 'application/vnd.ms-powerpoint', 'MS PowerPoint 97'],
  ] as const) {
    const bytes = compoundFile({ [stream]: Buffer.alloc(5000, 1) });
    assert.equal(await typeOf(bytes), type);
    assert.equal(sniff(bytes).filter, filter);
  }
});

void test('a message with a Hangul document in it, and a document that speaks of one, are what they are', async () => {
  const header = Buffer.concat([Buffer.from('HWP Document File'), Buffer.alloc(239)]);
  const hwp = compoundFile({ FileHeader: header, DocInfo: Buffer.alloc(100), 'BodyText/Section0': Buffer.alloc(50) });
  assert.equal(await typeOf(hwp), 'application/vnd.hancom.hwp');
  const properties = { '__properties_version1.0': Buffer.alloc(64) };
  const msg = compoundFile({ ...properties, '__attach_version1.0_#00000000/__substg1.0_37010102': hwp });
  assert.equal(await typeOf(msg), 'application/vnd.ms-outlook');
  assert.equal(await typeOf(compoundFile({ WordDocument: header, FileHeader: header })), 'application/msword');
  assert.equal(await typeOf(compoundFile({ FileHeader: Buffer.from('x'), DocInfo: header })), 'application/x-cfb');
});

void test('a package is told by its own directory, wherever the entry stands that tells it', async () => {
  const many = Object.fromEntries(Array.from({ length: 1100 }, (_, n) => [`a/${n}.bin`, 'x']));
  for (const [part, type] of [
    [
      'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['vnd.ms-excel.sheet.macroEnabled.main+xml', 'application/vnd.ms-excel.sheet.macroenabled.12'],
    ['vnd.ms-word.template.macroEnabledTemplate.main+xml', 'application/vnd.ms-word.template.macroenabled.12'],
    ['vnd.ms-excel.sheet.binary.macroEnabled.main', 'application/vnd.ms-excel.sheet.binary.macroenabled.12'],
    ['vnd.ms-visio.drawing.main+xml', 'application/vnd.visio'],
  ] as const) {
    const words = `<Types><Override PartName="/x" ContentType="application/${part}"/></Types>`;
    assert.equal(await typeOf(wholeZip({ ...many, '[Content_Types].xml': words })), type);
  }
  const mimetype = 'application/vnd.oasis.opendocument.spreadsheet';
  assert.equal(await typeOf(wholeZip({ ...many, mimetype })), mimetype);
  assert.equal(await typeOf(wholeZip(many)), 'application/zip');
});

void test('TNEF is told', async () => {
  assert.equal(await typeOf(Buffer.from('789f3e220000', 'hex')), 'application/vnd.ms-tnef');
});

void test('texts are told from each other by how they begin', async () => {
  assert.equal(await typeOf('\ufeff<!-- c -->\n<!DOCTYPE html><p>x'), 'text/html');
  assert.equal(await typeOf('<table><tr>'), 'text/html');
  assert.equal(await typeOf('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml');
  assert.equal(await typeOf('<?xml version="1.0"?>\n<html xmlns="x"><body/></html>'), 'text/html');
  assert.equal(await typeOf('<?xml version="1.0"?><data/>'), 'application/xml');
  assert.equal(await typeOf('{\\rtf1\\ansi x}'), 'application/rtf');
  assert.equal(await typeOf('BEGIN:VCALENDAR\r\nVERSION:2.0\r\n'), 'text/calendar');
  assert.equal(await typeOf('BEGIN:VCARD\r\nVERSION:3.0\r\n'), 'text/vcard');
  assert.equal(await typeOf('Received: by x\r\n with y\r\nFrom: a@b.c\r\nSubject: s\r\n\r\nbody'), 'message/rfc822');
  assert.equal(await typeOf('From: the mayor\nDear all,\n'), 'text/plain');
  assert.equal(await typeOf('a,b,c\n1,2,3\n4,"5,6",7\n'), 'text/csv');
  assert.equal(await typeOf('氏名,住所\n', 'list.CSV'), 'text/csv');
  assert.equal(await typeOf('just words'), 'text/plain');
});

void test('an HTML application is one where a browser would run it, and not where its words stand in a mail or a text', async () => {
  const tag = '<hta:application id="x">';
  for (const page of [
    `<html><head>${tag}</head></html>`,
    `<script>x</script>${tag.toUpperCase()}`,
    `\n<!-- c -->${tag}<script>x</script>`,
    `<!doctype html SYSTEM "x">${tag}`,
  ])
    assert.equal(await typeOf(page), 'application/hta', page);
  assert.equal(await typeOf(`x ${tag}`, 'a.hta'), 'application/hta');
  const mail = 'From: a@b.c\r\nSubject: s\r\nContent-Type: text/html\r\n\r\n';
  assert.equal(await typeOf(`${mail}<html>${tag}</html>`), 'message/rfc822');
  assert.equal(await typeOf(`Beware of files with ${tag} in them.\n`), 'text/plain');
});

void test('a zip whose directory names one entry many times is read once for it', async () => {
  const one = wholeZip({ mimetype: 'a'.repeat(1_000_000), a: 'x' });
  const end = one.lastIndexOf('PK\u0005\u0006');
  const directory = one.readUInt32LE(end + 16);
  const entry = one.subarray(directory, directory + 46 + one.readUInt16LE(directory + 28));
  const closing = Buffer.from(one.subarray(end));
  closing.writeUInt16LE(301, 8);
  closing.writeUInt16LE(301, 10);
  closing.writeUInt32LE(entry.length * 300 + (end - directory - entry.length), 12);
  const bomb = Buffer.concat([
    one.subarray(0, directory),
    ...Array.from({ length: 299 }, () => entry),
    one.subarray(directory, end),
    closing,
  ]);
  const { mimetype } = packageWords(bomb) ?? assert.fail();
  assert.equal(mimetype.length, 1_000_000);
  const before = process.cpuUsage();
  packageWords(bomb);
  assert.ok(process.cpuUsage(before).user < 300_000);
});

void test('a text that begins like a picture or a program is a text', async () => {
  assert.equal(await typeOf('BMW and MZ are letters of a plain text file.\n'), 'text/plain');
  assert.equal(await typeOf('MZ is the mark of programs, says this text.\n'), 'text/plain');
});

void test('a program called .txt is not a text', async () => {
  const bytes = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(300)]);
  assert.notEqual(await typeOf(bytes, 'a.txt'), 'text/plain');
  assert.equal(looksLikeText(bytes), false);
});

void test('Japanese text is text in each of its charsets, noise is not', async () => {
  const text = '令和八年度の申請書について。';
  for (const bytes of [
    Buffer.from(text),
    sjis(text),
    euc(text),
    jis(text),
    Buffer.from(`\ufeff${text}`, 'utf16le'),
    Buffer.from('plain ascii text', 'utf16le'),
  ]) {
    assert.equal(await typeOf(bytes), 'text/plain', bytes.toString('hex'));
  }
  let seed = 1;
  const noise = Buffer.from(Array.from({ length: 4000 }, () => (seed = (seed * 48271) % 2147483647) & 255));
  assert.equal(await typeOf(noise), 'application/octet-stream');
  assert.equal(looksLikeText(noise), false);
});

void test('containers that break off anywhere are named or unknown, never a throw', async () => {
  const whole = zipOf('[Content_Types].xml', 'x'.repeat(500));
  for (let size = 1; size < whole.length; size += 3) await detect(whole.subarray(0, size), '');
  for (const magic of [
    '1f8b08',
    '377abcaf271c',
    'ffd8ff',
    '4f676753',
    '52494646',
    '000000206674797068656963',
    '49492a00',
    '1a45dfa3',
  ]) {
    for (const tail of [0, 4, 40, 400])
      await detect(Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(tail, 255)]), '');
  }
});

void test('a zip is known by its end where its first bytes are nothing', async () => {
  const zip = wholeZip({ 'a.txt': 'one' });
  for (const before of [Buffer.alloc(511), Buffer.alloc(89, 0x8a)]) {
    assert.equal(await typeOf(Buffer.concat([before, zip])), 'application/zip');
    assert.equal(await typeOf(Buffer.concat([before, zip, Buffer.alloc(89, 0x8a)])), 'application/zip');
  }
  assert.equal(await typeOf(Buffer.concat([Buffer.alloc(600), zip.subarray(-22)])), 'application/octet-stream');
});
