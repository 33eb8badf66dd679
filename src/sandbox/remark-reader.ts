// Findings and losses as any child may send them: known shape, cleaned, counted.
import type { Remark } from '../message/part.ts';
import { forLine } from '../message/untrusted.ts';
import { FRAME, FieldReader, WireError, type Frame } from './wire.ts';

/** Remarks of one input: more say nothing, and each is kept in a manifest. */
const REMARKS_MAX = 5000;

// The pattern of RemarkSchema.
const CODE = /^[a-z][a-z0-9-]{0,39}$/;

export interface RemarkHandlers {
  onFinding(remark: Remark): void;
  onLoss(remark: Remark): void;
}

export class RemarkReader {
  readonly #handlers: RemarkHandlers;
  #count = 0;

  constructor(handlers: RemarkHandlers) {
    this.#handlers = handlers;
  }

  /** Takes a `finding` or `loss` frame. */
  take(frame: Frame): void {
    this.#count += 1;
    if (this.#count > REMARKS_MAX) throw new WireError('too many remarks');
    const fields = new FieldReader(frame.payload);
    const code = fields.text(40);
    const detail = fields.text(4000);
    fields.end();
    if (!CODE.test(code)) throw new WireError('code of a remark');
    const remark = { code, detail: forLine(detail, 400) };
    if (frame.type === FRAME.finding) this.#handlers.onFinding(remark);
    else this.#handlers.onLoss(remark);
  }
}
