// Every format there is a way for: what it is by its bytes, which way it goes, what becomes of it, what is lost. docs/formats.md
// is written from this list, and a test holds list, routes and document together.
import { LIMITS } from '../message/limits.ts';
import type { Route } from './route.ts';

/** One line of the table. */
export interface Format {
  readonly name: string;
  /** Detected MIME types. */
  readonly types: readonly string[];
  readonly route: Route;
  readonly becomes: string;
  /** What is left behind, or told as lost. */
  readonly lost: string;
  /** Keys of the policy that change what becomes of it, besides those that hold for every format. */
  readonly policy?: string;
}

const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.';
const SHEET = 'application/vnd.openxmlformats-officedocument.spreadsheetml.';
const SLIDES = 'application/vnd.openxmlformats-officedocument.presentationml.';
const ODF = 'application/vnd.oasis.opendocument.';

export const FORMATS: readonly Format[] = [
  {
    name: 'PDF',
    types: ['application/pdf'],
    route: 'pdf',
    becomes: 'PDF of page images',
    lost: 'scripts, forms, links, attachments, media',
    policy: '`ocr: true`: the text of scans is read from their pixels',
  },
  {
    name: 'Word (docx, docm, dotx, dotm)',
    types: [
      `${WORD}document`,
      `${WORD}template`,
      'application/vnd.ms-word.document.macroenabled.12',
      'application/vnd.ms-word.template.macroenabled.12',
    ],
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, objects, outer links, embedded fonts; comments and tracked changes are told',
  },
  {
    name: 'Excel (xlsx, xlsm, xlsb, xltx)',
    types: [
      `${SHEET}sheet`,
      `${SHEET}template`,
      'application/vnd.ms-excel.sheet.macroenabled.12',
      'application/vnd.ms-excel.template.macroenabled.12',
      'application/vnd.ms-excel.sheet.binary.macroenabled.12',
    ],
    route: 'office',
    becomes:
      'PDF of page images, one page wide (very wide sheets: several side by side); a last page tells what was cut',
    lost: 'formulas (their values stay), macros, outer links; hidden sheets, rows, columns and comments are told; more than 5,000 rows or 256 columns are cut',
  },
  {
    name: 'PowerPoint (pptx, pptm, ppsx, potx)',
    types: [
      `${SLIDES}presentation`,
      `${SLIDES}slideshow`,
      `${SLIDES}template`,
      'application/vnd.ms-powerpoint.presentation.macroenabled.12',
      'application/vnd.ms-powerpoint.slideshow.macroenabled.12',
      'application/vnd.ms-powerpoint.template.macroenabled.12',
    ],
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, media, animation; hidden slides, notes and comments are told',
  },
  {
    name: 'Word 2 to 2003, Excel 2 to 2003, PowerPoint 97 to 2003 (doc, xls, ppt)',
    types: ['application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint'],
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, objects; comments, tracked changes (of Word 97 and later), hidden sheets, rows, columns and slides, and notes are told',
  },
  {
    name: 'Locked Office documents',
    types: ['application/x-encrypted-office'],
    route: 'office',
    becomes: 'held until a password opens it',
    lost: '',
    policy: '`passwordPairing`: a later mail of the same sender may tell the password',
  },
  {
    name: 'OpenDocument (odt, ods, odp, odg)',
    types: ['text', 'spreadsheet', 'presentation', 'graphics'].map((kind) => ODF + kind),
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, events, objects, outer links; comments, tracked changes, hidden sheets, rows, columns and slides, and notes are told',
  },
  {
    name: 'OpenOffice.org 1, StarOffice 6 and 7 (sxw, sxc, sxi, sxd)',
    types: ['writer', 'calc', 'impress', 'draw'].map((kind) => `application/vnd.sun.xml.${kind}`),
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, events, objects, outer links; comments and tracked changes are told',
  },
  {
    name: 'Office documents in one XML file (fodt, fods, fodp, fodg; xml of Word and Excel 2003)',
    types: [
      ...['text', 'spreadsheet', 'presentation', 'graphics'].map((kind) => `${ODF}${kind}-flat-xml`),
      'application/x-office-xml',
    ],
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'macros, events, objects, outer links; of OpenDocument comments, tracked changes, hidden sheets, rows, columns and slides, and notes are told',
  },
  {
    name: 'Visio, Publisher, Works, WordPerfect, StarOffice 5 (vsd, vsdx, pub, wps, wpd, sdw, sdc, sdd)',
    types: [
      'application/vnd.visio',
      'application/x-mspublisher',
      'application/vnd.ms-works',
      'application/vnd.wordperfect',
      'application/vnd.stardivision.writer',
      'application/vnd.stardivision.calc',
      'application/vnd.stardivision.impress',
    ],
    route: 'office',
    becomes: 'PDF of page images, where the engine reads that version',
    lost: 'objects',
  },
  {
    name: '一太郎 (jtd, jtt; version 8 and later), beta',
    types: ['application/x-js-taro'],
    route: 'office',
    becomes: 'PDF of page images: words, ruby, tables in a layout of ours, which is told',
    lost: 'layout, pictures, objects, macros; instructions of a template',
  },
  {
    name: '一太郎, packed (jtdc, jttc), beta',
    types: ['application/x-js-taro-packed'],
    route: 'archive',
    becomes: 'its document, as 一太郎',
    lost: '',
  },
  {
    name: 'EMF, WMF, PICT, PCX',
    types: ['image/emf', 'image/wmf', 'image/x-pict', 'image/x-pcx'],
    route: 'office',
    becomes: 'PDF of a page image',
    lost: 'metadata',
  },
  {
    name: 'RTF',
    types: ['application/rtf'],
    route: 'office',
    becomes: 'PDF of page images',
    lost: 'objects, fields that load; comments and tracked changes are told',
  },
  {
    name: 'JPEG, PNG, WebP, AVIF, BMP, ICO, ICNS, HEIC',
    types: [
      'image/jpeg',
      'image/png',
      'image/webp',
      'image/avif',
      'image/bmp',
      'image/x-icon',
      'image/icns',
      'image/heic',
      'image/heif',
    ],
    route: 'image',
    becomes: 'JPEG or PNG, upright, on white',
    lost: 'metadata (place, camera), transparency; pictures behind the first, which is told, and all but the largest of an ICO or ICNS, which is not',
  },
  {
    name: 'JPEG 2000, JPEG XL, Photoshop (jp2, jxl, psd, psb)',
    types: ['image/jp2', 'image/jxl', 'image/vnd.adobe.photoshop'],
    route: 'image',
    becomes: 'JPEG or PNG; of PSD the flattened picture it keeps',
    lost: 'metadata, layers; of a film all pictures but the first, which is told',
  },
  {
    name: 'GIF',
    types: ['image/gif'],
    route: 'image',
    becomes: 'PNG of its first frame; by policy a PDF of all frames (WebP, too)',
    lost: 'all other frames, the movement',
    policy: '`frames: first` (as here) or `frames: pages`',
  },
  {
    name: 'HWP 3 and 5, HWPX',
    types: ['application/vnd.hancom.hwp', 'application/vnd.hancom.hwpx'],
    route: 'image',
    becomes: 'picture of its page, or PDF of its pages; a locked one is held until a password opens it',
    lost: 'its own fonts, macros, objects',
  },
  {
    name: 'DocuWorks (xdw, xbd), beta',
    types: ['application/vnd.fujixerox.docuworks'],
    route: 'image',
    becomes:
      'picture of its page, or PDF of its pages, where they are scans (JPEG); otherwise, and where none of them can be read, held, and its sender to be asked for PDF',
    lost: 'notes and stamps upon the pages (told), original files in it',
  },
  {
    name: 'TIFF',
    types: ['image/tiff'],
    route: 'image',
    becomes: 'picture, or PDF of its pages',
    lost: 'metadata',
    policy: '`ocr: true`: as PDF',
  },
  {
    name: 'SVG',
    types: ['image/svg+xml'],
    route: 'image',
    becomes: 'PNG',
    lost: 'scripts, links, pictures it would load',
  },
  {
    name: 'Text, JSON, XML, logs; scripts that only their names tell from a text (bat, cmd, js, vbs, ps1, …)',
    types: ['text/plain', 'application/xml'],
    route: 'text',
    becomes:
      'UTF-8 text, read in the charset that its mail says, or XML itself, or its bytes; of a script by its name that is told (`script`)',
    lost: 'control and invisible characters',
  },
  {
    name: 'CSV, TSV',
    types: ['text/csv', 'text/tab-separated-values'],
    route: 'text',
    becomes: 'UTF-8 text, and a PDF of it as a table, every cell a text',
    lost: 'control and invisible characters; of the table what is beyond 5,000 rows or 256 columns',
    policy: '`csv: pages` (as here) or `csv: text`: text alone',
  },
  {
    name: 'HTML',
    types: ['text/html'],
    route: 'html',
    becomes: 'text; by policy also a PDF of page images',
    lost: 'scripts, style sheets, forms, all that would be fetched; in the text everything but its text',
    policy: '`html: text` (as here) or `html: pages`: pages beside the text',
  },
  {
    name: 'Saved web pages (mht, mhtml)',
    types: ['multipart/related'],
    route: 'mail',
    becomes: 'text, its pictures each as their own kind; by policy also a PDF of page images',
    lost: 'as HTML',
    policy: '`html`, as HTML',
  },
  {
    name: 'zip, 7z, rar, tar, gz, bz2, xz, zst, lzh, cab, Z, arj, cpio, xar',
    types:
      'zip x-7z-compressed x-rar-compressed x-tar gzip x-bzip2 x-xz zstd x-lzh-compressed vnd.ms-cab-compressed x-compress x-arj x-cpio x-xar'
        .split(' ')
        .map((name) => `application/${name}`),
    route: 'archive',
    becomes: 'its entries, each as its own kind',
    lost: 'links, devices; locked entries are held until a password opens them',
    policy: '`archives: files` (as here) or `archives: zip`: what came in one leaves in one; `passwordPairing`',
  },
  {
    name: 'Self-extracting archives (exe, elf: zip, 7z, rar, lzh, cab behind a program)',
    types: ['application/x-self-extracting'],
    route: 'archive',
    becomes: 'its entries, each as its own kind; held where its archive does not open',
    lost: 'the program',
  },
  {
    name: 'EPUB',
    types: ['application/epub+zip'],
    route: 'archive',
    becomes: 'its entries, each as its own kind: chapters as text',
    lost: 'layout',
  },
  {
    name: 'Images of discs (iso: ISO 9660, Joliet, with UDF beside)',
    types: ['application/x-iso9660-image'],
    route: 'disc',
    becomes: 'refused: unsupported-type; by policy its entries, each as its own kind',
    lost: 'all of it; by policy links, what it starts from',
    policy: '`discImages: refuse` (as here) or `discImages: open`',
  },
  {
    name: 'Mail within mail',
    types: ['message/rfc822'],
    route: 'mail',
    becomes: 'text, its parts each as their own kind',
    lost: 'see mail',
  },
  {
    name: 'Notes of systems beside files (__MACOSX, .DS_Store, Thumbs.db)',
    types: ['application/applefile', 'application/x-ds-store', 'application/x-thumbs-db'],
    route: 'leftover',
    becomes: 'dropped, and told',
    lost: 'all of it',
  },
  {
    name: 'Programs, scripts that say so by their content (a first line #!, HTA, WSF, encoded VBScript and JScript), other disk images, audio, video',
    types: [
      'application/x-msdownload',
      'application/x-elf',
      'application/x-sh',
      'application/hta',
      'application/x-wsf',
      'application/x-encoded-script',
      'audio/mpeg',
      'video/mp4',
      'application/java-archive',
    ],
    route: 'unsupported',
    becomes: 'refused: unsupported-type',
    lost: 'all of it',
  },
];

