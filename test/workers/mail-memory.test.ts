// A large mail is streamed: the mail child holds a few frames of it and one text at most, never the whole.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES } from '../../src/sandbox/families.ts';
import { descendantsOf, peakRssMb } from '../bench/cpu.ts';
import { largeMail } from '../bench/mails.ts';

const request = { operation: 1, dpi: 0, maxPages: 0, declaredType: 'message/rfc822', name: '', password: '' };

for (const kind of ['files', 'texts'] as const) {
  void it(`20 MB of ${kind}: the mail child stays under 200 MB`, async () => {
    const child = await JailedChild.start(FAMILIES.mail, () => undefined);
    try {
      let bytes = 0;
      const sink = (frame: { readonly payload: Buffer }): void => void (bytes += frame.payload.length);
      const bounds = { deadlineMs: 120_000, totalMs: 120_000, signal: new AbortController().signal };
      const outcome = await child.run(request, largeMail(20_000_000, kind), sink, bounds);
      assert.equal(outcome.kind, 'done');
      assert.ok(bytes > 13_000_000, `only ${bytes} bytes came out`);
      const peak = await peakRssMb((await descendantsOf(child.pid ?? 0)).at(-1) ?? child.pid ?? 0);
      assert.ok(peak > 40 && peak < 200, `${Math.round(peak)} MB`);
    } finally {
      await child.stop();
    }
  });
}
