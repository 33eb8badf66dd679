// A worker that lies: the name of its input says how. Speaks the wire by hand, since the honest shell would not let it.
// `honest` answers as the family that was asked for would; everything else is an attack on the host.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CHECK,
  FRAME,
  FieldReader,
  FrameReader,
  HEADER_FIELD,
  PART_KIND,
  PIXEL,
  RECORD,
  bytesFrame,
  fieldsFrame,
  isOnOrder,
  type Field,
} from '../../src/sandbox/wire.ts';

const say = (...buffers: readonly Uint8Array[]): void => {
  for (const buffer of buffers) {
    for (let at = 0; at < buffer.length;) {
      try {
        at += writeSync(1, buffer, at);
      } catch (error) {
        if ((error as { code?: string }).code !== 'EAGAIN') process.exit(0);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // the pipe is full: the host is slower than we
      }
    }
  }
};
const frame = (type: number, fields: readonly Field[] = []): void => say(fieldsFrame(type as 65, fields));
const raw = (type: number, payload: Uint8Array): void => say(...bytesFrame(type as 71, payload));
const done = (): void => frame(FRAME.done);
const leaf = (path: readonly number[] = [1], kind: number = PART_KIND.leaf): void =>
  frame(FRAME.part, [path.length, ...path, kind, 'text/plain', '', '', '']);
/** Whether pages are drawn on order, and the one that is due. */
let onOrder = false;
let due = 0;
const page = (width: number, height: number, format: number = PIXEL.grey8, pt = 10, ptY = 10): void => {
  if (onOrder) frame(FRAME.drawn, [due++, 0, 0, 0]);
  frame(FRAME.page, [width, height, format, { f64: pt }, { f64: ptY }]);
};
/** A whole answer is said as soon as the next input is opened. */
let forNext = false;
const GIB = 1024 ** 3;
const Wasm = (globalThis as unknown as { WebAssembly: { Memory: new (size: object) => GrowingMemory } }).WebAssembly;
interface GrowingMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** Makes memory that was only asked for real, 64 MiB at a time. */
const touch = async (memory: Uint8Array): Promise<void> => {
  for (let at = 0; at < memory.length; at += GIB / 16) {
    memory.fill(1, at, at + GIB / 16);
    await sleep(10);
  }
};
const spin = (): never => {
  for (;;);
};

