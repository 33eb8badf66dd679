// A PDF in the first bytes of another file makes no PDF of it; junk in front of a PDF makes nothing else of it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { detect } from '../../workers/detect.ts';
import { tar, zip } from '../support/archives.ts';
import { compoundFile } from '../support/compound-file.ts';

const PDF = Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n', 'latin1');
const typeOf = async (bytes: Buffer | string, name = ''): Promise<string> =>
  (await detect(Buffer.from(bytes as string), name)).mimeType;
/** A file of this head that keeps a PDF as it is. */
const stored = (hex: string): Buffer => Buffer.concat([Buffer.from(hex, 'hex'), PDF, Buffer.alloc(2000)]);

it('an archive whose first file is a PDF, kept as it is, is an archive', async () => {
  for (const [type, bytes] of [
    ['zip', zip([{ name: 'a.pdf', data: PDF }])],
    ['x-tar', tar([{ name: 'a.pdf', data: PDF }])],
    ['x-rar-compressed', stored('526172211a0700cf907300000d00000000000000')],
    ['x-7z-compressed', stored(`377abcaf271c0004${'00'.repeat(24)}`)],
    ['x-lzh-compressed', stored('16782d6c68302d00')],
    ['vnd.ms-cab-compressed', stored(`4d53434600000000${'00'.repeat(80)}`)],
    ['x-cpio', stored('c771')],
    ['gzip', stored('1f8b0800000000000003')],
    ['zstd', stored('28b52ffd')],
  ] as const)
    assert.equal(await typeOf(bytes), `application/${type}`);
});

it('a compound file and a message whose first bytes are an attached PDF are what they are', async () => {
  const attached = Buffer.concat([PDF, Buffer.alloc(6000)]);
  const msg = { '__attach_version1.0_#00000000/__substg1.0_37010102': attached, '__properties_version1.0': PDF };
  assert.equal(await typeOf(compoundFile(msg)), 'application/vnd.ms-outlook');
  assert.equal(await typeOf(compoundFile({ Data: attached, WordDocument: attached })), 'application/msword');
  assert.equal(await typeOf(stored('789f3e220000')), 'application/vnd.ms-tnef');
  const mail = Buffer.concat([Buffer.from('From: a@b.c\r\nSubject: s\r\nContent-Type: application/pdf\r\n\r\n'), PDF]);
  assert.equal(await typeOf(mail), 'message/rfc822');
});

it('a text, a page, a table and a mail that speak of the header are none', async () => {
  assert.equal(await typeOf('ログ\nERROR: file does not begin with %PDF-1.4\n'), 'text/plain');
  assert.equal(await typeOf('<html><body>A PDF begins with %PDF-1.4</body></html>'), 'text/html');
  assert.equal(await typeOf('a,b,c\n1,2,%PDF-1.4\n4,5,6\n'), 'text/csv');
  assert.equal(await typeOf('From: a@b.c\r\nSubject: s\r\n\r\nheader is %PDF-1.4\r\n'), 'message/rfc822');
});

it('a PDF behind blanks, words, pictures, programs or bytes of nothing is a PDF', async () => {
  for (const junk of ['\ufeff', '\r\n  ', '\0\0', 'HTTP/1.1 200 OK\r\n\r\n', '<p>Notice: x</p>\n', 'GIF89a', '\x7fELF'])
    assert.equal(await typeOf(Buffer.concat([Buffer.from(junk), PDF])), 'application/pdf', JSON.stringify(junk));
  assert.equal(await typeOf(Buffer.concat([Buffer.from('MZ\x90\0'), Buffer.alloc(300), PDF])), 'application/pdf');
  assert.equal(await typeOf(Buffer.concat([Buffer.alloc(1025), PDF])), 'application/octet-stream');
});
