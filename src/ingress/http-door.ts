// The HTTP door of the outer side: files by multipart, streamed to the spool; a receipt says how far a message came.
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { parseMessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { networksOf } from '../message/networks.ts';
import { untrusted } from '../message/untrusted.ts';
import { intakeAll, MESSAGE_BYTES } from './intake.ts';
import { addReleases } from './release-page.ts';
import { listenError, type Door } from './smtp-door.ts';
import { addUploads } from './tus-routes.ts';
import { sendProblem, sendTaken, type Problem } from './upload-answers.ts';
import { envelopeOf, checkPressure, type HttpDoorDeps } from './upload-envelope.ts';
import { BadRequest, clientOf, peerOf, Quota, sentBy } from './upload-fault.ts';
import { readForm } from './upload-form.ts';
import { addUploadPage } from './upload-page.ts';
import { SAID } from './upload-words.ts';
import { Uploads } from './uploads.ts';

const FILES_PER_REQUEST = 20;
/** Bytes a client may send in an hour. */
const CLIENT_BYTES = 4 * 1024 * 1024 * 1024;
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};
/** Answers that say "later": each with when it is worth coming again. */
const LATER = new Set([429, 503, 507]);
const Accepted = Type.Object({
  files: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), size: Type.Integer() })),
});
const Receipt = Type.Object({ id: Type.String(), stage: Type.String(), receivedAt: Type.String() });
const Fault = Type.Object({ error: Type.String(), message: Type.String() });

/**
 * Opens the door. `POST /v1/files`: multipart/form-data with field `to` (one recipient, repeatable), optional `from`, and
 * one or more files; 202 with an id for each once all are durable, otherwise none of them was accepted. `GET /v1/files/:id`: how far it came.
 */
export async function openHttpDoor(
  listen: { readonly host: string; readonly port: number },
  deps: HttpDoorDeps,
): Promise<Door & { readonly routes: readonly string[] }> {
  const app = fastify({
    logger: false,
    trustProxy: networksOf(deps.trustedProxies ?? []),
    bodyLimit: 1024,
    requestTimeout: LIMITS.smtpDataMs,
    keepAliveTimeout: 5000,
    return503OnClosing: true,
    // An address that cannot be decoded, or is too long: no hook of ours sees it.
    frameworkErrors: (_error, request, reply) => void nothingHere(request, reply.headers(HEADERS)),
  });
  await app.register(swagger, {
    openapi: {
      info: { title: 'Mugai: files from the Internet side', version: '1' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    },
  });
  await app.register(multipart, {
    limits: {
      fileSize: MESSAGE_BYTES,
      files: FILES_PER_REQUEST,
      fields: LIMITS.recipients + 1,
      fieldSize: 1000,
      fieldNameSize: 100,
      headerPairs: 50,
    },
    throwFileSizeLimit: false,
  });
  // Forms of our own pages; what they carry is in their address.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, _body, done) =>
    done(null, undefined),
  );
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(HEADERS);
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const problem = translate(error);
    const { status } = problem;
    if (status >= 500 && !(error instanceof BadRequest))
      deps.log.error({ error: reasonOf(error) }, 'upload not accepted');
    if (LATER.has(status)) reply.header('Retry-After', String(problem.retryAfterSeconds ?? LIMITS.retryAfterSeconds));
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler(async (request, reply) => nothingHere(request, reply));
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    // Fastify answers HEAD where GET is declared; only where nothing else is declared does it stand for itself.
    for (const one of [method].flat())
      if (one !== 'HEAD' || !routes.includes(`GET ${url}`)) routes.push(`${one} ${url}`);
  });
  const quota = new Quota(deps.clientBytes ?? CLIENT_BYTES);
  const uploads = new Uploads();
  app.addHook('onClose', async () => uploads.close());
  postFiles(app, deps, quota);
  getReceipt(app, deps);
  addUploads(app, deps, uploads, quota);
  addUploadPage(app, deps.domains, deps.apiKeys !== undefined);
  addReleases(app, deps);
  app.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  try {
    await app.listen(listen);
  } catch (error) {
    throw listenError('HTTP', listen, error);
  }
  const address = app.server.address();
  return {
    host: listen.host,
    routes,
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    close: async (deadlineMs) => {
      const timer = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
      await app.close();
      clearTimeout(timer);
    },
  };
}

