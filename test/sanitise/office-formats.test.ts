// Documents that the office engine draws besides those of Microsoft: locked OpenDocument, Windows' metafiles.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { corpus } from '../support/attack-row.ts';
import { cleanRtf } from '../../workers/office/rtf.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 240_000;

describe('a locked OpenDocument text', () => {
  const path = 'office/tika/testODTEncrypted.odt'; // written by LibreOffice; AES-256, PBKDF2 of 100,000 rounds
  it('is held without its password and with a wrong one, and opens with the right one', { timeout: MS }, async () => {
    const bytes = await corpus(path);
    {
      await using sanitiser = await openSanitiser();
      const { reason } = await sanitiser.file('a.odt', bytes);
      assert.equal(reason, 'password-needed');
    }
    {
      await using sanitiser = await openSanitiser({ passwords: ['tikaa'] });
      const { state, reason } = await sanitiser.file('a.odt', bytes);
      assert.deepEqual([state, reason], ['held', 'password-wrong']);
    }
    await using sanitiser = await openSanitiser({ passwords: ['tikaa', 'tika'] });
    const { state, parts } = await sanitiser.file('a.odt', bytes);
    assert.equal(state, 'sanitised');
    assert.equal(parts[0]?.verdict, 'pages');
  });
});

describe('a metafile of Windows', () => {
  for (const kind of ['EMF', 'WMF'])
    it(`${kind} becomes a page`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const bytes = await corpus(`image/tika/test${kind}.${kind.toLowerCase()}`);
      const { state, parts } = await sanitiser.file(`図.${kind.toLowerCase()}`, bytes);
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.detectedType, `image/${kind.toLowerCase()}`);
      assert.ok((parts[0]?.pages ?? 0) >= 1);
    });
});

describe('documents of other programs', () => {
  for (const path of [
    'poi/diagram-test.vsdx',
    'poi/document-word2.doc',
    'poi/publisher-Simple.pub',
    'poi/spreadsheet-BOOK_in_capitals.xls',
    'tika/testEXCEL_4.xls',
  ])
    it(`${path} becomes pages`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts } = await sanitiser.file(path.split('/')[1] ?? '', await corpus(`office/${path}`));
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.verdict, 'pages');
    });
});

describe('RTF', () => {
  it(
    'whose pictures are raw bytes that look like braces, and are no pictures, keeps its text',
    { timeout: MS },
    async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts } = await sanitiser.file('a.rtf', await corpus('office/tika/testBinControlWord.rtf'));
      assert.equal(state, 'sanitised');
      assert.ok(parts[0]?.losses.some(({ code }) => code === 'pictures-not-shown'));
    },
  );

  it('made of nothing but beginnings is cleaned in linear time', () => {
    for (const piece of ['{\\pict', '{\\pict\\wmetafile8 ', '\\bin1 ', '{\\*\\objdata'])
      for (const end of ['', '}']) {
        const started = process.cpuUsage();
        cleanRtf(Buffer.from(`{\\rtf1 ${piece.repeat(300_000)}${end}`, 'latin1'));
        assert.ok(process.cpuUsage(started).user < 5_000_000, piece);
      }
  });
});
