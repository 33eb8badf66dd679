// What three readers take out of a PDF: poppler (pdftotext), pdf.js (Firefox) and PDFium (Chromium's viewer).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { Pdfium, compilePdfium } from '../../workers/pdfium.ts';

export interface Readings {
  readonly poppler: string;
  readonly pdfjs: string;
  readonly pdfium: string;
}

/** The text of all pages as each reader gives it; line ends as they come, blanks in a row as one. */
export async function readText(file: Uint8Array): Promise<Readings> {
  return { poppler: tidy(poppler(file)), pdfjs: tidy(await pdfjs(file)), pdfium: tidy(await pdfium(file)) };
}

const tidy = (text: string): string => text.replace(/[ \t\f]+/g, ' ').replace(/ ?[\r\n]+ ?/g, '\n');

function poppler(file: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'mugai-'));
  try {
    writeFileSync(join(folder, 'a.pdf'), file);
    return execFileSync('pdftotext', [join(folder, 'a.pdf'), '-'], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function pdfjs(file: Uint8Array): Promise<string> {
  const task = getDocument({ data: Uint8Array.from(file), verbosity: 0, useSystemFonts: false });
  const document = await task.promise;
  let text = '';
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    for (const item of items) if ('str' in item) text += item.str + (item.hasEOL ? '\n' : '');
    text += '\n';
  }
  await task.destroy();
  return text;
}

async function pdfium(file: Uint8Array): Promise<string> {
  const engine = new Pdfium(await compilePdfium());
  const document = engine.open(file, '');
  if (typeof document === 'number') throw new Error(`PDFium error ${document}`);
  let text = '';
  for (let index = 0; index < document.pageCount; index++) {
    const page = document.openPage(index);
    const reader = engine.call('FPDFText_LoadPage', page);
    const count = engine.call('FPDFText_CountChars', reader);
    const buffer = engine.zeroed(2 * (2 * count + 1));
    const units = engine.call('FPDFText_GetText', reader, 0, count, buffer);
    const bytes = Buffer.from(engine.bytes.subarray(buffer, buffer + 2 * Math.max(0, units - 1)));
    text += `${bytes.toString('utf16le')}\n`;
    engine.call('FPDFText_ClosePage', reader);
    document.closePage(page);
  }
  return text;
}
