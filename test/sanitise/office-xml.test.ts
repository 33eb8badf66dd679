// Office documents that are one XML file, and binary workbooks: told by their bytes, cleaned, drawn as pages.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { corpus } from '../support/attack-row.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;
const ODF = 'urn:oasis:names:tc:opendocument:xmlns';

const MACRO =
  '<ooo:library-embedded ooo:name="Standard"><ooo:module ooo:name="a"><ooo:source-code>Sub Main</ooo:source-code></ooo:module></ooo:library-embedded>';
const flat = (kind: string, body: string, library = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<office:document xmlns:office="${ODF}:office:1.0" xmlns:text="${ODF}:text:1.0" xmlns:table="${ODF}:table:1.0" xmlns:draw="${ODF}:drawing:1.0" xmlns:script="${ODF}:script:1.0" office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.${kind}"><office:scripts><office:script script:language="ooo:Basic"><ooo:libraries xmlns:ooo="http://openoffice.org/2004/office">${library}</ooo:libraries></office:script></office:scripts><office:body><office:${kind === 'graphics' ? 'drawing' : kind}>${body}</office:${kind === 'graphics' ? 'drawing' : kind}></office:body></office:document>`;
const WORDS = '<text:p>鹿島市からのお知らせ</text:p>';

const WORD_2003 =
  '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml" w:macrosPresent="yes"><w:body><w:p><w:r><w:t>鹿島市</w:t></w:r></w:p></w:body></w:wordDocument>';
const EXCEL_2003 =
  '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="a"><Table><Row><Cell><Data ss:Type="String">鹿島市</Data></Cell></Row></Table></Worksheet></Workbook>';

describe('office documents in one XML file', async () => {
  const sanitiser = await openSanitiser();
  after(() => sanitiser[Symbol.asyncDispose]());

  for (const [name, bytes, type] of [
    ['a.fodt', flat('text', WORDS, MACRO), 'vnd.oasis.opendocument.text-flat-xml'],
    [
      'a.fods',
      flat(
        'spreadsheet',
        `<table:table table:name="a"><table:table-row><table:table-cell office:value-type="string">${WORDS}</table:table-cell></table:table-row></table:table>`,
      ),
      'vnd.oasis.opendocument.spreadsheet-flat-xml',
    ],
    ['a.fodp', flat('presentation', '<draw:page draw:name="a"/>'), 'vnd.oasis.opendocument.presentation-flat-xml'],
    ['a.fodg', flat('graphics', '<draw:page draw:name="a"/>'), 'vnd.oasis.opendocument.graphics-flat-xml'],
    ['word.xml', WORD_2003, 'x-office-xml'],
    ['excel.xml', EXCEL_2003, 'x-office-xml'],
  ] as const)
    it(`${name} becomes pages`, { timeout: MS }, async () => {
      const { parts } = await sanitiser.file(name, bytes);
      assert.deepEqual(
        parts.map(({ detectedType, verdict, reason }) => [detectedType, verdict, reason]),
        [[`application/${type}`, 'pages', null]],
      );
      assert.deepEqual(
        parts[0]?.findings.map(({ code }) => code),
        name === 'a.fodt' || name === 'word.xml' ? ['macro'] : [],
      );
    });

  it('other XML is text', { timeout: MS }, async () => {
    const { parts } = await sanitiser.file(
      'a.xml',
      '<?xml version="1.0"?><a mimetype="application/vnd.oasis.opendocument.text"/>',
    );
    assert.equal(parts[0]?.detectedType, 'application/xml');
  });

  it('a binary workbook becomes pages, and what runs in it or reaches out is told', { timeout: MS }, async () => {
    const plain = await sanitiser.file('a.xlsb', await corpus('office/poi/spreadsheet-date.xlsb'));
    assert.equal(plain.parts[0]?.detectedType, 'application/vnd.ms-excel.sheet.binary.macroenabled.12');
    assert.deepEqual([plain.parts[0]?.verdict, plain.parts[0]?.findings], ['pages', []]);
    const hostile = await sanitiser.file(
      'b.xlsb',
      await corpus('hostile/office-oletools/excel4-macros-excel4_sample_macro.xlsb'),
    );
    assert.ok(
      hostile.parts[0]?.findings.some(({ code }) => code === 'macro'),
      JSON.stringify(hostile.parts),
    );
  });
});
