// RTF without the groups that carry objects of other programs: the engine draws their picture (\result), not them.
import { Report, type Cleaned } from './cleaned.ts';

const OBJECT_DATA = /^\{\s*\\\*?\s*\\?(?:objdata|objclass|objname|template|datastore|themedata)\b/;

/** Drops `{\*\objdata …}` and its kin, at any depth. Linear. */
export function cleanRtf(bytes: Buffer): Cleaned {
  const report = new Report();
  const text = bytes.toString('latin1');
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
  const kept = out
    .join('')
    .replace(/\\(?:fldinst|\*\\fldinst)\b[^{}]{0,20}\b(?:DDEAUTO|DDE|INCLUDETEXT|INCLUDEPICTURE|LINK)\b/gi, () => {
      report.finding('dde');
      return '\\fldinst ';
    });
  return { bytes: Buffer.from(kept, 'latin1'), report };
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
