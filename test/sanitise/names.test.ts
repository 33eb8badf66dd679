// Names that lie about what a file is.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { refusal, rowOf } from '../../src/sanitise/part.ts';

const bytes = Buffer.from('x');
const content = {
  size: 1,
  sha256: '0'.repeat(64),
  inline: bytes,
  open: async function* () {
    yield bytes;
  },
  discard: async () => undefined,
};

const findings = (name: string): string[] =>
  rowOf(
    { path: '1', depth: 0, name, declaredType: '', content },
    'application/octet-stream',
    refusal('unsupported-type'),
  ).findings.map(({ code }) => code);

it('a second ending that runs is told, an ordinary name is not', () => {
  for (const name of [
    '請求書.pdf.exe',
    'photo.JPG.scr',
    'report.docx          .js',
    '資料.xlsx.lnk',
    '名簿.xlsm.exe',
    '通知.jtd.exe',
    'index.html.exe',
    'a.lzh.exe',
    '写真.heic.scr',
    'a.pdf.url',
    'a.pdf.cpl',
    'a.pdf.vhd',
    'a.docx.wsh',
    'a.txt.reg',
    'a.pdf.library-ms',
    'a.pdf．exe',
    'a．ｐｄｆ　　．ｅｘｅ',
  ])
    assert.deepEqual(findings(name), ['double-extension'], name);
  for (const name of [
    '請求書.pdf',
    'v1.2.docx',
    'setup.exe',
    'archive.tar.gz',
    'a.pdf.txt',
    'a.zip.7z',
    'v1.2.exe',
    'a.dll.exe',
  ])
    assert.deepEqual(findings(name), [], name);
  assert.ok(findings('a.pdf\u200b.exe').includes('double-extension'));
});
