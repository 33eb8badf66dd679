// Every way to tamper with a package that we could think of: changed at rest, or sealed by a sealer that was taken over. Each is
// refused, by the rule that it breaks and at the file it breaks it in.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { newMessageId } from '../../src/message/id.ts';
import { MANIFEST } from '../../src/outbox/manifest.ts';
import { GateRefusal, RULES, type Rule } from '../../src/outbox/refusal.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { ownFiles, page, pdfOf } from '../support/own-files.ts';
import {
  KEYS,
  PAIR,
  filesOf,
  recordOf,
  resealed,
  resigned,
  restated,
  sealedPackage,
  type Files,
} from '../support/packages.ts';

const own = await ownFiles();
const file = (name: string): Buffer => own.get(name) as Buffer;
const PDF = 'files/01-plain.pdf';
const LAYERED = 'files/02-layered.pdf';
const JPG = 'files/03-colour.jpg';
const PNG = 'files/04-colour.png';
const TXT = 'files/05-text.txt';
const HONEST = sealedPackage(
  new Map([
    [PDF, file('plain.pdf')],
    [LAYERED, file('layered.pdf')],
    [JPG, file('colour.jpg')],
    [PNG, file('colour.png')],
    [TXT, file('text.txt')],
  ]),
);

interface Manifest {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}
interface Statement {
  subject: { name: string; digest: { sha256: string } }[];
  predicate: {
    reason: string | null;
    policy: { name: string };
    envelope: { to: string[] };
    parts: { path: string; outputs: string[] }[];
    state: string;
    receivedAt: string;
    sanitisedAt: string;
  };
}

/** Changed at rest: no key needed. */
const atRest = (change: (files: Files) => void) => (): Files => {
  const files = new Map(HONEST);
  change(files);
  return files;
};
const envelope = (change: (manifest: Manifest) => unknown) =>
  atRest((files) => {
    const manifest = JSON.parse((files.get(MANIFEST) as Buffer).toString()) as Manifest;
    files.set(MANIFEST, Buffer.from(`${JSON.stringify(change(manifest) ?? manifest)}\n`));
  });
const manifestText = (change: (text: string) => string) =>
  atRest((files) => files.set(MANIFEST, Buffer.from(change((files.get(MANIFEST) as Buffer).toString()))));
const statement = (change: (statement: Statement) => void) => (): Files => restated(HONEST, change);
const statementText = (change: (text: string) => string) => (): Files => resigned(HONEST, change);

/** The text under another name wherever it is named. */
const renamed = (name: string) => statementText((text) => text.replaceAll(TXT, name));

/** A signature of nobody. */
const JUNK = Buffer.alloc(64, 7).toString('base64');
/** The same bytes with another letter before the padding: its last four bits mean nothing. */
function otherBits(sig: string): string {
  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return `${sig.slice(0, 85)}${LETTERS.charAt(LETTERS.indexOf(sig.charAt(85)) ^ 1)}==`;
}

/** Sealed with the key, but not of our form. */
const sealedWith = (name: string, change: (bytes: Buffer) => Buffer) => (): Files =>
  resealed(HONEST, (files) => files.set(name, change(files.get(name) as Buffer)));

/** Replaces the first of `from` in a file, byte for byte (Latin-1). */
const swap = (name: string, from: string, to: string) =>
  sealedWith(name, (bytes) => {
    const text = bytes.toString('latin1');
    assert.ok(text.includes(from), `${name} has no ${from}`);
    return Buffer.from(
      text.replace(from, () => to),
      'latin1',
    );
  });

/** The PDF of some pages, with the data of its nth stream changed and its lengths and offsets put right again. */
async function restreamed(bytes: Buffer, nth: number, change: (data: Buffer) => Buffer): Promise<Buffer> {
  const text = bytes.toString('latin1');
  const match = [...text.matchAll(/\/Length (\d+) >>\nstream\n/g)][nth] as RegExpExecArray;
  const at = match.index + match[0].length;
  const data = change(bytes.subarray(at, at + Number(match[1]))).toString('latin1');
  return mended(
    `${text.slice(0, match.index)}/Length ${data.length} >>\nstream\n${data}${text.slice(at + Number(match[1]))}`,
  );
}

