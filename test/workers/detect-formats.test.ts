// Every type in docs/formats.md is really told: a sample of each through the detection, so that no line of the table is a wish.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import sharp from 'sharp';
import { FORMATS } from '../../src/sanitise/formats.ts';
import { detect } from '../../workers/detect.ts';
import { tar } from '../support/archives.ts';
import { corpus } from '../support/attack-row.ts';
import { compoundFile } from '../support/compound-file.ts';
import { discImage } from '../support/disc-image.ts';
import { xdw } from '../support/docuworks-files.ts';
import { hangulFile } from '../support/hangul-files.ts';
import { jtd, jtdc } from '../support/jtd-files.ts';
import { zipOf } from '../support/office-files.ts';

const x = Buffer.from('x');
const hex = (head: string, more = 600): Buffer => Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(more)]);
const mainPart = (type: string): Buffer =>
  zipOf({
    'a/b.xml': 'x',
    '[Content_Types].xml': `<Types><Override PartName="/x" ContentType="application/${type}"/></Types>`,
  });
const flat = (kind: string): string =>
  `<?xml version="1.0"?><office:document xmlns:office="x" office:mimetype="application/vnd.oasis.opendocument.${kind}"/>`;
const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: '#ff0000' } });
const heif = (brand: string): Buffer =>
  Buffer.concat([Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1${brand}`, 'latin1'), Buffer.alloc(64)]);

type Sample = Buffer | string | Promise<Buffer> | { readonly name: string; readonly bytes: string };
const SAMPLES: { readonly [type: string]: Sample } = {
  'application/pdf': '%PDF-1.7\n',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.template': mainPart(
    'vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml',
  ),
  'application/msword': compoundFile({ WordDocument: x }),
  'application/vnd.ms-excel': compoundFile({ Workbook: x }),
  'application/vnd.ms-powerpoint': compoundFile({ 'PowerPoint Document': x }),
  'application/x-encrypted-office': compoundFile({ EncryptedPackage: x }),
  'application/x-office-xml': '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>',
  'application/vnd.visio': corpus('office/tika/testVISIO.vsd'),
  'application/x-mspublisher': compoundFile({ 'Quill/QuillSub/CONTENTS': x }),
  'application/vnd.ms-works': corpus('office/tika/testWORKS.wps'),
  'application/vnd.wordperfect': hex('ff575043'),
  'application/vnd.stardivision.writer': compoundFile({ StarWriterDocument: x }),
  'application/vnd.stardivision.calc': compoundFile({ StarCalcDocument: x }),
  'application/vnd.stardivision.impress': compoundFile({ StarDrawDocument3: x }),
  'application/x-js-taro': jtd([0x41]),
  'application/x-js-taro-packed': jtdc(jtd([0x41])),
  'image/emf': Buffer.concat([Buffer.from([1, 0, 0, 0]), Buffer.alloc(36), Buffer.from(' EMF'), Buffer.alloc(60)]),
  'image/wmf': hex('d7cdc69a0000'),
  'image/x-pict': Buffer.concat([Buffer.alloc(522), hex('001102ff0c00')]),
  'image/x-pcx': hex('0a050108000000000100010000', 128),
  'application/rtf': '{\\rtf1 text}',
  'image/jpeg': picture.clone().jpeg().toBuffer(),
  'image/png': picture.clone().png().toBuffer(),
  'image/webp': picture.clone().webp().toBuffer(),
  'image/avif': heif('avif'),
  'image/bmp': hex('424d360000000000000036000000280000000100'),
  'image/x-icon': hex('000001000100'),
  'image/icns': hex('69636e7300000008'),
  'image/heic': heif('heic'),
  'image/heif': heif('mif1'),
  'image/jp2': hex('0000000c6a5020200d0a870a'),
  'image/jxl': hex('ff0a7f00900801'),
  'image/vnd.adobe.photoshop': hex('384250530001'),
  'image/gif': hex('474946383961'),
  'application/vnd.hancom.hwp': hangulFile().then((file) => Buffer.from(file.exportHwp())),
  'application/vnd.hancom.hwpx': hangulFile().then((file) => Buffer.from(file.exportHwpx())),
  'application/vnd.fujixerox.docuworks': xdw([{ kind: 'drawing' }]),
  'image/tiff': picture.clone().tiff().toBuffer(),
  'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'text/plain': 'words',
  'application/xml': '<?xml version="1.0"?><data/>',
  'text/csv': 'a,b,c\n1,2,3\n4,5,6\n',
  'text/tab-separated-values': { name: 'a.tsv', bytes: 'a\tb\n1\t2\n' },
  'text/html': '<!doctype html><p>x',
  'multipart/related':
    'From: <Saved by Blink>\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n',
  'application/zip': zipOf({ 'a.txt': 'x' }),
  'application/x-7z-compressed': hex('377abcaf271c'),
  'application/x-rar-compressed': hex('526172211a0700'),
  'application/x-tar': tar([{ name: 'a.txt', data: x }]),
  'application/gzip': gzipSync('x'),
  'application/x-bzip2': hex('425a6839314159265359'),
  'application/x-xz': hex('fd377a585a00'),
  'application/zstd': zstdCompressSync('x'),
  'application/x-lzh-compressed': hex('16782d6c68302d'),
  'application/vnd.ms-cab-compressed': hex('4d53434600000000'),
  'application/x-compress': hex('1f9d90'),
  'application/x-arj': corpus('archive/opf-arj/MAPS.ARJ'),
  'application/x-cpio': hex('c771', 100),
  'application/x-xar': hex('78617221001c0001'),
  'application/x-self-extracting': Buffer.concat([hex('4d5a', 5000), zipOf({ 'a.txt': 'x' })]),
  'application/epub+zip': zipOf({ mimetype: 'application/epub+zip', 'a.txt': 'x' }),
  'application/x-iso9660-image': discImage({ 'a.txt': x }),
  'message/rfc822': 'From: a@b.c\r\nSubject: s\r\n\r\nx',
  'application/applefile': hex('00051607'),
  'application/x-ds-store': hex('0000000142756431'),
  'application/x-msdownload': hex('4d5a90000300'),
  'application/x-elf': hex('7f454c4602010100'),
  'application/x-sh': '#!/bin/sh\n',
  'application/hta': '<html><head><hta:application id="x"></head></html>',
  'application/x-wsf': '<job><script language="VBScript">x</script></job>',
  'application/x-encoded-script': '#@~^CAAAAA==x',
  'audio/mpeg': hex('fffb9064', 2000),
  'video/mp4': Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), Buffer.alloc(64)]),
  'application/java-archive': zipOf({ 'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0' }),
};

/** Types of packages and flat documents, made from their own names; a note of Windows is known by its name, too. */
function sampleOf(type: string): Sample | undefined {
  const flatKind = /opendocument\.(.+)-flat-xml$/.exec(type)?.[1];
  if (flatKind !== undefined) return flat(flatKind);
  if (/^application\/vnd\.(?:oasis|sun)\./.test(type)) return zipOf({ mimetype: type, 'content.xml': 'x' });
  const made = SAMPLES[type];
  if (made !== undefined) return made;
  const part = /^application\/(vnd\.(?:openxmlformats|ms-(?:word|excel|powerpoint)\.).*)$/.exec(type)?.[1];
  if (part === undefined) return undefined;
  const name = part
    .replace('template.macroenabled.12', 'template.macroEnabledTemplate')
    .replace('macroenabled.12', 'macroEnabled');
  return mainPart(`${name}.main${part.includes('.binary.') ? '' : '+xml'}`);
}

for (const { name, types } of FORMATS)
  it(`${name}: each of its types is told`, async () => {
    for (const type of types) {
      const [called, bytes] =
        type === 'application/x-thumbs-db' ? ['Thumbs.db', compoundFile({ Catalog: x })] : ['', await sampleOf(type)];
      assert.ok(bytes !== undefined, `${type} has no sample`);
      const file = typeof bytes === 'object' && 'name' in bytes ? bytes : { name: called, bytes };
      assert.equal((await detect(Buffer.from(file.bytes as Buffer), file.name)).mimeType, type);
    }
  });
