// What an engine leaves off the pages (comments, tracked changes, notes, hidden slides) is told, whatever the format.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { docText } from '../../workers/office/doc-letters.ts';
import { cleanFlatOdf } from '../../workers/office/odf.ts';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { pptText } from '../../workers/office/ppt-letters.ts';
import { cleanRtf } from '../../workers/office/rtf.ts';
import type { Cleaned } from '../../workers/office/cleaned.ts';
import { compoundFile } from '../support/compound-file.ts';
import { docx, paragraph } from '../support/office-files.ts';

const losses = ({ report }: Cleaned): readonly string[] =>
  [...report.losses.values()].map(({ code }) => code).toSorted();

describe('a Word document', () => {
  it('tells moved words as tracked changes, as it does inserted and deleted ones', () => {
    for (const name of ['ins', 'del', 'moveFrom', 'moveTo']) {
      const change = `<w:p><w:${name} w:id="1" w:author="a"><w:r><w:t>x</w:t></w:r></w:${name}></w:p>`;
      assert.deepEqual(losses(cleanOoxml(docx(change))), ['tracked-changes'], name);
    }
    assert.deepEqual(losses(cleanOoxml(docx(paragraph('x')))), []);
    const strict = 'http://purl.oclc.org/ooxml/wordprocessingml/main';
    const words = `<ins xmlns="${strict}" id="1"><r><t>x</t></r></ins>`;
    assert.deepEqual(losses(cleanOoxml(docx(words))), ['tracked-changes']);
  });

  it('tells no lines of a drawing as moved words', () => {
    const drawing = 'http://schemas.openxmlformats.org/drawingml/2006/main';
    const line = `<a:path xmlns:a="${drawing}"><a:moveTo><a:pt x="0" y="0"/></a:moveTo></a:path>`;
    assert.deepEqual(losses(cleanOoxml(docx(`<w:p><w:r><w:drawing>${line}</w:drawing></w:r></w:p>`))), []);
  });

  it('of 97 to 2003 tells its comments and its tracked changes', () => {
    const { text, ...more } = docText(doc()) ?? {};
    assert.equal(text?.trim(), 'Body');
    assert.deepEqual(more, { comments: false, changes: false });
    assert.deepEqual(docText(doc({ comments: 3 }))?.comments, true);
    for (const [sprms, changes] of [
      ['0008 01', true], // sprmCFRMarkDel
      ['0108 01', true], // sprmCFRMark
      ['4f4a 0100 434a 1800 0108 01', true], // behind a font and a size
      ['0108 00', false],
      ['3508 01', false], // bold
      ['09ca 02 0108 0108 00', false], // inside of another one's operand
      ['43', false],
    ] as const)
      assert.equal(docText(doc({ sprms }))?.changes, changes, sprms);
  });
});

/** A document of one piece, "Body", with so many letters of comments behind it and these properties of its letters. */
function doc({ comments = 0, sprms = '' }: { readonly comments?: number; readonly sprms?: string } = {}): Buffer {
  const main = Buffer.alloc(0x600);
  main.writeUInt16LE(0xa5ec, 0);
  main.writeUInt32LE(4, 0x4c);
  main.writeUInt32LE(comments, 0x4c + 16);
  main.write(`Body${'c'.repeat(comments)}`, 0x400, 'latin1');
  const pieces = Buffer.alloc(5 + 16);
  pieces[0] = 2;
  pieces.writeUInt32LE(16, 1);
  pieces.writeUInt32LE(4 + comments, 5 + 4);
  pieces.writeUInt32LE(0x40000000 | (0x400 << 1), 5 + 8 + 2);
  const runs = Buffer.alloc(12);
  runs.writeUInt32LE(0x400, 0);
  runs.writeUInt32LE(0x404, 4);
  runs.writeUInt32LE(1, 8); // the second page of 512 bytes
  main.writeUInt32LE(0, 0x1a2);
  main.writeUInt32LE(pieces.length, 0x1a6);
  main.writeUInt32LE(pieces.length, 0xfa);
  main.writeUInt32LE(runs.length, 0xfe);
  const properties = Buffer.from(sprms.replaceAll(' ', ''), 'hex');
  main.writeUInt32LE(0x400, 0x200);
  main.writeUInt32LE(0x404, 0x204);
  main[0x200 + 8] = 0x80; // half of where its properties are in the page
  main[0x200 + 0x100] = properties.length;
  properties.copy(main, 0x200 + 0x101);
  main[0x200 + 511] = 1;
  return compoundFile({ WordDocument: main, '0Table': Buffer.concat([pieces, runs, Buffer.alloc(8)]) });
}

