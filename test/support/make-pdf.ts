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
