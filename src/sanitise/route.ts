// Which jailed converter takes a part, by what its bytes are; never by its name.

export type Route =
  | 'mail'
  | 'pdf'
  | 'image'
  | 'text'
  | 'html'
  | 'office'
  | 'archive'
  | 'disc'
  | 'signature'
  | 'encrypted'
  | 'leftover'
  | 'unsupported';

const IMAGES = new Set(
  'jpeg png webp gif tiff avif heic heif bmp x-icon vnd.microsoft.icon svg+xml x-ms-bmp apng jp2 jxl jpx jpm icns vnd.adobe.photoshop'
    .split(' ')
    .map((name) => `image/${name}`),
);

/** Documents whose pages the image child draws. */
const DRAWN = new Set([
  'application/vnd.hancom.hwp',
  'application/vnd.hancom.hwpx',
  'application/vnd.fujixerox.docuworks',
]);

/** Drawings as calls of Windows or of QuickDraw, and what nobody but the office engine reads: it draws them. */
const METAFILES = new Set(['image/emf', 'image/wmf', 'image/x-pict', 'image/x-pcx']);

const OFFICE =
  /^application\/(?:vnd\.openxmlformats-officedocument\.(?:wordprocessingml|spreadsheetml|presentationml)\.|vnd\.ms-(?:word|excel|powerpoint)\.|vnd\.oasis\.opendocument\.|vnd\.sun\.xml\.|(?:msword|rtf|vnd\.ms-excel|vnd\.ms-powerpoint|x-encrypted-office|vnd\.visio|x-mspublisher|x-office-xml|x-js-taro|vnd\.wordperfect|vnd\.ms-works|vnd\.stardivision\.(?:writer|calc|impress))$)/;

const ARCHIVES = new Set(
  (
    'zip x-zip-compressed x-7z-compressed x-rar-compressed x-tar gzip x-gtar x-bzip2 x-xz zstd x-lzh-compressed ' +
    'vnd.ms-cab-compressed x-compress x-arj x-cpio x-xar x-unix-archive x-lzip x-self-extracting ' +
    'x-js-taro-packed epub+zip'
  )
    .split(' ')
    .map((name) => `application/${name}`),
);

/** Containers of messages and files that the mail child opens. */
const MAILS = new Set([
  'message/rfc822',
  'multipart/related',
  'message/x-emlx',
  'application/mbox',
  'application/vnd.ms-outlook',
  'application/vnd.ms-tnef',
  'application/pkcs7-mime',
  'text/x-uuencode',
  'text/x-yenc',
  'application/mac-binhex40',
]);

/** What systems put beside files for themselves: nothing of a sender's is in it. */
const LEFTOVERS = new Set(['application/applefile', 'application/x-ds-store', 'application/x-thumbs-db']);

/** The converter for a detected MIME type. */
export function routeOf(detectedType: string): Route {
  if (detectedType === 'application/pdf') return 'pdf';
  if (METAFILES.has(detectedType)) return 'office';
  if (IMAGES.has(detectedType) || DRAWN.has(detectedType)) return 'image';
  if (MAILS.has(detectedType)) return 'mail';
  if (detectedType === 'application/pkcs7-signature' || detectedType === 'application/pgp-signature')
    return 'signature';
  if (detectedType === 'application/pgp-encrypted') return 'encrypted';
  if (detectedType === 'text/html' || detectedType === 'application/xhtml+xml') return 'html';
  if (LEFTOVERS.has(detectedType)) return 'leftover';
  if (OFFICE.test(detectedType)) return 'office';
  if (ARCHIVES.has(detectedType)) return 'archive';
  if (detectedType === 'application/x-iso9660-image') return 'disc';
  // Text of any kind is shown as text. Scripts and markup are inert as such.
  if (detectedType.startsWith('text/') || detectedType === 'application/xml' || detectedType === 'application/json')
    return 'text';
  return 'unsupported';
}

/**
 * True for a type that the first bytes of a file may say wrongly of the whole: a zip's directory stands at its end, that of an OLE
 * file where its writer put it, an archive behind its program.
 */
export function isNamedAnywhere(detectedType: string): boolean {
  return NAMED_ANYWHERE.has(detectedType);
}

const NAMED_ANYWHERE = new Set(
  (
    'zip octet-stream x-msdownload x-elf x-cfb x-encrypted-office msword vnd.ms-excel vnd.ms-powerpoint vnd.ms-outlook x-js-taro ' +
    'x-js-taro-packed vnd.visio x-mspublisher vnd.ms-works vnd.stardivision.writer vnd.stardivision.calc ' +
    'vnd.stardivision.impress vnd.hancom.hwp'
  )
    .split(' ')
    .map((name) => `application/${name}`),
);
