// Jailed child of the codes family: raw pixels of one page or picture in, what its QR codes say out. ZXing-C++ as WebAssembly,
// a fresh instance for every page: what one page did to the reader no other meets.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { prepareZXingModule, purgeZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { greyOf } from './codes-grey.ts';
import { targetOf } from './html-link.ts';
import { Refusal, serve, whole } from './run.ts';

// As much of it as is used here: neither @types/node nor the es2024 lib declares it.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
};
const require = createRequire(import.meta.url);
const reader = new WebAssembly.Module(readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm')));
const { version } = JSON.parse(
  readFileSync(require.resolve('zxing-wasm/reader/zxing_reader.wasm').replace(/dist\/.*$/, 'package.json'), 'utf8'),
) as { version: string };

/** u32 width, height and pixel format before the pixels. */
const HEAD = 12;
/** Codes of one page; more of them are a pattern, or an attack. */
const MOST_CODES = 20;
/** Characters of a code that are told: a code may hold 7,000. */
const MOST_TOLD = 300;

serve(`zxing-wasm ${version}`, async (job, out) => {
  const bytes = await whole(job);
  if (bytes.length <= HEAD) throw new Refusal('damaged', 'no pixels');
  const [width, height, format] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)];
  const grey = greyOf(format, width, height, bytes.subarray(HEAD));
  if (grey === undefined) throw new Refusal('damaged', `no picture of ${width} × ${height} pixels`);
  await freshReader();
  const file = Buffer.concat([Buffer.from(`P5\n${grey.width} ${grey.height}\n255\n`, 'latin1'), grey.pixels]);
  const codes = await readBarcodes(file, {
    // What telephones look for. The other kinds cost ten times as much, and label goods.
    formats: ['QRCode', 'MicroQRCode', 'RMQRCode'],
    textMode: 'Plain',
    tryHarder: true,
    tryInvert: true,
    tryDownscale: true,
    tryRotate: false, // its three corners tell how a QR code lies
    maxNumberOfSymbols: MOST_CODES,
  });
  for (const { text } of codes) {
    const { shown, remark, detail } = /^https?:/i.test(text.trim())
      ? targetOf(text, '')
      : { shown: '', remark: '', detail: '' };
    const told = shown === '' ? text : shown;
    out.finding('qr-code', told.length > MOST_TOLD ? `${told.slice(0, MOST_TOLD)}…` : told);
    if (remark === 'link-userinfo') out.finding(remark, detail);
  }
});

/** Compiled once, instantiated for every page; the package would load it from the network otherwise. */
async function freshReader(): Promise<void> {
  purgeZXingModule();
  const instantiateWasm = (imports: object, done: (instance: object, module: object) => void): object => {
    const instance = new WebAssembly.Instance(reader, imports);
    done(instance, reader);
    return instance.exports;
  };
  await prepareZXingModule({ overrides: { instantiateWasm }, fireImmediately: true });
}
