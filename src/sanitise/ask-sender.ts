// Files that only their own program opens, or that are a program: held, and the reader is told what to ask the sender for.
import type { Converted } from './part.ts';

/** A document that only its own program draws or reads: held, and the reader is told what to ask its sender for. */
export function askedForPdf(type: string, converted: Converted): Converted {
  if (type !== 'application/vnd.fujixerox.docuworks' || !isUnread(converted)) return converted;
  return { ...converted, verdict: 'held', findings: [...converted.findings, { code: 'ask-for-pdf', detail: '' }] };
}

/** A self-extractor is told as what it is; one that does not open is held, and the reader is told what to ask for. */
export function askedForArchive(type: string, converted: Converted): Converted {
  if (type !== 'application/x-self-extracting') return converted;
  const findings = [...converted.findings, { code: 'self-extracting', detail: '' }];
  if (!isUnread(converted)) return { ...converted, findings };
  return { ...converted, verdict: 'held', findings: [...findings, { code: 'ask-for-archive', detail: '' }] };
}

function isUnread({ reason }: Converted): boolean {
  return reason === 'damaged' || reason === 'unsupported-type';
}
