// A page of HTML written anew by an allow-list, for an engine to draw: elements of text, tables and lists, plain styles of their own,
// pictures that came along. No script, no style sheet, no address, no form, nothing that a person would not have seen.
//
// htmlparser2's Tokenizer and a stack of bounded depth, as in html-text.ts: linear, whatever is nested in what.
import { Tokenizer, type QuoteType, type TokenizerCallbacks } from 'htmlparser2';
import { LIMITS } from '../../src/message/limits.ts';
import { CLOSES, CLOSE_P, DROPPED, P, VOID } from '../html-elements.ts';
import { VISIBLE, isHidden, sightOf, type Visibility } from '../html-style.ts';
import { placeOf } from '../picture-place.ts';
import { Report, type Cleaned } from './cleaned.ts';

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const KEPT = words(
  'a abbr address article aside b big blockquote br caption center cite code col colgroup dd del dfn div dl dt em figcaption figure ' +
    'font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main nav ol p pre q rp rt ruby s samp section small span strike ' +
    'strong sub sup table tbody td tfoot th thead tr tt u ul var',
);
/** Attributes by the form of their values. */
const ATTRIBUTES: { readonly [name: string]: RegExp } = {
  align: /^[a-z]{1,10}$/i,
  valign: /^[a-z]{1,10}$/i,
  dir: /^(?:ltr|rtl)$/i,
  width: /^\d{1,4}%?$/,
  height: /^\d{1,4}%?$/,
  colspan: /^\d{1,3}$/,
  rowspan: /^\d{1,4}$/,
  border: /^\d{1,2}$/,
  cellpadding: /^\d{1,2}$/,
  cellspacing: /^\d{1,2}$/,
  bgcolor: /^#?[\da-z]{1,20}$/i,
  color: /^#?[\da-z]{1,20}$/i,
  face: /^[^<>"'\\:;(){}]{1,100}$/,
  size: /^[+-]?\d{1,2}$/,
  start: /^\d{1,5}$/,
  type: /^[1aAiI]$|^(?:disc|circle|square)$/,
  nowrap: /^$|^nowrap$/i,
};
/** Properties whose values are words, numbers and colours. */
const PROPERTIES =
  /^(?:background-color|border(?:-(?:top|right|bottom|left))?(?:-(?:style|width|color))?|border-collapse|color|font-(?:family|size|style|weight)|height|letter-spacing|line-height|list-style-type|margin(?:-(?:top|right|bottom|left))?|padding(?:-(?:top|right|bottom|left))?|text-(?:align|decoration|indent)|vertical-align|white-space|width|writing-mode)$/;
const VALUE = /^[\p{L}\p{N}\s#%.,+-]{1,120}$|^rgba?\([\d\s.,%]{1,60}\)$/u;
const STYLE_CHARS = 4096;
const ATTRIBUTE_CHARS = 16 * 1024 * 1024; // a picture in an address
/** Elements inside each other; what is deeper is drawn as if it were flat. Tables in tables cost an engine the square of their depth. */
const DEPTH = 200;
const TABLES = 12;

/** Pictures that came with a page, by the address that the page calls them by. */
export type Pictures = ReadonlyMap<string, Uint8Array>;

const PAGE =
  '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"><style>@page{size:21cm 29.7cm;margin:1.5cm}' +
  "body,p,td,th,li,div,pre,h1,h2,h3,h4{font-family:'ＭＳ Ｐゴシック'}</style></head><body>";

/** The page as UTF-8. `place`: where it was, for pictures called from there. `source`: HTML, decoded; at most `LIMITS.htmlBytes` units of it are read, the rest is told as cut. */
export function cleanHtml(source: string, pictures: Pictures, place = ''): Cleaned {
  const html = source.length > LIMITS.htmlBytes ? source.slice(0, LIMITS.htmlBytes) : source;
  const writer = new PageWriter(html, pictures, place);
  const tokenizer = new Tokenizer({ decodeEntities: true }, writer);
  tokenizer.write(html);
  tokenizer.end();
  const { report } = writer;
  if (html.length < source.length) report.loss('text-cut', String(LIMITS.htmlBytes));
  return { bytes: Buffer.from(`${PAGE}${writer.finish()}</body></html>`, 'utf8'), report };
}

interface Open {
  readonly name: string;
  readonly sight: Visibility;
  readonly dropped: boolean;
  readonly written: boolean;
}

class PageWriter implements TokenizerCallbacks {
  readonly report = new Report();
  readonly #source: string;
  readonly #pictures: Pictures;
  readonly #place: string;
  readonly #out: string[] = [];
  readonly #stack: Open[] = [];
  #tables = 0;
  #name = '';
  #attributes = new Map<string, string>();
  #attribute = '';
  #value: string[] = [];
  #valueSize = 0;

  constructor(source: string, pictures: Pictures, place: string) {
    this.#source = source;
    this.#pictures = pictures;
    this.#place = place;
  }

  finish(): string {
    while (this.#stack.length > 0) this.#pop();
    return this.#out.join('');
  }

  get #top(): Open {
    return this.#stack.at(-1) ?? { name: '', sight: VISIBLE, dropped: false, written: false };
  }

  ontext(start: number, end: number): void {
    this.#text(this.#source.slice(start, end));
  }
  ontextentity(point: number): void {
    this.#text(String.fromCodePoint(point));
  }
  onopentagname(start: number, end: number): void {
    this.#name = this.#source.slice(start, Math.min(end, start + 60)).toLowerCase();
    this.#attributes = new Map();
  }
  onattribname(start: number, end: number): void {
    this.#attribute = this.#source.slice(start, Math.min(end, start + 60)).toLowerCase();
    this.#value = [];
    this.#valueSize = 0;
  }
  onattribdata(start: number, end: number): void {
    this.#valueSize += end - start;
    if (this.#valueSize <= ATTRIBUTE_CHARS) this.#value.push(this.#source.slice(start, end));
  }
  onattribentity(point: number): void {
    this.#valueSize += 1;
    if (this.#valueSize <= ATTRIBUTE_CHARS) this.#value.push(String.fromCodePoint(point));
  }
  onattribend(_quote: QuoteType, _end: number): void {
    if (this.#attributes.size < 100 && !this.#attributes.has(this.#attribute))
      this.#attributes.set(this.#attribute, this.#value.join(''));
  }
  onopentagend(): void {
    this.#open(this.#name, this.#attributes);
  }
  onselfclosingtag(): void {
    this.#open(this.#name, this.#attributes);
  }
  onclosetag(start: number, end: number): void {
    this.#close(this.#source.slice(start, Math.min(end, start + 60)).toLowerCase());
  }
  oncdata(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}
  onend(): void {}

  #text(text: string): void {
    const { dropped, sight } = this.#top;
    if (dropped || isHidden(sight)) return;
    this.report.text(text);
    this.#out.push(escape(text));
  }

  #open(name: string, attributes: ReadonlyMap<string, string>): void {
    const closes = CLOSES[name] ?? (CLOSE_P.has(name) ? P : undefined);
    if (closes !== undefined) while (closes.has(this.#top.name)) this.#pop();
    const { sight, dropped } = this.#top;
    const own = sightOf(sight, attributes);
    const seen = !dropped && !isHidden(own);
    if (VOID.has(name)) {
      if (seen && name === 'img') this.#picture(attributes);
      else if (seen && KEPT.has(name)) this.#out.push(`<${name}${kept(attributes)}>`);
      return;
    }
    if (this.#stack.length >= DEPTH) return;
    const isTable = name === 'table';
    const written = seen && KEPT.has(name) && !(isTable && this.#tables >= TABLES);
    if (written) this.#out.push(`<${name}${kept(attributes)}>`);
    if (isTable) this.#tables += 1;
    this.#stack.push({ name, sight: own, dropped: dropped || DROPPED.has(name) || name === 'noscript', written });
  }

  #close(name: string): void {
    for (let at = this.#stack.length - 1; at >= 0; at--) {
      if (this.#stack[at]?.name !== name) continue;
      while (this.#stack.length > at) this.#pop();
      return;
    }
  }

  #pop(): void {
    const open = this.#stack.pop();
    if (open?.name === 'table') this.#tables -= 1;
    if (open?.written === true) this.#out.push(`</${open.name}>`);
  }

  /** A picture that came along is put into the page itself; one that would be fetched is not shown, and that is told. */
  #picture(attributes: ReadonlyMap<string, string>): void {
    const source = (attributes.get('src') ?? '').trim();
    const called = /^cid:/i.test(source) ? source.slice(4) : placeOf(source, this.#place);
    const bytes = pictureIn(source) ?? this.#pictures.get(called);
    const type = bytes === undefined ? undefined : typeOf(bytes);
    if (bytes === undefined || type === undefined) {
      this.report.loss('pictures-not-shown');
      const instead = attributes.get('alt') ?? '';
      if (instead !== '') this.#text(`［${instead.slice(0, 200)}］`);
      return;
    }
    this.#out.push(
      `<img src="data:${type};base64,${Buffer.from(bytes).toString('base64')}"${kept(attributes, /^(?:width|height|align|border)$/)}>`,
    );
  }
}

/** The attributes that may stay. */
function kept(attributes: ReadonlyMap<string, string>, only = /^/): string {
  let text = '';
  for (const [name, value] of attributes)
    if (only.test(name) && ATTRIBUTES[name]?.test(value.trim()) === true) text += ` ${name}="${escape(value.trim())}"`;
  const style = styleOf(attributes.get('style') ?? '');
  return style === '' ? text : `${text} style="${escape(style)}"`;
}

function styleOf(style: string): string {
  return style
    .slice(0, STYLE_CHARS)
    .split(';')
    .flatMap((declaration) => {
      const colon = declaration.indexOf(':');
      const name = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase();
      const value = declaration
        .slice(colon + 1)
        .replace(/["']|!\s*important/gi, '')
        .trim();
      return PROPERTIES.test(name) && VALUE.test(value) ? [`${name}:${value}`] : [];
    })
    .join(';');
}

/** The bytes of a picture that is its own address (RFC 2397). */
function pictureIn(address: string): Buffer | undefined {
  if (!/^data:image\//i.test(address)) return undefined;
  const comma = address.indexOf(',');
  return comma > 0 && /;base64$/i.test(address.slice(0, comma))
    ? Buffer.from(address.slice(comma + 1), 'base64')
    : undefined;
}

function typeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  if (head === '89504e470d0a1a0a') return 'image/png';
  if (head.startsWith('ffd8ff')) return 'image/jpeg';
  return head.startsWith('474946383') ? 'image/gif' : undefined;
}

function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
