// Words of a policy that are found on no part are complained of; the lists they are looked up in are what the detection and the
// converters say.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { supportedMimeTypes } from 'file-type';
import { complaintsAbout } from '../../src/cli/policy/complaints.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { DETECTED_TYPES } from '../../src/sanitise/detected-types.ts';
import { FINDINGS } from '../../src/sanitise/findings.ts';

const TOLD = /(?:finding\(|indings\.push\(\{ code: |findings: \[\{ code: )\s*'([a-z-]+)'/g;
const ADDED = /\badd\('([a-z-]+)'/g;
const ROOT = new URL('../../', import.meta.url);

test('a type that nothing is detected as, and a finding that is never told, are complained of', () => {
  const policy = readPolicy(
    `name: a
version: '1'
drop: [image/jpg, image/gif, 'video/*', 'docx/*']
rules:
  - { name: word, when: { type: [application/docx, application/pdf, 'image/*'] }, action: pages }
  - { name: macros, when: { finding: [macros, macro, hidden-sheet] }, action: hold }
`,
    'x',
  );
  const told = complaintsAbout(policy).map(({ rule, kind, why }) => `${kind} ${rule}: ${why}`);
  assert.deepEqual(told, [
    'unknown-type drop: nothing is ever detected as image/jpg (docs/formats.md)',
    'unknown-type drop: nothing is ever detected as docx/* (docs/formats.md)',
    'unknown-type word: nothing is ever detected as application/docx (docs/formats.md)',
    'unknown-finding macros: there is no finding macros',
    'unknown-finding macros: there is no finding hidden-sheet',
  ]);
});

test('the types that are known are those the detection may say', async () => {
  const own = (await readFile(new URL('workers/detect.ts', ROOT), 'utf8')).matchAll(/'([a-z]+\/[a-z0-9.+-]+)'/g);
  const said = new Set([
    ...[...supportedMimeTypes].map((type) => (type.split(';')[0] ?? '').trim().toLowerCase()),
    ...[...own].map(([, type = '']) => type),
    // By what the container says of itself.
    'application/vnd.ms-excel.sheet.binary.macroenabled.12',
    ...['writer', 'calc', 'impress', 'draw'].map((kind) => `application/vnd.sun.xml.${kind}`),
  ]);
  assert.deepEqual([...DETECTED_TYPES].toSorted(), [...said].toSorted());
});

test('every finding that the code tells is known', async () => {
  const unknown: string[] = [];
  let seen = 0;
  for (const folder of ['src/sanitise/', 'workers/']) {
    for (const name of await readdir(new URL(folder, ROOT), { recursive: true })) {
      if (!name.endsWith('.ts') || name === 'inmate.ts') continue;
      const text = await readFile(new URL(folder + name, ROOT), 'utf8');
      const added = name === 'identity.ts' ? ADDED : TOLD;
      for (const [, code = ''] of text.matchAll(added)) {
        seen += 1;
        if (!FINDINGS.has(code)) unknown.push(`${name}: ${code}`);
      }
    }
  }
  assert.deepEqual(unknown, []);
  assert.ok(seen > 40, `${seen} seen`);
});
