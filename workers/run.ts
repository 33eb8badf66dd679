// The shell every jailed child runs in: reads inputs off stdin, writes frames to stdout, one input at a time.
// What the host has not taken yet piles up in this process: a worker with much to say waits for `Out.drained` between
// its pages or chunks, so that neither side holds more than a few.
import { EXIT } from '../src/sandbox/exit-codes.ts';
import { LIMITS } from '../src/message/limits.ts';
import {
  FRAME,
  FieldReader,
  bytesFrame,
  fieldsFrame,
  isOnOrder,
  WireError,
  type Field,
  type FrameType,
  type Letters,
  type Outcome,
  type PixelFormat,
  type RecordType,
  type Run,
} from '../src/sandbox/wire.ts';
import { runsInFrame } from './runs-in-frame.ts';
import { Input, Orders, Questions, readFrames } from './run-input.ts';

/** One input as the host described it. `name` and `declaredType` are the sender's words. */
export interface Job {
  readonly operation: number;
  /** Dots per inch asked for; 0 where pixels are not the question. */
  readonly dpi: number;
  readonly maxPages: number;
  readonly declaredType: string;
  readonly name: string;
  /** Empty when none was given. */
  readonly password: string;
  /** The input's bytes as they come. Read to the end or throw. */
  readonly input: AsyncIterable<Buffer>;
  /** Pages to draw, counted from 0, where `isOnOrder(operation)`; read the input to its end before. */
  readonly orders: AsyncIterable<number>;
  /** Has the host ask the DNS; gives its answer as it came, empty when there was none. Read the input to its end before. */
  ask(type: RecordType, name: string): Promise<Buffer>;
}

/** Where a child's results go. Texts are UTF-8 of any origin: the host cleans what it takes. */
export interface Out {
  finding(code: string, detail: string): void;
  loss(code: string, detail: string): void;
  header(field: number, value: string): void;
  part(node: PartNode): void;
  /** Raw bytes of the current part; a copy is not kept, any length. */
  bytes(chunk: Uint8Array): void;
  partEnd(): void;
  /** Plain text of the current part (or of the input), any length. */
  text(text: string): void;
  /** Texts of the cells of a workbook, none with a line feed. */
  cells(texts: Iterable<string>): void;
  pages(count: number): void;
  /** Tells of the page that is sent next; on order only. */
  drawn(page: {
    readonly index: number;
    readonly outcome: Outcome;
    readonly hidden: number;
    readonly letters: Letters;
  }): void;
  /** A page or picture in `format`; `pixels` holds its rows as `rowBytes` says, unchanged until `drained` resolves. */
  page(page: PagePixels): void;
  /** Text of a page whose pixels the host has. */
  runs(runs: readonly Run[]): void;
  detected(mimeType: string, extension: string): void;
  checked(method: number, result: string, domain: string): void;
  /** Resolves when no bytes, texts or pixels that were sent lie in this process any more. */
  drained(): Promise<void>;
}

/** A node of the MIME tree: `path` counts from 1 at every level (IMAP part numbers, RFC 3501 §6.4.5). */
export interface PartNode {
  readonly path: readonly number[];
  readonly kind: number;
  readonly type: string;
  /** Of a leaf of a mail, as its label says. */
  readonly charset?: string;
  readonly name: string;
  readonly disposition: string;
  readonly contentId: string;
}

/** Pixels of one page with its size in pixels and in points. */
export interface PagePixels {
  readonly width: number;
  readonly height: number;
  readonly format: PixelFormat;
  readonly widthPt: number;
  readonly heightPt: number;
  readonly pixels: Uint8Array;
  /** Its text, where it was asked for. */
  readonly runs?: readonly Run[];
}

/** Thrown by a worker: the input cannot be converted, for a reason of the contract (`damaged`, `encrypted`, …). */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: string;
  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/**
 * Serves inputs until stdin ends. `engine` names what parses (`mailparser 3.14.2`). Whatever `handle` throws but a
 * `Refusal` ends the process: a parser in an unknown state parses nothing more.
 */
export function serve(engine: string, handle: (job: Job, out: Out) => Promise<void> | void): void {
  const frames = readFrames();
  const loop = async (): Promise<void> => {
    send(FRAME.ready, [engine]);
    for (;;) {
      const next = await frames.next();
      if (next.done) return;
      const input = new Input(frames);
      const orders = new Orders(frames);
      const job = openJob(
        next.value.type,
        next.value.payload,
        input,
        orders,
        new Questions(frames, (number, record, name) => send(FRAME.ask, [number, record, name])),
      );
      const settle = async (): Promise<void> => {
        await input.drain();
        if (isOnOrder(job.operation)) await orders.drain();
      };
      try {
        await handle(job, out);
        await settle();
        send(FRAME.done);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        await input.drain();
        send(FRAME.refuse, [error.reason, cut(error.message, 400)]);
        await settle();
      }
    }
  };
  loop().then(
    () => process.exit(EXIT.ok),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(exitCodeOf(error));
    },
  );
}

