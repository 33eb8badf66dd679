// Locks of Microsoft's documents: the document's own is asked for, not that of what is embedded in it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { oleRoot, oleStream, oleStreams } from '../../workers/ole.ts';
import { unlock } from '../../workers/office/unlock.ts';
import { corpus } from '../support/attack-row.ts';
import { compoundFile } from '../support/compound-file.ts';
import { docx, paragraph } from '../support/office-files.ts';

const require = createRequire(import.meta.url);
const crypto = require('officecrypto-tool') as {
  encrypt(bytes: Buffer, options: { readonly password: string }): Buffer;
};

/** The streams of a file, below a folder where one is given. */
const streamsOf = (bytes: Buffer, folder = ''): { readonly [path: string]: Buffer } =>
  Object.fromEntries(oleStreams(bytes, () => true).map(({ path, bytes: content }) => [folder + path, content]));

describe('a document with another one in it', () => {
  const open = { WordDocument: Buffer.alloc(600), '1Table': Buffer.alloc(20) };

  it('is open where only the embedded one is locked', async () => {
    const lockedWord = crypto.encrypt(docx(paragraph('秘密')), { password: 'x' });
    const xls = await corpus('office/poi/spreadsheet-password.xls');
    for (const embedded of [{ 'ObjectPool/_1/Package': lockedWord }, streamsOf(xls, 'ObjectPool/_1/')]) {
      const bytes = compoundFile({ ...embedded, ...open });
      assert.equal(await unlock(bytes, []), bytes);
      assert.equal(await unlock(bytes, ['any']), bytes);
    }
  });

  it('opens with its password where the embedded one is open', async () => {
    const doc = streamsOf(await corpus('office/poi/document-password_password_cryptoapi.doc'));
    const sheet = await corpus('office/poi/spreadsheet-49761.xls');
    const locked = compoundFile({ ...streamsOf(sheet, 'ObjectPool/_1/'), ...doc });
    await assert.rejects(unlock(locked, []), { reason: 'password-needed' });
    await assert.rejects(unlock(locked, ['other', 'another']), { reason: 'password-wrong' });
    const plain = await unlock(locked, ['other', 'password']);
    assert.ok(oleRoot(plain)('WordDocument'));
    assert.equal((oleStream(plain, 'WordDocument')?.readUInt16LE(10) ?? 0) & 0x100, 0);
  });
});
