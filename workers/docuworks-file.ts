// The layers of a DocuWorks file (.xdw, .xbd): elements of tag, length and value; the last trailer says which entries count; a tree of
// records says which page shows which. Facts of the format: the published notes of EZPZ File XDW, who read 43 public files.
import { LIMITS } from '../src/message/limits.ts';
import { unpackLh5 } from './lh5.ts';
import { Refusal } from './run.ts';

export interface Field {
  readonly tag: number;
  readonly value: Buffer;
}

/** A record of the tree. `attributes` by number; classes are told apart by the first byte (`0xc0` private: a reference). */
export interface DocuRecord {
  readonly depth: number;
  readonly kind: number;
  readonly attributes: ReadonlyMap<number, { readonly isReference: boolean; readonly value: Buffer }>;
}

export interface DocuFile {
  readonly records: readonly DocuRecord[];
  /** The body of an entry by its number. */
  entry(index: number): Buffer | undefined;
}

const RECORDS_MOST = 50_000;

/** Reads trailer, entries and tree. Throws a `Refusal`. */
export function readDocuWorks(bytes: Buffer): DocuFile {
  if (bytes.length < 64) throw new Refusal('damaged', 'DocuWorks cut');
  const length = bytes.readUInt32LE(bytes.length - 4);
  if (length < 8 || length > bytes.length) throw new Refusal('damaged', 'no trailer');
  const trailer = new Map(fields(bytes.subarray(bytes.length - length)).map(({ tag, value }) => [tag, value]));
  const offsets = trailer.get(0x81) ?? Buffer.alloc(0);
  const size = signed(trailer.get(0x83));
  const stored = signed(trailer.get(0x84));
  // In front of the trailer's value: its tag and length, and before them the properties.
  const head = headBefore(bytes, bytes.length - length, length);
  if (stored <= 0 || size <= 0 || stored > head || size > LIMITS.expandedBytes)
    throw new Refusal('damaged', 'no properties');
  const packed = bytes.subarray(head - stored, head);
  const tree = size === stored ? packed : unpackLh5(packed, size);
  return {
    records: recordsOf(tree),
    entry: (index) => {
      if (index < 0 || index * 4 + 4 > offsets.length) return undefined;
      const at = offsets.readUInt32LE(index * 4);
      const element = at < bytes.length ? elementAt(bytes, at) : undefined;
      if (element?.tag !== 0x64) return undefined;
      return fields(element.value).find(({ tag }) => tag === 0x82)?.value;
    },
  };
}

/** Where the element begins whose value begins at `value` and has this length. */
function headBefore(bytes: Buffer, value: number, length: number): number {
  for (let head = value - 2; head >= Math.max(0, value - 6); head--) {
    const element = elementAt(bytes, head);
    if (element !== undefined && (element.tag === 0x65 || element.tag === 0x68) && element.value.length === length)
      return head;
  }
  throw new Refusal('damaged', 'no trailer');
}

interface Element {
  readonly tag: number;
  readonly first: number;
  readonly value: Buffer;
  readonly end: number;
}

/** One element; long tags (`9f 8f 51`) and lengths of up to four bytes. */
function elementAt(bytes: Buffer, start: number): Element | undefined {
  let at = start;
  const first = bytes[at++];
  if (first === undefined) return undefined;
  let tag = first;
  if ((first & 0x1f) === 0x1f) {
    tag = 0;
    for (let more = 0x80; (more & 0x80) !== 0;) {
      const next = bytes[at++];
      if (next === undefined || tag > 0xffffff) return undefined;
      tag = tag * 128 + (next & 0x7f);
      more = next;
    }
  }
  let length = bytes[at++];
  if (length === undefined) return undefined;
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 4 || at + count > bytes.length) return undefined;
    length = bytes.readUIntBE(at, count);
    at += count;
  }
  if (at + length > bytes.length) return undefined;
  return { tag, first, value: bytes.subarray(at, at + length), end: at + length };
}

/** The elements that a value is made of, as far as they can be read. */
export function fields(value: Buffer): Field[] {
  const found: Field[] = [];
  for (let at = 0; at < value.length && found.length < RECORDS_MOST;) {
    const element = elementAt(value, at);
    if (element === undefined) break;
    found.push({ tag: element.tag, value: element.value });
    at = element.end;
  }
  return found;
}

/** A number: big-endian, two's complement, as short as it can be. */
export function signed(value: Buffer | undefined): number {
  if (value === undefined || value.length === 0 || value.length > 6) return 0;
  return value.readIntBE(0, value.length);
}

function recordsOf(tree: Buffer): DocuRecord[] {
  const records: DocuRecord[] = [];
  for (let at = 0; at < tree.length && records.length < RECORDS_MOST;) {
    const element = elementAt(tree, at);
    if (element === undefined || element.tag !== 0x62) break;
    at = element.end;
    records.push(recordOf(element.value));
  }
  return records;
}

function recordOf(value: Buffer): DocuRecord {
  const attributes = new Map<number, { isReference: boolean; value: Buffer }>();
  let depth = 0;
  let kind = 0;
  for (let at = 0; at < value.length;) {
    const element = elementAt(value, at);
    if (element === undefined) break;
    at = element.end;
    if (element.tag === 0x80 && kind === 0) depth = signed(element.value);
    else if (element.tag === 0x62 && kind === 0) kind = signed(element.value) & 0xffff;
    else {
      const isLong = (element.first & 0x1f) === 0x1f;
      const number = isLong ? element.tag : element.tag & 0x1f;
      attributes.set(number, { isReference: element.first >= 0xc0, value: element.value });
    }
  }
  return { depth, kind, attributes };
}
