// Where the files of a package lay in the archives they came in: from the rows of the manifest, in names that are safe on any disk.
import { posix } from 'node:path';
import type { PartRow } from '../message/part.ts';
import { forLine } from '../message/untrusted.ts';

/** An archive of the message, and its files by their place in it. */
export interface Bundle {
  /** The archive's name without its ending, cleaned. */
  readonly stem: string;
  /** Path in the archive (`資料/03-申請書.pdf`) by the file's name in the package. */
  readonly places: ReadonlyMap<string, string>;
}

const SEGMENTS_MOST = 16;
const SEGMENT_CHARS = 80;
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** Every outermost archive of which something came out. A file's own name stays: it is unique in the package. */
export function bundlesOf(parts: readonly PartRow[]): Bundle[] {
  const rows = new Map(parts.map((row) => [row.path, row]));
  const bundles = new Map<string, { stem: string; places: Map<string, string> }>();
  for (const row of parts) {
    const above = ancestors(row.path).flatMap((path) => rows.get(path) ?? []);
    const archives = above.filter(isArchive);
    const [outermost] = archives;
    if (outermost === undefined || row.outputs.length === 0) continue;
    let bundle = bundles.get(outermost.path);
    if (bundle === undefined)
      bundles.set(outermost.path, (bundle = { stem: stemOf(outermost.name), places: new Map() }));
    // An archive inside the archive is a folder of its own name.
    const folders = archives.slice(1).flatMap(({ name }) => [...foldersOf(name), stemOf(name)]);
    const path = [...folders, ...foldersOf(row.name)].slice(0, SEGMENTS_MOST);
    for (const output of row.outputs) bundle.places.set(output, [...path, posix.basename(output)].join('/'));
  }
  return [...bundles.values()];
}

/** `1.2.3` → `1`, `1.2`. */
function ancestors(path: string): string[] {
  const numbers = path.split('.');
  return numbers.slice(0, -1).map((_, at) => numbers.slice(0, at + 1).join('.'));
}

/** A container of files: mails within mails are `expanded`, too, but their parts belong to a text. */
function isArchive({ verdict, detectedType }: PartRow): boolean {
  return (
    verdict === 'expanded' && detectedType.startsWith('application/') && !/outlook|tnef|pkcs7|mbox/.test(detectedType)
  );
}

function foldersOf(name: string): string[] {
  return name
    .split(/[/\\]/)
    .slice(0, -1)
    .map(segment)
    .filter((one) => one !== '');
}

function stemOf(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? '';
  return segment(base.replace(/\.[^.]{1,10}$/, '')) || 'files';
}

/** Letters, digits and a few signs; no dots alone, no blanks at the ends, no name of a device. */
function segment(name: string): string {
  const clean = forLine(name, SEGMENT_CHARS)
    .replace(/[^\p{L}\p{M}\p{N} _.()（）【】「」・-]+/gu, '-')
    .replace(/^[\s.]+|[\s.]+$/g, '');
  return RESERVED.test(clean) ? `${clean}-` : clean;
}
