// What both office engines are to the rest: a document in, a document of another type out. One document a process.
import type { OfficeType } from './sniff.ts';

/** A running LibreOffice, native or WebAssembly. */
export interface OfficeEngine {
  /**
   * Loads a document by its type's filter and saves it as `to`. Throws a `Refusal` when the engine does not take it;
   * whatever else it throws ends the process.
   */
  convert(bytes: Uint8Array, from: OfficeType, to: 'pdf' | 'xlsx' | 'odt' | 'ods'): Promise<Buffer>;
}
