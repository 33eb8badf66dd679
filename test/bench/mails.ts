// Mails for measuring: the same text in several charsets, and large ones.
const LINE =
  'お世話になっております。次回の会議は十月三日（火）午後二時から、市役所第三会議室で行います。資料を添付します。';
/** The same words as ISO-2022-JP: ESC $ B, two bytes a letter of JIS X 0208, ESC ( B. Made by Python's iso2022_jp. */
const JIS_WORDS = Buffer.from(
  '1b2442242a40244f43244b244a24432446242a246a245e243921233c213273244e32713544244f3d3d376e3b30467c214a3250214b3861386546733b7e242b246921223b544c723d6a42683b30327135443c3c244739542424245e243921233b714e412472453a49552437245e243921231b2842',
  'hex',
);

const LINES: { readonly [charset: string]: Buffer } = {
  'utf-8': Buffer.from(`${LINE}\r\n`),
  'ISO-2022-JP': Buffer.concat([JIS_WORDS, Buffer.from('\r\n')]),
  'us-ascii': Buffer.from(
    'The next meeting is on Tuesday, 3 October, at two in the afternoon, in room 3 of the city hall.\r\n',
  ),
};

const HEAD = [
  'From: tanaka@example.jp',
  'To: staff@city.example.lg.jp',
  'Date: Wed, 25 Nov 2026 10:00:00 +0900',
  'Message-ID: <1@example.jp>',
  'MIME-Version: 1.0',
];

/** A mail of the same line again and again: as many lines as UTF-8 needs for `bytes`, so that each charset has the same text. */
export function textMail(charset: string, bytes: number): Buffer {
  const line = LINES[charset] ?? Buffer.alloc(0);
  const lines = Math.max(1, Math.round(bytes / (LINES['utf-8']?.length ?? 1)));
  const word = { 'utf-8': '5Lya6K2w', 'ISO-2022-JP': 'GyRCMnE1RBsoQg==' }[charset];
  const subject = word === undefined ? 'meeting' : `=?${charset}?B?${word}?=`;
  const head = [...HEAD, `Subject: ${subject}`, `Content-Type: text/plain; charset=${charset}`, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), ...Array.from({ length: lines }, () => line)]);
}

/** A multipart of `bytes`: base64 files of 1 MB, or texts of 1 MB. */
export function largeMail(bytes: number, kind: 'files' | 'texts'): Buffer {
  const part = kind === 'files' ? filePart() : textPart();
  const head = [...HEAD, 'Subject: large', 'Content-Type: multipart/mixed; boundary=BB', '', ''].join('\r\n');
  const count = Math.floor((bytes - head.length) / part.length);
  return Buffer.concat([Buffer.from(head), ...Array.from({ length: count }, () => part), Buffer.from('--BB--\r\n')]);
}

const MEGABYTE = 1_000_000;

function filePart(): Buffer {
  const head =
    '--BB\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  return Buffer.from(`${head}${`${'QUJD'.repeat(19)}\r\n`.repeat(Math.floor(MEGABYTE / 78))}`);
}

function textPart(): Buffer {
  const head = Buffer.from('--BB\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n');
  const line = LINES['utf-8'] ?? Buffer.alloc(0);
  return Buffer.concat([head, ...Array.from({ length: Math.floor(MEGABYTE / line.length) }, () => line)]);
}
