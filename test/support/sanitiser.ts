// The real road from bytes to package for tests: own children, no servers; every result has been through the checker.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import type { PartRow } from '../../src/message/part.ts';
import { forLine } from '../../src/message/untrusted.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { makeHarmless, type Input, type SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { judgePackage, originalMail, originalOf, type PackageOnDisk } from './checker/checker.ts';
import { scratch } from './scratch.ts';

/** What became of one input. */
export interface Outcome {
  readonly state: string;
  readonly reason: string | null;
  readonly parts: readonly PartRow[];
  /** `message.txt`; empty for a file. */
  readonly text: string;
  readonly files: ReadonlyMap<string, Buffer>;
  /** What breaks C1-C3, C6, C7. */
  readonly faults: readonly string[];
  readonly ms: number;
}

export interface Sanitiser extends AsyncDisposable {
  /** A mail, as the SMTP door would have taken it. Throws when the outcome breaks the contract. */
  mail(bytes: Buffer | string): Promise<Outcome>;
  /** A file, as the HTTP door would have taken it. Throws when the outcome breaks the contract. */
  file(name: string, bytes: Buffer | string): Promise<Outcome>;
  /** As the others, but hands the faults to the caller. */
  judge(kind: 'mail' | 'file', name: string, bytes: Buffer, by?: Partial<By>): Promise<Outcome>;
}

/** Who brought it, to whom. */
export type By = Pick<Input, 'envelope' | 'client'>;

/** Opens children of all families; `more` replaces tools (a policy, passwords). */
export async function openSanitiser(more: Partial<SanitiseTools> = {}, jobs = 2): Promise<Sanitiser> {
  const folder = await scratch();
  const store = await openFsStore(folder.path);
  const { walls } = await machineJail();
  const pools = await openPools(jobs, () => undefined, walls);
  const tools: SanitiseTools = {
    pools: pools.pools,
    policy: builtInPolicy(),
    passwords: [],
    metrics: openMetrics(false),
    begin: (cap) => store.begin(cap),
    version: 'test',
    ...more,
  };
  const judge: Sanitiser['judge'] = async (kind, name, bytes, by = {}) => {
    const started = performance.now();
    const { signal } = new AbortController();
    const content = await stage(store, Readable.from([bytes]), LIMITS.messageBytes, signal);
    const { record, outputs } = await makeHarmless(
      {
        id: newMessageId(),
        source: { kind, name: forLine(name, 300), size: content.size, sha256: content.sha256 },
        envelope: { from: 'sender@example.com', to: ['staff@city.example.lg.jp'] },
        receivedAt: new Date().toISOString(),
        content,
        ...by,
      },
      tools,
      signal,
    );
    const ms = performance.now() - started;
    const files = new Map<string, Buffer>();
    if (record.text !== null) files.set('message.txt', Buffer.from(record.text, 'utf8'));
    for (const output of outputs) {
      files.set(output.name, await bytesOf(output.content));
      if ('discard' in output.content) await output.content.discard();
    }
    await content.discard();
    const pack: PackageOnDisk = { told: record, files, subject: digests(files) };
    const faults = judgePackage(pack, kind === 'mail' ? originalMail(bytes) : originalOf(bytes));
    const { state, reason, parts } = record;
    return { state, reason, parts, text: record.text ?? '', files, faults, ms };
  };
  const harmless = async (kind: 'mail' | 'file', name: string, bytes: Buffer | string): Promise<Outcome> => {
    const outcome = await judge(kind, name, Buffer.from(bytes));
    assert.deepEqual(outcome.faults, [], `${name === '' ? 'the mail' : name} breaks the output contract`);
    return outcome;
  };
  return {
    mail: async (bytes) => harmless('mail', '', bytes),
    file: async (name, bytes) => harmless('file', name, bytes),
    judge,
    [Symbol.asyncDispose]: async () => {
      await pools.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function bytesOf(content: Uint8Array | { open(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  if (content instanceof Uint8Array) return Buffer.from(content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function digests(files: ReadonlyMap<string, Buffer>): Map<string, string> {
  return new Map([...files].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]));
}
