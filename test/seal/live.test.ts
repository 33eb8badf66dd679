// Pages that are visible before their package: sealed, chained, believed only when everything about them holds.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { folderOf, newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { NO_PAGE, sha256 } from '../../src/outbox/live.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { OnTheWay } from '../../src/portal/arriving.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { encodePage } from '../../src/sanitise/encode-page.ts';
import { singlePage } from '../../src/sanitise/page-pdf.ts';
import { LiveSealer } from '../../src/seal/live.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { KEYS, filesOf, sealedPackage } from '../support/packages.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { scratch } from '../support/scratch.ts';

const pair = generateKeyPairSync('ed25519');
const signer = new Signer(pair.privateKey);
const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
const OUTPUT = 'files/01-report.pdf';
let folder: Awaited<ReturnType<typeof scratch>>;
let outbox: Outbox;

before(async () => {
  folder = await scratch();
  outbox = new Outbox(await openFsStore(folder.path));
});
after(async () => folder[Symbol.asyncDispose]());

async function pageFile(shade: number): Promise<Buffer> {
  const pixels = Buffer.alloc(50 * 100, shade);
  const page = { width: 100, height: 100, format: PIXEL.grey4, widthPt: 72, heightPt: 72, pixels, text: [] };
  return singlePage({ image: await encodePage(page), width: '72', height: '72', text: undefined });
}

/** A message with three of five pages sealed. */
async function started(): Promise<{ id: ReturnType<typeof newMessageId>; path: string; sealer: LiveSealer }> {
  const id = newMessageId();
  const sealer = new LiveSealer(id, outbox, signer);
  for (let page = 0; page < 3; page++) await sealer.page(OUTPUT, page, 5, await pageFile(page));
  return { id, path: join(folder.path, `${folderOf(id)}.live`), sealer };
}

test('a page is visible as soon as it is sealed, and how far the document has come', async () => {
  const { id, path, sealer } = await started();
  const live = outbox.live(id);
  assert.deepEqual(await live.documents(keys), [{ output: OUTPUT, pages: 5, sealed: 3 }]);
  for (let page = 1; page <= 3; page++) {
    let images = 0;
    const bytes = await live.page(OUTPUT, page, keys, (image) => void (images += image.width));
    assert.ok(bytes?.equals(await pageFile(page - 1)));
    assert.equal(images, 100);
  }
  assert.equal(await live.page(OUTPUT, 4, keys), undefined);
  assert.equal(await live.page('files/02-other.pdf', 1, keys), undefined);
  assert.deepEqual(sealer.heads(), [{ output: OUTPUT, head: sha256(readFileSync(join(path, '01-00003.json'))) }]);
  // It is no package: the inner side's scan does not take it for one.
  assert.deepEqual((await outbox.idsOf(folderOf(id).split('/')[0] ?? '')).includes(id), false);
  await live.drop();
  assert.deepEqual(await live.documents(keys), []);
});

