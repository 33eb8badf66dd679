// What an element's attributes do to the visibility of its text: inline styles. What sheets say is in html-sheet.ts.

/** Visibility as inherited: `gone` holds for all below, the others until an element below says otherwise. */
export interface Visibility {
  readonly gone: boolean;
  readonly zeroFont: boolean;
  readonly invisible: boolean;
  readonly ink: string;
  readonly paper: string;
}

export const VISIBLE: Visibility = { gone: false, zeroFont: false, invisible: false, ink: '', paper: '' };

/** True when text with this visibility is not seen by a person. */
export function isHidden(sight: Visibility): boolean {
  if (sight.gone || sight.zeroFont || sight.invisible) return true;
  return sight.ink === 'transparent' || (sight.ink !== '' && sight.ink === sight.paper);
}

/** Visibility inside an element with these attributes. */
export function sightOf(parent: Visibility, attributes: ReadonlyMap<string, string>): Visibility {
  const style = attributes.get('style');
  const paint = attributes.get('color') ?? attributes.get('bgcolor') ?? attributes.get('background');
  if (style === undefined && paint === undefined && !attributes.has('hidden')) return parent;
  const sight = {
    gone: parent.gone || attributes.has('hidden'),
    zeroFont: parent.zeroFont,
    invisible: parent.invisible,
    ink: colour(attributes.get('color')) ?? parent.ink,
    paper: colour(attributes.get('bgcolor')) ?? parent.paper,
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

function applyStyle(sight: Sight, style: string): void {
  let clipped = false;
  let flat = false;
  for (const declaration of style.split(';')) {
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
        if (value === 'none') sight.gone = true;
        break;
      case 'mso-hide':
        if (value === 'all') sight.gone = true;
        break;
      case 'visibility':
        sight.invisible = value === 'hidden' || value === 'collapse';
        break;
      case 'opacity':
        if (Number.parseFloat(value) < 0.05) sight.gone = true;
        break;
      case 'font-size':
        sight.zeroFont = isTiny(value);
        break;
      case 'max-height':
      case 'height':
      case 'width':
      case 'max-width':
        if (/^0(?:\.0+)?(?:px|pt|em|rem|%)?$/.test(value)) flat = true;
        break;
      case 'overflow':
        if (value === 'hidden') clipped = true;
        break;
      case 'text-indent':
      case 'left':
      case 'top':
      case 'margin-left':
        if (/^-\d{4,}/.test(value)) sight.gone = true;
        break;
      case 'color':
        sight.ink = value === 'transparent' ? value : (colour(value) ?? sight.ink);
        break;
      case 'background':
      case 'background-color':
        if (value !== 'transparent' && value !== 'none') sight.paper = colour(value) ?? sight.paper;
        break;
      case 'background-image':
        if (value !== 'none') sight.paper = '';
        break;
      default:
    }
  }
  if (clipped && flat) sight.gone = true;
}

/** Type of at most one pixel: not read by anyone. Mail frameworks set 0 on a cell and a real size inside it. */
function isTiny(value: string): boolean {
  const match = /^(\d*\.?\d+)(px|pt|em|rem|%|)$/.exec(value);
  if (match === null) return false;
  const size = Number(match[1]);
  return match[2] === 'px' || match[2] === 'pt' || match[2] === ''
    ? size <= 1
    : match[2] === '%'
      ? size <= 5
      : size <= 0.05;
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

/** A plain colour as six hex digits; '' for one that is not compared; undefined when the parent's stays. */
function colour(value: string | undefined): string | undefined {
  const plain = value?.trim().toLowerCase() ?? '';
  if (plain === '' || plain === 'inherit') return undefined;
  const hex = /^#?([0-9a-f]{6}|[0-9a-f]{3})$/.exec(plain)?.[1];
  if (hex !== undefined) return hex.length === 6 ? hex : hex.replace(/./g, '$&$&');
  const rgb = /^rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*1(?:\.0*)?\s*)?\)$/.exec(plain);
  if (rgb !== null) {
    return [rgb[1], rgb[2], rgb[3]].map((part) => Math.min(255, Number(part)).toString(16).padStart(2, '0')).join('');
  }
  return NAMED[plain] ?? '';
}
