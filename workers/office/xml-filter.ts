// XML re-written through a strict parser: elements and attributes that are not wanted are gone, and no DOCTYPE passes.
import { SaxesParser } from 'saxes';
import { Refusal } from '../run.ts';

export type Attributes = Record<string, string>;

/** Decides about what goes by. Names are as written, with their prefix; `local` is without. */
export interface XmlRules {
  /** False: the element and all in it is dropped. May change `attributes`, and give text to put in front. */
  element(local: string, attributes: Attributes, depth: number, name: string): boolean;
  /** Text inside the innermost element, of this local name and depth; what it returns is written. */
  text?(text: string, local: string, depth: number): string;
  /** Something to write before an element that is kept, or before the end of the root (`local` is ''). */
  before?(local: string, depth: number): string;
}

const ESCAPES: { readonly [sign: string]: string } = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);

/** The document without what the rules drop. Throws `damaged` for XML that is none, or that brings a DOCTYPE. */
export function filterXml(bytes: Uint8Array, rules: XmlRules): Buffer {
  const out: string[] = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'];
  walkXml(bytes, rules, out);
  return Buffer.from(out.join(''), 'utf8');
}

/** As `filterXml`, where only the rules are of interest: half of the cost is writing. */
export function readXml(bytes: Uint8Array, rules: XmlRules): void {
  walkXml(bytes, rules, undefined);
}

function walkXml(bytes: Uint8Array, rules: XmlRules, out: string[] | undefined): void {
  const parser = new SaxesParser();
  const open: string[] = [];
  let dropped = 0;
  let failure: Error | undefined;
  parser.on('error', (error) => (failure ??= error));
  // Old OpenOffice names its DTD, which nobody loads; entities of its own are what an attack brings.
  parser.on('doctype', (doctype) => {
    if (doctype.includes('[')) failure ??= new Error('it declares entities');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const local = localOf(name);
    if (dropped > 0 || !rules.element(local, attributes, open.length, name)) {
      dropped += 1;
      open.push(name);
      return;
    }
    if (out !== undefined) {
      out.push(rules.before?.(local, open.length) ?? '', `<${name}`);
      for (const [key, value] of Object.entries(attributes))
        out.push(` ${key}="${escape(value).replace(/[\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`)}"`);
      out.push('>');
    }
    open.push(name);
  });
  parser.on('closetag', () => {
    const name = open.pop() ?? '';
    if (dropped > 0) dropped -= 1;
    else out?.push(open.length === 0 ? (rules.before?.('', 1) ?? '') : '', `</${name}>`);
  });
  const text = (value: string): void => {
    if (dropped > 0 || open.length === 0) return;
    const local = localOf(open.at(-1) ?? '');
    const kept = rules.text === undefined ? value : rules.text(value, local, open.length - 1);
    out?.push(escape(kept));
  };
  parser.on('text', text);
  parser.on('cdata', text);
  try {
    parser.write(decode(bytes)).close();
  } catch (error) {
    failure ??= error instanceof Error ? error : new Error('XML');
  }
  if (failure !== undefined) throw new Refusal('damaged', failure.message.slice(0, 200));
}

function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function decode(bytes: Uint8Array): string {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return new TextDecoder(utf16 ? (bytes[0] === 0xff ? 'utf-16le' : 'utf-16be') : 'utf-8').decode(bytes);
}
