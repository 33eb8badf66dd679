// Seven-bit Korean and Chinese of mail: ISO-2022-KR (RFC 1557), ISO-2022-CN (RFC 1922, its GB 2312 part), HZ (RFC 1843).
import iconv from 'iconv-lite';

const ESC = 0x1b;
const SO = 0x0e;
const SI = 0x0f;
const LF = 0x0a;

export type Shifted = 'iso-2022-kr' | 'iso-2022-cn' | 'hz-gb-2312';

/** True for text with the escape that begins every text in ISO-2022-KR or -CN: `ESC $ ) C`, `ESC $ ) A`. */
export function hasShiftEscape(bytes: Buffer): 'iso-2022-kr' | 'iso-2022-cn' | undefined {
  const at = bytes.indexOf('\x1b$)', 0, 'latin1');
  if (at < 0) return undefined;
  return bytes[at + 3] === 0x43 ? 'iso-2022-kr' : bytes[at + 3] === 0x41 ? 'iso-2022-cn' : undefined;
}

export function textOfShifted(bytes: Uint8Array, charset: Shifted): string {
  return charset === 'hz-gb-2312' ? textOfHz(bytes) : textOfSo(bytes);
}

/** Between SO and SI stand letters of the set that `ESC $ ) x` named last; a line ends in ASCII. */
function textOfSo(bytes: Uint8Array): string {
  let set = '';
  const runs = new Runs();
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === ESC && bytes[at + 1] === 0x24 && (bytes[at + 2] === 0x29 || bytes[at + 2] === 0x2a)) {
      // CNS 11643 (`ESC $ ) G`, `ESC $ * H`) has no reader here: its letters are told as broken bytes.
      set = bytes[at + 3] === 0x43 ? 'cp949' : bytes[at + 3] === 0x41 ? 'gb2312' : 'none';
      at += 3;
    } else if (byte === SO) runs.begin(set === '' ? 'none' : set);
    else if (byte === SI) runs.begin('');
    else {
      if (byte === LF) runs.begin('');
      runs.add(byte);
    }
  }
  return runs.end();
}

/** `~{` and `~}` around GB 2312, `~~` for a tilde, `~` at a line's end joins it to the next. */
function textOfHz(bytes: Uint8Array): string {
  const runs = new Runs();
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const next = bytes[at + 1];
    if (byte === 0x7e && next === 0x7b) {
      runs.begin('gb2312');
      at += 1;
    } else if (byte === 0x7e && next === 0x7d) {
      runs.begin('');
      at += 1;
    } else if (byte === 0x7e && next === LF) at += 1;
    else if (byte === 0x7e && next === 0x7e) {
      runs.add(byte);
      at += 1;
    } else {
      if (byte === LF) runs.begin('');
      runs.add(byte);
    }
  }
  return runs.end();
}

/** Runs of bytes of one set each, put together as text. */
class Runs {
  readonly #pieces: string[] = [];
  #run: number[] = [];
  #set = '';

  begin(set: string): void {
    this.#flush();
    this.#set = set;
  }

  add(byte: number): void {
    this.#run.push(this.#set === '' ? byte : byte < 0x21 ? byte : byte | 0x80);
  }

  end(): string {
    this.#flush();
    return this.#pieces.join('');
  }

  #flush(): void {
    if (this.#run.length === 0) return;
    const bytes = Buffer.from(this.#run);
    this.#run = [];
    if (this.#set === '') this.#pieces.push(new TextDecoder().decode(bytes));
    else if (this.#set === 'none') this.#pieces.push('\ufffd'.repeat(Math.ceil(bytes.length / 2)));
    else this.#pieces.push(iconv.decode(bytes, this.#set));
  }
}
