// LibreOffice as WebAssembly through its raw C exports (LibreOfficeKit). No file system but its own memory, no socket.
//
// The package's own converter starts LibreOffice's event loop in a thread that fights the calls made here over locks, and
// hangs: `noInitialRun` leaves it out, and `--liftoff-only` (families.ts) the second compilation of 147 MB.
import { readFileSync } from 'node:fs';
// oxlint-disable no-underscore-dangle -- names of C exports
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { Refusal } from '../run.ts';
import type { OfficeEngine } from './engine.ts';
import { fontFiles, fontRules } from './fonts.ts';
import { registry } from './profile.ts';

interface WasmModule {
  readonly FS: {
    readdir(path: string): string[];
    unlink(path: string): void;
    mkdir(path: string): void;
    writeFile(path: string, content: Uint8Array | string): void;
    readFile(path: string): Uint8Array;
    analyzePath(path: string): { readonly exists: boolean };
  };
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _libreofficekit_hook(path: number): number;
  _lok_documentLoadWithOptions(lok: number, url: number, options: number): number;
  _lok_documentSaveAs(document: number, url: number, format: number, options: number): number;
  _lok_documentDestroy(document: number): void;
}

interface Loader {
  createModule(options: object): Promise<WasmModule>;
}

/** Of the 137 fonts in the image: the ones that carry the metrics of Latin faces. The rest only makes the first load slow. */
const KEPT = /^(?:Liberation(?:Sans|Serif|Mono)|Carlito|Caladea)-/;
const FONTS = '/instdir/share/fonts/truetype';
const RULES = '/instdir/share/fontconfig/conf.d/01-mugai.conf';

const require = createRequire(import.meta.url);

/** Version of the engine. */
export const WASM_VERSION = 'LibreOffice-WASM 2.7.2';

/** Starts the engine: 1 to 2 s. */
export async function startWasm(): Promise<OfficeEngine> {
  // The loader changes to its folder to find its files, though it names them by their whole paths; the jail has no chdir.
  process.chdir = () => undefined;
  const loader = require('@matbee/libreoffice-converter/wasm/loader') as Loader;
  const engine = await loader.createModule({ noInitialRun: true, print: () => undefined, printErr: () => undefined });
  const { FS } = engine;
  for (const name of FS.readdir(FONTS))
    if (name.includes('.') && name.length > 2 && !KEPT.test(name)) FS.unlink(`${FONTS}/${name}`);
  for (const file of fontFiles()) FS.writeFile(`${FONTS}/${basename(file)}`, readFileSync(file));
  FS.writeFile(
    RULES,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${fontRules()}</fontconfig>`,
  );
  for (const folder of ['/tmp/input', '/tmp/output', '/instdir/user'])
    if (!FS.analyzePath(folder).exists) FS.mkdir(folder);
  FS.writeFile('/instdir/user/registrymodifications.xcu', registry());
  const text = (value: string): number => {
    const bytes = Buffer.from(`${value}\0`, 'utf8');
    const at = engine._malloc(bytes.length);
    engine.HEAPU8.set(bytes, at);
    return at;
  };
  const kit = engine._libreofficekit_hook(text('/instdir/program'));
  if (kit === 0) throw new Error('LibreOfficeKit does not start');
  let calls = 0;
  return {
    convert: async (bytes, from, to) => {
      calls += 1;
      const source = `/tmp/input/${calls}.${from.extension}`;
      const made = `/tmp/output/${calls}.${to}`;
      FS.writeFile(source, bytes);
      const document = engine._lok_documentLoadWithOptions(kit, text(`file://${source}`), text(''));
      if (document === 0) throw new Refusal('damaged', `not loaded as ${from.filter}`);
      const saved = engine._lok_documentSaveAs(document, text(`file://${made}`), text(to), text(''));
      if (saved === 0 || !FS.analyzePath(made).exists) throw new Refusal('converter-failed', `not saved as ${to}`);
      const result = Buffer.from(FS.readFile(made));
      engine._lok_documentDestroy(document);
      FS.unlink(made);
      FS.unlink(source);
      return result;
    },
  };
}
