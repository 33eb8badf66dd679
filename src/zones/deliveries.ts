// What the inner zone remembers of its deliveries for the console: how each server answered, and what it deferred.
import type { MessageId } from '../message/id.ts';
import type { DeliveryRecord } from '../message/stages.ts';
import type { Deferred, ServerTold } from '../console/desk.ts';

/** Messages whose last answer is remembered. */
const DEFERRED_MOST = 2000;

/** The book of one zone's deliveries, since its start. */
export class Deliveries {
  readonly #server: string;
  readonly #deferred = new Map<MessageId, Deferred>();
  #counts = { delivered: 0, deferred: 0, failed: 0 };
  #last = { at: 0, answer: '' };

  /** `server`: where mail goes, without credentials. */
  constructor(server: string) {
    this.#server = server;
  }

  /** Notes how a message ended. What no server was asked about says nothing of it: refused by the gate, over its time, for the portal only. */
  ended(id: MessageId, { stage, courier, answer }: DeliveryRecord): void {
    if (courier === '' || courier === 'none') this.#deferred.delete(id);
    else this.note(id, stage === 'delivered' ? 'delivered' : 'failed', answer);
  }

  note(id: MessageId, outcome: 'delivered' | 'deferred' | 'failed', answer: string): void {
    this.#counts[outcome] += 1;
    this.#last = { at: Date.now(), answer: answer.slice(0, 200) };
    const times = (this.#deferred.get(id)?.times ?? 0) + 1;
    this.#deferred.delete(id);
    if (outcome !== 'deferred') return;
    this.#deferred.set(id, { id, at: this.#last.at, times, answer: this.#last.answer });
    if (this.#deferred.size > DEFERRED_MOST) {
      const [oldest] = this.#deferred.keys();
      if (oldest !== undefined) this.#deferred.delete(oldest);
    }
  }

  servers(): readonly ServerTold[] {
    return [{ server: this.#server, ...this.#counts, lastAt: this.#last.at, lastAnswer: this.#last.answer }];
  }

  deferred(): readonly Deferred[] {
    return [...this.#deferred.values()];
  }
}

/** Name of the server that a URL speaks of: host and port, nothing secret. */
export function serverOf(url: string | undefined): string {
  if (url === undefined) return 'delivered/';
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'smtps:' ? 465 : 25) : port}`;
}
