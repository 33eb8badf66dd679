// Asks whether every package was signed by its registry (npm audit signatures). Exit 1 for a package whose signature is missing or
// wrong, and where the registry's keys cannot be reached, unless `--offline-is-fine` is given: then it says so.
import { spawnSync } from 'node:child_process';
import { argv, stderr, stdout } from 'node:process';
import type { Verdict } from './known-holes.ts';

/** Reads what `npm audit signatures --json` printed. */
export function judgeSignatures(printed: string): Verdict {
  let report: unknown;
  try {
    report = JSON.parse(printed);
  } catch {
    return { kind: 'no-answer', words: 'npm audit signatures printed no report' };
  }
  const { invalid, missing, error } = (report ?? {}) as { invalid?: unknown; missing?: unknown; error?: unknown };
  if (!Array.isArray(invalid) || !Array.isArray(missing)) {
    const { summary } = (error ?? {}) as { summary?: unknown };
    return {
      kind: 'no-answer',
      words: `no keys to check with: ${typeof summary === 'string' ? summary : 'no report'}`,
    };
  }
  const bad = [...namesOf(invalid, 'wrong'), ...namesOf(missing, 'missing')];
  if (bad.length === 0) return { kind: 'clean', words: 'every package is signed by its registry' };
  return { kind: 'holes', words: bad.join(', ') };
}

function namesOf(list: readonly unknown[], what: string): string[] {
  return list.map((one) => {
    const { name, version } = (one ?? {}) as { name?: unknown; version?: unknown };
    return `${String(name)}@${String(version)}: signature ${what}`;
  });
}

if (argv[1] === import.meta.filename) {
  // One retry: npm's own two wait for more than a minute where nothing can be reached.
  const asked = ['audit', 'signatures', '--json', '--fetch-retries=1'];
  const { stdout: printed } = spawnSync('npm', asked, { encoding: 'utf8', timeout: 120_000 });
  const { kind, words } = judgeSignatures(printed ?? '');
  (kind === 'clean' ? stdout : stderr).write(`signatures: ${words}\n`);
  process.exitCode = kind === 'clean' || (kind === 'no-answer' && argv.includes('--offline-is-fine')) ? 0 : 1;
}
