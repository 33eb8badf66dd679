// Jailed child of the image family: hostile picture in, upright sRGB pixels out. Native decoders (libvips), so the child
// serves one picture and ends.
import sharp, { type Metadata, type Sharp } from 'sharp';
import { LIMITS } from '../src/message/limits.ts';
import { OPERATION, PIXEL } from '../src/sandbox/wire.ts';
import { docuPages } from './docuworks.ts';
import { drawHwp } from './hwp.ts';
import { asAvif, decodeOther, type Rgba } from './image-formats.ts';
import { sendPages } from './page-by-page.ts';
import { pngFrames } from './png-frames.ts';
import { isDocuWorks, isHwp } from './signs.ts';
import { Refusal, serve, whole, type Job, type Out, type PagePixels } from './run.ts';

// Loaders nobody needs are off, and so is every loader that opens a path: an SVG or a VIPS file names other files.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
    'VipsForeignLoadTiffBuffer',
    'VipsForeignLoadHeifBuffer', // AVIF; HEVC is not in it
  ],
});
sharp.cache(false);
sharp.concurrency(1);

const POINTS_PER_INCH = 72;
const DEFAULT_DPI = 96;
/** Densities outside are mistakes or mischief (a 1 dpi picture of 2,000 pixels is a page of 50 m). */
const DPI_RANGE = { from: 20, to: 9600 } as const;

serve(`sharp ${sharp.versions.sharp ?? ''} vips ${sharp.versions.vips}`, async (job, out) => {
  const source = await whole(job);
  if (source.length === 0) throw new Refusal('empty', 'no bytes');
  if (isHwp(source)) return drawHwp(source, job, out, toPage);
  if (isDocuWorks(source)) return drawDocuWorks(source, job, out);
  const { bytes, cut } = await asKnown(source);
  if (!known(bytes)) throw new Refusal('unsupported-type', 'no picture that is read here');
  const first = await describe(bytes);
  if (first.width * first.height > LIMITS.sourcePixels) {
    throw new Refusal('too-many-pixels', `${first.width} × ${first.height} pixels`);
  }
  if (first.format === 'tiff' || (job.operation === OPERATION.frames && (first.pages ?? 1) > 1))
    return convertPages(bytes, first, job, out);
  const page = await decode(bytes, 0);
  out.pages(1);
  const frames = Math.max(first.pages ?? 1, pngFrames(bytes));
  if (frames > 1) out.loss('frames-cut', `the first of ${frames} frames is shown`);
  else if (cut !== undefined) out.loss('frames-cut', cut);
  out.page(page);
});

/** The formats we decode, by their first bytes. */
function known(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 12).toString('latin1');
  return (
    head.startsWith('\xff\xd8\xff') ||
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    /^GIF8[79]a/.test(head) ||
    /^RIFF[^]{4}WEBP/.test(head) ||
    /^[^]{4}ftypavif/.test(head) ||
    head.startsWith('II*\0') ||
    head.startsWith('MM\0*') ||
    head.startsWith('II+\0') || // BigTIFF
    head.startsWith('MM\0+')
  );
}

const FIRST_OF_SEQUENCE = 'the first picture of a sequence is shown';

/** A format that we decode, and what of the file is not in it: others as a PNG of their pixels, as they are where nothing reads them. */
async function asKnown(source: Buffer): Promise<{ readonly bytes: Buffer; readonly cut: string | undefined }> {
  const avif = asAvif(source);
  if (avif !== undefined) return { bytes: avif.bytes, cut: avif.isSequence ? FIRST_OF_SEQUENCE : undefined };
  if (known(source)) return { bytes: source, cut: undefined };
  const decoded = await decodeOther(source);
  if (decoded === undefined || Buffer.isBuffer(decoded)) return { bytes: decoded ?? source, cut: undefined };
  const { width, height, data, frames = 1, isSequence = false } = decoded;
  const png = sharp(data, { raw: { width, height, channels: 4 } }).png({ compressionLevel: 0 });
  const cut = isSequence ? FIRST_OF_SEQUENCE : frames > 1 ? `the first of ${frames} pictures is shown` : undefined;
  return { bytes: await png.toBuffer(), cut };
}

function open(bytes: Buffer, page: number): Sharp {
  // 'error' takes pictures with mere warnings (a wrong ICC size) and refuses those whose pixels are missing.
  return sharp(bytes, { failOn: 'error', limitInputPixels: LIMITS.sourcePixels, page, sequentialRead: true });
}

