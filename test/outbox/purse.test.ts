// What one package may cost the gate in all, though each of its files is within its limits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { ByteSource } from '../../src/outbox/byte-source.ts';
import { Purse } from '../../src/outbox/purse.ts';
import { readFile } from '../../src/outbox/read-file.ts';
import { readPdf } from '../../src/outbox/read-pdf.ts';
import { GateRefusal, type Rule } from '../../src/outbox/refusal.ts';
import { verifyFile, verifyManifest, verifyPackage } from '../../src/outbox/verify.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { inChunks, ownFiles, page, pdfOf } from '../support/own-files.ts';
import { KEYS, filesOf, sealedPackage } from '../support/packages.ts';

const own = await ownFiles();

/** The rule that refuses a file of ours when so much is spent already, if any. */
async function ruleOf(name: string, purse: Purse): Promise<Rule | undefined> {
  try {
    await readFile(name, new ByteSource(inChunks(own.get(name) as Buffer, 4096)), undefined, purse);
    return undefined;
  } catch (error) {
    if (error instanceof GateRefusal) return error.rule;
    throw error;
  }
}

const spent = (pixels: number): Purse => {
  const purse = new Purse();
  purse.image(pixels, 1, 'png-size', 0);
  return purse;
};

describe('the purse of a package', () => {
  it('is for the pages of all its files together', async () => {
    const of = async (pages: number): Promise<Buffer> =>
      pdfOf(Array.from({ length: pages }, () => page(1, 1, PIXEL.grey4)));
    const half = LIMITS.pages / 2 + 2; // two pages of each may say what is missing
    const two = async (pages: number) =>
      verifyPackage(
        filesOf(
          sealedPackage(
            new Map([
              ['files/01-a.pdf', await of(half)],
              ['files/02-b.pdf', await of(pages)],
            ]),
          ),
        ),
        KEYS,
        0,
        new AbortController().signal,
      );
    // `message.txt` is the third file.
    assert.equal((await two(half + 2)).files.length, 3);
    await assert.rejects(
      two(half + 3),
      (error) => error instanceof GateRefusal && error.rule === 'pdf-pages' && error.file === 'files/02-b.pdf',
    );
  });

  it('limit outputBytes: of all files of a package, texts among them, and the text of a mail', async () => {
    const most = LIMITS.outputBytes + LIMITS.messageTextBytes;
    const name = 'files/01-a.txt';
    const files = filesOf(sealedPackage(new Map([[name, Buffer.from('four')]])));
    const statement = await verifyManifest(files, KEYS);
    const { signal } = new AbortController();
    const purse = new Purse();
    const read = async () => verifyFile(files, statement, name, { keepBytes: 0, purse }, signal);
    purse.bytes(most - 11);
    for (const nth of [1, 2]) assert.equal((await read()).size, 4, `${nth}`);
    await assert.rejects(
      read(),
      (error) => error instanceof GateRefusal && error.rule === 'file-too-large' && error.file === name,
    );
  });

  it('leaves room for a document of as many pages as there may be, and those that say what is missing', async () => {
    const many = async (pages: number): Promise<number> => {
      const file = await pdfOf(Array.from({ length: pages }, () => page(1, 1, PIXEL.grey4)));
      return readPdf(new ByteSource(inChunks(file, 65_536)), undefined, new Purse(9));
    };
    const most = LIMITS.pages + LIMITS.noticePages;
    assert.equal(await many(most), most);
    await assert.rejects(many(most + 1), (error) => error instanceof GateRefusal && error.rule === 'pdf-pages');
  });

  it('limit pixels: of pictures and pages in all', async () => {
    for (const [name, rule, pixels] of [
      ['colour.png', 'png-size', 200],
      ['colour.jpg', 'jpeg-size', 1200],
      ['empty-layer.pdf', 'pdf-image-size', 9],
    ] as const) {
      assert.equal(await ruleOf(name, spent(LIMITS.pixels - pixels)), undefined, name);
      assert.equal(await ruleOf(name, spent(LIMITS.pixels - pixels + 1)), rule, name);
    }
  });

  it('limit layerBytes: operators of all pages, inflated', async () => {
    const left = (bytes: number): Purse => {
      const purse = new Purse();
      purse.layer(LIMITS.layerBytes - bytes);
      return purse;
    };
    assert.equal(await ruleOf('layered.pdf', left(10_000)), undefined);
    assert.equal(await ruleOf('layered.pdf', left(1)), 'pdf-contents');
    assert.equal(await ruleOf('layered.pdf', left(0)), 'pdf-contents');
  });
});
