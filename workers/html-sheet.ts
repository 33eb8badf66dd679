// What the style sheets in a mail would hide: rules outside of any condition, by the last simple selector of each. Its text is shown
// all the same, since sheets hide by screen size, too, and an approximation must not take words away; that it is there is told.
import { VISIBLE, isHidden, styled } from './html-style.ts';

/** Units of style sheets that are read, and selectors that are kept. */
const SHEET_MAX = 256 * 1024;
const SELECTORS_MAX = 5000;
/** Classes of an element that are looked at. */
const CLASSES_MAX = 20;
const LAST_SIMPLE = /(?:^|[\s>+~])([a-z][a-z0-9]*)?((?:[.#][\w-]+)*)$/i;

export class StyleSheets {
  /** What came since an element asked. */
  #unread = '';
  #room = SHEET_MAX;
  /** A rule paints what text may stand on: nobody knows where. */
  paints = false;
  /** `name`, `.class` and `#id` of what is hidden. */
  readonly #hiding = new Set<string>();

  /** More of a sheet, in the order of the mail. */
  add(css: string): void {
    const taken = css.slice(0, this.#room);
    this.#room -= taken.length;
    this.#unread += taken;
    this.paints ||= /background/i.test(taken);
  }

  /** True when a rule that came before would hide an element with this name and these attributes. */
  hides(name: string, attributes: ReadonlyMap<string, string>): boolean {
    if (this.#unread !== '') {
      this.#read(this.#unread);
      this.#unread = '';
    }
    if (this.#hiding.size === 0) return false;
    if (this.#hiding.has(name) || this.#hiding.has(`#${attributes.get('id') ?? ''}`)) return true;
    const classes = (attributes.get('class') ?? '').split(/\s+/, CLASSES_MAX);
    return classes.some((one) => this.#hiding.has(`.${one}`));
  }

  #read(css: string): void {
    let at = 0;
    while (at < css.length) {
      const open = css.indexOf('{', at);
      if (open < 0) return;
      const plain = withoutComments(css.slice(at, open));
      const prelude = plain.slice(plain.lastIndexOf(';') + 1).trim(); // behind @import and its like
      if (prelude.startsWith('@')) {
        at = endOfBlock(css, open);
        continue;
      }
      const close = css.indexOf('}', open);
      at = close < 0 ? css.length : close + 1;
      this.#rule(prelude, withoutComments(css.slice(open + 1, close < 0 ? css.length : close)));
    }
  }

  /** A later rule that shows it again wins. */
  #rule(prelude: string, declarations: string): void {
    const hides = isHidden(styled(VISIBLE, declarations));
    if (!hides && !/(?:display|visibility|opacity|font-size|height)\s*:/i.test(declarations)) return;
    for (const selector of prelude.split(',')) {
      const [, name = '', marks = ''] = LAST_SIMPLE.exec(selector.trim().slice(-200)) ?? [];
      const key = /[.#][\w-]+$/.exec(marks)?.[0] ?? name.toLowerCase();
      if (key === '') continue;
      if (!hides) this.#hiding.delete(key);
      else if (this.#hiding.size < SELECTORS_MAX) this.#hiding.add(key);
    }
  }
}

/** Behind the block that opens here, and all within it. */
function endOfBlock(css: string, open: number): number {
  let depth = 0;
  for (let at = open; at < css.length; at++) {
    if (css[at] === '{') depth += 1;
    else if (css[at] === '}' && (depth -= 1) === 0) return at + 1;
  }
  return css.length;
}

/** Also without `<!--`, which old sheets begin with. */
function withoutComments(css: string): string {
  let plain = '';
  let at = 0;
  for (let from = css.indexOf('/*'); from >= 0; from = css.indexOf('/*', at)) {
    plain += css.slice(at, from);
    const end = css.indexOf('*/', from + 2);
    at = end < 0 ? css.length : end + 2;
  }
  return (plain + css.slice(at)).replace(/<!--|-->/g, '');
}
