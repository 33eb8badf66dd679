// Fields that load or run something are found however their instruction is cut up, and by its first word alone (attack rows 70, 72, 73).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { openPackage } from '../../workers/office/package.ts';
import { cleanRtf } from '../../workers/office/rtf.ts';
import { docx, zipOf } from '../support/office-files.ts';
import { withinQuiet } from '../support/slowness.ts';

const mark = (type: string): string => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
const code = (...pieces: readonly string[]): string =>
  pieces.map((piece) => `<w:r><w:instrText xml:space="preserve">${piece}</w:instrText></w:r>`).join('');
const field = (inside: string): string =>
  `<w:p>${mark('begin')}${inside}${mark('separate')}<w:r><w:t>shown</w:t></w:r>${mark('end')}</w:p>`;

/** Details of the findings, and the instruction that is left. */
function cleaned(bytes: Buffer): [told: string[], left: string] {
  const { bytes: clean, report } = cleanOoxml(bytes);
  const body = Buffer.from(openPackage(clean).get('word/document.xml') ?? []).toString('utf8');
  assert.match(body, />shown</);
  const left = [...body.matchAll(/<w:instrText[^>]*>([^<]*)</g)].map(([, text = '']) => text).join('');
  return [
    [...report.findings.values()].map(({ code: found, detail }) => `${found} ${detail}`),
    left.trim().replaceAll('&quot;', '"'),
  ];
}

test('an instruction in pieces is one instruction', () => {
  assert.deepEqual(cleaned(docx(field(code(' DD', 'E', 'AUTO c:\\x ')))), [['dde DDEAUTO c:\\x'], '']);
  assert.deepEqual(cleaned(docx(field(code('INCLUDE', 'PICTURE "http://x/y.png"')))), [
    ['dde INCLUDEPICTURE "http://x/y.png"'],
    '',
  ]);
  const paragraphs = field(`${code('DD')}</w:p><w:p>${code('E x y')}`);
  assert.deepEqual(cleaned(docx(paragraphs)), [['dde DDE x y'], '']);
});

test('a field in a field is one by itself, and one that never ends is one, too', () => {
  const nested = field(code(' IF ') + mark('begin') + code('LI', 'NK a') + mark('end') + code(' = 1 "DDE" '));
  assert.deepEqual(cleaned(docx(nested)), [['dde LINK a'], 'IF  = 1 "DDE"']);
  const open = `<w:p><w:r><w:t>shown</w:t></w:r>${mark('begin')}${code('DDE', 'AUTO x')}</w:p>`;
  assert.deepEqual(cleaned(docx(open)), [['dde DDEAUTO x'], '']);
});

test('marks, pieces and attributes of another namespace end no field and part no word', () => {
  const loose = `<w:p>${code('DD')}`;
  const both = (type: string): string => `<w:r><w:fldChar q:fldCharType="end" w:fldCharType="${type}"/></w:r>`;
  for (const [body, told] of [
    [`${loose}${both('begin')}${code('DDEAUTO x')}${mark('end')}<w:r><w:t>shown</w:t></w:r></w:p>`, 'DDEAUTO x'],
    [field(`${code('DD')}<w:r><q:fldChar q:fldCharType="end"/></w:r>${code('E x')}`), 'DDE x'],
    [field(`${code('DD')}<w:r><w:fldChar q:fldCharType="end"/></w:r>${code('E x')}`), 'DDE x'],
    [field(`${code('DD')}<w:r><w:fldChar fldCharType="end"/></w:r>${code('E x')}`), 'DDE x'],
    [field(`${code('DD')}<q:instrText>q</q:instrText>${code('E x')}`), 'DDE x'],
    [field(code('D<q:a xmlns:w="q"/>DE x')), 'DDE x'],
    [field(`${code('DD')}<q:a xmlns:w="q"><w:fldChar w:fldCharType="end"/></q:a>${code('E x')}`), 'DDE x'],
    [field(code('\u200bDDE x')), '\u200bDDE x'],
    ['<w:p><w:fldSimple q:instr="PAGE" w:instr="DDE x"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>', 'DDE x'],
  ] as const) {
    const [found] = cleaned(docx(`<w:sdtContent xmlns:q="urn:q">${body}</w:sdtContent>`));
    assert.deepEqual(found, [`dde ${told}`], body);
  }
  const other = 'http://purl.oclc.org/ooxml/wordprocessingml/main';
  const strict = `<w:r><s:fldChar xmlns:s="${other}" s:fldCharType="begin"/></w:r>`;
  assert.deepEqual(cleaned(docx(`<w:p>${code('X ')}${strict}${code('DDE x')}<w:r><w:t>shown</w:t></w:r></w:p>`))[0], [
    'dde DDE x',
  ]);
});

