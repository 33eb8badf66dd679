// A PDF writer of a few lines: every object is spelled out, so that a sample's case can be read in its bytes.

/** An object's body, or a stream with the entries of its dictionary. */
export type PdfObject = string | { readonly dictionary: string; readonly stream: Uint8Array };

/** A stream of drawing operators or text. */
export function stream(content: string | Uint8Array, dictionary = ''): PdfObject {
  return { dictionary, stream: typeof content === 'string' ? Buffer.from(content, 'latin1') : content };
}

/** The file: objects are numbered from 1, object 1 is the catalogue. */
export function pdf(objects: readonly PdfObject[]): Buffer {
  const pieces: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  const offsets: number[] = [];
  let at = pieces[0]?.length ?? 0;
  const put = (bytes: Buffer): void => {
    pieces.push(bytes);
    at += bytes.length;
  };
  for (const [index, object] of objects.entries()) {
    offsets.push(at);
    put(Buffer.from(`${index + 1} 0 obj\n`));
    if (typeof object === 'string') put(Buffer.from(`${object}\n`, 'latin1'));
    else {
      put(Buffer.from(`<< ${object.dictionary} /Length ${object.stream.length} >>\nstream\n`, 'latin1'));
      put(Buffer.concat([object.stream, Buffer.from('\nendstream\n')]));
    }
    put(Buffer.from('endobj\n'));
  }
  const start = at;
  put(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`));
  for (const offset of offsets) put(Buffer.from(`${String(offset).padStart(10, '0')} 00000 n \n`));
  put(Buffer.from(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`));
  return Buffer.concat(pieces);
}

/** UTF-16BE in hex, as the encoding UniJIS-UTF16-H takes it. */
export function utf16(text: string): string {
  return `<${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`;
}

/** Lines of Japanese text from the top of an A4 page, in the page's font /F1. */
export function lines(rows: readonly string[], size = 12): string {
  const shown = rows.map((row) => `${utf16(row)} Tj T*`).join('\n');
  return `BT /F1 ${size} Tf ${size * 1.8} TL 60 770 Td\n${shown}\nET`;
}

/** Objects of a Japanese font that is not embedded: the reader must have one. `next` is the number of the first object. */
export function japaneseFont(baseFont: string, next: number): PdfObject[] {
  return [
    `<< /Type /Font /Subtype /Type0 /BaseFont /${baseFont} /Encoding /UniJIS-UTF16-H /DescendantFonts [${next + 1} 0 R] >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /${baseFont} /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /DW 1000 /FontDescriptor ${next + 2} 0 R >>`,
    `<< /Type /FontDescriptor /FontName /${baseFont} /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 80 >>`,
  ];
}

/** A document of A4 pages of Japanese text without embedded fonts. */
export function japanesePdf(pages: readonly (readonly string[])[], baseFont = 'HeiseiKakuGo-W5'): Buffer {
  const first = 6;
  const kids = pages.map((_, index) => `${first + index * 2} 0 R`);
  return pdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids.join(' ')}] /Count ${pages.length} >>`,
    ...japaneseFont(baseFont, 3),
    ...pages.flatMap((rows, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${first + index * 2 + 1} 0 R >>`,
      stream(lines(rows)),
    ]),
  ]);
}
