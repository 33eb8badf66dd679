// OpenPGP in the text itself (RFC 9580 §6.2, §7): what is encrypted is told and left out, a signature's armour goes, its text stays.
import type { Remark } from './remark.ts';

const BEGIN = /^-----BEGIN PGP ([A-Z ,/0-9]{1,40})-----\s*$/;
const END = /^-----END PGP [A-Z ,/0-9]{1,40}-----\s*$/;

const ENCRYPTED = '［PGPで暗号化された部分: 読めません］';
const KEY = '［PGPの公開鍵］';

/**
 * The text without PGP's armour. Nothing is decrypted or verified: an encrypted block becomes a mark and a loss, a key a
 * mark, a clear signature leaves its text (dash-escaping undone) and a finding. A block without an end is left as it is.
 * Linear.
 */
export function withoutPgp(text: string): {
  readonly text: string;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
} {
  if (!text.includes('-----BEGIN PGP ')) return { text, findings: [], losses: [] };
  const lines = text.split('\n');
  const ends = new Set(lines.flatMap((line, at) => (END.test(line) ? [at] : [])));
  const lastEnd = Math.max(-1, ...ends);
  const kept: string[] = [];
  const findings: Remark[] = [];
  const losses: Remark[] = [];
  let signed = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const kind = BEGIN.exec(line)?.[1];
    if (kind === undefined || at > lastEnd) {
      kept.push(signed && line.startsWith('- ') ? line.slice(2) : line);
      continue;
    }
    if (kind === 'SIGNED MESSAGE') {
      signed = true;
      while (/^[A-Za-z-]{1,20}: /.test(lines[at + 1] ?? '')) at += 1; // Hash: SHA256
      if ((lines[at + 1] ?? '').trim() === '') at += 1;
      continue;
    }
    while (!ends.has(at)) at += 1;
    if (kind === 'SIGNATURE') {
      findings.push({ code: 'signature', detail: 'PGP' });
      signed = false;
    } else if (kind.includes('KEY')) kept.push(KEY);
    else {
      kept.push(ENCRYPTED);
      losses.push({ code: 'encrypted-text', detail: 'PGP' });
    }
  }
  return { text: kept.join('\n'), findings, losses };
}
