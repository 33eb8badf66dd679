// What a file is stands anywhere in it: files of some megabytes whose telling part comes last go the way of their kind all the same.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { oleStreams } from '../../workers/ole.ts';
import { corpus } from '../support/attack-row.ts';
import { compoundFile } from '../support/compound-file.ts';
import { docx, paragraph, zipOf } from '../support/office-files.ts';
import { windowsProgram } from '../support/programs.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;
const MEGABYTES = randomBytes(2 * 1024 * 1024);

describe('files of some megabytes whose telling part comes last', async () => {
  const sanitiser = await openSanitiser();
  after(() => sanitiser[Symbol.asyncDispose]());

  it('a docx with its content types behind a picture becomes pages', { timeout: MS }, async () => {
    const { '[Content_Types].xml': types = new Uint8Array(), ...rest } = unzipSync(docx(paragraph('末尾の目次')));
    const bytes = zipOf({ 'word/media/a.png': MEGABYTES, ...rest, '[Content_Types].xml': strFromU8(types) });
    const { parts } = await sanitiser.file('大.docx', bytes);
    assert.deepEqual(
      parts.map(({ detectedType, verdict }) => [detectedType, verdict]),
      [['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'pages']],
    );
  });

  it('a doc with its directory last becomes pages', { timeout: MS }, async () => {
    const streams = oleStreams(await corpus('office/poi/document-Bug48075.doc'), () => true);
    const kept = Object.fromEntries(streams.map(({ path, bytes }) => [path, bytes]));
    const { parts } = await sanitiser.file('大.doc', compoundFile({ Data: MEGABYTES, ...kept }));
    assert.deepEqual(
      parts.map(({ detectedType, verdict }) => [detectedType, verdict]),
      [['application/msword', 'pages']],
    );
  });

  it('an archive behind a large program is opened', { timeout: MS }, async () => {
    const bytes = windowsProgram(zipOf({ 'お知らせ.txt': '鹿島市からのお知らせ\n' }), MEGABYTES);
    const { parts } = await sanitiser.file('大.exe', bytes);
    assert.deepEqual(
      parts.map(({ detectedType, verdict }) => [detectedType, verdict]),
      [
        ['application/x-self-extracting', 'expanded'],
        ['text/plain', 'text'],
      ],
    );
  });
});
