// Who looks at a page or a picture is in the journal before a byte of it goes out, however the address was come by.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, newMessageId, type MessageId } from '../../src/message/id.ts';
import { readerOf } from '../../src/outbox/board.ts';
import { Asks } from '../../src/portal/asking.ts';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { LiveSealer } from '../../src/seal/live.ts';
import { Signer } from '../../src/seal/seal.ts';
import { openBarePortal } from '../support/bare-portal.ts';
import { ownFiles, page, pdfOf } from '../support/own-files.ts';
import { PAIR, sealedPackage } from '../support/packages.ts';
import { Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';

const PDF = 'files/01-a.pdf';
const PNG = 'files/02-b.png';
const READER = 'b@city.example.lg.jp';

interface Opened {
  readonly bare: Awaited<ReturnType<typeof openBarePortal>>;
  readonly id: MessageId;
  /** Somebody who signs in: a session of its own. */
  readonly come: () => Visitor;
}

/** A portal with one package, of a document of two pages and a picture; its reader may read it. */
async function opened(root: string): Promise<Opened> {
  const id = newMessageId();
  const own = await ownFiles();
  const pdf = await pdfOf([page(9, 7, PIXEL.grey4), page(8, 5, PIXEL.grey4)]);
  const files = new Map([
    [PDF, pdf],
    [PNG, own.get('grey.png') ?? Buffer.alloc(0)],
  ]);
  for (const [name, content] of sealedPackage(files, id)) {
    const path = join(root, 'outbox', folderOf(id), name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const bare = await openBarePortal(root, PAIR.publicKey);
  bare.portal.desk.accounts.giveAddress('reader', READER, 'own', null, 'test');
  const come = (): Visitor => {
    const visitor = new Visitor(bare.url);
    visitor.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin('reader', 'full'));
    return visitor;
  };
  return { bare, id, come };
}

/** Two of three pages of a document that is still drawn, under a message's or a request's id. */
async function drawn({ bare }: Opened, id: MessageId): Promise<void> {
  const sealer = new LiveSealer(id, bare.outbox, new Signer(PAIR.privateKey));
  for (let at = 0; at < 2; at++) await sealer.page(PDF, at, 3, await pdfOf([page(9, 7, PIXEL.grey4)]));
}

describe('a picture of what came', { timeout: 580_000 }, () => {
  it('goes out with a line in the journal, one for each session, message and file', async () => {
    await using folder = await scratch();
    const portal = await opened(folder.path);
    const { bare, id, come } = portal;
    try {
      const path = `/messages/${id}/files`;
      const visitor = come();
      assert.equal((await visitor.get(`${path}/01-a.pdf/pages/3`)).status, 404);
      assert.deepEqual(bare.journal, [], 'nothing was seen');
      // A browser asks for all pages at once.
      const both = [visitor.get(`${path}/01-a.pdf/pages/1`), visitor.get(`${path}/01-a.pdf/pages/2`)];
      for (const answer of await Promise.all(both)) assert.equal(answer.headers.get('content-type'), 'image/png');
      assert.equal((await visitor.get(`${path}/02-b.png/picture`)).status, 200);
      const line = (file: string): object => ({ act: 'viewed', person: 'reader', message: id, detail: { file } });
      assert.deepEqual(bare.journal, [line(PDF), line(PNG)]);
      assert.equal((await come().get(`${path}/02-b.png/picture`)).status, 200);
      assert.deepEqual(bare.journal.slice(2), [line(PNG)], 'another session');
      // The page of the preview is told each time, and covers its pictures.
      const other = come();
      for (let time = 0; time < 2; time++) assert.equal((await other.get(`${path}/01-a.pdf/pages`)).status, 200);
      assert.equal((await other.get(`${path}/01-a.pdf/pages/1`)).status, 200);
      assert.deepEqual(bare.journal.slice(3), [line(PDF), line(PDF)]);
    } finally {
      await bare.close();
    }
  });

  it('does not go out while the journal keeps nothing', async () => {
    await using folder = await scratch();
    const { bare, id, come } = await opened(folder.path);
    try {
      const visitor = come();
      const path = `/messages/${id}/files/01-a.pdf/pages`;
      bare.breakJournal(new Error('disk full'));
      for (const at of [1, 2, 1]) assert.equal((await visitor.get(`${path}/${at}`)).status, 503);
      bare.breakJournal(undefined);
      assert.equal((await visitor.get(`${path}/1`)).status, 200);
      assert.equal(bare.journal.length, 1);
    } finally {
      await bare.close();
    }
  });

  it('is told of pages that are there before their package, and of those that were asked for anew', async () => {
    await using folder = await scratch();
    const portal = await opened(folder.path);
    const { bare, id, come } = portal;
    try {
      const coming = newMessageId();
      const entry = {
        id: coming,
        for: [readerOf(READER)],
        kind: 'mail' as const,
        name: '',
        from: 'a@example.com',
        size: 5,
        ahead: 0,
        done: 2,
        pages: 3,
        seconds: 20,
      };
      const board = { run: '0000000a', at: Date.now(), entries: [entry] };
      await bare.outbox.boards.write(board, undefined, new Signer(PAIR.privateKey).signBoard(board));
      await drawn(portal, coming);
      const visitor = come();
      for (const at of [1, 2])
        assert.equal((await visitor.get(`/messages/${coming}/arriving/01-a.pdf/${at}`)).status, 200);
      const viewed = { act: 'viewed', person: 'reader' } as const;
      assert.deepEqual(bare.journal, [{ ...viewed, message: coming, detail: { live: true, file: PDF } }]);

      const request = newMessageId();
      new Asks(bare.db).note(request, id, { part: '1', kind: 'render', at: Date.now() }, 'reader');
      await drawn(portal, request);
      for (const at of [1, 2])
        assert.equal((await visitor.get(`/messages/${id}/asked/${request}/01-a.pdf/${at}`)).status, 200);
      assert.deepEqual(bare.journal.slice(1), [
        { ...viewed, message: id, detail: { live: true, part: '1', file: PDF } },
      ]);
    } finally {
      await bare.close();
    }
  });
});
