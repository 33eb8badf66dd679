// The mails of the end-to-end bench, without their subject (the sender numbers them).
import { makePdf, stream } from '../support/make-pdf.ts';
import { textMail } from './mails.ts';

export interface Case {
  readonly name: string;
  readonly rest: Buffer;
  /** Mails of one run of ours, and of a slow peer. */
  readonly mails: number;
}

const HEAD = 'From: tanaka@example.jp\r\nTo: staff@city.example.lg.jp\r\nMIME-Version: 1.0\r\n';

/** A document of text, and of `padding` bytes that nobody draws. */
export function pdf(count: number, padding: number): Buffer {
  const lines = Array.from(
    { length: 45 },
    (_, at) => `1 0 0 1 50 ${790 - 16 * at} Tm (Line ${at}: minutes of the meeting in room 3 of the city hall) Tj`,
  );
  const kids = Array.from({ length: count }, (_, page) => `${page + 6} 0 R`);
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${count} /Kids [${kids.join(' ')}] /MediaBox [0 0 595 842] /Resources <</Font <</F 3 0 R>>>>>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    stream('', `BT /F 11 Tf ${lines.join(' ')} ET`),
    stream('', 'x'.repeat(padding)),
    ...kids.map(() => '<</Type /Page /Parent 2 0 R /Contents 4 0 R>>'),
  ]);
}

function withPdf(content: Buffer): Buffer {
  const coded = content.toString('base64').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(
    `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n資料を送ります。\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${coded}\r\n--b--\r\n`,
  );
}

/** A mail of text of some bytes, without a subject. */
export function text(bytes: number): Buffer {
  return Buffer.from(
    textMail('utf-8', bytes)
      .toString('latin1')
      .replace(/^Subject:.*\r\n/m, ''),
    'latin1',
  );
}

function html(bytes: number): Buffer {
  const row =
    '<tr><td style="color:#333">お知らせ</td><td><a href="https://www.city.example.lg.jp/">市役所の案内</a></td></tr>\r\n';
  const rows = row.repeat(Math.ceil(bytes / Buffer.byteLength(row)));
  return Buffer.from(
    `${HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><table>${rows}</table></body></html>\r\n`,
  );
}

export const CASES: readonly Case[] = [
  { name: 'text-4k', rest: text(4096), mails: 2000 },
  { name: 'html-20k', rest: html(20_000), mails: 600 },
  { name: 'pdf-200k', rest: withPdf(pdf(1, 145_000)), mails: 60 },
  { name: 'pdf-2m-10-pages', rest: withPdf(pdf(10, 1_450_000)), mails: 12 },
];

/** Mails with a document of so many pages and little else. */
export function pages(count: number): Buffer {
  return withPdf(pdf(count, 0));
}
