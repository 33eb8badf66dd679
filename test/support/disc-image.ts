// A small ISO 9660 image with Joliet names (ECMA-119), written by hand.
const SECTOR = 2048;

function both(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(value, at);
  into.writeUInt32BE(value, at + 4);
}

/** Directory record (ECMA-119 §9.1). */
function record(name: Buffer, sector: number, size: number, isFolder: boolean): Buffer {
  const bytes = Buffer.alloc((33 + name.length + 1) & ~1);
  bytes.writeUInt8(bytes.length, 0);
  both(bytes, 2, sector);
  both(bytes, 10, size);
  bytes.set([126, 1, 1, 0, 0, 0, 0], 18); // 2026-01-01
  bytes.writeUInt8(isFolder ? 2 : 0, 25);
  bytes.writeUInt16LE(1, 28);
  bytes.writeUInt16BE(1, 30);
  bytes.writeUInt8(name.length, 32);
  name.copy(bytes, 33);
  return bytes;
}

function folder(sector: number, files: readonly Buffer[]): Buffer {
  const self = [record(Buffer.from([0]), sector, SECTOR, true), record(Buffer.from([1]), sector, SECTOR, true)];
  return Buffer.concat([...self, ...files], SECTOR);
}

/** Volume descriptor (§8.4, §8.5). */
function volume(type: 1 | 2, root: number, sectors: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write(`${String.fromCharCode(type)}CD001\x01`, 0, 'latin1');
  if (type === 2) bytes.write('%/E', 88, 'latin1'); // Joliet, level 3
  both(bytes, 80, sectors);
  for (const [at, value] of [
    [120, 1],
    [124, 1],
    [128, SECTOR],
  ] as const) {
    bytes.writeUInt16LE(value, at);
    bytes.writeUInt16BE(value, at + 2);
  }
  record(Buffer.from([0]), root, SECTOR, true).copy(bytes, 156);
  bytes.writeUInt8(1, 881);
  return bytes;
}

/** An image of these files in its root. */
export function discImage(files: Readonly<Record<string, Buffer>>): Buffer {
  const [plainRoot, jolietRoot, first] = [19, 20, 21];
  const contents: Buffer[] = [];
  const plain: Buffer[] = [];
  const joliet: Buffer[] = [];
  let at = first;
  for (const [name, content] of Object.entries(files)) {
    const wide = Buffer.from(name, 'utf16le').swap16();
    plain.push(record(Buffer.from(`F${plain.length}.DAT;1`), at, content.length, false));
    joliet.push(record(wide, at, content.length, false));
    const sectors = Math.max(1, Math.ceil(content.length / SECTOR));
    contents.push(Buffer.concat([content], sectors * SECTOR));
    at += sectors;
  }
  const end = Buffer.alloc(SECTOR);
  end.write('\xffCD001\x01', 0, 'latin1');
  return Buffer.concat([
    Buffer.alloc(16 * SECTOR),
    volume(1, plainRoot, at),
    volume(2, jolietRoot, at),
    end,
    folder(plainRoot, plain),
    folder(jolietRoot, joliet),
    ...contents,
  ]);
}