function exitCodeOf(error: unknown): number {
  if (error instanceof WireError) return EXIT.wire;
  // V8's words for a buffer it got no memory for: "Array buffer allocation failed", "Failed to allocate memory".
  return error instanceof RangeError && /allocat/i.test(error.message) ? EXIT.memory : EXIT.failed;
}

/** The whole input in one buffer. The host caps its length; the memory limit is outside. */
export async function whole(job: Job): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of job.input) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

function openJob(type: number, payload: Buffer, input: Input, orders: Orders, questions: Questions): Job {
  if (type !== FRAME.open) throw new WireError(`frame ${type} before open`);
  const fields = new FieldReader(payload);
  send(FRAME.begun, [fields.u32()]);
  const job = {
    operation: fields.u32(),
    dpi: fields.u32(),
    maxPages: fields.u32(),
    declaredType: fields.text(4096),
    name: fields.text(4096),
    password: fields.text(4096),
    input,
    orders,
    ask: async (record: RecordType, name: string) => questions.ask(record, name),
  };
  fields.end();
  return job;
}

function send(type: FrameType, fields: readonly Field[] = []): void {
  process.stdout.write(fieldsFrame(type, fields));
}

/** Payloads that still lie in this process, and who waits for them to be gone. */
let unsent = 0;
let onSent: (() => void) | undefined;
const sent = (): void => {
  unsent -= 1;
  if (unsent > 0) return;
  onSent?.();
  onSent = undefined;
};

function sendBytes(type: FrameType, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += LIMITS.frameBytes) {
    const [head, payload] = bytesFrame(type, bytes.subarray(at, at + LIMITS.frameBytes));
    process.stdout.write(head);
    unsent += 1;
    process.stdout.write(payload, sent);
  }
}

/** Pieces end at a code point, so that each frame is UTF-8 by itself; 3 bytes a UTF-16 unit at most. */
function sendText(type: FrameType, text: string): void {
  const piece = Math.floor(LIMITS.frameBytes / 3) - 1;
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + piece);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    sendBytes(type, Buffer.from(text.slice(at, end).toWellFormed(), 'utf8'));
    at = end;
  }
}

function sendRuns(runs: readonly Run[]): void {
  const fields: Field[] = [];
  const held = runsInFrame(runs);
  for (const { text, x, y, dx, dy, size } of held)
    fields.push(text, { f64: x }, { f64: y }, { f64: dx }, { f64: dy }, { f64: size });
  send(FRAME.runs, [held.length, ...fields]);
}

/** What a mail says of a leaf's charset, in the letters of such names. */
function withCharset(said = ''): string {
  const charset = said.replace(/[^\w.:+-]/g, '').slice(0, 60);
  return charset === '' ? '' : `;charset=${charset}`;
}

function cut(text: string, max: number): string {
  return text.length > max ? text.slice(0, max).toWellFormed() : text.toWellFormed();
}

const out: Out = {
  finding: (code, detail) => send(FRAME.finding, [code, cut(detail, 400)]),
  loss: (code, detail) => send(FRAME.loss, [code, cut(detail, 400)]),
  header: (field, value) => send(FRAME.header, [field, cut(value, LIMITS.headerChars)]),
  part: (node) =>
    send(FRAME.part, [
      node.path.length,
      ...node.path,
      node.kind,
      `${cut(node.type, 200)}${withCharset(node.charset)}`,
      cut(node.name, 1000),
      cut(node.disposition, 40),
      cut(node.contentId, 400),
    ]),
  bytes: (chunk) => sendBytes(FRAME.bytes, chunk),
  partEnd: () => send(FRAME.partEnd),
  text: (text) => sendText(FRAME.text, text),
  cells: (texts) => sendText(FRAME.cells, [...texts].map((text) => `${text}\n`).join('') || '\n'),
  pages: (count) => send(FRAME.pages, [count]),
  drawn: ({ index, outcome, hidden, letters }) => send(FRAME.drawn, [index, outcome, hidden, letters]),
  page: (page) => {
    send(FRAME.page, [page.width, page.height, page.format, { f64: page.widthPt }, { f64: page.heightPt }]);
    if (page.runs !== undefined && page.runs.length > 0) sendRuns(page.runs);
    sendBytes(FRAME.pixels, page.pixels);
  },
  runs: sendRuns,
  detected: (mimeType, extension) => send(FRAME.detected, [mimeType, extension]),
  checked: (method, result, domain) => send(FRAME.checked, [method, cut(result, 20), cut(domain, 253)]),
  drained: async () => {
    if (unsent > 0) await new Promise<void>((resolve) => (onSent = resolve));
  },
};
