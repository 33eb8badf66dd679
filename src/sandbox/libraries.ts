// Which shared libraries a program needs, as its own dynamic linker says: they are all of the system that a jail shows.
import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { MugaiError } from '../message/errors.ts';

const PT_INTERP = 3;

/** The dynamic linker that an ELF-64 little-endian program names (System V ABI, chapter 5); undefined for a static one. */
export function interpreterOf(program: string): string | undefined {
  const file = openSync(program, 'r');
  try {
    const read = (length: number, at: number): Buffer => {
      const bytes = Buffer.alloc(length);
      readSync(file, bytes, 0, length, at);
      return bytes;
    };
    const head = read(64, 0);
    if (head.toString('latin1', 0, 6) !== '\x7fELF\x02\x01')
      throw new MugaiError('no-jail', `${program} is no 64-bit ELF program`);
    const table = Number(head.readBigUInt64LE(32));
    const size = head.readUInt16LE(54);
    const count = head.readUInt16LE(56);
    for (let index = 0; index < count; index++) {
      const entry = read(size, table + index * size);
      if (entry.readUInt32LE(0) !== PT_INTERP) continue;
      const length = Number(entry.readBigUInt64LE(32));
      return read(length - 1, Number(entry.readBigUInt64LE(8))).toString('latin1'); // without its NUL
    }
    return undefined;
  } finally {
    closeSync(file);
  }
}

/**
 * Absolute paths of all libraries that `file` (a program, or an addon that `linker` is to load) needs, the linker among
 * them. Only ever asked of our own files: the linker maps them to find out.
 */
export async function librariesOf(file: string, linker = interpreterOf(file)): Promise<string[]> {
  if (linker === undefined) return [];
  const { stdout } = await promisify(execFile)(linker, ['--list', file], { env: {}, timeout: 10_000 });
  // "	libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f…)"
  const found = [...stdout.matchAll(/ => (\/\S+) \(0x/g)].map((match) => match[1] as string);
  return [linker, ...found];
}
