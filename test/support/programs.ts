// Headers of programs with nothing to run in them, for archives behind programs.

const STUB_BYTES = 1024;

/** A Windows program of one section, which holds `inside`; `behind` follows the program. */
export function windowsProgram(behind: Buffer, inside: Buffer = Buffer.alloc(0), section = '.text'): Buffer {
  const head = Buffer.alloc(STUB_BYTES);
  head.write('MZ', 0, 'latin1');
  head.writeUInt32LE(128, 60);
  head.write('PE\0\0', 128, 'latin1');
  head.writeUInt16LE(0x8664, 132);
  head.writeUInt16LE(1, 134); // sections
  head.writeUInt16LE(240, 148); // bytes of the optional header
  head.write(section.padEnd(8, '\0'), 392, 'latin1');
  head.writeUInt32LE(inside.length, 400);
  head.writeUInt32LE(inside.length, 408);
  head.writeUInt32LE(STUB_BYTES, 412);
  return Buffer.concat([head, inside, behind]);
}

/** A program of DOS. */
export function dosProgram(behind: Buffer): Buffer {
  const head = Buffer.alloc(STUB_BYTES, 0x90);
  head.fill(0, 0, 64);
  head.write('MZ', 0, 'latin1');
  head.writeUInt16LE(STUB_BYTES / 512, 4);
  return Buffer.concat([head, behind]);
}

/** A program of Linux: one segment, no sections. */
export function linuxProgram(behind: Buffer): Buffer {
  const head = Buffer.alloc(STUB_BYTES);
  Buffer.from('7f454c46020101', 'hex').copy(head);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(62, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeBigUInt64LE(BigInt(STUB_BYTES), 64 + 32);
  return Buffer.concat([head, behind]);
}
