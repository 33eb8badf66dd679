// Sheets set up for paper, so that no column and no row is lost: one page wide, as high as it needs, the print area around what
// holds values. Without it 40 columns went over 40 pages, and one stray cell at XFD1048576 took 40 s of CPU and 2 GB.
import { LIMITS } from '../../src/message/limits.ts';
import { columnName } from './cells.ts';
import type { Report } from './cleaned.ts';
import { overflowOf, textsOf, type Overflow } from './cut-cells.ts';
import { keptNames } from './names.ts';
import type { Parts } from './package.ts';
import { COLUMN_PT, measure, widen, type Box } from './sheet-box.ts';
import { readXml, type Attributes } from './xml-filter.ts';

/** How one worksheet, or the workbook, is changed while it is re-written. */
export interface SheetPlan {
  drops(local: string, depth: number): boolean;
  change(local: string, attributes: Attributes): void;
  before(local: string, depth: number): string;
}

interface Related {
  readonly id: string;
  readonly type: string;
  readonly name: string;
}

const ROWS = LIMITS.sheetRows;
const COLUMNS = LIMITS.sheetColumns;
const PORTRAIT_PT = 495;
const LANDSCAPE_PT = 742;
/** Below 40 % nobody reads a form: larger paper then. It costs nothing, the page is pixels. */
const LEGIBLE = 0.4;

/** Below 30 % on A3 letters are dust (256 columns were 9 %): such a sheet goes over several pages side by side. */
const LEAST = 0.3;
const A3_PT = 1090;

const NOTHING: Overflow = { cut: 0, reach: 0, shown: new Set(), readings: new Set() };

export interface Prepared {
  /** For the worksheets, and for the workbook that lists them. */
  readonly plans: ReadonlyMap<string, SheetPlan>;
  /** Parts whose text is not looked for as it stands there: strings of cells, of which the report has those that are shown, and what hidden sheets hold. */
  readonly unseen: ReadonlySet<string>;
}

/** Plans for the worksheets among `parts`; the texts of their cells are reported. */
export function prepareSheets(
  source: Parts,
  parts: ReadonlySet<string>,
  relatedTo: (owner: string) => readonly Related[],
  report: Report,
): Prepared {
  const plans = new Map<string, SheetPlan>();
  const unseen = new Set<string>();
  const workbook = [...parts].find((name) => /(?:^|\/)workbook\d*\.xml$/i.test(name));
  if (workbook === undefined) return { plans, unseen };
  const sheets = new Map(
    relatedTo(workbook)
      .filter(({ type }) => type === 'worksheet')
      .map(({ id, name }) => [id, name]),
  );
  const { sheets: listed, names } = contentsOf(source.get(workbook) ?? new Uint8Array());
  const related = relatedTo(workbook);
  const partOf = (type: string): string | undefined => related.find((one) => one.type === type)?.name;
  const texts = textsOf(source, partOf('sharedStrings'), partOf('styles'));
  for (const { type, name } of related) if (type === 'sharedStrings' || type === 'worksheet') unseen.add(name);
  const areas: string[] = [];
  for (const [index, { name, id, hidden }] of listed.entries()) {
    const file = sheets.get(id);
    if (file === undefined) continue;
    if (hidden) report.loss('hidden-sheet', name);
    const box = measure(source.get(file) ?? new Uint8Array(), texts.formats, report, hidden);
    for (const { type, name: drawing } of relatedTo(file)) {
      if (type !== 'drawing') continue;
      widen(box, source.get(drawing) ?? new Uint8Array());
      if (hidden) for (const { name: part } of [{ name: drawing }, ...relatedTo(drawing)]) unseen.add(part);
    }
    const { cut, reach, shown, readings } = hidden ? NOTHING : overflowOf(source.get(file) ?? new Uint8Array(), texts);
    for (const text of shown) report.cell(text);
    for (const text of [...shown, ...readings]) report.text(text);
    if (cut > 0) report.loss('cells-cut', `${name}: ${cut}`);
    // Our own print area must not cut what a text reaches over to its right.
    if (box.columns > 0) box.columns = Math.max(box.columns, Math.min(reach, COLUMNS));
    if (box.rows > ROWS || box.columns > COLUMNS) report.loss('pages-cut', `${name}: ${box.columns} × ${box.rows}`);
    const rows = Math.min(ROWS, box.rows);
    const columns = Math.min(COLUMNS, box.columns);
    plans.set(file, hidden ? HIDDEN : worksheetPlan(setUp(box, columns)));
    if (!hidden && rows > 0 && columns > 0)
      areas.push(
        `<definedName name="_xlnm.Print_Area" localSheetId="${index}">'${escape(name.replaceAll("'", "''"))}'!$A$1:$${columnName(columns - 1)}$${rows}</definedName>`,
      );
  }
  const shown = new Set(listed.filter(({ id, hidden }) => !hidden && sheets.has(id)).map(({ name }) => name));
  plans.set(workbook, workbookPlan([...keptNames(names, shown), ...areas]));
  return { plans, unseen };
}