/** Attacks that are the same whatever was asked for. */
const ANY: { readonly [name: string]: () => void | Promise<void> } = {
  'no beginning': done,
  'the beginning of another input': done,
  'a beginning twice': done,
  'half a head': () => {
    say(Buffer.from([1, 65, 0]));
    process.exit(0);
  },
  'half a frame': () => {
    say(fieldsFrame(FRAME.finding, ['code', 'x'.repeat(500)]).subarray(0, 100));
    process.exit(0);
  },
  'half a frame, then silence': async () => {
    say(fieldsFrame(FRAME.finding, ['code', 'x'.repeat(500)]).subarray(0, 100));
    await sleep(1e6);
  },
  'another version of the wire': () => say(Buffer.from([2, 65, 0, 0, 0, 0])),
  'a frame of 4 GiB': () => say(Buffer.from([1, 71, 0xff, 0xff, 0xff, 0xff])),
  'a frame of the host': () => raw(FRAME.input, Buffer.from('x')),
  'frame type 0': () => raw(0, Buffer.alloc(0)),
  'frame type 255': () => raw(255, Buffer.from('x')),
  'ready once more': () => frame(FRAME.ready, ['again']),
  'done with a payload': () => raw(FRAME.done, Buffer.from('x')),
  'a refusal without fields': () => raw(FRAME.refuse, Buffer.alloc(0)),
  'a refusal of 4 GiB of text': () => raw(FRAME.refuse, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x61])),
  'a refusal that is not UTF-8': () => raw(FRAME.refuse, Buffer.from([0, 0, 0, 2, 0xc3, 0x28, 0, 0, 0, 0])),
  'a remark that is not UTF-8': () => raw(FRAME.finding, Buffer.from([0, 0, 0, 1, 0xff, 0, 0, 0, 0])),
  'a remark with a code that is none': () => frame(FRAME.finding, ['__proto__', 'x']),
  'remarks without end': () => {
    for (;;) frame(FRAME.finding, ['code', 'detail']);
  },
  'random bytes without end': () => {
    const noise = Buffer.alloc(65536, 0x9d);
    for (;;) say(noise);
  },
  'stderr without end': () => {
    const noise = Buffer.alloc(65536, 0x41);
    for (;;)
      try {
        writeSync(2, noise);
      } catch {
        continue; // full: the host does not read as fast
      }
  },
  'escape sequences on stderr': () => {
    writeSync(2, '\x1b[2J\x1b]0;owned\x07\r\nmugai: all is well \u202e\n');
    process.exit(70);
  },
  silence: async () => sleep(1e6),
  'a busy loop': spin,
  'a busy loop that ignores SIGTERM': () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
    spin();
  },
  'exit 0 without output': () => process.exit(0),
  'exit 1': () => process.exit(1),
  'an exception': () => {
    throw new Error('the parser broke');
  },
  SIGSEGV: () => void process.kill(process.pid, 'SIGSEGV'),
  'an abort': () => process.abort(),
  'a heap without end': () => {
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, i) => `${i}`));
  },
  'memory outside the heap without end': async () => {
    const held: Buffer[] = [];
    for (;;) {
      held.push(Buffer.alloc(16 * 1024 * 1024, 1));
      await sleep(20);
    }
  },
  // In one piece, where nobody could look in between: the kernel says no, or the host finds it while it is being touched.
  '8 GiB of memory in one piece': async () => touch(new Uint8Array(8 * GIB)),
  '8 GiB of memory in pieces that are all asked for first': async () => {
    const pieces = Array.from({ length: 128 }, () => new Uint8Array(GIB / 16));
    for (const piece of pieces) await touch(piece);
  },
  '8 GiB of memory in two WebAssembly memories': async () => {
    const memories = [1, 2].map(() => new Wasm.Memory({ initial: 1, maximum: 65_536 }));
    for (const memory of memories) memory.grow(65_535);
    for (const { buffer } of memories) await touch(new Uint8Array(buffer));
  },
  // Far less than the kernel grants each process, and more than it grants all of them.
  'a burst of memory': () => {
    const held = Buffer.alloc(650 << 20, 1);
    while (held.length > 0);
  },
  '8 GiB of memory shared between threads': async () => {
    const shared = new SharedArrayBuffer(0, { maxByteLength: 8 * GIB });
    shared.grow(8 * GIB);
    await touch(new Uint8Array(shared));
  },
  'the end, and exits at once': () => {
    done();
    process.exit(0);
  },
  'the end, and exits late': () => {
    done();
    setTimeout(() => process.exit(0), 150);
  },
  'the end, and dies of it': () => {
    done();
    setTimeout(() => process.abort(), 150);
  },
  'the end, and eats memory': () => {
    done();
    // Over what the host allows and under what the kernel grants, so that only the host's look can find it.
    const held: Buffer[] = [];
    setInterval(() => held.length < 17 && held.push(Buffer.alloc(16 << 20, 1)), 20);
  },
  'the end twice': () => {
    done();
    done();
  },
  'the end, and words for the next input': () => {
    done();
    forNext = true;
  },
  'a frame after the end': () => {
    done();
    frame(FRAME.finding, ['code', 'late']);
  },
  'a frame long after the end': () => {
    done();
    setTimeout(() => raw(FRAME.bytes, Buffer.from('late')), 150);
  },
  'a grandchild that holds the pipes': async () => {
    spawn(process.execPath, ['-e', 'setTimeout(() => 0, 1e8)'], { stdio: 'inherit' });
    await sleep(3000); // long enough to be seen, on a busy machine, too
    process.exit(0);
  },
  'a grandchild of another session': async () => {
    spawn(process.execPath, ['-e', 'setTimeout(() => 0, 1e8)'], { stdio: 'inherit', detached: true });
    await sleep(3000); // long enough to be seen, on a busy machine, too
    process.exit(0);
  },
  'a grandchild that eats memory': async () => {
    const eat = 'const held = []; setInterval(() => held.push(Buffer.alloc(16 << 20, 1)), 20)';
    spawn(process.execPath, ['-e', eat], { stdio: 'inherit' });
    await sleep(1e6);
  },
};

