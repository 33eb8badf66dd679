// The purse of one message: whatever is nested in it spends from the same limits. Each at the limit, one above, far above, on the
// real road, while a normal mail passes.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { LIMITS } from '../../src/message/limits.ts';
import { builtInPolicy, type Policy } from '../../src/policy/policy.ts';
import { Budget, OverBudget } from '../../src/sanitise/budget.ts';
import { boundedBody, boundedRemarks } from '../../src/sanitise/within-limits.ts';
import { zip } from '../support/archives.ts';
import { plainMail } from '../support/gateway.ts';
import { makePdf } from '../support/make-pdf.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

type Lowered = Partial<Policy['limits']>;

const MOST = builtInPolicy().limits;
const policy: { -readonly [name in keyof Policy]: Policy[name] } = builtInPolicy();
let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser({ policy });
});
after(async () => sanitiser[Symbol.asyncDispose]());

/** The input under lowered limits, and a normal mail beside it that passes. */
async function beside(input: Buffer, limits: Lowered, name = ''): Promise<Outcome> {
  policy.limits = { ...MOST, ...limits };
  const [outcome, normal] = await Promise.all([
    name === '' ? sanitiser.mail(input) : sanitiser.file(name, input),
    sanitiser.mail(plainMail('normal', 'it passes')),
  ]);
  assert.equal(normal.state, 'sanitised');
  assert.match(normal.text, /it passes/);
  return outcome;
}

const refusedFor = ({ parts }: Outcome): string[] => [
  ...new Set(parts.flatMap(({ reason }) => (reason === null ? [] : [reason]))),
];
const doneWell = ({ parts }: Outcome): number =>
  parts.filter(({ verdict }) => ['text', 'pages', 'image'].includes(verdict)).length;

interface Attachment {
  readonly type: string;
  readonly name: string;
  readonly bytes: Buffer;
}

let boundaries = 0;

