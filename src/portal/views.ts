// Views in the journal: a line for each page that is opened, one for what that page brings with it again and again.
import type { ActEntry } from '../message/act.ts';
import type { MessageId } from '../message/id.ts';
import type { Visit } from './pages.ts';

/** How long a view that was told covers what else is looked at of the same thing. */
const COVERS_MS = 3_600_000;
/** Views that are remembered. */
const MOST = 10_000;

/** What is looked at: a message, and what of it. */
export interface Looked {
  readonly message: MessageId;
  readonly detail: Readonly<Record<string, string | boolean>>;
}

/** Tells the journal who looks at what. Either way the line is durable before it resolves. */
export class Views {
  readonly #note: (entry: ActEntry) => Promise<unknown>;
  readonly #now: () => number;
  /** By session and thing, the oldest first. */
  readonly #told = new Map<string, { readonly at: number; readonly durable: Promise<unknown> }>();

  constructor(note: (entry: ActEntry) => Promise<unknown>, now: () => number) {
    this.#note = note;
    this.#now = now;
  }

  /** A page that somebody opened. */
  async opened(visit: Visit, looked: Looked): Promise<void> {
    await this.#tell(keyOf(visit, looked), visit.user.name, looked);
  }

  /** A picture, or a page that fetches itself again: told once an hour for each session, unless the page was. */
  async brought(visit: Visit, looked: Looked): Promise<void> {
    const key = keyOf(visit, looked);
    const told = this.#told.get(key);
    if (told !== undefined && this.#now() - told.at < COVERS_MS) await told.durable;
    else await this.#tell(key, visit.user.name, looked);
  }

  async #tell(key: string, person: string, { message, detail }: Looked): Promise<void> {
    const told = { at: this.#now(), durable: this.#note({ act: 'viewed', person, message, detail }) };
    this.#told.delete(key);
    this.#told.set(key, told);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MOST && oldest !== undefined) this.#told.delete(oldest);
    try {
      await told.durable;
    } catch (error) {
      if (this.#told.get(key) === told) this.#told.delete(key); // what was not told is told by the next look
      throw error;
    }
  }
}

function keyOf({ session }: Visit, { message, detail }: Looked): string {
  return JSON.stringify([session.hash, message, detail]);
}
