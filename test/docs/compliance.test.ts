// docs/compliance.md: every clause has its row, and every proof it names is there.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { CONTROLS } from '../../src/cli/selfcheck/evidence.ts';
import { ConfigSchema } from '../../src/config-keys.ts';
import { exposition, openMetrics } from '../../src/ops/metrics.ts';
import { runMugai } from '../support/gateway-process.ts';

const ROOT = new URL('../../', import.meta.url);
const CLAUSES =
  '2(11) 2(12) 3(1) 3(2) 3(3) 3(4) 3(5) 4 5 6(1) 6(2) 6(3)ア 6(3)イ 6(3)ウ 6(4) 6(5) 6(6) 6(7) 6(8) 6(9) 7 8'.split(
    ' ',
  );

describe('docs/compliance.md', async () => {
  const text = await readFile(new URL('docs/compliance.md', ROOT), 'utf8');
  const rows = [...text.matchAll(/^\| (\d\S*) .*\|$/gm)].map(([row, clause = '']) => ({
    clause,
    cells: row.split(' | ').map((cell) => cell.replace(/ \|$/, '')),
  }));
  const named = [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

  it('has a row for each clause, with what serves it and what proves it', () => {
    assert.deepEqual(
      rows.map(({ clause }) => clause),
      CLAUSES,
    );
    for (const { clause, cells } of rows) assert.equal(cells.length, 4, clause);
  });

  it('names files that are there', () => {
    const files = named.filter((name) => /^(test|docs|src)\/|\.yml$/.test(name));
    assert.ok(files.length > 30);
    for (const file of files) assert.ok(existsSync(new URL(file, ROOT)), file);
  });

  it('names commands that there are', async () => {
    const commands = new Set(
      named.filter((name) => name.startsWith('mugai ')).map((name) => name.split(' --')[0] ?? ''),
    );
    assert.ok(commands.size > 10);
    const help = new Map<string, string>();
    for (const command of commands) {
      const [, first = '', second] = command.split(' ');
      if (!help.has(first)) {
        const run = await runMugai([first, '--help']);
        assert.equal(run.code, 0, command);
        help.set(first, run.stdout);
      }
      if (second !== undefined)
        assert.match(help.get(first) ?? '', new RegExp(`^mugai .*\\b${second}\\b`, 'm'), command);
    }
  });

  it('names configuration keys and metrics that there are', async () => {
    const keys = named.filter((name) => name.startsWith('MUGAI_'));
    assert.ok(keys.length > 2);
    for (const key of keys) assert.ok(key in ConfigSchema.properties, key);
    const metrics = await exposition(openMetrics(false), []);
    for (const name of named.filter((one) => one.startsWith('mugai_'))) assert.ok(metrics.includes(name), name);
  });

  it('names controls of the self-check, and each of them stands at a clause', () => {
    const cells = rows.map(({ cells: [, , , controls = ''] }) => controls).join(' ');
    const told = new Set([...cells.matchAll(/`([a-z-]+)`/g)].map(([, name = '']) => name));
    assert.deepEqual([...told].toSorted(), Object.keys(CONTROLS).toSorted());
  });
});
