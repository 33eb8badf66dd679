// Holds docs/THREATS.md: each wall and attacker once, every test and row it names exists, and SECURITY.md leads there.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const page = await readFile(join(ROOT, 'docs/THREATS.md'), 'utf8');
const rows = (letter: string): string[][] =>
  [...page.matchAll(new RegExp(`^\\| ${letter}(\\d+) \\| (.*) \\|$`, 'gm'))].map(([, number = '', cells = '']) => [
    number,
    ...cells.split(' | '),
  ]);

describe('docs/THREATS.md', () => {
  it('counts attackers and walls without a gap, and every attacker meets a wall', () => {
    const attackers = rows('A');
    const walls = rows('W');
    for (const list of [attackers, walls])
      assert.deepEqual(
        list.map(([number]) => Number(number)),
        list.map((_, at) => at + 1),
      );
    assert.ok(attackers.length >= 10 && walls.length >= 15);
    const met = walls.map(([, , against = '']) => against).join(' ');
    for (const [number] of attackers) assert.match(met, new RegExp(`\\bA${number}\\b`), `A${number} meets no wall`);
  });

  it('shows every wall by tests that exist', async () => {
    const attacks = await readFile(join(ROOT, 'docs/attacks.md'), 'utf8');
    for (const [number, , , , shown = ''] of rows('W')) {
      const rowsShown = [...shown.matchAll(/\brow (\d+)/g)].map(([, row]) => row);
      const tests = [...shown.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)];
      assert.ok(rowsShown.length + tests.length > 0, `W${number} is shown by nothing`);
      for (const row of rowsShown) assert.match(attacks, new RegExp(`^\\| ${row} \\|`, 'm'), `W${number}: row ${row}`);
      for (const [, file = '', words] of tests) {
        const text = await readFile(join(ROOT, file), 'utf8');
        if (words !== undefined) assert.ok(text.includes(words), `W${number}: ${file} does not hold "${words}"`);
      }
    }
  });

  it('names files and keys that exist, and says what remains', async () => {
    for (const [, link = ''] of page.matchAll(/\]\(([^)#]+)\)/g)) assert.ok(existsSync(join(ROOT, 'docs', link)), link);
    const config = await readFile(join(ROOT, 'src/config-keys.ts'), 'utf8');
    for (const [key] of page.matchAll(/\bMUGAI_[A-Z_]+/g)) assert.ok(config.includes(`${key}: key(`), key);
    const remains = page.slice(page.indexOf('## What remains'));
    assert.ok((remains.match(/^- \*\*/gm) ?? []).length >= 8);
    assert.match(await readFile(join(ROOT, 'SECURITY.md'), 'utf8'), /\]\(docs\/THREATS\.md\)/);
  });
});
