// WebAssembly put together from its text: small loops beside the engine, so that no binary lies in the repository.

export type Code = readonly (number | Code)[];

// Encoding of a module: WebAssembly core specification 2.0, chapter 5.
export const I32 = 0x7f;
export const V128 = 0x7b;
const VOID = 0x40;

export function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, unsigned(value >>> 7)];
}
function signed(value: number): Code {
  const rest = value >> 7;
  const last = (rest === 0 && (value & 64) === 0) || (rest === -1 && (value & 64) !== 0);
  return last ? [value & 127] : [(value & 127) | 128, signed(rest)];
}
function flat(code: Code): number[] {
  return code.flatMap((part) => (typeof part === 'number' ? part : flat(part)));
}
function sized(code: Code): Code {
  const bytes = flat(code);
  return [unsigned(bytes.length), bytes];
}
function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}
function section(id: number, items: readonly Code[]): Code {
  return [id, sized(list(items))];
}
function text(value: string): Code {
  return sized([...Buffer.from(value, 'latin1')]);
}

// Instructions: operands come first, as on the stack.
export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [value, 0x21, local];
export const int = (value: number): Code => [0x41, signed(value)];
export const add = (a: Code, b: Code): Code => [a, b, 0x6a];
export const subtract = (a: Code, b: Code): Code => [a, b, 0x6b];
export const lessThan = (a: Code, b: Code): Code => [a, b, 0x49];
export const isZero = (a: Code): Code => [a, 0x45];
export const block = (...body: readonly Code[]): Code => [0x02, VOID, body, 0x0b];
export const loop = (...body: readonly Code[]): Code => [0x03, VOID, body, 0x0b];
export const branch = (label: number): Code => [0x0c, label];
export const branchIf = (label: number, condition: Code): Code => [condition, 0x0d, label];
export const simd = (op: number, ...operands: readonly Code[]): Code => [operands, 0xfd, unsigned(op)];
export const load32 = (address: Code, offset: number): Code => [address, 0x28, 0, unsigned(offset)];
export const store32 = (address: Code, offset: number, value: Code): Code => [
  address,
  value,
  0x36,
  0,
  unsigned(offset),
];
export const both = (a: Code, b: Code): Code => [a, b, 0x71];
export const call = (imported: number, ...given: readonly Code[]): Code => [given, 0x10, imported];

/** How many 32-bit integers a function takes and gives. */
export interface Type {
  readonly parameters: number;
  readonly results: number;
}
/** A function; `locals`: how many more of which type it has besides its parameters. */
interface Body {
  readonly name: string;
  readonly type: Type;
  readonly locals: readonly Code[];
  readonly body: Code;
}

const integers = (count: number): Code => list(Array.from({ length: count }, () => [I32]));
const FUNCTION = 0x60;

/** A module that imports the memory as `e.mem` and these functions, from `e`, too, and exports the others by their names. */
export function module(
  imported: readonly (readonly [name: string, type: Type])[],
  bodies: readonly Body[],
): Uint8Array {
  const types = [...imported.map(([, type]) => type), ...bodies.map(({ type }) => type)];
  return Uint8Array.from(
    flat([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        types.map(({ parameters, results }) => [FUNCTION, integers(parameters), integers(results)]),
      ),
      section(2, [
        [text('e'), text('mem'), 0x02, 0x00, unsigned(1)],
        ...imported.map(([name], index) => [text('e'), text(name), 0x00, unsigned(index)]),
      ]),
      section(
        3,
        bodies.map((_body, index) => unsigned(imported.length + index)),
      ),
      section(
        7,
        bodies.map(({ name }, index) => [text(name), 0x00, unsigned(imported.length + index)]),
      ),
      section(
        10,
        bodies.map(({ locals, body }) => sized([list(locals), body, 0x0b])),
      ),
    ]),
  );
}
