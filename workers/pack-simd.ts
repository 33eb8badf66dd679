// The inner loops over a page's pixels as 128-bit WebAssembly, assembled here from its text so that no binary lies in the
// repository. They work inside the engine's own memory: the page is not copied. Each goes over the pixels once, packing and
// judging them in the same step; where next to nothing but white is, a step is two loads and a store.

import {
  I32,
  V128,
  add,
  block,
  branch,
  branchIf,
  get,
  int,
  isZero,
  lessThan,
  loop,
  module,
  set,
  simd,
  subtract,
  unsigned,
  type Code,
} from './assembler.ts';

const load = (address: Code, offset: number): Code => [simd(0x00, address), 0, unsigned(offset)];
const storeLow64 = (address: Code, value: Code): Code => [simd(0x5b, address, value), 0, 0, 0];
const store = (address: Code, value: Code): Code => [simd(0x0b, address, value), 0, 0];
const storeLow32 = (address: Code, value: Code): Code => [simd(0x5a, address, value), 0, 0, 0];
const vector = (shorts: readonly number[]): Code => [0xfd, 0x0c, [...new Uint8Array(Uint16Array.from(shorts).buffer)]];
const shuffle = (lanes: readonly number[], a: Code, b: Code): Code => [simd(0x0d, a, b), lanes];
const splat8 = (value: number): Code => simd(0x0f, int(value));
const splat16 = (value: number): Code => simd(0x10, int(value));
const equal8 = (a: Code, b: Code): Code => simd(0x23, a, b);
const above8 = (a: Code, b: Code): Code => simd(0x28, a, b);
const differs32 = (a: Code, b: Code): Code => simd(0x38, a, b);
const and = (a: Code, b: Code): Code => simd(0x4e, a, b);
const andNot = (a: Code, b: Code): Code => simd(0x4f, a, b);
const or = (a: Code, b: Code): Code => simd(0x50, a, b);
const all8 = (a: Code): Code => simd(0x63, a);
const narrow = (a: Code): Code => simd(0x66, a, a);
const right8 = (a: Code, bits: number): Code => simd(0x6d, a, int(bits));
const add8 = (a: Code, b: Code): Code => simd(0x6e, a, b);
const subtract8 = (a: Code, b: Code): Code => simd(0x71, a, b);
const subtractToZero8 = (a: Code, b: Code): Code => simd(0x73, a, b);
const left16 = (a: Code, bits: number): Code => simd(0x8b, a, int(bits));
const right16 = (a: Code, bits: number): Code => simd(0x8d, a, int(bits));
const lowShorts = (a: Code): Code => simd(0x89, a);
const highShorts = (a: Code): Code => simd(0x8a, a);
const right32 = (a: Code, bits: number): Code => simd(0xad, a, int(bits));
const add32 = (a: Code, b: Code): Code => simd(0xae, a, b);
const dot = (a: Code, b: Code): Code => simd(0xba, a, b);
const countBits = (a: Code): Code => [a, 0x69];
const mask32 = (a: Code): Code => simd(0xa4, a);
const mask8 = (a: Code): Code => simd(0x64, a);

const distance8 = (a: Code, b: Code): Code => or(subtractToZero8(a, b), subtractToZero8(b, a));
const pixelsWith = (a: Code): Code => differs32(a, splat8(0));
/** 0..255 → 0..15 rounded: (v − v/16 + 8) / 16. */
const nibble = (a: Code): Code => right8(add8(subtract8(a, right8(a, 4)), splat8(8)), 4);
/** Nibbles in pairs of bytes → one byte each, first one high; eight bytes in the low half. */
const join = (a: Code): Code => narrow(and(or(left16(a, 4), right16(a, 8)), splat16(255)));

