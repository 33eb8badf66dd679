// Puts encoded pages into the bytes of a PDF of the one form (`message/page-form.ts`). Holds nothing but offsets.
import {
  CATALOG,
  CATALOG_OBJECT,
  FIRST_PAGE_OBJECT,
  FONT_OBJECT,
  FONT_OBJECTS,
  LARGEST_SIDE_PT,
  OBJECTS_PER_PAGE,
  PAGES_OBJECT,
  PDF_HEADER,
  pdfNumber,
} from '../message/page-form.ts';
import type { Encoded } from './encode-page.ts';

/** A page as it stands in the file: sides in points, the content stream deflated when it holds text. */
export interface EncodedPage {
  readonly image: Encoded;
  readonly width: string;
  readonly height: string;
  readonly text: Uint8Array | undefined;
}

/** The sides of a page in points as numbers of the form, and by how much they were shrunk to its largest. */
export function sidesOf(widthPt: number, heightPt: number): { width: string; height: string; shrink: number } {
  const shrink = Math.min(1, LARGEST_SIDE_PT / widthPt, LARGEST_SIDE_PT / heightPt);
  const side = (points: number): string => pdfNumber(Math.max(0.0001, points * shrink));
  return { width: side(widthPt), height: side(heightPt), shrink };
}

/** The operators that draw the image of a page over all of it. */
export function drawing(width: string, height: string): string {
  return `q ${width} 0 0 ${height} 0 0 cm /I Do Q`;
}

/** Gives the bytes of a file from its start to its end: `page` for each page, then `end`. */
export class PdfWriter {
  readonly #first: number;
  readonly #offsets: number[] = [];
  #at = 0;
  #pages = 0;

  constructor(layered: boolean) {
    this.#first = FIRST_PAGE_OBJECT[layered ? 'layered' : 'plain'];
  }

  /** The next bytes, which hold this page. */
  page({ image, width, height, text }: EncodedPage): Buffer {
    const first = this.#first + OBJECTS_PER_PAGE * this.#pages++;
    const dictionary = `/Type /XObject /Subtype /Image /Width ${image.width} /Height ${image.height} /ColorSpace ${image.colours} /BitsPerComponent ${image.bits} /Filter ${image.filter} `;
    const font = text === undefined ? '' : ` /Font << /F ${FONT_OBJECT} 0 R >>`;
    const leaf = `<< /Type /Page /Parent ${PAGES_OBJECT} 0 R /MediaBox [0 0 ${width} ${height}] /Resources << /XObject << /I ${first} 0 R >>${font} >> /Contents ${first + 1} 0 R >>`;
    const contents =
      text === undefined
        ? stream('', Buffer.from(drawing(width, height), 'latin1'))
        : stream('/Filter /FlateDecode ', text);
    const pieces = [
      ...this.#object(first, stream(dictionary, image.bytes)),
      ...this.#object(first + 1, contents),
      ...this.#object(first + 2, [leaf]),
    ];
    return this.#joined(this.#pages === 1 ? [PDF_HEADER, ...pieces] : pieces);
  }

  /** The last bytes. `map`: the deflated ToUnicode map of a layered file. */
  end(map: Uint8Array | undefined): Buffer {
    const pieces: (string | Uint8Array)[] = [];
    if (map !== undefined) {
      const objects = [...FONT_OBJECTS.map((body) => [body]), stream('/Filter /FlateDecode ', map)];
      objects.forEach((body, index) => pieces.push(...this.#object(FONT_OBJECT + index, body)));
    }
    const kids = Array.from({ length: this.#pages }, (_, page) => `${this.#first + OBJECTS_PER_PAGE * page + 2} 0 R`);
    const tree = `<< /Type /Pages /Count ${this.#pages} /Kids [${kids.join(' ')}] >>`;
    pieces.push(...this.#object(PAGES_OBJECT, [tree]), ...this.#object(CATALOG_OBJECT, [CATALOG]));
    const size = this.#offsets.length;
    const entries = this.#offsets.slice(1).map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`);
    return this.#joined([
      ...pieces,
      `xref\n0 ${size}\n0000000000 65535 f \n${entries.join('')}`,
      `trailer\n<< /Size ${size} /Root ${CATALOG_OBJECT} 0 R >>\nstartxref\n${this.#at}\n%%EOF\n`,
    ]);
  }

  /** Notes where the object begins, and counts its bytes. */
  #object(number: number, body: readonly (string | Uint8Array)[]): readonly (string | Uint8Array)[] {
    if (this.#at === 0) this.#at = PDF_HEADER.length;
    const pieces = [`${number} 0 obj\n`, ...body, '\nendobj\n'];
    this.#offsets[number] = this.#at;
    for (const piece of pieces) this.#at += piece.length;
    return pieces;
  }

  #joined(pieces: readonly (string | Uint8Array)[]): Buffer {
    return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)));
  }
}

function stream(dictionary: string, data: Uint8Array): (string | Uint8Array)[] {
  return [`<< ${dictionary}/Length ${data.length} >>\nstream\n`, data, '\nendstream'];
}
