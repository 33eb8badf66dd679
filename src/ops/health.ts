// Health, readiness and metrics for the operator's machines: three GET routes on an address of their own.
import fastify from 'fastify';
import { Type } from 'typebox';
import { reasonOf } from '../message/errors.ts';

/** One thing that must hold for the process to do its work; resolves to what is wrong, or undefined. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<string | undefined>;
}

export interface Ops {
  readonly port: number;
  close(): Promise<void>;
}

const Health = Type.Object({ status: Type.String() });
const Ready = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Record(Type.String(), Type.String()),
  details: Type.Record(Type.String(), Type.String()),
});

/**
 * Opens `/healthz` (the process answers), `/readyz` (503 and the reasons while a check fails) and `/metrics`, which
 * answers what `scrape` gives (Prometheus text format 0.0.4). `details` are told by `/readyz` whatever the checks say.
 */
export async function openOps(
  listen: { readonly host: string; readonly port: number },
  checks: readonly Check[],
  scrape: () => Promise<string>,
  details: Readonly<Record<string, string>> = {},
): Promise<Ops> {
  const app = fastify({ logger: false, bodyLimit: 1024 });
  app.get('/healthz', { schema: { response: { 200: Health } } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { response: { 200: Ready, 503: Ready } } }, async (_request, reply) => {
    const results: Record<string, string> = {};
    let ready = true;
    for (const check of checks) {
      const fault = await check.run().catch((error: unknown) => reasonOf(error));
      results[check.name] = fault ?? 'ok';
      ready &&= fault === undefined;
    }
    return reply.code(ready ? 200 : 503).send({ ready, checks: results, details });
  });
  app.get('/metrics', { schema: { response: { 200: Type.String() } } }, async (_request, reply) => {
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await scrape());
  });
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