test('a page of another message, key, place or content is not believed', async () => {
  const { id, path } = await started();
  const live = outbox.live(id);
  const read = (name: string): Buffer => readFileSync(join(path, name));
  const write = (name: string, bytes: Uint8Array): void => writeFileSync(join(path, name), bytes);
  const foreign = generateKeyPairSync('ed25519').publicKey;
  assert.equal(await live.page(OUTPUT, 1, new Map([[keyId(foreign), foreign]])), undefined);

  const [pdf, seal] = [read('01-00002.pdf'), read('01-00002.json')];
  const digest = { code: 'bad-package', rule: 'file-digest', file: '01-00002.pdf' };
  write('01-00002.pdf', await pageFile(9)); // a whole page, but not the sealed one
  await assert.rejects(live.page(OUTPUT, 2, keys), digest);
  write('01-00002.pdf', pdf.subarray(0, -1));
  await assert.rejects(live.page(OUTPUT, 2, keys), digest);
  write('01-00002.pdf', Buffer.concat([pdf, pdf]));
  await assert.rejects(live.page(OUTPUT, 2, keys), digest);
  write('01-00002.pdf', pdf);

  write('01-00002.json', read('01-00003.json')); // page 3 in the place of page 2
  assert.equal(await live.page(OUTPUT, 2, keys), undefined);
  write('01-00002.json', seal.subarray(0, 40)); // half written
  assert.equal(await live.page(OUTPUT, 2, keys), undefined);
  write('01-00002.json', Buffer.from(seal.toString('latin1').replace(/"sig":"./, '"sig":"_')));
  assert.equal(await live.page(OUTPUT, 2, keys), undefined);
  write('01-00002.json', seal);

  write('01-00001.json', read('01-00003.json')); // the chain is broken before page 2
  await assert.rejects(live.page(OUTPUT, 2, keys), {
    code: 'bad-package',
    rule: 'page-chain',
    file: '01-00002.json',
  });

  const other = newMessageId();
  const stranger = new LiveSealer(other, outbox, signer);
  await stranger.page(OUTPUT, 0, 1, await pageFile(1));
  write('01-00001.json', readFileSync(join(folder.path, `${folderOf(other)}.live`, '01-00001.json')));
  assert.equal(await live.page(OUTPUT, 1, keys), undefined);
});

test('a page that is sealed and not of our form is not believed', async () => {
  const id = newMessageId();
  const sealer = new LiveSealer(id, outbox, signer);
  await sealer.page(OUTPUT, 0, 1, Buffer.concat([await pageFile(1), Buffer.from('%\n')]));
  const tail = (await pageFile(1)).length;
  await assert.rejects(outbox.live(id).page(OUTPUT, 1, keys), {
    code: 'bad-package',
    rule: 'pdf-end',
    file: '01-00001.pdf',
    offset: tail,
  });
});

test('a page that is refused is told like what the gate refuses; one that is drawn anew meanwhile is not', async () => {
  const { id, path } = await started();
  const told: string[] = [];
  const way = new OnTheWay(outbox, keys, Date.now, (of, { rule, file }) => told.push(`${of} ${rule} ${file}`));
  assert.equal((await way.page(id, OUTPUT, 2))?.image.width, 100);
  writeFileSync(join(path, '01-00002.pdf'), await pageFile(9));
  await assert.rejects(way.page(id, OUTPUT, 2), { code: 'bad-package' });
  assert.deepEqual(told.splice(0), [`${id} file-digest 01-00002.pdf`]);

  const store = await openFsStore(folder.path);
  const get = store.get.bind(store);
  let reads = 0;
  store.get = async (...what) => {
    reads += 1; // the seal, and then the page: a new attempt began between the two
    if (reads === 2) await new LiveSealer(id, outbox, signer).page(OUTPUT, 0, 5, await pageFile(7));
    return get(...what);
  };
  assert.equal(await new OnTheWay(new Outbox(store), keys, Date.now).page(id, OUTPUT, 1), undefined);
  assert.ok(reads > 2);
});

/** A document of so many pages of little text. */
function document(pages: number): Buffer {
  const kids = Array.from({ length: pages }, (_, i) => `${4 + 2 * i} 0 R`).join(' ');
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    ...Array.from({ length: pages }, (_, i) => [
      `<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources <</Font <</F 3 0 R>>>> /Contents ${5 + 2 * i} 0 R>>`,
      stream('', `BT /F 20 Tf 20 40 Td (Page ${i + 1}) Tj ET`),
    ]).flat(),
  ]);
}

test('a long document shows its pages while it is drawn, and its manifest names the last of them; a short one does not', async () => {
  const seen: number[] = [];
  let sealer: LiveSealer | undefined;
  const live = (id: ReturnType<typeof newMessageId>): LiveSealer => {
    const made = new LiveSealer(id, outbox, signer);
    sealer = made;
    const page = made.page.bind(made);
    made.page = async (output, index, pages, file) => {
      await page(output, index, pages, file);
      const [progress] = await outbox.live(id).documents(keys);
      seen.push(progress?.sealed ?? 0);
    };
    return made;
  };
  await using sanitiser = await openSanitiser({ live });
  await sanitiser.file('long.pdf', document(LIMITS.livePages + 5));
  assert.deepEqual(
    seen,
    Array.from({ length: LIMITS.livePages + 5 }, (_, i) => i + 1),
  );
  assert.equal(sealer?.heads().length, 1);
  seen.length = 0;
  await sanitiser.file('short.pdf', document(LIMITS.livePages - 1));
  assert.deepEqual(seen, []);
});

test('limit noticePages: a document of more pages than the limit is sealed and verified with the page that says so', async () => {
  let sealer: LiveSealer | undefined;
  await using sanitiser = await openSanitiser({ live: (id) => (sealer = new LiveSealer(id, outbox, signer)) });
  const { state, parts, files } = await sanitiser.file('long.pdf', document(LIMITS.pages + 1));
  assert.equal(state, 'sanitised');
  assert.equal(parts[0]?.pages, LIMITS.pages);
  assert.equal(sealer?.heads().length, 1);
  const [output = '', file = Buffer.alloc(0)] = [...files][0] ?? [];
  assert.ok(file.includes(`/Count ${LIMITS.pages + 1} `));
  const { signal } = new AbortController();
  const verified = await verifyPackage(filesOf(sealedPackage(new Map([[output, file]]))), KEYS, 1e6, signal);
  assert.equal(verified.files.length, 2);

  const last = LIMITS.pages + LIMITS.noticePages;
  const seal = { id: newMessageId(), output: OUTPUT, pages: LIMITS.pages, size: 1, sha256: NO_PAGE, previous: NO_PAGE };
  assert.ok(signer.signPage({ ...seal, page: last }).length > 0);
  assert.throws(() => signer.signPage({ ...seal, page: last + 1 }), { code: 'bad-record' });
});

test('a package whose manifest names live pages verifies', async () => {
  const { id, sealer } = await started();
  const file = await pageFile(3);
  const record = {
    stage: 'sanitised',
    id,
    state: 'sanitised',
    reason: null,
    source: { kind: 'file', name: 'report.pdf', size: 1, sha256: '0'.repeat(64) },
    envelope: { from: '', to: [] },
    receivedAt: new Date().toISOString(),
    sanitisedAt: new Date().toISOString(),
    headers: null,
    autoSubmitted: '',
    policy: { name: 'x', version: '1', sha256: '0'.repeat(64) },
    engine: { version: 'x', workers: {} },
    parts: [
      {
        path: '1',
        name: 'report.pdf',
        declaredType: '',
        detectedType: 'application/pdf',
        size: 1,
        sha256: '0'.repeat(64),
        verdict: 'pages',
        reason: null,
        outputs: [OUTPUT],
        pages: 1,
        findings: [],
        losses: [],
      },
    ],
    text: null,
    outputs: [],
    outputFolder: '',
    ms: 1,
    live: sealer.heads(),
  } as const;
  await outbox.add(id, packageOf(id, record as never, [{ name: OUTPUT, content: file }], signer));
  const { statement } = await verifyPackage(outbox.files(id), keys, 1e6, new AbortController().signal);
  assert.deepEqual(statement.predicate.live, sealer.heads());
  assert.ok(readdirSync(join(folder.path, `${folderOf(id)}.live`)).length > 0);
});
