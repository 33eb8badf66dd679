// What a message tells of itself, kept within what its readers take: the body of message.txt, the remarks of all parts.
import { LIMITS } from '../message/limits.ts';
import type { PartRow, Remark } from '../message/part.ts';
import { forLine } from '../message/untrusted.ts';

/** Remarks that a part keeps, and characters of their details, when those of the whole message are used up. */
const LEAST_REMARKS = 3;
const LEAST_CHARS = 40;
/** Bytes of UTF-8 that one UTF-16 unit takes at most. */
const MOST_BYTES = 3;

/** A body that fits `bodyBytes` of UTF-8, cut between characters; `cut` says whether something is missing. */
export function boundedBody(body: string): { readonly body: string; readonly cut: boolean } {
  const most = LIMITS.bodyBytes;
  if (body.length * MOST_BYTES <= most || Buffer.byteLength(body) <= most) return { body, cut: false };
  let end = Math.floor(most / MOST_BYTES);
  for (let room = most - Buffer.byteLength(body.slice(0, end)); room > MOST_BYTES * 2;) {
    const more = body.slice(end, end + Math.floor(room / MOST_BYTES));
    if (more === '') break;
    end += more.length;
    room -= Buffer.byteLength(more);
  }
  const last = body.charCodeAt(end - 1);
  if (last >= 0xd800 && last < 0xdc00) end -= 1; // half of a character
  return { body: body.slice(0, end), cut: true };
}

/** Rows whose findings and losses are bounded together: those that come late tell less, and none falls silent. */
export function boundedRemarks(rows: readonly PartRow[]): PartRow[] {
  let count = 0;
  let chars = 0;
  const bounded = (remarks: readonly Remark[]): readonly Remark[] => {
    count += remarks.length;
    chars += remarks.reduce((sum, { detail }) => sum + detail.length, 0);
    if (count <= LIMITS.messageRemarks && chars <= LIMITS.messageRemarkChars) return remarks;
    return remarks.slice(0, LEAST_REMARKS).map(({ code, detail }) => ({
      code,
      detail: forLine(detail, LEAST_CHARS),
    }));
  };
  return rows.map((row) => ({ ...row, findings: [...bounded(row.findings)], losses: [...bounded(row.losses)] }));
}
