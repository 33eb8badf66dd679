// Names of a workbook that stay are those of cells of its own sheets that are shown; whatever reaches outside or runs is gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { sheetData, xlsx, zipOf } from '../support/office-files.ts';

/** The names of a workbook with the sheets 表, O'Neil and the hidden 秘, as they come out: ours for its print areas left out. */
function kept(...names: readonly string[]): string[] {
  const xml = sheetData([['a', 1]]);
  const files = unzipSync(
    xlsx([
      { name: '表', xml },
      { name: "O'Neil", xml },
      { name: '秘', xml, state: 'hidden' },
    ]),
  );
  const workbook = strFromU8(files['xl/workbook.xml'] ?? new Uint8Array());
  const named = workbook.replace('</workbook>', `<definedNames>${names.join('')}</definedNames></workbook>`);
  const { bytes } = cleanOoxml(zipOf({ ...files, 'xl/workbook.xml': named }));
  const clean = strFromU8(unzipSync(bytes)['xl/workbook.xml'] ?? new Uint8Array());
  return (clean.match(/<definedName [^>]*>[^<]*<\/definedName>/g) ?? []).filter((one) => !one.includes('_xlnm'));
}

const name = (refersTo: string, attributes = 'name="額"'): string =>
  `<definedName ${attributes}>${refersTo}</definedName>`;

test('names of cells, ranges, rows and columns of a sheet stay', () => {
  for (const refersTo of [
    '表!$A$1',
    '表!$A$1:$B$2000',
    '表!A1:B2',
    '表!$A:$C',
    '表!$1:$3',
    "'表'!$A$1",
    "'O''Neil'!$B$1",
    "'o''neil'!$B$1",
  ])
    assert.deepEqual(kept(name(refersTo)), [name(refersTo)], refersTo);
  const local = name('表!$A$1', 'name="額" localSheetId="1"');
  assert.deepEqual(kept(local), [local]);
  assert.deepEqual(kept(name('表!$A$1', 'name="額" comment="&lt;x&gt;" hidden="1"')), [name('表!$A$1')]);
});

test('names that reach outside, compute, run, or stand for cells that are not shown are gone', () => {
  for (const refersTo of [
    '[1]表!$A$1',
    "'[C:\\evil.xlsx]表'!$A$1",
    "'\\\\evil\\share\\[a.xlsx]表'!$A$1",
    "'file:///etc/passwd'#$表.A1",
    "cmd|' /C calc'!A0",
    'WEBSERVICE("https://evil.example/")',
    'HYPERLINK("https://evil.example/")',
    'INDIRECT("表!A1")',
    '表!$A$1+表!$A$2',
    '表!$A$1,[1]表!$A$1',
    '表!$A$1:INDEX(表!$A:$A,1)',
    '秘!$A$1',
    'なし!$A$1',
    '$A$1',
    '#REF!',
    '"text"',
    '',
  ])
    assert.deepEqual(kept(name(refersTo.replaceAll('"', '&quot;'))), [], refersTo);
  for (const attributes of [
    'name="_xlnm.Print_Titles" localSheetId="0"',
    'name="_xlnm._FilterDatabase"',
    'name="Auto_Open"',
    'name="額" function="1"',
    'name="額" vbProcedure="1" xlm="1"',
    'name="額&quot; x=&quot;1"',
    'name=""',
  ])
    assert.deepEqual(kept(name('表!$A$1', attributes)), [], attributes);
});
