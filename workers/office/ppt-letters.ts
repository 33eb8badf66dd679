// The text of a PowerPoint presentation of 97 to 2003 ([MS-PPT]): of the slides that its last edit shows. Only to know which letters
// must stand on its pages, and what does not; the engine draws them.
import { openPpt, recordAt, records, type PptRecord } from './ppt-records.ts';

const RECORD = {
  document: 0x03e8,
  slide: 0x03ee,
  slidePlace: 0x03f3,
  notes: 0x03f0,
  slideInfo: 0x03f9,
  tagBlob: 0x138b,
  comment: 0x2ee0,
  chars: 0x0fa0,
  bytes: 0x0fa8,
  slideList: 0x0ff0,
} as const;
/** Instances of the lists in a document: slides, masters, notes. */
const LIST = { slides: 0, notes: 2 } as const;
const HIDDEN = 0x0004;
const DEPTH = 32;

/** The words of a presentation, whether slides of it are hidden, have comments, or notes that say something. */
export interface Slides {
  readonly text: string;
  readonly hidden: boolean;
  readonly comments: boolean;
  readonly notes: boolean;
}

/** Undefined where it is not built as one. */
export function pptText(bytes: Buffer): Slides | undefined {
  const opened = openPpt(bytes);
  if (opened === undefined) return undefined;
  const { main, places, document } = opened;
  const whole = recordAt(main, places.get(document) ?? main.length);
  if (whole?.type !== RECORD.document) return undefined;
  const texts: string[] = [];
  let [hidden, comments, notes] = [false, false, false];
  let left = main.length; // slides that lie in each other would make a small file long
  for (const list of records(whole.body)) {
    if (list.type !== RECORD.slideList) continue;
    if (list.instance === LIST.notes) notes = haveWords(list.body, main, places);
    if (list.instance !== LIST.slides) continue;
    let isHidden = false;
    for (const item of records(list.body)) {
      if (item.type === RECORD.slidePlace && item.body.length >= 4) {
        const slide = recordAt(main, places.get(item.body.readUInt32LE(0)) ?? main.length);
        isHidden = slide?.type === RECORD.slide && isHiddenSlide(slide.body);
        hidden ||= isHidden;
        if (slide === undefined || isHidden || left < 0) continue;
        left -= slide.body.length;
        comments ||= hasComment(slide.body);
        texts.push(...textsIn(slide.body));
      } else if (!isHidden) texts.push(...textIn(item));
    }
  }
  return { text: texts.join('\n'), hidden, comments, notes };
}

/** Notes that hold more than the places of number and date, which have a star. */
function haveWords(list: Buffer, main: Buffer, places: ReadonlyMap<number, number>): boolean {
  let left = main.length;
  for (const { type, body } of records(list)) {
    if (type !== RECORD.slidePlace || body.length < 4) continue;
    const notes = recordAt(main, places.get(body.readUInt32LE(0)) ?? main.length);
    if (notes?.type !== RECORD.notes) continue;
    if (textsIn(notes.body).some((text) => /[^\s*]/.test(text))) return true;
    if ((left -= notes.body.length) < 0) break;
  }
  return false;
}

/** A comment lies in a blob among the tags of a slide ([MS-PPT] 2.5.22). */
function hasComment(bytes: Buffer, depth = 0): boolean {
  for (let at = 0; at + 8 <= bytes.length;) {
    const record = recordAt(bytes, at);
    if (record === undefined) break;
    if (record.type === RECORD.comment) return true;
    const isOpen = (bytes.readUInt16LE(at) & 15) === 15 || record.type === RECORD.tagBlob;
    if (isOpen && depth < DEPTH && hasComment(record.body, depth + 1)) return true;
    at += 8 + record.body.length;
  }
  return false;
}

function isHiddenSlide(slide: Buffer): boolean {
  for (const { type, body } of records(slide))
    if (type === RECORD.slideInfo && body.length >= 12) return (body.readUInt16LE(10) & HIDDEN) !== 0;
  return false;
}

/** All texts in a slide: containers have version 15 (2.3.1), and only they are walked into. */
function textsIn(slide: Buffer, depth = 0): string[] {
  const texts: string[] = [];
  for (let at = 0; at + 8 <= slide.length;) {
    const record = recordAt(slide, at);
    if (record === undefined) break;
    if ((slide.readUInt16LE(at) & 15) === 15) {
      if (depth < DEPTH) texts.push(...textsIn(record.body, depth + 1));
    } else texts.push(...textIn(record));
    at += 8 + record.body.length;
  }
  return texts;
}

function textIn({ type, body }: PptRecord): string[] {
  if (type === RECORD.chars) return [body.toString('utf16le')];
  return type === RECORD.bytes ? [body.toString('latin1')] : [];
}
