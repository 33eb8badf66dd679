// A client that says exactly these bytes, and hears every reply.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

export class SmtpDialog implements AsyncDisposable {
  readonly #socket: Socket;
  #heard = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#heard += chunk.toString('latin1');
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
    socket.on('error', () => undefined); // told by `closed`
  }

  static async open(port: number, host = '127.0.0.1'): Promise<SmtpDialog> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new SmtpDialog(socket);
  }

  get closed(): boolean {
    return this.#ended;
  }

  write(bytes: string | Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  async drained(): Promise<void> {
    if (this.#socket.writableNeedDrain) await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]);
  }

  /** The next whole reply (multi-line ones joined), or '' when the connection ended. */
  async reply(ms = 60_000): Promise<string> {
    const end = Date.now() + ms;
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/.exec(this.#heard);
      if (match !== null) {
        this.#heard = this.#heard.slice(match[0].length);
        return match[0].trim();
      }
      if (this.#ended) return '';
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no reply within ${ms} ms; heard so far: ${this.#heard}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async say(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** Greeting, EHLO, MAIL, RCPT, DATA: ready for the message's bytes. */
  async toData(to = 'staff@city.example.lg.jp', from = 'sender@example.com'): Promise<void> {
    await this.reply();
    await this.say('EHLO test.example');
    await this.say(`MAIL FROM:<${from}>`);
    await this.say(`RCPT TO:<${to}>`);
    await this.say('DATA');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#ended) await once(this.#socket, 'close');
  }
}
