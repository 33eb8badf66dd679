// How many pictures an animated PNG has (APNG: acTL, before the first of its data).

/** 1 for a PNG that is none, and for what is no PNG. */
export function pngFrames(bytes: Buffer): number {
  if (bytes.toString('hex', 0, 8) !== '89504e470d0a1a0a') return 1;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    const kind = bytes.toString('latin1', at + 4, at + 8);
    if (kind === 'acTL') return bytes.readUInt32BE(at + 8);
    if (kind === 'IDAT') return 1;
  }
  return 1;
}
