// RTF bodies of Outlook items as plain text: paragraphs, tabs, letters of every code page; nothing drawn, nothing embedded.
import { decodeText } from './charset.ts';
import { LIMITS } from '../src/message/limits.ts';

interface State {
  readonly skipped: boolean;
  /** Code page of the current font; 0: the document's. */
  codepage: number;
  /** Letters that follow a `\u` for readers without Unicode. */
  fallback: number;
}

/** Groups whose content is no text of the body. */
const SKIPPED = new Set(
  'fonttbl colortbl stylesheet info pict object header headerl headerr headerf footer footerl footerr footerf footnote themedata colorschememapping latentstyles datastore xmlnstbl listtable listoverridetable generator fldinst nonshppict'.split(
    ' ',
  ),
);
const LETTERS: Readonly<Record<string, string>> = {
  par: '\n',
  line: '\n',
  sect: '\n',
  page: '\n',
  row: '\n',
  cell: '\t',
  tab: '\t',
  emdash: '—',
  endash: '–',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  bullet: '•',
};
/** Charset numbers of fonts (\fcharset) that say more than the document's code page. */
const FONT_CHARSET: Readonly<Record<number, number>> = {
  128: 932,
  129: 949,
  134: 936,
  136: 950,
  161: 1253,
  162: 1254,
  163: 1258,
  177: 1255,
  178: 1256,
  186: 1257,
  204: 1251,
  222: 874,
  238: 1250,
};
const DEPTH = 1000;
const CONTROL = /\\([a-z]{1,32})(-?\d{1,10})? ?/iy;

/** Plain text of an RTF document, at most LIMITS.textChars long. Linear; never throws. */
export function rtfToText(bytes: Buffer): {
  readonly text: string;
  readonly gaiji: number;
  readonly undecodable: number;
} {
  const source = bytes.toString('latin1');
  const reader = new Reader();
  for (let at = 0; at < source.length && reader.size < LIMITS.textChars;) {
    const letter = source.charCodeAt(at);
    if (letter === 0x5c) at = reader.control(source, at);
    else if (letter === 0x7b) at = (reader.open(), at + 1);
    else if (letter === 0x7d) at = (reader.close(), at + 1);
    else if (letter === 0x0d || letter === 0x0a || letter === 0) at += 1;
    else {
      let end = at + 1;
      while (end < source.length && !/[\\{}\r\n\0]/.test(source.charAt(end))) end += 1;
      reader.plain(source.slice(at, end));
      at = end;
    }
  }
  return reader.result();
}

class Reader {
  readonly #pieces: string[] = [];
  #bytes: number[] = [];
  #stack: State[] = [];
  #state: State = { skipped: false, codepage: 0, fallback: 1 };
  #deeper = 0;
  #document = 1252;
  readonly #fonts = new Map<number, number>();
  #font = -1;
  #inFonts = false;
  #toSkip = 0;
  #started = false;
  size = 0;
  #gaiji = 0;
  #undecodable = 0;

  open(): void {
    this.#flush();
    if (this.#stack.length >= DEPTH) this.#deeper += 1;
    else this.#stack.push({ ...this.#state });
    this.#started = true;
  }

  close(): void {
    this.#flush();
    this.#toSkip = 0;
    if (this.#deeper > 0) this.#deeper -= 1;
    else this.#state = this.#stack.pop() ?? this.#state;
    if (this.#stack.length <= 1) this.#inFonts = false;
  }

  plain(text: string): void {
    const from = Math.min(this.#toSkip, text.length);
    this.#toSkip -= from;
    if (this.#state.skipped || from === text.length) return;
    for (let at = from; at < text.length; at++) this.#bytes.push(text.charCodeAt(at));
  }

  /** A control word or symbol at `at`; the place after it. */
  control(source: string, at: number): number {
    CONTROL.lastIndex = at;
    const match = CONTROL.exec(source);
    if (match !== null) {
      const skip = this.#word(match[1]?.toLowerCase() ?? '', match[2] === undefined ? undefined : Number(match[2]));
      return CONTROL.lastIndex + skip;
    }
    const symbol = source.charAt(at + 1);
    if (symbol === "'") {
      const byte = Number.parseInt(source.slice(at + 2, at + 4), 16);
      if (this.#toSkip > 0) this.#toSkip -= 1;
      else if (!this.#state.skipped && !Number.isNaN(byte)) this.#bytes.push(byte);
      return at + 4;
    }
    if (symbol === '*') this.#skipGroup();
    else if (symbol === '\\' || symbol === '{' || symbol === '}') this.plain(symbol);
    else if (symbol === '~') this.#emit('\u00a0');
    else if (symbol === '_') this.#emit('-');
    else if (symbol === '\n' || symbol === '\r') this.#emit('\n');
    return at + 2;
  }

  /** Bytes of binary data that follow the word. */
  #word(word: string, value: number | undefined): number {
    const letters = LETTERS[word];
    if (letters !== undefined) this.#emit(letters);
    else if (SKIPPED.has(word)) {
      this.#inFonts ||= word === 'fonttbl';
      this.#skipGroup();
    } else if (word === 'u' && value !== undefined) {
      this.#flush();
      this.#emit(String.fromCharCode(value & 0xffff));
      this.#toSkip = this.#state.fallback;
    } else if (word === 'uc' && value !== undefined) this.#state.fallback = Math.min(20, Math.max(0, value));
    else if (word === 'ansicpg' && value !== undefined) this.#document = value;
    else if (word === 'f' && value !== undefined) this.#setFont(value);
    else if (word === 'fcharset' && value !== undefined && this.#inFonts)
      this.#fonts.set(this.#font, FONT_CHARSET[value] ?? 0);
    else if (word === 'plain') this.#state.codepage = 0;
    else if (word === 'bin' && value !== undefined) return Math.max(0, value);
    return 0;
  }

  #setFont(font: number): void {
    this.#flush();
    this.#font = font;
    if (!this.#inFonts) this.#state.codepage = this.#fonts.get(font) ?? 0;
  }

  #skipGroup(): void {
    this.#flush();
    this.#state = { ...this.#state, skipped: true };
  }

  #emit(text: string): void {
    this.#flush();
    if (this.#state.skipped || !this.#started) return;
    this.#pieces.push(text);
    this.size += text.length;
  }

  #flush(): void {
    if (this.#bytes.length === 0) return;
    const bytes = Buffer.from(this.#bytes);
    this.#bytes = [];
    const decoded = decodeText(bytes, `cp${this.#state.codepage || this.#document}`);
    this.#gaiji += decoded.gaiji;
    this.#undecodable += decoded.undecodable;
    this.#pieces.push(decoded.text);
    this.size += decoded.text.length;
  }

  result(): { readonly text: string; readonly gaiji: number; readonly undecodable: number } {
    this.#flush();
    return {
      text: this.#pieces.join('').toWellFormed().trim().slice(0, LIMITS.textChars),
      gaiji: this.#gaiji,
      undecodable: this.#undecodable,
    };
  }
}
