// Host side of the families that open a file and give what is in it: archives (their entries) and office engines (a PDF).
//
//   opened = { finding | loss | text | cells } { entry }
//            text: the letters of a document, each once; cells: the texts of its cells; both before its first entry
//   entry  = part(leaf, path [n], n = 1, 2, …) { finding | loss | bytes } partEnd
//
// An entry that the child could not open says why in the place of its disposition.
import { LIMITS } from '../message/limits.ts';
import { REASONS, type Reason, type Remark } from '../message/part.ts';
import { forLine } from '../message/untrusted.ts';
import type { FrameSink } from './child.ts';
import { RemarkReader } from './remark-reader.ts';
import { FRAME, FieldReader, PART_KIND, WireError, strictText, type Frame } from './wire.ts';

/** Something in an opened file. `name` is its path there, one line; `trouble`: why it has no bytes. */
export interface OpenedEntry {
  readonly name: string;
  /** Its type where the child made it itself; '' otherwise. */
  readonly type: string;
  readonly trouble: Reason | undefined;
}

/** Told what is in the file, in order. Remarks between an entry's start and end are the entry's. */
export interface EntryHandlers {
  onEntry(entry: OpenedEntry): void | Promise<void>;
  /** The chunk is valid until the returned promise settles. */
  onBytes(chunk: Buffer): void | Promise<void>;
  onEntryEnd(): void | Promise<void>;
  /** Letters that a document has. */
  onLetters?(letters: string): void;
  /** Texts of cells, in pieces, each text ended by a line feed. */
  onCells?(texts: string): void;
  onFinding(remark: Remark): void;
  onLoss(remark: Remark): void;
}

/** Every code point once, four bytes each. */
const LETTERS_BYTES = 4 * 0x110000;

/** All texts of cells: at most three bytes a UTF-16 unit. */
const CELLS_BYTES = 3 * LIMITS.textChars;

export class EntriesReader {
  readonly #handlers: EntryHandlers;
  readonly #remarks: RemarkReader;
  #entries = 0;
  #open = false;
  #trouble = false;
  #bytes = 0;
  #letters = 0;
  #cells = 0;

  constructor(handlers: EntryHandlers) {
    this.#handlers = handlers;
    this.#remarks = new RemarkReader(handlers);
  }

  /** Takes the next frame; a `WireError` means that the child lies or is broken. */
  readonly take: FrameSink = (frame) => {
    switch (frame.type) {
      case FRAME.part:
        return this.#entry(frame);
      case FRAME.bytes:
        if (!this.#open || this.#trouble) throw new WireError('bytes outside an entry');
        if (frame.payload.length === 0) throw new WireError('no bytes in a frame of them');
        this.#bytes += frame.payload.length;
        if (this.#bytes > LIMITS.expandedBytes) throw new WireError('more bytes than allowed');
        return this.#handlers.onBytes(frame.payload);
      case FRAME.partEnd:
        new FieldReader(frame.payload).end();
        if (!this.#open) throw new WireError('end of no entry');
        this.#open = false;
        return this.#handlers.onEntryEnd();
      case FRAME.text:
        if (this.#entries > 0 || this.#handlers.onLetters === undefined) throw new WireError('text where none is');
        this.#letters += frame.payload.length;
        if (this.#letters > LETTERS_BYTES) throw new WireError('more letters than there are');
        return this.#handlers.onLetters(strictText(frame.payload));
      case FRAME.cells:
        if (this.#entries > 0 || this.#handlers.onCells === undefined) throw new WireError('cells where none are');
        this.#cells += frame.payload.length;
        if (this.#cells > CELLS_BYTES) throw new WireError('more cells than allowed');
        return this.#handlers.onCells(strictText(frame.payload));
      case FRAME.finding:
      case FRAME.loss:
        return this.#remarks.take(frame);
      default:
        throw new WireError(`frame ${frame.type} in an opened file`);
    }
  };

  /** To be called when the child says that it is done: an entry that was not ended is a `WireError`. */
  finish(): void {
    if (this.#open) throw new WireError('cut inside an entry');
  }

  #entry(frame: Frame): void | Promise<void> {
    if (this.#open) throw new WireError('entry inside an entry');
    // One more than allowed may be named: whoever counts says that there are too many.
    if (this.#entries > LIMITS.archiveEntries) throw new WireError('too many entries');
    const fields = new FieldReader(frame.payload);
    const depth = fields.u32(1);
    const index = depth === 1 ? fields.u32() : 0;
    const kind = fields.u32();
    const type = fields.text(1000).toLowerCase();
    const name = fields.text(8000);
    const said = fields.text(200);
    fields.text(2000);
    fields.end();
    this.#entries += 1;
    if (kind !== PART_KIND.leaf || index !== this.#entries) throw new WireError('entry out of order');
    const trouble = REASONS.find((reason) => reason === said);
    if (said !== '' && trouble === undefined) throw new WireError('an unknown reason');
    if (!/^([a-z0-9]+\/[a-z0-9.+-]+)?$/.test(type)) throw new WireError('type that is none');
    this.#open = true;
    this.#trouble = trouble !== undefined;
    return this.#handlers.onEntry({ name: forLine(name, 300), type, trouble });
  }
}
