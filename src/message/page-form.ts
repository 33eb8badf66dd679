// The one form of PDF that crosses: its fixed strings and numbers, for the writer (middle) and the strict reader (inner
// side). Everything in such a file follows from page images, sizes and text runs; nothing of a source document is in it.

/** First bytes of a file: PDF 1.7 and a line of high bytes, so that nobody takes it for text (ISO 32000-1, 7.5.2). */
export const PDF_HEADER = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1');

/** Object numbers. A layered file has the text layer's font in 3 to 6; its pages come behind, three objects each. */
export const CATALOG_OBJECT = 1;
export const PAGES_OBJECT = 2;
export const FONT_OBJECT = 3;
export const FIRST_PAGE_OBJECT = { plain: 3, layered: 7 } as const;
export const OBJECTS_PER_PAGE = 3;

export const CATALOG = '<< /Type /Catalog /Pages 2 0 R >>';

/** Bodies of objects 3, 4 and 5: a font without a font program, drawn never, mapped to Unicode by object 6. */
export const FONT_OBJECTS = [
  '<< /Type /Font /Subtype /Type0 /BaseFont /Mugai /Encoding /Identity-H /DescendantFonts [4 0 R] /ToUnicode 6 0 R >>',
  '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Mugai /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 5 0 R /DW 1000 /CIDToGIDMap /Identity >>',
  '<< /Type /FontDescriptor /FontName /Mugai /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 800 /StemV 80 >>',
] as const;

export const CMAP_HEAD = `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Mugai def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
`;
export const CMAP_FOOT = `endcmap
CMapName currentdict /CMap defineresource pop
end
end
`;
/** Lines of one bfchar block (Adobe Technical Note 5411 allows 100). */
export const CMAP_BLOCK = 100;
/** Different characters of one document's text layer: CIDs are two bytes, 0 is none. */
export const CMAP_MOST = 0xffff;

/** ISO 32000-1 Annex C: the largest side of a page in PDF 1.x viewers, in points. */
export const LARGEST_SIDE_PT = 14_400;

/** A number as it stands in such a file: at most `decimals` of them (4 at most), no exponent, no trailing zero, no -0. */
export function pdfNumber(value: number, decimals = 4): string {
  const scale = 10 ** decimals;
  const rounded = Math.round(value * scale) / scale;
  return rounded === 0 ? '0' : String(rounded);
}
