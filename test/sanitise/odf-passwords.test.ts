// Passwords of OpenDocument besides those of today's default: Blowfish of the years before 2011, Argon2 of LibreOffice 24.8.
import assert from 'node:assert/strict';
import { argon2Sync, createCipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { zipOf } from '../support/office-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { cleanOdf } from '../../workers/office/odf.ts';

const MS = 500_000;
const PASSWORD = 'Kashima-0314';
const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/office/${name}`, import.meta.url));

const reasonOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error);
  }
  return 'opened';
};

describe('an OpenDocument text locked by Blowfish', () => {
  it('opens with its password, with no other, and asks for it', () => {
    const bytes = fixture('blowfish.odt'); // written by LibreOffice 7.4 as ODF 1.1
    assert.equal(
      reasonOf(() => cleanOdf(bytes, [])),
      'password-needed',
    );
    assert.equal(
      reasonOf(() => cleanOdf(bytes, ['Kashima-0315'])),
      'password-wrong',
    );
    const { report } = cleanOdf(bytes, ['wrong', PASSWORD]);
    for (const letter of '鍵のかかった文書令和八年') assert.ok(report.letters.includes(letter), letter);
  });

  it('becomes pages on the road', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser({ passwords: [PASSWORD] });
    const { parts } = await sanitiser.file('古い文書.odt', fixture('blowfish.odt'));
    assert.deepEqual([parts[0]?.verdict, parts[0]?.pages], ['pages', 1]);
  });
});

/** A package locked as a whole: an inner package of `files`, AES-256-GCM with a key by Argon2id. */
function lockedWhole(
  files: { readonly [name: string]: string },
  argon: { memory: number; passes: number; lanes: number },
  isDeflated = true,
): Buffer {
  const inner = zipOf(files);
  const salt = Buffer.alloc(16, 7);
  const vector = Buffer.alloc(12, 9);
  const { memory, passes, lanes } = argon;
  const message = createHash('sha256').update(PASSWORD).digest();
  const honest = memory >= 8 * lanes && memory <= 65_536 && passes <= 3 && lanes <= 4;
  const key = honest
    ? argon2Sync('argon2id', { message, nonce: salt, parallelism: lanes, tagLength: 32, memory, passes })
    : Buffer.alloc(32);
  const cipher = createCipheriv('aes-256-gcm', key, vector);
  const body = Buffer.concat([
    vector,
    cipher.update(isDeflated ? deflateRawSync(inner) : inner),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  const M = 'urn:oasis:names:tc:opendocument:xmlns:manifest:1.0';
  const L = 'urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0';
  const type = 'application/vnd.oasis.opendocument.text';
  const manifest = `<?xml version="1.0"?><manifest:manifest xmlns:manifest="${M}" xmlns:loext="${L}" manifest:version="1.4"><manifest:file-entry manifest:full-path="/" manifest:media-type="${type}"/><manifest:file-entry manifest:full-path="encrypted-package" manifest:media-type="${type}" manifest:size="${inner.length}"><manifest:encryption-data><manifest:algorithm manifest:algorithm-name="http://www.w3.org/2009/xmlenc11#aes256-gcm" manifest:initialisation-vector="${vector.toString('base64')}"/><manifest:start-key-generation manifest:start-key-generation-name="http://www.w3.org/2001/04/xmlenc#sha256" manifest:key-size="32"/><manifest:key-derivation manifest:key-derivation-name="urn:org:documentfoundation:names:experimental:office:manifest:argon2id" manifest:key-size="32" manifest:salt="${salt.toString('base64')}" loext:argon2-iterations="${passes}" loext:argon2-memory="${memory}" loext:argon2-lanes="${lanes}"/></manifest:encryption-data></manifest:file-entry></manifest:manifest>`;
  return zipOf({ mimetype: type, 'encrypted-package': body, 'META-INF/manifest.xml': manifest });
}

describe('an OpenDocument text locked as a whole by Argon2 and AES-GCM', () => {
  const content =
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:text><text:p>鍵のかかった文書</text:p></office:text></office:body></office:document-content>';
  const files = { mimetype: 'application/vnd.oasis.opendocument.text', 'content.xml': content };

  it('opens with its password, with no other, and asks for it', () => {
    const bytes = lockedWhole(files, { memory: 65_536, passes: 3, lanes: 4 });
    assert.equal(
      reasonOf(() => cleanOdf(bytes, [])),
      'password-needed',
    );
    assert.equal(
      reasonOf(() => cleanOdf(bytes, ['Kashima-0315'])),
      'password-wrong',
    );
    assert.ok(cleanOdf(bytes, ['wrong', PASSWORD]).report.letters.includes('鍵'));
  });

  it('that asks for more memory or time than anybody needs is not tried', () => {
    for (const argon of [
      { memory: 16_777_216, passes: 3, lanes: 4 },
      { memory: 65_536, passes: 4_000_000_000, lanes: 4 },
      { memory: 65_536, passes: 3, lanes: 16_000_000 },
      { memory: 8, passes: 3, lanes: 4 },
    ])
      assert.equal(
        reasonOf(() => cleanOdf(lockedWhole(files, argon), [PASSWORD])),
        'encrypted',
      );
  });
});
