// Host side of the codes of a page: findings of two kinds, cleaned and counted, and nothing else.
import type { Remark } from '../message/part.ts';
import { RemarkReader } from './remark-reader.ts';
import { FRAME, WireError, type Frame } from './wire.ts';

/** Codes of one page; an honest child sends 20 at most. */
const MOST = 50;
const CODES: ReadonlySet<string> = new Set(['qr-code', 'link-userinfo']);

/** Takes the frames of one page (`take` is a `FrameSink`); a `WireError` for what an honest child does not send. */
export class CodeReader {
  readonly #found: Remark[] = [];
  readonly #remarks = new RemarkReader({
    onFinding: (remark) => {
      if (!CODES.has(remark.code)) throw new WireError(`finding ${remark.code} among codes`);
      if (this.#found.length >= MOST) throw new WireError('too many codes');
      this.#found.push(remark);
    },
    onLoss: () => {
      throw new WireError('a loss among codes');
    },
  });

  readonly take = (frame: Frame): void => {
    if (frame.type !== FRAME.finding && frame.type !== FRAME.loss)
      throw new WireError(`frame ${frame.type} among codes`);
    this.#remarks.take(frame);
  };

  /** What was found. */
  get found(): readonly Remark[] {
    return this.#found;
  }
}