// Parameters of every loop, the same for all. Rows lie `stride` bytes apart; what is behind their width is white.
const [FROM, TO, WIDTH, HEIGHT, ROW, STRIDE, AWAY] = [0, 1, 2, 3, 4, 5, 6];
const [X, SOURCE, TARGET, SOFT, COLOUR] = [7, 8, 9, 10, 11];
const [HERE, NEXT, GAP, GREYS, WHITE] = [12, 13, 14, 15, 16];

const count = (counter: number, mask: Code): Code => set(counter, add(get(counter), countBits(mask)));
/** Bytes that differ by 1 to `softStep`. */
const soft = (softStep: number): Code => andNot(above8(get(GAP), splat8(0)), above8(get(GAP), splat8(softStep)));

/**
 * `grey(…)`: pixels of one byte → nibbles, 16 at a time, and how many differ from the one `away` bytes on by 1 to `softStep`.
 */
function grey(softStep: number): Code {
  return rows(16, 8, 16, [
    set(HERE, load(get(SOURCE), 0)),
    set(NEXT, load(add(get(SOURCE), get(AWAY)), 0)),
    unlessWhite(and(get(HERE), get(NEXT)), [
      set(GREYS, get(HERE)),
      set(GAP, distance8(get(HERE), get(NEXT))),
      count(SOFT, mask8(soft(softStep))),
      set(GREYS, nibble(get(GREYS))),
      storeLow64(get(TARGET), join(get(GREYS))),
    ]),
  ]);
}

/**
 * `words(…)`: R, G, B, 255 words → nibbles of green as grey, 16 at a time; how many pixels differ from the one `away` bytes
 * on by 1 to `softStep` in every channel, and how many have channels further apart than the tolerance.
 */
function words(tolerance: number, softStep: number): Code {
  const greens = [1, 5, 9, 13, 17, 21, 25, 29, 0, 0, 0, 0, 0, 0, 0, 0];
  const half = (offset: number): Code => shuffle(greens, load(get(SOURCE), offset), load(get(SOURCE), offset + 16));
  const halves = shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23], half(0), half(32));
  // R, G, B → G, B, R inside each pixel; the fourth byte stays.
  const turned = shuffle([1, 2, 0, 3, 5, 6, 4, 7, 9, 10, 8, 11, 13, 14, 12, 15], get(HERE), get(HERE));
  const below = (offset: number): Code => load(add(get(SOURCE), get(AWAY)), offset);
  const quarters = [0, 16, 32, 48];
  const allWhite = quarters
    .map((offset) => and(load(get(SOURCE), offset), below(offset)))
    .reduce((all, each) => and(all, each));
  return rows(16, 8, 64, [
    set(WHITE, allWhite),
    unlessWhite(get(WHITE), [
      set(GREYS, halves),
      set(GREYS, nibble(get(GREYS))),
      storeLow64(get(TARGET), join(get(GREYS))),
      quarters.map((offset) => [
        set(HERE, load(get(SOURCE), offset)),
        set(NEXT, below(offset)),
        set(GAP, distance8(get(HERE), get(NEXT))),
        count(SOFT, mask32(andNot(pixelsWith(get(GAP)), pixelsWith(above8(get(GAP), splat8(softStep)))))),
        set(GAP, above8(distance8(get(HERE), turned), splat8(tolerance))),
        count(COLOUR, mask32(pixelsWith(get(GAP)))),
      ]),
    ]),
  ]);
}

/** `rgb4(…)`: R, G, B, 255 words → 12 bits each, 4 pixels in 6 bytes. */
function rgb4(): Code {
  const colours = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0];
  return rows(4, 6, 16, [
    set(GREYS, nibble(load(get(SOURCE), 0))),
    set(GREYS, shuffle(colours, get(GREYS), get(GREYS))),
    storeLow64(get(TARGET), join(get(GREYS))),
  ]);
}

/** `rgb8(…)`: R, G, B, 255 words → 8 bits each. The target may be the source. */
function rgb8(): Code {
  const colours = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0];
  return rows(4, 12, 16, [set(HERE, load(get(SOURCE), 0)), store(get(TARGET), shuffle(colours, get(HERE), get(HERE)))]);
}