async function describe(bytes: Buffer): Promise<Metadata> {
  try {
    return await open(bytes, 0).metadata();
  } catch (error) {
    throw refusalOf(error);
  }
}

/** libvips tells its reasons in words only; the pixel limit is the one that is another reason of ours. */
function refusalOf(error: unknown): Refusal {
  const words = error instanceof Error ? error.message : String(error);
  return new Refusal(/pixel limit/i.test(words) ? 'too-many-pixels' : 'damaged', words.split('\n')[0] ?? '');
}

/** A TIFF: every directory is a page, as a fax or a scanner makes them. */
async function convertPages(bytes: Buffer, first: Metadata, job: Job, out: Out): Promise<void> {
  const counted = Math.max(1, first.pages ?? 1);
  const wanted = Math.min(counted, job.maxPages === 0 ? LIMITS.pages : job.maxPages, LIMITS.pages);
  out.pages(wanted);
  if (wanted < counted) out.loss('pages-cut', `${wanted} of ${counted} pages`);
  await sendPages(wanted, async (index) => decode(bytes, index), out);
}

/** The scans of a DocuWorks document. */
async function drawDocuWorks(bytes: Buffer, job: Job, out: Out): Promise<void> {
  const { pages, notes } = docuPages(bytes);
  const wanted = Math.min(pages.length, job.maxPages === 0 ? LIMITS.pages : job.maxPages);
  out.pages(wanted);
  if (wanted < pages.length) out.loss('pages-cut', `${wanted} of ${pages.length} pages`);
  if (notes > 0) out.loss('comments', String(notes));
  await sendPages(wanted, async (index) => decode((await pages[index]?.()) ?? Buffer.alloc(0), 0), out);
}

/** Pixels of four channels, opaque, as a page. */
function toPage({ width, height, data }: Rgba, dpi: number): PagePixels {
  const rgb = Buffer.allocUnsafe(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    rgb[to++] = data[from] as number;
    rgb[to++] = data[from + 1] as number;
    rgb[to++] = data[from + 2] as number;
  }
  const size = { width, height, widthPt: (width / dpi) * POINTS_PER_INCH, heightPt: (height / dpi) * POINTS_PER_INCH };
  return { ...size, ...greyOrColour(rgb, 3) };
}

/** One page or frame: upright, in sRGB, on white, within the pixel caps. Throws a `Refusal`. */
async function decode(bytes: Buffer, index: number): Promise<PagePixels> {
  try {
    const metadata = await open(bytes, index).metadata();
    const { width, height } = metadata.autoOrient;
    const shrink = Math.min(
      1,
      LIMITS.sidePixels / width,
      LIMITS.sidePixels / height,
      Math.sqrt(LIMITS.pagePixels / (width * height)),
    );
    let pipeline = open(bytes, index).autoOrient();
    if (shrink < 1) {
      pipeline = pipeline.resize({
        width: Math.max(1, Math.floor(width * shrink)),
        height: Math.max(1, Math.floor(height * shrink)),
        fit: 'fill',
      });
    }
    const { data, info } = await pipeline
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const dpi = densityOf(metadata);
    const size = {
      width: info.width,
      height: info.height,
      widthPt: (width / dpi) * POINTS_PER_INCH,
      heightPt: (height / dpi) * POINTS_PER_INCH,
    };
    return { ...size, ...greyOrColour(data, info.channels) };
  } catch (error) {
    throw refusalOf(error);
  }
}

function densityOf(metadata: Metadata): number {
  const density = metadata.density ?? 0;
  return density >= DPI_RANGE.from && density <= DPI_RANGE.to ? density : DEFAULT_DPI;
}

/** One channel when the picture is grey throughout. */
function greyOrColour(data: Buffer, channels: number): Pick<PagePixels, 'format' | 'pixels'> {
  if (channels === 1) return { format: PIXEL.grey8, pixels: data };
  if (channels !== 3) throw new Error(`${channels} channels`);
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return { format: PIXEL.rgb8, pixels: data };
  }
  const grey = Buffer.allocUnsafe(data.length / 3);
  for (let i = 0, at = 0; at < grey.length; i += 3) grey[at++] = data[i] as number;
  return { format: PIXEL.grey8, pixels: grey };
}
