// One pooled mail child for a whole test file: gives a mail, gets back what the host's reader made of its frames.
import { FAMILIES } from '../../src/sandbox/families.ts';
import { JailedChild, type ChildOutcome } from '../../src/sandbox/child.ts';
import { MailReader, type HeaderName, type MailNode } from '../../src/sandbox/mail-reader.ts';

export interface ReadLeaf extends MailNode {
  readonly bytes: Buffer;
  readonly text: string | undefined;
}

export interface ReadMail {
  readonly outcome: ChildOutcome;
  readonly headers: Partial<Record<HeaderName, string>>;
  readonly nodes: readonly MailNode[];
  readonly leaves: readonly ReadLeaf[];
  /** `code` or `code: detail`, findings and losses as they came. */
  readonly findings: readonly string[];
  readonly losses: readonly string[];
  readonly ms: number;
}

/** A mail child that is started when first needed and again when it died. */
export class MailBench implements AsyncDisposable {
  #child: JailedChild | undefined;
  starts = 0;

  async read(mail: Uint8Array | string, deadlineMs = 30_000): Promise<ReadMail> {
    if (this.#child?.usable !== true) {
      await this.#child?.stop();
      this.#child = await JailedChild.start(FAMILIES.mail, () => undefined);
      this.starts += 1;
    }
    const seen = new Collector();
    const reader = new MailReader(seen);
    const start = performance.now();
    const outcome = await this.#child.run(
      { operation: 1, dpi: 0, maxPages: 0, declaredType: '', name: '', password: '' },
      typeof mail === 'string' ? Buffer.from(mail) : mail,
      reader.take,
      { deadlineMs, totalMs: deadlineMs, signal: new AbortController().signal },
    );
    if (outcome.kind === 'done') reader.finish();
    return { ...seen.all(), outcome, ms: performance.now() - start };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.stop();
  }
}

class Collector {
  readonly #headers: Partial<Record<HeaderName, string>> = {};
  readonly #nodes: MailNode[] = [];
  readonly #leaves: ReadLeaf[] = [];
  readonly #findings: string[] = [];
  readonly #losses: string[] = [];
  #node: MailNode | undefined;
  #bytes: Buffer[] = [];
  #text: string | undefined;

  onHeader(field: HeaderName, text: string): void {
    this.#headers[field] = text;
  }
  onPart(node: MailNode): void {
    this.#nodes.push(node);
    this.#node = node;
    this.#bytes = [];
    this.#text = undefined;
  }
  onBytes(chunk: Buffer): void {
    this.#bytes.push(Buffer.from(chunk));
  }
  onText(piece: string): void {
    this.#text = (this.#text ?? '') + piece;
  }
  onPartEnd(): void {
    if (this.#node !== undefined)
      this.#leaves.push({ ...this.#node, bytes: Buffer.concat(this.#bytes), text: this.#text });
  }
  onFinding({ code, detail }: { code: string; detail: string }): void {
    this.#findings.push(detail === '' ? code : `${code}: ${detail}`);
  }
  onLoss({ code, detail }: { code: string; detail: string }): void {
    this.#losses.push(detail === '' ? code : `${code}: ${detail}`);
  }
  all(): Omit<ReadMail, 'outcome' | 'ms'> {
    return {
      headers: this.#headers,
      nodes: this.#nodes,
      leaves: this.#leaves,
      findings: this.#findings,
      losses: this.#losses,
    };
  }
}
