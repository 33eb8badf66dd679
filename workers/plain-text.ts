// Plain text as it is meant to be read: LF line ends, format=flowed undone (RFC 3676), no files hidden in it.
import { withoutPgp } from './pgp-text.ts';
import type { Remark } from './remark.ts';
import { withoutUuencode } from './uuencode.ts';

/** LF for every line end. */
export function withLf(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/**
 * Joins the soft line breaks of format=flowed text. `delSp` drops the space that marks the break (Japanese has none
 * between words). Quote depth ends a paragraph; a signature line `-- ` never flows. Linear.
 */
export function unflow(text: string, delSp: boolean): string {
  const lines: string[] = [];
  let open: string[] | undefined;
  let depth = 0;
  const close = (): void => {
    if (open !== undefined) lines.push((depth > 0 ? `${'>'.repeat(depth)} ` : '') + open.join(''));
    open = undefined;
  };
  for (const raw of text.split('\n')) {
    let quotes = 0;
    while (raw[quotes] === '>') quotes += 1;
    const from = raw[quotes] === ' ' ? quotes + 1 : quotes; // space-stuffing
    const line = raw.slice(from);
    const soft = line.endsWith(' ') && line !== '-- ';
    if (open !== undefined && (quotes !== depth || line === '-- ')) close();
    depth = quotes;
    open ??= [];
    open.push(soft && delSp ? line.slice(0, -1) : line);
    if (!soft) close();
  }
  close();
  return lines.join('\n');
}

/** Text of a plain leaf: line ends, flow, uuencoded files and PGP's armour out. */
export function plainText(
  decoded: string,
  flow: { readonly flowed: boolean; readonly delSp: boolean },
): { readonly text: string; readonly findings: readonly Remark[]; readonly losses: readonly Remark[] } {
  let text = withLf(decoded);
  if (flow.flowed) text = unflow(text, flow.delSp);
  const { text: inert, files } = withoutUuencode(text);
  const open = withoutPgp(inert);
  return { ...open, findings: [...files.map((name) => ({ code: 'uuencode', detail: name })), ...open.findings] };
}

function isMixed(data: string): boolean {
  return /[a-z]/.test(data) && /[A-Z]/.test(data) && /[0-9]/.test(data);
}

/**
 * Runs of base64 lines replaced by a mark, so that no encoded file crosses as text ("Inbox Invasion", CCS 2024). `rough`
 * text was never meant as text (a multipart without its boundary): there any run counts, elsewhere one that mixes letters
 * and digits as data does.
 */
export function withoutBase64(text: string, rough: boolean): { readonly text: string; readonly cut: boolean } {
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/m.test(text)) return { text, cut: false };
  const kept: string[] = [];
  let run: string[] = [];
  let cut = false;
  const flush = (): void => {
    if (run.length >= 3 && (rough || isMixed(run.join('')))) {
      kept.push('［符号化されたデータ］');
      cut = true;
    } else kept.push(...run);
    run = [];
  };
  for (const line of text.split('\n')) {
    if (/^[A-Za-z0-9+/]{40,}={0,2}$/.test(line) || (run.length > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(line)))
      run.push(line);
    else {
      flush();
      kept.push(line);
    }
  }
  flush();
  return { text: kept.join('\n'), cut };
}
