// Pages of one document, sent one after the other: one that cannot be drawn costs itself, not those beside it.
import { whitePage } from './pack.ts';
import { Refusal, type Out, type PagePixels } from './run.ts';

/**
 * Sends `count` pages that were announced, from 0. Where `draw` throws a `Refusal` a white page is sent, and told; without any good
 * page none is sent, and the last one's refusal is thrown. Whatever else it throws ends the pages.
 */
export async function sendPages(count: number, draw: (index: number) => Promise<PagePixels>, out: Out): Promise<void> {
  let waiting = 0; // failed pages before the first good one: without a good one nothing is sent
  let good = 0;
  let refusal = new Refusal('damaged', 'no page');
  for (let index = 0; index < count; index++) {
    await out.drained();
    const page = await draw(index).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      refusal = error;
      return undefined;
    });
    if (page === undefined) {
      out.loss('page-failed', `page ${index + 1}: ${refusal.reason}`);
      if (good === 0) waiting += 1;
      else out.page(placeholder());
      continue;
    }
    for (; waiting > 0; waiting--) out.page(placeholder());
    good += 1;
    out.page(page);
  }
  if (good === 0) throw refusal;
}

/** A4 of white where a page could not be decoded. */
function placeholder(): PagePixels {
  const width = 595;
  const height = 842;
  return { width, height, widthPt: width, heightPt: height, ...whitePage(width, height) };
}
