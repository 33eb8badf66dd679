// Whether a file is what its sender says: the declared type and the ending of its name, by families, against what its bytes are.
import { routeOf } from './route.ts';

/** Families: their endings, and their types. A type of none stands for itself. */
const FAMILIES: readonly (readonly [name: string, endings: string, types: string])[] = [
  ['pdf', 'pdf', 'application/pdf application/x-pdf application/acrobat'],
  ['word', 'doc dot', 'application/msword application/x-msword application/doc application/vnd.ms-word'],
  ['excel', 'xls xlt', 'application/vnd.ms-excel application/x-msexcel application/msexcel application/x-excel'],
  ['powerpoint', 'ppt pps pot', 'application/vnd.ms-powerpoint application/mspowerpoint application/x-mspowerpoint'],
  ['rtf', 'rtf', 'application/rtf application/x-rtf text/rtf'],
  ['richtext', '', 'text/richtext'],
  ['visio', 'vsd vsdx', 'application/vnd.visio application/vnd.ms-visio.drawing'],
  ['taro', 'jtd jtt jtdc jttc', 'application/x-js-taro application/x-js-taro-packed'],
  ['docuworks', 'xdw xbd', 'application/vnd.fujixerox.docuworks application/vnd.fujifilm.fb.docuworks'],
  ['hwp', 'hwp', 'application/vnd.hancom.hwp application/x-hwp application/haansofthwp application/hwp'],
  ['hwpx', 'hwpx', 'application/vnd.hancom.hwpx application/haansofthwpx application/x-hwpx application/hwp+zip'],
  ['jpeg', 'jpg jpeg jpe jfif', 'image/jpeg image/jpg image/pjpeg'],
  ['png', 'png', 'image/png image/x-png image/apng'],
  ['gif', 'gif', 'image/gif'],
  ['webp', 'webp', 'image/webp'],
  ['tiff', 'tif tiff', 'image/tiff image/tif image/x-tiff'],
  ['bmp', 'bmp dib', 'image/bmp image/x-ms-bmp image/x-bmp image/x-windows-bmp'],
  ['icon', 'ico', 'image/x-icon image/vnd.microsoft.icon image/ico'],
  ['icns', 'icns', 'image/icns image/x-icns'],
  ['heif', 'heic heif hif', 'image/heic image/heif image/heic-sequence image/heif-sequence'],
  ['avif', 'avif', 'image/avif'],
  ['svg', 'svg', 'image/svg+xml'],
  ['photoshop', 'psd psb', 'image/vnd.adobe.photoshop image/x-photoshop application/x-photoshop'],
  ['emf', 'emf', 'image/emf image/x-emf'],
  ['wmf', 'wmf', 'image/wmf image/x-wmf'],
  ['pict', 'pct pict', 'image/x-pict image/pict'],
  ['pcx', 'pcx', 'image/x-pcx image/pcx image/vnd.zbrush.pcx'],
  ['zip', 'zip', 'application/zip application/x-zip-compressed application/x-zip'],
  ['7z', '7z', 'application/x-7z-compressed application/7z'],
  ['rar', 'rar', 'application/x-rar-compressed application/vnd.rar application/x-rar application/rar'],
  ['tar', 'tar', 'application/x-tar application/x-gtar application/tar'],
  ['gzip', 'gz tgz', 'application/gzip application/x-gzip application/x-gunzip application/x-tgz'],
  ['bzip2', 'bz2 tbz2', 'application/x-bzip2 application/x-bzip'],
  ['xz', 'xz txz', 'application/x-xz'],
  ['lzh', 'lzh lha', 'application/x-lzh-compressed application/x-lzh application/x-lha application/x-lzh-archive'],
  ['disc', 'iso', 'application/x-iso9660-image application/x-cd-image'],
  ['cab', 'cab', 'application/vnd.ms-cab-compressed application/x-cab application/cab'],
  [
    'program',
    'exe dll scr sys', // `com` is the end of many a host's name, too
    'application/x-msdownload application/x-elf application/x-self-extracting application/x-dosexec application/x-msdos-program ' +
      'application/x-executable application/vnd.microsoft.portable-executable',
  ],
  ['mail', 'eml', 'message/rfc822 message/global message/x-emlx'],
  ['saved-page', 'mht mhtml', 'multipart/related application/x-mimearchive'],
  ['outlook', 'msg', 'application/vnd.ms-outlook'],
  ['tnef', '', 'application/vnd.ms-tnef application/ms-tnef'],
  [
    'cms',
    'p7m p7s',
    'application/pkcs7-mime application/x-pkcs7-mime application/pkcs7-signature application/x-pkcs7-signature',
  ],
  ['epub', 'epub', 'application/epub+zip'],
  ['text', 'txt csv tsv log json html htm ics', 'application/ics'],
  ['xml', 'xml', 'application/xml text/xml'],
  ['office-xml', '', 'application/x-office-xml'],
  // Types of several names each: see `PREFIXES`.
  ['word-package', 'docx docm dotx dotm', ''],
  ['excel-package', 'xlsx xlsm xlsb xltx xltm', ''],
  ['powerpoint-package', 'pptx pptm ppsx ppsm potx potm', ''],
  ['odf-text', 'odt ott fodt', ''],
  ['odf-sheet', 'ods ots fods', ''],
  ['odf-slides', 'odp otp fodp', ''],
  ['odf-drawing', 'odg otg fodg', ''],
  ['sun-text', 'sxw stw', 'application/vnd.sun.xml.writer'],
  ['sun-sheet', 'sxc stc', 'application/vnd.sun.xml.calc'],
  ['sun-slides', 'sxi sti', 'application/vnd.sun.xml.impress'],
  ['sun-drawing', 'sxd std', 'application/vnd.sun.xml.draw'],
];

