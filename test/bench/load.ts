// The load of the end-to-end bench: a sender that numbers its mails, and a sink that notes when each arrived.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

const NUMBER = /^Subject: mail (\d+)/m;
const HEAD_BYTES = 4096;

/** Takes every mail, keeps nothing but the moment at which each number arrived (`performance.now()`). */
export class TimedSink {
  readonly arrived = new Map<number, number>();
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(): Promise<TimedSink> {
    const server = createServer((socket) => sink.#take(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const sink = new TimedSink(server, typeof address === 'object' && address !== null ? address.port : 0);
    return sink;
  }

  stop(): void {
    this.#server.close();
  }

  #take(socket: Socket): void {
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.write('220 sink\r\n');
    let inData = false;
    let text = '';
    let head = '';
    socket.on('data', (chunk: Buffer | string) => {
      text += String(chunk);
      for (;;) {
        if (inData) {
          if (head.length < HEAD_BYTES) head += text.slice(0, HEAD_BYTES - head.length);
          const end = text.indexOf('\r\n.\r\n');
          if (end < 0) {
            text = text.slice(-4); // the end may be cut in two
            return;
          }
          text = text.slice(end + 5);
          inData = false;
          const number = Number(NUMBER.exec(head)?.[1] ?? -1);
          if (!this.arrived.has(number)) this.arrived.set(number, performance.now());
          socket.write('250 2.0.0 taken\r\n');
          continue;
        }
        const end = text.indexOf('\r\n');
        if (end < 0) return;
        const verb = text.slice(0, 4).toUpperCase();
        text = text.slice(end + 2);
        if (verb === 'DATA') {
          inData = true;
          head = '';
          socket.write('354 go on\r\n');
        } else if (verb === 'QUIT') socket.end('221 bye\r\n');
        else socket.write(verb === 'EHLO' ? '250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n' : '250 2.0.0 yes\r\n');
      }
    });
  }
}

/** One connection to a door, kept open for many mails. */
export class Sender {
  readonly #socket: Socket;
  #waiting: ((line: string) => void) | undefined;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => this.#waiting?.('000 broken'));
    socket.on('close', () => this.#waiting?.('000 closed')); // a door that hangs up must not be waited for
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk: Buffer | string) => {
      this.#text += String(chunk);
      const last = /^(\d{3} .*)\r\n$/m.exec(this.#text);
      if (last === null) return;
      this.#text = '';
      this.#waiting?.(last[1] ?? '');
    });
  }

  static async open(port: number): Promise<Sender> {
    const socket = connect(port, '127.0.0.1');
    const sender = new Sender(socket);
    const greeting = await sender.#reply();
    if (!greeting.startsWith('220')) throw new Error(`no greeting: ${greeting}`);
    await sender.#say('EHLO bench.example\r\n');
    return sender;
  }

  /** Sends a mail; throws unless the answer is 250. */
  async send(mail: Buffer): Promise<void> {
    await this.#say('MAIL FROM:<sender@example.com>\r\n');
    await this.#say('RCPT TO:<staff@city.example.lg.jp>\r\n');
    await this.#say('DATA\r\n');
    this.#socket.write(mail);
    const answer = await this.#say('\r\n.\r\n');
    if (!answer.startsWith('250')) throw new Error(`not taken: ${answer}`);
  }

  close(): void {
    this.#socket.end('QUIT\r\n');
  }

  async #say(text: string): Promise<string> {
    const reply = this.#reply();
    this.#socket.write(text);
    return reply;
  }

  async #reply(): Promise<string> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}

let nextNumber = 1;

/** A mail with a number of its own before the rest. */
export function numberedMail(rest: Buffer): { readonly number: number; readonly mail: Buffer } {
  const number = nextNumber++;
  return { number, mail: Buffer.concat([Buffer.from(`Subject: mail ${number}\r\n`), rest]) };
}

/** Sends `mails` over `connections` and waits until all arrived: mails a second over both. */
export async function throughput(
  port: number,
  sink: TimedSink,
  rest: Buffer,
  mails: number,
  connections: number,
): Promise<number> {
  const started = performance.now();
  let left = mails;
  const numbers: number[] = [];
  const lane = async (): Promise<void> => {
    const sender = await Sender.open(port);
    while (left-- > 0) {
      const { number, mail } = numberedMail(rest);
      numbers.push(number);
      await sender.send(mail);
    }
    sender.close();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  await arrival(sink, numbers, 300_000);
  return (mails * 1000) / (performance.now() - started);
}

/** Waits until these arrived; throws after `ms`. */
export async function arrival(sink: TimedSink, numbers: readonly number[], ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (const number of numbers)
    while (!sink.arrived.has(number)) {
      if (performance.now() > end) throw new Error(`mail ${number} did not arrive within ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
}

/** Sends at an even pace for some seconds; milliseconds from each 250 to the arrival, sorted. */
export async function latencies(
  port: number,
  sink: TimedSink,
  rest: Buffer,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const senders = await Promise.all(Array.from({ length: 20 }, async () => Sender.open(port)));
  const taken = new Map<number, number>();
  const sending: Promise<void>[] = [];
  const started = performance.now();
  const total = Math.max(1, Math.floor(perSecond * seconds));
  for (let at = 0; at < total; at++) {
    const due = started + (at * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    while (senders.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const sender = senders.pop();
    if (sender === undefined) continue;
    const { number, mail } = numberedMail(rest);
    sending.push(
      sender.send(mail).then(() => {
        taken.set(number, performance.now());
        senders.push(sender);
      }),
    );
  }
  await Promise.all(sending);
  await arrival(sink, [...taken.keys()], 120_000);
  for (const sender of senders) sender.close();
  return [...taken]
    .map(([number, at]) => Math.max(0, (sink.arrived.get(number) ?? Number.NaN) - at))
    .toSorted((a, b) => a - b);
}

export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
