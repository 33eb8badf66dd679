// What of a workbook's cells the pages do not show whole is counted, however the lines of the pages fall.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CellCheck } from '../../src/sanitise/cut-cells.ts';
import { xlsx } from '../support/office-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { withinQuiet } from '../support/slowness.ts';

const MS = 300_000;

function lossesOf(cells: readonly string[], lines: readonly string[], undrawn = ''): string[] {
  const check = new CellCheck();
  check.cells(`${cells.join('\n')}\n`);
  check.page(lines);
  return check.losses(new Set(undrawn)).map(({ code, detail }) => `${code} ${detail}`);
}

describe('cells on their pages', () => {
  it('are there as one line, within a line, over lines, in another form of the same letters', () => {
    const cells = ['鹿島市', '納富分', '高津原を含む', 'ｶﾞｽ', ' a b '];
    assert.deepEqual(lossesOf(cells, ['鹿島市', '大字納富分 1', '高津原', 'x', 'を含む', 'ガス', 'a', 'b']), []);
  });

  it('are told when their end is missing, also where other words have that end', () => {
    assert.deepEqual(lossesOf(['Fancy Sheet', 'Simple Sheet'], ['Fancy S', 'Simple Sheet']), ['cells-cut 1']);
  });

  it('are told when a number has no room, not when a text is made of such signs', () => {
    assert.deepEqual(lossesOf(['額'], ['額 ###', '####', '1']), ['cells-cut 2']);
    assert.deepEqual(lossesOf(['###', '額'], ['額 ###']), []);
    assert.deepEqual(lossesOf([], ['###']), ['cells-cut 1'], 'a sheet of numbers');
  });

  it('with a letter that no font has are told once, by that letter', () => {
    assert.deepEqual(lossesOf(['山田𠮷'], ['山田'], '𠮷'), []);
    assert.deepEqual(lossesOf(['𠮷'], ['山田'], '𠮷'), []);
  });

  it('with such a letter are told all the same when more of them is missing', () => {
    assert.deepEqual(lossesOf(['山田𠮷と申します'], ['山田'], '𠮷'), ['cells-cut 1']);
  });

  it('take no longer than some seconds, whatever they are', () => {
    const cells = Array.from({ length: 40_000 }, (_, n) => `${n}`.padStart(200, 'a'));
    const started = performance.now();
    lossesOf(
      cells,
      Array.from({ length: 40_000 }, (_, n) => `${'a'.repeat(150)}${n}`),
    );
    const ms = performance.now() - started;
    assert.ok(withinQuiet(ms, 5000), `${ms} ms`);
  });

  it('that are wider than was reckoned are told, numbers without room, too', { timeout: MS }, async () => {
    // Wide letters: by their number they would fit.
    const cell = (name: string, text: string): string => `<c r="${name}" t="inlineStr"><is><t>${text}</t></is></c>`;
    const xml =
      '<cols><col min="1" max="1" width="16" customWidth="1"/><col min="2" max="2" width="3" customWidth="1"/></cols><sheetData>' +
      `<row r="1">${cell('A1', 'WWWWWWWWWWWWWWWW')}${cell('B1', '次')}</row>` +
      `<row r="2">${cell('A2', '鹿島市')}<c r="B2"><v>123456789</v></c></row></sheetData>`;
    await using sanitiser = await openSanitiser();
    const { parts } = await sanitiser.file('a.xlsx', xlsx([{ name: '表', xml }]));
    assert.deepEqual(parts[0]?.losses, [{ code: 'cells-cut', detail: '2' }]);
  });
});