const OOXML = 'application/vnd.openxmlformats-officedocument.';
const ODF = 'application/vnd.oasis.opendocument.';
const PREFIXES: readonly (readonly [prefix: string, family: string])[] = [
  [`${OOXML}wordprocessingml.`, 'word-package'],
  ['application/vnd.ms-word.', 'word-package'],
  [`${OOXML}spreadsheetml.`, 'excel-package'],
  ['application/vnd.ms-excel.', 'excel-package'],
  [`${OOXML}presentationml.`, 'powerpoint-package'],
  ['application/vnd.ms-powerpoint.', 'powerpoint-package'],
  [`${ODF}text`, 'odf-text'],
  [`${ODF}spreadsheet`, 'odf-sheet'],
  [`${ODF}presentation`, 'odf-slides'],
  [`${ODF}graphics`, 'odf-drawing'],
];

const BY_TYPE = new Map(FAMILIES.flatMap(([name, , types]) => types.split(' ').map((type) => [type, name] as const)));
const BY_ENDING = new Map(FAMILIES.flatMap(([name, endings]) => endings.split(' ').map((end) => [end, name] as const)));
BY_ENDING.delete('');

/** Families that fit others than themselves: what is said, and what it may be. */
const FITS: { readonly [said: string]: readonly string[] } = {
  mail: ['saved-page', 'text'], // a mail without a header that is known is a text
  'saved-page': ['mail', 'text'],
  text: ['xml', 'svg'],
  xml: ['text', 'svg', 'office-xml', 'odf-text', 'odf-sheet', 'odf-slides', 'odf-drawing'],
  richtext: ['text', 'rtf'], // of RFC 1341, and what some call RTF
  word: ['office-xml'],
  excel: ['office-xml'],
  zip: [
    'word-package',
    'excel-package',
    'powerpoint-package',
    'odf-text',
    'odf-sheet',
    'odf-slides',
    'odf-drawing',
    'sun-text',
    'sun-sheet',
    'sun-slides',
    'sun-drawing',
    'epub',
    'hwpx',
  ],
};

/** What a declared type may be besides: old mailers know one of each program. An ending is of one form alone. */
const PACKAGES: { readonly [declared: string]: string } = {
  word: 'word-package',
  excel: 'excel-package',
  powerpoint: 'powerpoint-package',
};

/** Families in whose form files of kinds are written that nobody here knows: packages are zips, keys and settings texts. */
const FORMS = new Set(['zip', 'text', 'xml']);

/** Words for "a file": nothing is said by them. */
const GENERIC = new Set([
  '',
  'application/octet-stream',
  'application/x-download',
  'application/download',
  'application/unknown',
]);

/** True when the declared type says something else than what the bytes are (a finding; the bytes decide). */
function differs(said: string, detectedType: string): boolean {
  const family = familyOf(detectedType);
  if (said === family || FITS[said]?.includes(family) === true) return false;
  if (routeOf(detectedType) === 'leftover') return false;
  // A locked document does not show which one it is.
  return !(detectedType === 'application/x-encrypted-office' && LOCKABLE.test(said));
}

const LOCKABLE = /^(?:word|excel|powerpoint)/;

function familyOf(type: string): string {
  const known = BY_TYPE.get(type) ?? PREFIXES.find(([prefix]) => type.startsWith(prefix))?.[1];
  if (known !== undefined) return known;
  const route = routeOf(type);
  return route === 'text' || route === 'html' || type.startsWith('text/') ? 'text' : type;
}

/**
 * What is said of a file against what its bytes are, `said / detected`; undefined where they agree or nothing is said. The
 * declared type is looked at first, then the ending of the name: one that is not known says nothing.
 */
export function mismatchOf(declaredType: string, name: string, detectedType: string): string | undefined {
  if (GENERIC.has(detectedType)) return undefined;
  const ending = /\.([a-z0-9]{1,5})\s*$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const byName = BY_ENDING.get(ending);
  const declared = familyOf(declaredType);
  // Windows declares a CSV as Excel's.
  const isSaid =
    !GENERIC.has(declaredType) &&
    (!FORMS.has(familyOf(detectedType)) || routeOf(detectedType) === 'html' || isKnown(declaredType, declared)) &&
    PACKAGES[declared] !== familyOf(detectedType) &&
    !(declared === 'excel' && byName === 'text');
  if (isSaid && differs(declared, detectedType)) return `${declaredType} / ${detectedType}`;
  return byName !== undefined && differs(byName, detectedType) ? `.${ending} / ${detectedType}` : undefined;
}

/** True for an ending of a kind that is known here and is no program. */
export function isDocumentEnding(ending: string): boolean {
  const family = BY_ENDING.get(ending.toLowerCase());
  return family !== undefined && family !== 'program';
}

/** True for a type that something is known of. */
function isKnown(type: string, family: string): boolean {
  return family !== type || !type.startsWith('application/');
}
