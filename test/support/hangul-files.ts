// Hangul documents made in tests, by the library itself: real files may not be published here.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A document as the library writes it. */
export interface HangulFile {
  createBlankDocument(): string;
  insertText(section: number, paragraph: number, at: number, text: string): string;
  insertPageBreak(section: number, paragraph: number, at: number): string;
  exportHwp(): Uint8Array;
  exportHwpx(): Uint8Array;
  exportHwpWithPassword(password: string): Uint8Array;
}

/** A document of so many pages, each of one line. */
export async function hangulFile(pages = 1): Promise<HangulFile> {
  const rhwp = (await import('@rhwp/core')) as unknown as {
    initSync(options: { module: Uint8Array }): void;
    HwpDocument: { createEmpty(): HangulFile };
  };
  rhwp.initSync({ module: readFileSync(fileURLToPath(import.meta.resolve('@rhwp/core/rhwp_bg.wasm'))) });
  const document = rhwp.HwpDocument.createEmpty();
  document.createBlankDocument();
  for (let page = 0; page < pages; page++) {
    if (page > 0) document.insertPageBreak(0, page - 1, LINE.length);
    document.insertText(0, page, 0, LINE);
  }
  return document;
}

const LINE = '안녕하세요 鹿島市 Kashima 申請書';