function postFiles(app: FastifyInstance, deps: HttpDoorDeps, quota: Quota): void {
  const summary = 'Files as multipart/form-data: fields `to` (repeatable), `from`, `file` (repeatable)';
  const schema = {
    summary,
    consumes: ['multipart/form-data'],
    security: [{ key: [] }],
    response: { 202: Accepted, '4xx': Fault, '5xx': Fault },
  };
  app.post('/v1/files', { schema }, async (request, reply) => {
    checkPressure(deps);
    const client = clientOf(request, deps.apiKeys);
    if (!request.isMultipart()) throw new BadRequest(415, 'bad-input', SAID.noForm);
    const announced = Number(request.headers['content-length'] ?? 0);
    quota.take(client, announced);
    // A body in chunks announces nothing: its bytes are counted as they come.
    const counts = (bytes: number): void => {
      if (request.headers['content-length'] === undefined) quota.take(client, bytes);
    };
    await using form = await readForm(request, deps.spool, counts);
    const { from, to, uploads } = form;
    if (uploads.length === 0) throw new BadRequest(400, 'bad-input', SAID.noFile);
    const envelope = envelopeOf(from, to, deps.domains);
    const peer = peerOf(request, 'http', deps.apiKeys);
    const spooled = await intakeAll(
      uploads.map(({ name, staged }) => ({
        arrival: { kind: 'file', name: untrusted(name), envelope, peer },
        raw: staged,
      })),
      deps,
    );
    const files = spooled.map(({ id, record: { source } }) => ({ id, name: source.name, size: source.size }));
    for (const { size } of files) deps.metrics.bytes.inc({ direction: 'in' }, size);
    return sendTaken(request, reply, files);
  });
}

function getReceipt(app: FastifyInstance, deps: HttpDoorDeps): void {
  const schema = {
    summary: 'How far a file came; never its content',
    security: [{ key: [] }],
    response: { 200: Receipt, '4xx': Fault, '5xx': Fault },
  };
  app.get<{ Params: { id: string } }>('/v1/files/:id', { schema }, async (request, reply) => {
    const client = clientOf(request, deps.apiKeys);
    const id = parseMessageId(request.params.id);
    const spooled = id === undefined ? undefined : await deps.spool.spooled(id);
    // With keys a receipt is for the sender alone: another's number tells nothing, not even that there is such a file.
    const told = spooled !== undefined && (deps.apiKeys === undefined || sentBy(spooled.record.peer, client));
    if (id === undefined || !told || spooled.record.source.kind !== 'file') {
      return nothingHere(request, reply);
    }
    return { id, stage: await deps.spool.stageOf(id), receivedAt: spooled.record.receivedAt };
  });
}

function nothingHere(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(request, reply, { status: 404, code: 'not-found', said: SAID.nothingHere });
}

function translate(error: FastifyError): Problem {
  if (error instanceof BadRequest) {
    const { statusCode, code, said, retryAfterSeconds } = error;
    return { status: statusCode, code, said, retryAfterSeconds };
  }
  // The client went away in the middle: nobody hears this, and it is no fault of ours to be logged.
  if (systemCode(error) === 'ECONNRESET') return { status: 400, code: 'bad-input', said: SAID.lineBroke };
  if (error instanceof MugaiError) {
    if (error.code === 'too-large') return { status: 413, code: 'too-large', said: SAID.tooLarge };
    if (error.code === 'disk-full') return { status: 507, code: 'disk-full', said: SAID.diskFull };
    return { status: 503, code: error.code, said: SAID.notStored };
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) return { status: 503, code: 'store-failed', said: SAID.failed };
  return { status, code: status === 413 ? 'too-large' : 'bad-input', said: SAID.unreadable };
}
