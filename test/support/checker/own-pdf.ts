// C2 of the output contract, for the PDFs we write: pages of one image each and nothing else. It reads object by object,
// leaves no byte unread, and is no copy of the gate's reader: two readers that agree are worth more than one.
import { inflateSync } from 'node:zlib';
import { jpegFaults, type Regions } from './own-picture.ts';

/** Names that make a PDF more than pictures. `Font` is judged apart: an invisible text layer has one. */
const ACTIVE =
  /\/(JS|JavaScript|OpenAction|AA|Launch|URI|GoToR|GoToE|SubmitForm|ImportData|Thread|Rendition|Movie|Sound|RichMedia|EmbeddedFiles?|AcroForm|XFA|Annots|Metadata|Encrypt|FontFile[23]?|Names|Outlines|ObjStm|XRef|F|EF|OPI|Ref|Group|Pattern|Shading|ExtGState|ColorSpace\s*<<|Type3|Info|ID|Prev)(?![A-Za-z0-9])/;
/** `/F` is also how a text layer calls its font: in these two places only. */
const OWN_FONT_NAME = /\/Font\s*<<\s*\/F\s+\d+ 0 R\s*>>|^\/F (?=\d)/gm;
/** A dictionary of our own words and numbers alone says nothing of an original, even if that one has a page like it. */
const OWN_WORDS =
  /^(?:<<|>>|\[|\]|\/(?:Type|Pages?|Parent|MediaBox|Resources|XObject|I|Font|F|Contents|Subtype|Image|Width|Height|ColorSpace|DeviceGray|DeviceRGB|BitsPerComponent|Filter|FlateDecode|DCTDecode|Length|Count|Kids|Catalog|Type0|BaseFont|Mugai|Encoding|Identity-H|Identity|DescendantFonts|ToUnicode|CIDFontType2|CIDSystemInfo|Registry|Ordering|Supplement|FontDescriptor|DW|CIDToGIDMap|FontName|Flags|FontBBox|ItalicAngle|Ascent|Descent|CapHeight|StemV)(?![A-Za-z0-9-])|\((?:Adobe|Identity)\)|R|-?\d+(?:\.\d+)?|\s)+$/;
const MAP_FRAME = 800;
const INFLATED_MOST = 512 * 1024 * 1024;

interface PdfObject {
  readonly number: number;
  readonly dictionary: string;
  readonly stream: Buffer | undefined;
}

/** A PDF of ours, judged. */
export interface JudgedPdf {
  readonly faults: readonly string[];
  readonly pages: number;
  /** What the text layer says is not checked here; that there is one is. */
  readonly layered: boolean;
  readonly regions: Regions;
}

/** Reads one of our PDFs; every fault begins with its contract. */
export function judgePdf(bytes: Buffer, name: string): JudgedPdf {
  const faults: string[] = [];
  const add = (what: string): void => void faults.push(`C2 ${name}: ${what}`);
  const structure: Buffer[] = [];
  const pixels: Buffer[] = [];
  const { objects, tail } = objectsOf(bytes, add);
  let pages = 0;
  let images = 0;
  let layered = false;
  for (const object of objects) {
    const { dictionary, stream } = object;
    if (dictionary.includes('#')) add(`object ${object.number} hides a name behind #`);
    const kind = /\/(?:Type|Subtype)\s*\/(\w+)/.exec(dictionary)?.[1] ?? '';
    if (/\/Type\s*\/Page(?!s)/.test(dictionary)) {
      pages += 1;
      if (count(dictionary, /\/XObject\s*<<\s*\/I\s+\d+ 0 R\s*>>/g) !== 1 || count(dictionary, / 0 R/g) > 4)
        add(`page ${pages} refers to more than one image`);
    }
    if (/\/Type\s*\/Font(?![A-Za-z])/.test(dictionary)) layered = true;
    checkNames(dictionary, object.number, add);
    if (!OWN_WORDS.test(dictionary)) structure.push(Buffer.from(dictionary, 'latin1'));
    if (stream === undefined) continue;
    if (/\/Subtype\s*\/Image/.test(dictionary)) {
      images += 1;
      const image = judgeImage(dictionary, stream);
      for (const fault of image.faults) add(`image ${object.number} ${fault}`);
      structure.push(...image.regions.structure);
      pixels.push(...image.regions.pixels);
      continue;
    }
    const decoded = /\/FlateDecode/.test(dictionary) ? inflate(stream) : stream;
    if (decoded === undefined) {
      add(`stream ${object.number} does not inflate`);
      continue;
    }
    const text = decoded.toString('latin1');
    checkNames(text, object.number, add);
    if (text.startsWith('/CIDInit')) {
      // The map of a text layer: a fixed head and foot, which maps of all the world resemble, and pairs of numbers between them.
      const rest = text.replaceAll(/\d+ beginbfchar\n(?:<[0-9A-F]{4}> <(?:[0-9A-F]{4}){1,2}>\n)*endbfchar\n/g, '');
      if (rest.length > MAP_FRAME) add(`map ${object.number} holds more than numbers`);
      continue;
    }
    structure.push(decoded);
    if (kind === '' && / Do\b/.test(text)) {
      const rest = text.replace(/^q [\d.]+ 0 0 [\d.]+ 0 0 cm \/I Do Q/, '');
      if (rest === text) add(`contents ${object.number} are no single image`);
      const visible = rest.trim() !== '' && !/^\s*BT\n3 Tr\n(?:[^\n]* (?:Tm|Tz|Tf|Tj|> Tj)[^\n]*\n)*ET\s*$/.test(rest);
      if (visible) add(`contents ${object.number} draw more than an image and invisible text`);
      if (rest.trim() !== '') layered = true;
    }
  }
  checkNames(tail, 0, add);
  if (pages === 0) add('no page');
  if (images !== pages) add(`${images} images on ${pages} pages`);
  return { faults, pages, layered, regions: { structure, pixels } };
}

