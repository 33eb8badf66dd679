// Health, readiness and metrics for the operator's machines: four GET routes on an address of their own.
import fastify from 'fastify';
import { Type } from 'typebox';
import { reasonOf } from '../message/errors.ts';
import { StatusSchema, type ProcessStatus } from '../message/status.ts';

/** One thing that must hold for the process to do its work; resolves to what is wrong, or undefined. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<string | undefined>;
}

export interface Ops {
  readonly port: number;
  close(): Promise<void>;
}

/** Milliseconds one check may take; Prometheus gives a scrape 10 s. */
const ANSWER_MS = 3000;

const Health = Type.Object({ status: Type.String() });
const Ready = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Record(Type.String(), Type.String()),
  details: Type.Record(Type.String(), Type.String()),
});

/** What the answers are made of. */
export interface OpsOf {
  readonly checks: readonly Check[];
  readonly scrape: () => Promise<string>;
  readonly status: () => Promise<ProcessStatus[]>;
}

/** What is wrong, by the name of the check; empty when nothing is. A check that does not answer is wrong. */
export async function faultsOf(checks: readonly Check[]): Promise<Record<string, string>> {
  const faults: Record<string, string> = {};
  await Promise.all(
    checks.map(async ({ name, run }) => {
      const fault = await inTime(run()).catch((error: unknown) => reasonOf(error));
      if (fault !== undefined) faults[name] = fault;
    }),
  );
  return faults;
}

/**
 * Opens `/healthz` (the process answers), `/readyz` (503 and the reasons while a check fails) and `/metrics`, which
 * answers what `scrape` gives (Prometheus text format 0.0.4), and `/status`, which `mugai status` reads. `details` are told by `/readyz` whatever the checks say.
 */
export async function openOps(
  listen: { readonly host: string; readonly port: number },
  { checks, scrape, status }: OpsOf,
  details: Readonly<Record<string, string>> = {},
): Promise<Ops> {
  const app = fastify({ logger: false, bodyLimit: 1024 });
  app.get('/healthz', { schema: { response: { 200: Health } } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { response: { 200: Ready, 503: Ready } } }, async (_request, reply) => {
    const faults = await faultsOf(checks);
    const results = Object.fromEntries(checks.map(({ name }) => [name, faults[name] ?? 'ok']));
    const ready = Object.keys(faults).length === 0;
    return reply.code(ready ? 200 : 503).send({ ready, checks: results, details });
  });
  app.get('/metrics', { schema: { response: { 200: Type.String() } } }, async (_request, reply) => {
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await scrape());
  });
  app.get('/status', { schema: { response: { 200: StatusSchema } } }, async () => ({ processes: await status() }));
  await app.listen(listen);
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : listen.port,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** What is asked resolves to, or a rejection once `ANSWER_MS` are over: whoever asks for our health must hear of it. */
export async function inTime<T>(asked: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('does not answer')), ANSWER_MS);
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
