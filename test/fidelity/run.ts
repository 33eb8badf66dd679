// Runs cases through the whole sanitise step with its jailed children, and scores what comes out.
import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { createHash } from 'node:crypto';
import { newMessageId } from '../../src/message/id.ts';
import type { PartRow } from '../../src/message/part.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { makeHarmless } from '../../src/sanitise/sanitise.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { bodies } from './bodies.ts';
import { build, type Case } from './case.ts';
import { hard } from './hard.ts';
import { headers } from './headers.ts';
import { html } from './html.ts';
import { senders } from './senders.ts';
import { wild } from './wild.ts';

export interface Result {
  readonly test: Case;
  readonly text: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly losses: readonly string[];
  readonly parts: readonly PartRow[];
  readonly exact: boolean;
  /** Letters of what was expected, how many of them came, and letters that came and were never there. */
  readonly letters: number;
  readonly right: number;
  readonly mojibake: number;
}

/** Every case of the suite. */
export function allCases(): readonly Case[] {
  return build((encode) => [
    ...bodies(encode),
    ...headers(encode),
    ...senders(encode),
    ...html(encode),
    ...wild(encode),
    ...hard(encode),
  ]);
}

/** Runs the cases in order. */
export async function runCases(cases: readonly Case[]): Promise<Result[]> {
  const folder = await mkdtemp(pathOf(tmpdir(), 'mugai-fidelity-'));
  const store = await openFsStore(folder);
  const pools = await openPools(1, () => undefined);
  try {
    const results: Result[] = [];
    for (const test of cases) {
      const content = store.begin(Number.MAX_SAFE_INTEGER);
      await content.write(test.mail);
      const harmless = await makeHarmless(
        {
          id: newMessageId(),
          source: {
            kind: 'mail',
            name: '',
            size: test.mail.length,
            sha256: createHash('sha256').update(test.mail).digest('hex'),
          },
          envelope: { from: 'sender@example.com', to: ['staff@city.example.lg.jp'] },
          receivedAt: '2026-06-01T01:00:00.000Z',
          content: content.finish(),
        },
        {
          pools: pools.pools,
          policy: builtInPolicy(),
          passwords: [],
          metrics: openMetrics(false),
          begin: (cap) => store.begin(cap),
          version: 'fidelity',
        },
        AbortSignal.timeout(120_000),
      );
      for (const output of harmless.outputs) if ('discard' in output.content) await output.content.discard();
      const { record } = harmless;
      results.push(score(test, bodyOf(record.text ?? ''), record.headers?.subject ?? '', record.parts));
    }
    return results;
  } finally {
    await pools.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** message.txt without its header lines and without the account of parts. */
function bodyOf(text: string): string {
  const from = text.indexOf('\n\n') + 2;
  return text
    .slice(from, text.lastIndexOf(`${'-'.repeat(40)}\n`))
    .replace(/\s+$/, '')
    .replace(/^\n/, '');
}

function score(test: Case, text: string, subject: string, parts: readonly PartRow[]): Result {
  const names = parts.map((row) => row.name).filter((name) => name !== '');
  const losses = [...new Set(parts.flatMap((row) => row.losses.map(({ code }) => code)))].toSorted();
  const wanted = [test.text, test.subject, ...test.names].join('\n');
  const got = [text, subject, ...names].join('\n');
  const { right, extra } = overlap(wanted, got);
  return {
    test,
    text,
    subject,
    names,
    losses,
    parts,
    exact:
      text === test.text &&
      subject === test.subject &&
      names.join('\n') === test.names.join('\n') &&
      losses.join(' ') === [...test.losses].toSorted().join(' '),
    letters: Array.from(wanted).length,
    right,
    mojibake: extra,
  };
}

/** Letters of `got` that are in `wanted` too (each counted as often as it is there), and those that are not. */
function overlap(wanted: string, got: string): { readonly right: number; readonly extra: number } {
  const left = new Map<string, number>();
  for (const letter of wanted) left.set(letter, (left.get(letter) ?? 0) + 1);
  let right = 0;
  let extra = 0;
  for (const letter of got) {
    const count = left.get(letter) ?? 0;
    if (count > 0) {
      left.set(letter, count - 1);
      right += 1;
    } else if (!left.has(letter)) extra += 1;
  }
  return { right, extra };
}
