// ABNF (RFC 5234, strings of RFC 7405) of a document as regular expressions over Latin-1: enough for grammars without recursion.

const CORE: Readonly<Record<string, string>> = {
  LF: '\\n',
  SP: ' ',
  HTAB: '\\t',
  DIGIT: '[0-9]',
  OCTET: '[\\x00-\\xff]',
};

/** The rules of all ```abnf blocks of a document, by name. */
export function abnfRules(document: string): ReadonlyMap<string, string> {
  const rules = new Map<string, string>();
  let open = '';
  for (const block of document.matchAll(/```abnf\n([\s\S]*?)```/g)) {
    for (const whole of (block[1] ?? '').split('\n')) {
      const line = withoutComment(whole);
      const begins = /^([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)$/.exec(line);
      if (begins?.[1] !== undefined) {
        open = begins[1];
        if (rules.has(open)) throw new Error(`${open} stands twice`);
        rules.set(open, begins[2] ?? '');
      } else if (line.trim() !== '') rules.set(open, `${rules.get(open)} ${line.trim()}`);
    }
  }
  return rules;
}

function withoutComment(line: string): string {
  for (let at = 0, quoted = false; at < line.length; at++) {
    if (line[at] === '"') quoted = !quoted;
    else if (line[at] === ';' && !quoted) return line.slice(0, at);
  }
  return line;
}

/** A rule as a regular expression of a whole text. `replaced`: rules to be read otherwise. */
export function abnfPattern(
  rules: ReadonlyMap<string, string>,
  name: string,
  replaced: Readonly<Record<string, string>> = {},
): RegExp {
  const patternOf = (rule: string): string => {
    const core = CORE[rule];
    if (replaced[rule] !== undefined) return replaced[rule];
    if (rules.has(rule)) return `(?:${new Reader(rules.get(rule) ?? '', patternOf).alternation()})`;
    if (core !== undefined) return core;
    throw new Error(`no rule ${rule}`);
  };
  return new RegExp(`^${patternOf(name)}$`);
}

class Reader {
  readonly #text: string;
  readonly #rule: (name: string) => string;
  #at = 0;
  constructor(text: string, rule: (name: string) => string) {
    this.#text = text;
    this.#rule = rule;
  }

  alternation(until = ''): string {
    const options = [''];
    for (;;) {
      this.#eat(/\s*/y);
      if (this.#at === this.#text.length || (until !== '' && this.#text[this.#at] === until)) break;
      if (this.#eat(/\//y) !== undefined) options.push('');
      else options[options.length - 1] += this.#repetition();
    }
    if (until !== '' && this.#eat(new RegExp(`\\${until}`, 'y')) === undefined) throw new Error(`no ${until}`);
    return options.join('|');
  }

  #repetition(): string {
    const many = this.#eat(/(\d*)\*(\d*)|(\d+)(?=[^\d])/y);
    const element = this.#element();
    if (many === undefined) return element;
    const [, least = '', most = '', exact] = many;
    return `(?:${element}){${exact ?? `${least === '' ? 0 : least},${most}`}}`;
  }

  #element(): string {
    if (this.#eat(/\(/y) !== undefined) return `(?:${this.alternation(')')})`;
    if (this.#eat(/\[/y) !== undefined) return `(?:${this.alternation(']')})?`;
    const text = this.#eat(/(?:%s)?"([^"]*)"/y)?.[1];
    if (text !== undefined) return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    const range = this.#eat(/%x([0-9A-F]{2})-([0-9A-F]{2})/y);
    if (range !== undefined) return `[\\x${range[1]}-\\x${range[2]}]`;
    const bytes = this.#eat(/%x([0-9A-F]{2}(?:\.[0-9A-F]{2})*)/y)?.[1];
    if (bytes !== undefined)
      return bytes
        .split('.')
        .map((byte) => `\\x${byte}`)
        .join('');
    const name = this.#eat(/[A-Za-z][A-Za-z0-9-]*/y)?.[0];
    if (name !== undefined) return this.#rule(name);
    throw new Error(`ABNF: ${this.#text.slice(this.#at, this.#at + 40)}`);
  }

  #eat(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }
}
