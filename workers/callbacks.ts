// JavaScript functions as entries of a WebAssembly table, so that C code may call them. Emscripten's own `addFunction`
// first reads the whole table of the instance: 5 of the 6 ms that a fresh PDFium took. A module that imports the
// functions and exports them again gives them the types a table asks for (WebAssembly JavaScript interface 2.0, §5.6).
import type { Table } from './pdfium-instance.ts';

/** Parameters and result, all 32-bit integers: `parameters` of them, and `result` when the function returns one. */
export interface Signature {
  readonly parameters: number;
  readonly result: boolean;
}

// Neither @types/node nor the es2024 lib declares WebAssembly: as much of it as is used here.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

const I32 = 0x7f;
const FUNCTION = 0x60;

/** Callbacks of fixed signatures, at most 9 with at most 9 parameters each: no length needs a second byte. */
export class Callbacks {
  readonly #module: object;
  readonly #count: number;

  constructor(signatures: readonly Signature[]) {
    this.#count = signatures.length;
    const name = (index: number): number[] => [1, 0x30 + index];
    const types = signatures.map(({ parameters, result }) => [
      FUNCTION,
      parameters,
      ...Array.from({ length: parameters }, () => I32),
      ...(result ? [1, I32] : [0]),
    ]);
    const imports = signatures.map((_signature, index) => [...name(0), ...name(index), 0, index]);
    const exports = signatures.map((_signature, index) => [...name(index), 0, index]);
    this.#module = new WebAssembly.Module(
      Uint8Array.from([
        0,
        0x61,
        0x73,
        0x6d,
        1,
        0,
        0,
        0,
        ...section(1, types),
        ...section(2, imports),
        ...section(7, exports),
      ]),
    );
  }

  /** Puts the functions at the end of the table; the first one's index, the others follow. */
  place(table: Table, functions: readonly ((...args: number[]) => number | void)[]): number {
    if (functions.length !== this.#count) throw new Error('a function for each signature');
    const given = Object.fromEntries(functions.map((callback, index) => [String(index), callback]));
    const { exports } = new WebAssembly.Instance(this.#module, { 0: given });
    const first = table.grow(this.#count);
    for (let index = 0; index < this.#count; index++) table.set(first + index, exports[String(index)]);
    return first;
  }
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const body = [items.length, ...items.flat()];
  const [low, high] = [body.length & 127, body.length >>> 7]; // below 16,384
  return [id, ...(high === 0 ? [low] : [low | 128, high]), ...body];
}
