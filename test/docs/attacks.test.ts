// Holds docs/attacks.md: every row of the catalogue has its line, every test it names exists, and every test of a row is named.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROWS = 123;
const ENDS = ['passes', 'otherwise', 'in part', 'open'];

interface Line {
  readonly row: number;
  readonly end: string;
  readonly shown: string;
}

async function lines(): Promise<Line[]> {
  const text = await readFile(join(ROOT, 'docs/attacks.md'), 'utf8');
  return [...text.matchAll(/^\| (\d+) \| [^|]+ \| ([^|]+) \| (.*) \|$/gm)].map(([, row, end = '', shown = '']) => ({
    row: Number(row),
    end,
    shown,
  }));
}

/** Which test files have a test that is named after a row. */
async function rowsOfTests(): Promise<Map<number, Set<string>>> {
  const found = new Map<number, Set<string>>();
  for (const name of await readdir(join(ROOT, 'test'), { recursive: true })) {
    if (!name.endsWith('.test.ts')) continue;
    const text = await readFile(join(ROOT, 'test', name), 'utf8');
    for (const [, row] of text.matchAll(/\brow(?:\(\s*| )(\d+)\b[,:]/g)) {
      const files = found.get(Number(row)) ?? new Set();
      found.set(Number(row), files.add(`test/${name}`));
    }
  }
  return found;
}

describe('docs/attacks.md', () => {
  it('has every row of the catalogue once, in order, with an end', async () => {
    const all = await lines();
    assert.deepEqual(
      all.map(({ row }) => row),
      Array.from({ length: ROWS }, (_, at) => at + 1),
    );
    for (const { row, end } of all) assert.ok(ENDS.includes(end), `row ${row}: ${end}`);
  });

  it('names tests that exist: by the row in their name, or by the words that follow the file', async () => {
    const tests = await rowsOfTests();
    for (const { row, end, shown } of await lines()) {
      const named = [...shown.matchAll(/`(test\/[^`]+)`(?: "([^"]+)")?/g)];
      assert.ok(end === 'open' || named.length > 0, `row ${row} names no test`);
      for (const [, file = '', words] of named) {
        const text = await readFile(join(ROOT, file), 'utf8');
        if (words !== undefined) assert.ok(text.includes(words), `row ${row}: ${file} does not hold "${words}"`);
        else assert.ok(tests.get(row)?.has(file), `row ${row}: ${file} has no test of that row`);
      }
      if (end !== 'passes') assert.ok(shown.replaceAll(/`[^`]+`/g, '').length > 20, `row ${row}: say why`);
    }
  });

  it('names every file that has a test of a row', async () => {
    const all = new Map((await lines()).map((line) => [line.row, line.shown]));
    for (const [row, files] of await rowsOfTests())
      for (const file of files) assert.ok(all.get(row)?.includes(`\`${file}\``), `row ${row}: ${file} is not named`);
  });
});
