// What the board tells of a document while it is drawn.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { LivePages } from '../../src/sanitise/live-pages.ts';
import { PagePdf } from '../../src/sanitise/page-pdf.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { Signer } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { BoardKeeper } from '../../src/zones/board.ts';
import { scratch } from '../support/scratch.ts';

const ANNOUNCED = 30;

for (const [what, drawn, notices] of [
  ['of all its pages', ANNOUNCED, 2],
  ['cut before its end', 24, 1],
] as const)
  test(`a document ${what}: pages behind it that say what is missing are none of its pages`, async () => {
    await using folder = await scratch();
    const pair = generateKeyPairSync('ed25519');
    const signer = new Signer(pair.privateKey);
    const store = await openFsStore(folder.path);
    const outbox = new Outbox(store);
    const id = newMessageId();
    const record = {
      receivedAt: new Date(Date.now() - 60_000).toISOString(),
      envelope: { from: '', to: ['staff@city.example.lg.jp'] },
      source: { kind: 'file', name: 'long.pdf', size: 1, sha256: '0'.repeat(64) },
    };
    const board = new BoardKeeper({
      outbox,
      signer,
      spool: undefined as never,
      queue: { list: async () => [] } as never,
      atOnce: 1,
    });
    board.begin({ id, record } as never);
    const told = async (): Promise<string> => {
      await board.look(Date.now());
      const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
      const entry = (await outbox.boards.entries(keys, Date.now())).get(id);
      return `${entry?.done} / ${entry?.pages}`;
    };

    const sealed: string[] = [];
    const sink = board.watch(id, {
      heads: () => [],
      page: async (_output, index, pages) => void sealed.push(`${index + 1} / ${pages}`),
    });
    const live = new LivePages(
      { name: 'long.pdf' } as never,
      {
        live: sink,
        nextFile: () => 'files/01-long.pdf',
      } as never,
    );
    live.pages = ANNOUNCED;
    const output = store.begin(1e6);
    const pdf = new PagePdf(output, { onPage: live.add });
    const page = { width: 8, height: 8, format: PIXEL.grey4, widthPt: 72, heightPt: 72, text: [] };
    const add = async (): Promise<void> => pdf.add({ ...page, pixels: Buffer.alloc(32, 0x11) });
    for (let at = 0; at < drawn; at++) await add();
    live.drawn = pdf.pages;
    for (let at = 0; at < notices; at++) await add();
    await pdf.finish();
    output.abort();

    assert.equal(await told(), `${drawn} / ${ANNOUNCED}`);
    assert.deepEqual(
      sealed.slice(drawn),
      Array.from({ length: notices }, (_, at) => `${drawn + at + 1} / ${drawn}`),
    );
    assert.equal(sealed[drawn - 1], `${drawn} / ${ANNOUNCED}`);
  });
