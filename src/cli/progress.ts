// A progress bar on a terminal, nothing elsewhere.

/** Draws `done of total` on stderr while it is a terminal. */
export class Progress {
  readonly #total: number;
  readonly #stream: NodeJS.WriteStream;
  #done = 0;

  constructor(total: number, stream: NodeJS.WriteStream = process.stderr) {
    this.#total = total;
    this.#stream = stream;
  }

  /** One more is done; `label` names it. */
  step(label: string): void {
    this.#done += 1;
    if (!this.#stream.isTTY) return;
    const width = 30;
    const filled = Math.round((this.#done / Math.max(1, this.#total)) * width);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
    const room = Math.max(10, (this.#stream.columns ?? 80) - width - 20);
    this.#stream.write(`\r\u001b[2K${bar} ${this.#done}/${this.#total} ${label.slice(-room)}`);
  }

  /** Clears the bar. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
  }
}
