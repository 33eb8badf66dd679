// The raster bench's own side: one warm process that makes a PDF harmless and seals it. Reads a path per line, answers a
// JSON line: ms, pages, bytes of the page PDF. Arguments: a folder for packages, how many children.
import { generateKeyPairSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { makeHarmless, type SanitiseTools } from '../../src/sanitise/sanitise.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';

const [folder = '', children = '1', text = 'layered'] = process.argv.slice(2);
const builtIn = builtInPolicy();
const store = await openFsStore(folder);
const signer = new Signer(generateKeyPairSync('ed25519').privateKey);
const pools = await openPools(Number(children), () => undefined);
const tools: SanitiseTools = {
  pools: pools.pools,
  // At the peers' resolution; the text layer, which they have not, is part of the road unless it is asked to be left out. QR codes are
  // not looked for: what that costs is in `npm run bench -- jail codes`.
  policy: { ...builtIn, limits: { ...builtIn.limits, dpi: LIMITS.dpi }, textLayer: text !== 'plain', codePages: 0 },
  passwords: [],
  metrics: openMetrics(false),
  begin: (cap) => store.begin(cap),
  version: 'bench',
};

async function convert(path: string): Promise<object> {
  const started = performance.now();
  const { signal } = new AbortController();
  const id = newMessageId();
  const content = await stage(store, createReadStream(path), LIMITS.messageBytes, signal);
  const source = { kind: 'file', name: 'a.pdf', size: content.size, sha256: content.sha256 } as const;
  const input = { id, source, envelope: { from: '', to: [] }, receivedAt: new Date().toISOString(), content };
  const { record, outputs } = await makeHarmless(input, tools, signal);
  const bytes = outputs.reduce(
    (sum, { content: made }) => sum + (made instanceof Uint8Array ? made.length : made.size),
    0,
  );
  await store.commit(id, packageOf(id, { ...record, outputFolder: '' }, outputs, signer));
  await content.discard();
  await store.delete(id);
  const pages = record.parts.reduce((sum, part) => sum + part.pages, 0);
  return {
    ms: performance.now() - started,
    pages,
    bytes,
    ...(pages === 0 ? { error: record.reason ?? 'no page' } : {}),
  };
}

// As many at once as there are children; answers come as they are ready.
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function lane(): Promise<void> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next())
    process.stdout.write(`${JSON.stringify(await convert(next.value))}\n`);
}
await Promise.all(Array.from({ length: Number(children) }, lane));
await pools.close();
