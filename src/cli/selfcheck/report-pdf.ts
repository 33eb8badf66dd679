// The report on paper: A4, a Japanese face put in (only its letters that are used), page numbers.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { create, type Subset } from 'fontkit';
import { PDFDocument, rgb, type PDFFont, type PDFPage } from 'pdf-lib';
import type { Language } from '../../message/account.ts';
import { CONTROLS, headOf, stateWord, type Report, type State } from './evidence.ts';

const FACE = '@expo-google-fonts/biz-udgothic/400Regular/BIZUDGothic_400Regular.ttf';
const [WIDTH, HEIGHT] = [595.28, 841.89];
const MARGIN = 56;
const LEADING = 1.55;
const COLOURS: { readonly [state in State]: readonly [number, number, number] } = {
  holds: [0.07, 0.35, 0.21],
  fails: [0.7, 0, 0],
  note: [0.3, 0.3, 0.31],
};

/**
 * pdf-lib asks for the interface of an old fontkit, whose subsets lose letters of our faces; the present one gives a subset
 * at once, not as a stream.
 */
const FONTKIT: unknown = {
  create: (bytes: Uint8Array) => {
    const font = create(Buffer.from(bytes));
    const make = font.createSubset.bind(font);
    return Object.assign(font, {
      createSubset: (): Subset => {
        const subset = make();
        const stream = (): object => {
          const reader = {
            on: (event: string, hear: (bytes?: Uint8Array) => void) => {
              if (event === 'data') hear(subset.encode());
              else if (event === 'end') hear();
              return reader;
            },
          };
          return reader;
        };
        return Object.assign(subset, { encodeStream: stream });
      },
    });
  },
};

/** The report as a PDF. */
export async function reportPdf(report: Report, language: Language): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  document.registerFontkit(FONTKIT as Parameters<PDFDocument['registerFontkit']>[0]);
  const font = await document.embedFont(await readFile(createRequire(import.meta.url).resolve(FACE)), { subset: true });
  const [title = '', ...facts] = headOf(report, language);
  document.setTitle(title, { showInWindowTitleBar: true });
  document.setLanguage(language);
  document.setProducer(`Mugai ${report.version}`);
  document.setCreationDate(new Date(report.at));
  const sheet = new Sheet(document, font);
  sheet.write(title, 16);
  for (const fact of facts) sheet.write(fact, 10);
  for (const { control, state, [language]: told } of report.evidence) {
    const { [language]: name, clause } = CONTROLS[control];
    sheet.space(8);
    sheet.write(`${stateWord(state, language)}　${name}`, 11, COLOURS[state]);
    sheet.write(`${control}　${language === 'ja' ? '基本方針' : 'basic policy'} ${clause}`, 8, COLOURS.note);
    sheet.write(told, 9.5);
  }
  sheet.number();
  return document.save();
}

/** Pages that are filled from top to bottom. */
class Sheet {
  readonly #document: PDFDocument;
  readonly #font: PDFFont;
  #page: PDFPage;
  #y = HEIGHT - MARGIN;

  constructor(document: PDFDocument, font: PDFFont) {
    this.#document = document;
    this.#font = font;
    this.#page = document.addPage([WIDTH, HEIGHT]);
  }

  space(points: number): void {
    this.#y -= points;
  }

  /** Writes a paragraph, broken where the line is full: Japanese has no spaces to wait for. */
  write(text: string, size: number, [red, green, blue]: readonly [number, number, number] = [0.1, 0.1, 0.11]): void {
    let line = '';
    const flush = (): void => {
      if (this.#y < MARGIN + size) this.#turn();
      this.#y -= size * LEADING;
      this.#page.drawText(line, { x: MARGIN, y: this.#y, size, font: this.#font, color: rgb(red, green, blue) });
      line = '';
    };
    for (const letter of text) {
      if (this.#font.widthOfTextAtSize(line + letter, size) > WIDTH - 2 * MARGIN) flush();
      line += letter;
    }
    flush();
  }

  /** Numbers the pages: a sheet that is missing from a file is seen. */
  number(): void {
    const pages = this.#document.getPages();
    for (const [at, page] of pages.entries()) {
      const text = `${at + 1} / ${pages.length}`;
      page.drawText(text, { x: WIDTH / 2 - 12, y: MARGIN / 2, size: 8, font: this.#font });
    }
  }

  #turn(): void {
    this.#page = this.#document.addPage([WIDTH, HEIGHT]);
    this.#y = HEIGHT - MARGIN;
  }
}
