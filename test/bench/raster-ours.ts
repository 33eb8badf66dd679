// The raster bench's own side: one warm process that makes a PDF harmless and seals it. Reads a path per line (behind a tab:
// where its page PDF is wanted), answers a JSON line: ms, pages, bytes of the page PDF, ms until the first page can be read.
// Arguments: a folder for packages, and as JSON how many children, dots per inch, whether pages of long ones are shown at once.
import { generateKeyPairSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import type { LiveSink } from '../../src/sanitise/live.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { makeHarmless, type SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { LiveSealer } from '../../src/seal/live.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import type { Entry } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';

const [folder = '', settings = '{}'] = process.argv.slice(2);
const {
  children = 1,
  dpi = LIMITS.dpi,
  live = false,
} = JSON.parse(settings) as { readonly children?: number; readonly dpi?: number; readonly live?: boolean };
const builtIn = builtInPolicy();
const store = await openFsStore(folder);
const signer = new Signer(generateKeyPairSync('ed25519').privateKey);
const pools = await openPools(children, () => undefined);
const outbox = new Outbox(store);
const tools: SanitiseTools = {
  pools: pools.pools,
  // At the peers' resolution unless another is asked for; the text layer, which they have not, is part of the road. QR codes are
  // not looked for: what that costs is in `npm run bench -- jail codes`.
  policy: { ...builtIn, limits: { ...builtIn.limits, dpi }, codePages: 0 },
  passwords: [],
  metrics: openMetrics(false),
  begin: (cap) => store.begin(cap),
  version: 'bench',
};

async function convert(path: string, keep: string): Promise<object> {
  const started = performance.now();
  let first: number | undefined;
  const { signal } = new AbortController();
  const id = newMessageId();
  const content = await stage(store, createReadStream(path), LIMITS.messageBytes, signal);
  const source = { kind: 'file', name: 'a.pdf', size: content.size, sha256: content.sha256 } as const;
  const input = { id, source, envelope: { from: '', to: [] }, receivedAt: new Date().toISOString(), content };
  const sealer = new LiveSealer(id, outbox, signer);
  const shown: LiveSink = {
    page: async (...page) => {
      await sealer.page(...page);
      first ??= performance.now() - started;
    },
    heads: () => sealer.heads(),
  };
  const { record, outputs } = await makeHarmless(input, live ? { ...tools, live: () => shown } : tools, signal);
  const bytes = outputs.reduce(
    (sum, { content: made }) => sum + (made instanceof Uint8Array ? made.length : made.size),
    0,
  );
  if (keep !== '') await writeFile(keep, await firstFile(outputs)); // the package takes them away
  await store.commit(id, packageOf(id, { ...record, outputFolder: '' }, outputs, signer));
  const ms = performance.now() - started;
  await content.discard();
  await store.delete(id);
  await outbox.live(id).drop();
  const pages = record.parts.reduce((sum, part) => sum + part.pages, 0);
  return {
    ms,
    pages,
    bytes,
    first: first ?? ms,
    ...(pages === 0 ? { error: record.reason ?? 'no page' } : {}),
  };
}

async function firstFile([output]: readonly Entry[]): Promise<Buffer> {
  if (output === undefined) return Buffer.alloc(0);
  if (output.content instanceof Uint8Array) return Buffer.from(output.content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of output.content.open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// As many at once as there are children; answers come as they are ready.
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function lane(): Promise<void> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const [path = '', keep = ''] = next.value.split('\t');
    process.stdout.write(`${JSON.stringify(await convert(path, keep))}\n`);
  }
}
await Promise.all(Array.from({ length: children }, lane));
await pools.close();
