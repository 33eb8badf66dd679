// HTML to plain text that says what the mail shows a person: linear, no tree, nothing fetched; of style sheets, what they would hide.
//
// htmlparser2's Tokenizer, not its Parser: the Parser keeps open elements at the front of an array (200,000 nested <div>
// took 7.9 s here). The elements that are open are tracked to `DEPTH` levels; deeper ones are read as if they were flat.
import { Tokenizer, type QuoteType, type TokenizerCallbacks } from 'htmlparser2';
import { LIMITS } from '../src/message/limits.ts';
import {
  BLOCKS,
  CELLS,
  CLOSES,
  CLOSE_P,
  DROPPED,
  FETCHED,
  P,
  TABLE_PARTS,
  VOID,
  WIDE_BLOCKS,
} from './html-elements.ts';
import { Grid } from './html-grid.ts';
import { addressSaid, hostSaid, leadsElsewhere, saysTarget, targetOf, type Target } from './html-link.ts';
import { numbered, numberingOf, ofWingdings, raised, type Numbering } from './html-signs.ts';
import { StyleSheets } from './html-sheet.ts';
import { VISIBLE, isHidden, sightOf, type Visibility } from './html-style.ts';
import { markOf, placeOf } from './picture-place.ts';
import type { Remark } from './remark.ts';
import { TextFlow } from './text-flow.ts';

export interface HtmlText {
  readonly text: string;
  readonly findings: readonly Remark[];
  /** Source or text was longer than its limit. */
  readonly cut: boolean;
}

/**
 * Plain text of an HTML source, at most LIMITS.htmlBytes units of it. Never throws. `beside`: the place of the page, '' where none is
 * known, when pictures may have come beside it; undefined otherwise.
 */
export function htmlToText(source: string, beside?: string): HtmlText {
  const html = source.length > LIMITS.htmlBytes ? source.slice(0, LIMITS.htmlBytes) : source;
  const reader = new HtmlReader(html, beside);
  const tokenizer = new Tokenizer({ decodeEntities: true }, reader);
  tokenizer.write(html);
  tokenizer.end();
  return reader.result(html.length < source.length);
}

const DEPTH = 256;
/** Units of an attribute that are looked at, and attributes of an element. */
const ATTRIBUTE_MAX = 16 * 1024;
const ATTRIBUTES_MAX = 100;

interface Open {
  readonly name: string;
  readonly sight: Visibility;
  /** A style sheet would hide it. */
  readonly inSheet: boolean;
  readonly dropped: boolean;
  readonly pre: boolean;
  readonly prefix: string;
  /** Number of the next item of a list; 0 for a list without numbers, -1 where there is no list. */
  next: number;
  readonly numbering: Numbering;
  readonly shift: '' | 'sup' | 'sub';
  /** Line on which its first text stands. */
  readonly line: number;
  /** Texts shown before the innermost table cell opened; -1 outside of tables. */
  readonly cell: number;
  /** Line breaks around it: 0 for what stands in the line. */
  readonly breaks: number;
}

// White space and joiners: frameworks pad their previews with them.
const UNSEEN = /\s|\u00ad|\u034f|[\u200b-\u200f\u2060\ufeff]/g;

interface Anchor {
  readonly target: Target;
  said: string;
}

