// text/enriched (RFC 1896) and its forerunner text/richtext (RFC 1341 §7.1.3) as plain text: what their markup means, without it.
import { withLf } from './plain-text.ts';

// A command is at most 60 letters; a `<` that begins none is a letter.
const COMMAND = /<<|<(\/?)([A-Za-z0-9-]{1,60})>/g;

/** Plain text of text/enriched: n line ends in a row are n - 1, what stands in `param` is for programs, unless it never ends. Linear. */
export function enrichedText(text: string): string {
  const pieces: string[] = [];
  let held: string[] = [];
  let asIs = 0;
  let params = 0;
  const put = (said: string): void => {
    const shown = asIs > 0 ? said : said.replace(/\n+/g, (ends) => (ends.length > 1 ? ends.slice(1) : ' '));
    (params > 0 ? held : pieces).push(shown);
  };
  for (const { said, name, closes } of commandsOf(withLf(text))) {
    put(said);
    if (name === '<') put('<');
    else if (name === 'nofill') asIs = Math.max(0, asIs + (closes ? -1 : 1));
    else if (name === 'param') {
      params = Math.max(0, params + (closes ? -1 : 1));
      if (params === 0) held = [];
    }
  }
  return [...pieces, ...held].join('').trimEnd();
}

/** Plain text of text/richtext: a line ends at `<nl>`, a page at `<np>`; line ends of its own are blanks; a comment that never ends is none. Linear. */
export function richText(text: string): string {
  const pieces: string[] = [];
  let held: string[] = [];
  let comments = 0;
  const put = (shown: string): void => void (comments > 0 ? held : pieces).push(shown);
  for (const { said, name, closes } of commandsOf(withLf(text))) {
    put(said.replace(/\n+/g, ' '));
    if (name === 'comment') {
      comments = Math.max(0, comments + (closes ? -1 : 1));
      if (comments === 0) held = [];
    } else if (closes) continue;
    else if (name === 'nl') put('\n');
    else if (name === 'np' || name === 'paragraph') put('\n\n');
    else if (name === 'lt' || name === '<') put('<');
  }
  return [...pieces, ...held]
    .join('')
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}

interface Command {
  /** The text before it. */
  readonly said: string;
  /** Lower case; `<` for `<<`; '' at the end of the text. */
  readonly name: string;
  readonly closes: boolean;
}

function* commandsOf(text: string): Generator<Command> {
  let last = 0;
  for (const match of text.matchAll(COMMAND)) {
    yield { said: text.slice(last, match.index), name: match[2]?.toLowerCase() ?? '<', closes: match[1] === '/' };
    last = match.index + match[0].length;
  }
  yield { said: text.slice(last), name: '', closes: false };
}
