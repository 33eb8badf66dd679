// C1 and C7 of the output contract: what a text and a file name that leave the gateway may hold.

// C0 but TAB and LF, DEL, C1; zero-width and directional marks, bidi overrides and isolates, word joiner, BOM, tags.
const FORBIDDEN =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
const NAME = /^(?:message\.txt|files\/\d{2,4}-[\p{L}\p{M}\p{N}_-]+\.(?:pdf|png|jpg|txt))$/u;
const RESERVED = /^\d+-(?:con|prn|aux|nul|com\d|lpt\d)\./i;
const NAME_CHARS = 100;

/** What breaks C1 in a text that is decoded already; `where` begins each line. */
export function textFaults(text: string, where: string): string[] {
  const faults: string[] = [];
  const found = FORBIDDEN.exec(text);
  if (found !== null) {
    const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    faults.push(`C1 ${where}: U+${code} at ${found.index}`);
  }
  if (!text.isWellFormed()) faults.push(`C1 ${where}: a lone surrogate`);
  return faults;
}

/** What breaks C1 in the bytes of a text. */
export function utf8Faults(bytes: Uint8Array, where: string): string[] {
  try {
    return textFaults(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), where);
  } catch {
    return [`C1 ${where}: not UTF-8`];
  }
}

/** What breaks C7 in the name of an output inside its package. */
export function nameFaults(name: string): string[] {
  const base = name.slice(name.lastIndexOf('/') + 1);
  const faults: string[] = [];
  if (!NAME.test(name)) faults.push(`C7 ${JSON.stringify(name)}: not a name the gateway makes`);
  if (base.length > NAME_CHARS) faults.push(`C7 ${JSON.stringify(name)}: ${base.length} characters`);
  if (RESERVED.test(base)) faults.push(`C7 ${JSON.stringify(name)}: a device of Windows`);
  return [...faults, ...textFaults(name, 'file name')];
}
