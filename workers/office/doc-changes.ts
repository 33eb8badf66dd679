// Whether a Word document of 97 to 2003 has tracked changes: letters that are marked as inserted or deleted ([MS-DOC] 2.6.1).

/** Where the file information block says the table of pages of letters' properties lies ([MS-DOC] 2.5.6). */
const PAGES = 0xfa;
const PAGE = 512;
const DELETED = 0x0800;
const INSERTED = 0x0801;
/** Bytes of an operand by the kind that a property's number begins with; 0: its first byte says ([MS-DOC] 2.2.5.1). */
const OPERANDS = [1, 1, 2, 4, 2, 2, 0, 3] as const;

/** True when a letter of it is marked. `main` and `table` are its streams. */
export function hasChanges(main: Buffer, table: Buffer): boolean {
  const at = main.readUInt32LE(PAGES);
  const places = table.subarray(at, at + main.readUInt32LE(PAGES + 4));
  const count = Math.floor((places.length - 4) / 8);
  const seen = new Set<number>(); // pages that are named again and again would make a small file long
  for (let n = 0; n < count; n++) {
    const number = places.readUInt32LE((count + 1) * 4 + n * 4) & 0x3fffff;
    if (seen.has(number)) continue;
    seen.add(number);
    if (isMarkedIn(main.subarray(number * PAGE, (number + 1) * PAGE))) return true;
  }
  return false;
}

/** A page of properties: places of its runs, for each half of where its properties are, and in the last byte how many ([MS-DOC] 2.9.33). */
function isMarkedIn(page: Buffer): boolean {
  const runs = page[PAGE - 1] ?? 0;
  for (let n = 0; n < runs; n++) {
    const at = (page[(runs + 1) * 4 + n] ?? 0) * 2;
    if (at > 0 && isMarked(page.subarray(at + 1, at + 1 + (page[at] ?? 0)))) return true;
  }
  return false;
}

function isMarked(properties: Buffer): boolean {
  for (let at = 0; at + 3 <= properties.length;) {
    const number = properties.readUInt16LE(at);
    const first = properties[at + 2] ?? 0;
    if ((number === DELETED || number === INSERTED) && first !== 0) return true;
    at += 2 + (OPERANDS[number >>> 13] || 1 + first);
  }
  return false;
}
