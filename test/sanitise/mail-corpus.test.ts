// Every mail of the shared corpus, real and hostile ones nobody here wrote: an end in order, every leaf with its row, and
// the files found that other readers found.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { after, before, test } from 'node:test';
import { leafFaults } from '../corpus/leaves.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

const CORPUS = new URL('../../../shared/corpus/mail/', import.meta.url);
const names = readdirSync(CORPUS, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.\w+$/.test(name))
  .toSorted();

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser();
});
after(async () => sanitiser[Symbol.asyncDispose]());

const run = async (name: string): Promise<Outcome> => {
  const bytes = readFileSync(new URL(name, CORPUS));
  const kind = name.endsWith('.eml') ? 'mail' : 'file';
  return sanitiser.judge(kind, basename(name), bytes);
};

void test('every mail of the corpus ends sanitised, held or refused, within the contract, each leaf with its row', async () => {
  assert.ok(names.length > 450, `only ${names.length} files`);
  const faults: string[] = [];
  for (const [index, name] of names.entries()) {
    if (index % 6 !== 0) continue; // `npm run test:corpus` runs all of it
    const { state, parts, faults: broken } = await run(name);
    if (!['sanitised', 'held', 'refused'].includes(state)) faults.push(`${name}: ${state}`);
    faults.push(...leafFaults(`mail/${name}`, parts).map((fault) => `${name}: ${fault}`));
    if (parts.some((part) => part.reason === 'converter-failed')) faults.push(`${name}: a converter failed`);
    // What a PDF looks like inside is the raster's to prove.
    faults.push(...broken.filter((fault) => !/^C[23] .*\.pdf:/.test(fault)).map((fault) => `${name}: ${fault}`));
  }
  assert.deepEqual(faults, []);
});

/** What we find besides the list: bodies that its maker did not write out, and a file that it does not name. */
const MORE: { readonly [name: string]: readonly string[] } = {
  'long-filename': ['allproductsmar2000.dat'],
  'unicode-mapi-attr-name': ['body.html'],
  winmail: ['body.rtf'],
};

void test('the files of each TNEF stream are those that the list beside it names', async () => {
  const lists = names.filter((name) => /mimekit-tnef\/.*\.list$/.test(name));
  assert.equal(lists.length, 10);
  for (const list of lists) {
    const expected = readFileSync(new URL(list, CORPUS), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const { parts } = await run(list.replace(/\.list$/, '.tnef'));
    const found = parts
      .slice(1)
      .map((part) => part.name)
      .filter((name) => name !== '');
    const all = [...expected, ...(MORE[basename(list, '.list')] ?? [])];
    assert.deepEqual(found.toSorted(), all.toSorted(), list);
  }
});

const rowsOf = async (name: string): Promise<string[]> =>
  (await run(name)).parts.map(
    ({ path, name: file, detectedType, verdict }) => `${path} ${file} ${detectedType} ${verdict}`,
  );

void test('Outlook items: text in any code page, files, an item in an item', async () => {
  const text = (outcome: Outcome): string => [...outcome.files].map(([, bytes]) => bytes.toString('utf8')).join('\n');
  assert.match(text(await run('outlook-msg/chinese-traditional.msg')), /張毓倫[\s\S]*格式測試[\s\S]*恭喜 HQ 保全課/);
  assert.match(text(await run('outlook-msg/cyrillic_message.msg')), /Автоматический ответ/);
  assert.match(text(await run('outlook-msg/ASCII_UTF-8_CP1252_LCID1031.msg')), /Subject: Subject öäü Subject/);
  assert.deepEqual((await rowsOf('outlook-msg/attachment_msg_pdf.msg')).slice(0, 3), [
    '1 attachment_msg_pdf.msg application/vnd.ms-outlook expanded',
    '1.1.1  text/plain text',
    '1.1.2 body.rtf application/rtf dropped',
  ]);
  const nested = await rowsOf('outlook-msg/58214_with_attachment.msg');
  assert.ok(nested.includes('1.2 Test mail attachment.msg application/vnd.ms-outlook expanded'), nested.join('\n'));
  assert.ok(
    nested.some((row) => row.startsWith('1.2.1.1  text/plain text')),
    nested.join('\n'),
  );
});

void test('mbox, emlx, uuencode, yEnc: each mail and file in them has its row', async () => {
  const simple = await rowsOf('mimekit-mbox/simple.mbox');
  const mails = readFileSync(new URL('mimekit-mbox/simple.mbox', CORPUS), 'latin1').match(/^From /gm)?.length;
  assert.equal(simple.filter((row) => /^1\.\d+ /.test(row)).length, mails);
  assert.ok((await rowsOf('tika/testEMLX.emlx'))[0]?.includes('message/x-emlx expanded'));
  assert.ok((await rowsOf('mimekit-enc/photo.uu')).includes('1.1 photo.jpg image/jpeg image'));
  const yenc = await run('mimekit-enc/simple.msg');
  assert.deepEqual(yenc.parts.map(({ path, name, size }) => `${path} ${name} ${size}`).slice(1), [
    '1.1  689',
    '1.1.1 testfile.txt 584',
  ]);
});

void test('encrypted is held, signed is opened, a piece of a mail is not put together', async () => {
  const gpg = await run('tika/testPGPEncrypted.gpg');
  assert.deepEqual([gpg.state, gpg.reason], ['held', 'encrypted']);
  const signed = await run('tika/testPKCS7_signed_data_def.p7m');
  assert.equal([...signed.files.values()].map(String).join('').trim(), 'text');
  assert.ok(signed.parts[0]?.findings.some(({ code }) => code === 'signature'));
  for (const part of (await run('mimekit-partial/message-partial.0.eml')).parts)
    if (part.declaredType === 'message/partial') assert.equal(part.verdict, 'held');
});
