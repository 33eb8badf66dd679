// `mugai selfcheck`: what holds the children on this machine, and whether it does; and what else of the gateway shows that it is
// in order, as a dated report.
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import type { Language } from '../message/account.ts';
import { reasonOf } from '../message/errors.ts';
import { tryToBreakOut, type Attempt } from '../sandbox/break-out.ts';
import { machineJail, missing, type Jail } from '../sandbox/probe.ts';
import { VERSION } from '../version.ts';
import { placesKnown } from './places-known.ts';
import { collect } from './selfcheck/collect.ts';
import { inLines, reportText, type Evidence, type Report } from './selfcheck/evidence.ts';
import { say, sayJson, tell, UsageError, type Command } from './usage.ts';

export const selfcheck: Command = {
  help: `mugai selfcheck [--report FILE.txt|.json|.pdf]… [--language ja|en] [--heads FILE] [--json]

Tells what holds the children that open mail and files on this machine, and tries it: a child of each
family tries to reach files, network, processes and environment, behind all walls and behind each alone.
Then looks at the gateway whose configuration and data these are: whether it answers, keys, chain of the
journals, retention, users without a second factor, policy and its age, refusals of the gate, failed
deliveries, open holds, disk, clock, versions. What lies on another machine is told as such.

  --report    writes it as a dated report; the ending says as what: text, JSON, or a PDF to sign and file
  --language  language of text and PDF (default: ja)
  --heads     file with places of the journals that are known from elsewhere (a print-out of mugai audit heads,
              syslog), one a line: where one is behind a change of a journal's key, that change is no doubt any more
  --json  one object: {level, holds, controls: [{name, holds, detail}],
          attempts: [{family, standing, way, held, detail}],
          at, host, version, evidence: [{control, state, ja, en}]}

Exit: 0 every control holds, 1 one is missing, failed or was broken through, or a report could not be written, 2 wrong usage.

Example: mugai selfcheck --report selfcheck-2026-11.pdf --language ja`,

  run: async (args) => {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        report: { type: 'string', multiple: true, default: [] },
        language: { type: 'string', default: 'ja' },
        heads: { type: 'string' },
      },
    });
    const { language } = values;
    if (language !== 'ja' && language !== 'en') throw new UsageError(`--language is "${language}", not ja or en`);
    for (const file of values.report) {
      if (!['.txt', '.json', '.pdf'].includes(extname(file)))
        throw new UsageError(`--report is "${file}", not a name that ends in .txt, .json or .pdf`);
      if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true)
        throw new UsageError(`--report is "${file}", and ${dirname(file)} is no folder`);
    }
    const known = await placesKnown(values.heads);
    const config = readConfig();
    const jail = await machineJail();
    const attempts = await tryToBreakOut(jail, new AbortController().signal);
    const now = new Date();
    const evidence = [jailEvidence(jail, attempts), ...(await collect(config, now.getTime(), known))].map(inLines);
    const holds = evidence.every(({ state }) => state !== 'fails');
    const report: Report = { at: now.toISOString(), host: hostname(), version: VERSION, holds, evidence };
    if (values.json) {
      sayJson(whole(report, jail, attempts));
    } else {
      tellJail(jail, attempts);
      for (const { control, state, en } of evidence.slice(1)) say(`${WORDS[state].padEnd(7)}  ${control}: ${en}`);
    }
    // What was found is told already, whatever becomes of a file.
    const unwritten: string[] = [];
    for (const file of values.report) {
      try {
        await writeReport(file, report, language, jail, attempts);
        if (!values.json) say(`report   ${file}`);
      } catch (error) {
        unwritten.push(file);
        tell(`--report ${file} cannot be written: ${reasonOf(error)}`);
      }
    }
    return holds && unwritten.length === 0 ? 0 : 1;
  },
};

const WORDS = { holds: 'holds', fails: 'FAILS', note: 'note' } as const;

function whole(report: Report, { level, controls }: Jail, attempts: readonly Attempt[]): object {
  return { level, controls, attempts, ...report };
}

async function writeReport(
  file: string,
  report: Report,
  language: Language,
  jail: Jail,
  attempts: readonly Attempt[],
): Promise<void> {
  if (file.endsWith('.json')) await writeFile(file, `${JSON.stringify(whole(report, jail, attempts), null, 2)}\n`);
  else if (file.endsWith('.txt')) await writeFile(file, reportText(report, language));
  else {
    const { reportPdf } = await import('./selfcheck/report-pdf.ts');
    await writeFile(file, await reportPdf(report, language));
  }
}

function jailEvidence(jail: Jail, attempts: readonly Attempt[]): Evidence {
  const out = attempts.filter((attempt) => !attempt.held);
  const families = new Set(attempts.map(({ family }) => family)).size;
  if (jail.level === 'full' && out.length === 0)
    return {
      control: 'jail',
      state: 'holds',
      ja: `すべての壁が有効。${families} 種の子プロセスから ${attempts.length} 通りの脱出を試み、すべて止まった`,
      en: `every wall stands; ${attempts.length} ways out tried by ${families} families, all held`,
    };
  const broken = out.map(({ family, way }) => `${family} ${way}`).join(', ');
  return {
    control: 'jail',
    state: 'fails',
    ja: `${jail.level}。欠けている壁: ${missing(jail) || 'なし'}。破られたもの: ${broken || 'なし'}`,
    en: `${jail.level}; missing: ${missing(jail) || 'nothing'}; broken through: ${broken || 'nothing'}`,
  };
}

function tellJail(jail: Jail, attempts: readonly Attempt[]): void {
  say(`jail: ${jail.level}`);
  for (const { name, holds, detail } of jail.controls) say(`${holds ? 'holds  ' : 'MISSING'}  ${name}: ${detail}`);
  const groups = Map.groupBy(attempts, ({ family, standing }) => `${family} behind ${standing}`);
  for (const [group, tried] of groups) {
    const out = tried.filter((attempt) => !attempt.held);
    if (out.length === 0) say(`holds    ${group}: ${tried.length} ways out tried`);
    for (const { way, detail } of out) say(`BROKEN   ${group}: ${way}: ${detail}`);
  }
}
