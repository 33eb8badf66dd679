// Names of a workbook (定義された名前) that formulas without a value need: only those that stand for cells of a sheet that is shown.
// A name may also be a formula, a macro, another workbook or a DDE link: none of these comes along.

/** A name as the workbook defines it. */
export interface DefinedName {
  readonly attributes: Readonly<Record<string, string>>;
  readonly refersTo: string;
}

const NAME = /^[\p{L}_][\p{L}\p{N}_.]{0,254}$/u;
/** Names that programs know a meaning of: print areas, which are ours, filters, what runs when a workbook is opened. */
const KNOWN = /^(?:_xlnm|auto_(?:open|close|activate|deactivate))/i;
const CELL = String.raw`\$?[A-Z]{1,3}\$?[1-9]\d{0,6}`;
const AREA = String.raw`(?:${CELL}(?::${CELL})?|\$?[A-Z]{1,3}:\$?[A-Z]{1,3}|\$?[1-9]\d{0,6}:\$?[1-9]\d{0,6})`;
const REFERENCE = new RegExp(String.raw`^(?:'((?:[^']|'')+)'|([\p{L}\p{N}_.]+))!${AREA}$`, 'u');

/** The elements of the names that may stay, as `definedNames` holds them. `shown`: names of the sheets whose cells are there. */
export function keptNames(names: readonly DefinedName[], shown: ReadonlySet<string>): string[] {
  const sheets = new Map([...shown].map((name) => [name.toLowerCase(), name]));
  return names.flatMap(({ attributes, refersTo }) => {
    const name = attributes['name'] ?? '';
    const [, quoted, plain] = REFERENCE.exec(refersTo) ?? [];
    const sheet = sheets.get((quoted?.replaceAll("''", "'") ?? plain ?? '').toLowerCase());
    const isCode = ['function', 'vbProcedure', 'xlm'].some((one) => /^(?:1|true)$/.test(attributes[one] ?? ''));
    if (sheet === undefined || isCode || !NAME.test(name) || KNOWN.test(name)) return [];
    const local = /^\d{1,4}$/.exec(attributes['localSheetId'] ?? '')?.[0];
    const of = local === undefined ? '' : ` localSheetId="${local}"`;
    return [`<definedName name="${name}"${of}>${escape(refersTo)}</definedName>`];
  });
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
