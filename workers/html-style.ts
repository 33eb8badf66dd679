// What an element's attributes do to the visibility of its text: inline styles. What sheets say is in html-sheet.ts.

/** Visibility as inherited: `gone` holds for all below, the others until an element below says otherwise. */
export interface Visibility {
  readonly gone: boolean;
  readonly zeroFont: boolean;
  readonly invisible: boolean;
  readonly ink: string;
  /** What the text stands on: six hex digits, '' where nobody knows, `page` where nothing was painted. */
  readonly paper: string;
  /** Letters are signs of this font and not what they say. */
  readonly font: '' | 'wingdings';
}

export const VISIBLE: Visibility = {
  gone: false,
  zeroFont: false,
  invisible: false,
  ink: '',
  paper: 'page',
  font: '',
};

/** True when text with this visibility is not seen by a person. `page` is the colour of a page that nothing painted, '' if unknown. */
export function isHidden(sight: Visibility, page = ''): boolean {
  if (sight.gone || sight.zeroFont || sight.invisible) return true;
  return sight.ink === 'transparent' || isAlike(sight.ink, sight.paper === 'page' ? page : sight.paper);
}

/** Steps of 255 in each of red, green and blue that nobody sees. */
const ALIKE = 12;

function isAlike(ink: string, paper: string): boolean {
  if (ink.length !== 6 || paper.length !== 6) return false;
  return [0, 2, 4].every(
    (at) =>
      Math.abs(Number.parseInt(ink.slice(at, at + 2), 16) - Number.parseInt(paper.slice(at, at + 2), 16)) <= ALIKE,
  );
}

/** Visibility inside an element with these attributes. */
export function sightOf(parent: Visibility, attributes: ReadonlyMap<string, string>): Visibility {
  const style = attributes.get('style');
  const face = attributes.get('face');
  const paint = attributes.get('color') ?? attributes.get('bgcolor') ?? attributes.get('background') ?? face;
  if (style === undefined && paint === undefined && !attributes.has('hidden')) return parent;
  const sight: Sight = {
    ...parent,
    gone: parent.gone || attributes.has('hidden'),
    ink: colour(attributes.get('color')) ?? parent.ink,
    paper: paperOf(attributes.get('bgcolor') ?? '', parent.paper),
    font: face === undefined ? parent.font : fontOf(face),
  };
  // A picture behind the text: its colour is unknown.
  if (attributes.has('background')) sight.paper = '';
  if (style !== undefined) applyStyle(sight, style);
  return sight;
}

/** Visibility where these declarations hold. */
export function styled(sight: Visibility, declarations: string): Visibility {
  const own = { ...sight };
  applyStyle(own, declarations);
  return own;
}

type Sight = { -readonly [key in keyof Visibility]: Visibility[key] };

