// Holds the width of the demo's columns: Japanese letters take two cells of a terminal.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cells, fit } from '../../src/demo/table.ts';

it('counts cells as a terminal does', () => {
  assert.equal(cells('abc'), 3);
  assert.equal(cells('見積書.pdf'), 10);
  assert.equal(cells('ﾊﾝｶｸ'), 4);
  assert.equal(cells('葛\u{e0100}'), 2);
});

it('cuts and pads to a width, never through a wide letter', () => {
  assert.equal(fit('abc', 5), 'abc  ');
  assert.equal(fit('12', 5, true), '   12');
  assert.equal(fit('見積書', 6), '見積書');
  assert.equal(fit('見積書類', 6), '見積… ');
  for (let width = 2; width < 12; width++) assert.equal(cells(fit('御見積書（椅子）.pdf', width)), width);
});

it('lets no sender draw on the terminal', () => {
  assert.equal(fit('\u001b[31mred\u001b[0m', 5), 'red  ');
});