function checkNames(text: string, object: number, add: (what: string) => void): void {
  const found = ACTIVE.exec(text.replace(OWN_FONT_NAME, ''));
  if (found !== null) add(`${found[0]} in object ${object}`);
}

/** Every object from the header to the cross-reference table, with nothing between them; and what follows the objects. */
function objectsOf(bytes: Buffer, add: (what: string) => void): { objects: PdfObject[]; tail: string } {
  const objects: PdfObject[] = [];
  const text = bytes.toString('latin1');
  const header = /^%PDF-1\.\d\s+%[\x80-\xff]{4}\s+/.exec(text);
  if (header === null) add('no header of ours');
  let at = header?.[0].length ?? 0;
  const head = /\s*(\d+) 0 obj\s*/y;
  for (;;) {
    head.lastIndex = at;
    const start = head.exec(text);
    if (start === null) break;
    const from = head.lastIndex;
    const end = text.indexOf('endobj', from);
    const streamAt = text.indexOf('stream', from);
    if (end < 0) break;
    if (streamAt < 0 || streamAt > end) {
      objects.push({ number: Number(start[1]), dictionary: text.slice(from, end), stream: undefined });
      at = end + 6;
      continue;
    }
    const dictionary = text.slice(from, streamAt);
    const length = Number(/\/Length (\d+)(?! \d+ R)/.exec(dictionary)?.[1] ?? NaN);
    const dataAt = streamAt + (text.startsWith('stream\r\n', streamAt) ? 8 : 7);
    const after = /\s*endstream\s*endobj/y;
    after.lastIndex = dataAt + length;
    if (!Number.isInteger(length) || !after.test(text)) {
      add(`stream ${start[1]} is not as long as it says`);
      break;
    }
    objects.push({ number: Number(start[1]), dictionary, stream: bytes.subarray(dataAt, dataAt + length) });
    at = after.lastIndex;
  }
  const tail = text.slice(at);
  if (!/^\s*xref\s[\d\sfn]+trailer\s*<<[^<>]*>>\s*startxref\s+\d+\s+%%EOF\s*$/.test(tail))
    add('something between the objects and the end');
  return { objects, tail };
}

function judgeImage(dictionary: string, data: Buffer): { faults: string[]; regions: Regions } {
  const number = (key: string): number => Number(new RegExp(`/${key} (\\d+)`).exec(dictionary)?.[1] ?? NaN);
  const width = number('Width');
  const height = number('Height');
  if (/\/Filter \/DCTDecode/.test(dictionary)) return jpegFaults(data, [width, height]);
  const none: Regions = { structure: [], pixels: [] };
  if (!/\/Filter \/FlateDecode/.test(dictionary)) return { faults: ['has a filter that is not ours'], regions: none };
  const components = /\/ColorSpace \/DeviceRGB/.test(dictionary) ? 3 : 1;
  const inflated = inflate(data);
  if (inflated === undefined) return { faults: ['does not inflate, or has bytes behind its data'], regions: none };
  const right = height * Math.ceil((width * components * number('BitsPerComponent')) / 8);
  const faults = inflated.length === right ? [] : [`has ${inflated.length} bytes of pixels instead of ${right}`];
  return { faults, regions: { structure: [], pixels: [inflated] } };
}

function inflate(data: Buffer): Buffer | undefined {
  try {
    // With `info` the engine says how much it read: bytes behind the end of the data would be a place to hide in.
    const { buffer, engine } = inflateSync(data, { maxOutputLength: INFLATED_MOST, info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return engine.bytesWritten === data.length ? buffer : undefined;
  } catch {
    return undefined;
  }
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