/** Lengths that lie outside of any window. */
const FAR_BACK = /(?:^|[\s(,])-(?:[5-9]\d\d|\d{4,})/;
const FAR_OUT = /^(?:[5-9]\d{3}|\d{5,})/;

function applyStyle(sight: Sight, style: string): void {
  /** Properties that hide by themselves, by what their last declaration says. */
  const hides = new Map<string, boolean>();
  let clipped = false;
  let flat = false;
  let lifted = false;
  let cut = '';
  for (const declaration of plainCss(style).split(';')) {
    const colon = declaration.indexOf(':');
    if (colon < 0) continue;
    const name = declaration.slice(0, colon).trim().toLowerCase();
    const value = declaration
      .slice(colon + 1, colon + 200)
      .replace(/!\s*important/i, '')
      .trim()
      .toLowerCase();
    switch (name) {
      case 'display':
        hides.set(name, value === 'none');
        break;
      case 'mso-hide':
        hides.set(name, value === 'all');
        break;
      case 'content-visibility':
        hides.set(name, value === 'hidden');
        break;
      case 'visibility':
        sight.invisible = value === 'hidden' || value === 'collapse';
        break;
      case 'opacity':
        hides.set(name, isNothing(value));
        break;
      case 'zoom':
        hides.set(name, isNothing(value));
        break;
      case 'filter':
        hides.set(name, isNothing(/opacity\s*[(=]\s*([\d.]+%?)/.exec(value)?.[1] ?? '1', value.includes('alpha')));
        break;
      case 'font-size':
        sight.zeroFont = isTiny(value);
        break;
      case 'font': {
        const size = value.split(/\s+/).find((word) => /^(?:0|\d*\.?\d+(?:[a-z]+|%))(?:\/|$)/.test(word));
        if (size !== undefined) sight.zeroFont = isTiny(size.split('/')[0] ?? '');
        sight.font = fontOf(value);
        break;
      }
      case 'font-family':
        sight.font = fontOf(value);
        break;
      case 'max-height':
      case 'height':
      case 'width':
      case 'max-width':
        if (/^(?:0(?:\.\d+)?(?:[a-z]+|%)?|1(?:px|pt))$/.test(value)) flat = true;
        break;
      case 'overflow':
      case 'overflow-x':
      case 'overflow-y':
        if (value.startsWith('hidden') || value.startsWith('clip')) clipped = true;
        break;
      case 'position':
        lifted = value === 'absolute' || value === 'fixed';
        break;
      case 'clip':
        cut = value;
        break;
      case 'clip-path':
        hides.set(name, /^inset\(\s*(?:[5-9]\d|\d{3,})(?:\.\d+)?%|^circle\(\s*0/.test(value));
        break;
      case 'transform':
        hides.set(name, /scale(?:3d|[xy])?\(\s*0(?:\.0\d*)?\s*[,)]/.test(value) || FAR_BACK.test(value));
        break;
      case 'text-indent':
      case 'left':
        hides.set(name, FAR_BACK.test(value) || FAR_OUT.test(value));
        break;
      case 'top':
      case 'right':
      case 'bottom':
      case 'margin':
      case 'margin-left':
      case 'margin-top':
      case 'margin-right':
        hides.set(name, FAR_BACK.test(value));
        break;
      case 'color':
      case '-webkit-text-fill-color':
        sight.ink = colour(value) ?? sight.ink;
        break;
      case 'background':
      case 'background-color':
        sight.paper = paperOf(value, sight.paper);
        break;
      case 'background-image':
        if (value !== 'none') sight.paper = '';
        break;
      default:
    }
  }
  if ((clipped && flat) || (lifted && isNoArea(cut)) || [...hides.values()].includes(true)) sight.gone = true;
}

/** Without comments, and escapes undone: `dis\70lay`. */
function plainCss(style: string): string {
  if (!/\/\*|\\/.test(style)) return style;
  return style
    .replace(/\/\*[^]*?(?:\*\/|$)/g, '')
    .replace(
      /\\(?:([0-9a-f]{1,6})\s?|([^0-9a-f\n]))/gi,
      (_all, hex: string | undefined, letter: string | undefined) => {
        const point = Number.parseInt(hex ?? '0', 16);
        return letter ?? (point > 0 && point < 0x110000 ? String.fromCodePoint(point) : '');
      },
    );
}

function fontOf(value: string): Visibility['font'] {
  return /^[^,]*wingdings(?!\s*[23])/i.test(value) ? 'wingdings' : '';
}

/** A share of what would be seen: under a twentieth. */
function isNothing(value: string, percent = false): boolean {
  const share = Number.parseFloat(value);
  return share < (percent || value.endsWith('%') ? 5 : 0.05);
}

/** `clip: rect(top, right, bottom, left)` with nothing between its edges. */
function isNoArea(clip: string): boolean {
  const edges = /^rect\(([^)]{1,80})\)/
    .exec(clip)?.[1]
    ?.split(/[\s,]+/)
    .map((edge) => Number.parseFloat(edge));
  if (edges === undefined) return false;
  const [top = 0, right = 0, bottom = 0, left = 0] = edges;
  return bottom - top <= 1 || right - left <= 1;
}

/** What a unit of length is in pixels, roughly. */
const PIXELS: Readonly<Record<string, number>> = {
  px: 1,
  pt: 1,
  '': 1,
  mm: 3.8,
  cm: 38,
  in: 96,
  pc: 16,
  em: 20,
  rem: 20,
  ex: 10,
  ch: 10,
  vw: 10,
  vh: 10,
  '%': 0.2,
};

/** Type of at most one pixel: not read by anyone. Mail frameworks set 0 on a cell and a real size inside it. */
function isTiny(value: string): boolean {
  const match = /^(?:calc\(\s*)?(\d*\.?\d+(?:e[+-]?\d{1,3})?)([a-z]{1,4}|%|)(?:\s*\))?$/.exec(value);
  const pixels = PIXELS[match?.[2] ?? ''];
  return match !== null && pixels !== undefined && Number(match[1]) * pixels <= 1;
}

const NAMED: Readonly<Record<string, string>> = {
  white: 'ffffff',
  black: '000000',
  red: 'ff0000',
  green: '008000',
  blue: '0000ff',
  yellow: 'ffff00',
  gray: '808080',
  grey: '808080',
  silver: 'c0c0c0',
  navy: '000080',
};

/** A plain colour as six hex digits; `transparent`; '' for one that is not compared; undefined when the parent's stays. */
function colour(value: string | undefined): string | undefined {
  const plain = value?.trim().toLowerCase() ?? '';
  if (plain === '' || plain === 'inherit') return undefined;
  if (plain === 'transparent') return plain;
  const hex = /^#?([0-9a-f]{6}|[0-9a-f]{3})([0-9a-f]{2}|[0-9a-f])?$/.exec(plain);
  if (hex !== null && (hex[2] === undefined || plain.startsWith('#'))) {
    if (hex[2]?.startsWith('0') === true) return 'transparent';
    const whole = hex[1] ?? '';
    return whole.length === 6 ? whole : whole.replace(/./g, '$&$&');
  }
  const parts = /^(?:rgb|hsl)a?\(([^)]{1,80})\)$/.exec(plain)?.[1]?.split(/[\s,/]+/) ?? [];
  if (parts[3] !== undefined && isNothing(parts[3])) return 'transparent';
  if (!plain.startsWith('rgb') || parts.length < 3 || (parts[3] !== undefined && Number.parseFloat(parts[3]) < 1))
    return NAMED[plain] ?? '';
  return parts
    .slice(0, 3)
    .map((part) => Number.parseFloat(part) * (part.endsWith('%') ? 2.55 : 1))
    .map((part) =>
      Math.max(0, Math.min(255, Math.round(part) || 0))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('');
}

/** What text stands on after this background; one that is not there changes nothing. */
function paperOf(background: string, parent: string): string {
  const own = background === 'none' ? undefined : colour(background);
  return own === undefined || own === 'transparent' ? parent : own;
}
