// Attack catalogue, rows 52 to 67: PDF. Every outcome has been through the checker C1-C3, C6, C7; a canary listens.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { deflateSync } from 'node:zlib';
import { pdf, stream, type PdfObject } from '../../samples/make/pdf.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { judgePdf } from '../support/checker/own-pdf.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { withinQuiet } from '../support/slowness.ts';

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

const LIMIT_MS = 90_000;
const row0 = (outcome: Outcome): Outcome['parts'][number] => outcome.parts[0] as Outcome['parts'][number];

/** Each file to pages or to a refusal with a reason, in bounded time; then an honest document passes. */
async function each(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const path of paths) {
    const outcome = await sanitiser.file(path.split('/').at(-1) ?? '', await corpus(path));
    assert.match(outcome.state, /^(sanitised|held|refused)$/, path);
    assert.ok(outcome.ms < LIMIT_MS, `${path}: ${outcome.ms} ms`);
    if (outcome.state !== 'sanitised') assert.equal(outcome.files.size, 0, path);
    outcomes.push(outcome);
  }
  await honest();
  return outcomes;
}

async function honest(): Promise<void> {
  const outcome = await sanitiser.file('honest.pdf', page({}));
  assert.equal(outcome.state, 'sanitised');
  assert.equal(row0(outcome).pages, 1);
}

