// A long document of plain text, as a report of figures is.
import { PDFDocument, StandardFonts } from 'pdf-lib';

/** Pages of text with a line of figures each. */
export async function textDocument(pages: number): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.TimesRoman);
  for (let page = 1; page <= pages; page++) {
    const sheet = document.addPage([595, 842]);
    for (let row = 0; row < 45; row++)
      sheet.drawText(`Page ${page}, row ${row}: the quick brown fox jumps over the lazy dog ${page * 45 + row}`, {
        x: 60,
        y: 780 - row * 16,
        size: 11,
        font,
      });
  }
  return document.save();
}
