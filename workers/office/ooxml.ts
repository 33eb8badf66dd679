// OOXML rebuilt by an allow-list (ECMA-376): only parts that are reached by relationships we know, XML re-written, links to
// the outside and everything that runs left behind. The engine never sees the rest.
import { posix } from 'node:path';
import { Refusal } from '../run.ts';
import { Report, type Cleaned } from './cleaned.ts';
import { storedFormulas } from './stored-values.ts';
import { isLive, isPiece, liveFields } from './live-fields.ts';
import { Namespaces } from './namespaces.ts';
import { openPackage, writePackage, type Parts } from './package.ts';
import { isAnythingLeft, readRelations, relationsOf, resolveTarget, type Relation } from './relations.ts';
import { prepareSheets, type SheetPlan } from './sheets.ts';
import { TornParts } from './torn-parts.ts';
import { filterXml, type Attributes } from './xml-filter.ts';

const DROPPED = new Set(
  (
    'altChunk control attachedTemplate mailMerge embedRegular embedBold embedItalic embedBoldItalic externalReferences ddeLink ' +
    'oleObjects OLEObject controls embeddedFontLst audioFile videoFile quickTimeFile wavAudioFile subDoc frameset ' +
    'saveThroughXslt custDataLst transition timing ' +
    // The comments themselves are left out, and what points to them goes with them.
    'commentRangeStart commentRangeEnd commentReference'
  ).split(' '),
);
/** Parts whose text stands on no page as it is: placeholders, notes, properties. */
const UNSEEN =
  /slideMaster|slideLayout|notesSlide|notesMaster|handoutMaster|diagrams\/(?:layout|colors|quickStyle)|pivotCache/i;
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const RELATIONS_STRICT = 'http://purl.oclc.org/ooxml/officeDocument/relationships';
/** Tracked changes of WordprocessingML; lines of DrawingML begin with a `moveTo`, too. */
const CHANGES = new Set(['ins', 'del', 'moveFrom', 'moveTo']);
const WORDS = new Set([
  'http://schemas.openxmlformats.org/wordprocessingml/2006/main',
  'http://purl.oclc.org/ooxml/wordprocessingml/main',
]);

/** Rebuilds a document; sheets are set up for paper on the way. */
export function cleanOoxml(bytes: Buffer): Cleaned {
  const torn = new TornParts();
  const source = openPackage(bytes, torn);
  const byLower = new Map([...source.keys()].map((name) => [name.toLowerCase(), name]));
  const report = new Report();
  const kept: Parts = new Map();
  const relations = new Map<string, Relation[]>();
  const types = contentTypes(source);
  const queue = [''];
  const seen = new Set<string>(queue);
  while (queue.length > 0) {
    const owner = queue.shift() ?? '';
    const file = relationsOf(owner);
    const list = readRelations(source.get(byLower.get(file.toLowerCase()) ?? ''), report).flatMap((relation) => {
      const target = resolveTarget(owner, relation.target);
      const name = byLower.get(target.toLowerCase());
      if (name === undefined) torn.misses(target);
      return name === undefined ? [] : [{ relation, name }];
    });
    if (!byLower.has(file.toLowerCase())) torn.misses(file);
    relations.set(
      owner,
      list.map(({ relation }) => relation),
    );
    for (const { name } of list) {
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(name);
    }
  }
  seen.delete('');
  if (seen.size === 0) throw new Refusal('damaged', 'no document in the package');
  if (torn.areMissed && !isAnythingLeft(relations, [...seen], types))
    throw new Refusal('damaged', 'none of its sheets or slides');
  torn.tell(report);
  const { plans, unseen } = prepareSheets(
    source,
    seen,
    (owner) =>
      (relations.get(owner) ?? []).map(({ id, type, target }) => ({
        id,
        type,
        name: byLower.get(resolveTarget(owner, target).toLowerCase()) ?? '',
      })),
    report,
  );
  for (const name of seen) {
    const ids = new Set((relations.get(name) ?? []).map(({ id }) => id));
    const content = source.get(name) as Uint8Array;
    if (/\.(?:xml|vml)$/i.test(name))
      kept.set(name, cleanPart(content, { name, ids, plan: plans.get(name), isUnseen: unseen.has(name) }, report));
    else if (!/vba|\.exe$|\.dll$/i.test(name)) kept.set(name, content);
  }
  for (const [owner, list] of relations) {
    if (list.length > 0) kept.set(relationsOf(owner), relationsXml(list));
  }
  kept.set('[Content_Types].xml', contentTypesXml(kept, types));
  return { bytes: writePackage(kept), report };
}

interface Part {
  readonly name: string;
  /** Of the relationships that it keeps. */
  readonly ids: ReadonlySet<string>;
  readonly plan: SheetPlan | undefined;
  /** Its text is not looked for on the pages. */
  readonly isUnseen: boolean;
}

