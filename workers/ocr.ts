// Jailed child of the ocr family: the grey pixels of one page in (PGM), its characters with their places out. Tesseract as
// WebAssembly, a fresh instance for every page: what one page did to the engine no other meets.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { lineRuns, type Line } from './ocr-runs.ts';
import { Refusal, serve, whole } from './run.ts';

const require = createRequire(import.meta.url);

/** As much of the engine as is used here (tesseract.js-core has no types). */
interface Engine {
  readonly FS: { writeFile(path: string, bytes: Uint8Array): void };
  readonly TessBaseAPI: new () => Api;
}
interface Api {
  Init(folder: string, language: string, mode: number): number;
  SetVariable(name: string, value: string): number;
  SetPageSegMode(mode: number): void;
  SetImageFile(orientation: number, angle: number): number;
  Recognize(monitor: null): number;
  GetJSONText(page: number): string;
}
type Start = (options: {
  readonly wasmBinary: Uint8Array;
  readonly print: () => void;
  readonly printErr: () => void;
}) => Promise<Engine>;

const start = require('tesseract.js-core/tesseract-core-simd-lstm.js') as Start;
const wasmBinary = readFileSync(require.resolve('tesseract.js-core/tesseract-core-simd-lstm.wasm'));
/** `jpn` loads `jpn_vert` by itself for lines that run downwards. Both know Latin letters and digits. */
const MODELS = ['jpn', 'jpn_vert'].map((name) => ({
  name,
  bytes: gunzipSync(readFileSync(require.resolve(`@tesseract.js-data/${name}/4.0.0_best_int/${name}.traineddata.gz`))),
}));
const LSTM_ONLY = 1;
/** Columns, tables and lines are found, the page is not turned (PSM_AUTO). */
const WHOLE_PAGE = 3;
const HEADER = /^P5\n(\d+) (\d+)\n255\n/;

serve(`tesseract ${versionOf('tesseract.js-core')}`, async (job, out) => {
  const bytes = await whole(job);
  const header = HEADER.exec(bytes.toString('latin1', 0, 40));
  const height = Number(header?.[2]);
  if (header === null) throw new Refusal('damaged', 'no page of grey pixels');
  const engine = await start({ wasmBinary, print: () => undefined, printErr: () => undefined });
  for (const { name, bytes: model } of MODELS) engine.FS.writeFile(`/${name}.traineddata`, model);
  const api = new engine.TessBaseAPI();
  if (api.Init('/', 'jpn', LSTM_ONLY) !== 0) throw new Error('the models do not load');
  api.SetVariable('preserve_interword_spaces', '1'); // otherwise a blank stands between all Japanese words
  api.SetPageSegMode(WHOLE_PAGE);
  engine.FS.writeFile('/input', bytes);
  if (api.SetImageFile(1, 0) !== 0) throw new Refusal('damaged', 'the engine does not take the page');
  if (api.Recognize(null) !== 0) throw new Refusal('converter-failed', 'the engine gave up');
  out.runs(linesOf(api.GetJSONText(0)).flatMap((line) => lineRuns(line, height)));
});

interface Page {
  readonly blocks?: readonly { readonly paragraphs?: readonly { readonly lines?: readonly Line[] }[] }[];
}

function linesOf(json: string): Line[] {
  const page = JSON.parse(json) as Page;
  return (page.blocks ?? []).flatMap(({ paragraphs = [] }) => paragraphs.flatMap(({ lines = [] }) => lines));
}

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : '';
  return typeof version === 'string' ? version : '';
}