/** Attacks on the reader of mails. */
const MAIL: { readonly [name: string]: () => void } = {
  'a header that is none': () => frame(FRAME.header, [99, 'x']),
  'a header twice': () => {
    frame(FRAME.header, [HEADER_FIELD.from, 'a']);
    frame(FRAME.header, [HEADER_FIELD.from, 'b']);
  },
  'a header of 1 MB': () => frame(FRAME.header, [HEADER_FIELD.subject, 'x'.repeat(1_000_000)]),
  'a depth of 4 thousand million': () => frame(FRAME.part, [0xffffffff]),
  'a part number of 4 thousand million': () => leaf([0xffffffff]),
  'a path out of order': () => leaf([7]),
  'a part of kind 9': () => leaf([1], 9),
  'a part inside a part': () => {
    leaf();
    leaf([2]);
  },
  'bytes outside a part': () => raw(FRAME.bytes, Buffer.from('x')),
  'text that is not UTF-8': () => {
    leaf();
    raw(FRAME.text, Buffer.from([0xed, 0xa0, 0x80]));
  },
  'a part without an end': () => leaf(),
  'parts without end': () => {
    leaf([], PART_KIND.multipart);
    for (let i = 1; ; i++) {
      leaf([i]);
      frame(FRAME.partEnd);
    }
  },
  'bytes without end': () => {
    leaf();
    const zeros = Buffer.alloc(1024 * 1024);
    for (;;) raw(FRAME.bytes, zeros);
  },
  'text without end': () => {
    leaf();
    const words = Buffer.alloc(1024 * 1024, 0x61);
    for (;;) raw(FRAME.text, words);
  },
  'empty frames without end': () => {
    leaf();
    const empty = Buffer.concat(bytesFrame(FRAME.bytes, Buffer.alloc(0)));
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => empty));
    for (;;) say(many);
  },
  'tiny frames without end': () => {
    leaf();
    const tiny = Buffer.concat(bytesFrame(FRAME.bytes, Buffer.from('x')));
    const many = Buffer.concat(Array.from({ length: 10_000 }, () => tiny));
    for (;;) say(many);
  },
  'pixels in a mail': () => raw(FRAME.pixels, Buffer.alloc(10)),
};

/** Honest in every frame, but for ever: bounded by time alone. */
const FLOODS: { readonly [name: string]: () => void } = {
  'large pages': () => {
    frame(FRAME.pages, [2000]);
    const pixels = Buffer.alloc(1_000_000);
    for (;;) {
      page(6000, 6000);
      for (let i = 0; i < 36; i++) raw(FRAME.pixels, pixels);
    }
  },
};

/** Attacks on the reader of pages. */
const PAGES: { readonly [name: string]: () => void } = {
  'no page announced': () => frame(FRAME.pages, [0]),
  '4 thousand million pages announced': () => frame(FRAME.pages, [0xffffffff]),
  'pages announced twice': () => {
    frame(FRAME.pages, [1]);
    frame(FRAME.pages, [1]);
  },
  'a page that was not announced': () => page(1, 1),
  'a page of 4 thousand million pixels a side': () => {
    frame(FRAME.pages, [1]);
    page(0xffffffff, 0xffffffff);
  },
  'a page whose sides multiply to little in 32 bits': () => {
    frame(FRAME.pages, [1]);
    page(65536, 65537);
  },
  'a page of no width': () => {
    frame(FRAME.pages, [1]);
    page(0, 10);
  },
  'a page of negative points': () => {
    frame(FRAME.pages, [1]);
    page(1, 1, PIXEL.grey8, -10);
  },
  'a page of NaN points': () => {
    frame(FRAME.pages, [1]);
    page(1, 1, PIXEL.grey8, Number.NaN);
  },
  'a page of endless points': () => {
    frame(FRAME.pages, [1]);
    page(1, 1, PIXEL.grey8, 10, Number.POSITIVE_INFINITY);
  },
  'a pixel format that is none': () => {
    frame(FRAME.pages, [1]);
    page(1, 1, 77);
  },
  'pixels without a page': () => raw(FRAME.pixels, Buffer.alloc(4)),
  'more pixels than the page has': () => {
    frame(FRAME.pages, [1]);
    page(2, 2);
    raw(FRAME.pixels, Buffer.alloc(5));
  },
  'fewer pixels than the page has': () => {
    frame(FRAME.pages, [1]);
    page(2, 2);
    raw(FRAME.pixels, Buffer.alloc(3));
  },
  'fewer pages than announced': () => frame(FRAME.pages, [3]),
  'more pages than announced': () => {
    frame(FRAME.pages, [1]);
    for (let i = 0; i < 2; i++) {
      page(1, 1);
      raw(FRAME.pixels, Buffer.alloc(1));
    }
  },
  'a page that was not ordered': () => {
    frame(FRAME.pages, [9]);
    due = 7;
    page(1, 1);
  },
  'a page with no word of what it is': () => {
    frame(FRAME.pages, [1]);
    onOrder = false;
    page(1, 1);
  },
  'a word of a page twice': () => {
    frame(FRAME.pages, [1]);
    for (let i = 0; i < 2; i++) frame(FRAME.drawn, [0, 0, 0, 0]);
  },
  'an outcome that is none': () => {
    frame(FRAME.pages, [1]);
    frame(FRAME.drawn, [0, 4, 0, 0]);
  },
  'runs without a page': () => {
    frame(FRAME.pages, [1]);
    frame(FRAME.runs, [0]);
  },
  'more runs than a page may have': () => {
    frame(FRAME.pages, [1]);
    page(1, 1);
    frame(FRAME.runs, [0xffffffff]);
  },
  'a page that is larger than allowed': () => {
    frame(FRAME.pages, [1]);
    page(6001, 6000);
  },
  'text in a document': () => raw(FRAME.text, Buffer.from('x')),
};

