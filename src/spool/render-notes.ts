// Which pages were drawn anew for which message: they lie beside the packages under the ids of their requests, and go with it.
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { Store } from '../store/store.ts';

const FOLDER = 'renders';
const NAME = /^([0-7][0-9a-hjkmnp-tv-z]{25})_([0-9.]*)_([0-9]+)_([0-9]+)_([0-9]+)(_colour)?$/;

/** What a request had drawn: pages `from` to `to` of a part. */
export interface Rendered {
  readonly request: MessageId;
  readonly part: string;
  readonly dpi: number;
  readonly from: number;
  readonly to: number;
  /** In all their colours. */
  readonly colour: boolean;
}

export class RenderNotes {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Notes what is about to be drawn of a message; durable. */
  async add(of: MessageId, rendered: Rendered): Promise<void> {
    await this.#store.put(`${FOLDER}/${of}`, { name: nameOf(rendered), content: new Uint8Array() });
  }

  async remove(of: MessageId, rendered: Rendered): Promise<void> {
    await this.#store.delete(`${FOLDER}/${of}/${nameOf(rendered)}`);
  }

  /** All that was drawn of a message. */
  async of(id: MessageId): Promise<Rendered[]> {
    return (await this.#store.list(`${FOLDER}/${id}`)).map(renderedOf).filter((one) => one !== undefined);
  }

  /** The messages of which anything was drawn. */
  async messages(): Promise<MessageId[]> {
    return (await this.#store.list(FOLDER)).map(parseMessageId).filter((id) => id !== undefined);
  }

  /** Forgets all of a message. */
  async forget(id: MessageId): Promise<void> {
    await this.#store.delete(`${FOLDER}/${id}`);
  }
}

function nameOf({ request, part, dpi, from, to, colour }: Rendered): string {
  return `${request}_${part}_${dpi}_${from}_${to}${colour ? '_colour' : ''}`;
}

function renderedOf(name: string): Rendered | undefined {
  const [, typed = '', part = '', dpi, from, to, colour] = NAME.exec(name) ?? [];
  const request = parseMessageId(typed);
  if (request === undefined) return undefined;
  return { request, part, dpi: Number(dpi), from: Number(from), to: Number(to), colour: colour !== undefined };
}
