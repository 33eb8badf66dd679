// Signs that HTML writes as letters of another meaning: fonts of signs, raised and lowered figures, numbers of list items.

const SIGNS = 'l●n■u◆q□o□p□¨□w▪§▪v❖Ø➢ü✔û✘þ☑ý☒à→ß←á↑â↓è➔ð⇨F☞E☜G☝H☟J☺K😐L☹(☎)☎*✉+✉6⌛I✋s⬧t⬧r❑m❍';

const OF_WINGDINGS: ReadonlyMap<string, string> = new Map(
  Array.from({ length: Math.floor(Array.from(SIGNS).length / 2) }, (_, index) => {
    const [letter = '', sign = ''] = Array.from(SIGNS).slice(index * 2);
    return [letter, sign];
  }),
);

/** Text in Wingdings as the signs that it shows; Word writes its letters from U+F020 on, too. What has no sign in Unicode stays. */
export function ofWingdings(text: string): string {
  return text.replace(/[\u0021-\u00ff\uf021-\uf0ff]/g, (letter) => {
    const plain = String.fromCharCode(letter.charCodeAt(0) & 0xff);
    return OF_WINGDINGS.get(plain) ?? letter;
  });
}

const RAISED: Readonly<Record<string, string>> = { '+': '⁺', '-': '⁻', '−': '⁻', '=': '⁼', '(': '⁽', ')': '⁾' };
const LOWERED: Readonly<Record<string, string>> = { '+': '₊', '-': '₋', '−': '₋', '=': '₌', '(': '₍', ')': '₎' };

/** Figures of `<sup>` and `<sub>`: 10⁶ is not 106. Words stay as they are. */
export function raised(text: string, where: 'sup' | 'sub'): string {
  if (!/^[0-9+\-−=()\s]{1,20}$/.test(text)) return text;
  const [figures, signs] = where === 'sup' ? ['⁰¹²³⁴⁵⁶⁷⁸⁹', RAISED] : ['₀₁₂₃₄₅₆₇₈₉', LOWERED];
  return text.replace(/\S/g, (letter) => signs[letter] ?? figures.charAt(Number(letter)));
}

/** How the items of an `<ol>` are numbered. */
export type Numbering = '1' | 'a' | 'A' | 'i' | 'I';

const STYLES: Readonly<Record<string, Numbering>> = {
  'lower-alpha': 'a',
  'lower-latin': 'a',
  'upper-alpha': 'A',
  'upper-latin': 'A',
  'lower-roman': 'i',
  'upper-roman': 'I',
};

export function numberingOf(attributes: ReadonlyMap<string, string>): Numbering {
  const style = /list-style(?:-type)?\s*:[^;]{0,100}?((?:lower|upper)-(?:alpha|latin|roman))/i.exec(
    attributes.get('style') ?? '',
  );
  if (style !== null) return STYLES[style[1]?.toLowerCase() ?? ''] ?? '1';
  const type = attributes.get('type')?.trim() ?? '';
  return type === 'a' || type === 'A' || type === 'i' || type === 'I' ? type : '1';
}

const ROMAN = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
] as const;

/** The number of an item as its list writes it. */
export function numbered(value: number, numbering: Numbering): string {
  const lower = numbering === 'a' || numbering === 'A' ? alpha(value) : numbering === '1' ? '' : roman(value);
  if (lower === '') return String(value);
  return numbering === 'A' || numbering === 'I' ? lower.toUpperCase() : lower;
}

function alpha(value: number): string {
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor((rest - 1) / 26))
    text = String.fromCharCode(97 + ((rest - 1) % 26)) + text;
  return text;
}

function roman(value: number): string {
  if (value > 3999) return '';
  let rest = value;
  let text = '';
  for (const [worth, letters] of ROMAN) for (; rest >= worth; rest -= worth) text += letters;
  return text;
}
