// Which jailed converter takes a part, by what its bytes are; never by its name.

export type Route = 'mail' | 'pdf' | 'image' | 'text' | 'html' | 'unsupported';

const IMAGES = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff']);

/** The converter for a detected MIME type. */
export function routeOf(detectedType: string): Route {
  if (detectedType === 'application/pdf') return 'pdf';
  if (IMAGES.has(detectedType)) return 'image';
  if (detectedType === 'message/rfc822') return 'mail';
  if (detectedType === 'text/html' || detectedType === 'application/xhtml+xml') return 'html';
  // Text of any kind is shown as text. Scripts and markup are inert as such.
  if (detectedType.startsWith('text/') || detectedType === 'application/xml' || detectedType === 'application/json')
    return 'text';
  return 'unsupported';
}

const GENERIC = new Set([
  '',
  'application/octet-stream',
  'application/x-download',
  'application/download',
  'application/unknown',
]);

/** True when the declared type says something else than what the bytes are (a finding; the bytes decide). */
export function typeMismatch(declaredType: string, detectedType: string): boolean {
  if (GENERIC.has(declaredType) || GENERIC.has(detectedType) || declaredType === detectedType) return false;
  const declared = declaredType
    .replace('image/jpg', 'image/jpeg')
    .replace('image/pjpeg', 'image/jpeg')
    .replace('application/x-pdf', 'application/pdf');
  if (declared === detectedType) return false;
  // Flavours of text differ in name more than in kind; office containers are told apart by their own converter.
  const isText = (type: string): boolean =>
    routeOf(type) === 'text' || routeOf(type) === 'html' || type.startsWith('text/');
  if (isText(declared) && isText(detectedType)) return false;
  return !(declared.startsWith('application/') && detectedType === 'application/zip');
}
