// A worker that draws the one page of a document on order and then never says that it is done.
import { writeSync } from 'node:fs';
import { FRAME, FieldReader, FrameReader, bytesFrame, fieldsFrame } from '../../src/sandbox/wire.ts';

function say(...frames: readonly Uint8Array[]): void {
  for (const frame of frames) for (let at = 0; at < frame.length;) at += writeSync(1, frame, at);
}

say(fieldsFrame(FRAME.ready, ['endless 1']));
setInterval(() => undefined, 1e8);
const reader = new FrameReader(1024 * 1024);
for await (const chunk of process.stdin) {
  for (const { type, payload } of reader.push(chunk as Buffer)) {
    if (type === FRAME.open) say(fieldsFrame(FRAME.begun, [new FieldReader(payload).u32()]));
    else if (type === FRAME.inputEnd) say(fieldsFrame(FRAME.pages, [1]));
    else if (type === FRAME.draw) {
      const index = new FieldReader(payload).u32();
      const page = fieldsFrame(FRAME.page, [2, 2, 2, { f64: 10 }, { f64: 10 }]);
      say(fieldsFrame(FRAME.drawn, [index, 0, 0, 0]), page, ...bytesFrame(FRAME.pixels, Buffer.alloc(4, 255)));
    }
  }
}
