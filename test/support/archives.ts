// Archives as attackers make them: a zip and a tar writer that say what they are told, true or not.
import { crc32 } from 'node:zlib';

export interface ZipEntry {
  readonly name: string | Buffer;
  readonly data: Buffer;
  /** 0 stored, 8 deflated already. */
  readonly method?: 0 | 8;
  /** What the directory says of the inflated size. */
  readonly size?: number;
}

/** A zip. `again`: so many more entries in the directory that all share the body of the first. */
export function zip(entries: readonly ZipEntry[], more: { readonly again?: number } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const list = (entry: ZipEntry, offset: number): void => {
    const name = Buffer.from(entry.name);
    directory.push(
      Buffer.from('PK\x01\x02\x14\0', 'latin1'),
      fields(entry, name),
      Buffer.alloc(10),
      offsetOf(offset),
      name,
    );
  };
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields(entry, name), name, entry.data]);
    list(entry, at);
    locals.push(local);
    at += local.length;
  }
  const [first] = entries;
  if (first !== undefined) for (let i = 0; i < (more.again ?? 0); i++) list({ ...first, name: `again${i}` }, 0);
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  const count = Math.min(0xffff, entries.length + (more.again ?? 0));
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, central, end]);
}

/** The 26 bytes that a local header and the directory share. */
function fields(entry: ZipEntry, name: Buffer): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.writeUInt16LE(20, 0);
  bytes.writeUInt16LE(typeof entry.name === 'string' ? 0x800 : 0, 2);
  bytes.writeUInt16LE(entry.method ?? 0, 4);
  bytes.writeUInt32LE(0x5b464980, 6);
  bytes.writeUInt32LE(entry.method === 8 ? 0 : crc32(entry.data), 10);
  bytes.writeUInt32LE(entry.data.length, 14);
  bytes.writeUInt32LE(entry.size ?? entry.data.length, 18);
  bytes.writeUInt16LE(name.length, 22);
  return bytes;
}

function offsetOf(at: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(at, 0);
  return bytes;
}

export interface TarEntry {
  readonly name: string;
  readonly data?: Buffer;
  /** 0 file, 1 hard link, 2 symbolic link, 3 device, 6 pipe. */
  readonly type?: string;
  readonly link?: string;
}

export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, data = Buffer.alloc(0), type = '0', link = '' } of entries) {
    const head = Buffer.alloc(512);
    head.write(name, 0, 100, 'utf8');
    head.write(['0000644', '0000000', '0000000', ''].join('\0'), 100, 'latin1');
    head.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    head.write('00000000000\x00        ', 136, 'latin1');
    head.write(type, 156, 'latin1');
    head.write(link, 157, 100, 'utf8');
    head.write('ustar\x0000', 257, 'latin1');
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    blocks.push(head, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
