// The binaries that parse hostile bytes and that nobody can read: each by the digest it had when it was looked at. npm holds what it
// downloads against package-lock.json; this holds what lies on the disk, when a worker starts.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { CODE_ROOT } from './families.ts';

/** sha256 by path below `node_modules`. A new version of a package brings its new digest here, in the same commit. */
export const PINNED: Readonly<Record<string, string>> = {
  '7z-wasm/7zz.wasm': 'e16c6997e2eaa89575c0dd1f305074be629c3f4d87246244d37fd19debc8a285',
  '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm':
    '5aff4e65444480a402898fe7369a9d2bc77e8181f858fc0d10150b2dabf07dee',
  '@embedpdf/pdfium/dist/pdfium.wasm': '5e4cd023c3dad4a895b3571ca573d3fc51bac6de48360d95283134385b954eaa',
  '@jsquash/jxl/codec/dec/jxl_dec.wasm': '165bde0f48f3bdc39c7806365db5bb3b777df67fefff48050841fb4430062433',
  '@matbee/libreoffice-converter/wasm/soffice.data': '8f4e98aa67e108e161cecc7906d7ac0dd3941ef9347f999c3b9dbc049f165020',
  '@matbee/libreoffice-converter/wasm/soffice.wasm': 'ea3d8f3b69bd1e586a8ea973e0dfa61c758612fcc529dc94ac2e30519f8b4f7b',
  '@resvg/resvg-wasm/index_bg.wasm': '22bf6e9f9a100d972da0411a69c5ba504367fc1fa87b3b64e3f35e53926d2d70',
  '@rhwp/core/rhwp_bg.wasm': '8000e4ce320b7994dca6bcd58be0c862144c7b805576504e523a420439da658b',
  '@tesseract.js-data/jpn/4.0.0_best_int/jpn.traineddata.gz':
    '2b63ebfbf1484de4a08ce53b29ef98a1c17658a93cbd38acb665d7d316d0be88',
  '@tesseract.js-data/jpn_vert/4.0.0_best_int/jpn_vert.traineddata.gz':
    '3a4f4df8df8f50f3389fe0da10502effced38faef763d8e540142bdc9b770308',
  'libheif-js/libheif-wasm/libheif-bundle.js': '1e36e2571a8398013ca4b814c87a4c28227e3603329281f0fa3d7b3acaf6d3f3',
  'tesseract.js-core/tesseract-core-simd-lstm.wasm': '34e8d50cac216427d86bf397d610fdd9f49492539bbcdfbfccc4eda20c810bea',
  'zxing-wasm/dist/reader/zxing_reader.wasm': '5003fb4b88c4fbd1fd518a2fd8c8ad365c519e183a08c03a322dddfea3cea84e',
};

/** Resolves when every binary is what was pinned; `bad-config`, naming the first that is not. Some 0.3 s, most of it one file. */
export async function checkPinned(
  packages: string = join(CODE_ROOT, 'node_modules'),
  pinned: Readonly<Record<string, string>> = PINNED,
): Promise<void> {
  for (const [path, wanted] of Object.entries(pinned)) {
    const found = await digestOf(join(packages, path)).catch((error: unknown) => {
      throw new MugaiError('bad-config', `node_modules/${path} cannot be read: ${reasonOf(error)}; run: npm ci`, {
        permanent: true,
        cause: error,
      });
    });
    if (found !== wanted) {
      const why = `node_modules/${path} is not the file that was pinned (sha256 ${found}): it was changed; run: npm ci`;
      throw new MugaiError('bad-config', why, { permanent: true });
    }
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

let held: Promise<void> | undefined;

/** `checkPinned` of this installation, once a process. */
export async function binariesHold(): Promise<void> {
  held ??= checkPinned();
  return held;
}
