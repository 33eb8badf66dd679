// Jailed child of the office family: the system's LibreOffice, one document, then gone.
import { convertOffice } from './office/convert.ts';
import { startNative } from './office/native.ts';
import { serve } from './run.ts';

const engine = await startNative();
serve(engine.version, async (job, out) => convertOffice(job, out, engine));
