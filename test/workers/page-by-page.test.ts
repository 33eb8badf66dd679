// A page that cannot be drawn costs itself: the others are sent, a white one stands in its place, and that is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { drawHwp } from '../../workers/hwp.ts';
import { sendPages } from '../../workers/page-by-page.ts';
import { Refusal, type Job, type Out, type PagePixels } from '../../workers/run.ts';
import { hangulFile } from '../support/hangul-files.ts';

/** Width of a page that was drawn, which no white one has. */
const DRAWN = 7;
const PAGE: PagePixels = {
  width: DRAWN,
  height: 1,
  widthPt: 7,
  heightPt: 1,
  format: PIXEL.grey8,
  pixels: Buffer.alloc(7),
};

/** What a child says of its pages. */
class Said {
  readonly log: string[] = [];
  readonly out = {
    pages: (count: number) => this.log.push(`${count} pages`),
    page: ({ width }: PagePixels) => this.log.push(width === DRAWN ? 'drawn' : 'white'),
    loss: (code: string, detail: string) => this.log.push(`${code} ${detail}`.trim()),
    drained: async () => undefined,
  } as unknown as Out;
}

const failing =
  (...failed: readonly number[]) =>
  async (index: number): Promise<PagePixels> => {
    if (failed.includes(index)) throw new Refusal('damaged', `${index}`);
    return PAGE;
  };

describe('pages that are sent one after the other', () => {
  it('are white where one fails, also in front of the first that is drawn', async () => {
    const first = new Said();
    await sendPages(3, failing(0), first.out);
    assert.deepEqual(first.log, ['page-failed page 1: damaged', 'white', 'drawn', 'drawn']);
    const last = new Said();
    await sendPages(3, failing(1, 2), last.out);
    assert.deepEqual(last.log, [
      'drawn',
      'page-failed page 2: damaged',
      'white',
      'page-failed page 3: damaged',
      'white',
    ]);
  });

  it('are none where all fail, and a fault that is none of theirs ends them', async () => {
    const none = new Said();
    await assert.rejects(sendPages(2, failing(0, 1), none.out), { name: 'Refusal', reason: 'damaged' });
    assert.ok(!none.log.includes('white'));
    const fault = async (): Promise<PagePixels> => {
      throw new TypeError('ours');
    };
    await assert.rejects(sendPages(2, fault, new Said().out), TypeError);
  });
});

it('a Hangul document with a page that cannot be drawn keeps the others', async () => {
  const said = new Said();
  let drawn = 0;
  const job = { maxPages: 0, dpi: 0, password: '' } as Job;
  await drawHwp(Buffer.from((await hangulFile(3)).exportHwp()), job, said.out, () => {
    drawn += 1;
    if (drawn === 2) throw new Refusal('damaged', 'of no size');
    return PAGE;
  });
  assert.deepEqual(said.log, ['3 pages', 'font-substituted', 'drawn', 'page-failed page 2: damaged', 'white', 'drawn']);
});
