// How much of a text was read.

/** Share of the characters of `expected` that are found in their order (longest common subsequence); blanks do not count. */
export function likeness(expected: string, found: string): number {
  const [a, b] = [Array.from(expected.replaceAll(/\s/gu, '')), Array.from(found.replaceAll(/\s/gu, ''))];
  let row = Array.from({ length: b.length + 1 }, () => 0);
  for (const letter of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++)
      next.push(letter === b[j] ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return (row.at(-1) ?? 0) / a.length;
}
