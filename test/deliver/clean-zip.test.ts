// What came in an archive leaves in one of ours: the same folders, safe names, UTF-8, the same bytes at every attempt.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { cleanZips } from '../../src/deliver/clean-zip.ts';
import type { PartRow } from '../../src/message/part.ts';
import type { VerifiedPackage } from '../../src/outbox/verify.ts';
import { bundlesOf } from '../../src/outbox/folders.ts';

function row(path: string, name: string, output: string | undefined, detectedType = 'application/pdf'): PartRow {
  const verdict = detectedType === 'application/zip' || detectedType === 'message/rfc822' ? 'expanded' : 'pages';
  return {
    path,
    name,
    declaredType: '',
    detectedType,
    size: 1,
    sha256: 'a'.repeat(64),
    verdict,
    reason: null,
    outputs: output === undefined ? [] : [output],
    pages: 1,
    findings: [],
    losses: [],
  };
}

const ZIP = 'application/zip';
const PARTS = [
  row('1', '', 'message.txt', 'text/plain'),
  row('2', '資料一式.zip', undefined, ZIP),
  row('2.1', '資料/申請書.docx', 'files/01-申請書.pdf'),
  row('2.2', '../../etc/CON/悪い名前.docx', 'files/02-悪い名前.pdf'),
  row('2.3', 'C:\\写真\\内.zip', undefined, ZIP),
  row('2.3.1', '原本/一.pdf', 'files/03-一.pdf'),
  row('3', '案内.pdf', 'files/04-案内.pdf'),
  row('4', '転送.eml', 'files/05-転送.txt', 'message/rfc822'),
  row('4.1', '添付.pdf', 'files/06-添付.pdf'),
];

function verified(): VerifiedPackage {
  const files = PARTS.flatMap(({ outputs }) => outputs).map((name) => {
    const bytes = Buffer.from(`content of ${name}`);
    return { name, size: bytes.length, sha256: '', bytes };
  });
  // Only what `cleanZips` reads.
  return {
    statement: { predicate: { parts: PARTS, sanitisedAt: '2026-11-25T10:00:00.000Z' } },
    files,
  } as unknown as VerifiedPackage;
}

test('files lie in the folders of their archive, and no name leads out of it', () => {
  const [bundle, ...others] = bundlesOf(PARTS);
  assert.equal(others.length, 0);
  assert.equal(bundle?.stem, '資料一式');
  assert.deepEqual(
    [...bundle.places],
    [
      ['files/01-申請書.pdf', '資料/01-申請書.pdf'],
      ['files/02-悪い名前.pdf', 'etc/CON-/02-悪い名前.pdf'],
      ['files/03-一.pdf', 'C-/写真/内/原本/03-一.pdf'],
    ],
  );
});

test('the zip is read by another program, its names in UTF-8, and is the same at every attempt', () => {
  const { zips, packed } = cleanZips(verified());
  assert.deepEqual(
    zips.map(({ filename }) => filename),
    ['01-資料一式.zip'],
  );
  assert.deepEqual([...packed], ['files/01-申請書.pdf', 'files/02-悪い名前.pdf', 'files/03-一.pdf']);
  const [zip] = zips;
  assert.ok(zip !== undefined && Buffer.isBuffer(zip.content));
  const script =
    'import sys,io,zipfile,json\nz=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\nprint(json.dumps([[i.filename,bool(i.flag_bits&0x800) or i.filename.isascii(),z.read(i).decode()] for i in z.infolist()]))';
  const said = spawnSync('python3', ['-c', script], { input: zip.content, encoding: 'utf8' });
  assert.equal(said.status, 0, said.stderr);
  assert.deepEqual(JSON.parse(said.stdout), [
    ['資料/01-申請書.pdf', true, 'content of files/01-申請書.pdf'],
    ['etc/CON-/02-悪い名前.pdf', true, 'content of files/02-悪い名前.pdf'],
    ['C-/写真/内/原本/03-一.pdf', true, 'content of files/03-一.pdf'],
  ]);
  assert.deepEqual(cleanZips(verified()).zips[0]?.content, zip.content);
});
