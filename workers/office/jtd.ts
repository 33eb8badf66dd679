// An Ichitaro document as a plain document of our own making (flat OpenDocument), which the office engine draws: its words, ruby and
// tables are the sender's, its layout is not, and the reader is told so.
import { oleStreams } from '../ole.ts';
import { Refusal } from '../run.ts';
import { Report, type Cleaned } from './cleaned.ts';
import { readJtdText, type Cell, type Line, type Look, type Run } from './jtd-text.ts';

/** Streams that hold text, and what stands above it where it is not the body. */
const TEXTS: readonly (readonly [path: string, title: string])[] = [
  ['DocumentText', ''],
  ['LayoutBoxText', '〔枠の中の文字〕'],
  ['Footnote', '〔脚注〕'],
  ['Header', '〔ヘッダー・フッター〕'],
];
const OBJECTS = /^(?:Embedding |OleItem |FigureData)/;
const MACROS = /^DocumentMacro\//;
/** Widest table, in centimetres: A4 with margins. */
const WIDTH_CM = 17;

/** The document that is drawn in place of an Ichitaro document. */
export function drawnJtd(bytes: Buffer): Cleaned {
  const report = new Report();
  const all = oleStreams(bytes, (path) => TEXTS.some(([wanted]) => path === wanted));
  const fodt = new Fodt(report);
  let found = false;
  for (const [path, title] of TEXTS) {
    const stream = all.find((one) => one.path === path);
    if (stream === undefined || stream.bytes.length < 20) continue;
    const text = textOf(stream.bytes, path === 'DocumentText');
    if (text === undefined || (title !== '' && !hasLetters(text.lines))) continue;
    found ||= title === '';
    if (title !== '') fodt.add([{ kind: 'paragraph', align: 0, runs: [] }, titled(title)]);
    if (text.hidden) report.loss('hidden-text');
    fodt.add(text.lines);
  }
  if (!found) throw new Refusal('damaged', 'no text of Ichitaro');
  report.loss('layout-approximate');
  oleStreams(bytes, (path) => {
    if (OBJECTS.test(path)) report.loss('pictures-not-shown');
    // The folder of macros is always there; what lies deeper is one.
    if (MACROS.test(path) && path.split('/').length > 2) report.finding('macro');
    return false;
  });
  return { bytes: Buffer.from(fodt.toString(), 'utf8'), report };
}

/** Text beside the body that cannot be read does not keep the body back. */
function textOf(bytes: Buffer, isBody: boolean): ReturnType<typeof readJtdText> | undefined {
  try {
    return readJtdText(bytes);
  } catch (error) {
    if (isBody || !(error instanceof Refusal)) throw error;
    return undefined;
  }
}

function hasLetters(lines: readonly Line[]): boolean {
  const runs = lines.flatMap((line) =>
    line.kind === 'row' ? line.cells.flatMap((cell) => cell.runs) : line.kind === 'paragraph' ? line.runs : [],
  );
  return runs.some(({ text }) => text.trim() !== '');
}

function titled(text: string): Line {
  return {
    kind: 'paragraph',
    align: 0,
    runs: [{ text, ruby: '', look: { bold: true, underline: false, size: 0, colour: '' } }],
  };
}

const NAMESPACES = Object.entries({
  office: 'urn:oasis:names:tc:opendocument:xmlns:office:1.0',
  style: 'urn:oasis:names:tc:opendocument:xmlns:style:1.0',
  text: 'urn:oasis:names:tc:opendocument:xmlns:text:1.0',
  table: 'urn:oasis:names:tc:opendocument:xmlns:table:1.0',
  fo: 'urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0',
  svg: 'urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0',
})
  .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  .join('');

/** Writes the flat document. */
class Fodt {
  readonly #report: Report;
  readonly #styles: string[] = [];
  readonly #looks = new Map<string, string>();
  readonly #body: string[] = [];
  #tables = 0;
  #breaks = false;

  constructor(report: Report) {
    this.#report = report;
  }

