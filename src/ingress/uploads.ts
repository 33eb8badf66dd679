// Uploads that survive a broken line: the tus protocol 1.0 (creation, termination, expiration), written by hand because the
// bytes go straight into the spool's own staging and are hashed on their way; tus-node-server would keep a copy beside it.
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import { untrusted } from '../message/untrusted.ts';
import type { StageWriter } from '../spool/spool.ts';
import { checkEnvelope, type HttpDoorDeps } from './upload-envelope.ts';
import { intake, MESSAGE_BYTES } from './intake.ts';
import { BadRequest, clientOf, type Quota } from './upload-fault.ts';

const VERSION = '1.0.0';
/** Unfinished uploads of a client, and of all together; milliseconds one may rest. */
const PER_CLIENT = 10;
const ALL = 100;
const REST_MS = 3_600_000;

interface Unfinished {
  readonly client: string;
  readonly name: string;
  readonly to: readonly string[];
  readonly length: number;
  readonly writer: StageWriter;
  /** One PATCH at a time: two would mix their bytes. */
  busy: boolean;
  touched: number;
}

/** The unfinished uploads of a door. They live as long as the process: after a restart a client begins anew, as tus has it. */
export class Uploads {
  readonly #all = new Map<string, Unfinished>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.sweep(Date.now()), 60_000);
    this.#timer.unref();
  }

  add(upload: Unfinished): string {
    const mine = [...this.#all.values()].filter(({ client }) => client === upload.client).length;
    if (mine >= PER_CLIENT || this.#all.size >= ALL)
      throw new BadRequest(429, 'too-many-uploads', 'Too many uploads are unfinished. Finish or end one first.');
    const id = randomBytes(24).toString('base64url');
    this.#all.set(id, upload);
    return id;
  }

  find(id: string): Unfinished | undefined {
    return this.#all.get(id);
  }

  /** Takes an upload off the list; its bytes are the caller's. */
  take(id: string): void {
    this.#all.delete(id);
  }

  /** Ends what nobody came back for. */
  sweep(now: number): void {
    for (const [id, upload] of this.#all) {
      if (upload.busy || now - upload.touched < REST_MS) continue;
      upload.writer.abort();
      this.#all.delete(id);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const upload of this.#all.values()) upload.writer.abort();
    this.#all.clear();
  }
}

/** Declares `/v1/uploads`. */
export function addUploads(app: FastifyInstance, deps: HttpDoorDeps, uploads: Uploads, quota: Quota): void {
  app.addContentTypeParser('application/offset+octet-stream', (_request, payload, done) => done(null, payload));
  const tus = (reply: FastifyReply): FastifyReply => reply.header('Tus-Resumable', VERSION);
  const mine = (request: FastifyRequest<{ Params: { id: string } }>): Unfinished => {
    const upload = uploads.find(request.params.id);
    if (upload === undefined || upload.client !== clientOf(request, deps.apiKeys))
      throw new BadRequest(404, 'not-found', 'There is no such upload, or it is too old.');
    return upload;
  };
  const hide = { schema: { hide: true } };

  app.options('/v1/uploads', hide, async (_request, reply) =>
    tus(reply)
      .headers({
        'Tus-Version': VERSION,
        'Tus-Extension': 'creation,termination,expiration',
        'Tus-Max-Size': MESSAGE_BYTES,
      })
      .code(204)
      .send(),
  );
  app.post('/v1/uploads', hide, async (request, reply) => {
    const client = clientOf(request, deps.apiKeys);
    const length = wholeNumber(request.headers['upload-length']);
    if (length === undefined) throw new BadRequest(400, 'bad-input', 'Upload-Length is missing.');
    if (length > MESSAGE_BYTES)
      throw new BadRequest(413, 'too-large', `A file may have at most ${MESSAGE_BYTES} bytes.`);
    const facts = metadataOf(request.headers['upload-metadata']);
    const to = (facts.get('to') ?? '').split(',').map((one) => one.trim());
    checkEnvelope('', to[0] === '' ? [] : to, deps.domains);
    quota.take(client, length);
    const writer = deps.spool.begin(MESSAGE_BYTES);
    let id: string;
    try {
      const name = facts.get('filename') ?? '';
      id = uploads.add({ client, name, to, length, writer, busy: false, touched: Date.now() });
    } catch (error) {
      writer.abort();
      throw error;
    }
    return tus(reply).code(201).header('Location', `/v1/uploads/${id}`).header('Upload-Expires', expiry()).send();
  });
  // Fastify answers HEAD where GET is declared; here only HEAD has a meaning.
  app.head<{ Params: { id: string } }>('/v1/uploads/:id', hide, async (request, reply) => {
    const upload = mine(request);
    return tus(reply)
      .headers({ 'Upload-Offset': upload.writer.size, 'Upload-Length': upload.length, 'Cache-Control': 'no-store' })
      .code(200)
      .send();
  });
  app.delete<{ Params: { id: string } }>('/v1/uploads/:id', hide, async (request, reply) => {
    const upload = mine(request);
    if (upload.busy) throw new BadRequest(409, 'busy', 'This upload is being written.');
    uploads.take(request.params.id);
    upload.writer.abort();
    return tus(reply).code(204).send();
  });
  app.patch<{ Params: { id: string } }>(
    '/v1/uploads/:id',
    { ...hide, bodyLimit: MESSAGE_BYTES },
    async (request, reply) => {
      const upload = mine(request);
      const { id } = request.params;
      const offset = wholeNumber(request.headers['upload-offset']);
      if (upload.busy || offset !== upload.writer.size)
        throw new BadRequest(409, 'wrong-offset', 'The upload stands elsewhere; ask with HEAD.');
      upload.busy = true;
      try {
        await append(upload, request.body as AsyncIterable<Uint8Array>); // our parser gives the stream itself
      } catch (error) {
        // A line that broke is taken up where it was. What could not be written is gone: the sender begins anew.
        if (error instanceof BadRequest || error instanceof MugaiError) {
          uploads.take(id);
          upload.writer.abort();
        }
        throw error;
      } finally {
        upload.busy = false;
        upload.touched = Date.now();
      }
      tus(reply).header('Upload-Offset', upload.writer.size).header('Upload-Expires', expiry());
      if (upload.writer.size < upload.length) return reply.code(204).send();
      uploads.take(id);
      return reply
        .code(204)
        .header('Mugai-Id', await finish(request, upload, deps))
        .send();
    },
  );
}

async function append(upload: Unfinished, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (upload.writer.size + chunk.length > upload.length)
      throw new BadRequest(413, 'too-large', 'More came than was announced.');
    const waiting = upload.writer.write(chunk);
    if (waiting !== undefined) await waiting;
  }
}

/** The digest is fixed here, and the message durable, before the client hears that its last byte arrived. */
async function finish(request: FastifyRequest, upload: Unfinished, deps: HttpDoorDeps): Promise<string> {
  const staged = upload.writer.finish();
  try {
    const envelope = { from: '', to: [...upload.to] };
    const peer = untrusted(`${request.ip} tus ${upload.client}`);
    const spooled = await intake({ kind: 'file', name: untrusted(upload.name), envelope, peer }, staged, deps);
    deps.metrics.bytes.inc({ direction: 'in' }, staged.size);
    return spooled.id;
  } finally {
    await staged.discard();
  }
}

function expiry(): string {
  return new Date(Date.now() + REST_MS).toUTCString();
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** `Upload-Metadata`: pairs of a name and a base64 value, parted by commas. */
function metadataOf(header: string | string[] | undefined): Map<string, string> {
  const facts = new Map<string, string>();
  if (typeof header !== 'string' || header.length > 8 * LIMITS.recipients * 64) return facts;
  for (const pair of header.split(',')) {
    const [name = '', value = ''] = pair.trim().split(' ');
    facts.set(name, Buffer.from(value, 'base64').toString('utf8'));
  }
  return facts;
}
