// What is said of a file against what it is: kinds are compared, not spellings of their names.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mismatchOf } from '../../src/sanitise/mismatch.ts';

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const PPTX = 'application/vnd.openxmlformats-officedocument.presentationml.presentation';
const LOCKED = 'application/x-encrypted-office';

it('the ending of a name that says another kind is told, whatever is declared', () => {
  for (const [declared, name, detected, told] of [
    ['application/octet-stream', '報告書.pdf', 'image/png', '.pdf / image/png'],
    ['', 'a.PDF ', 'application/zip', '.pdf / application/zip'],
    ['', 'photo.png', 'text/plain', '.png / text/plain'],
    ['image/png', '報告書.pdf', 'image/png', '.pdf / image/png'],
    ['', 'a.doc', 'text/html', '.doc / text/html'],
    ['', 'a.docx', XLSX, `.docx / ${XLSX}`],
    ['', 'a.txt', 'application/x-msdownload', '.txt / application/x-msdownload'],
    ['application/pdf', 'a.pdf', 'application/zip', 'application/pdf / application/zip'],
    ['image/jpeg', 'a.jpg', 'image/gif', 'image/jpeg / image/gif'],
    [DOCX, 'a.docx', 'application/zip', `${DOCX} / application/zip`],
    ['application/x-zip-compressed', 'a.dat', 'text/plain', 'application/x-zip-compressed / text/plain'],
    ['application/msword', 'a.dat', XLSX, `application/msword / ${XLSX}`],
    ['application/ics', 'a.dat', 'application/zip', 'application/ics / application/zip'],
    ['', 'a.ics', 'application/x-msdownload', '.ics / application/x-msdownload'],
    ['application/x-shockwave-flash', 'a.dat', 'text/html', 'application/x-shockwave-flash / text/html'],
    ['application/anything', '', 'text/html', 'application/anything / text/html'],
    ['', 'a.doc', DOCX, `.doc / ${DOCX}`],
    ['', 'a.xls', XLSX, `.xls / ${XLSX}`],
  ] as const)
    assert.equal(mismatchOf(declared, name, detected), told, name);
});

it('names of the same kind are none, nor what locked documents, tables and mails are called', () => {
  for (const [declared, name, detected] of [
    [DOCX, 'a.docx', LOCKED],
    ['application/vnd.ms-excel', 'a.xls', LOCKED],
    ['application/vnd.rar', 'a.rar', 'application/x-rar-compressed'],
    ['application/x-rar', 'a.rar', 'application/x-rar-compressed'],
    ['application/x-gzip', 'a.tar.gz', 'application/gzip'],
    ['application/x-lzh', 'a.lzh', 'application/x-lzh-compressed'],
    ['application/x-lha', 'a.lha', 'application/x-lzh-compressed'],
    ['image/x-ms-bmp', 'a.bmp', 'image/bmp'],
    ['image/vnd.microsoft.icon', 'favicon.ico', 'image/x-icon'],
    ['text/rtf', 'a.rtf', 'application/rtf'],
    ['text/richtext', 'a.rtf', 'application/rtf'],
    ['text/richtext', '', 'text/plain'],
    ['text', 'a.txt', 'text/plain'],
    ['application/x-hwp', 'a.hwp', 'application/vnd.hancom.hwp'],
    ['application/haansofthwp', 'a.hwp', 'application/vnd.hancom.hwp'],
    ['image/heif', 'a.heic', 'image/heic'],
    ['application/vnd.ms-excel', '一覧.csv', 'text/csv'],
    ['text/plain', 'a.log', 'text/csv'],
    ['application/x-zip-compressed', 'a.zip', DOCX],
    ['application/x-iwork-pages-sffpages', 'a.pages', 'application/zip'],
    ['message/rfc822', 'a.eml', 'multipart/related'],
    ['application/pkcs7-signature', 'smime.p7s', 'application/pkcs7-mime'],
    ['application/ms-tnef', 'winmail.dat', 'application/vnd.ms-tnef'],
    ['', '__MACOSX/._a.pdf', 'application/applefile'],
    ['application/pdf', 'a.pdf', 'application/octet-stream'],
    ['', 'v1.2', 'application/pdf'],
    ['application/pdf', 'www.city.example.com', 'application/pdf'],
    ['', 'a.xml', 'image/svg+xml'],
    ['text/xml', 'a.xml', 'application/x-office-xml'],
    ['', 'a.fodt', 'application/vnd.oasis.opendocument.text-flat-xml'],
    ['text/plain', 'a.txt', 'application/xml'],
    ['application/ics', 'invite.ics', 'text/calendar'],
    ['application/csv', 'a.csv', 'text/csv'],
    ['application/pgp-keys', 'key.asc', 'text/plain'],
    ['application/x-x509-ca-cert', 'a.crt', 'text/plain'],
    ['application/x-javascript', 'a.js', 'text/plain'],
    ['application/yaml', 'a.yml', 'text/plain'],
    ['application/gpx+xml', 'a.gpx', 'application/xml'],
    ['application/vnd.google-earth.kml+xml', 'a.kml', 'application/xml'],
    ['application/vnd.ms-excel', '名簿.xlsx', XLSX],
    ['application/msword', 'a.docx', DOCX],
    ['application/vnd.ms-powerpoint', 'a.pptx', PPTX],
  ] as const)
    assert.equal(mismatchOf(declared, name, detected), undefined, `${declared} ${name}`);
});
