// PDFium (WebAssembly) through its raw C exports: one instance per document, memory capped, fonts answered from memory.
// The engine has no file system, no socket and no JavaScript; everything it sees is what is copied into its memory.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Callbacks } from './callbacks.ts';
import { FACES, fontFile, fontName, fontTable, standIn, type Face } from './fonts.ts';
import { drawnBytes, strideOf, type Drawn } from './pack.ts';
import { Instance, type Exports, type Module } from './pdfium-instance.ts';

const require = createRequire(import.meta.url);

// Neither @types/node nor the es2024 lib declares WebAssembly: as much of it as is used here.
declare const WebAssembly: {
  readonly RuntimeError: new (message: string) => Error;
  readonly compile: (bytes: Uint8Array) => Promise<Module>;
};

/** A font the document names and does not bring; `face` is ours, undefined when one of PDFium's own stood in. */
export interface MissedFont {
  readonly name: string;
  readonly face: Face | undefined;
}

// fpdfview.h
const CONFIG_SIZE = 32;
const CONFIG_VERSION = 2;
const BITMAP_GREY = 1;
const BITMAP_BGRX = 3;
const RENDER_ANNOTATIONS = 0x01;
/** Annotations of a page that are made part of it. */
const MOST_ANNOTATIONS = 2000;
/** Subtypes of annotations (fpdf_annot.h). */
export const ANNOTATION = { note: 1, link: 2, popup: 16, widget: 20 } as const;
/** Flags of annotations that say where they are seen (ISO 32000-1, table 165). */
export const SEEN = { hidden: 2, print: 4, noView: 32 } as const;
/** How an annotation looks while nobody points at it (fpdf_annot.h). */
export const NORMAL_APPEARANCE = 0;
const FLATTEN_FOR_PRINT = 1;
const FLATTENED = 1;
const RENDER_REVERSE_BYTES = 0x10; // R, G, B, X in memory
const RENDER_PRINTING = 0x800; // what paper would show: no notes, no buttons that are not printed
const FORM_INFO_SIZE = 512;
const FORM_INFO_VERSION = 2;
const FONT_INFO_SIZE = 36;
const FONTS_KEPT = 64;
const SHIFT_JIS = 128;
/** The font that PDFium asks for when a font that is not embedded lacks a letter: Hanja of a Korean one, Greek of Arial. */
const LETTERS_OF = 'Helvetica';

/** Release, EnumFonts, MapFont, GetFont, GetFontData, GetFaceName, GetFontCharset, DeleteFont, as C declares them. */
const FONT_CALLBACKS = new Callbacks([
  { parameters: 1, result: false },
  { parameters: 2, result: false },
  // this, weight, italic, charset, pitch_family, face, exact → handle
  { parameters: 7, result: true },
  { parameters: 2, result: true },
  // this, handle, table, buffer, size → bytes of the table
  { parameters: 5, result: true },
  { parameters: 4, result: true },
  { parameters: 2, result: true },
  { parameters: 2, result: false },
]);
const URI_BYTES = 1024;

export const LOAD_ERROR = { format: 3, password: 4, security: 5 } as const;

/** One PDFium instance: a single document, then it is let go. */
export class Pdfium {
  readonly #instance: Instance;
  readonly #exports: Exports;
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Fonts the document missed, by name. */
  readonly missedFonts = new Map<string, MissedFont>();
  /** A font that is asked for now is wanted for letters that another lacks: those of a page are named when it is opened. */
  seeksLetters = false;

  /** Starts an instance of the compiled module. */
  constructor(module: Module) {
    this.#instance = new Instance(module);
    this.#exports = this.#instance.exports;
    this.memory = this.#instance.memory;
    const config = this.zeroed(CONFIG_SIZE);
    this.view.setInt32(config, CONFIG_VERSION, true);
    this.call('FPDF_InitLibraryWithConfig', config);
    this.#offerFonts();
  }

  /** Growths of memory that were refused so far. PDFium drops an image it has no room for and still reports success. */
  get refused(): number {
    return this.#instance.refused;
  }

  /** An exported C function. */
  exported(name: string): (...args: number[]) => number {
    const exported = this.#exports[name];
    if (exported === undefined) throw new Error(`PDFium has no ${name}`);
    return exported;
  }

  /** Calls an exported C function by name. */
  call(name: string, ...args: number[]): number {
    return this.exported(name)(...args);
  }

