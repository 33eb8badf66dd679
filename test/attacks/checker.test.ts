// The checker itself: what the gateway makes of the samples passes, and every way to break the contract is seen.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { fileFaults, judgePackage, originalMail, originalOf, type PackageOnDisk } from '../support/checker/checker.ts';
import { mailFaults } from '../support/checker/own-mail.ts';
import { judgePdf } from '../support/checker/own-pdf.ts';
import { nameFaults, textFaults, utf8Faults } from '../support/checker/text-rules.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

const SAMPLES = new URL('../../samples/', import.meta.url);
const nothing = originalOf();

/** 4 KiB that no compressor shortens, the same at every run. */
function noise(seed: number, length = 4096): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe('the checker', () => {
  let sanitiser: Sanitiser;
  let pdf: Outcome;
  let picture: Outcome;
  before(async () => {
    sanitiser = await openSanitiser();
    pdf = await sanitiser.file('report.pdf', await readFile(new URL('file/vertical.pdf', SAMPLES)));
    picture = await sanitiser.file('p.jpg', await readFile(new URL('file/rotated-gps.jpg', SAMPLES)));
  });
  after(async () => sanitiser[Symbol.asyncDispose]());

  it('passes what the gateway makes of every sample', async () => {
    let checked = 0;
    for (const kind of ['mail', 'file'] as const) {
      for (const name of await readdir(new URL(`${kind}/`, SAMPLES))) {
        const bytes = await readFile(new URL(`${kind}/${encodeURIComponent(name)}`, SAMPLES));
        const { faults } = await sanitiser.judge(kind, kind === 'mail' ? '' : name, bytes);
        assert.deepEqual(faults, [], name);
        checked += 1;
      }
    }
    assert.ok(checked >= 41);
  });

  it('sees C1 broken: controls, bidi, zero width, tags, surrogates, other charsets', () => {
    for (const bad of ['\u001b[31m', 'a\rb', '\u202e', '\u2066', '\u200b', '\ufeff', '\u{e0041}', '\u0085', '\ud800'])
      assert.equal(textFaults(`x${bad}y`, 'text').length, 1, JSON.stringify(bad));
    assert.deepEqual(textFaults('辻\u{e0100} ✈\ufe0f\n\t𠮷', 'text'), []);
    assert.equal(utf8Faults(Buffer.from([0x82, 0xa0]), 'text').length, 1);
  });

  it('sees C7 broken', () => {
    for (const bad of [
      'files/x.pdf',
      'files/01-a.exe',
      'files/01-a.pdf.exe',
      'files/01-../a.pdf',
      'files/01-con.pdf',
      '01-a.pdf',
    ])
      assert.ok(nameFaults(bad).length > 0, bad);
    assert.ok(nameFaults(`files/01-${'a'.repeat(100)}.pdf`).length > 0);
    assert.deepEqual(nameFaults('files/01-研修のお知らせ.pdf'), []);
  });

  it('sees C2 broken in a PDF of ours that was changed', () => {
    const [name, bytes] = [...pdf.files].find(([file]) => file.endsWith('.pdf')) ?? ['', Buffer.alloc(0)];
    assert.deepEqual(judgePdf(bytes, name).faults, []);
    const text = bytes.toString('latin1');
    const changed: readonly (readonly [what: string, to: string])[] = [
      ['an action', text.replace('/Type /Catalog', '/Type /Catalog /OpenAction 9 0 R')],
      ['annotations', text.replace('/MediaBox', '/Annots [] /MediaBox')],
      ['a name in disguise', text.replace('/Type /Catalog', '/Type /Catalog /Open#41ction 9 0 R')],
      ['a second image', text.replace(/\/XObject\s*<<\s*\/I (\d+) 0 R/, '/XObject << /I $1 0 R /J $1 0 R')],
      ['bytes at the end', `${text}hidden`],
      ['bytes between objects', text.replace('endobj\n', 'endobj\n% hidden\n')],
      ['a longer stream', text.replace(/\/Length (\d+)/, (_all, n: string) => `/Length ${Number(n) - 1}`)],
      ['more drawn', text.replace('/I Do Q', '/I Do q')],
    ];
    for (const [what, to] of changed) {
      assert.notEqual(to, text, what);
      assert.notDeepEqual(judgePdf(Buffer.from(to, 'latin1'), name).faults, [], what);
    }
  });

  it('sees C2 broken in a picture of ours that was changed', () => {
    const [name, bytes] = [...picture.files][0] ?? ['', Buffer.alloc(0)];
    assert.deepEqual(fileFaults(name, bytes, nothing), []);
    assert.notDeepEqual(fileFaults(name, Buffer.concat([bytes, Buffer.from('PK')]), nothing), []);
    const exif = Buffer.from([0xff, 0xe1, 0x00, 0x08, 0x45, 0x78, 0x69, 0x66, 0, 0]);
    if (name.endsWith('.jpg')) {
      const withExif = Buffer.concat([bytes.subarray(0, 2), exif, bytes.subarray(2)]);
      assert.notDeepEqual(fileFaults(name, withExif, nothing), []);
    }
  });

  it('sees C3 broken: as it is, inflated, in base64, as pixels, at any offset', () => {
    const secret = noise(7);
    const original = originalOf(
      Buffer.concat([Buffer.from('%PDF-1.4\n1 0 obj\nstream\n'), deflateSync(secret), Buffer.from('\nendstream')]),
    );
    const plain = originalOf(secret);
    for (const offset of [0, 1, 17, 31]) {
      const leak = Buffer.concat([Buffer.alloc(offset, 0x20), secret.subarray(99 + offset, 99 + offset + 64)]);
      for (const against of [original, plain])
        assert.equal(against.inRegions({ structure: [leak], pixels: [] }, 'x').length, 1, `structure, ${offset}`);
      assert.equal(plain.inRegions({ structure: [], pixels: [leak] }, 'x').length, 1, `pixels, ${offset}`);
      assert.equal(plain.inRegions({ structure: [leak.subarray(0, -1)], pixels: [] }, 'x').length, 0, '63 bytes');
    }
    assert.equal(plain.inRegions({ structure: [noise(8)], pixels: [Buffer.alloc(9999, 255)] }, 'x').length, 0);
    const lines = secret.toString('base64').replace(/.{76}/g, '$&\r\n');
    const mail = originalOf(Buffer.from(`From: a\r\n\r\n${lines}\r\n`));
    assert.equal(mail.inText(Buffer.from(`text\n${lines.replaceAll('\r', '')}`), 'message.txt').length, 1);
    assert.equal(mail.inText(Buffer.from(secret), 'message.txt').length, 1);
    assert.equal(mail.inText(Buffer.from('an honest text'), 'message.txt').length, 0);
    // What came by SMTP is a mail even when its first line is none of a mail: its text may be told, a payload may not.
    const said = 'a body with control bytes beside it may be told all the same, word for word, and in full';
    const odd = Buffer.concat([Buffer.alloc(999, 1), Buffer.from(`\r\n\r\n${said}\r\n${lines}\r\n`)]);
    assert.equal(originalOf(odd).inText(Buffer.from(said), 'message.txt').length, 1);
    assert.equal(originalMail(odd).inText(Buffer.from(said), 'message.txt').length, 0);
    assert.equal(originalMail(odd).inText(Buffer.from(lines.replaceAll('\r', '')), 'message.txt').length, 1);
  });

  it('sees C6 broken: states, reasons, rows and files that do not belong together', () => {
    const good: PackageOnDisk = {
      told: { state: pdf.state, reason: pdf.reason, source: { kind: 'file', name: 'x' }, parts: pdf.parts },
      files: pdf.files,
      subject: new Map(),
    };
    const faultsOf = (told: Partial<PackageOnDisk['told']>): string[] =>
      judgePackage({ ...good, told: { ...good.told, ...told } }, nothing).filter((fault) => !fault.includes('lists'));
    const [row] = pdf.parts;
    assert.ok(row !== undefined);
    assert.deepEqual(faultsOf({}), []);
    assert.notDeepEqual(faultsOf({ state: 'lost' }), []);
    assert.notDeepEqual(faultsOf({ state: 'held' }), []);
    assert.notDeepEqual(faultsOf({ parts: [] }), []);
    assert.notDeepEqual(faultsOf({ parts: [row, row] }), []);
    assert.notDeepEqual(faultsOf({ parts: [{ ...row, outputs: [] }] }), []);
    assert.notDeepEqual(faultsOf({ parts: [{ ...row, verdict: 'refused' }] }), []);
    assert.notDeepEqual(faultsOf({ parts: [{ ...row, name: 'a\u202eb' }] }), []);
    assert.notDeepEqual(judgePackage({ ...good, subject: new Map() }, nothing), []);
  });

  it('sees a delivered mail broken: other headers, bare line ends, HTML, something behind the end', () => {
    const mail = (head: string, body: string): Buffer =>
      Buffer.from(`From: a@example.com\r\nContent-Type: ${head}\r\n\r\n${body}`);
    assert.deepEqual(mailFaults(mail('text/plain; charset=utf-8', 'text\r\n'), nothing), []);
    assert.notDeepEqual(mailFaults(mail('text/html; charset=utf-8', 'text\r\n'), nothing), []);
    assert.notDeepEqual(mailFaults(mail('text/plain; charset=utf-8', 'a\nb\r\n'), nothing), []);
    assert.notDeepEqual(mailFaults(mail('text/plain; charset=utf-8\r\nX-Spam: no', 'text\r\n'), nothing), []);
    const parts = '--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntext\r\n--B--\r\n';
    assert.deepEqual(mailFaults(mail('multipart/mixed; boundary=B', parts), nothing), []);
    assert.notDeepEqual(mailFaults(mail('multipart/mixed; boundary=B', `${parts}MZ`), nothing), []);
  });
});
