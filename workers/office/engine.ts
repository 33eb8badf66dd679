// What both office engines are to the rest: a document in, a document of another type out. One document a process.
import type { OfficeType } from './sniff.ts';

/** A sheet's values; its name as the engine makes it part of a file's name. */
export interface Sheet {
  readonly name: string;
  readonly csv: Uint8Array;
}

/**
 * Options of LibreOffice's CSV export: commas, quotes, UTF-8, from the first line, no cell formats, language of the system,
 * not all text quoted, values as they are shown, no formulas, spaces kept, each sheet in a file of its own.
 */
export const CSV_OPTIONS = '44,34,76,1,,0,false,true,false,false,false,-1';

/** Sheets by the files that an engine made of `in`: `in-<name>.csv`. */
export function sheetName(file: string): string {
  return file.replace(/^[^-]*-/, '').replace(/\.csv$/, '');
}

/** A running LibreOffice, native or WebAssembly. */
export interface OfficeEngine {
  /**
   * Loads a document by its type's filter and saves it as `to`. Throws a `Refusal` when the engine does not take it;
   * whatever else it throws ends the process.
   */
  convert(bytes: Uint8Array, from: OfficeType, to: 'pdf' | 'xlsx' | 'odt'): Promise<Buffer>;
  /** The values of each sheet of a table as they are shown: CSV in UTF-8. Throws as `convert` does. */
  values(bytes: Uint8Array, from: OfficeType): Promise<readonly Sheet[]>;
}
