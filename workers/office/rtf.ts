// RTF without the groups that carry objects of other programs: the engine draws their picture (\result), not them.
import { rtfToText } from '../rtf-text.ts';
import { Report, type Cleaned } from './cleaned.ts';
import { withoutLiveFields } from './rtf-fields.ts';

const OBJECT_DATA = /^\{\s*\\\*?\s*\\?(?:objdata|objclass|objname|template|datastore|themedata)\b/;

/** Control words (two backslashes are a letter) of comments, and of words that were inserted, deleted or moved, unless they end that. */
const COMMENT = /(?<!\\)(?:\\\\)*\\annotation(?![a-z])/;
const CHANGED = /(?<!\\)(?:\\\\)*\\(?:revised|deleted|mvf|mvt)(?![a-z]|0)/;

const BRACE = /[{}]/g;
const BINARY = /\\bin(\d{1,9}) ?/y;

/** Drops `{\*\objdata …}` and its kin, at any depth. Linear. */
export function cleanRtf(bytes: Buffer): Cleaned {
  const report = new Report();
  report.text(rtfToText(bytes).text);
  const text = withoutBinary(bytes.toString('latin1'));
  const out: string[] = [];
  let from = 0;
  for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', at + 1)) {
    if (!OBJECT_DATA.test(text.slice(at, at + 40))) continue;
    if (/objdata/.test(text.slice(at, at + 40))) report.finding('embedded-object');
    out.push(text.slice(from, at));
    from = endOfGroup(text, at);
    at = from - 1;
  }
  out.push(text.slice(from));
  if (COMMENT.test(text)) report.loss('comments');
  if (CHANGED.test(text)) report.loss('tracked-changes');
  const kept = withoutLiveFields(withoutBrokenMetafiles(out.join(''), report), report);
  return { bytes: Buffer.from(kept + '}'.repeat(openGroups(kept)), 'latin1'), report };
}

/** Drops metafiles that are none: one of them ends LibreOffice's reading of the whole. They begin with a sign or a header ([MS-WMF] 2.3.2). */
function withoutBrokenMetafiles(text: string, report: Report): string {
  const out: string[] = [];
  let from = 0;
  for (let at = text.indexOf('{\\pict'); at >= 0; at = text.indexOf('{\\pict', at + 1)) {
    BRACE.lastIndex = at + 1;
    const end = BRACE.exec(text)?.index ?? -1;
    if (end < 0) break;
    const inside = text.slice(at + 1, end);
    if (text[end] === '{' || !inside.includes('\\wmetafile')) continue;
    const hex = inside.replace(/\\[a-z]+-?\d*|\s/gi, '');
    if (/^(?:d7cdc69a|0[12]000900)/i.test(hex)) continue;
    report.loss('pictures-not-shown');
    out.push(text.slice(from, at));
    from = end + 1;
    at = end;
  }
  out.push(text.slice(from));
  return out.join('');
}

/** Raw data (`\\bin10 ` and ten bytes) as hex: braces in it are none, for us and for the engine, which stumbles over them. */
function withoutBinary(text: string): string {
  if (!text.includes('\\bin')) return text;
  const out: string[] = [];
  let from = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    BINARY.lastIndex = at;
    const found = BINARY.exec(text);
    if (found === null) {
      at += 2; // a control word goes on behind its first letter, a sign behind itself
      continue;
    }
    const start = BINARY.lastIndex;
    const end = Math.min(text.length, start + Number(found[1]));
    out.push(text.slice(from, at), ' ', Buffer.from(text.slice(start, end), 'latin1').toString('hex'));
    from = end;
    at = end;
  }
  out.push(text.slice(from));
  return out.join('');
}

/** Groups that are never closed: Word closes them at the end, LibreOffice refuses the file. */
function openGroups(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === 0x5c) at += 1;
    else if (sign === 0x7b) depth += 1;
    else if (sign === 0x7d) depth -= 1;
  }
  return Math.min(1000, Math.max(0, depth));
}

function endOfGroup(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === 0x5c) at += 1;
    else if (sign === 0x7b) depth += 1;
    else if (sign === 0x7d && --depth === 0) return at + 1;
  }
  return text.length;
}
