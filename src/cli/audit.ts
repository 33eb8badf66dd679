// `mugai audit`: follows the journals, shows where they stand, hands their entries out.
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { csvOf, CSV_HEAD, entriesOf, type Wanted } from '../audit/export.ts';
import { journalFiles, journalsIn } from '../audit/journal-files.ts';
import { auditorTool } from '../audit/tool.ts';
import { followChains, type ChainReport } from '../audit/verify-chain.ts';
import { readConfig } from '../config.ts';
import { ACTS } from '../message/act.ts';
import { reasonOf } from '../message/errors.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { demandTaken, type Takes } from './acts.ts';
import { placesKnown } from './places-known.ts';
import { outputEnded, say, sayJson, sayLine, tell, UsageError, type Command } from './usage.ts';

export const audit: Command = {
  help: `mugai audit verify [FOLDER…] [--heads FILE] [--json]
mugai audit heads  [FOLDER…]
mugai audit tool   --out FILE [--key FILE]
mugai audit export [FOLDER…] [--format jsonl|csv] [--from TIME] [--to TIME] [--person NAME] [--message ID] [--act ACT]

verify  follows each journal from its first line and names the first one that breaks the chain; where one
        journal names a place in another, the two are compared; a chain that is named and not here is broken when
        its zone has a folder here, or when --heads names it, and otherwise told. A chain speaks for itself up to where
        its own key signed it; only a place that is known from elsewhere (--heads, another zone's journal) shows that not
        all of it was written anew, key and all: which place that is, or that there is none, is said of each
heads   prints where each journal stands: for the print-out that is kept elsewhere
tool    writes one HTML file that an auditor opens in a browser, without network: signatures of packages and delivered
        files, and journals (5,000,000 lines of each, which it says), are checked in it; the keys of --key (or
        MUGAI_VERIFY_KEY_FILE) are put in
export  prints entries; broken lines are left out (verify names them)

  FOLDER   folders of journals, or one that holds those of the zones; default: journal/ of the data folder
  TIME     2026-11-01 (its midnight), 2026-11-01T09:00, both in the time zone of this machine (TZ), or one that names its
           own: 2026-11-01T09:00:00+09:00. --from is within, --to is not
  --heads  file with positions that are known from elsewhere (a print-out, syslog), one a line

  holds      every line follows the one before, and every head is signed by the key that the chain names
  UNCHECKED  every line follows, but heads have no key here, no head is there though hours went by, the retirement of
             its first lines is signed by nobody, or another key goes on with it and no place behind that is known from
             elsewhere (--heads)
  BROKEN     a line does not follow, or another stands where somebody names one
  LIE        a package names a line that never was: whoever sealed it had the key, and the chain holds all the same

Exit: 0 every chain holds, 1 one is broken or lied about, 2 wrong usage, 3 none is broken and one is unchecked.

Example: mugai audit export --format csv --from 2026-11-01 --to 2026-12-01 --person tanaka`,

  run: async (args) => {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        json: { type: 'boolean', default: false },
        heads: { type: 'string' },
        format: { type: 'string', default: 'jsonl' },
        from: { type: 'string' },
        to: { type: 'string' },
        person: { type: 'string' },
        message: { type: 'string' },
        act: { type: 'string' },
        out: { type: 'string' },
        key: { type: 'string' },
      },
    });
    const [act = '', ...given] = positionals;
    if (!Object.hasOwn(TAKES, act))
      throw new UsageError('say "audit verify", "audit heads", "audit export" or "audit tool"');
    demandTaken(TAKES[act as keyof typeof TAKES], { tokens, words: given });
    if (act === 'tool') return writeTool(values.out, values.key);
    const folders = given.length > 0 ? given.flatMap(journalsAt) : journalsUnder(join(readConfig().dataDir, 'journal'));
    if (act === 'export') return exportEntries(folders, wantedOf(values), values.format);
    const anchors = await placesKnown(values.heads);
    const { reports, lies, elsewhere } = await followChains(folders, anchors);
    for (const report of reports) {
      if (act === 'heads')
        sayLine(report.broken === undefined ? `${report.position}  ${report.last}` : tellReport(report));
      else if (values.json) sayJson(report);
      else sayLine(tellReport(report));
    }
    if (act === 'verify' && elsewhere > 0) {
      const told = `${elsewhere} places of chains that are not here`;
      if (values.json) tell(told);
      else say(told);
    }
    if (act === 'verify')
      for (const { position, from, message, why } of lies) {
        const told = `${message === undefined ? from : `the package of ${message} (${from})`} names ${position}, which never was: ${why}`;
        if (values.json) sayJson({ lie: { position, from, message, why } });
        else sayLine(`LIE     ${told}`);
      }
    if (lies.length > 0 || reports.some(({ broken }) => broken !== undefined)) return 1;
    return reports.some(({ unchecked }) => unchecked.length > 0) ? 3 : 0;
  },
};