function cleanPart(content: Uint8Array, { name, ids, plan, isUnseen }: Part, report: Report): Uint8Array {
  if (/\.vml$/i.test(name))
    return content.length > 0 && /<script|<o:OLEObject|href\s*=/i.test(Buffer.from(content).toString('latin1'))
      ? Buffer.from('<xml/>')
      : content;
  let isPattern = isUnseen || UNSEEN.test(name);
  let prefix = '';
  const prefixes = new Set(['r']);
  const spaces = new Namespaces();
  const dropsNext = plan === undefined ? undefined : storedFormulas(content);
  const live = liveFields(content, (local) => !DROPPED.has(local));
  for (const instruction of live.instructions) report.finding('dde', instruction.trim().slice(0, 100));
  let pieces = 0;
  return filterXml(content, {
    element: (local, attributes, depth, as) => {
      spaces.enter(depth, attributes);
      if (depth === 0) prefix = as.slice(0, as.length - local.length);
      if (local === 'sld' && attributes['show'] === '0') isPattern = true;
      for (const [key, value] of Object.entries(attributes))
        if (value === RELATIONS || value === RELATIONS_STRICT) prefixes.add(key.replace(/^xmlns:/, ''));
      if (DROPPED.has(local)) {
        if (/ole/i.test(local)) report.finding('embedded-object');
        else if (local === 'ddeLink') report.finding('dde');
        return false;
      }
      if (CHANGES.has(local) && WORDS.has(spaces.of(as.slice(0, -local.length - 1)))) report.loss('tracked-changes');
      if (plan?.drops(local, depth) === true) return false;
      if (local === 'f' && dropsNext?.(attributes) === true) return false;
      plan?.change(local, attributes);
      remarkOn(local, attributes, report);
      forget(attributes, prefixes, ids, report);
      return true;
    },
    // Elements of ours are in the namespace of the root, whatever it calls that.
    before: (local, depth) => (plan?.before(local, depth) ?? '').replace(/<(\/?)/g, `<$1${prefix}`),
    text: (text, local) => {
      if (local === 't' && !isPattern) report.text(text);
      if (!isPiece(local)) return text;
      pieces += 1;
      return live.pieces.has(pieces - 1) ? '' : text;
    },
  });
}

function remarkOn(local: string, attributes: Attributes, report: Report): void {
  if (local === 'sld' && attributes['show'] === '0') report.loss('hidden-slide');
  if (local === 'fldSimple') {
    for (const [key, instruction] of Object.entries(attributes)) {
      if (!key.endsWith('instr') || !isLive(instruction)) continue;
      report.finding('dde', instruction.trim().slice(0, 100));
      attributes[key] = '';
    }
  }
}

/** Attributes that name a relationship which is gone, or that run something. */
function forget(attributes: Attributes, prefixes: ReadonlySet<string>, ids: ReadonlySet<string>, report: Report): void {
  for (const [key, value] of Object.entries(attributes)) {
    const [prefix = '', local = ''] = key.includes(':') ? key.split(':') : ['', key];
    if (prefix !== 'xmlns' && prefixes.has(prefix) && !ids.has(value)) delete attributes[key];
    else if (local === 'macro' && value !== '') {
      report.finding('macro', 'button');
      delete attributes[key];
    }
  }
}

function contentTypes(source: Parts): (name: string) => string | undefined {
  const overrides = new Map<string, string>();
  const defaults = new Map<string, string>();
  const bytes = source.get('[Content_Types].xml');
  if (bytes === undefined) throw new Refusal('damaged', 'no content types');
  filterXml(bytes, {
    element: (local, attributes) => {
      const type = attributes['ContentType'] ?? '';
      if (local === 'Override') overrides.set((attributes['PartName'] ?? '').replace(/^\//, '').toLowerCase(), type);
      if (local === 'Default') defaults.set((attributes['Extension'] ?? '').toLowerCase(), type);
      return true;
    },
  });
  return (name) => overrides.get(name.toLowerCase()) ?? defaults.get(posix.extname(name).slice(1).toLowerCase());
}

/** The main parts under plain names: a document that had macros, or was a template, is a document. */
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [
    /^application\/vnd\.ms-word\.(?:document|template)\.macroEnabled.*|^.*wordprocessingml\.template\.main\+xml$/i,
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml',
  ],
  [
    /^application\/vnd\.ms-excel\.(?:sheet|template|addin)\.macroEnabled.*|^.*spreadsheetml\.template\.main\+xml$/i,
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml',
  ],
  [
    /^application\/vnd\.ms-powerpoint\.(?:presentation|slideshow|template|addin)\.macroEnabled.*|^.*presentationml\.(?:template|slideshow)\.main\+xml$/i,
    'application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml',
  ],
];

function contentTypesXml(kept: Parts, typeOf: (name: string) => string | undefined): Buffer {
  const items = [...kept.keys()].flatMap((name) => {
    if (name.endsWith('.rels')) return [];
    const type = typeOf(name) ?? 'application/octet-stream';
    const plain = PLAIN.find(([pattern]) => pattern.test(type))?.[1] ?? type;
    return [`<Override PartName="/${attribute(name)}" ContentType="${attribute(plain)}"/>`];
  });
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${items.join('')}</Types>`,
  );
}

function relationsXml(list: readonly Relation[]): Buffer {
  const items = list.map(
    ({ id, fullType, target }) =>
      `<Relationship Id="${attribute(id)}" Type="${attribute(fullType)}" Target="${attribute(target)}"/>`,
  );
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items.join('')}</Relationships>`,
  );
}

function attribute(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
