// Text as ISO-2022-JP (RFC 1468), for mail programs of the days before UTF-8: ASCII and JIS X 0208, nothing else.

/** Letters of Unicode that stand for the same sign of JIS X 0208 as the one TextDecoder gives. */
const TWINS: Readonly<Record<string, string>> = {
  '〜': '～',
  '−': '－',
  '‖': '∥',
  '—': '―',
  '¢': '￠',
  '£': '￡',
  '¬': '￢',
};

let table: Map<string, number> | undefined;

/** JIS codes by letter: TextDecoder's EUC-JP turned round, the rows of the standard only (no vendor's row 13). */
function codes(): Map<string, number> {
  if (table !== undefined) return table;
  table = new Map();
  const decoder = new TextDecoder('euc-jp');
  for (let row = 1; row <= 84; row++) {
    if (row > 8 && row < 16) continue;
    const bytes = new Uint8Array(188);
    for (let cell = 0; cell < 94; cell++) bytes.set([row + 0xa0, cell + 0xa1], cell * 2);
    for (const [cell, letter] of Array.from(decoder.decode(bytes)).entries())
      if (letter !== '\ufffd' && !table.has(letter)) table.set(letter, ((row + 0x20) << 8) | (cell + 0x21));
  }
  return table;
}

/** The bytes of a text (line ends as they are); undefined when a letter has no place in JIS X 0208. */
export function toIso2022Jp(text: string): Buffer | undefined {
  const jis = codes();
  const bytes = Buffer.allocUnsafe(text.length * 8 + 8);
  let at = 0;
  let kanji = false;
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point < 0x80) {
      if (kanji) at += bytes.write('\u001b(B', at, 'latin1');
      kanji = false;
      bytes[at++] = point;
      continue;
    }
    const code = jis.get(TWINS[letter] ?? letter);
    if (code === undefined) return undefined;
    if (!kanji) at += bytes.write('\u001b$B', at, 'latin1');
    kanji = true;
    at = bytes.writeUInt16BE(code, at);
  }
  if (kanji) at += bytes.write('\u001b(B', at, 'latin1');
  return bytes.subarray(0, at);
}
