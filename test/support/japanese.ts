// Japanese text as the bytes of old charsets, for fixtures: TextDecoder's tables turned round.

function tableOf(charset: string, leads: readonly number[], trails: readonly number[]): Map<string, number[]> {
  const decoder = new TextDecoder(charset);
  const table = new Map<string, number[]>();
  for (const lead of leads) {
    for (const trail of trails) {
      const letter = decoder.decode(Uint8Array.of(lead, trail));
      if (Array.from(letter).length === 1 && letter !== '\ufffd' && !table.has(letter))
        table.set(letter, [lead, trail]);
    }
  }
  return table;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const SJIS = tableOf('shift_jis', [...range(0x81, 0x9f), ...range(0xe0, 0xfc)], range(0x40, 0xfc));
const EUC = tableOf('euc-jp', range(0xa1, 0xfe), range(0xa1, 0xfe));
const HALF_KANA = 0xff61;

/** Text as Shift_JIS (CP932). Throws for a letter that it lacks. */
export function sjis(text: string): Buffer {
  return bytesOf(text, SJIS, (point) => [point - HALF_KANA + 0xa1]);
}

/** Text as EUC-JP. */
export function euc(text: string): Buffer {
  return bytesOf(text, EUC, (point) => [0x8e, point - HALF_KANA + 0xa1]);
}

/** Text as ISO-2022-JP (CP50221: half-width kana by `ESC ( I`), ending in ASCII. */
export function jis(text: string): Buffer {
  const bytes: number[] = [];
  let set = 'B';
  const shift = (to: string, escape: string): void => {
    if (set !== to) bytes.push(...Buffer.from(`\u001b${escape}`, 'latin1'));
    set = to;
  };
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point < 0x80) {
      shift('B', '(B');
      bytes.push(point);
    } else if (point >= HALF_KANA && point <= 0xff9f) {
      shift('I', '(I');
      bytes.push(point - HALF_KANA + 0x21);
    } else {
      shift('J', '$B');
      bytes.push(...[...euc(letter)].map((byte) => byte & 0x7f));
    }
  }
  shift('B', '(B');
  return Buffer.from(bytes);
}

/** An RFC 2047 word of these bytes, in base64. */
export function word(charset: string, bytes: Uint8Array): string {
  return `=?${charset}?B?${Buffer.from(bytes).toString('base64')}?=`;
}

function bytesOf(text: string, table: ReadonlyMap<string, number[]>, kana: (point: number) => number[]): Buffer {
  const bytes: number[] = [];
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point >= HALF_KANA && point <= 0xff9f) bytes.push(...kana(point));
    else {
      const pair = table.get(letter);
      if (pair === undefined) throw new Error(`no such letter: ${letter}`);
      bytes.push(...pair);
    }
  }
  return Buffer.from(bytes);
}

/** Text in a charset of one or two bytes a letter, by its name. Throws for a letter that it lacks. */
export function encoded(charset: string, text: string): Buffer {
  const single = new TextDecoder(charset);
  const table = tableOf(charset, range(0x81, 0xfe), range(0x40, 0xfe));
  for (const byte of range(0x80, 0xff)) {
    const letter = single.decode(Uint8Array.of(byte));
    if (letter !== '\ufffd') table.set(letter, [byte]);
  }
  return bytesOf(text, table, () => []);
}
