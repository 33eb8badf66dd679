// HTML's elements by what they do to text: the lists that html-text.ts reads by.

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

export const VOID = words(
  'area base basefont bgsound br col command embed frame hr img input keygen link meta param source track wbr',
);
/** Their contents are no text of the mail. */
export const DROPPED = words(
  'script style title template iframe noembed noframes applet canvas audio video datalist rp object',
);
export const BLOCKS = words(
  'address article aside body center dd details dir div dl dt fieldset figcaption figure footer form header legend li main menu nav option section summary table caption thead tbody tfoot tr',
);
export const WIDE_BLOCKS = words('h1 h2 h3 h4 h5 h6 ul ol blockquote pre xmp plaintext listing');
export const CELLS = words('td th');
export const CLOSES: Readonly<Record<string, ReadonlySet<string>>> = {
  tr: words('td th tr p li'),
  td: words('td th p li'),
  th: words('td th p li'),
  tbody: words('td th tr thead tbody tfoot'),
  thead: words('td th tr thead tbody tfoot'),
  tfoot: words('td th tr thead tbody tfoot'),
  li: words('li p'),
  dt: words('dt dd p'),
  dd: words('dt dd p'),
  option: words('option'),
  optgroup: words('option optgroup'),
  rt: words('rt rp'),
  rp: words('rt rp'),
  a: words('a'),
};
export const CLOSE_P = words(
  'address article aside blockquote center details div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr main menu nav ol p pre section table ul',
);
export const P = words('p');
/** An end tag does not close what lies outside the cell or table it stands in. */
export const TABLE_PARTS = words('table caption thead tbody tfoot tr td th');

/** Attributes whose address a mail program may fetch unasked. */
export const FETCHED = words('src srcset background poster href data lowsrc dynsrc');
