// `mugai sanitise`: the same road without servers. Every input becomes a sealed package folder.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../config.ts';
import { newMessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { forLog } from '../message/untrusted.ts';
import { openMetrics } from '../ops/metrics.ts';
import { anyKey, generateKeys, loadPrivateKey } from '../outbox/keys.ts';
import { builtInPolicy, loadPolicy } from '../policy/policy.ts';
import type { SanitiseTools } from '../sanitise/sanitise.ts';
import { openPools } from '../sanitise/pools.ts';
import { demandJail, machineJail, tellJail } from '../sandbox/probe.ts';
import { Signer, packageOf } from '../seal/seal.ts';
import { openFsStore } from '../store/fs-store.ts';
import { makeMissing } from '../store/fs-sync.ts';
import type { Store } from '../store/store.ts';
import { VERSION, codeDigests } from '../version.ts';
import { harmlessOf } from './harmless-file.ts';
import { placePackage } from './place-package.ts';
import { Progress } from './progress.ts';
import { planInputs, WORK_PREFIX, type FileInput } from './sanitise-inputs.ts';
import { say, tell, UsageError, type Command } from './usage.ts';
import { inWorkFolder } from './work-folder.ts';

export const sanitiseCommand: Command = {
  help: `mugai sanitise <path>… --out DIR [--policy FILE] [--password PW]… [--jobs N] [--json]

Makes each file, or each file under each folder, harmless: the package lies in DIR under the same
relative path. A .eml file is read as a mail. Links and special files below a folder are left out and named.
A name below a folder that is no UTF-8 is read as Shift_JIS; where it is none, its bytes are written as %XX.

  --out       folder for the packages; a package that is there already is replaced, anything else is not:
              then nothing is done
  --policy    policy file (YAML); default: the built-in policy
  --password  a password to try on locked parts; may be given several times
  --jobs      inputs at once (default: CPU count)
  --json      one line per input: {input, state, reason, out, parts, pages, ms}

Exit: 0 every input ended sanitised, held or refused; 1 some input failed inside us; 2 wrong usage;
130 or 143 stopped by SIGINT or SIGTERM: packages that are whole stay, what was under way leaves nothing.

Example: mugai sanitise mails/ report.pdf --out harmless && mugai verify harmless/*`,

  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        policy: { type: 'string' },
        password: { type: 'string', multiple: true, default: [] },
        jobs: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    if (values.out === undefined) throw new UsageError('--out DIR is missing');
    if (positionals.length === 0) throw new UsageError('name at least one file or folder');
    const config = readConfig();
    const jobs = values.jobs === undefined ? config.workers : Number(values.jobs);
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > 256)
      throw new UsageError(`--jobs is "${values.jobs}", not a number from 1 to 256`);
    const inputs = await planInputs(positionals, values.out, ownPlaces(config));
    const policy = values.policy === undefined ? builtInPolicy() : await loadPolicy(values.policy);
    if (config.ownKeys) await makeKeysOnce(config.signingKeyFile, config.verifyKeyFile);
    const signer = new Signer(await loadPrivateKey(config.signingKeyFile));

    const jail = await machineJail();
    demandJail(config.jail, jail);
    if (jail.level !== 'full') tell(`mugai: the jail is not complete: ${tellJail(jail)}`);

    // A folder of this run's own: another run into the same --out removes its own only.
    makeMissing(resolve(values.out), 0o777);
    return inWorkFolder(join(resolve(values.out), WORK_PREFIX), async (work, stop) => {
      const store = await openFsStore(work);
      const pools = await openPools(jobs, () => undefined, jail.walls);
      const tools: SanitiseTools = {
        pools: pools.pools,
        policy,
        passwords: values.password,
        metrics: openMetrics(false),
        begin: (cap) => store.begin(cap),
        version: VERSION,
        codeDigests: codeDigests(),
      };
      try {
        return await sanitiseAll(inputs, jobs, values.json, async (input) =>
          sanitiseOne(input, tools, { signer, store, work, stop }),
        );
      } finally {
        await pools.close();
      }
    });
  },
};

/** Where a gateway on this machine keeps what is its own; a first run makes keys there itself. */
function ownPlaces(config: Config): string[] {
  const { dataDir, signingKeyFile, verifyKeyFile, requestKeyFile, sealingKeyFile } = config;
  return [dataDir, signingKeyFile, verifyKeyFile, requestKeyFile, sealingKeyFile];
}

/** Makes the pair of a first run; of two first runs at once one makes it. */
async function makeKeysOnce(signingKeyFile: string, verifyKeyFile: string): Promise<void> {
  if (anyKey(signingKeyFile, verifyKeyFile)) return;
  try {
    await generateKeys(signingKeyFile, verifyKeyFile);
  } catch (error) {
    if (!(error instanceof MugaiError) || error.code !== 'already-there') throw error;
  }
}

interface Line {
  readonly input: string;
  readonly state: string;
  readonly reason: string | null;
  readonly out: string | null;
  readonly parts: number;
  readonly pages: number;
  readonly ms: number;
}

async function sanitiseAll(
  inputs: readonly FileInput[],
  jobs: number,
  json: boolean,
  one: (input: FileInput) => Promise<Line | undefined>,
): Promise<number> {
  const progress = new Progress(inputs.length);
  const counts = new Map<string, number>();
  const queue = inputs.values();
  const lane = async (): Promise<void> => {
    for (const input of queue) {
      const line = await one(input);
      if (line === undefined) return;
      counts.set(line.state, (counts.get(line.state) ?? 0) + 1);
      progress.step(forLog(input.path));
      if (!json && line.state === 'sanitised') continue;
      progress.end();
      if (json) say(JSON.stringify(line));
      else say(`${line.state.padEnd(9)} ${forLog(line.input)}${line.reason === null ? '' : `: ${line.reason}`}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  progress.end();
  if (!json) say([...counts].map(([state, count]) => `${count} ${state}`).join(', '));
  return counts.has('failed') ? 1 : 0;
}

interface Run {
  readonly signer: Signer;
  readonly store: Store;
  readonly work: string;
  readonly stop: AbortSignal;
}

/** Undefined for an input that is not done any more. */
async function sanitiseOne(
  input: FileInput,
  tools: SanitiseTools,
  { signer, store, work, stop }: Run,
): Promise<Line | undefined> {
  if (stop.aborted) return undefined;
  const started = performance.now();
  const line = { input: input.path, state: 'failed', reason: null, out: null, parts: 0, pages: 0 };
  const ms = (): number => Math.round(performance.now() - started);
  const id = newMessageId();
  try {
    const { record, outputs } = await harmlessOf(input, id, tools, store, stop);
    try {
      stop.throwIfAborted(); // its children were stopped: what came of them is not what it is
      await store.commit(id, packageOf(id, { ...record, outputFolder: '' }, outputs, signer));
      await placePackage(join(work, id), input.out, work);
    } finally {
      for (const { content } of outputs) if ('discard' in content) await content.discard();
    }
    const { state, reason, parts } = record;
    const pages = parts.reduce((sum, part) => sum + part.pages, 0);
    return { ...line, state, reason, out: input.out, parts: parts.length, pages, ms: ms() };
  } catch (error) {
    if (stop.aborted) return undefined;
    return { ...line, reason: reasonOf(error), ms: ms() };
  }
}
