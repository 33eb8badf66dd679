// TIFF files made in tests: plain grey pages without compression.

const [SHORT, LONG] = [3, 4] as const;

/** A file of so many pages of 8 bits of grey: white, or of noise that no coder makes small. */
export function tiff(pages: number, width: number, height: number, noise = false): Buffer {
  const pixels = Buffer.alloc(width * height, 0xff);
  let seed = 1;
  if (noise) for (let at = 0; at < pixels.length; at++) pixels[at] = (seed = (seed * 48271) % 0x7fffffff) & 0xff;
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  const pieces = [head];
  let length = head.length;
  let link: { readonly buffer: Buffer; readonly at: number } = { buffer: head, at: 4 };
  for (let page = 0; page < pages; page++) {
    const entries = [
      [254, LONG, 2], // a page of several
      [256, LONG, width],
      [257, LONG, height],
      [258, SHORT, 8],
      [259, SHORT, 1],
      [262, SHORT, 1], // 0 is black
      [273, LONG, length],
      [277, SHORT, 1],
      [278, LONG, height],
      [279, LONG, pixels.length],
    ] as const;
    const directory = Buffer.alloc(2 + entries.length * 12 + 4);
    directory.writeUInt16LE(entries.length);
    for (const [index, [tag, type, value]] of entries.entries()) {
      directory.writeUInt16LE(tag, 2 + index * 12);
      directory.writeUInt16LE(type, 4 + index * 12);
      directory.writeUInt32LE(1, 6 + index * 12);
      directory.writeUInt32LE(value, 10 + index * 12);
    }
    pieces.push(pixels, directory);
    link.buffer.writeUInt32LE(length + pixels.length, link.at);
    link = { buffer: directory, at: directory.length - 4 };
    length += pixels.length + directory.length;
  }
  return Buffer.concat(pieces);
}
