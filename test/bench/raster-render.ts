// The lower bound of the raster bench: PDFium draws every page at the same size and the pixels are thrown away.
// Reads a path per line, answers a JSON line: ms, pages.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { LIMITS } from '../../src/message/limits.ts';
import { Pdfium, compilePdfium } from '../../workers/pdfium.ts';

const module = await compilePdfium();
for await (const line of createInterface({ input: process.stdin })) {
  const started = performance.now();
  const [path = ''] = line.split('\t');
  const document = new Pdfium(module).open(readFileSync(path), '');
  let pages = 0;
  if (typeof document !== 'number') {
    for (; pages < document.pageCount; pages++) {
      const page = document.openPage(pages);
      if (page === 0) continue;
      const size = document.pageSize(page);
      const scale = LIMITS.dpi / 72;
      const width = Math.min(LIMITS.sidePixels, Math.max(1, Math.round(size.widthPt * scale)));
      const height = Math.min(LIMITS.sidePixels, Math.max(1, Math.round(size.heightPt * scale)));
      if (width * height <= LIMITS.pagePixels) document.draw(page, width, height);
      document.closePage(page);
    }
  }
  process.stdout.write(`${JSON.stringify({ ms: performance.now() - started, pages, bytes: 0 })}\n`);
}