  // Views go stale when the memory grows: ask anew after each call.
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }
  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** Memory inside the engine; 0 when there is none. */
  malloc(size: number): number {
    return this.call('malloc', size) >>> 0;
  }
  free(pointer: number): void {
    this.call('free', pointer);
  }
  /** As `malloc`, but throws `OutOfMemory`. */
  allocate(size: number): number {
    const pointer = this.malloc(Math.max(1, size));
    if (pointer === 0) throw new OutOfMemory();
    return pointer;
  }
  zeroed(size: number): number {
    const pointer = this.allocate(size);
    this.bytes.fill(0, pointer, pointer + size);
    return pointer;
  }
  copyIn(bytes: Uint8Array): number {
    const pointer = this.allocate(bytes.length);
    this.bytes.set(bytes, pointer);
    return pointer;
  }

  /** Opens the document or gives PDFium's error number (`LOAD_ERROR`). */
  open(document: Uint8Array, password: string): Document | number {
    const source = this.copyIn(document);
    const secret = password === '' ? 0 : this.copyIn(Buffer.from(`${password}\0`, 'utf8'));
    const handle = this.call('FPDF_LoadMemDocument', source, document.length, secret);
    if (secret !== 0) this.free(secret);
    return handle === 0 ? this.call('FPDF_GetLastError') : new Document(this, handle);
  }

  /** A C string in the engine's memory, at most 256 bytes. */
  #text(pointer: number): Uint8Array {
    const bytes = this.bytes;
    let end = pointer;
    while (end < bytes.length && end - pointer < 256 && bytes[end] !== 0) end += 1;
    return bytes.slice(pointer, end);
  }

  // FPDF_SYSFONTINFO (fpdf_sysfontinfo.h) with callbacks: without it text in fonts that are not embedded is not drawn at all.
  #offerFonts(): void {
    const info = this.zeroed(FONT_INFO_SIZE);
    this.view.setInt32(info, 1, true);
    const nothing = (): void => undefined;
    const mapFont = (...[, , , charset = 0, pitch = 0, face = 0]: number[]): number => {
      const name = fontName(this.#text(face));
      if (this.seeksLetters && name === LETTERS_OF) return FACES.indexOf('han') + 1;
      const ours = standIn(name, charset, pitch);
      if (this.missedFonts.size < FONTS_KEPT) this.missedFonts.set(name, { name, face: ours });
      return ours === undefined ? 0 : FACES.indexOf(ours) + 1;
    };
    const fontData = (...[, handle = 0, table = 0, buffer = 0, size = 0]: number[]): number => {
      const face = FACES[handle - 1];
      const part = face === undefined ? undefined : fontTable(fontFile(face), table);
      if (part === undefined) return 0;
      if (buffer !== 0 && size >>> 0 >= part.length) this.bytes.set(part, buffer >>> 0);
      return part.length;
    };
    const first = FONT_CALLBACKS.place(this.#instance.table, [
      nothing, // Release
      nothing, // EnumFonts
      mapFont,
      () => 0, // GetFont: only MapFont names our handles
      fontData,
      () => 0, // GetFaceName
      () => SHIFT_JIS, // GetFontCharset
      nothing, // DeleteFont
    ]);
    for (let index = 0; index < 8; index++) this.view.setUint32(info + 4 + index * 4, first + index, true);
    this.call('FPDF_SetSystemFontInfo', info);
  }
}

/** The engine's memory is at its cap. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
  constructor() {
    super('PDFium memory at its cap');
  }
}

/** True for a trap or an abort inside the engine: its state is unknown from then on. */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}

/** A size in points. */
export interface PointSize {
  readonly widthPt: number;
  readonly heightPt: number;
}

/** An open document with its form, so that values of fields are drawn. */
export class Document {
  readonly #engine: Pdfium;
  readonly handle: number;
  readonly form: number;
  #bitmap = 0;
  #bitmapSize = 0;

  constructor(engine: Pdfium, handle: number) {
    this.#engine = engine;
    this.handle = handle;
    // No callback is set and no FORM_Do…Action called: scripts have nobody to run them.
    const info = engine.zeroed(FORM_INFO_SIZE);
    engine.view.setInt32(info, FORM_INFO_VERSION, true);
    this.form = engine.call('FPDFDOC_InitFormFillEnvironment', handle, info);
  }

