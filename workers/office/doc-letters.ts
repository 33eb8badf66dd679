// The text of a Word document of 97 to 2003 ([MS-DOC] 2.4.1): pieces of the file by the table in its Clx. Only to know which letters
// must stand on its pages, and what does not; the engine draws them.
import { oleStreams } from '../ole.ts';
import { hasChanges } from './doc-changes.ts';

/** Offsets in the file information block ([MS-DOC] 2.5). */
const FIB = { flags: 0x0a, counts: 0x4c, clx: 0x1a2, least: 0x1aa } as const;
const OTHER_TABLE = 0x0200;
const PIECES_MOST = 1_000_000;
/** Which of the eight texts stand on pages, in their order: body, footnotes, headers, macros, comments, endnotes, boxes, boxes of headers. */
const SHOWN = [true, true, false, false, false, true, true, false] as const;

const COMMENTS = 4;

/** The words of a document, and whether it has what an engine leaves off its pages. */
export interface DocText {
  readonly text: string;
  readonly comments: boolean;
  readonly changes: boolean;
}

/** Undefined where it is older, or not built as one. */
export function docText(bytes: Buffer): DocText | undefined {
  const streams = new Map(
    oleStreams(bytes, (path) => /^(?:WordDocument|[01]Table)$/i.test(path)).map(({ path, bytes: content }) => [
      path.toLowerCase(),
      content,
    ]),
  );
  const main = streams.get('worddocument');
  if (main === undefined || main.length < FIB.least || main.readUInt16LE(0) !== 0xa5ec) return undefined;
  const table = streams.get((main.readUInt16LE(FIB.flags) & OTHER_TABLE) === 0 ? '0table' : '1table');
  if (table === undefined) return undefined;
  const at = main.readUInt32LE(FIB.clx);
  const pieces = pieceTable(table.subarray(at, at + main.readUInt32LE(FIB.clx + 4)));
  if (pieces === undefined) return undefined;
  const whole = textOf(main, pieces);
  let from = 0;
  const shown = SHOWN.map((isShown, n) => {
    const length = main.readUInt32LE(FIB.counts + n * 4);
    const part = whole.slice(from, from + length);
    from += length;
    return isShown ? part : '';
  });
  const comments = main.readUInt32LE(FIB.counts + COMMENTS * 4) > 0;
  return { text: withoutFields(shown.join('\r')), comments, changes: hasChanges(main, table) };
}

/** The table of pieces behind any number of property lists. */
function pieceTable(clx: Buffer): Buffer | undefined {
  let at = 0;
  while (clx[at] === 1 && at + 3 <= clx.length) at += 3 + clx.readUInt16LE(at + 1);
  if (clx[at] !== 2 || at + 5 > clx.length) return undefined;
  return clx.subarray(at + 5, at + 5 + clx.readUInt32LE(at + 1));
}

function textOf(main: Buffer, table: Buffer): string {
  const count = Math.min(PIECES_MOST, Math.floor((table.length - 4) / 12));
  const latin = new TextDecoder('windows-1252');
  const texts: string[] = [];
  let left = main.length; // pieces that share bytes would make a small file long
  for (let n = 0; n < count && left > 0; n++) {
    const chars = table.readUInt32LE(n * 4 + 4) - table.readUInt32LE(n * 4);
    const place = table.readUInt32LE((count + 1) * 4 + n * 8 + 2);
    if (chars < 0) break;
    const narrow = (place & 0x40000000) !== 0;
    const from = narrow ? (place & 0x3fffffff) >>> 1 : place;
    const piece = main.subarray(from, from + (narrow ? chars : chars * 2));
    texts.push(narrow ? latin.decode(piece) : piece.toString('utf16le'));
    left -= piece.length;
  }
  return texts.join('');
}

/** What a field says, and not what it is made by ([MS-DOC] 2.8.25: 13 begins, 14 parts, 15 ends). */
function withoutFields(text: string): string {
  let shown = '';
  const open: boolean[] = [];
  let hidden = 0;
  for (const piece of text.split(/([\u0013-\u0015])/)) {
    if (piece === '\u0013') {
      open.push(true);
      hidden += 1;
    } else if (piece === '\u0014' && open.at(-1) === true) {
      open[open.length - 1] = false;
      hidden -= 1;
    } else if (piece === '\u0015') {
      if (open.pop() === true) hidden -= 1;
    } else if (hidden === 0) shown += piece;
  }
  return shown;
}