test('an honest instruction is left, whatever its address is called', () => {
  const link = 'HYPERLINK "http://www.city.example/link/include/database.html"';
  assert.deepEqual(cleaned(docx(field(code(` ${link} `)))), [[], link]);
  assert.deepEqual(cleaned(docx(field(code(' PRINTDATE \\@ "yyyy" ')))), [[], 'PRINTDATE \\@ "yyyy"']);
});

test('the letters of the XML are no way around it', () => {
  const utf16 = `\ufeff<?xml version="1.0" encoding="UTF-16"?><w:document xmlns:w="w"><w:body>${field(code('DD', 'E x'))}</w:body></w:document>`;
  const types =
    '<Types><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>';
  const links =
    '<Relationships><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>';
  const bytes = zipOf({
    '[Content_Types].xml': types,
    '_rels/.rels': links,
    'word/document.xml': Buffer.from(utf16, 'utf16le'),
  });
  assert.deepEqual(cleaned(bytes), [['dde DDE x'], '']);
});

test('RTF: an instruction is found through groups, control words and escapes', () => {
  const all = (instruction: string): string => `{\\rtf1{\\field{\\*\\fldinst ${instruction}}{\\fldrslt shown}}}`;
  for (const instruction of [
    'INCLUDEPICTURE "http://x/y.png"',
    '{\\rtlch\\fcs1 \\af0 \\ltrch\\fcs0 \\insrsid1 INCLUDEPICTURE "http://x/y.png" \\\\d}',
    '{DD}{\\b E}AUTO c:\\\\x',
    "\\'44\\'44E x",
    '\\u68 ?\\u68 ?E x',
    '\\uc0\\u68 DE x',
    '\\uc2\\u68 ??\\u68 ??E x',
    '{\\uc2\\u68 ??}\\u68 ?E x',
    `\\uc0${'\\u8203 '.repeat(60)}DDE x`,
    '{\\*\\datafield 00}{\\field{\\*\\fldinst QUOTE}{\\fldrslt }}DDE x',
  ]) {
    const { bytes, report } = cleanRtf(Buffer.from(all(instruction)));
    assert.deepEqual([...report.findings.values()], [{ code: 'dde', detail: '' }], instruction);
    assert.equal(bytes.toString(), all(''), instruction);
  }
  const before = `{\\rtf1\\uc2 {\\field{\\*\\fldinst \\u68 ??\\u68 ??E x}{\\fldrslt shown}}}`;
  assert.equal(cleanRtf(Buffer.from(before)).report.findings.size, 1, before);
  for (const instruction of ['HYPERLINK "http://x/link/dde"', '{\\b PAGE }', '']) {
    const { bytes, report } = cleanRtf(Buffer.from(all(instruction)));
    assert.equal(report.findings.size, 0, instruction);
    assert.equal(bytes.toString(), all(instruction));
  }
});

test('RTF: instructions in instructions without end take no longer than they are long', () => {
  const started = performance.now();
  cleanRtf(Buffer.from(`{\\rtf1${'{\\*\\fldinst{\\field'.repeat(50_000)}`));
  cleanRtf(Buffer.from(`{\\rtf1${'{\\fldinst'.repeat(100_000)}`));
  const ms = performance.now() - started;
  assert.ok(withinQuiet(ms, 5000), `${ms} ms`);
});
