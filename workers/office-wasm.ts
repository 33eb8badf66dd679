// Jailed child of the office family where the system has no LibreOffice: the same as WebAssembly, one document, then gone.
import { convertOffice } from './office/convert.ts';
import { WASM_VERSION, startWasm } from './office/wasm.ts';
import { serve } from './run.ts';

const engine = await startWasm();
serve(WASM_VERSION, async (job, out) => convertOffice(job, out, engine));
