// What no output of any message may be, whatever was sent: the demo looks at the very bytes that the inner side takes.
import type { VerifiedFile } from '../outbox/verify.ts';

// Controls but TAB and LF; bidi controls, zero-width and tag characters.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
/** Names of PDF that make a file more than pictures. */
const ACTIVE =
  /\/(JavaScript|OpenAction|Launch|URI|GoToR|GoToE|SubmitForm|ImportData|Rendition|RichMedia|EmbeddedFiles?|AcroForm|XFA|Annots|FontFile[23]?|Metadata|Encrypt)\b/;
const JPEG_APP1 = 0xe1;

/** The text of a text output, '' for the others. */
export function textOf(file: VerifiedFile): string {
  return file.name.endsWith('.txt') ? (file.bytes?.toString('utf8') ?? '') : '';
}

/** Everything about a file that must not be. */
export function outputFaults(file: VerifiedFile): string[] {
  const { name, bytes } = file;
  if (bytes === undefined) return [];
  const faults: string[] = [];
  const add = (bad: boolean, what: string): void => {
    if (bad) faults.push(`${name} ${what}`);
  };
  const latin1 = bytes.toString('latin1');
  switch (name.slice(name.lastIndexOf('.') + 1)) {
    case 'txt':
      add(UNSEEN.test(bytes.toString('utf8')), 'holds unseen characters');
      break;
    case 'pdf':
      add(!latin1.startsWith('%PDF-'), 'is no PDF');
      add(ACTIVE.test(latin1), 'holds more than pictures');
      break;
    case 'png':
      add(!latin1.startsWith('\x89PNG'), 'is no PNG');
      add(/eXIf|tEXt|iTXt|zTXt/.test(latin1), 'holds metadata');
      break;
    case 'jpg':
      add(!latin1.startsWith('\xff\xd8\xff'), 'is no JPEG');
      add(
        [...jpegSegments(bytes)].some(({ marker }) => marker === JPEG_APP1),
        'holds metadata',
      );
      break;
    default:
      add(true, 'is of a kind that no output has');
  }
  return faults;
}

/** Width and height of a PNG or JPEG of ours. */
export function pixelsOf(bytes: Buffer): readonly [number, number] | undefined {
  if (bytes.subarray(1, 4).toString('latin1') === 'PNG') return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  for (const { marker, at } of jpegSegments(bytes)) {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
  }
  return undefined;
}

function* jpegSegments(bytes: Buffer): Generator<{ readonly marker: number; readonly at: number }> {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1] ?? 0;
    yield { marker, at };
    if (marker === 0xda) return;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
}
