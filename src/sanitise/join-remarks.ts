// Remarks of children that drew pages of one document, each its own: told as if one had drawn them all.
import type { Remark } from '../message/part.ts';

/** Begin with a number of things on the pages that a child drew. */
const COUNTED: ReadonlySet<string> = new Set(['not-printed', 'text-cut']);
/** Its detail is letters, each once. */
const LETTERS = 'glyph-missing';
/** As many as one child tells. */
const LETTERS_TOLD = 60;

/** All remarks in their order; counts are added up, and letters joined, where the first of them stands. */
export function joinRemarks(told: readonly (readonly Remark[])[]): Remark[] {
  const joined: Remark[] = [];
  for (const remark of told.flat()) {
    const at = joined.findIndex(({ code }) => code === remark.code);
    const first = joined[at];
    const both = first === undefined ? undefined : joinTwo(first, remark);
    if (both === undefined) joined.push(remark);
    else joined[at] = both;
  }
  return joined;
}

/** Undefined where the two say different things, or the same of the whole document. */
function joinTwo({ code, detail }: Remark, more: Remark): Remark | undefined {
  if (code === LETTERS) {
    const letters = [...new Set(detail + more.detail)];
    return { code, detail: letters.slice(0, LETTERS_TOLD).join('') };
  }
  if (!COUNTED.has(code)) return undefined;
  const [first, second] = [countOf(detail), countOf(more.detail)];
  if (first === undefined || second === undefined || first.what !== second.what) return undefined;
  return { code, detail: `${first.count + second.count} ${first.what}` };
}

/** `3 annotations`: the number and what it counts. */
function countOf(detail: string): { readonly count: number; readonly what: string } | undefined {
  const found = /^(\d{1,9}) (.+)$/.exec(detail);
  return found === null ? undefined : { count: Number(found[1]), what: found[2] as string };
}