interface Contents {
  readonly sheets: { readonly name: string; readonly id: string; readonly hidden: boolean }[];
  readonly names: { readonly attributes: Attributes; refersTo: string }[];
}

function contentsOf(workbook: Uint8Array): Contents {
  const contents: Contents = { sheets: [], names: [] };
  readXml(workbook, {
    element: (local, attributes) => {
      if (local === 'sheet') {
        const id = Object.entries(attributes).find(([key]) => /(?:^|:)id$/.test(key))?.[1] ?? '';
        const hidden = /hidden/i.test(attributes['state'] ?? '');
        contents.sheets.push({ name: attributes['name'] ?? '', id, hidden });
      } else if (local === 'definedName') contents.names.push({ attributes: { ...attributes }, refersTo: '' });
      return true;
    },
    text: (text, local) => {
      const name = contents.names.at(-1);
      if (local === 'definedName' && name !== undefined) name.refersTo += text;
      return text;
    },
  });
  return contents;
}

function setUp(box: Box, columns: number): string {
  let width = 0;
  for (let at = 0; at < columns; at++) width += box.widths.get(at) ?? COLUMN_PT;
  const portrait = width <= PORTRAIT_PT;
  const paper = LANDSCAPE_PT / width < LEGIBLE ? 8 : 9; // A3, A4
  const across = Math.max(1, Math.ceil((width * LEAST) / A3_PT));
  return `<pageSetup paperSize="${paper}" orientation="${portrait ? 'portrait' : 'landscape'}" fitToWidth="${across}" fitToHeight="0"/>`;
}

/** Elements that may stand between the set-up of the page and the end of a worksheet (ECMA-376, CT_Worksheet). */
const AFTER = new Set(
  (
    'headerFooter rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags drawing legacyDrawing ' +
    'legacyDrawingHF drawingHF picture oleObjects controls webPublishItems tableParts extLst'
  ).split(' '),
);

/** A hidden sheet stays hidden: the engine would draw it as soon as it has a print area, so it holds nothing any more. */
const HIDDEN: SheetPlan = {
  drops: (local, depth) => (depth === 2 && local === 'row') || (depth === 1 && AFTER.has(local)),
  change: () => undefined,
  before: () => '',
};

function worksheetPlan(pageSetup: string): SheetPlan {
  let started = false;
  let written = false;
  return {
    drops: (local, depth) => depth === 1 && /^(?:sheetPr|pageSetup|rowBreaks|colBreaks)$/.test(local),
    change: () => undefined,
    before: (local, depth) => {
      if (depth !== 1) return '';
      const first = started ? '' : '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>';
      started = true;
      if (written || (local !== '' && !AFTER.has(local))) return first;
      written = true;
      return first + pageSetup;
    },
  };
}

/** `defined`: the names that the workbook has. */
function workbookPlan(defined: readonly string[]): SheetPlan {
  let written = false;
  const names = defined.join('');
  return {
    // Names may point outside, or run something: those that may stay are written anew.
    drops: (local, depth) => depth === 1 && local === 'definedNames',
    change: () => undefined,
    before: (local, depth) => {
      const here =
        local === '' ||
        /^(?:calcPr|oleSize|customWorkbookViews|pivotCaches|smartTagPr|smartTagTypes|webPublishing|fileRecoveryPr|webPublishObjects|extLst)$/.test(
          local,
        );
      if (written || depth !== 1 || !here || names === '') return '';
      written = true;
      return `<definedNames>${names}</definedNames>`;
    },
  };
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
