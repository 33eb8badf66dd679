// Office documents on the whole road: letters that no font has are told, locked documents wait for their password.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type { Traces } from '../../src/ops/traces.ts';
import { docx, paragraph, zipOf } from '../support/office-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;
const require = createRequire(import.meta.url);
const crypto = require('officecrypto-tool') as {
  encrypt(bytes: Buffer, options: { readonly password: string }): Buffer;
};

describe('an Office document', () => {
  it('whose letters no font has says which; the others are on the page', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser();
    const body = paragraph('氏名　𠮷田\u{10330}\u{E123}髙﨑');
    const { state, parts, files } = await sanitiser.file('申請書.docx', docx(body));
    assert.equal(state, 'sanitised');
    assert.equal(parts[0]?.verdict, 'pages');
    assert.equal(files.size, 1);
    const missing = parts[0]?.losses.find(({ code }) => code === 'glyph-missing')?.detail ?? '';
    for (const letter of ['\u{10330}', '氏', '𠮷', '田', '髙'])
      assert.equal(missing.includes(letter), letter === '\u{10330}', `${letter} in ${missing}`);
  });

  it('that is locked is held, and opens with its password, inside an archive, too', { timeout: MS }, async () => {
    const locked = crypto.encrypt(docx(paragraph('秘密の本文')), { password: 'Kashima-0314' });
    const archive = zipOf({ '資料/申請書.docx': locked });
    {
      await using sanitiser = await openSanitiser();
      const { state, reason } = await sanitiser.file('申請書.docx', locked);
      assert.deepEqual([state, reason], ['held', 'password-needed']);
    }
    const pieces: string[] = [];
    const traces: Traces = {
      received: () => undefined,
      step: async (_id, _name, run) => run(),
      piece: async (name, _attributes, run) => {
        pieces.push(name);
        return run();
      },
      within: (_id, run) => run(),
      close: async () => undefined,
    };
    await using sanitiser = await openSanitiser({ passwords: ['wrong', '鹿島', 'Kashima-0314'], traces });
    const { parts } = await sanitiser.file('一式.zip', archive);
    assert.equal(pieces.filter((name) => name.startsWith('convert office')).length, 1, 'one engine for all passwords');
    assert.deepEqual(
      parts.map(({ path, verdict, pages }) => [path, verdict, pages]),
      [
        ['1', 'expanded', 0],
        ['1.1', 'pages', 1],
      ],
    );
  });
});
