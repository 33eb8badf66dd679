// Which of our own fonts stands in for a font that a document names and does not bring along.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// BIZ UD (Morisawa, OFL): drawn for Japanese public offices, fixed pitch as MS Gothic and MS Mincho are, so that columns
// of a form stay where they were. PDFium emboldens and slants by itself; one weight each is enough (4.5 and 5.9 MB).
// They have no Hangul, and of the two Chinese character sets less than Noto Sans JP: 62 % instead of 67 of GB 2312, 91 of
// Big5 instead of 96.
const FILES = {
  gothic: '@expo-google-fonts/biz-udgothic/400Regular/BIZUDGothic_400Regular.ttf',
  mincho: '@expo-google-fonts/biz-udmincho/400Regular/BIZUDMincho_400Regular.ttf',
  hangulGothic: '@expo-google-fonts/nanum-gothic/400Regular/NanumGothic_400Regular.ttf',
  hangulMyeongjo: '@expo-google-fonts/nanum-myeongjo/400Regular/NanumMyeongjo_400Regular.ttf',
  han: '@expo-google-fonts/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf',
} as const;
export type Face = keyof typeof FILES;
export const FACES = Object.keys(FILES) as readonly Face[];

/** Names shown to the reader in a `font-substituted` loss. */
export const FACE_NAMES: { readonly [face in Face]: string } = {
  gothic: 'BIZ UDGothic',
  mincho: 'BIZ UDMincho',
  hangulGothic: 'Nanum Gothic',
  hangulMyeongjo: 'Nanum Myeongjo',
  han: 'Noto Sans JP',
};

const require = createRequire(import.meta.url);
const read = new Map<Face, Buffer>();

/** The whole font file; read on first need, kept for the life of the child. */
export function fontFile(face: Face): Buffer {
  const known = read.get(face);
  if (known !== undefined) return known;
  const bytes = readFileSync(require.resolve(FILES[face]));
  read.set(face, bytes);
  return bytes;
}

/**
 * The part of a TrueType file that PDFium asks for: `tag` 0 is the whole file, otherwise the table of that name
 * (OpenType 1.9, table directory). Undefined when there is none.
 */
export function fontTable(font: Buffer, tag: number): Buffer | undefined {
  if (tag === 0) return font;
  const tables = font.readUInt16BE(4);
  for (let i = 0; i < tables; i++) {
    const entry = 12 + i * 16;
    if (font.readUInt32BE(entry) !== tag >>> 0) continue;
    const start = font.readUInt32BE(entry + 8);
    return font.subarray(start, start + font.readUInt32BE(entry + 12));
  }
  return undefined;
}

const CMAP = 0x636d6170;
const SEGMENTED = 12;

/** The glyph of a character in a TrueType file, from its table of all characters (OpenType 1.9, cmap format 12); 0 when it has none. */
export function glyphOf(font: Buffer, point: number): number {
  const cmap = fontTable(font, CMAP);
  if (cmap === undefined) return 0;
  for (let table = 0; table < cmap.readUInt16BE(2); table++) {
    const at = cmap.readUInt32BE(4 + table * 8 + 4);
    if (cmap.readUInt16BE(at) !== SEGMENTED) continue;
    const groups = cmap.readUInt32BE(at + 12);
    for (let group = at + 16; group < at + 16 + groups * 12; group += 12) {
      const first = cmap.readUInt32BE(group);
      if (first <= point && point <= cmap.readUInt32BE(group + 4)) return cmap.readUInt32BE(group + 8) + point - first;
    }
  }
  return 0;
}

const SHIFT_JIS_CHARSET = 128;
const HANGUL_CHARSET = 129;
const CHINESE_CHARSETS: ReadonlySet<number> = new Set([134, 136]); // GB2312, Big5
// Japanese faces that arrive with a Latin charset when they are simple fonts. Left-bound: CenturyGothic is none of them.
const JAPANESE_NAME =
  /^(ms[-_ ]?p?u?i?[-_ ]?(gothic|mincho)|meiryo|yu(gothic|mincho)|hg[a-z-]|hira|koz|hei(sei|t)|ryumin|gothicbbb|midashi|jun101|biz|ipa|takao|noto(sans|serif)(cjk|jp)|source?han)/i;
const GOTHIC_NAME = /goth|sans|meiryo|ゴシック|ｺﾞｼｯｸ|メイリオ|黑|heiti|simhei|gulim|dotum|malgun/i;
const MINCHO_NAME =
  /min(cho|[-_ ]?w\d|pro|std|pr6|variation)|ryumin|ming|song|sung|simsun|serif|batang|myungjo|明朝|宋|楷|教科書/i;
const PITCH_ROMAN = 0x10;

/**
 * Our face for a font named `name` of Windows charset `charset`; undefined where PDFium's built-in Latin faces serve.
 * The name decides before the pitch bits: MS-Gothic arrives with the ROMAN bit set.
 */
export function standIn(name: string, charset: number, pitch: number): Face | undefined {
  if (CHINESE_CHARSETS.has(charset)) return 'han';
  const isHangul = charset === HANGUL_CHARSET;
  if (!isHangul && charset !== SHIFT_JIS_CHARSET && !JAPANESE_NAME.test(name) && !/[ぁ-んァ-ヶ一-龠]/.test(name))
    return undefined;
  if (isSans(name, pitch)) return isHangul ? 'hangulGothic' : 'gothic';
  return isHangul ? 'hangulMyeongjo' : 'mincho';
}

function isSans(name: string, pitch: number): boolean {
  if (GOTHIC_NAME.test(name) && !/(?<!sans)serif/i.test(name)) return true;
  return !MINCHO_NAME.test(name) && (pitch & PITCH_ROMAN) === 0;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const SHIFT_JIS = new TextDecoder('shift_jis', { fatal: true });

/** A font name as the document spells it: UTF-8, else Shift_JIS (`MS ゴシック` of older writers), else Latin-1. */
export function fontName(bytes: Uint8Array): string {
  for (const decoder of [UTF8, SHIFT_JIS]) {
    try {
      return decoder.decode(bytes).normalize('NFKC');
    } catch {
      continue; // not this encoding; the next one is tried
    }
  }
  return Buffer.from(bytes).toString('latin1');
}
