// Office documents: an engine in a jailed child makes a PDF, and that PDF, as hostile as the document, goes to the PDF child.
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { EntriesReader } from '../sandbox/entries-reader.ts';
import type { FamilyName } from '../sandbox/families.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { StageWriter, Staged } from '../spool/spool.ts';
import { convertPdf } from './convert-pages.ts';
import { CellCheck } from './cut-cells.ts';
import { sheetNoticeLines } from './notice-page.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** As the document that it is, a text as a table, HTML as a page. */
export type As = typeof OPERATION.convert | typeof OPERATION.table | typeof OPERATION.page;

type Drawn =
  | {
      readonly kind: 'pdf';
      readonly pdf: Staged;
      /** Letters of the document, each once. */
      readonly letters: string;
      /** Texts of the cells of a workbook. */
      readonly cells: CellCheck;
      readonly findings: readonly Remark[];
      readonly losses: readonly Remark[];
    }
  | { readonly kind: 'refused'; readonly converted: Converted; readonly again: boolean };

/**
 * An office document becomes a PDF of page images. What the system's engine fails at is tried once with the other one; a
 * locked document is opened with the first of the given passwords that fits, all of them tried by one child.
 */
export async function convertOffice(leaf: Leaf, tools: Tools, as: As = OPERATION.convert): Promise<Converted> {
  const drawn = await officePdf(leaf, tools, as);
  if (drawn.kind === 'refused') return drawn.converted;
  const { pdf, findings, losses, letters, cells } = drawn;
  const missing = new Set(visibleLetters(letters));
  try {
    const left = losses.filter(({ code }) => code === 'pages-cut').map(({ detail }) => detail);
    const pages = await convertPdf({ ...leaf, declaredType: 'application/pdf', content: pdf }, tools, {
      see: ({ text }) => {
        for (const run of text) for (const letter of visibleLetters(run.text)) missing.delete(letter);
        cells.page(text.map((run) => run.text));
      },
      notice: left.length === 0 ? undefined : sheetNoticeLines(left, tools.policy.language),
    });
    // A PDF that our own engine made and that cannot be drawn is no fault of the sender's file.
    if (pages.verdict !== 'pages')
      return refusal(pages.reason === 'damaged' ? 'converter-failed' : (pages.reason ?? 'converter-failed'), {
        findings,
        losses,
      });
    const isTold = [...losses, ...pages.losses].some(({ code }) => code === 'cells-cut' || code === 'pages-cut');
    const cut = isTold ? [] : cells.losses(missing);
    return {
      ...pages,
      // Remarks of the intermediate PDF (its links, its fonts) say nothing that the document's own do not; its pixels do.
      findings: [...findings, ...pages.findings.filter(({ code }) => OF_PIXELS.has(code))],
      losses: [
        ...losses,
        ...glyphLosses(missing),
        ...cut,
        ...pages.losses.filter(({ code }) => code !== 'font-substituted'),
      ],
    };
  } finally {
    await pdf.discard();
  }
}

/** Findings that the drawn pages alone can give. */
const OF_PIXELS: ReadonlySet<string> = new Set(['ocr-text', 'qr-code', 'link-userinfo']);

/** The family that opens office documents on this machine. */
export function engineFor(tools: Tools): 'office' | 'office-wasm' {
  return tools.pools.office.family.name === 'office' ? 'office' : 'office-wasm';
}

/** The document as the PDF that the PDF child draws, as hostile as itself; the caller discards it. */
export async function officePdf(leaf: Leaf, tools: Tools, as: As = OPERATION.convert): Promise<Drawn> {
  const isNative = tools.pools.office.family.name === 'office';
  let first: Drawn | undefined;
  try {
    first = await drawBy('office', leaf, tools, as);
  } catch (error) {
    // The system's engine does not start (half installed, say): the other one needs nothing of the system.
    if (!isNative || !(error instanceof MugaiError) || error.code !== 'no-child') throw error;
  }
  if (first !== undefined && (first.kind === 'pdf' || !first.again || !isNative)) return first;
  return drawBy('office-wasm', leaf, tools, as);
}

/** Letters that leave ink, in one form: what looks the same is the same (NFKC), and blanks, controls and selectors do not count. */
function visibleLetters(text: string): string[] {
  return text.normalize('NFKC').match(/[\p{L}\p{N}\p{Co}]/gu) ?? [];
}

/** Letters of the document that stand on no page: no font has them, or they are hidden. A name must not lose one unseen. */
function glyphLosses(missing: ReadonlySet<string>): Remark[] {
  if (missing.size === 0) return [];
  return [{ code: 'glyph-missing', detail: [...missing].slice(0, 60).join('') }];
}

async function drawBy(family: FamilyName, leaf: Leaf, tools: Tools, operation: As): Promise<Drawn> {
  const findings: Remark[] = [];
  const losses: Remark[] = [];
  let writer: StageWriter | undefined;
  let pdf: Staged | undefined;
  let letters = '';
  const cells = new CellCheck();
  const reader = new EntriesReader({
    onEntry: () => void (writer = tools.begin(LIMITS.expandedBytes)),
    onBytes: (chunk) => writer?.write(chunk),
    onEntryEnd: () => void (pdf ??= writer?.finish()),
    onLetters: (piece) => void (letters += piece),
    onCells: (piece) => cells.cells(piece),
    onFinding: (remark) => findings.push(remark),
    onLoss: (remark) => losses.push(remark),
  });
  const ask = {
    family,
    operation,
    password: tools.passwords.join('\n'),
    deadlineMs: LIMITS.officeMs,
    totalMs: LIMITS.officeMs,
    whole: () => reader.finish(),
  };
  try {
    const outcome = await tools.run(leaf, ask, () => reader.take);
    if (outcome.kind === 'done' && pdf !== undefined) return { kind: 'pdf', pdf, letters, cells, findings, losses };
    const reason = outcome.kind === 'done' ? 'converter-failed' : outcome.reason;
    // Out of time is out of time: the second engine is the slower one.
    const again = reason === 'converter-failed' || reason === 'out-of-memory' || reason === 'damaged';
    return { kind: 'refused', converted: refusal(reason, { findings, losses }), again };
  } finally {
    if (pdf === undefined) writer?.abort();
  }
}