/** Puts the cross-reference table right, as somebody who knows the form would. */
function mended(text: string): Buffer {
  const table = text.lastIndexOf('xref\n0 ');
  const size = Number(/^xref\n0 (\d+)/.exec(text.slice(table))?.[1]);
  const places = new Map<number, number>();
  for (const match of text.matchAll(/(\d+) 0 obj\n/g)) places.set(Number(match[1]), match.index);
  let entries = `xref\n0 ${size}\n0000000000 65535 f \n`;
  for (let number = 1; number < size; number++) entries += `${String(places.get(number)).padStart(10, '0')} 00000 n \n`;
  return Buffer.from(
    `${text.slice(0, table)}${entries}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`,
    'latin1',
  );
}

const one = await pdfOf([page(16, 8, PIXEL.grey4)]);
const photo = await pdfOf([page(24, 16, PIXEL.rgb8, true)]);
const lettered = file('layered.pdf');
/** Streams of `lettered`: image, contents, image, contents, image, contents, map. */
const MAP = 6;
const imageOf = async (change: (data: Buffer) => Buffer): Promise<Buffer> => restreamed(one, 0, change);
const contentsOf = async (change: (data: Buffer) => Buffer): Promise<Buffer> => restreamed(one, 1, change);
const photoOf = async (change: (data: Buffer) => Buffer): Promise<Buffer> => restreamed(photo, 0, change);
const rewritten = async (nth: number, change: (text: string) => string): Promise<Buffer> =>
  restreamed(lettered, nth, (data) => deflateSync(Buffer.from(change(inflateSync(data).toString('latin1')), 'latin1')));
const textOf = async (change: (text: string) => string): Promise<Buffer> => rewritten(1, change);
const mapOf = async (change: (text: string) => string): Promise<Buffer> => rewritten(MAP, change);
const asPdf = (bytes: Buffer) => sealedWith(PDF, () => bytes);

function chunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(typed));
  return Buffer.concat([head, typed, tail]);
}
/** Puts a chunk behind the PNG's header, or changes the header's bytes. */
const pngWith = (at: number, put: Buffer, cut = 0) =>
  sealedWith(PNG, (bytes) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]));
const AFTER_IHDR = 8 + 25;
const insert = (name: string, at: number, put: Buffer) =>
  sealedWith(name, (bytes) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at)]));
/** The PNG with its data in other pieces. */
const pngRedone = (pieces: (data: Buffer) => Buffer[]) =>
  sealedWith(PNG, (bytes) => {
    const at = bytes.indexOf('IDAT', 0, 'latin1') - 4;
    const size = bytes.readUInt32BE(at);
    const put = pieces(bytes.subarray(at + 8, at + 8 + size)).map((piece) => chunk('IDAT', piece));
    return Buffer.concat([bytes.subarray(0, at), ...put, bytes.subarray(at + 12 + size)]);
  });
/** The JPEG with another second Huffman table (AC 0): these counts of codes, each of the symbol 1. */
const huffman = (counts: number[]) =>
  sealedWith(JPG, (bytes) => {
    const marker = Buffer.from([0xff, 0xc4]);
    const at = bytes.indexOf(marker, bytes.indexOf(marker) + 2);
    const symbols = Buffer.alloc(
      counts.reduce((sum, count) => sum + count),
      1,
    );
    const body = Buffer.concat([Buffer.from([0x10, ...counts]), symbols]);
    const head = Buffer.from([0xff, 0xc4, (body.length + 2) >> 8, (body.length + 2) & 0xff]);
    return Buffer.concat([bytes.subarray(0, at), head, body, bytes.subarray(at + 2 + bytes.readUInt16BE(at + 2))]);
  });
const segment = (marker: number, body: string): Buffer =>
  Buffer.concat([Buffer.from([0xff, marker, 0, body.length + 2]), Buffer.from(body, 'latin1')]);
const sof = (bytes: Buffer): number => bytes.indexOf(Buffer.from([0xff, 0xc0]));

type Case = readonly [rule: Rule, file: string | undefined, make: () => Files | Promise<Files>];