  get pageCount(): number {
    return Math.max(0, this.#engine.call('FPDF_GetPageCount', this.handle));
  }

  /** Size of a page that could not be loaded, as far as its dictionary tells. */
  sizeOf(index: number): PointSize {
    const size = this.#engine.zeroed(8);
    try {
      const known = this.#engine.call('FPDF_GetPageSizeByIndexF', this.handle, index, size) !== 0;
      const view = this.#engine.view;
      return known
        ? { widthPt: view.getFloat32(size, true), heightPt: view.getFloat32(size + 4, true) }
        : { widthPt: 0, heightPt: 0 };
    } finally {
      this.#engine.free(size);
    }
  }

  /** Loads a page; 0 when PDFium cannot. Close it with `closePage`. */
  openPage(index: number): number {
    this.#engine.seeksLetters = false;
    const page = this.#engine.call('FPDF_LoadPage', this.handle, index);
    if (page !== 0 && this.form !== 0) this.#engine.call('FORM_OnAfterLoadPage', page, this.form);
    return page;
  }

  pageSize(page: number): PointSize {
    return {
      widthPt: this.#engine.call('FPDF_GetPageWidthF', page),
      heightPt: this.#engine.call('FPDF_GetPageHeightF', page),
    };
  }

  /**
   * Draws a page on white as paper would show it; its pixels lie in the engine's memory until the next page is drawn. Throws
   * `OutOfMemory` when anything of the page was refused memory.
   */
  draw(page: number, width: number, height: number, grey = false): Drawn {
    const engine = this.#engine;
    const refused = engine.refused;
    const size = drawnBytes(width, height, grey);
    if (this.#bitmapSize < size) {
      if (this.#bitmap !== 0) engine.free(this.#bitmap);
      this.#bitmapSize = 0;
      this.#bitmap = engine.allocate(size);
      this.#bitmapSize = size;
    }
    engine.bytes.fill(255, this.#bitmap, this.#bitmap + size);
    const format = grey ? BITMAP_GREY : BITMAP_BGRX;
    const bitmap = engine.call('FPDFBitmap_CreateEx', width, height, format, this.#bitmap, strideOf(width, grey));
    if (bitmap === 0) throw new OutOfMemory();
    // Annotations name fonts only while they are drawn.
    engine.seeksLetters = engine.call('FPDFPage_GetAnnotCount', page) === 0;
    const flags = RENDER_ANNOTATIONS | RENDER_PRINTING | (grey ? 0 : RENDER_REVERSE_BYTES);
    engine.call('FPDF_RenderPageBitmap', bitmap, page, 0, 0, width, height, 0, flags);
    if (this.form !== 0) engine.call('FPDF_FFLDraw', this.form, bitmap, page, 0, 0, width, height, 0, flags);
    engine.call('FPDFBitmap_Destroy', bitmap);
    if (engine.refused !== refused) throw new OutOfMemory();
    return { pointer: this.#bitmap, width, height, grey };
  }

  /** The address of a URI action, at most `URI_BYTES` bytes of it. */
  uriOf(action: number): string {
    const engine = this.#engine;
    const buffer = engine.zeroed(URI_BYTES);
    try {
      const length = engine.call('FPDFAction_GetURIPath', this.handle, action, buffer, URI_BYTES);
      // A longer one is not copied at all (fpdf_doc.h).
      if (length < 1 || length > URI_BYTES) return 'a very long address';
      return Buffer.from(engine.bytes.subarray(buffer, buffer + length - 1)).toString('utf8');
    } finally {
      engine.free(buffer);
    }
  }

  /**
   * The page with what its annotations and form fields show on paper as part of its content, so that its text has theirs; 0 when it
   * cannot be loaded again. `isAnew`: the handle that was given is of no more use (the new one may have its number). Draw it before:
   * what is drawn then is not drawn twice.
   */
  flattened(page: number, index: number): { readonly handle: number; readonly isAnew: boolean } {
    const count = this.#engine.call('FPDFPage_GetAnnotCount', page);
    if (count === 0 || count > MOST_ANNOTATIONS) return { handle: page, isAnew: false };
    let shows = false;
    for (let i = 0; i < count; i++) shows = this.#letPrint(page, i) || shows;
    if (!shows) return { handle: page, isAnew: false };
    if (this.#engine.call('FPDFPage_Flatten', page, FLATTEN_FOR_PRINT) !== FLATTENED)
      return { handle: page, isAnew: false };
    this.closePage(page);
    return { handle: this.openPage(index), isAnew: true };
  }

  /**
   * Fields are drawn whether they are to be printed or not; only those that are become part of the page. False for an annotation
   * that has no text to show: a link without a picture of its own.
   */
  #letPrint(page: number, index: number): boolean {
    const engine = this.#engine;
    const annotation = engine.call('FPDFPage_GetAnnot', page, index);
    if (annotation === 0) return true;
    const subtype = engine.call('FPDFAnnot_GetSubtype', annotation);
    if (subtype === ANNOTATION.widget) {
      const flags = engine.call('FPDFAnnot_GetFlags', annotation);
      if ((flags & (SEEN.hidden | SEEN.noView | SEEN.print)) === 0)
        engine.call('FPDFAnnot_SetFlags', annotation, flags | SEEN.print);
    }
    const shows =
      subtype !== ANNOTATION.link || engine.call('EPDFAnnot_HasAppearanceStream', annotation, NORMAL_APPEARANCE) !== 0;
    engine.call('FPDFPage_CloseAnnot', annotation);
    return shows;
  }

  closePage(page: number): void {
    if (this.form !== 0) this.#engine.call('FORM_OnBeforeClosePage', page, this.form);
    this.#engine.call('FPDF_ClosePage', page);
  }
}

/** Compiles the engine; once per process, the fast tier of its code is then kept for all documents. */
export async function compilePdfium(): Promise<Module> {
  return WebAssembly.compile(readFileSync(require.resolve('@embedpdf/pdfium/pdfium.wasm')));
}

/** Name and version of the engine, for the record. */
export function pdfiumVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../node_modules/@embedpdf/pdfium/package.json', import.meta.url), 'utf8'),
  );
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return `pdfium ${typeof version === 'string' ? version : ''}`.trim();
}