const MANY = Number.MAX_SAFE_INTEGER;
/** What each act takes. */
const TAKES = {
  verify: { usage: 'audit verify [FOLDER…] [--heads FILE] [--json]', options: ['heads', 'json'], words: [0, MANY] },
  heads: { usage: 'audit heads [FOLDER…]', words: [0, MANY] },
  tool: { usage: 'audit tool --out FILE [--key FILE]', options: ['out', 'key'], words: [0, 0] },
  export: {
    usage:
      'audit export [FOLDER…] [--format jsonl|csv] [--from TIME] [--to TIME] [--person NAME] [--message ID] [--act ACT]',
    options: ['format', 'from', 'to', 'person', 'message', 'act'],
    words: [0, MANY],
  },
} as const satisfies Readonly<Record<string, Takes>>;

/** Writes the auditor's tool; a file that is there is replaced. */
async function writeTool(out: string | undefined, key: string | undefined): Promise<number> {
  if (out === undefined) throw new UsageError('say where: audit tool --out FILE');
  const file = key ?? readConfig().verifyKeyFile;
  const keys = await loadPublicKeys(file);
  const pem = [...keys.values()].map((one) => one.export({ format: 'pem', type: 'spki' })).join('');
  await writeFile(out, await auditorTool(pem)).catch((error: unknown) => {
    throw new UsageError(`--out ${out} cannot be written: ${reasonOf(error)}`);
  });
  say(out);
  for (const id of keys.keys()) say(`trusts key  ${id}`);
  return 0;
}

/** A folder as it was named: a journal's own, or the one that holds those of the zones. */
function journalsAt(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`${folder} is no folder: name the one of the journal, with all of its files`);
  const within = journalsIn(folder);
  return within.length > 0 && journalFiles(folder).length === 0 ? within : [folder];
}

/** Folders of journals under the one that holds them all. */
function journalsUnder(root: string): string[] {
  const found = journalsIn(root);
  if (found.length === 0) throw new UsageError(`there is no journal under ${root}`);
  return found;
}

function tellReport(report: ChainReport): string {
  const { folder, chain, entries, broken, unchecked } = report;
  if (broken === undefined) {
    const { first, last, position } = report;
    const told = `${folder}: ${entries} entries, ${first} to ${last}, ${position}; ${signedAs(report)}; ${anchoredAs(report)}`;
    return unchecked.length === 0 ? `holds   ${told}` : `UNCHECKED  ${told}; ${unchecked.join('; ')}`;
  }
  const where = broken.line > 0 ? `${broken.file} line ${broken.line}` : broken.file || folder;
  const number = broken.seq === undefined ? '' : ` (number ${broken.seq})`;
  return `BROKEN  ${folder}: ${where}${number} ${broken.why}; ${entries} entries of ${chain ?? 'no chain'} before`;
}

function signedAs({ heads, signedTo, keys }: ChainReport): string {
  if (signedTo === undefined) return 'NOT SIGNED: no head was checked';
  const by = keys.length === 1 ? 'its own key' : `${keys.length} keys of its own, one after the other`;
  return `${heads} signed heads, by ${by}, up to number ${signedTo}`;
}

function anchoredAs({ anchored }: ChainReport): string {
  if (anchored === undefined) return 'NOT ANCHORED: nothing from elsewhere names a line of it';
  return `anchored at number ${anchored.seq} by ${anchored.from}`;
}

function wantedOf(values: { readonly [name in keyof Wanted]?: string | undefined }): Wanted {
  const time = (name: 'from' | 'to'): Partial<Wanted> => {
    const value = values[name];
    if (value === undefined) return {};
    // ECMAScript takes a date alone for midnight in UTC, which is nine in the morning in Japan.
    const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00` : value);
    if (Number.isNaN(at) || /^\d{4}(-\d{2})?$/.test(value))
      throw new UsageError(`--${name} is "${value}", not a time such as 2026-11-25 or 2026-11-25T09:00:00+09:00`);
    return { [name]: new Date(at).toISOString() };
  };
  const act = values.act;
  if (act !== undefined && !ACTS.some((known) => known === act))
    throw new UsageError(`--act is "${act}", not one of ${ACTS.join(', ')}`);
  return {
    ...time('from'),
    ...time('to'),
    ...(values.person === undefined ? {} : { person: values.person }),
    ...(values.message === undefined ? {} : { message: values.message }),
    ...(act === undefined ? {} : { act }),
  };
}

async function exportEntries(folders: readonly string[], wanted: Wanted, format: string): Promise<number> {
  if (format !== 'jsonl' && format !== 'csv') throw new UsageError(`--format is "${format}", not jsonl or csv`);
  for (const folder of folders)
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new UsageError(`${folder} is no folder of a journal`);
  if (format === 'csv') say(CSV_HEAD);
  for (const folder of folders)
    for await (const line of entriesOf(folder, wanted)) {
      if (outputEnded()) return 0;
      if (format === 'csv') say(csvOf(line));
      else sayJson(line);
    }
  return 0;
}
