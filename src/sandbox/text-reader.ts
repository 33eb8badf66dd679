// Host side of the text family: a type (detect) or cleaned text (convert), findings and losses, within the limits.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { countInvisible, forText } from '../message/untrusted.ts';
import type { FrameSink } from './child.ts';
import { RemarkReader } from './remark-reader.ts';
import { FRAME, FieldReader, OPERATION, WireError, strictText, type Frame } from './wire.ts';

/** Told what a text child found. `onDetected` is called once for `detect`, the others for `convert`. */
export interface TextHandlers {
  /** `type` in lower case, `extension` letters and digits or ''. */
  onDetected(type: string, extension: string): void;
  /** A piece of the text, cleaned (contract C1). */
  onText(piece: string): void;
  onFinding(remark: Remark): void;
  onLoss(remark: Remark): void;
}

const TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

export class TextReader {
  readonly #handlers: TextHandlers;
  readonly #remarks: RemarkReader;
  readonly #operation: number;
  #detected = false;
  #text = 0;
  #invisible = 0;

  /** `operation` is what the child was asked for. */
  constructor(operation: number, handlers: TextHandlers) {
    this.#operation = operation;
    this.#handlers = handlers;
    this.#remarks = new RemarkReader(handlers);
  }

  /** Takes the next frame; a `WireError` means that the child lies or is broken. */
  readonly take: FrameSink = (frame) => {
    if (frame.type === FRAME.finding || frame.type === FRAME.loss) return this.#remarks.take(frame);
    if (frame.type === FRAME.detected && this.#operation === OPERATION.detect) return this.#takeDetected(frame);
    if (frame.type === FRAME.text && this.#operation === OPERATION.convert) return this.#takeText(frame);
    throw new WireError(`frame ${frame.type} in a text`);
  };

  /** To be called when the child says that it is done. */
  finish(): void {
    if (this.#operation === OPERATION.detect && !this.#detected) throw new WireError('no type told');
    if (this.#invisible > 0)
      this.#handlers.onFinding({ code: 'invisible-characters', detail: String(this.#invisible) });
  }

  #takeDetected(frame: Frame): void {
    if (this.#detected) throw new WireError('two types told');
    this.#detected = true;
    const fields = new FieldReader(frame.payload);
    const type = fields.text(200).toLowerCase();
    const extension = fields.text(20);
    fields.end();
    if (!TYPE.test(type)) throw new WireError('type that is none');
    if (!/^[a-z0-9.]*$/.test(extension)) throw new WireError('extension that is none');
    this.#handlers.onDetected(type, extension);
  }

  #takeText(frame: Frame): void {
    if (frame.payload.length === 0) throw new WireError('no text in a frame of it');
    const piece = strictText(frame.payload);
    this.#text += piece.length;
    if (this.#text > LIMITS.textChars) throw new WireError('more text than allowed');
    this.#invisible += countInvisible(piece);
    this.#handlers.onText(forText(piece));
  }
}
