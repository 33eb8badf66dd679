// OpenDocument rebuilt by an allow-list: text, styles and pictures; no scripts, no events, no links that load, no objects of
// other programs.
import { packageWords } from '../package-words.ts';
import { Refusal } from '../run.ts';
import { Report, type Cleaned } from './cleaned.ts';
import { isLockedOdf, unlockOdf } from './odf-unlock.ts';
import { OdfSlides } from './odf-slides.ts';
import { openPackage, writePackage, type Parts } from './package.ts';
import { TornParts } from './torn-parts.ts';
import { filterXml, readXml, type XmlRules } from './xml-filter.ts';

const KEPT =
  /^(?:mimetype|(?:Object \d+\/)?(?:content|styles)\.xml|(?:Object \d+\/)?Pictures\/[^/]+|ObjectReplacements\/[^/]+|media\/[^/]+\.(?:png|jpe?g|gif|svg))$/;
const DROPPED: { readonly [local: string]: string } = {
  scripts: 'macro',
  script: 'macro',
  'event-listeners': 'macro',
  'event-listener': 'macro',
  events: 'macro', // these two are of OpenOffice.org 1
  event: 'macro',
  'section-source': 'external-link',
  'dde-source': 'dde',
  'dde-links': 'dde',
  'dde-connection-decls': 'dde',
  plugin: 'embedded-object',
  applet: 'embedded-object',
  'floating-frame': 'external-link',
  'object-ole': 'embedded-object',
  sound: 'sound',
  'font-face-src': 'embedded-font',
  'table-source': 'external-link',
  'cell-range-source': 'external-link',
  'database-source-sql': 'external-link',
  'database-source-query': 'external-link',
  'database-source-table': 'external-link',
};

/** Rebuilds a package. A locked one is opened with the first of the passwords that fits; without any, it is `password-needed`. */
export function cleanOdf(bytes: Buffer, passwords: readonly string[]): Cleaned {
  const torn = new TornParts();
  const packed = openPackage(bytes, torn);
  const source = isLockedOdf(packed) ? unlockOdf(packed, passwords, torn) : packed;
  if (!source.has('content.xml')) throw new Refusal('damaged', 'no content.xml');
  const report = new Report();
  for (const name of torn.names) if (KEPT.test(name)) torn.misses(name);
  torn.tell(report);
  for (const name of source.keys()) if (/^(?:Basic|Scripts)\//.test(name)) report.finding('macro');
  const kept: Parts = new Map();
  kept.set('mimetype', source.get('mimetype') ?? Buffer.from(packageWords(bytes)?.mimetype ?? ''));
  for (const [name, content] of source) {
    if (name === 'mimetype' || !KEPT.test(name)) continue;
    if (name.endsWith('.xml')) tellScripts(content, report);
    kept.set(name, name.endsWith('.xml') ? filterXml(content, rules(report)) : content);
  }
  kept.set('META-INF/manifest.xml', manifestXml(kept));
  return { bytes: writePackage(kept), report };
}

/** A document in one XML file. */
export function cleanFlatOdf(bytes: Buffer): Cleaned {
  const report = new Report();
  tellScripts(bytes, report);
  return { bytes: filterXml(bytes, rules(report)), report };
}

/** Every document has a list of scripts, and one in a single file a list of libraries: what stands in them is told, empty ones are not. */
function tellScripts(content: Uint8Array, report: Report): void {
  readXml(content, {
    element: (local, _attributes, depth) => {
      if (depth === 1) return isListOfScripts(local, depth);
      if (depth > 1 && local !== 'script' && local !== 'libraries') report.finding('macro');
      return true;
    },
    text: (text, local) => {
      if (/^(?:script|libraries)$/.test(local) && text.trim() !== '') report.finding('macro');
      return text;
    },
  });
}

/** The list that every document has; that of OpenOffice.org 1 is called `script`. */
function isListOfScripts(local: string, depth: number): boolean {
  return local === 'scripts' || (local === 'script' && depth === 1);
}

function rules(report: Report): XmlRules {
  const slides = new OdfSlides(report);
  return {
    element: (local, attributes, depth) => {
      slides.element(local, attributes, depth);
      const remark = DROPPED[local];
      if (remark !== undefined) {
        if (!isListOfScripts(local, depth)) report.finding(remark);
        return false;
      }
      if (local === 'annotation') {
        report.loss('comments');
        return false;
      }
      if (local === 'tracked-changes') report.loss('tracked-changes');
      if (local === 'table' && attributes['table:display'] === 'false')
        report.loss('hidden-sheet', attributes['table:name']);
      if (attributes['table:visibility'] === 'collapse')
        report.loss(local === 'table-row' ? 'hidden-rows' : 'hidden-columns');
      for (const [key, value] of Object.entries(attributes)) {
        if (
          !key.endsWith(':href') ||
          /^(?:\.\/)?(?:Pictures|Object \d+|ObjectReplacements|media)(?:\/|$)|^#|^$/.test(value)
        )
          continue;
        if (local !== 'a') report.finding('external-link', value.slice(0, 200));
        delete attributes[key];
      }
      return true;
    },
    text: (text, local, depth) => {
      if (/^(?:p|h|span|a|ruby-base|ruby-text)$/.test(local) && slides.shows(text, depth)) report.text(text);
      return text;
    },
  };
}

function manifestXml(kept: Parts): Buffer {
  const type = Buffer.from(kept.get('mimetype') ?? [])
    .toString('latin1')
    .replace(/[^a-z0-9./+-]/gi, '');
  const items = [...kept.keys()].map((name) => {
    const media = name.endsWith('.xml') ? 'text/xml' : '';
    return `<manifest:file-entry manifest:full-path="${name.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)}" manifest:media-type="${media}"/>`;
  });
  // Charts are documents in folders of their own.
  const folders = new Set([...kept.keys()].flatMap((name) => /^(Object \d+\/)/.exec(name)?.[1] ?? []));
  const charts = [...folders].map(
    (name) =>
      `<manifest:file-entry manifest:full-path="${name}" manifest:media-type="application/vnd.oasis.opendocument.chart"/>`,
  );
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="${type}"/>${items.join('')}${charts.join('')}</manifest:manifest>`,
  );
}
