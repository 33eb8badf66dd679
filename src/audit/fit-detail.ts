// What is told of an act when its values would make no line: as many as fit, and how many were left out.
import type { DetailValue } from '../message/act.ts';

/** The value that tells how many are left out. */
export const LEFT_OUT = 'leftOut';
/** Bytes for it, and for what is counted too much or too little of a comma. */
const ROOM = 100;
/** Characters of a text where texts alone are too long. */
const TEXT_CHARS = 200;

type Detail = Readonly<Record<string, DetailValue>>;

/** The detail without `over` bytes of its values: the last ones of its longest lists, and then the ends of its texts. */
export function fitDetail(detail: Detail, over: number): Detail {
  const lists = Object.entries(detail).flatMap(([name, values]) => {
    if (!Array.isArray(values)) return [];
    const sizes = values.map((value) => Buffer.byteLength(JSON.stringify(value)) + 1);
    return [{ name, values, sizes, bytes: sizes.reduce((sum, size) => sum + size, 0) }];
  });
  let left = over + ROOM;
  let leftOut = Number(detail[LEFT_OUT] ?? 0);
  for (; left > 0; leftOut += 1) {
    const longest = lists.toSorted((a, b) => b.bytes - a.bytes)[0];
    const size = longest?.sizes.pop();
    if (longest === undefined || size === undefined) break;
    longest.bytes -= size;
    left -= size;
  }
  const fit: Record<string, DetailValue> = { ...detail };
  for (const { name, values, sizes } of lists) fit[name] = values.slice(0, sizes.length);
  if (leftOut > 0) fit[LEFT_OUT] = leftOut;
  if (left > 0)
    for (const [name, value] of Object.entries(fit))
      if (typeof value === 'string' && value.length > TEXT_CHARS)
        fit[name] = `${value.slice(0, TEXT_CHARS - 1).toWellFormed()}…`;
  return fit;
}
