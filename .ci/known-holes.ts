// Asks the registry whether packages that run in production have known holes (npm audit). Exit 1 for a high or critical one, and for
// a registry that does not answer, unless `--offline-is-fine` is given: then it says so, and nobody takes silence for a yes.
import { spawnSync } from 'node:child_process';
import { argv, stderr, stdout } from 'node:process';

const GRAVE = ['high', 'critical'];

export interface Verdict {
  readonly kind: 'clean' | 'holes' | 'no-answer';
  readonly words: string;
}

/** Reads what `npm audit --json` printed. */
export function judgeAudit(printed: string): Verdict {
  let report: unknown;
  try {
    report = JSON.parse(printed);
  } catch {
    return { kind: 'no-answer', words: 'npm audit printed no report' };
  }
  if (typeof report !== 'object' || report === null || !('vulnerabilities' in report)) {
    const why =
      typeof report === 'object' && report !== null && 'message' in report ? String(report.message) : 'no report';
    return { kind: 'no-answer', words: `the registry does not tell: ${why}` };
  }
  const found = Object.entries(report.vulnerabilities as Record<string, { severity?: string }>).filter(
    ([, { severity }]) => GRAVE.includes(severity ?? 'critical'),
  );
  if (found.length === 0) return { kind: 'clean', words: 'no package has a known grave hole' };
  return { kind: 'holes', words: found.map(([name, { severity }]) => `${name}: ${severity ?? 'unknown'}`).join(', ') };
}

if (argv[1] === import.meta.filename) {
  const { stdout: printed } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
  const { kind, words } = judgeAudit(printed ?? '');
  (kind === 'clean' ? stdout : stderr).write(`known holes: ${words}\n`);
  const passes = kind === 'clean' || (kind === 'no-answer' && argv.includes('--offline-is-fine'));
  process.exitCode = passes ? 0 : 1;
}
