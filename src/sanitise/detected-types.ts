// Every MIME type that the detection of `workers/detect.ts` may say; a test holds both together. What is none of these is found on no part.
import { FORMATS } from './formats.ts';

/** Those of no format that there is a line for in `formats.ts`: opened without one, or refused. */
const OTHERS: { readonly [family: string]: string } = {
  application:
    'avro dicom eps java-vm mac-binhex40 mbox mxf octet-stream ogg pgp-encrypted pgp-signature pkcs7-mime ' +
    'postscript vnd.android.package-archive vnd.apache.arrow.file vnd.apache.parquet vnd.google.draco ' +
    'vnd.iccprofile vnd.ms-asf vnd.ms-fontobject vnd.ms-htmlhelp vnd.ms-outlook vnd.ms-tnef ' +
    'vnd.oasis.opendocument.graphics-template vnd.oasis.opendocument.presentation-template ' +
    'vnd.oasis.opendocument.spreadsheet-template vnd.oasis.opendocument.text-template vnd.rn-realmedia ' +
    'vnd.sketchup.skp vnd.tcpdump.pcap wasm x-ace-compressed x-apple-diskimage x-asar x-blender x-cfb ' +
    'x-deb x-esri-shape x-ft-windows-registry-hive x-google-chrome-extension x-indesign x-jmp-data x-lz4 ' +
    'x-lzip x-mach-binary x-mie x-mobipocket-ebook x-ms-regedit x-nintendo-nes-rom x-rpm ' +
    'x-shockwave-flash x-spss-sav x-sqlite3 x-unix-archive x-xpinstall x.apple.alias x.autodesk.fbx ' +
    'x.ms.shortcut',
  audio:
    'aac aiff amr ape flac midi mp4 ogg qcelp vnd.dolby.dd-raw wav wavpack x-dsf x-it x-m4a x-ms-asf ' +
    'x-musepack x-s3m x-voc x-xm',
  font: 'collection otf ttf woff woff2',
  image:
    'apng bpg flif heic-sequence heif-sequence j2c jls jpm jpx ktx mj2 vnd.dwg vnd.ms-photo ' +
    'x-adobe-dng x-canon-cr2 x-canon-cr3 x-fujifilm-raf x-nikon-nef x-olympus-orf x-panasonic-rw2 ' +
    'x-sony-arw x-xcf',
  message: 'x-emlx',
  model: '3mf gltf-binary stl',
  text: 'calendar vcard vtt x-uuencode x-yenc',
  video: '3gpp 3gpp2 matroska mp1s mp2p mp2t mpeg ogg quicktime vnd.avi webm x-flv x-m4v x-ms-asf',
};

export const DETECTED_TYPES: ReadonlySet<string> = new Set([
  ...FORMATS.flatMap(({ types }) => types),
  ...Object.entries(OTHERS).flatMap(([family, names]) => names.split(' ').map((name) => `${family}/${name}`)),
]);