const CASES: { readonly [name: string]: Case } = {
  // ── sealed with the key: parts ──
  'two parts stand at one place': [
    'manifest-schema',
    MANIFEST,
    statement(({ predicate: { parts } }) => {
      const [first, second] = parts;
      if (first !== undefined && second !== undefined) second.path = first.path;
    }),
  ],
  // ── at rest ──
  'a byte of a PDF is changed': [
    'file-digest',
    PDF,
    atRest((f) => f.set(PDF, Buffer.concat([file('plain.pdf').subarray(0, -1), Buffer.from(' ')]))),
  ],
  'a letter of a text is another one': ['file-digest', TXT, atRest((f) => f.set(TXT, Buffer.from('another text\n')))],
  'a picture is another honest picture': ['file-digest', JPG, atRest((f) => f.set(JPG, file('grey.jpg')))],
  'a file is cut': ['file-digest', PNG, atRest((f) => f.set(PNG, file('colour.png').subarray(0, 50)))],
  'a file is empty': ['file-digest', PDF, atRest((f) => f.set(PDF, Buffer.alloc(0)))],
  'a file is gone': ['file-missing', PNG, atRest((f) => f.delete(PNG))],
  'a file more lies beside': ['file-unlisted', 'files/99-more.pdf', atRest((f) => f.set('files/99-more.pdf', one))],
  'the original lies beside': ['file-unlisted', 'original.eml', atRest((f) => f.set('original.eml', Buffer.from('x')))],
  'there is no manifest': ['manifest-missing', undefined, atRest((f) => f.delete(MANIFEST))],
  'the manifest is cut': ['manifest-envelope', MANIFEST, manifestText((text) => text.slice(0, -9))],
  'the envelope has a space more': ['manifest-envelope', MANIFEST, manifestText((text) => text.replace(':', ': '))],
  'the envelope has a field twice': [
    'manifest-envelope',
    MANIFEST,
    manifestText((text) => text.replace('{', '{"payloadType":"x",')),
  ],
  'the envelope has a field more': ['manifest-envelope', MANIFEST, envelope((m) => ({ ...m, note: 'x' }))],
  'the envelope has bytes behind it': ['manifest-envelope', MANIFEST, manifestText((text) => `${text}\n`)],
  'the payload type is another one': [
    'manifest-envelope',
    MANIFEST,
    envelope((m) => ({ ...m, payloadType: 'application/json' })),
  ],
  'the payload is spelled otherwise in base64': [
    'manifest-envelope',
    MANIFEST,
    envelope((m) => ({ ...m, payload: m.payload.endsWith('=') ? m.payload.replace(/=+$/, '') : `${m.payload}=` })),
  ],
  'there is no signature': ['manifest-envelope', MANIFEST, envelope((m) => ({ ...m, signatures: [] }))],
  'a bit of the signature is another one': [
    'manifest-signature',
    MANIFEST,
    envelope((m) => ({
      ...m,
      signatures: m.signatures.map((s) => ({ ...s, sig: (s.sig.startsWith('A') ? 'B' : 'A') + s.sig.slice(1) })),
    })),
  ],
  'the signature is spelled otherwise in base64': [
    'manifest-envelope',
    MANIFEST,
    envelope((m) => ({ ...m, signatures: m.signatures.map((s) => ({ ...s, sig: otherBits(s.sig) })) })),
  ],
  'the signature stands there twice': [
    'manifest-envelope',
    MANIFEST,
    envelope((m) => ({ ...m, signatures: [...m.signatures, ...m.signatures] })),
  ],
  'our key id stands before another signature': [
    'manifest-envelope',
    MANIFEST,
    envelope((m) => ({ ...m, signatures: [...m.signatures.map((s) => ({ ...s, sig: JUNK })), ...m.signatures] })),
  ],
  'the key id is of a key nobody knows': [
    'manifest-signature',
    MANIFEST,
    envelope((m) => ({ ...m, signatures: m.signatures.map((s) => ({ ...s, keyid: '0'.repeat(64) })) })),
  ],
  'another key signed under our key id': [
    'manifest-signature',
    MANIFEST,
    () => resigned(HONEST, (text) => text, generateKeyPairSync('ed25519').privateKey),
  ],
  'the payload says another state, unsigned': [
    'manifest-signature',
    MANIFEST,
    envelope((m) => ({
      ...m,
      payload: Buffer.from(Buffer.from(m.payload, 'base64').toString().replace('"sanitised"', '"held"')).toString(
        'base64',
      ),
    })),
  ],
  // ── sealed with the key ──
  'the manifest has a field more': [
    'manifest-schema',
    MANIFEST,
    statement((s) => Object.assign(s.predicate, { bypass: true })),
  ],
  'the manifest lists a path out of the package': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void ((s.subject[0] as { name: string }).name = '../../etc/passwd')),
  ],
  'the manifest lists a file of another kind': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void ((s.subject[1] as { name: string }).name = 'files/01-run.exe')),
  ],
  'the message came on a day that there is not': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void (s.predicate.receivedAt = '2026-99-99T99:99:99.999Z')),
  ],
  'the message was made harmless on the 30th of February': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void (s.predicate.sanitisedAt = '2026-02-30T00:00:00.000Z')),
  ],
  'the message comes in the year 9999': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void (s.predicate.receivedAt = '9999-12-31T00:00:00.000Z')),
  ],
  'the message came two days after the time in its id': [
    'manifest-schema',
    MANIFEST,
    statement((s) => {
      const came = Date.parse(s.predicate.receivedAt);
      s.predicate.receivedAt = new Date(came + 2 * 24 * 3_600_000).toISOString();
    }),
  ],
  'the manifest has more recipients than a mail may have': [
    'manifest-schema',
    MANIFEST,
    statement((s) => {
      const { to } = s.predicate.envelope;
      while (to.length <= LIMITS.recipients) to.push(`${to.length}@city.example.lg.jp`);
    }),
  ],
  'a recipient of the manifest is longer than an address may be': [
    'manifest-schema',
    MANIFEST,
    statement((s) => s.predicate.envelope.to.push(`${'a'.repeat(380)}@b.jp`)),
  ],
  'the manifest has more parts than a message may have': [
    'manifest-schema',
    MANIFEST,
    statement((s) => {
      const { parts } = s.predicate;
      while (parts.length <= LIMITS.rows) parts.push({ ...parts[0], path: String(parts.length + 100), outputs: [] });
    }),
  ],
  ...Object.fromEntries(
    [
      ['steers a terminal', '\u001b[2K'],
      ['has a second header line', 'x\nBcc: a@b'],
      ['has a control of C1', '\u009b8m'],
      ['turns the order of its letters', '\u202Efdp.exe'],
      ['hides letters', 'a\u200bb'],
      ['has half of a pair', '\ud800'],
    ].map(([what, text]): [string, Case] => [
      `a string of the manifest ${what}`,
      ['manifest-schema', MANIFEST, statement((s) => void (s.predicate.policy.name = text as string))],
    ]),
  ),
  'a file has a name that turns': ['manifest-schema', MANIFEST, renamed('files/05-\u202Etxt.txt')],
  'a file has a name with a space in it': ['manifest-schema', MANIFEST, renamed('files/05-CON .txt')],
  'a file has a name of markup': ['manifest-schema', MANIFEST, renamed('files/05-<script>.txt')],
  'a file has two endings': ['manifest-schema', MANIFEST, renamed('files/05-a.exe.txt')],
  'the message is whole, for a reason': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void (s.predicate.reason = 'malware')),
  ],
  'the message is refused for no reason': [
    'manifest-schema',
    MANIFEST,
    statement((s) => void (s.predicate.state = 'refused')),
  ],
  'something came of a part that was refused': [
    'manifest-schema',
    MANIFEST,
    statement((s) => Object.assign(s.predicate.parts[0] as object, { verdict: 'refused', reason: 'malware' })),
  ],
  'a part is held for no reason': [
    'manifest-schema',
    MANIFEST,
    statement((s) =>
      s.predicate.parts.push({ ...(s.predicate.parts[0] as object), verdict: 'held', outputs: [] } as never),
    ),
  ],
  'a mail has no text': [
    'manifest-files',
    MANIFEST,
    statement((s) => void (s.subject = s.subject.filter(({ name }) => name !== 'message.txt'))),
  ],
  'the manifest has its keys in another order': [
    'manifest-canonical',
    MANIFEST,
    statement((s) => {
      const { state } = s.predicate;
      delete (s.predicate as { state?: string }).state;
      s.predicate.state = state;
    }),
  ],
  'the manifest has a key twice': [
    'manifest-canonical',
    MANIFEST,
    statementText((text) => text.replace('"state":', '"state":"held","state":')),
  ],
  'the manifest spells a letter by an escape': [
    'manifest-canonical',
    MANIFEST,
    statementText((text) => text.replace('"sanitised"', '"\\u0073anitised"')),
  ],
  'a file is listed twice': [
    'manifest-files',
    MANIFEST,
    statement((s) => s.subject.push(s.subject[1] as Statement['subject'][0])),
  ],
  'a file is listed that no part made': [
    'manifest-files',
    MANIFEST,
    statement((s) => void ((s.predicate.parts[0] as { outputs: string[] }).outputs = [])),
  ],
  'a part made a file that is not listed': [
    'manifest-files',
    MANIFEST,
    statement((s) => s.predicate.parts[0]?.outputs.push('files/09-x.pdf')),
  ],
  'a PDF opens with an action': [
    'pdf-catalog',
    PDF,
    swap(PDF, '/Pages 2 0 R >>', '/Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>'),
  ],
  'a PDF names embedded files': ['pdf-catalog', PDF, swap(PDF, '/Type /Catalog', '/Type /Catalog /Names << >>')],
  'a page has an annotation': ['pdf-page', PDF, swap(PDF, '/Type /Page ', '/Type /Page /Annots [9 0 R] ')],
  'a page has a second image': ['pdf-page', PDF, swap(PDF, '/I 3 0 R', '/I 3 0 R /J 6 0 R')],
  'a page has other sides than its drawing': ['pdf-page', PDF, swap(PDF, '/MediaBox [0 0 4.5', '/MediaBox [0 0 4.6')],
  'a page has the image of another one': ['pdf-page', PDF, swap(PDF, '/XObject << /I 6 0 R', '/XObject << /I 3 0 R')],
  'a page draws text without a layer': [
    'pdf-contents',
    PDF,
    async () => asPdf(await contentsOf((data) => Buffer.concat([data, Buffer.from(' BT ET')])))(),
  ],
  'a page draws its image twice': [
    'pdf-contents',
    PDF,
    async () => asPdf(await contentsOf((data) => Buffer.concat([data, Buffer.from(' /I Do')])))(),
  ],
  'a page is as large as a field': [
    'pdf-contents',
    PDF,
    async () => asPdf(await contentsOf(() => Buffer.from('q 99999 0 0 8 0 0 cm /I Do Q')))(),
  ],
  'an image has a mask': ['pdf-image', PDF, swap(PDF, '/BitsPerComponent', '/SMask 9 0 R /BitsPerComponent')],
  'an image has a filter before its filter': [
    'pdf-image',
    PDF,
    swap(PDF, '/Filter /FlateDecode', '/Filter [/ASCIIHexDecode /FlateDecode]'),
  ],
  'an image is JPEG 2000': ['pdf-image', PDF, swap(PDF, '/DCTDecode', '/JPXDecode')],
  'an image lies in a file outside': ['pdf-image', PDF, swap(PDF, '/Length', '/F (http://example.com/x) /Length')],
  'an image is larger than any may be': [
    'pdf-image-size',
    PDF,
    swap(PDF, '/Width 9 /Height 7', '/Width 9999 /Height 9999'),
  ],
  'an image has more rows than it says': [
    'pdf-image-data',
    PDF,
    async () => asPdf(await imageOf((data) => deflateSync(Buffer.concat([inflateSync(data), Buffer.from('MZ')]))))(),
  ],
  'an image has fewer rows than it says': [
    'pdf-image-data',
    PDF,
    async () => asPdf(await imageOf((data) => deflateSync(inflateSync(data).subarray(1))))(),
  ],
  'an image inflates to a gigabyte': [
    'pdf-image-data',
    PDF,
    async () => asPdf(await imageOf(() => deflateSync(Buffer.alloc(1 << 17))))(),
  ],
  'an image has a file behind its data': [
    'pdf-image-data',
    PDF,
    async () => asPdf(await imageOf((data) => Buffer.concat([data, Buffer.from('PK\u0003\u0004')])))(),
  ],
  'an image is no data at all': [
    'pdf-image-data',
    PDF,
    async () => asPdf(await imageOf(() => Buffer.from('MZ this is a program')))(),
  ],
  'a JPEG in a PDF has metadata': [
    'jpeg-marker',
    PDF,
    async () =>
      asPdf(await photoOf((data) => Buffer.concat([data.subarray(0, 2), segment(0xe1, 'Exif'), data.subarray(2)])))(),
  ],
  'a JPEG in a PDF has other sides than the PDF says': [
    'jpeg-size',
    PDF,
    async () =>
      asPdf(
        await photoOf((data) => {
          const copy = Buffer.from(data);
          copy.writeUInt16BE(17, sof(copy) + 5);
          return copy;
        }),
      )(),
  ],
  'a JPEG in a PDF has bytes behind it': [
    'jpeg-end',
    PDF,
    async () => asPdf(await photoOf((data) => Buffer.concat([data, Buffer.from('PK')])))(),
  ],
  'a PDF has another header': ['pdf-header', PDF, swap(PDF, '%PDF-1.7', '%PDF-2.0')],
  'a PDF has bytes before it': ['pdf-header', PDF, insert(PDF, 0, Buffer.from('#!/bin/sh\n'))],
  'a PDF has an update section': [
    'pdf-end',
    PDF,
    sealedWith(PDF, (bytes) => Buffer.concat([bytes, Buffer.from('1 0 obj\n<< >>\nendobj\n')])),
  ],
  'a PDF has a comment between its objects': ['pdf-object', PDF, swap(PDF, 'endobj\n4 0 obj', 'endobj\n% x\n4 0 obj')],
  'a PDF has an object more': [
    'pdf-object',
    PDF,
    swap(PDF, '2 0 obj\n<< /Type /Pages', '99 0 obj\n<< >>\nendobj\n2 0 obj\n<< /Type /Pages'),
  ],
  'a PDF has its objects in another order': ['pdf-object', PDF, swap(PDF, '3 0 obj', '5 0 obj')],
  'a PDF counts other pages': ['pdf-pages', PDF, swap(PDF, '/Count 4', '/Count 3')],
  'a PDF inherits something from its tree': ['pdf-pages', PDF, swap(PDF, '/Type /Pages', '/Type /Pages /AA << >>')],
  'a PDF points at another place': ['pdf-xref', PDF, swap(PDF, '0000000015 00000 n', '0000000016 00000 n')],
  'a PDF has a second root': ['pdf-trailer', PDF, swap(PDF, '/Root 1 0 R', '/Root 1 0 R /Prev 9')],
  'a PDF is encrypted': ['pdf-trailer', PDF, swap(PDF, '/Root 1 0 R', '/Root 1 0 R /Encrypt 9 0 R')],
  'a PDF ends early': ['pdf-trailer', PDF, sealedWith(PDF, (bytes) => bytes.subarray(0, -3))],
  'a font brings a program': ['pdf-font', LAYERED, swap(LAYERED, '/StemV 80', '/StemV 80 /FontFile2 9 0 R')],
  'a text layer can be seen': ['pdf-text', LAYERED, async () => sealedWith(LAYERED, () => lettered2)()],
  'a text layer has more runs than a page may have': [
    'pdf-text',
    LAYERED,
    async () => sealedWith(LAYERED, () => lettered8)(),
  ],
  'a text layer draws a form': ['pdf-text', LAYERED, async () => sealedWith(LAYERED, () => lettered3)()],
  'a text layer shows a letter that the map does not know': [
    'pdf-map',
    LAYERED,
    async () => sealedWith(LAYERED, () => lettered4)(),
  ],
  'a map turns the order of letters': ['pdf-map', LAYERED, async () => sealedWith(LAYERED, () => lettered5)()],
  'a map runs a program': ['pdf-map', LAYERED, async () => sealedWith(LAYERED, () => lettered6)()],
  'a map knows half a letter': ['pdf-map', LAYERED, async () => sealedWith(LAYERED, () => lettered7)()],
  'a JPEG has a comment': ['jpeg-marker', JPG, insert(JPG, 2, segment(0xfe, 'hello'))],
  'a JPEG has an EXIF thumbnail': ['jpeg-marker', JPG, insert(JPG, 2, segment(0xe1, 'Exif\0\0'))],
  'a JPEG is no JPEG': ['jpeg-start', JPG, sealedWith(JPG, () => Buffer.from('GIF89a'))],
  'a JPEG is progressive': [
    'jpeg-marker',
    JPG,
    sealedWith(JPG, (bytes) => {
      const copy = Buffer.from(bytes);
      copy[sof(copy) + 1] = 0xc2;
      return copy;
    }),
  ],
  'a JPEG has twelve bits': [
    'jpeg-frame',
    JPG,
    sealedWith(JPG, (bytes) => {
      const copy = Buffer.from(bytes);
      copy[sof(copy) + 4] = 12;
      return copy;
    }),
  ],
  'a JPEG is larger than any may be': [
    'jpeg-size',
    JPG,
    sealedWith(JPG, (bytes) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt16BE(60000, sof(copy) + 5);
      return copy;
    }),
  ],
  'a JPEG has a Huffman table of too many codes': [
    'jpeg-table',
    JPG,
    sealedWith(JPG, (bytes) => {
      const copy = Buffer.from(bytes);
      copy[copy.indexOf(Buffer.from([0xff, 0xc4])) + 5] = 3;
      return copy;
    }),
  ],
  'a JPEG has a Huffman table of a thousand symbols': [
    'jpeg-table',
    JPG,
    huffman([0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0]),
  ],
  'a JPEG has a Huffman code of ones alone': ['jpeg-table', JPG, huffman([2, ...Array.from({ length: 15 }, () => 0)])],
  'a JPEG has a marker in its scan': [
    'jpeg-scan',
    JPG,
    sealedWith(JPG, (bytes) => Buffer.concat([bytes.subarray(0, -2), Buffer.from([0xff, 0xd0, 1, 0xff, 0xd9])])),
  ],
  'a JPEG has an archive behind it': [
    'jpeg-end',
    JPG,
    sealedWith(JPG, (bytes) => Buffer.concat([bytes, Buffer.from('PK\u0003\u0004')])),
  ],
  'a PNG has text in it': ['png-chunk', PNG, pngWith(AFTER_IHDR, chunk('tEXt', Buffer.from('Comment\0hello')))],
  'a PNG has a profile': ['png-chunk', PNG, pngWith(AFTER_IHDR, chunk('iCCP', Buffer.from('x\0\0')))],
  'a PNG moves': ['png-chunk', PNG, pngWith(AFTER_IHDR, chunk('acTL', Buffer.alloc(8)))],
  'a PNG has a wrong checksum': [
    'png-crc',
    PNG,
    sealedWith(PNG, (bytes) => {
      const copy = Buffer.from(bytes);
      copy[AFTER_IHDR - 1] = (copy[AFTER_IHDR - 1] as number) ^ 1;
      return copy;
    }),
  ],
  'a PNG has a palette': [
    'png-header',
    PNG,
    sealedWith(PNG, (bytes) => {
      const body = Buffer.from(bytes.subarray(16, 29));
      body[9] = 3;
      return Buffer.concat([bytes.subarray(0, 8), chunk('IHDR', body), bytes.subarray(AFTER_IHDR)]);
    }),
  ],
  'a PNG is larger than any may be': [
    'png-size',
    PNG,
    sealedWith(PNG, (bytes) => {
      const body = Buffer.from(bytes.subarray(16, 29));
      body.writeUInt32BE(30_000, 0);
      return Buffer.concat([bytes.subarray(0, 8), chunk('IHDR', body), bytes.subarray(AFTER_IHDR)]);
    }),
  ],
  'a PNG has more rows than it says': [
    'png-data',
    PNG,
    sealedWith(PNG, (bytes) => {
      const body = Buffer.from(bytes.subarray(16, 29));
      body.writeUInt32BE(9, 4);
      return Buffer.concat([bytes.subarray(0, 8), chunk('IHDR', body), bytes.subarray(AFTER_IHDR)]);
    }),
  ],
  'a PNG has its data byte by byte': [
    'png-chunk',
    PNG,
    pngRedone((data) => Array.from(data, (byte) => Buffer.from([byte]))),
  ],
  'a PNG has far more data than its rows can take': [
    'png-data',
    PNG,
    pngRedone((data) => [data, Buffer.alloc(5000)].toReversed()),
  ],
  'a PNG has a program behind it': [
    'png-end',
    PNG,
    sealedWith(PNG, (bytes) => Buffer.concat([bytes, Buffer.from('MZ')])),
  ],
  'a PNG is no PNG': ['png-signature', PNG, sealedWith(PNG, () => Buffer.from('BM123456789012'))],
  'a text is not UTF-8': ['text-utf8', TXT, sealedWith(TXT, () => Buffer.from([0x8c, 0x8f, 0x96, 0xbc]))],
  'a text has an over-long form': ['text-utf8', TXT, sealedWith(TXT, () => Buffer.from([0x61, 0xc0, 0xaf]))],
  'a text ends inside a letter': [
    'text-utf8',
    TXT,
    sealedWith(TXT, (bytes) => Buffer.concat([bytes, Buffer.from([0xe3, 0x81])])),
  ],
  'a text turns the order of its letters': [
    'text-character',
    TXT,
    sealedWith(TXT, () => Buffer.from('invoice\u202Efdp.exe')),
  ],
  'a text steers a terminal': ['text-character', TXT, sealedWith(TXT, () => Buffer.from('\u001b]0;x\u0007'))],
  'a text hides letters': ['text-character', TXT, sealedWith(TXT, () => Buffer.from('a\u{E0041}b'))],
};

