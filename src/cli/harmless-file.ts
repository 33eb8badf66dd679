// One file of this machine made harmless, with children of its own and no server; and a place for what that takes.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { newMessageId, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import type { PartRow } from '../message/part.ts';
import type { Envelope, Headers } from '../message/stages.ts';
import { forLine } from '../message/untrusted.ts';
import { openMetrics } from '../ops/metrics.ts';
import type { Policy } from '../policy/policy.ts';
import { machineJail } from '../sandbox/probe.ts';
import { makeHarmless, refuseWhole, type Harmless, type SanitiseTools } from '../sanitise/sanitise.ts';
import { openPools } from '../sanitise/pools.ts';
import { openFsStore } from '../store/fs-store.ts';
import { stage, type Store } from '../store/store.ts';
import { VERSION } from '../version.ts';
import { inWorkFolder } from './work-folder.ts';

/** A file of this machine: as it is called, and the bytes it is opened by where its name is no UTF-8. */
export interface FileAt {
  readonly path: string;
  readonly bytes?: Buffer;
}

/** What a file is made of. */
export interface LookedInto {
  readonly parts: readonly PartRow[];
  readonly headers: Headers | null;
}

/** The rows of a file's parts under a policy, and a mail's own headers; nothing of the file is kept. */
export async function lookInto(path: string, policy: Policy, envelope: Envelope): Promise<LookedInto> {
  return inWorkFolder(join(tmpdir(), 'mugai-explain-'), async (work, stop) => {
    const store = await openFsStore(work);
    const pools = await openPools(1, () => undefined, (await machineJail()).walls);
    try {
      const tools: SanitiseTools = {
        pools: pools.pools,
        policy,
        passwords: [],
        metrics: openMetrics(false),
        begin: (cap) => store.begin(cap),
        version: VERSION,
      };
      const { record, outputs } = await harmlessOf({ path }, newMessageId(), tools, store, stop, envelope);
      for (const { content } of outputs) if ('discard' in content) await content.discard();
      return { parts: record.parts, headers: record.headers };
    } finally {
      await pools.close();
    }
  });
}

/** One file made harmless. Over the input ceiling nothing of it is opened: it is read for its digest only. */
export async function harmlessOf(
  file: FileAt,
  id: MessageId,
  tools: SanitiseTools,
  store: Store,
  signal: AbortSignal,
  envelope: Envelope = { from: '', to: [] },
): Promise<Harmless> {
  const facts = { id, envelope, receivedAt: new Date().toISOString() };
  const kind = /\.eml$/i.test(file.path) ? 'mail' : 'file';
  const named = { kind, name: forLine(basename(file.path), 300) } as const;
  try {
    const content = await stage(store, bytesOf(file), LIMITS.messageBytes, signal);
    try {
      const source = { ...named, size: content.size, sha256: content.sha256 };
      return await makeHarmless({ ...facts, source, content }, tools, signal);
    } finally {
      await content.discard();
    }
  } catch (error) {
    if (!(error instanceof MugaiError) || error.code !== 'too-large') throw error;
    return refuseWhole({ ...facts, source: { ...named, ...(await digestOf(file)) } }, 'too-large', tools);
  }
}

/** A file's bytes. Without O_NONBLOCK a FIFO that took its place since we looked would hold us up for ever. */
async function* bytesOf({ path, bytes }: FileAt): AsyncGenerator<Buffer, void, undefined> {
  await using file = await open(bytes ?? path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!(await file.stat()).isFile()) throw new MugaiError('bad-input', `${path} is no regular file any more`);
  yield* file.createReadStream({ highWaterMark: 256 * 1024, autoClose: false });
}

async function digestOf(file: FileAt): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const bytes of bytesOf(file)) {
    size += bytes.length;
    hash.update(bytes);
  }
  return { size, sha256: hash.digest('hex') };
}