/** Attacks on the reader of texts. */
const TEXT: { readonly [name: string]: () => void } = {
  'a type where text was asked for': () => frame(FRAME.detected, ['text/plain', 'txt']),
  'text that is cut inside a character': () => raw(FRAME.text, Buffer.from([0xe3, 0x81])),
  'endless text': () => {
    const words = Buffer.alloc(1024 * 1024, 0x61);
    for (;;) raw(FRAME.text, words);
  },
  'a mail in a text': () => leaf(),
};

/** Attacks on the reader of checks. */
const CHECKS: { readonly [name: string]: () => void } = {
  'no result': () => undefined,
  'a result of an unknown check': () => frame(FRAME.checked, [9, 'pass', 'example.jp']),
  'a result that is none': () => frame(FRAME.checked, [CHECK.dkim, 'trusted', 'example.jp']),
  'results without end': () => {
    for (let left = 100; left > 0; left--) frame(FRAME.checked, [CHECK.dkim, 'pass', 'example.jp']);
  },
  'a result after the fields': () => frame(FRAME.checked, [CHECK.dkim, 'pass', 'example.jp', 1]),
  'questions without end': () => {
    for (let number = 0; number < 10_000; number++) frame(FRAME.ask, [number, RECORD.TXT, `secret${number}.example`]);
  },
  'questions out of order': () => frame(FRAME.ask, [5, RECORD.TXT, 'example.jp']),
  'a question for a whole zone': () => frame(FRAME.ask, [0, 252, 'example.jp']),
  'a text in a check': () => raw(FRAME.text, Buffer.from('text')),
};

/** Attacks on the reader of codes. */
const CODES: { readonly [name: string]: () => void } = {
  'a finding of another kind': () => frame(FRAME.finding, ['macro', 'x']),
  'a loss': () => frame(FRAME.loss, ['qr-code', 'x']),
  'codes without end': () => {
    for (let left = 10_000; left > 0; left--) frame(FRAME.finding, ['qr-code', 'https://evil.example/']);
  },
  'a code that is not UTF-8': () => raw(FRAME.finding, Buffer.from([0, 0, 0, 1, 0x61, 0, 0, 0, 1, 0xff])),
  'a code of 1 MB': () => frame(FRAME.finding, ['qr-code', 'x'.repeat(1_000_000)]),
  'pixels where codes are due': () => raw(FRAME.pixels, Buffer.alloc(10)),
  'text where codes are due': () => raw(FRAME.text, Buffer.from('https://evil.example/')),
};