const lettered2 = await textOf((text) => text.replace('3 Tr', '0 Tr'));
const lettered3 = await textOf((text) => text.replace('ET', '/X Do ET'));
const lettered4 = await textOf((text) => text.replace(/<[0-9A-F]{4}/, '<FFFE'));
const lettered5 = await mapOf((text) => text.replace(/> <[0-9A-F]{4}>/, '> <202E>'));
const lettered6 = await mapOf((text) => text.replace('endcmap', '(x) run endcmap'));
const lettered8 = await textOf((text) => text.replace(/\/F [^\n]*\n/, (run) => run.repeat(LIMITS.pageRuns + 1)));
const lettered7 = await mapOf((text) => text.replace(/> <[0-9A-F]{4}>/, '> <D842>'));

describe('the gate, given a package that was tampered with', () => {
  it('takes it as it was sealed', async () => {
    const { files } = await verifyPackage(filesOf(HONEST), KEYS, 1e6, new AbortController().signal);
    assert.equal(files.length, 6);
  });

  it('takes what we seal of a record with words that are no clean line, and they are clean there', async () => {
    const id = newMessageId();
    const record = recordOf(id, []);
    const unclean = {
      ...record,
      envelope: { ...record.envelope, from: 'a\u202e\u009b@example.com' },
      policy: { ...record.policy, name: 'two\nlines \u001b[2K' },
      autoSubmitted: '𠮷'.slice(0, 1),
    };
    const files = new Map(
      packageOf(id, unclean, [], new Signer(PAIR.privateKey)).map(({ name, content }) => [name, content as Buffer]),
    );
    const { statement: sealed } = await verifyPackage(filesOf(files), KEYS, 1e6, new AbortController().signal);
    const { envelope: told, policy, autoSubmitted } = sealed.predicate;
    assert.deepEqual([told.from, policy.name, autoSubmitted], ['a@example.com', 'two lines [2K', '\ufffd']);
  });

  for (const [name, [rule, where, make]] of Object.entries(CASES)) {
    it(`refuses it where ${name}: ${rule}`, async () => {
      const files = await make();
      await assert.rejects(verifyPackage(filesOf(files), KEYS, 1e6, new AbortController().signal), (error: unknown) => {
        assert.ok(error instanceof GateRefusal, String(error));
        assert.equal(error.rule, rule, error.message);
        if (where !== undefined) assert.equal(error.file, where, error.message);
        if (/^(pdf|jpeg|png|text)-/.test(rule)) assert.ok(error.offset !== undefined, 'no byte told');
        return true;
      });
    });
  }

  it('has a case for every rule but those that need a disk', () => {
    const tried = new Set(Object.values(CASES).map(([rule]) => rule));
    const elsewhere = ['manifest-id', 'file-too-large', 'page-chain']; // deliver, limits, pages before their package
    assert.deepEqual(
      RULES.filter((rule) => !tried.has(rule)),
      elsewhere,
    );
  });
});
