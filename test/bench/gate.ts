// The gate bench: packages of photographs, of flat pages and of text through signature, digests and grammar, against qpdf --check
// and sha256sum over the same files.
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verifyPackage, type PackageFiles } from '../../src/outbox/verify.ts';
import { PIXEL } from '../../src/sandbox/wire.ts';
import { inChunks, page, pdfOf, seeded } from '../support/own-files.ts';
import { KEYS, sealedPackage } from '../support/packages.ts';
import { line, median } from './lines.ts';

const run = promisify(execFile);
const ROUNDS = 5;

/** Pages of A4 at 150 dpi: noise that grows and sinks (JPEG), or lines of dots like text (Flate). */
function a4(photo: boolean, seed: number): ReturnType<typeof page> {
  const made = page(1240, 1754, photo ? PIXEL.rgb8 : PIXEL.grey4, photo);
  const random = seeded(seed);
  if (photo) for (let at = 0; at < made.pixels.length; at++) made.pixels[at] = ((at >> 4) + random(24)) & 0xff;
  else
    for (let at = 0; at < made.pixels.length; at++)
      made.pixels[at] = (at / 620) % 20 < 12 && random(9) === 0 ? random(256) : 0xff;
  return made;
}

/** The gate's own code: what has to be believed on the inner side, besides Node's. */
const GATE_FILES = /^(byte-source|inflate|manifest|read-[a-z-]+|refusal|verify)\.ts$/;

function gateLines(): void {
  const folder = new URL('../../src/outbox/', import.meta.url);
  const files = readdirSync(folder).filter((name) => GATE_FILES.test(name));
  const lines = files.map((name) => readFileSync(new URL(name, folder), 'utf8').split('\n').length - 1);
  const total = lines.reduce((sum, count) => sum + count, 0);
  const facts = { bench: 'gate', case: `code of ${files.length} files in src/outbox`, runs: 1 } as const;
  line({ ...facts, metric: 'lines', unit: 'lines', ours: total, peer: 'none', peerValue: null });
}

/** A package as the store hands it out: 256 KB at a time. */
function inStoreChunks(files: ReadonlyMap<string, Buffer>): PackageFiles {
  return {
    names: async () => [...files.keys()],
    get: async (name) => files.get(name),
    open: async (name) => {
      const bytes = files.get(name);
      return bytes === undefined ? undefined : inChunks(bytes, 256 * 1024);
    },
  };
}

/** `npm run bench -- gate`. */
export async function benchGate(): Promise<void> {
  gateLines();
  const folder = await mkdtemp(join(tmpdir(), 'mugai-gate-'));
  try {
    const text = Buffer.from('会議のお知らせ: 日時は十一月二十五日。\n'.repeat(400_000), 'utf8').subarray(
      0,
      23_999_997,
    );
    const cases: [string, string, Buffer][] = [
      ['photographs', 'files/01-a.pdf', await pdfOf(Array.from({ length: 20 }, (_, nth) => a4(true, nth)))],
      ['flat pages', 'files/01-a.pdf', await pdfOf(Array.from({ length: 40 }, (_, nth) => a4(false, nth)))],
      ['text', 'files/01-a.txt', text.subarray(0, text.lastIndexOf(0x0a) + 1)],
    ];
    for (const [name, path, bytes] of cases) {
      const sealed = inStoreChunks(sealedPackage(new Map([[path, bytes]])));
      const file = join(folder, 'file');
      await writeFile(file, bytes);
      const speeds: number[] = [];
      const cpu: number[] = [];
      const peers: { [peer: string]: number[] } = {
        sha256sum: [],
        ...(path.endsWith('pdf') ? { 'qpdf --check': [] } : {}),
      };
      for (let round = 0; round < ROUNDS; round++) {
        const before = process.cpuUsage();
        const began = performance.now();
        await verifyPackage(sealed, KEYS, 0, new AbortController().signal);
        const { user, system } = process.cpuUsage(before);
        speeds.push(bytes.length / (performance.now() - began) / 1000);
        cpu.push(bytes.length / (user + system));
        for (const [peer, seen] of Object.entries(peers)) {
          const started = performance.now();
          if (peer === 'sha256sum') await run('sha256sum', [file]);
          else await run('qpdf', ['--check', file]);
          seen.push(bytes.length / (performance.now() - started) / 1000);
        }
      }
      const own = { bench: 'gate', case: `${name}, ${(bytes.length / 1e6).toFixed(1)} MB`, runs: ROUNDS } as const;
      line({
        ...own,
        metric: 'mb_per_cpu_second',
        unit: 'MB/s of one core',
        ours: median(cpu),
        peer: 'none',
        peerValue: null,
      });
      for (const [peer, seen] of Object.entries(peers)) {
        const facts = { bench: 'gate', case: `${name}, ${(bytes.length / 1e6).toFixed(1)} MB`, runs: ROUNDS } as const;
        line({
          ...facts,
          metric: 'mb_per_second',
          unit: 'MB/s, wall',
          ours: median(speeds),
          peer,
          peerValue: median(seen),
        });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
