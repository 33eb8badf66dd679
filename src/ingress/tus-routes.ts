// `/v1/uploads`: uploads that survive a broken line. The tus protocol 1.0 (creation, termination, expiration), by hand because the
// bytes go straight into the spool's own staging and are hashed on their way; tus-node-server would keep a copy beside it.
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import { untrusted } from '../message/untrusted.ts';
import { intake, MESSAGE_BYTES } from './intake.ts';
import { checkPressure, envelopeOf, type HttpDoorDeps } from './upload-envelope.ts';
import { BadRequest, clientOf, peerOf, type Quota } from './upload-fault.ts';
import { SAID, type Said } from './upload-words.ts';
import { elsewhere, noUpload, REST_MS, type Unfinished, type Uploads } from './uploads.ts';

const VERSION = '1.0.0';
const PIECE_TYPE = 'application/offset+octet-stream';
const SEND_BYTES: Said = [`${PIECE_TYPE}として送ってください。`, `Send the bytes as ${PIECE_TYPE}.`];

type OfUpload = FastifyRequest<{ Params: { id: string } }>;

/** Declares `/v1/uploads`. */
export function addUploads(app: FastifyInstance, deps: HttpDoorDeps, uploads: Uploads, quota: Quota): void {
  app.addContentTypeParser(PIECE_TYPE, (_request, payload, done) => done(null, payload));
  const ours = { schema: { hide: true }, onRequest: speakTus };
  const mine = (request: OfUpload): Unfinished => {
    const upload = uploads.find(request.params.id);
    if (upload === undefined || upload.client !== clientOf(request, deps.apiKeys)) throw noUpload();
    return upload;
  };

  app.options('/v1/uploads', ours, async (_request, reply) =>
    reply
      .headers({
        'Tus-Version': VERSION,
        'Tus-Extension': 'creation,termination,expiration',
        'Tus-Max-Size': MESSAGE_BYTES,
      })
      .code(204)
      .send(),
  );
  app.post('/v1/uploads', ours, async (request, reply) => {
    checkPressure(deps);
    const upload = create(request, deps, quota);
    let id: string;
    try {
      id = uploads.add(upload);
    } catch (error) {
      upload.writer.abort();
      throw error;
    }
    // Nothing is to come: no PATCH would ever end it.
    if (upload.length === 0)
      reply.header('Mugai-Id', await uploads.finish(id, upload, async () => keep(request, upload, deps)));
    return reply.code(201).header('Location', `/v1/uploads/${id}`).header('Upload-Expires', expiry()).send();
  });
  // Fastify answers HEAD where GET is declared; here only HEAD has a meaning.
  app.head('/v1/uploads/:id', ours, async (request: OfUpload, reply) => {
    // Whoever lost the last answer hears that the file is here, instead of sending it a second time.
    const done = await uploads.done(request.params.id);
    if (done !== undefined && done.client === clientOf(request, deps.apiKeys))
      return reply
        .headers({ 'Upload-Offset': done.length, 'Upload-Length': done.length, 'Mugai-Id': done.message })
        .code(200)
        .send();
    const upload = mine(request);
    return reply
      .headers({ 'Upload-Offset': upload.writer.size, 'Upload-Length': upload.length, 'Cache-Control': 'no-store' })
      .code(200)
      .send();
  });
  app.delete('/v1/uploads/:id', ours, async (request: OfUpload, reply) => {
    const upload = mine(request);
    await uploads.stop(request.params.id);
    if (upload.finishing !== undefined) throw new BadRequest(409, 'busy', SAID.beingTaken);
    uploads.drop(request.params.id);
    return reply.code(204).send();
  });
  const pieces = { ...ours, onRequest: [speakTus, onlyPieces], bodyLimit: MESSAGE_BYTES };
  app.patch('/v1/uploads/:id', pieces, async (request: OfUpload, reply) => {
    const upload = mine(request);
    checkPressure(deps);
    const message = await patch(request, upload, deps, uploads);
    if (message !== undefined) reply.header('Mugai-Id', message);
    return reply.code(204).header('Upload-Offset', upload.writer.size).header('Upload-Expires', expiry()).send();
  });
}

/** Every answer says which tus it is, errors too; another one than ours is refused. */
async function speakTus(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.header('Tus-Resumable', VERSION);
  const asked = request.headers['tus-resumable'];
  if (asked === undefined || asked === VERSION || request.method === 'OPTIONS') return;
  reply.header('Tus-Version', VERSION);
  throw new BadRequest(412, 'bad-input', [`ここではtus ${VERSION}で話します。`, `This door speaks tus ${VERSION}.`]);
}

/** Before any parser reads a body: that of JSON would take a whole file into memory. */
async function onlyPieces(request: FastifyRequest): Promise<void> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== PIECE_TYPE) throw new BadRequest(415, 'bad-input', SEND_BYTES);
}

/** An upload as its first request announces it. */
function create(request: FastifyRequest, deps: HttpDoorDeps, quota: Quota): Unfinished {
  const client = clientOf(request, deps.apiKeys);
  const length = wholeNumber(request.headers['upload-length']);
  if (length === undefined) throw new BadRequest(400, 'bad-input', SAID.noLength);
  if (length > MESSAGE_BYTES) throw new BadRequest(413, 'too-large', SAID.tooLarge);
  const facts = metadataOf(request.headers['upload-metadata']);
  const asked = (facts.get('to') ?? '').split(',').map((one) => one.trim());
  const { to } = envelopeOf('', asked[0] === '' ? [] : asked, deps.domains);
  quota.take(client, length);
  const name = facts.get('filename') ?? '';
  return { client, name, to, length, writer: deps.spool.begin(MESSAGE_BYTES), touched: Date.now() };
}

/** Takes a piece. The id of the message when it was the last one. */
async function patch(
  request: OfUpload,
  upload: Unfinished,
  deps: HttpDoorDeps,
  uploads: Uploads,
): Promise<string | undefined> {
  const { id } = request.params;
  const { body } = request;
  if (!(body instanceof Readable)) throw new BadRequest(415, 'bad-input', SEND_BYTES);
  const { turn, end } = await uploads.begin(id, wholeNumber(request.headers['upload-offset']), body);
  try {
    await append(upload, body);
    if (upload.writer.size < upload.length) return undefined;
    const finishing = uploads.finish(id, upload, async () => keep(request, upload, deps));
    end(); // whoever waits for the turn finds the end
    return await finishing;
  } catch (error) {
    // A line that broke is taken up where it was. What could not be written is gone: the sender begins anew.
    if (upload.finishing === undefined && (error instanceof BadRequest || error instanceof MugaiError))
      uploads.drop(id);
    throw turn.ended ? elsewhere() : error;
  } finally {
    end();
  }
}

async function append(upload: Unfinished, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (upload.writer.size + chunk.length > upload.length) throw new BadRequest(413, 'too-large', SAID.tooMuchCame);
    const waiting = upload.writer.write(chunk);
    if (waiting !== undefined) await waiting;
  }
}

/** The digest is fixed here, and the message durable, before the client hears that its last byte arrived. */
async function keep(request: FastifyRequest, upload: Unfinished, deps: HttpDoorDeps): Promise<string> {
  const staged = upload.writer.finish();
  try {
    const envelope = { from: '', to: [...upload.to] };
    const peer = peerOf(request, 'tus', deps.apiKeys);
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