  add(lines: readonly Line[]): void {
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at] as Line;
      if (line.kind === 'page') this.#breaks = true;
      else if (line.kind === 'paragraph') this.#body.push(this.#paragraph(line.runs, line.align));
      else {
        const rows: (readonly Cell[])[] = [];
        for (let next = lines[at]; next?.kind === 'row' && sameGrid(next.cells, line.cells); next = lines[at]) {
          rows.push(next.cells);
          at += 1;
        }
        at -= 1;
        this.#body.push(this.#table(rows));
      }
    }
  }

  #paragraph(runs: readonly Run[], align: number): string {
    const style = this.#breaks ? `B${align}` : `P${align}`;
    this.#breaks = false;
    return `<text:p text:style-name="${align < 3 ? style : 'P0'}">${this.#runs(runs)}</text:p>`;
  }

  #runs(runs: readonly Run[]): string {
    return runs
      .map(({ text, look, ruby }) => {
        this.#report.text(text + ruby);
        const span = `<text:span text:style-name="${this.#look(look)}">${written(text)}</text:span>`;
        return ruby === ''
          ? span
          : `<text:ruby><text:ruby-base>${span}</text:ruby-base><text:ruby-text>${written(ruby)}</text:ruby-text></text:ruby>`;
      })
      .join('');
  }

  #look(look: Look): string {
    const points = look.size === 0 ? 0 : Math.min(72, Math.max(4, Math.round((look.size / 35.28) * 2) / 2));
    const size = points === 0 ? '' : ` fo:font-size="${points}pt" style:font-size-asian="${points}pt"`;
    const bold = look.bold ? ' fo:font-weight="bold" style:font-weight-asian="bold"' : '';
    const line = look.underline ? ' style:text-underline-style="solid" style:text-underline-width="auto"' : '';
    const colour = look.colour === '' ? '' : ` fo:color="${look.colour}"`;
    const key = size + bold + line + colour;
    let name = this.#looks.get(key);
    if (name === undefined) {
      name = `T${this.#looks.size}`;
      this.#looks.set(key, name);
      this.#styles.push(
        `<style:style style:name="${name}" style:family="text"><style:text-properties${key}/></style:style>`,
      );
    }
    return name;
  }

  #table(rows: readonly (readonly Cell[])[]): string {
    const table = ++this.#tables;
    const [first] = rows;
    const grid = Math.max(1, ...(first ?? []).map(({ right }) => right));
    const columns = (first ?? []).map(({ left, right }, nth) => {
      const width = Math.max(0.4, (Math.max(1, right - left) / grid) * WIDTH_CM);
      const name = `C${table}.${nth}`;
      this.#styles.push(
        `<style:style style:name="${name}" style:family="table-column"><style:table-column-properties style:column-width="${width.toFixed(2)}cm"/></style:style>`,
      );
      return `<table:table-column table:style-name="${name}"/>`;
    });
    const body = rows.map((cells) => {
      const filled = cells.map(
        ({ runs }) =>
          `<table:table-cell table:style-name="Cell" office:value-type="string"><text:p text:style-name="P0">${this.#runs(runs)}</text:p></table:table-cell>`,
      );
      return `<table:table-row>${filled.join('')}</table:table-row>`;
    });
    return `<table:table table:name="t${table}" table:style-name="Table">${columns.join('')}${body.join('')}</table:table>`;
  }

  toString(): string {
    const aligned = ['start', 'center', 'end'].flatMap((align, nth) =>
      ['P', 'B'].map(
        (kind) =>
          `<style:style style:name="${kind}${nth}" style:family="paragraph"><style:paragraph-properties fo:text-align="${align}"${kind === 'B' ? ' fo:break-before="page"' : ''}/></style:style>`,
      ),
    );
    const fonts = ` style:font-name="m" style:font-name-asian="m" fo:font-size="10.5pt" style:font-size-asian="10.5pt" fo:language="ja" fo:country="JP" style:language-asian="ja" style:country-asian="JP"`;
    return (
      `<?xml version="1.0" encoding="UTF-8"?><office:document${NAMESPACES} office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.text">` +
      `<office:font-face-decls><style:font-face style:name="m" svg:font-family="'ＭＳ 明朝'"/></office:font-face-decls>` +
      `<office:styles><style:default-style style:family="paragraph"><style:text-properties${fonts}/></style:default-style></office:styles>` +
      `<office:automatic-styles>${aligned.join('')}${this.#styles.join('')}` +
      `<style:style style:name="Table" style:family="table"><style:table-properties style:width="${WIDTH_CM}cm" table:align="left"/></style:style>` +
      `<style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:padding="0.05cm" fo:border="0.5pt solid #808080"/></style:style>` +
      `<style:page-layout style:name="A4"><style:page-layout-properties fo:page-width="21cm" fo:page-height="29.7cm" fo:margin="2cm"/></style:page-layout></office:automatic-styles>` +
      `<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"/></office:master-styles>` +
      `<office:body><office:text>${this.#body.join('')}</office:text></office:body></office:document>`
    );
  }
}

function sameGrid(a: readonly Cell[], b: readonly Cell[]): boolean {
  return a.length === b.length && a.every(({ left, right }, nth) => left === b[nth]?.left && right === b[nth]?.right);
}

/** Text in XML: blanks that count are elements, what XML cannot hold is left out. */
function written(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, '')
    .replaceAll('\t', '<text:tab/>')
    .replace(/ {2,}|^ /g, (blanks) => `<text:s text:c="${blanks.length}"/>`);
}
