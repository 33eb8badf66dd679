// `mugai sanitise` that is stopped by a signal: what is whole stays, nothing else is left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMugai } from '../support/gateway-process.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { scratch, until } from '../support/scratch.ts';

const MAIN = fileURLToPath(new URL('../../src/mugai.js', import.meta.url));
const PAGES = 2000;

/** A document that takes far longer than a note. */
function long(): Buffer {
  const kids = Array.from({ length: PAGES }, (_, i) => `${5 + i} 0 R`).join(' ');
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${PAGES} /Kids [${kids}] /MediaBox [0 0 595 842] /Resources <</Font <</F 3 0 R>>>>>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    stream('', `BT /F 11 Tf 20 800 Td 12 TL ${'(The quick brown fox) Tj T* '.repeat(60)} ET`),
    ...Array.from({ length: PAGES }, () => '<</Type /Page /Parent 2 0 R /Contents 4 0 R>>'),
  ]);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`at ${signal} the packages that are whole stay, the working folder goes, and the exit code says it`, async () => {
    await using folder = await scratch();
    const [inbox, out] = [join(folder.path, 'inbox'), join(folder.path, 'out')];
    await mkdir(inbox);
    await writeFile(join(inbox, 'a-note.txt'), 'A note.\n');
    await writeFile(join(inbox, 'b-long.pdf'), long());
    await writeFile(join(inbox, 'c-later.txt'), 'Never begun.\n');
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data'), PATH: process.env['PATH'] ?? '' };
    const told = join(folder.path, 'told');
    const child = spawn(
      'sh',
      [
        '-c',
        'exec "$@" > "$TOLD"',
        'sh',
        process.execPath,
        MAIN,
        'sanitise',
        inbox,
        '--out',
        out,
        '--jobs',
        '1',
        '--json',
      ],
      { env: { ...env, TOLD: told }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, 'close');
    const said = (): string[] => readFileSync(told, 'utf8').split('\n').filter(Boolean);
    await until(
      async () => (await readdir(folder.path)).includes('told') && said().length > 0,
      120_000,
      'the first is done',
    );
    assert.equal((await readdir(out)).filter((name) => name.startsWith('.mugai-work-')).length, 1);
    child.kill(signal);
    assert.deepEqual(await ended, [code, null], stderr);
    assert.equal(stderr, `mugai: stopped by ${signal}\n`);
    assert.deepEqual(await readdir(out), ['inbox']);
    assert.deepEqual(await readdir(join(out, 'inbox')), ['a-note.txt']);
    assert.deepEqual(
      said().map((line) => (JSON.parse(line) as { readonly state: string }).state),
      ['sanitised'],
    );
    assert.equal((await runMugai(['verify', out], env)).code, 0);
  });
