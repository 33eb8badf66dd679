// Fields that load or run something, by the first word of their instruction. Word may keep an instruction in any number of pieces, and
// a later word of an honest one, an address say, means nothing.
import { readXml } from './xml-filter.ts';

const LIVE =
  /^\s*"?(?:DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|LINK|DATABASE|MACROBUTTON|GOTOBUTTON|AUTOTEXT|PRINT)(?![\p{L}\p{N}_])/iu;

/** Whether a field of this instruction loads or runs something. */
export function isLive(instruction: string): boolean {
  return LIVE.test(instruction);
}

/** Pieces of an instruction, of which a piece is told by its number in the part, from 0. */
interface Field {
  readonly pieces: number[];
  instruction: string;
  isCode: boolean;
}

const PIECE = /^(?:instrText|delInstrText)$/;

/** Whether an element holds a piece of an instruction. */
export function isPiece(local: string): boolean {
  return PIECE.test(local);
}

export interface LiveFields {
  /** Numbers of the pieces of text that go. */
  readonly pieces: ReadonlySet<number>;
  readonly instructions: readonly string[];
}

const NONE: LiveFields = { pieces: new Set(), instructions: [] };

/** The live fields of a part of OOXML. `reads`: whether an element, and so all in it, is read when the part is written anew. */
export function liveFields(part: Uint8Array, reads: (local: string) => boolean): LiveFields {
  const isUtf16 = (part[0] ?? 0) >= 0xfe;
  if (!isUtf16 && !Buffer.from(part.buffer, part.byteOffset, part.byteLength).includes('nstrText')) return NONE;
  const pieces = new Set<number>();
  const instructions: string[] = [];
  const open: Field[] = [{ pieces: [], instruction: '', isCode: true }];
  const judge = (field: Field | undefined): void => {
    if (field === undefined || !isLive(field.instruction)) return;
    for (const piece of field.pieces) pieces.add(piece);
    instructions.push(field.instruction);
  };
  let count = 0;
  readXml(part, {
    element: (local, attributes) => {
      if (!reads(local)) return false;
      if (local !== 'fldChar') return true;
      const type = Object.entries(attributes).find(([key]) => key.endsWith('fldCharType'))?.[1];
      const top = open.at(-1);
      if (type === 'begin') open.push({ pieces: [], instruction: '', isCode: true });
      else if (type === 'separate' && top !== undefined) top.isCode = false;
      else if (type === 'end' && open.length > 1) judge(open.pop());
      return true;
    },
    text: (text, local) => {
      const top = open.at(-1);
      if (!isPiece(local) || top === undefined) return text;
      // Words of an instruction where there is none any more are none of the field before: they are judged by themselves.
      if (!top.isCode) judge({ pieces: [count], instruction: text, isCode: true });
      else {
        top.pieces.push(count);
        top.instruction += text;
      }
      count += 1;
      return text;
    },
  });
  for (const field of open) judge(field);
  return { pieces, instructions };
}
