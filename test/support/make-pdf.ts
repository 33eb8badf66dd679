// Small PDFs by hand, for tests.

/** A PDF of these objects (number 1 is the catalogue), with a right cross-reference table. */
export function makePdf(objects: readonly string[]): Buffer {
  let text = '%PDF-1.7\n';
  const offsets = objects.map((body, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  const start = text.length;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`;
  text += `trailer <</Size ${objects.length + 1} /Root 1 0 R>>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}

export function stream(dictionary: string, content: string): string {
  return `<<${dictionary} /Length ${content.length}>>\nstream\n${content}\nendstream`;
}

/** A PDF of one page with this media box, resources, content, and more entries of the page. */
export function onePage(
  box: string,
  content: string,
  resources = '',
  more: readonly string[] = [],
  entries = '',
): Buffer {
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    '<</Type /Pages /Count 1 /Kids [3 0 R]>>',
    `<</Type /Page /Parent 2 0 R /MediaBox [${box}] /Contents 4 0 R /Resources <<${resources}>> ${entries}>>`,
    stream('', content),
    ...more,
  ]);
}

/** A PDF of so many A4 pages, each with its number and `strokes` lines to draw: some take their time. */
export function slowPdf(pages: number, strokes: number): Buffer {
  const kids = Array.from({ length: pages }, (_, i) => `${5 + i} 0 R`).join(' ');
  let lines = '';
  for (let n = 0; n < strokes; n++)
    lines += `${(n * 37) % 595} ${(n * 91) % 700} m ${(n * 53) % 595} ${(n * 29) % 700} l S\n`;
  const font = '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>';
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    font,
    stream('', lines),
    ...Array.from(
      { length: pages },
      (_, i) =>
        `<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources <</Font <</F 3 0 R>>>> /Contents [4 0 R ${5 + pages + i} 0 R]>>`,
    ),
    ...Array.from({ length: pages }, (_, i) => stream('', `BT /F 40 Tf 60 760 Td (Page ${i + 1}) Tj ET`)),
  ]);
}