function mailOf(attachments: readonly Attachment[]): Buffer {
  const boundary = `b${(boundaries += 1)}`;
  const parts = attachments.map(({ type, name, bytes }) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\n`),
      Buffer.from(type.startsWith('message/') ? '\r\n' : 'Content-Transfer-Encoding: base64\r\n\r\n'),
      Buffer.from(type.startsWith('message/') ? bytes : bytes.toString('base64').replaceAll(/.{76}/g, '$&\r\n')),
      Buffer.from('\r\n'),
    ]),
  );
  const head = `From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), ...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

const note = (text: string): Attachment => ({ type: 'text/plain', name: 'n.txt', bytes: Buffer.from(text) });
async function zipOf(files: readonly Buffer[]): Promise<Attachment> {
  const archive = new ZipFile();
  for (const [at, bytes] of files.entries()) archive.addBuffer(bytes, `${at}.${bytes[0] === 0x50 ? 'zip' : 'txt'}`);
  archive.end();
  return { type: 'application/zip', name: 'z.zip', bytes: await buffer(archive.outputStream) };
}

/** A PDF of blank pages with a line on each. */
function pdfOf(pages: number, side = 144): Buffer {
  const kids = Array.from({ length: pages }, (_, at) => `${at + 4} 0 R`).join(' ');
  const content = '10 10 m 60 60 l S';
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}] /MediaBox [0 0 ${side} ${side}]>>`,
    `<</Length ${content.length}>>\nstream\n${content}\nendstream`,
    ...Array.from({ length: pages }, () => '<</Type /Page /Parent 2 0 R /Contents 3 0 R>>'),
  ]);
}
const pdf = (pages: number): Attachment => ({ type: 'application/pdf', name: 'p.pdf', bytes: pdfOf(pages) });

describe('of the whole tree of one message', () => {
  it('limit parts: leaves of the mail, of an archive in it and of a mail in it are counted together', async () => {
    const parts = 9; // 3 in the mail, 4 in the archive, 2 in the mail inside
    const tree = async (inArchive: number): Promise<Buffer> =>
      mailOf([
        note('one'),
        await zipOf(Array.from({ length: inArchive }, (_, at) => Buffer.from(`file ${at}`))),
        { type: 'message/rfc822', name: 'm.eml', bytes: mailOf([note('two'), note('three')]) },
      ]);
    const at = await beside(await tree(4), { parts });
    assert.deepEqual([refusedFor(at), doneWell(at)], [[], 7]);
    const above = await beside(await tree(5), { parts });
    assert.deepEqual(refusedFor(above), ['too-many-parts']);
    assert.equal(doneWell(above), 6); // the mail inside was one too many
    const far = await beside(await tree(900), { parts });
    assert.deepEqual(refusedFor(far), ['too-many-parts']);
    assert.match(far.text, /n\.txt/);
  });

  it('limit parts: notes of a Mac in an archive take no place of a file, and are no more than files may be', async () => {
    const double = Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(130)]);
    const mac = (files: number, notes: number): Buffer =>
      zip([
        ...Array.from({ length: notes }, (_, n) => ({ name: `__MACOSX/._${n}.txt`, data: double })),
        ...Array.from({ length: files }, (_, n) => ({ name: `${n}.txt`, data: Buffer.from(`file ${n}`) })),
      ]);
    const at = await beside(mac(5, 5), { parts: 5 }, 'mac.zip');
    assert.deepEqual([refusedFor(at), doneWell(at), at.parts.length], [[], 5, 11]);
    assert.deepEqual(refusedFor(await beside(mac(6, 5), { parts: 5 }, 'mac.zip')), ['too-many-parts']);
    assert.deepEqual(refusedFor(await beside(mac(5, 6), { parts: 5 }, 'mac.zip')), ['too-many-parts']);
  });

  it('limit depth: mails in mails and archives in them', async () => {
    const nested = (depth: number): Buffer => {
      let inner = mailOf([note('innermost')]);
      for (let level = 0; level < depth - 1; level++)
        inner = mailOf([{ type: 'message/rfc822', name: 'm.eml', bytes: inner }]);
      return mailOf([{ type: 'message/rfc822', name: 'm.eml', bytes: inner }]);
    };
    const at = await beside(nested(3), { depth: 3 });
    assert.deepEqual([refusedFor(at), doneWell(at)], [[], 1]);
    for (const depth of [4, 40]) {
      const above = await beside(nested(depth), { depth: 3 });
      assert.deepEqual([refusedFor(above), doneWell(above)], [['too-deep'], 0]);
    }
    const archives = async (depth: number): Promise<Buffer> => {
      let inner = (await zipOf([Buffer.from('innermost')])).bytes;
      for (let level = 1; level < depth; level++) inner = (await zipOf([inner])).bytes;
      return inner;
    };
    assert.deepEqual(refusedFor(await beside(await archives(3), { depth: 3 }, 'a.zip')), []);
    for (const depth of [4, 30])
      assert.deepEqual(refusedFor(await beside(await archives(depth), { depth: 3 }, 'a.zip')), ['too-deep']);
  });

  it('limit expandedBytes: what all containers gave together, whatever the ratio of each', async () => {
    const archive = await zipOf([Buffer.alloc(60_000, 'a')]);
    const whole = mailOf([archive, archive]);
    const expandedBytes = 2 * 60_000 + 2 * archive.bytes.length;
    const at = await beside(whole, { expandedBytes });
    assert.deepEqual([refusedFor(at), doneWell(at)], [[], 2]);
    const above = await beside(whole, { expandedBytes: expandedBytes - 1 });
    assert.deepEqual([refusedFor(above), doneWell(above)], [['ratio'], 1]);
    const far = await beside(mailOf([archive, await zipOf([Buffer.alloc(20_000_000)])]), { expandedBytes });
    assert.deepEqual([refusedFor(far), doneWell(far)], [['ratio'], 1]);
  });

  it('limit outputBytes: all files of the package together', async () => {
    const text = (bytes: number): Attachment => note('a'.repeat(bytes));
    const outputBytes = 30_000;
    const at = await beside(mailOf([text(10_000), text(20_000)]), { outputBytes });
    assert.deepEqual([refusedFor(at), doneWell(at)], [[], 2]);
    const above = await beside(mailOf([text(10_000), text(20_001), text(1)]), { outputBytes });
    assert.deepEqual([refusedFor(above), doneWell(above)], [['too-large'], 1]);
    const far = await beside(mailOf([text(10_000), text(3_000_000)]), { outputBytes });
    assert.deepEqual([refusedFor(far), doneWell(far)], [['too-large'], 1]);
    assert.ok([...far.files].every(([name, bytes]) => name === 'message.txt' || bytes.length <= outputBytes));
  });

  it('limit pages: of all documents together; those that fit are kept', async () => {
    const pagesOf = ({ parts }: Outcome): number[] => parts.map(({ pages }) => pages);
    const at = await beside(mailOf([pdf(2), pdf(3)]), { pages: 5 });
    assert.deepEqual([pagesOf(at), refusedFor(at)], [[2, 3], []]);
    const above = await beside(mailOf([pdf(2), pdf(4), pdf(1)]), { pages: 5 });
    assert.deepEqual([pagesOf(above), refusedFor(above)], [[2, 3, 0], ['too-many-pages']]);
    assert.ok(above.parts[1]?.losses.some(({ code }) => code === 'pages-cut'));
    const far = await beside(mailOf([pdf(2), pdf(400)]), { pages: 5 });
    assert.deepEqual(pagesOf(far), [2, 3]);
  });

  it('limit pixels: of all pages together; those that fit are kept', async () => {
    const one = await beside(mailOf([pdf(1)]), { dpi: 72 });
    assert.deepEqual(refusedFor(one), []);
    const page = 144 * 144;
    const pixels = 5 * page;
    const at = await beside(mailOf([pdf(2), pdf(3)]), { pixels, dpi: 72 });
    assert.deepEqual([refusedFor(at), at.parts.map(({ pages }) => pages)], [[], [2, 3]]);
    const above = await beside(mailOf([pdf(2), pdf(3)]), { pixels: pixels - 1, dpi: 72 });
    assert.deepEqual(
      above.parts.map(({ pages }) => pages),
      [2, 2],
    );
    assert.ok(above.parts[1]?.losses.some(({ detail }) => detail.includes('too-many-pixels')));
    const far = await beside(mailOf([pdf(300), pdf(1)]), { pixels, dpi: 72 });
    assert.deepEqual(
      far.parts.map(({ pages }) => pages),
      [5, 0],
    );
    assert.deepEqual(refusedFor(far), ['too-many-pixels']);
  });

  it('limits messageSeconds and documentPageMs: what children work in all; pages earn more, waiting costs nothing', async () => {
    const budget = new Budget({ ...MOST, seconds: 10 });
    budget.ms(9_999);
    assert.equal(budget.msLeft, 1);
    budget.ms(1);
    assert.equal(budget.msLeft, 0);
    budget.pages(4);
    assert.equal(budget.msLeft, 4 * LIMITS.documentPageMs);
    budget.ms(1e9);
    assert.equal(budget.msLeft, 0);
    // Sixty tables, whose text costs far more than to find them in the mail; then the same with a third of the time they took,
    // whatever the machine.
    const rows = '<tr><td>one</td><td>二</td><td><b>three</b></td></tr>'.repeat(4000);
    const table = { type: 'text/html', name: 't.html', bytes: Buffer.from(`<table>${rows}</table>`) };
    const many = mailOf(Array.from({ length: 60 }, () => table));
    const all = await beside(many, {});
    assert.deepEqual([refusedFor(all), doneWell(all)], [[], 60]);
    // A machine that others use may be three times as quick, or slow, a moment later: then once more.
    let cut = await beside(many, { seconds: all.ms / 3000 });
    for (let tries = 0; tries < 5 && (doneWell(cut) === 0 || doneWell(cut) === 60); tries++)
      cut = await beside(many, { seconds: all.ms / 3000 });
    assert.deepEqual(refusedFor(cut), ['timeout']);
    assert.ok(doneWell(cut) > 0 && doneWell(cut) < 60, `${doneWell(cut)} tables of 60 in a third of ${all.ms} ms`);
    assert.equal(cut.parts.length, 60, 'every part has its row');
  });
});

describe('what a message tells of itself', () => {
  it('limit bodyBytes: a body at the limit is whole, one above and far above are cut between characters', () => {
    for (const [letter, bytes] of [
      ['a', 1],
      ['漢', 3],
      ['𠮷', 4],
    ] as const) {
      const fits = letter.repeat(LIMITS.bodyBytes / bytes);
      assert.deepEqual(boundedBody(fits), { body: fits, cut: false });
      for (const more of [letter, fits]) {
        const { body, cut } = boundedBody(fits + more);
        const size = Buffer.byteLength(body);
        assert.ok(cut && size <= LIMITS.bodyBytes && size > LIMITS.bodyBytes - 100, `${letter}: ${size}`);
        assert.ok(body.isWellFormed());
      }
    }
  });

  it('limit bodyBytes and messageTextBytes: a mail of more text than a text may have says that it was cut, and is not empty', async () => {
    // Half-width kana: one byte in Shift_JIS, three in UTF-8. Three bodies of 8 million make 75 MB.
    const lines = Buffer.alloc(9 * 1024 * 1024, 0xb1);
    for (let at = 70; at + 1 < lines.length; at += 72) lines.write('\r\n', at, 'latin1');
    const part = Buffer.concat([Buffer.from('--b\r\nContent-Type: text/plain; charset=shift_jis\r\n\r\n'), lines]);
    const head = Buffer.from('From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n');
    const mail = Buffer.concat([head, ...Array.from({ length: 3 }, () => [part, Buffer.from('\r\n')]).flat()]);
    const { files, text, parts } = await beside(Buffer.concat([mail, Buffer.from('--b--\r\n')]), {});
    assert.ok((files.get('message.txt')?.length ?? 0) <= LIMITS.messageTextBytes);
    assert.ok(text.length > 8_000_000);
    assert.match(text.slice(-3000), /長い文章の後半を省きました/);
    assert.ok(parts[0]?.losses.some(({ code }) => code === 'text-cut'));
  });

  it('limits messageRemarks and messageRemarkChars: rows at the limits keep all, rows above keep the first of each', async () => {
    const row = (await beside(Buffer.from(plainMail('x')), {})).parts[0];
    assert.ok(row);
    const remarks = (count: number, chars: number) =>
      Array.from({ length: count }, (_, at) => ({ code: `code-${at}`, detail: 'あ'.repeat(chars) }));
    const rows = Array.from({ length: LIMITS.parts }, () => ({ ...row, findings: remarks(5, 200), losses: [] }));
    assert.deepEqual(boundedRemarks(rows), rows);
    assert.equal(boundedRemarks([...rows, { ...row, findings: remarks(5, 1) }]).at(-1)?.findings.length, 3);
    const long = remarks(1, LIMITS.messageRemarkChars);
    assert.deepEqual(boundedRemarks([{ ...row, findings: long }])[0]?.findings, long);
    assert.equal(
      boundedRemarks([{ ...row, findings: remarks(1, LIMITS.messageRemarkChars + 1) }])[0]?.findings[0]?.detail.length,
      40,
    );
    const worst = Array.from({ length: LIMITS.rows }, () => ({
      ...row,
      name: 'あ'.repeat(300),
      findings: remarks(50, 400),
      losses: remarks(50, 400),
    }));
    const size = Buffer.byteLength(JSON.stringify(boundedRemarks(worst)));
    assert.ok(size * (4 / 3) < LIMITS.manifestBytes, `${size} bytes of rows`);
  });

  it('the purse says which limit it was', () => {
    const budget = new Budget({ ...MOST, parts: 1 });
    budget.part(0);
    assert.throws(
      () => budget.part(0),
      (error) => error instanceof OverBudget && error.reason === 'too-many-parts',
    );
  });
});