const MIB = 1024 * 1024;

/** The whole of docs/formats.md. */
export function formatsDocument(): string {
  const rows = FORMATS.map(
    ({ name, types, route, becomes, lost, policy = '' }) =>
      `| ${name} | ${types.map((type) => `\`${type}\``).join('<br>')} | ${route} | ${becomes} | ${lost} | ${policy} |`,
  );
  return `# Formats

What a file is, is decided by its bytes, never by its name or by what its sender declares; where the declared type, or an ending of
the name that is known, says another kind, that is told (\`type-mismatch\`). Written from \`src/sanitise/formats.ts\`; a test holds both together.

| format | detected as | way | becomes | left behind | policy |
|---|---|---|---|---|---|
${rows.join('\n')}

For every format: \`drop\` and \`rules\` say what of it passes at all (\`pass\`, \`pages\`, \`text\`, \`image\`, \`drop\`, \`hold\`; by type, size,
findings, sender, recipients), \`limits\` lowers pages, dots per inch, parts, depth, bytes and seconds, \`textLayer: false\` leaves pages without
text behind them, \`unscanned\` says what becomes of a part that the malware scanner gave no answer for. "As here": what holds where the policy
says nothing. No policy lets an original through.

An Office package (docx, xlsx, pptx, odt, …) with parts that do not open is shown without them, and that is told (\`damaged\`); where it is its words, or all
of its sheets or slides, it is refused as \`damaged\`. A page that cannot be drawn among others that can (PDF, TIFF, HWP, DocuWorks) is white, and told (\`page-failed\`).

Everything else is refused as \`unsupported-type\`. How much of a corpus of honest and of broken files is converted, by format: \`docs/corpus.md\`.

Limits of one message, whatever is nested in it: ${LIMITS.parts.toLocaleString('en')} parts (as many notes of systems in archives beside them), depth ${LIMITS.depth}, ${LIMITS.expandedBytes / MIB} MiB unpacked, ${LIMITS.pages.toLocaleString('en')} pages,
${LIMITS.outputBytes / MIB} MiB of output; ${LIMITS.officeMs / 1000} s for an Office document.

## How to add a format

1. \`workers/detect.ts\`: tell it by its bytes.
2. A reader in \`workers/\`: bytes in, text or pixels or entries out, a \`Refusal\` with a reason for everything else. A new kind of child
   gets its line in \`src/sandbox/families.ts\`.
3. \`src/sanitise/route.ts\`: its type's way; \`src/sanitise/formats.ts\`: its line here; \`src/sanitise/mismatch.ts\`: its endings, and
   other names of its type.
4. A test with a good, a torn and a hostile file. \`node src/sanitise/write-formats.ts\` writes this page.
`;
}
