// What a zip of parts (Office, OpenDocument, EPUB) says of itself: the entries that tell it from other archives, found by the zip's own
// directory, since writers put them first, last or between.
import { unzipSync } from 'fflate';

export interface PackageWords {
  /** `[Content_Types].xml` of OOXML. */
  readonly types: string;
  /** `mimetype` of OpenDocument and EPUB, or where there is none what the manifest says of the whole (OpenOffice.org 1). */
  readonly mimetype: string;
}

const WORDS = /^(?:\[Content_Types\]\.xml|mimetype|META-INF\/manifest\.xml)$/i;
const WORDS_BYTES = 1 << 20;
/** Entries that are looked at; a directory that counts more is none of a document. */
const ENTRIES_MOST = 0xffff;

/** The words of a whole zip; undefined where it breaks off or makes no sense. */
export function packageWords(bytes: Buffer): PackageWords | undefined {
  const words = new Map<string, string>();
  const wanted = new Set<string>();
  let entries = 0;
  try {
    const files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        entries += 1;
        if (entries > ENTRIES_MOST) throw new RangeError('too many entries');
        const word = name.toLowerCase();
        // Each once: a directory may name one entry thousands of times.
        if (!WORDS.test(name) || originalSize >= WORDS_BYTES || wanted.has(word)) return false;
        wanted.add(word);
        return true;
      },
    });
    for (const [name, content] of Object.entries(files))
      words.set(name.toLowerCase(), Buffer.from(content).toString('utf8'));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return undefined;
  }
  const manifest = words.get('meta-inf/manifest.xml') ?? '';
  return { types: words.get('[content_types].xml') ?? '', mimetype: words.get('mimetype') ?? typeOfWhole(manifest) };
}

/** The type that a manifest has for `/`. */
function typeOfWhole(manifest: string): string {
  for (const [entry] of manifest.matchAll(/<manifest:file-entry\s[^<>]{0,1000}>/g))
    if (/\smanifest:full-path="\/"/.test(entry)) return /\smanifest:media-type="([^"]*)"/.exec(entry)?.[1] ?? '';
  return '';
}

/** The main part of a document: `…wordprocessingml.document.main+xml`, `…ms-excel.sheet.macroEnabled.main+xml`, binary without `+xml`. */
const MAIN_PART =
  /"application\/(vnd\.(?:openxmlformats-officedocument\.(?:wordprocessingml|spreadsheetml|presentationml)|ms-(?:word|excel|powerpoint))\.[a-z]+(?:\.binary)?(?:\.macroenabled(?:template)?)?)\.main(?:\+xml)?"/i;
const NAMED =
  /^application\/(?:vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation|graphics)|vnd\.sun\.xml\.(?:writer|calc|impress|draw)|epub\+zip)/;

/** The MIME type of a package by its words; undefined for a zip that is none we know. */
export function packageType({ types, mimetype }: PackageWords): string | undefined {
  const main = MAIN_PART.exec(types)?.[1]?.toLowerCase();
  if (main !== undefined) return `application/${main.replace(/macroenabled(?:template)?$/, 'macroenabled.12')}`;
  return /ms-visio\./i.test(types) ? 'application/vnd.visio' : NAMED.exec(mimetype)?.[0];
}
