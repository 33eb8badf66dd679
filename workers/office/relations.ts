// Relationships of an OOXML package (ECMA-376 part 2): which part belongs to which, and which of them are kept.
import { posix } from 'node:path';
import type { Report } from './cleaned.ts';
import { filterXml } from './xml-filter.ts';

const KEPT = new Set(
  (
    'officeDocument styles stylesWithEffects theme themeOverride settings webSettings fontTable numbering footnotes endnotes ' +
    'header footer comments image worksheet chartsheet dialogsheet sharedStrings table tableSingleCells drawing chart chartEx ' +
    'chartStyle chartColorStyle chartUserShapes slide slideLayout slideMaster notesSlide notesMaster handoutMaster presProps ' +
    'viewProps tableStyles diagramData diagramLayout diagramQuickStyle diagramColors diagramDrawing pivotTable pivotCacheDefinition ' +
    'vmlDrawing sheetMetadata'
  ).split(' '),
);
const REMARKS: { readonly [type: string]: string } = {
  vbaProject: 'macro',
  wordVbaData: 'macro',
  xlMacrosheet: 'macro',
  xlIntlMacrosheet: 'macro',
  oleObject: 'embedded-object',
  package: 'embedded-object',
  control: 'activex',
  ctrlProp: 'activex',
  activeXControlBinary: 'activex',
  externalLink: 'external-link',
  externalLinkPath: 'external-link',
  attachedTemplate: 'remote-template',
  aFChunk: 'embedded-file',
  subDocument: 'external-link',
  frame: 'external-link',
  connections: 'external-link',
  queryTable: 'external-link',
  font: 'embedded-font',
  audio: 'sound',
  video: 'movie',
  media: 'rich-media',
  extensibility: 'macro',
};
export interface Relation {
  readonly id: string;
  readonly type: string;
  readonly fullType: string;
  readonly target: string;
}

/** The part that has the relationships of a part, or of the package (ECMA-376 part 2). */
export function relationsOf(owner: string): string {
  const folder = posix.dirname(owner);
  return owner === '' ? '_rels/.rels' : `${folder === '.' ? '' : `${folder}/`}_rels/${posix.basename(owner)}.rels`;
}

/** Main parts of workbooks and presentations, and the relationships that they have to what is in them. */
const SHEETS_OR_SLIDES = /spreadsheetml\.|ms-excel\.|presentationml\.|ms-powerpoint\./i;
const SHEET_OR_SLIDE = new Set(['worksheet', 'chartsheet', 'dialogsheet', 'slide']);

/** A workbook or a presentation is nothing but its sheets or slides; a letter has its words in itself. */
export function isAnythingLeft(
  relations: ReadonlyMap<string, readonly Relation[]>,
  names: readonly string[],
  typeOf: (name: string) => string | undefined,
): boolean {
  const isOfSheets = names.some((name) => SHEETS_OR_SLIDES.test(typeOf(name) ?? ''));
  return !isOfSheets || [...relations.values()].flat().some(({ type }) => SHEET_OR_SLIDE.has(type));
}

/** The relationships that a list of them names and that are kept; the others are told. */
export function readRelations(bytes: Uint8Array | undefined, report: Report): Relation[] {
  if (bytes === undefined) return [];
  const found: Relation[] = [];
  filterXml(bytes, {
    element: (local, attributes) => {
      if (local !== 'Relationship') return true;
      const fullType = attributes['Type'] ?? '';
      const type = fullType.slice(fullType.lastIndexOf('/') + 1);
      const external = (attributes['TargetMode'] ?? '').toLowerCase() === 'external';
      const remark = REMARKS[type];
      if (remark !== undefined)
        report.finding(remark, remark === 'remote-template' ? (attributes['Target'] ?? '') : '');
      else if (external && type !== 'hyperlink') report.finding('external-link', attributes['Target'] ?? '');
      if (type === 'notesSlide') report.loss('speaker-notes');
      if (type === 'revisionHeaders') report.loss('tracked-changes');
      if (type === 'comments' || type === 'threadedComment') report.loss('comments');
      if (!external && KEPT.has(type) && type !== 'comments')
        found.push({ id: attributes['Id'] ?? '', type, fullType, target: attributes['Target'] ?? '' });
      return true;
    },
  });
  return found;
}

/** The part that a relationship of `owner` leads to. */
export function resolveTarget(owner: string, target: string): string {
  const path = target.startsWith('/') ? target.slice(1) : posix.join(posix.dirname(owner), target);
  return posix.normalize(path).replace(/^(?:\.\.\/)+/, '');
}
