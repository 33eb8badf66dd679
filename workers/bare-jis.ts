// ISO-2022-JP that lost its ESC bytes on the way (old gateways and web forms drop control characters): `$B…(B` runs in ASCII.
import { textOfJis } from './jis.ts';

/**
 * The text of ASCII bytes with such runs, or undefined when there are none. A run counts where all of it is letters up to its end.
 * `isSaid`: the label names ISO-2022-JP; otherwise kana must be among them, since `$B` and `(B` stand in other texts, too. Linear.
 */
export function textOfBareJis(ascii: string, isSaid: boolean): string | undefined {
  const pieces: string[] = [];
  const start = /\$[@B]/g;
  let last = 0;
  let hasKana = false;
  for (let found = start.exec(ascii); found !== null; found = start.exec(ascii)) {
    const { end, isEnded } = endOfRun(ascii, start.lastIndex);
    start.lastIndex = end; // what begins within a run that does not end is looked at no more
    if (!isEnded || end === found.index + 2) continue;
    const run = textOfJis(Buffer.from(`\u001b${ascii.slice(found.index, end)}\u001b(B`, 'latin1'));
    if (/[\ufffd\ue000-\uf8ff]/.test(run)) continue;
    hasKana ||= /[\u3041-\u3096\u30a1-\u30fa]/.test(run);
    pieces.push(ascii.slice(last, found.index), run);
    last = end + 2;
  }
  if (pieces.length === 0 || !(isSaid || hasKana)) return undefined;
  return pieces.join('') + ascii.slice(last);
}

/** The place of the `(B` or `(J` that ends a run of pairs, or of the first that is no pair. */
function endOfRun(text: string, from: number): { readonly end: number; readonly isEnded: boolean } {
  let at = from;
  while (isGraphic(text.charCodeAt(at)) && isGraphic(text.charCodeAt(at + 1))) {
    if (text[at] === '(' && (text[at + 1] === 'B' || text[at + 1] === 'J')) return { end: at, isEnded: true };
    at += 2;
  }
  return { end: at, isEnded: false };
}

function isGraphic(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
