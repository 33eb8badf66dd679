// Lines as an OCR engine tells them become runs of the text layer. Its boxes of single Japanese characters are rough, so a
// run is a piece of a line: words without a wide gap between them, spread evenly from the first to the last.
import { READABLE_TEXT, type Run } from '../src/sandbox/wire.ts';

/** Pixels from the upper left corner. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A word of a line; `confidence` in percent. */
export interface Word {
  readonly bbox: Box;
  readonly text: string;
  readonly confidence: number;
}

/** A line of text, its words from the first to the last. */
export interface Line {
  readonly bbox: Box;
  readonly text: string;
  readonly words: readonly Word[];
}

/** Less sure words are mostly specks and pictures read as letters. */
const LEAST_CONFIDENCE = 30;
/** A gap of so many line heights ends a run: the next column of a table. */
const WIDE_GAP = 1.2;
/** A Japanese letter stands on a line an eighth of its height above the foot of its box. */
const DESCENT = 0.12;
/** Lower (pixels) are rulers and dust. */
const LOWEST = 6;

/** Runs of one line, in pixels from the lower left corner of a page of this height. */
export function lineRuns(line: Line, pageHeight: number): Run[] {
  const downwards = isDownwards(line);
  const size = downwards ? line.bbox.x1 - line.bbox.x0 : line.bbox.y1 - line.bbox.y0;
  if (size < LOWEST) return [];
  return pieces(line, size, downwards).flatMap(({ text, from, to }) => {
    if (to <= from || text === '' || !READABLE_TEXT.test(text)) return [];
    const run = downwards
      ? { x: (line.bbox.x0 + line.bbox.x1) / 2, y: pageHeight - from, dx: 0, dy: from - to }
      : { x: from, y: pageHeight - line.bbox.y1 + DESCENT * size, dx: to - from, dy: 0 };
    return [{ text, ...run, size }];
  });
}

interface Piece {
  text: string;
  readonly from: number;
  to: number;
}

function pieces(line: Line, size: number, downwards: boolean): Piece[] {
  const found: Piece[] = [];
  let open: Piece | undefined;
  let rest = line.text;
  for (const { bbox, text, confidence } of line.words) {
    const at = rest.indexOf(text);
    const blank = at > 0 && rest.slice(0, at).trim() === '';
    if (at >= 0) rest = rest.slice(at + text.length);
    const [from, to] = downwards ? [bbox.y0, bbox.y1] : [bbox.x0, bbox.x1];
    if (confidence < LEAST_CONFIDENCE) {
      open = undefined;
      continue;
    }
    if (open === undefined || from - open.to > WIDE_GAP * size) {
      open = { text, from, to };
      found.push(open);
      continue;
    }
    open.text += `${blank ? ' ' : ''}${text}`;
    open.to = Math.max(open.to, to);
  }
  return found;
}

/** True where the letters stand one below the other. */
function isDownwards({ words, bbox }: Line): boolean {
  if (bbox.y1 - bbox.y0 <= bbox.x1 - bbox.x0) return false;
  const [first, last] = [words[0], words.at(-1)];
  if (first === undefined || last === undefined) return false;
  return words.length === 1 ? first.text.length > 1 : last.bbox.y0 >= first.bbox.y1;
}
