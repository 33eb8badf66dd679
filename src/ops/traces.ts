// OpenTelemetry traces of the road, off unless a collector is named. A message is one trace whose id is the message's own 128
// bits: the zones need not hand a context across, and whoever has an id from a log line has its trace.
import { createHash } from 'node:crypto';
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Tracer,
} from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/sdk-trace';
import { reasonOf } from '../message/errors.ts';
import { timeOf, type MessageId } from '../message/id.ts';

/** Traces of one process. */
export interface Traces {
  /** Notes that a message came in: the span all others of its trace hang from. */
  received(id: MessageId, attributes: Attributes): void;
  /** Runs a step of a message inside a span of its own. */
  step<T>(id: MessageId, name: string, run: () => Promise<T>): Promise<T>;
  /** Runs a piece of work inside the span that is active. */
  piece<T>(name: string, attributes: Attributes, run: () => Promise<T>): Promise<T>;
  /** Runs `run` as part of the message's trace, without a span of its own. */
  readonly within: <T>(id: MessageId, run: () => T) => T;
  /** Sends what waits, within `ms`, and ends. */
  close(ms: number): Promise<void>;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The trace of a message: the 128 bits that its 26 letters are, in hex. */
export function traceIdOf(id: MessageId): string {
  let bits = 0n;
  for (const letter of id) bits = bits * 32n + BigInt(ALPHABET.indexOf(letter));
  return bits.toString(16).padStart(32, '0');
}

/** The first span of a message's trace; every zone computes the same. */
export function rootSpanOf(id: MessageId): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 16);
}

/** Opens traces to an OTLP/HTTP collector at `url` (its root; `/v1/traces` is added unless a path is there). */
export async function openTraces(url: string, role: string, version: string): Promise<Traces> {
  const [{ TracerProvider, BatchSpanProcessor, RandomIdGenerator }, { OTLPTraceExporter }, resources, hooks] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
    ]);
  const random = new RandomIdGenerator();
  let next: { readonly trace: string; readonly span: string } | undefined;
  const place = new URL(url);
  if (place.pathname === '/' || place.pathname === '') place.pathname = '/v1/traces';
  const provider = new TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': `mugai-${role}`,
      'service.version': version,
      'process.pid': process.pid,
    }),
    idGenerator: {
      generateTraceId: () => next?.trace ?? random.generateTraceId(),
      generateSpanId: () => next?.span ?? random.generateSpanId(),
    },
    // A collector that is away costs at most these spans: the oldest are dropped, the road goes on.
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: place.href, timeoutMillis: 5000 }),
        scheduledDelayMillis: 1000,
        maxQueueSize: 4096,
      }),
    ],
  });
  // bullmq-otel asks the global API.
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  const asRoot = (id: MessageId, start: () => void): void => {
    next = { trace: traceIdOf(id), span: rootSpanOf(id) };
    try {
      start();
    } finally {
      next = undefined;
    }
  };
  return tracesOf(provider.getTracer('mugai', version), provider, asRoot);
}

/** The context in which the root span of a message is the parent. */
function contextOf(id: MessageId): Context {
  const active = trace.getSpanContext(context.active());
  if (active?.traceId === traceIdOf(id)) return context.active();
  return trace.setSpanContext(context.active(), {
    traceId: traceIdOf(id),
    spanId: rootSpanOf(id),
    traceFlags: 1,
    isRemote: true,
  });
}

function tracesOf(
  tracer: Tracer,
  provider: TracerProvider,
  asRoot: (id: MessageId, start: () => void) => void,
): Traces {
  const run = async <T>(name: string, attributes: Attributes, parent: Context, work: () => Promise<T>): Promise<T> => {
    const span = tracer.startSpan(name, { attributes }, parent);
    try {
      return await context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(error) });
      throw error;
    } finally {
      span.end();
    }
  };
  return {
    received: (id, attributes) =>
      asRoot(id, () =>
        tracer
          .startSpan('receive', {
            root: true,
            kind: SpanKind.SERVER,
            startTime: timeOf(id),
            attributes: { ...attributes, 'mugai.id': id },
          })
          .end(),
      ),
    step: async (id, name, work) => run(name, { 'mugai.id': id }, contextOf(id), work),
    piece: async (name, attributes, work) => run(name, attributes, context.active(), work),
    within: (id, work) => context.with(contextOf(id), work),
    close: async (ms) => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      trace.disable();
      context.disable();
    },
  };
}