describe('RTF', () => {
  it('tells its comments and tracked changes, and not words that look so', () => {
    const rtf = (inside: string): readonly string[] =>
      losses(cleanRtf(Buffer.from(`{\\rtf1\\ansi Text ${inside}\\par}`)));
    assert.deepEqual(rtf('{\\*\\atnid AB}{\\*\\atnauthor Bob}\\chatn{\\*\\annotation QUESTION}'), ['comments']);
    for (const mark of [
      '{\\revised\\revauth1 added}',
      '{\\deleted gone}',
      '{\\b\\mvf1 moved}',
      '{\\mvt moved}',
      '{\\\\\\deleted x}',
    ])
      assert.deepEqual(rtf(mark), ['tracked-changes'], mark);
    for (const text of [
      '\\\\revised',
      '{\\revised0 x}',
      '{\\revisions x}',
      'annotation',
      '\\\\annotation',
      '{\\deletedx y}',
    ])
      assert.deepEqual(rtf(text), [], text);
  });
});

describe('slides', () => {
  const odp = (page: string, after = ''): Cleaned =>
    cleanFlatOdf(
      Buffer.from(
        `<office:document xmlns:office="o" xmlns:style="s" xmlns:draw="d" xmlns:presentation="p" xmlns:text="t"><office:automatic-styles>
        <style:style style:name="dp1"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>
        <style:style style:name="dp2"><style:drawing-page-properties presentation:visibility="visible"/></style:style>
        </office:automatic-styles><office:master-styles><style:master-page><presentation:notes><text:p>M</text:p></presentation:notes></style:master-page></office:master-styles>
        <office:body><office:presentation><draw:page draw:style-name="dp2"><text:p>A</text:p>${page}</draw:page>${after}</office:presentation></office:body></office:document>`,
      ),
    );

  it('of OpenDocument tell those that are hidden, and notes that say something; their letters are looked for on no page', () => {
    const plain = odp('<presentation:notes><draw:page-thumbnail/><text:p> </text:p></presentation:notes>');
    assert.deepEqual(losses(plain), []);
    const notes = odp(
      '<presentation:notes><text:p>N</text:p></presentation:notes>',
      '<draw:page><text:p>B</text:p></draw:page>',
    );
    assert.deepEqual(losses(notes), ['speaker-notes']);
    assert.equal(notes.report.letters.trim(), 'AB');
    const hidden = odp(
      '',
      '<draw:page draw:style-name="dp1"><text:p>H</text:p></draw:page><draw:page><text:p>B</text:p></draw:page>',
    );
    assert.deepEqual(losses(hidden), ['hidden-slide']);
    assert.equal(hidden.report.letters.trim(), 'AB');
  });

  it('of PowerPoint 97 to 2003 tell notes that say something, and comments', () => {
    const told = (slides: Buffer, notes?: Buffer): unknown => {
      const { notes: hasNotes, comments, text } = pptText(ppt(slides, notes)) ?? {};
      return [text, hasNotes, comments];
    };
    assert.deepEqual(told(words('A')), ['A', false, false]);
    assert.deepEqual(told(words('A'), words('* \r')), ['A', false, false]);
    assert.deepEqual(told(words('A'), words('Say this')), ['A', true, false]);
    // Programmable tags of a slide: a binary one, in its blob a comment.
    const comment = record(0x2ee0, record(0x0fba, Buffer.from('why?', 'utf16le')), 15);
    const tags = record(0x1388, record(0x138a, record(0x138b, comment), 15), 15);
    assert.deepEqual(told(Buffer.concat([words('A'), tags])), ['A', false, true]);
  });
});

function record(type: number, body: Buffer, version = 0, instance = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(version | (instance << 4), 0);
  head.writeUInt16LE(type, 2);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}
const words = (text: string): Buffer => record(0x0fa0, Buffer.from(text, 'utf16le'));

/** A presentation of one slide, and of notes to it. */
function ppt(slide: Buffer, notes?: Buffer): Buffer {
  const place = (id: number): Buffer => {
    const body = Buffer.alloc(20);
    body.writeUInt32LE(id, 0);
    return record(0x03f3, body);
  };
  const lists = [record(0x0ff0, place(2), 15, 0), ...(notes === undefined ? [] : [record(0x0ff0, place(3), 15, 2)])];
  const objects = [
    record(0x03e8, Buffer.concat(lists), 15),
    record(0x03ee, slide, 15),
    ...(notes === undefined ? [] : [record(0x03f0, notes, 15)]),
  ];
  const places = Buffer.alloc(4 + 4 * objects.length);
  places.writeUInt32LE((objects.length << 20) | 1, 0);
  let at = 0;
  for (const [index, one] of objects.entries()) {
    places.writeUInt32LE(at, 4 + 4 * index);
    at += one.length;
  }
  const edit = Buffer.alloc(28);
  edit.writeUInt32LE(at, 12);
  edit.writeUInt32LE(1, 16);
  const list = record(0x1772, places);
  const user = Buffer.alloc(20);
  user.writeUInt32LE(at + list.length, 16);
  return compoundFile({
    'PowerPoint Document': Buffer.concat([...objects, list, record(0x0ff5, edit)]),
    'Current User': user,
  });
}
