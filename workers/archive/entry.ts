// What both archive readers give: entries in the order of the archive's directory, one after the other.

/** One entry. `bytes` is absent where `trouble` says why. Folders are no entries. */
export interface ArchiveEntry {
  /** Path in the archive as its sender wrote it, decoded. */
  readonly name: string;
  readonly bytes: Uint8Array | undefined;
  /** A reason of the contract. */
  readonly trouble: string;
  readonly findings: readonly { readonly code: string; readonly detail: string }[];
}

/** An entry that could not be opened. */
export function shut(name: string, trouble: string, finding?: string): ArchiveEntry {
  const findings = finding === undefined ? [] : [{ code: finding, detail: name }];
  return { name, bytes: undefined, trouble, findings };
}
