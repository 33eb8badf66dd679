// What PDFium knows of the characters of a page, fetched by a loop beside the engine: five calls a character, which out of
// JavaScript take longer than what they ask for.
import {
  add,
  block,
  both,
  branch,
  branchIf,
  call,
  get,
  int,
  isZero,
  lessThan,
  load32,
  loop,
  module,
  set,
  store32,
} from './assembler.ts';
import type { Pdfium } from './pdfium.ts';

/** Bytes of a record: u32 code point, u32 1 when PDFium made it up, u32 text object, u32 1 when it has a place; then its place. */
export const RECORD = 64;
export const POINT = 0;
export const GENERATED = 4;
export const OBJECT = 8;
export const PLACED = 12;
/** Four f32: left, top, right, bottom of the loose box. */
export const BOX = 16;
/** Two f64. */
export const ORIGIN = 32;
/** Characters fetched at once. */
export const BATCH = 256;

const BLANK = 0x20;
const ASKED = [
  ['FPDFText_GetUnicode', { parameters: 2, results: 1 }],
  ['FPDFText_IsGenerated', { parameters: 2, results: 1 }],
  ['FPDFText_GetTextObject', { parameters: 2, results: 1 }],
  ['FPDFText_GetLooseCharBox', { parameters: 3, results: 1 }],
  ['FPDFText_GetCharOrigin', { parameters: 4, results: 1 }],
] as const;
const [UNICODE, IS_GENERATED, TEXT_OBJECT, LOOSE_BOX, CHAR_ORIGIN] = [0, 1, 2, 3, 4] as const;

const [PAGE, AT, END, OUT] = [0, 1, 2, 3] as const;
const its = [get(PAGE), get(AT)];

/** `fetch(page, at, end, out)`: the records of these characters. */
const fetch = block(
  loop(
    branchIf(1, isZero(lessThan(get(AT), get(END)))),
    store32(get(OUT), POINT, call(UNICODE, ...its)),
    store32(get(OUT), GENERATED, call(IS_GENERATED, ...its)),
    store32(get(OUT), OBJECT, call(TEXT_OBJECT, ...its)),
    store32(get(OUT), PLACED, int(0)),
    block(
      branchIf(0, load32(get(OUT), GENERATED)),
      branchIf(0, lessThan(load32(get(OUT), POINT), int(BLANK + 1))),
      store32(
        get(OUT),
        PLACED,
        both(
          call(LOOSE_BOX, ...its, add(get(OUT), int(BOX))),
          call(CHAR_ORIGIN, ...its, add(get(OUT), int(ORIGIN)), add(get(OUT), int(ORIGIN + 8))),
        ),
      ),
    ),
    set(OUT, add(get(OUT), int(RECORD))),
    set(AT, add(get(AT), int(1))),
    branch(0),
  ),
);

// Neither @types/node nor the es2024 lib declares WebAssembly: as much of it as is used here.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};
const LOOP = new WebAssembly.Module(
  module(ASKED, [{ name: 'fetch', type: { parameters: 4, results: 0 }, locals: [], body: fetch }]),
);

/** Writes the records of the characters from `at` to before `end` to `out`. */
export type Fetch = (page: number, at: number, end: number, out: number) => void;

/** The loop for one engine. */
export function fetchOf(engine: Pdfium): Fetch {
  const asked = Object.fromEntries(ASKED.map(([name]) => [name, engine.exported(name)]));
  const { exports } = new WebAssembly.Instance(LOOP, { e: { mem: engine.memory, ...asked } });
  return (exports as { readonly fetch: Fetch }).fetch;
}
