// One office document to one PDF, whichever engine: unlock, sniff, clean, set up sheets, draw.
import { OPERATION, PART_KIND } from '../../src/sandbox/wire.ts';
import { Refusal, whole, type Job, type Out } from '../run.ts';
import { Report, type Cleaned } from './cleaned.ts';
import type { OfficeEngine } from './engine.ts';
import { sheetValues, type Sheet } from './sheet-values.ts';
import { workbookOf } from './csv.ts';
import { docText } from './doc-letters.ts';
import { drawnJtd } from './jtd.ts';
import { cleanFlatOdf, cleanOdf } from './odf.ts';
import { cleanOoxml } from './ooxml.ts';
import { pptText } from './ppt-letters.ts';
import { withRightCount } from './ppt-records.ts';
import { cleanRtf } from './rtf.ts';
import { HTML, XLSX, sniff, type OfficeType } from './sniff.ts';
import { unlock } from './unlock.ts';

/**
 * Answers a job with the PDF as the one part of it. The PDF is as hostile as the document: it goes to the PDF child. The password of
 * the job is a list, one a line.
 */
export async function convertOffice(job: Job, out: Out, engine: OfficeEngine): Promise<void> {
  const given = await unlock(await whole(job), passwordsOf(job));
  if (given.length === 0) throw new Refusal('empty', 'no bytes');
  const { type, cleaned } = await readAs(job, given, engine);
  const { findings, losses, letters, cells } = cleaned.report;
  for (const { code, detail } of findings.values()) out.finding(code, detail);
  for (const { code, detail } of losses.values()) out.loss(code, detail);
  if (job.operation === OPERATION.values) {
    if (type.kind !== 'calc') throw new Refusal('unsupported-type', 'no sheets');
    return tellValues(out, sheetValues(await engine.convert(cleaned.bytes, XLSX, 'ods')));
  }
  const pdf = await engine.convert(cleaned.bytes, type.kind === 'calc' ? XLSX : type, 'pdf');
  if (!pdf.subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Refusal('converter-failed', 'no PDF came out');
  if (letters !== '') out.text(letters);
  if (type.kind === 'calc') out.cells(cells);
  out.part({ path: [1], kind: PART_KIND.leaf, type: 'application/pdf', name: '', disposition: '', contentId: '' });
  out.bytes(pdf);
  out.partEnd();
}

function passwordsOf(job: Job): string[] {
  return job.password.split('\n').filter((password) => password !== '');
}

/** What the host asks for: a page, text as a table, or the document that the bytes are. */
async function readAs(
  job: Job,
  given: Buffer,
  engine: OfficeEngine,
): Promise<{ readonly type: OfficeType; readonly cleaned: Cleaned }> {
  if (job.operation === OPERATION.page) {
    const { pageOf } = await import('./page-of.ts'); // what reads mails, too: few documents need it
    return { type: HTML, cleaned: await pageOf(given, job.declaredType) };
  }
  // Text that the host read and cleaned before: it becomes a table only when it is asked for as one.
  const bytes = job.operation === OPERATION.table ? workbookOf(given.toString('utf8')) : given;
  const type = sniff(bytes);
  return { type, cleaned: await cleanedOf(bytes, type, passwordsOf(job), engine) };
}

/** Each sheet is a part of its own. */
function tellValues(out: Out, sheets: readonly Sheet[]): void {
  for (const [index, { name, csv }] of sheets.entries()) {
    out.part({ path: [index + 1], kind: PART_KIND.leaf, type: 'text/csv', name, disposition: '', contentId: '' });
    if (csv.length > 0) out.bytes(csv);
    out.partEnd();
  }
}

/** What the engine draws. A sheet of any other kind becomes an xlsx first, so that it is set up for paper like one. */
async function cleanedOf(
  bytes: Buffer,
  type: OfficeType,
  passwords: readonly string[],
  engine: OfficeEngine,
): Promise<Cleaned> {
  if (type.kind !== 'calc') return clean(bytes, type, passwords);
  if (type.form === 'ooxml' && type.extension === 'xlsx') return cleanOoxml(bytes);
  const first = clean(bytes, type, passwords);
  if (type.form !== 'odf' && bytes.includes(Buffer.from('_VBA_PROJECT', 'utf16le'))) first.report.finding('macro');
  const sheets = cleanOoxml(await engine.convert(first.bytes, type, 'xlsx'));
  for (const { code, detail } of first.report.findings.values()) sheets.report.finding(code, detail);
  for (const { code, detail } of first.report.losses.values()) sheets.report.loss(code, detail);
  return sheets;
}

function clean(bytes: Buffer, { form, extension }: OfficeType, passwords: readonly string[]): Cleaned {
  switch (form) {
    case 'ooxml':
      return cleanOoxml(bytes);
    case 'odf':
      return cleanOdf(bytes, passwords);
    case 'flat-odf':
      return cleanFlatOdf(bytes);
    case 'jtd':
      return drawnJtd(bytes);
    case 'rtf':
      return cleanRtf(bytes);
    case 'html':
      throw new TypeError('HTML is never sniffed');
    case 'binary': {
      // There is no safe way to write these anew: the engine runs nothing of them, behind its walls.
      const report = new Report();
      if (bytes.includes(Buffer.from('_VBA_PROJECT', 'utf16le'))) report.finding('macro');
      if (extension === 'xml' && bytes.includes('macrosPresent="yes"')) report.finding('macro');
      if (bytes.includes(Buffer.from('\u0001Ole10Native', 'utf16le'))) report.finding('embedded-object');
      return { bytes: readable(bytes, extension, report), report };
    }
    default:
      return form satisfies never;
  }
}

/** The document as an engine takes it. Letters that must stand on its pages are noted; what cannot be read so is left to the engine. */
function readable(bytes: Buffer, extension: string, report: Report): Buffer {
  try {
    if (extension === 'doc') {
      const { text, comments, changes } = docText(bytes) ?? {};
      report.text(text ?? '');
      if (comments === true) report.loss('comments');
      if (changes === true) report.loss('tracked-changes');
    }
    if (extension !== 'ppt') return bytes;
    const slides = pptText(bytes);
    report.text(slides?.text ?? '');
    if (slides?.hidden === true) report.loss('hidden-slide');
    if (slides?.notes === true) report.loss('speaker-notes');
    if (slides?.comments === true) report.loss('comments');
    return withRightCount(bytes);
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof RangeError)) throw error;
    return bytes;
  }
}
