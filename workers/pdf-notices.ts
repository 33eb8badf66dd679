// What a PDF carries that does not cross: noticed cheaply, told to the operator and the reader, never acted upon.
import { ANNOTATION, NORMAL_APPEARANCE, SEEN, type Document, type Pdfium } from './pdfium.ts';
import type { Out } from './run.ts';

const LINKS_TOLD = 10;
/** Annotations looked at on one page and in one document: the look costs microseconds each, a bomb has millions. */
const ANNOTATIONS_PER_PAGE = 200;
const ANNOTATIONS_IN_ALL = 5000;

const FORM_XFA_FULL = 2;
const FORM_XFA_FOREGROUND = 3;
// Names in the bytes as they are; those inside object streams are seen by PDFium's own calls where it has any.
const NEEDLES: readonly (readonly [needle: string, code: string])[] = [
  ['/JavaScript', 'javascript'],
  ['/Launch', 'launch-action'],
  ['/SubmitForm', 'submit-form'],
  ['/ImportData', 'import-data'],
  ['/EmbeddedFile', 'embedded-file'],
  ['/RichMedia', 'rich-media'],
];

/** Tells what a document carries besides pages: scripts, files, forms with programs. */
export function noticeDocument(engine: Pdfium, document: Document, bytes: Uint8Array, out: Out): void {
  const found = new Map<string, string>();
  const scripts = engine.call('FPDFDoc_GetJavaScriptActionCount', document.handle);
  if (scripts > 0) found.set('javascript', `${scripts} at document level`);
  const files = engine.call('FPDFDoc_GetAttachmentCount', document.handle);
  if (files > 0) found.set('embedded-file', `${files} attached`);
  const form = engine.call('FPDF_GetFormType', document.handle);
  if (form === FORM_XFA_FULL || form === FORM_XFA_FOREGROUND) {
    found.set('xfa', 'a form with its own program');
    out.loss('xfa', 'a dynamic form is shown by its static page only');
  }
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [needle, code] of NEEDLES) {
    if (!found.has(code) && source.includes(needle, 0, 'latin1')) found.set(code, `${needle} in the document`);
  }
  for (const [code, detail] of found) out.finding(code, detail);
}

// Annotation subtypes (fpdf_annot.h) that carry something else than ink.
const CARRIERS: ReadonlyMap<number, string> = new Map([
  [17, 'embedded-file'],
  [18, 'sound'],
  [19, 'movie'],
  [21, 'rich-media'],
  [25, 'rich-media'],
  [26, 'rich-media'],
]);
// Action types (fpdf_doc.h).
const ACTIONS: ReadonlyMap<number, string> = new Map([
  [2, 'external-link'],
  [3, 'external-link'],
  [4, 'launch-action'],
  [5, 'external-link'],
]);
const ACTION_URI = 3;
// Keystroke, format, validate, calculate (fpdf_annot.h).
const FIELD_EVENTS: readonly number[] = [12, 13, 14, 15];
const FIELD_SCRIPT = 'javascript in a form field';

/** Kinds whose look on paper nobody misses (their text is told as comments), or that are drawn in any case. */
const UNMISSED: ReadonlySet<number> = new Set([ANNOTATION.note, ANNOTATION.link, ANNOTATION.popup, ANNOTATION.widget]);

/** True for what a screen shows and paper does not: a stamp or a typed remark without the flag to print it. */
function isKeptOffPaper(engine: Pdfium, annotation: number, subtype: number): boolean {
  if (UNMISSED.has(subtype)) return false;
  const flags = engine.call('FPDFAnnot_GetFlags', annotation);
  if ((flags & (SEEN.hidden | SEEN.noView | SEEN.print)) !== 0) return false;
  return engine.call('EPDFAnnot_HasAppearanceStream', annotation, NORMAL_APPEARANCE) !== 0;
}

/** Looks at the annotations of drawn pages; tells each kind once, links by their address, up to the caps. */
export class PageNotices {
  readonly #out: Out;
  readonly #told = new Set<string>();
  #links = 0;
  #unprinted = 0;
  #seen = 0;

  constructor(out: Out) {
    this.#out = out;
  }

  look(engine: Pdfium, document: Document, page: number): void {
    const count = Math.min(engine.call('FPDFPage_GetAnnotCount', page), ANNOTATIONS_PER_PAGE);
    for (let i = 0; i < count && this.#seen < ANNOTATIONS_IN_ALL; i++) {
      this.#seen += 1;
      const annotation = engine.call('FPDFPage_GetAnnot', page, i);
      if (annotation === 0) continue;
      const subtype = engine.call('FPDFAnnot_GetSubtype', annotation);
      const carrier = CARRIERS.get(subtype);
      if (carrier !== undefined) this.#tell(carrier, 'an annotation');
      if (subtype === ANNOTATION.note && !this.#told.has('comments')) {
        this.#told.add('comments');
        this.#out.loss('comments', 'notes that open on a click are not shown');
      }
      if (isKeptOffPaper(engine, annotation, subtype)) this.#unprinted += 1;
      if (subtype === ANNOTATION.widget) this.#script(engine, document, annotation);
      else this.#link(engine, document, annotation);
      engine.call('FPDFPage_CloseAnnot', annotation);
    }
  }

  /** Tells what was counted. */
  end(): void {
    if (this.#unprinted > 0) this.#out.loss('not-printed', `${this.#unprinted} annotations that are not to be printed`);
  }

  /** Scripts of a form field (ISO 32000-1, table 196), often in object streams where no search of the bytes sees them. */
  #script(engine: Pdfium, document: Document, annotation: number): void {
    if (document.form === 0 || this.#told.has(FIELD_SCRIPT)) return;
    for (const event of FIELD_EVENTS) {
      const length = engine.call('FPDFAnnot_GetFormAdditionalActionJavaScript', document.form, annotation, event, 0, 0);
      // UTF-16 with its end mark: 2 is an empty string.
      if (length > 2) return this.#tell('javascript', 'in a form field');
    }
  }

  #link(engine: Pdfium, document: Document, annotation: number): void {
    const link = engine.call('FPDFAnnot_GetLink', annotation);
    const action = link === 0 ? 0 : engine.call('FPDFLink_GetAction', link);
    if (action === 0) return;
    const type = engine.call('FPDFAction_GetType', action);
    const code = ACTIONS.get(type);
    if (code === undefined) return;
    if (code !== 'external-link') return this.#tell(code, 'a link');
    if (this.#links >= LINKS_TOLD) return;
    this.#tell(code, type === ACTION_URI ? document.uriOf(action) : 'another file');
  }

  #tell(code: string, detail: string): void {
    const key = `${code} ${detail}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (code === 'external-link') this.#links += 1;
    this.#out.finding(code, detail);
  }
}