/** A PDF of one page with a black square; parts of it replaced, and objects from number 5 on. */
function page(more: {
  readonly catalog?: string;
  readonly page?: string;
  readonly contents?: string | PdfObject;
  readonly objects?: readonly PdfObject[];
}): Buffer {
  const contents = more.contents ?? '0 0 50 50 re f';
  return pdf([
    `<< /Type /Catalog /Pages 2 0 R ${more.catalog ?? ''} >>`,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R ${more.page ?? ''} >>`,
    typeof contents === 'string' ? stream(contents) : contents,
    ...(more.objects ?? []),
  ]);
}

/** The one page that came of it. */
async function drawn(bytes: Buffer): Promise<Outcome> {
  const outcome = await sanitiser.file('x.pdf', bytes);
  assert.equal(outcome.state, 'sanitised', outcome.reason ?? '');
  return outcome;
}

describe('PDF', () => {
  row(52, 'JavaScript in every place it can stand never leaves, and is told', async () => {
    const js = '<< /S /JavaScript /JS (app.alert(1)) >>';
    const told: boolean[] = [];
    for (const bytes of [
      page({ catalog: `/OpenAction ${js}` }),
      page({ page: `/AA << /O ${js} >>` }),
      page({ catalog: `/Names << /JavaScript << /Names [(a) ${js}] >> >>` }),
      page({
        catalog: '/AcroForm << /Fields [5 0 R] >>',
        page: '/Annots [5 0 R]',
        objects: [
          `<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [0 0 50 50] /AA << /K ${js} /F ${js} /V ${js} /C ${js} >> >>`,
        ],
      }),
    ])
      told.push(row0(await drawn(bytes)).findings.some(({ code }) => code === 'javascript'));
    assert.ok(told.includes(true));
    await each([
      'pdf/pdfjs/evaljs.pdf',
      ...corpusFiles('pdf/pdfjs', /^js-.*\.pdf$/),
      'pdf/tika/testPDF_jsActionOnPage.pdf',
    ]);
  });

  row(53, 'actions that run, open, call or send do nothing and do not leave', async () => {
    const url = `http://${canary.host}/`;
    for (const action of [
      `<< /S /Launch /F (${canary.programPath}) >>`,
      `<< /S /Launch /Win << /F (cmd.exe) /P (/c calc) >> >>`,
      `<< /S /URI /URI (${url}) >>`,
      `<< /S /GoToR /F (\\\\\\\\${canary.host}\\\\share\\\\x.pdf) /D [0 /Fit] >>`,
      `<< /S /GoToE /T << /R /C /N (x) >> >>`,
      `<< /S /SubmitForm /F << /FS /URL /F (${url}) >> /Fields [] >>`,
      `<< /S /ImportData /F (${canary.secretPath}) >>`,
      `<< /S /Thread /F (${url}) /D 0 >>`,
    ])
      await drawn(
        page({
          catalog: `/OpenAction ${action}`,
          page: `/AA << /O ${action} >> /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 100 100] /A ${action} >>]`,
        }),
      );
    await each(['pdf/pdfjs/doc_actions.pdf', 'pdf/opf-horrors/externalLink.pdf']);
  });

  row(54, 'files, portfolios and media inside do not leave', async () => {
    const evil = Buffer.from('MZ-embedded-payload-'.repeat(50));
    await drawn(
      page({
        catalog: '/Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >> /Collection << /View /T >>',
        objects: [
          '<< /Type /Filespec /F (evil.exe) /EF << /F 6 0 R >> >>',
          stream(evil, '/Type /EmbeddedFile'),
          stream(deflateSync(evil), '/Type /EmbeddedFile /Filter /FlateDecode'),
        ],
      }),
    );
    await each(['pdf/pdfjs/attachment.pdf', 'pdf/tika/testPDF_childAttachments.pdf', 'pdf/tika/testFlashInPDF.pdf']);
  });

  row(55, 'XFA forms: what stands there without a script is drawn, or refused', async () => {
    await each([...corpusFiles('pdf/pdfjs', /^xfa_.*\.pdf$/).slice(0, 12), 'pdf/tika/testPDF_malformedXFA.pdf']);
  });

  row(
    56,
    'references that go round: page tree, parents, forms, fonts, outlines, streams, cross-reference tables',
    async () => {
      const form = (self: number): PdfObject =>
        stream(
          '/X Do',
          `/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << /X ${self} 0 R >> >>`,
        );
      for (const bytes of [
        page({ page: '/Resources << /XObject << /X 5 0 R >> >>', contents: '/X Do', objects: [form(5)] }),
        page({ page: '/Resources << /XObject << /X 5 0 R >> >>', contents: '/X Do', objects: [form(6), form(5)] }),
        page({ catalog: '/Outlines 5 0 R', objects: ['<< /Type /Outlines /First 5 0 R /Last 5 0 R >>'] }),
        page({ contents: { dictionary: '/Length2 4 0 R', stream: Buffer.from('0 0 9 9 re f') } }),
        pdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']),
        pdf([
          '<< /Type /Catalog /Pages 2 0 R >>',
          '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
          '<< /Type /Pages /Kids [2 0 R] /Parent 3 0 R /Count 1 >>',
        ]),
        page({
          page: '/Resources << /Pattern << /P 5 0 R >> >>',
          contents: '/Pattern cs /P scn 0 0 100 100 re f',
          objects: [
            stream(
              '/Pattern cs /P scn 0 0 9 9 re f',
              '/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << /Pattern << /P 5 0 R >> >>',
            ),
          ],
        }),
        page({
          page: '/Resources << /ExtGState << /G 5 0 R >> >>',
          contents: '/G gs 0 0 9 9 re f',
          objects: [
            '<< /Type /ExtGState /SMask << /S /Luminosity /G 6 0 R >> >>',
            stream(
              '/G gs 0 0 9 9 re f',
              '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Group << /S /Transparency >> /Resources << /ExtGState << /G 5 0 R >> >>',
            ),
          ],
        }),
      ]) {
        const outcome = await sanitiser.file('loop.pdf', bytes);
        assert.ok(outcome.ms < LIMIT_MS);
      }
      await each([
        'pdf/qpdf/pages-loop.pdf',
        'pdf/qpdf/append-xref-loop.pdf',
        'pdf/pdfjs/operator_list_cycle.pdf',
        'hostile/image-pillow/trailer_loop.pdf',
      ]);
    },
  );

  row(
    57,
    'streams that inflate without end: refused or cut within the limit of memory, and mail passes meanwhile',
    async () => {
      const zeros = Buffer.alloc(64 * 1024 * 1024);
      const once = deflateSync(zeros);
      const twice = deflateSync(deflateSync(Buffer.alloc(1024 * 1024 * 1024)));
      for (const [filter, bytes] of [
        ['/FlateDecode', once],
        ['[/FlateDecode /FlateDecode]', twice],
      ] as const) {
        const [outcome, mail] = await Promise.all([
          sanitiser.file('bomb.pdf', page({ contents: stream(bytes, `/Filter ${filter}`) })),
          sanitiser.mail('From: a@example.com\r\nSubject: s\r\n\r\nmeanwhile\r\n'),
        ]);
        assert.ok(outcome.ms < LIMIT_MS);
        assert.match(mail.text, /meanwhile/);
        assert.ok(withinQuiet(mail.ms, 10_000), `${mail.ms} ms`);
      }
      await each(['pdf/pdfjs/bomb_giant.pdf']);
    },
  );

  row(58, 'giant pages and images are scaled or refused; a side never has more than its limit', async () => {
    for (const box of [
      '0 0 1000000 1000000',
      '0 0 1 1000000',
      '0 0 0.0001 0.0001',
      '0 0 -100 -100',
      '0 0 1e30 1e30',
      '0 0 0 0',
      '99999999 99999999 100000000 100000000',
    ]) {
      for (const unit of ['', '/UserUnit 75000']) {
        const outcome = await sanitiser.file('giant.pdf', page({ page: `/MediaBox [${box}] ${unit}` }));
        for (const [name, bytes] of outcome.files) {
          const sides = [...bytes.toString('latin1').matchAll(/\/(?:Width|Height) (\d+)/g)].map(([, side]) =>
            Number(side),
          );
          assert.ok(sides.length > 0 && sides.every((side) => side <= LIMITS.sidePixels), name);
        }
      }
    }
    for (const size of [
      '/Width 35000 /Height 35000',
      '/Width 65536 /Height 65536',
      '/Width 2147483647 /Height 2147483647',
      '/Width -1 /Height 5',
      '/Width 1000000000 /Height 1',
    ]) {
      const image = stream('x', `/Type /XObject /Subtype /Image ${size} /ColorSpace /DeviceRGB /BitsPerComponent 16`);
      const outcome = await sanitiser.file(
        'image.pdf',
        page({
          page: '/Resources << /XObject << /I 5 0 R >> >>',
          contents: '100 0 0 100 0 0 cm /I Do',
          objects: [image],
        }),
      );
      assert.ok(outcome.ms < LIMIT_MS, size);
    }
    await each(['pdf/pdfjs/boundingBox_invalid.pdf']);
  });

  row(
    59,
    'a million pages of one content: no more pages than the limit, the cut is told, the count is not believed',
    async () => {
      const many = (kids: number, count: number): Buffer =>
        pdf([
          '<< /Type /Catalog /Pages 2 0 R >>',
          `<< /Type /Pages /Kids [${'3 0 R '.repeat(kids)}] /Count ${count} >>`,
          '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>',
          stream('0 0 5 5 re f'),
        ]);
      for (const [kids, count] of [
        [LIMITS.pages, LIMITS.pages],
        [LIMITS.pages + 1, LIMITS.pages + 1],
        [1, 1_000_000],
        [1, -5],
        [1, 2_147_483_648],
      ] as const) {
        const outcome = await sanitiser.file('many.pdf', many(kids, count));
        assert.ok(outcome.ms < 300_000);
        assert.ok(row0(outcome).pages <= LIMITS.pages);
        if (kids > LIMITS.pages)
          assert.ok(
            outcome.reason === 'too-many-pages' || row0(outcome).losses.some(({ code }) => code === 'pages-cut'),
            JSON.stringify(row0(outcome)),
          );
      }
      // A tree that doubles at each level: 2^24 pages in a few objects.
      const levels = Array.from(
        { length: 24 },
        (_, at) => `<< /Type /Pages /Kids [${at + 3} 0 R ${at + 3} 0 R] /Count ${2 ** (24 - at)} >>`,
      );
      const tree = await sanitiser.file(
        'tree.pdf',
        pdf(['<< /Type /Catalog /Pages 2 0 R >>', ...levels, '<< /Type /Page /MediaBox [0 0 9 9] >>']),
      );
      assert.ok(row0(tree).pages <= LIMITS.pages);
      await honest();
    },
  );

  row(60, 'picture decoders: a crash is a refusal of that file, the next one is fine', async () => {
    await each([
      ...corpusFiles('pdf/pdfjs', /^jbig2_.*\.pdf$/).slice(0, 10),
      'pdf/pdfjs/bug_jpx.pdf',
      'pdf/tika/testPDF_JBIG2.pdf',
      'pdf/qpdf/broken-lzw.pdf',
    ]);
  });

  row(61, 'fonts and their maps: drawn or refused, the next file is fine', async () => {
    await each(['pdf/pdfjs/cidfont_cmap_overflow.pdf']);
    const font = '<< /Type /Font /Subtype /Type1 /BaseFont /X /FontMatrix [1 2 3 4 5 (0\\); app.alert\\(1\\)] >>';
    assert.match(
      (
        await sanitiser.file(
          'f.pdf',
          page({ page: `/Resources << /Font << /F 5 0 R >> >>`, contents: 'BT /F 12 Tf (x) Tj ET', objects: [font] }),
        )
      ).state,
      /^(sanitised|refused)$/,
    );
  });

  row(62, "a password that is needed: held; an owner's alone: drawn; never delivered as it is", async () => {
    const [open, owner] = await each([
      'pdf/opf-horrors/encryption_openpassword.pdf',
      'pdf/qpdf/encrypted-40-bit-R3.pdf',
      'pdf/tika/testUnicodePassword.pdf',
    ]);
    assert.equal(open?.state, 'held');
    assert.equal(open?.reason, 'password-needed');
    assert.match(owner?.state ?? '', /^(sanitised|held)$/);
    const strange = page({})
      .toString('latin1')
      .replace('/Root 1 0 R', '/Root 1 0 R /Encrypt << /Filter /Evil /V 99 >> /ID [<00> <00>]');
    assert.match((await sanitiser.file('e.pdf', Buffer.from(strange, 'latin1'))).state, /^(held|refused)$/);
  });

  row(63, 'broken structure is repaired or refused, in bounded time', async () => {
    await each([
      ...corpusFiles('pdf/opf-handbuilt', /\.pdf$/).slice(0, 30),
      ...corpusFiles('pdf/qpdf', /^bad.*\.pdf$/).slice(0, 20),
    ]);
    const whole = page({});
    for (const bytes of [
      Buffer.concat([Buffer.alloc(1000, 0x20), whole]),
      Buffer.concat([whole, Buffer.from('junk'.repeat(500))]),
      whole.subarray(0, whole.length / 2),
      Buffer.from('%PDF-1.7'),
      Buffer.from('%PDF-'),
    ])
      assert.match((await sanitiser.file('b.pdf', bytes)).state, /^(sanitised|refused)$/);
  });

  row(64, 'two faces: what the pixels show is all there is', async () => {
    const hidden = page({
      catalog: '/OCProperties << /OCGs [5 0 R] /D << /OFF [5 0 R] >> >>',
      page: '/Resources << /Properties << /L 5 0 R >> /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>',
      contents: '/OC /L BDC BT /F 20 Tf 5 50 Td (SECOND-FACE) Tj ET EMC 1 1 1 rg BT /F 20 Tf (WHITE-TEXT) Tj ET',
      objects: ['<< /Type /OCG /Name (layer) >>'],
    });
    const outcome = await drawn(hidden);
    for (const bytes of outcome.files.values()) assert.doesNotMatch(bytes.toString('latin1'), /SECOND-FACE|WHITE-TEXT/);
    await each(['pdf/pdfjs/annotation_hidden_print.pdf']);
  });

  row(65, 'earlier revisions, what lies outside the page, metadata and thumbnails are gone', async () => {
    const secret = 'PLANTED-IN-METADATA';
    const bytes = page({
      catalog: `/Metadata 5 0 R /PieceInfo << /X << /Private (${secret}) >> >>`,
      page: '/CropBox [0 0 50 50] /Thumb 6 0 R',
      contents: `0 0 50 50 re f % ${secret}`,
      objects: [
        stream(`<x:xmpmeta>${secret}</x:xmpmeta>`, '/Type /Metadata /Subtype /XML'),
        stream(secret, '/Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8'),
      ],
    });
    const outcome = await drawn(
      Buffer.concat([
        bytes,
        Buffer.from(
          `\n4 0 obj\n<< /Length 3 >>\nstream\n0 g\nendstream\nendobj\n% ${secret}\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n`,
        ),
      ]),
    );
    for (const [name, output] of outcome.files) {
      assert.ok(!output.toString('latin1').includes(secret));
      assert.equal(judgePdf(output, name).pages, 1);
    }
    await each(['pdf/tika/testPDF_incrementalUpdates.pdf']);
  });

  row(66, 'external streams are not read: no file of ours, no address is touched', async () => {
    for (const where of [
      `(${canary.secretPath})`,
      `<< /FS /URL /F (http://${canary.host}/) >>`,
      `<< /Type /Filespec /F (${canary.secretPath}) /UF (${canary.secretPath}) >>`,
    ]) {
      const outcome = await sanitiser.file(
        'f.pdf',
        page({
          contents: stream('', `/F ${where}`),
          page: `/Resources << /XObject << /I << /Subtype /Form /Ref << /F ${where} /Page 0 >> /OPI << /2.0 << /F ${where} >> >> >> >> >>`,
        }),
      );
      for (const bytes of outcome.files.values()) assert.ok(!bytes.toString('latin1').includes(canary.secret));
    }
  });

  row(67, 'PostScript is not run: refused as a file, a blank inside a document', async () => {
    const eps = await sanitiser.file('zero_bb.eps', await corpus('hostile/image-pillow/zero_bb.eps'));
    assert.equal(eps.state, 'refused');
    const ps = `%!PS\n(${canary.secretPath}) (r) file 1000 string readstring pop =\n(%pipe%${canary.programPath}) (w) file\nshowpage\n`;
    assert.match((await sanitiser.file('a.ps', ps)).state, /^(sanitised|refused)$/);
    await drawn(
      page({
        page: '/Resources << /XObject << /P 5 0 R >> >>',
        contents: '/P Do 0 0 9 9 re f',
        objects: [stream(ps, '/Type /XObject /Subtype /PS')],
      }),
    );
  });
});
