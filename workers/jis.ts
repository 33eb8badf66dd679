// ISO-2022-JP: seven-bit Japanese of mail, found by its escapes and turned into EUC-JP.

const ESC = 0x1b;

/** An escape that starts Japanese: `ESC $ B`, `ESC $ @`, `ESC $ ( D`, `ESC ( I` and their later kin; not `ESC [` of terminals. */
export function hasJisEscape(buffer: Buffer): boolean {
  for (let at = buffer.indexOf(ESC); at >= 0; at = buffer.indexOf(ESC, at + 1)) {
    const [a, b] = [buffer[at + 1], buffer[at + 2]];
    if (a === 0x24 && (b === 0x42 || b === 0x40 || b === 0x28)) return true;
    if (a === 0x28 && (b === 0x49 || b === 0x4a)) return true;
  }
  return false;
}

const JIS_SET = { ascii: 0, kanji: 1, kana: 2, supplement: 3 } as const;
type JisSet = (typeof JIS_SET)[keyof typeof JIS_SET];

/**
 * ISO-2022-JP (with half-width kana, NEC and IBM rows, JIS X 0212) as EUC-JP, which TextDecoder knows in full. Its own
 * `iso-2022-jp` puts U+FFFD between two escapes in a row, which every subject of two encoded words holds, and lacks X 0212.
 */
export function eucOfJis(bytes: Uint8Array): Uint8Array {
  // Half-width kana and X 0212 grow: at most 3 bytes for 2, and 2 for 1.
  const euc = Buffer.allocUnsafe(bytes.length * 2);
  let to = 0;
  let set: JisSet = JIS_SET.ascii;
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number;
    if (byte === ESC) {
      const [length, next] = escapeAt(bytes, at);
      if (length > 0) {
        set = next;
        at += length;
        continue;
      }
    }
    at += 1;
    if (byte === 0x0a || byte === 0x0d) set = JIS_SET.ascii; // RFC 1468: a line starts and ends in ASCII
    if (set === JIS_SET.ascii || byte < 0x21 || byte === 0x7f) {
      // 8-bit kana (JIS8) as old mailers send it, or a stray byte
      if (byte >= 0xa1 && byte <= 0xdf) euc[to++] = 0x8e;
      euc[to++] = byte;
    } else if (set === JIS_SET.kana) {
      euc[to++] = 0x8e;
      euc[to++] = byte | 0x80;
    } else {
      const second = bytes[at];
      if (second === undefined || second < 0x21) {
        euc[to++] = 0xff; // half a character: not decodable
        continue;
      }
      at += 1;
      if (set === JIS_SET.supplement) euc[to++] = 0x8f;
      euc[to++] = byte | 0x80;
      euc[to++] = second | 0x80;
    }
  }
  return euc.subarray(0, to);
}

/** Length of the escape sequence at `at` (0: none) and the set that it names. */
function escapeAt(bytes: Uint8Array, at: number): readonly [number, JisSet] {
  const [a, b, c] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (a === 0x28) {
    if (b === 0x49) return [3, JIS_SET.kana];
    return b === undefined ? [0, JIS_SET.ascii] : [3, JIS_SET.ascii]; // ( B, ( J, ( H and whatever else is single-byte
  }
  if (a === 0x24) {
    if (b === 0x42 || b === 0x40) return [3, JIS_SET.kanji];
    if (b === 0x28 && c === 0x44) return [4, JIS_SET.supplement];
    if (b === 0x28 && c !== undefined) return [4, JIS_SET.kanji]; // ( B, ( O, ( Q: X 0213 plane 1 holds X 0208
  }
  return [0, JIS_SET.ascii];
}
