// Fields that load or run something, by the first word of their instruction. Word may keep an instruction in any number of pieces, and
// a later word of an honest one, an address say, means nothing.
import { Namespaces } from './namespaces.ts';
import { readXml, type Attributes } from './xml-filter.ts';

const LIVE =
  /^\s*"?(?:DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|INCLUDE|IMPORT|LINK|DATABASE|MACROBUTTON|GOTOBUTTON|AUTOTEXT|PRINT)(?![\p{L}\p{N}_])/iu;

/** Whether a field of this instruction loads or runs something. */
export function isLive(instruction: string): boolean {
  // Signs that nobody sees, a zero-width space say, are no letters of a word.
  return LIVE.test(instruction.replace(/\p{Cf}/gu, ''));
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

/** The namespace of a text document in its two editions (ECMA-376, ISO 29500 strict), which programs take for one. */
const WORDS = new Set([
  'http://schemas.openxmlformats.org/wordprocessingml/2006/main',
  'http://purl.oclc.org/ooxml/wordprocessingml/main',
]);

/** Which names of a part are of its own namespace, that of its root: programs pass over others. */
class Names {
  readonly #namespaces = new Namespaces();
  readonly #own: boolean[] = [];
  #home = '';

  enter(name: string, attributes: Attributes, depth: number): void {
    this.#namespaces.enter(depth, attributes);
    const its = this.#namespaces.of(prefixOf(name));
    if (depth === 0) this.#home = its;
    this.#own[depth] = this.#isHome(its);
  }

  /** Of the innermost element at a depth. */
  isOwn(depth: number): boolean {
    return this.#own[depth] === true;
  }

  /** Whether an attribute of the element that was taken last is this one. One without a prefix is of no namespace. */
  isOf(key: string, local: string): boolean {
    const prefix = prefixOf(key);
    return prefix !== '' && key.slice(prefix.length + 1) === local && this.#isHome(this.#namespaces.of(prefix));
  }

  #isHome(namespace: string): boolean {
    return namespace === this.#home || WORDS.has(namespace);
  }
}

function prefixOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf(':')));
}

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
  const names = new Names();
  let count = 0;
  readXml(part, {
    element: (local, attributes, depth, name) => {
      if (!reads(local)) return false;
      names.enter(name, attributes, depth);
      if (local !== 'fldChar' || !names.isOwn(depth)) return true;
      const type = Object.entries(attributes).find(([key]) => names.isOf(key, 'fldCharType'))?.[1];
      const top = open.at(-1);
      if (type === 'begin') open.push({ pieces: [], instruction: '', isCode: true });
      else if (type === 'separate' && top !== undefined) top.isCode = false;
      else if (type === 'end' && open.length > 1) judge(open.pop());
      return true;
    },
    text: (text, local, depth) => {
      const top = open.at(-1);
      if (!isPiece(local) || top === undefined) return text;
      // Words where there is no instruction any more, or of another namespace, are none of the field: they are judged by themselves.
      if (!top.isCode || !names.isOwn(depth)) judge({ pieces: [count], instruction: text, isCode: true });
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