class HtmlReader implements TokenizerCallbacks {
  readonly #source: string;
  readonly #beside: string | undefined;
  /** Pictures that may have come: no message has more parts. */
  #places = 0;
  readonly #flow = new TextFlow(LIMITS.textChars);
  readonly #root: Open = {
    name: '',
    sight: VISIBLE,
    inSheet: false,
    dropped: false,
    pre: false,
    prefix: '',
    next: -1,
    numbering: '1',
    shift: '',
    line: 0,
    cell: -1,
    breaks: 0,
  };
  readonly #stack: Open[] = [];
  /** Text of the source that is not taken yet. */
  #textStart = 0;
  #textEnd = 0;
  /** How many elements of a name are tracked: an end tag without any is passed over at once. */
  readonly #tracked = new Map<string, number>();
  /** Elements open beyond DEPTH. */
  #deeper = 0;
  #name = '';
  #attributes = new Map<string, string>();
  #attribute = '';
  #value: string[] = [];
  #valueSize = 0;
  #anchor: Anchor | undefined;
  #base = '';
  #hidden = 0;
  /** Letters shown that a style sheet would hide. */
  #inSheet = 0;
  readonly #sheets = new StyleSheets();
  #remote = 0;
  #remoteHost = '';
  /** Numbers of the tables that are open. */
  readonly #tables: { readonly number: number; readonly grid: Grid }[] = [];
  /** Struck-out text that is open: whether a letter of it came. */
  #struck: { readonly depth: number; shown: boolean } | undefined;
  #tableCount = 0;
  /** Texts shown so far. */
  #texts = 0;
  readonly #counts = new Map<string, { count: number; detail: string }>();

  constructor(source: string, beside: string | undefined) {
    this.#source = source;
    this.#beside = beside;
  }

  result(cut: boolean): HtmlText {
    this.#takeText();
    this.#closeAnchor();
    const findings: Remark[] = [];
    if (this.#hidden > 0) findings.push({ code: 'hidden-text', detail: String(this.#hidden) });
    if (this.#inSheet > 0) findings.push({ code: 'hidden-by-sheet', detail: String(this.#inSheet) });
    if (this.#remote > 0)
      findings.push({ code: 'remote-content', detail: `${this.#remote} ${this.#remoteHost}`.trim() });
    for (const [code, { count, detail }] of this.#counts) findings.push({ code, detail: `${count} ${detail}`.trim() });
    return { text: this.#flow.finish(), findings, cut: cut || this.#flow.full };
  }

  // ── what the tokenizer sees ──

  // A stretch of text comes in as many pieces as it has letters that could have begun a tag: it is taken as one.
  ontext(start: number, end: number): void {
    if (start !== this.#textEnd) {
      this.#takeText();
      this.#textStart = start;
    }
    this.#textEnd = end;
  }

  #takeText(): void {
    const [start, end] = [this.#textStart, this.#textEnd];
    if (start === end) return;
    this.#textStart = end;
    this.#text(this.#source.slice(start, end));
  }

  ontextentity(point: number): void {
    this.#takeText();
    this.#text(String.fromCodePoint(point));
  }

  onopentagname(start: number, end: number): void {
    this.#name = this.#source.slice(start, Math.min(end, start + 60)).toLowerCase();
    if (this.#attributes.size > 0) this.#attributes = new Map();
  }

  onattribname(start: number, end: number): void {
    this.#attribute = this.#source.slice(start, Math.min(end, start + 60)).toLowerCase();
    this.#value = [];
    this.#valueSize = 0;
  }

  onattribdata(start: number, end: number): void {
    const room = ATTRIBUTE_MAX - this.#valueSize;
    if (room <= 0) return;
    this.#value.push(this.#source.slice(start, Math.min(end, start + room)));
    this.#valueSize += Math.min(room, end - start);
  }

  onattribentity(point: number): void {
    if (this.#valueSize >= ATTRIBUTE_MAX) return;
    this.#value.push(String.fromCodePoint(point));
    this.#valueSize += 2;
  }

  onattribend(_quote: QuoteType, _end: number): void {
    if (this.#attributes.size < ATTRIBUTES_MAX && !this.#attributes.has(this.#attribute)) {
      this.#attributes.set(this.#attribute, this.#value.join(''));
    }
  }

  onopentagend(): void {
    this.#takeText();
    this.#open(this.#name, this.#attributes);
  }

  onselfclosingtag(): void {
    this.#takeText();
    this.#open(this.#name, this.#attributes); // HTML knows no self-closing; void elements never open
  }

  onclosetag(start: number, end: number): void {
    this.#takeText();
    this.#close(this.#source.slice(start, Math.min(end, start + 60)).toLowerCase());
  }

  oncdata(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}
  onend(): void {}

  // ── elements ──

  get #top(): Open {
    return this.#stack[this.#stack.length - 1] ?? this.#root;
  }

  #open(name: string, attributes: ReadonlyMap<string, string>): void {
    this.#suspect(name, attributes);
    const closes = CLOSES[name] ?? (CLOSE_P.has(name) ? P : undefined);
    if (closes !== undefined && this.#deeper === 0) while (closes.has(this.#top.name)) this.#pop();
    if (VOID.has(name)) return this.#void(name, attributes);
    if (this.#stack.length >= DEPTH) {
      this.#deeper += 1;
      if (BLOCKS.has(name) || WIDE_BLOCKS.has(name) || name === 'p') this.#break(1);
      return;
    }
    const parent = this.#top;
    const sight = sightOf(parent.sight, attributes);
    const dropped = parent.dropped || DROPPED.has(name);
    const shown = !dropped && !this.#isHidden(sight);
    const breaks = this.#breaksOf(name, attributes);
    if (!dropped && !sight.gone && breaks > 0) this.#break(breaks); // what cannot be seen still takes its line
    if (shown) {
      this.#start(name, parent, attributes);
    }
    const entry: Open = {
      name,
      sight,
      inSheet: parent.inSheet || this.#sheets.hides(name, attributes),
      dropped,
      pre: isPre(name, attributes, parent.pre),
      prefix: prefixOf(name, parent),
      next: name === 'ol' ? startOf(attributes) : name === 'ul' || name === 'menu' || name === 'dir' ? 0 : -1,
      numbering: name === 'ol' ? numberingOf(attributes) : '1',
      shift: name === 'sup' || name === 'sub' ? name : parent.shift,
      line: this.#flow.lineOfNext,
      cell: CELLS.has(name) ? this.#texts : parent.cell,
      breaks,
    };
    if (shown && this.#struck === undefined && isStruck(name, attributes))
      this.#struck = { depth: this.#stack.length, shown: false };
    this.#stack.push(entry);
    this.#tracked.set(name, (this.#tracked.get(name) ?? 0) + 1);
    this.#flow.prefix = entry.prefix;
  }

  #openTable(): void {
    this.#tables.push({ number: (this.#tableCount += 1), grid: new Grid() });
    this.#flow.table = this.#tableCount;
    this.#flow.row();
  }

  #closeTable(breaks: number): void {
    this.#tables.pop();
    this.#flow.table = this.#tables.at(-1)?.number ?? 0;
    if (this.#tables.length > 0) this.#flow.resumeRow();
    else this.#flow.row();
    if (breaks > 0) this.#break(breaks);
  }

  /** What an element does to the text before its first letter. */
  #start(name: string, parent: Open, attributes: ReadonlyMap<string, string>): void {
    if (CELLS.has(name)) this.#startCell(attributes);
    else if (name === 'tr') this.#startRow();
    else if (name === 'table') this.#openTable();
    else if (name === 'a') this.#openAnchor(attributes);
    else if (name === 'rt') this.#emit('（');
    if (name === 'li') this.#markItem(parent, attributes);
  }

  #startRow(): void {
    this.#flow.row();
    this.#tables.at(-1)?.grid.row();
  }

  #startCell(attributes: ReadonlyMap<string, string>): void {
    const columns = spanOf(attributes);
    const passed = this.#tables.at(-1)?.grid.cell(columns, countOf(attributes.get('rowspan'))) ?? 0;
    for (let at = 0; at < passed; at++) this.#flow.cell(1);
    this.#flow.cell(columns);
  }

  #isHidden(sight: Visibility): boolean {
    return isHidden(sight, this.#sheets.paints ? '' : 'ffffff');
  }

  #breaksOf(name: string, attributes: ReadonlyMap<string, string>): number {
    if (name === 'p') return isTight(attributes) ? 1 : 2;
    if (name === 'ul' || name === 'ol') return (this.#tracked.get('li') ?? 0) > 0 ? 1 : 2;
    return WIDE_BLOCKS.has(name) ? 2 : BLOCKS.has(name) ? 1 : 0;
  }

  #markItem(parent: Open, attributes: ReadonlyMap<string, string>): void {
    if (parent.next > 0) {
      if (attributes.has('value')) parent.next = countOf(attributes.get('value'));
      this.#flow.mark(parent.prefix, `${numbered(parent.next, parent.numbering)}. `);
      parent.next += 1;
    } else this.#flow.mark(parent.prefix, '・');
  }

  #close(name: string): void {
    if (name === 'br') return this.#void('br', new Map());
    if (this.#deeper > 0) {
      // Balanced or not, the way back to what is tracked is as long as the way there.
      this.#deeper -= 1;
      if (BLOCKS.has(name) || WIDE_BLOCKS.has(name) || name === 'p') this.#break(1);
      return;
    }
    if ((this.#tracked.get(name) ?? 0) === 0) {
      if (name === 'p') this.#break(2);
      return;
    }
    for (let at = this.#stack.length - 1; at >= 0; at--) {
      const open = this.#stack[at]?.name ?? '';
      if (open === name) {
        while (this.#stack.length > at) this.#pop();
        return;
      }
      if (TABLE_PARTS.has(open) && (!TABLE_PARTS.has(name) || (open === 'table' && name !== 'table'))) return;
    }
  }

  #pop(): void {
    const entry = this.#stack.pop();
    if (entry === undefined) return;
    const { name } = entry;
    this.#tracked.set(name, (this.#tracked.get(name) ?? 1) - 1);
    const parent = this.#top;
    if (this.#struck?.depth === this.#stack.length) {
      if (this.#struck.shown) this.#emit('］');
      this.#struck = undefined;
    }
    if (!entry.dropped && !this.#isHidden(entry.sight)) {
      if (name === 'a') this.#closeAnchor();
      else if (name === 'rt') this.#emit('）');
      else if (name === 'table') this.#closeTable(entry.breaks);
      else if (entry.breaks > 0) this.#break(entry.breaks);
      // A cell of one line ends in no break, even when a <p> in it did: the row goes on.
      else if (CELLS.has(name) && this.#flow.lines === entry.line) this.#flow.keepLine();
    } else if (!entry.dropped && !entry.sight.gone && entry.breaks > 0) this.#break(entry.breaks);
    this.#flow.prefix = parent.prefix;
  }

  #void(name: string, attributes: ReadonlyMap<string, string>): void {
    const top = this.#top;
    if (top.dropped || this.#isHidden(sightOf(top.sight, attributes))) return;
    if (name === 'br') this.#flow.newLine();
    else if (name === 'hr') {
      this.#break(1);
      this.#emit('────────────');
      this.#break(1);
    } else if (name === 'img') this.#image(attributes);
    else if (name === 'input' && attributes.get('type')?.trim().toLowerCase() === 'checkbox')
      this.#emit(attributes.has('checked') ? '☑' : '☐');
    else if (name === 'area') this.#area(attributes);
    else if (name === 'base' && this.#base === '') {
      const { host, shown } = targetOf(attributes.get('href') ?? '', '');
      if (host !== '') this.#base = shown.split(' ')[0] ?? '';
    }
  }

  /** A link of a picture's map: nothing else says where it leads. */
  #area(attributes: ReadonlyMap<string, string>): void {
    this.#break(1);
    this.#openAnchor(attributes);
    const alt = oneSpace(attributes.get('alt') ?? '').slice(0, 500);
    if (alt !== '' && this.#anchor !== undefined) {
      this.#emit(alt);
      this.#anchor.said = alt;
    }
    this.#closeAnchor();
    this.#break(1);
  }

  #image(attributes: ReadonlyMap<string, string>): void {
    const source = (attributes.get('src') ?? '').trim();
    const alt = oneSpace(attributes.get('alt') ?? '').slice(0, 500);
    if (isDot(attributes.get('width')) || isDot(attributes.get('height'))) return; // a tracking pixel
    const cid = /^cid:(.{1,300})/is.exec(source)?.[1];
    // The host finds the part by this mark and puts the picture's own name or number there.
    if (cid !== undefined) this.#emit(`[画像 cid:${cid.replace(/[\s[\]]/g, '')}]`);
    else if (this.#beside !== undefined && source !== '' && !/^data:/i.test(source) && this.#places++ < LIMITS.parts)
      this.#emit(`[画像 ${`${markOf(placeOf(source, this.#beside))} ${alt.replace(/[[\]]/g, '')}`.trim()}]`);
    else if (alt !== '') this.#emit(`[画像: ${alt.replace(/[[\]]/g, '')}]`);
    else if (/^data:/i.test(source)) this.#emit('[画像]');
    if (cid === undefined && this.#anchor !== undefined && this.#anchor.said.length < 500) this.#anchor.said += alt;
  }

  // ── text ──

  #text(text: string): void {
    const top = this.#top;
    if (top.dropped) {
      if (top.name === 'style') this.#sheets.add(text);
      return;
    }
    if (this.#isHidden(top.sight)) {
      if (text.replace(UNSEEN, '') !== '') this.#hidden += text.length;
      return;
    }
    if (top.inSheet) this.#inSheet += text.replace(UNSEEN, '').length;
    const plain = text.includes('\u00a0') ? text.replaceAll('\u00a0', ' ') : text;
    if (this.#struck?.shown === false && plain.trim() !== '') {
      this.#struck.shown = true;
      this.#flow.raw('［取り消し線: ');
    }
    const signs =
      top.sight.font === 'wingdings' ? ofWingdings(text) : top.shift === '' ? text : raised(text, top.shift);
    if (top.pre) this.#flow.lined(plain);
    else if (plain !== text && plain.trim() === '') this.#flow.raw(plain);
    else this.#flow.collapsed(signs);
    if (text.trim() !== '') this.#texts += 1;
    if (this.#anchor !== undefined && this.#anchor.said.length < 500) this.#anchor.said += text;
  }

  #emit(text: string): void {
    this.#flow.raw(text);
    this.#texts += 1;
  }

  /** A break, but not at the start of a table cell: `<td><p>` stays on the row's line. */
  #break(count: number): void {
    if (this.#top.cell === this.#texts) return;
    this.#flow.block(count);
  }

  // ── links ──

  #openAnchor(attributes: ReadonlyMap<string, string>): void {
    this.#closeAnchor();
    const href = attributes.get('href');
    if (href === undefined) return;
    const target = targetOf(href, this.#base);
    if (target.remark !== '') this.#count(target.remark, target.detail);
    this.#anchor = { target, said: '' };
  }

  #closeAnchor(): void {
    const anchor = this.#anchor;
    this.#anchor = undefined;
    if (anchor === undefined) return;
    const { target, said } = anchor;
    const host = hostSaid(said);
    if (leadsElsewhere(host, target.host)) this.#count('link-mismatch', `${host} → ${target.host}`);
    const written = target.host === '' && target.shown.includes('@') ? addressSaid(said) : '';
    if (written !== '' && written !== target.shown.toLowerCase())
      this.#count('link-mismatch', `${written} → ${target.shown}`);
    if (target.shown === '' || saysTarget(said, target.shown)) return;
    this.#emit(said.trim() === '' ? `<${target.shown}>` : ` <${target.shown}>`);
  }

  // ── what is remarked ──

  #count(code: string, detail: string): void {
    const seen = this.#counts.get(code);
    if (seen === undefined) this.#counts.set(code, { count: 1, detail: detail.slice(0, 200) });
    else seen.count += 1;
  }

  #suspect(name: string, attributes: ReadonlyMap<string, string>): void {
    if (name === 'script') this.#count('script', '');
    else if (name === 'form') this.#count('form', '');
    else if (name === 'object' || name === 'embed' || name === 'applet' || name === 'iframe' || name === 'frame') {
      this.#count('embedded-object', name);
    } else if (name === 'meta' && /refresh/i.test(attributes.get('http-equiv') ?? '')) this.#count('meta-refresh', '');
    if (attributes.size === 0) return;
    for (const [key, value] of attributes) {
      if (key.startsWith('on') && key.length > 4) this.#count('script', key);
      else if (key === 'style') {
        if (value.includes('url('))
          for (const match of value.matchAll(/url\(\s*["']?([^"')]{1,300})/gi)) this.#fetches(match[1] ?? '');
      } else if (FETCHED.has(key) && !(key === 'href' && name !== 'link')) {
        for (const url of key === 'srcset' ? value.split(',').slice(0, 20) : [value]) this.#fetches(url);
      }
    }
  }

  #fetches(url: string): void {
    const target = targetOf(url, this.#base);
    if (target.host === '') return;
    this.#remote += 1;
    this.#remoteHost ||= target.host;
  }
}

function spanOf(attributes: ReadonlyMap<string, string>): number {
  const span = countOf(attributes.get('colspan'));
  return span <= 20 ? span : 1;
}

function countOf(value: string | undefined): number {
  const count = Number.parseInt(value ?? '1', 10);
  return count >= 1 && count < 1_000_000 ? count : 1;
}

function isStruck(name: string, attributes: ReadonlyMap<string, string>): boolean {
  if (name === 'del' || name === 's' || name === 'strike') return true;
  return /text-decoration[\w-]*\s*:[^;]{0,100}line-through/i.test(attributes.get('style') ?? '');
}

function isPre(name: string, attributes: ReadonlyMap<string, string>, parent: boolean): boolean {
  if (name === 'pre' || name === 'xmp' || name === 'plaintext' || name === 'listing' || name === 'textarea')
    return true;
  const space = /white-space\s*:\s*([a-z-]+)/i.exec(attributes.get('style') ?? '')?.[1]?.toLowerCase();
  return space === undefined ? parent : space.startsWith('pre') || space === 'break-spaces';
}

function isTight(attributes: ReadonlyMap<string, string>): boolean {
  // Outlook writes each line as such a paragraph, without space between.
  return (
    /\bMso(?:Normal|PlainText|ListParagraph)/.test(attributes.get('class') ?? '') ||
    /margin(?:-top|-bottom)?\s*:\s*0/i.test(attributes.get('style') ?? '')
  );
}

function isDot(size: string | undefined): boolean {
  return size !== undefined && /^\s*[012](?:px)?\s*$/.test(size);
}

function startOf(attributes: ReadonlyMap<string, string>): number {
  return countOf(attributes.get('start'));
}

function prefixOf(name: string, parent: Open): string {
  if (name === 'blockquote') return `${parent.prefix}> `;
  if (name === 'li') return `${parent.prefix}${parent.next > 0 ? '   ' : '  '}`;
  if (name === 'dd') return `${parent.prefix}  `;
  return parent.prefix;
}

function oneSpace(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
