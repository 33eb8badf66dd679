// Server-sent events: tells a page that what it shows has changed; the page then fetches itself and takes what is new. So there
// is one place that draws, and whoever has no scripts reloads.
import { createHash } from 'node:crypto';
import { parseMessageId } from '../message/id.ts';
import type { Asks } from './asking.ts';
import { mailboxesOf, type Desk } from './desk.ts';
import type { Answer, Visit } from './pages.ts';

/** Milliseconds between two looks for each page that is open, and between two signs of life on a quiet line. */
const LOOK_MS = 2000;
const ALIVE_MS = 25_000;
/** Open streams of a person and in all: browsers hold six connections to a host, and a page that is hidden lets go of its own. */
const PER_PERSON = 6;
const ALL = 3000;
/** A stream is ended after this; browsers come again by themselves. */
const STREAM_MS = 30 * 60_000;

interface Stream {
  readonly user: string;
  end(): void;
}

/** The streams that are open. */
export class LiveEvents {
  readonly #desk: Desk;
  readonly #asks: Asks;
  readonly #streams = new Set<Stream>();
  #closed = false;

  constructor(desk: Desk, asks: Asks) {
    this.#desk = desk;
    this.#asks = asks;
  }

  /** Declares `/live`. Without `Accept: text/event-stream` it answers once, with what it would tell. */
  add(): void {
    this.#desk.pages.quiet('/live', ['staff'], async (visit) => {
      const { request, reply } = visit;
      if (!/\btext\/event-stream\b/.test(request.headers.accept ?? '')) {
        await reply.type('application/json').send({ token: await this.#token(visit) });
        return 'sent';
      }
      return this.#stream(visit);
    });
  }

  /** Ends all streams: a server that stops waits for nobody who only listens. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) stream.end();
  }

  #stream(visit: Visit): Answer {
    const user = visit.user.name;
    const mine = [...this.#streams].filter((stream) => stream.user === user);
    if (this.#closed || this.#streams.size >= ALL) return { status: 503, page: { __html: true, text: '' } };
    if (mine.length >= PER_PERSON) mine[0]?.end(); // the oldest page of the person; it asks again when it is looked at
    const { reply } = visit;
    reply.hijack();
    const { raw } = reply;
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    raw.flushHeaders();
    const until = this.#desk.now() + STREAM_MS;
    let told = '';
    let busy = false;
    let spokeAt = performance.now();
    const stream: Stream = {
      user,
      end: () => {
        clearInterval(timer);
        this.#streams.delete(stream);
        raw.end();
      },
    };
    const look = async (): Promise<void> => {
      // Signed out, disabled, or its time is over: the page asks again and is sent to the sign-in.
      if (!this.#desk.sessions.lives(visit.session.hash) || this.#desk.now() > until) return stream.end();
      const token = await this.#token(visit);
      if (token === told && performance.now() - spokeAt < ALIVE_MS) return;
      raw.write(token === told ? ': \n\n' : `data: ${token}\n\n`);
      told = token;
      spokeAt = performance.now();
    };
    const again = (): void => {
      if (busy) return;
      busy = true;
      look()
        .catch((error: unknown) => {
          this.#desk.log.warn({ error: String(error) }, 'live events');
          stream.end();
        })
        .finally(() => (busy = false));
    };
    const timer = setInterval(again, LOOK_MS);
    this.#streams.add(stream);
    raw.on('close', () => {
      clearInterval(timer);
      this.#streams.delete(stream);
    });
    again();
    return 'sent';
  }

  /** A word that is another one when something that this person may see has changed. */
  async #token(visit: Visit): Promise<string> {
    const { index, onTheWay } = this.#desk;
    const addresses = mailboxesOf(this.#desk, visit).map(({ address }) => address);
    const arriving = await onTheWay.of(addresses);
    const asks = this.#asks.lately(visit.user.name, this.#desk.now() - 3_600_000);
    const answers = await Promise.all(
      asks.map(async ({ request, kind }) =>
        kind === 'render'
          ? (await onTheWay.documents(request)).map(({ sealed }) => sealed)
          : index.lists.versions(request).length > 1,
      ),
    );
    const id = parseMessageId(visit.query.get('id') ?? '');
    const come = id === undefined ? undefined : index.lists.find(id, addresses, visit.user.name)?.stage;
    const newest = index.lists.newest(addresses);
    const text = JSON.stringify([
      arriving.map(({ id: one, ahead, done, pages, seconds }) => [one, ahead, done, pages, seconds]),
      answers,
      come,
      newest,
    ]);
    return createHash('sha256').update(text).digest('base64url').slice(0, 16);
  }
}