/** So and so much of something, then a good end: `frames 200000`. */
const MEASURED: { readonly [name: string]: (amount: number) => void | Promise<void> } = {
  stderr: (bytes) => {
    const noise = Buffer.alloc(bytes, 0x41);
    for (let at = 0; at < bytes;) {
      try {
        at += writeSync(2, noise, at);
      } catch {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // full
      }
    }
  },
  frames: (count) => {
    const one = Buffer.concat(bytesFrame(FRAME.text, Buffer.from('x')));
    for (let left = count; left > 0; left -= 10_000)
      say(Buffer.concat(Array.from({ length: Math.min(left, 10_000) }, () => one)));
  },
  'frame-bytes': (bytes) => raw(FRAME.text, Buffer.alloc(bytes, 0x61)),
  milliseconds: async (ms) => sleep(ms),
  'cpu-seconds': (seconds) => {
    const { user, system } = process.cpuUsage();
    for (let used = 0; used < seconds * 1e6;) {
      const now = process.cpuUsage();
      used = now.user + now.system - user - system;
    }
  },
  ticks: async (count) => {
    for (let tick = 0; tick < count; tick++) {
      await sleep(200);
      raw(FRAME.text, Buffer.from('tick'));
    }
  },
  mebibytes: async (size) => {
    const held = Buffer.alloc(size * 1024 * 1024, 1);
    await sleep(2500); // longer than a busy host takes to look
    held.fill(2);
  },
};

const HONEST: { readonly [family: string]: () => void } = {
  mail: () => {
    frame(FRAME.header, [HEADER_FIELD.subject, 'honest']);
    leaf();
    raw(FRAME.text, Buffer.from('honest text'));
    frame(FRAME.partEnd);
    done();
  },
  pages: () => {
    frame(FRAME.pages, [1]);
    page(2, 2);
    raw(FRAME.pixels, Buffer.from([0, 255, 255, 0]));
    if (!onOrder) done();
  },
  text: () => {
    raw(FRAME.text, Buffer.from('honest text'));
    done();
  },
};

export const ATTACKS = {
  any: Object.keys(ANY),
  mail: Object.keys(MAIL),
  pages: Object.keys(PAGES),
  text: Object.keys(TEXT),
  auth: Object.keys(CHECKS),
  codes: Object.keys(CODES),
};

// `name` of an input: what to do; its declared type: as which family.
async function act(name: string, family: string): Promise<void> {
  if (name === 'honest') return HONEST[family]?.();
  const [what = '', amount = ''] = name.split(' ');
  const measured = /^\d+$/.test(amount) ? MEASURED[what] : undefined;
  if (measured !== undefined) {
    await measured(Number(amount));
    if (family === 'text' && !what.startsWith('frame') && what !== 'ticks') raw(FRAME.text, Buffer.from('x'));
    return done();
  }
  const own = { mail: MAIL, pages: PAGES, auth: CHECKS, codes: CODES }[family] ?? TEXT;
  const attack = { ...ANY, ...FLOODS, ...own }[name];
  if (attack === undefined) throw new Error(`no attack ${name}`);
  await attack();
  // What breaks no rule at once ends as if all were well.
  if (!(name in ANY)) done();
}

function sayForNext(): void {
  leaf();
  raw(FRAME.text, Buffer.from('the words of a stranger'));
  frame(FRAME.partEnd);
  done();
}

async function live(): Promise<void> {
  frame(FRAME.ready, ['hostile 1']);
  const reader = new FrameReader(1024 * 1024);
  let job: { name: string; family: string } | undefined;
  for await (const chunk of process.stdin) {
    for (const { type, payload } of reader.push(chunk as Buffer)) {
      if (type === FRAME.open) {
        const fields = new FieldReader(payload);
        const number = fields.u32();
        if (forNext) sayForNext();
        onOrder = isOnOrder(fields.u32());
        due = 0;
        for (let i = 0; i < 2; i++) fields.u32();
        job = { family: fields.text(1000), name: fields.text(1000) };
        if (job.name === 'the beginning of another input') frame(FRAME.begun, [(number + 1) % 2 ** 32]);
        else if (job.name !== 'no beginning') frame(FRAME.begun, [number]);
        if (job.name === 'a beginning twice') frame(FRAME.begun, [number]);
        if (job.name === 'an answer before the input ended') done();
      } else if (type === FRAME.inputEnd && job !== undefined) await act(job.name, job.family);
      else if (type === FRAME.enough && job?.name === 'honest') done();
    }
  }
}

if (process.argv[1] === import.meta.filename) await live();
