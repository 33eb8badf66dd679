// One office document to one PDF, whichever engine: sniff, unlock, clean, set up sheets, draw, and check what was drawn.
import { PART_KIND } from '../../src/sandbox/wire.ts';
import { Refusal, whole, type Job, type Out } from '../run.ts';
import type { OfficeEngine } from './engine.ts';
import { sniff } from './sniff.ts';

/** Answers a job with the PDF as the one part of it. The PDF is as hostile as the document: it goes to the PDF child. */
export async function convertOffice(job: Job, out: Out, engine: OfficeEngine): Promise<void> {
  const bytes = await whole(job);
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  const pdf = await engine.convert(bytes, sniff(bytes), 'pdf');
  if (!pdf.subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Refusal('converter-failed', 'no PDF came out');
  out.part({ path: [1], kind: PART_KIND.leaf, type: 'application/pdf', name: '', disposition: '', contentId: '' });
  out.bytes(pdf);
  out.partEnd();
}
