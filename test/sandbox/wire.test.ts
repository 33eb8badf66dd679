// The reader of frames, however they are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRAME, FrameReader, bytesFrame } from '../../src/sandbox/wire.ts';

const MIB = 1024 * 1024;

test('a frame in crumbs of a byte is read in little more memory and time than its size asks for', () => {
  const payload = Buffer.from(Uint8Array.from({ length: MIB }, (_, at) => at % 251));
  const bytes = Buffer.concat(bytesFrame(FRAME.input, payload));
  for (const reuse of [false, true]) {
    const reader = new FrameReader(MIB, reuse);
    const frames: Buffer[] = [];
    const before = process.memoryUsage().rss;
    let most = 0;
    const started = performance.now();
    for (let at = 0; at < bytes.length; at++) {
      // As a pipe gives them: each crumb in a buffer of its own.
      for (const frame of reader.push(Buffer.alloc(1, bytes[at]))) frames.push(Buffer.from(frame.payload));
      if (at % 65_536 === 0) most = Math.max(most, process.memoryUsage().rss);
    }
    assert.deepEqual(frames, [payload]);
    assert.equal(reader.pending, 0);
    assert.ok(most - before < 200 * MIB, `${Math.round((most - before) / MIB)} MiB`);
    assert.ok(performance.now() - started < 30_000);
  }
});

test('frames are the same in one piece, in pieces of any size, and several in one', () => {
  const payloads = [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(5000, 'b'), Buffer.alloc(70_000, 'c')];
  const bytes = Buffer.concat(payloads.flatMap((payload) => [...bytesFrame(FRAME.input, payload)]));
  for (const size of [1, 2, 5, 6, 7, 64, 4999, 65_536, bytes.length]) {
    const reader = new FrameReader(MIB, true);
    const seen: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size)
      for (const frame of reader.push(bytes.subarray(at, at + size))) seen.push(Buffer.from(frame.payload));
    assert.deepEqual(seen, payloads, `${size} bytes`);
  }
});