/** Four words at the source → `GREYS`: their luma (ITU-R BT.601, weights in 1/256) in the four low bytes. */
function lumas(): Code {
  const weights = vector([77, 151, 28, 0, 77, 151, 28, 0]);
  const lanes = (first: number): number[] =>
    [0, 8, 16, 24].flatMap((at) => [0, 1, 2, 3].map((byte) => first + at + byte));
  return [
    set(HERE, load(get(SOURCE), 0)),
    set(NEXT, dot(lowShorts(get(HERE)), weights)),
    set(GAP, dot(highShorts(get(HERE)), weights)),
    set(GREYS, add32(shuffle(lanes(0), get(NEXT), get(GAP)), shuffle(lanes(4), get(NEXT), get(GAP)))),
    set(GREYS, right32(get(GREYS), 8)),
    set(GREYS, shuffle([0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], get(GREYS), get(GREYS))),
  ];
}

/** `grey8(…)`: R, G, B, 255 words → luma. The target may be the source. */
function grey8(): Code {
  return rows(4, 4, 16, [lumas(), storeLow32(get(TARGET), get(GREYS))]);
}

/** `grey4(…)`: R, G, B, 255 words → nibbles of luma. */
function grey4(): Code {
  return rows(4, 2, 16, [lumas(), set(GREYS, nibble(get(GREYS))), storeLow32(get(TARGET), join(get(GREYS)))]);
}

/** White stays white: 16 nibbles of ones; anything else is worked on. */
function unlessWhite(all: Code, work: Code): Code {
  return block(
    block(branchIf(0, isZero(all8(equal8(all, splat8(-1))))), storeLow64(get(TARGET), splat8(-1)), branch(1)),
    work,
  );
}

/**
 * A loop over rows and steps of `pixels` pixels, `from` bytes → `to` bytes. The last step of a row may write past its end; the
 * next row writes over that, and the last row has slack behind it.
 */
function rows(pixels: number, to: number, from: number, step: Code): Code {
  return [
    block(
      loop(
        branchIf(1, isZero(get(HEIGHT))),
        set(X, int(0)),
        set(SOURCE, get(FROM)),
        set(TARGET, get(TO)),
        loop(
          step,
          set(SOURCE, add(get(SOURCE), int(from))),
          set(TARGET, add(get(TARGET), int(to))),
          set(X, add(get(X), int(pixels))),
          branchIf(0, lessThan(get(X), get(WIDTH))),
        ),
        set(FROM, add(get(FROM), get(STRIDE))),
        set(TO, add(get(TO), get(ROW))),
        set(HEIGHT, subtract(get(HEIGHT), int(1))),
        branch(0),
      ),
    ),
    get(SOFT),
    get(COLOUR),
  ];
}

/** Bytes that must be readable (and, for targets, writable) behind pixels and packed rows. */
export const SLACK = 64;
/** Pixels a step takes at most: strides are multiples of it. */
export const STEP = 16;

/** The module; imports the memory as `e.mem`, exports `grey`, `words`, `rgb4`, `rgb8`, `grey8`, `grey4`. */
export function assemble(colourTolerance: number, softStep: number): Uint8Array {
  const bodies: readonly (readonly [name: string, body: Code])[] = [
    ['grey', grey(softStep)],
    ['words', words(colourTolerance, softStep)],
    ['rgb4', rgb4()],
    ['rgb8', rgb8()],
    ['grey8', grey8()],
    ['grey4', grey4()],
  ];
  // from, to, width, height, row bytes, stride, away → soft, coloured
  const type = { parameters: 7, results: 2 };
  const locals = [
    [5, I32],
    [5, V128],
  ];
  return module(
    [],
    bodies.map(([name, body]) => ({ name, type, locals, body })),
  );
}
