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
  for (const name of ['請求書.pdf.exe', 'photo.JPG.scr', 'report.docx          .js', '資料.xlsx.lnk'])
    assert.deepEqual(findings(name), ['double-extension'], name);
  for (const name of ['請求書.pdf', 'v1.2.docx', 'setup.exe', 'archive.tar.gz', 'a.pdf.txt'])
    assert.deepEqual(findings(name), [], name);
});
