// Compound files ([MS-CFB]) made in tests: streams by path, small ones in the mini stream as everybody writes them.

const SECTOR = 512;
const END = 0xfffffffe;
const FREE = 0xffffffff;

interface Node {
  readonly name: string;
  readonly bytes: Buffer | undefined;
  readonly children: Node[];
}

/** A compound file of these streams; `/` parts the folders of a path. */
export function compoundFile(streams: Readonly<Record<string, Uint8Array>>): Buffer {
  const root: Node = { name: 'Root Entry', bytes: undefined, children: [] };
  for (const [path, bytes] of Object.entries(streams)) place(root, path.split('/'), Buffer.from(bytes));
  const sectors: Buffer[] = [];
  const fat: number[] = [];
  const add = (bytes: Buffer): number => {
    const count = Math.ceil(bytes.length / SECTOR);
    const start = sectors.length;
    for (let i = 0; i < count; i++) {
      const sector = Buffer.alloc(SECTOR);
      bytes.copy(sector, 0, i * SECTOR, (i + 1) * SECTOR);
      sectors.push(sector);
      fat.push(i === count - 1 ? END : start + i + 1);
    }
    return count === 0 ? END : start;
  };
  const mini: Buffer[] = [];
  const miniFat: number[] = [];
  const store = (bytes: Buffer): number => {
    if (bytes.length >= 4096) return add(bytes);
    const start = miniFat.length;
    const count = Math.max(1, Math.ceil(bytes.length / 64));
    for (let i = 0; i < count; i++) {
      const piece = Buffer.alloc(64);
      bytes.copy(piece, 0, i * 64, (i + 1) * 64);
      mini.push(piece);
      miniFat.push(i === count - 1 ? END : start + i + 1);
    }
    return start;
  };
  const entries: Buffer[] = [];
  const write = (node: Node, kind: number, right: number, child: number, start: number, size: number): Buffer => {
    const entry = Buffer.alloc(128);
    entry.write(node.name, 0, 'utf16le');
    entry.writeUInt16LE(node.name.length * 2 + 2, 64);
    entry.writeUInt8(kind, 66);
    entry.writeUInt8(1, 67);
    entry.writeUInt32LE(FREE, 68);
    entry.writeUInt32LE(right, 72);
    entry.writeUInt32LE(child, 76);
    entry.writeUInt32LE(start, 116);
    entry.writeUInt32LE(size, 120);
    return entry;
  };
  entries.push(Buffer.alloc(128));
  /** Writes siblings as a chain to the right; the index of the first. */
  const siblings = (nodes: readonly Node[]): number => {
    let next = FREE;
    for (const node of nodes.toReversed()) {
      const child = node.bytes === undefined ? siblings(node.children) : FREE;
      const start = node.bytes === undefined ? 0 : store(node.bytes);
      entries.push(write(node, node.bytes === undefined ? 1 : 2, next, child, start, node.bytes?.length ?? 0));
      next = entries.length - 1;
    }
    return next;
  };
  const first = siblings(root.children);
  const miniStream = Buffer.concat(mini);
  entries[0] = write(root, 5, FREE, first, add(miniStream), miniStream.length);
  const directory = add(Buffer.concat(entries));
  const miniFatAt = add(Buffer.concat(miniFat.map(u32)));
  const fatSectors = Math.ceil((sectors.length + 8) / (SECTOR / 4)) + 1;
  const fatAt = sectors.length;
  const table = [...fat, ...Array.from({ length: fatSectors }, () => 0xfffffffd)];
  const header = Buffer.alloc(SECTOR, 0xff);
  header.fill(0, 0, 76);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
  header.writeUInt16LE(0x3e, 24);
  header.writeUInt16LE(3, 26);
  header.writeUInt16LE(0xfffe, 28);
  header.writeUInt16LE(9, 30);
  header.writeUInt16LE(6, 32);
  header.writeUInt32LE(fatSectors, 44);
  header.writeUInt32LE(directory, 48);
  header.writeUInt32LE(4096, 56);
  header.writeUInt32LE(miniFatAt, 60);
  header.writeUInt32LE(miniFat.length === 0 ? 0 : Math.ceil(miniFat.length / 128), 64);
  header.writeUInt32LE(END, 68);
  for (let i = 0; i < fatSectors; i++) header.writeUInt32LE(fatAt + i, 76 + i * 4);
  const fatBytes = Buffer.alloc(fatSectors * SECTOR, 0xff);
  table.forEach((value, index) => fatBytes.writeUInt32LE(value, index * 4));
  return Buffer.concat([header, ...sectors, fatBytes]);
}

function place(folder: Node, path: readonly string[], bytes: Buffer): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    folder.children.push({ name, bytes, children: [] });
    return;
  }
  let next = folder.children.find((child) => child.name === name);
  if (next === undefined) folder.children.push((next = { name, bytes: undefined, children: [] }));
  place(next, rest, bytes);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
