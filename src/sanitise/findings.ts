// Codes of all findings there are; losses (`pages-cut`, `hidden-sheet`) are none. A rule of a policy may look at these.
export const FINDINGS: ReadonlySet<string> = new Set(
  (
    'activex alternative-differs alternative-not-shown ask-for-archive ask-for-pdf authentication authentication-failed ' +
    'bidi-header bidi-name binhex dde double-extension duplicate-header embedded-file embedded-font embedded-object ' +
    'envelope-mismatch external-body external-link foreign-domain form from-count hidden-by-sheet hidden-text import-data ' +
    'inner-domain inner-name invisible-characters javascript launch-action link link-mismatch link-scheme link-userinfo ' +
    'lookalike-domain macro malware meta-refresh mixed-script movie name-spoof not-scanned ocr-text odd-archive odd-structure ' +
    'outlook-item password-paired password-tried qr-code remote-content remote-template reply-elsewhere rich-media scan-text ' +
    'script self-extracting sender-mismatch signature sound submit-form system-file type-mismatch unknown-encoding uuencode xfa yenc'
  ).split(' '),
);
