// `mugai sanitise`: the same road without servers. Every input becomes a sealed package folder.
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { newMessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { forLine, forLog } from '../message/untrusted.ts';
import { openMetrics } from '../ops/metrics.ts';
import { anyKey, generateKeys, loadPrivateKey } from '../outbox/keys.ts';
import { MANIFEST } from '../outbox/manifest.ts';
import { builtInPolicy, loadPolicy } from '../policy/policy.ts';
import { makeHarmless, type SanitiseTools } from '../sanitise/sanitise.ts';
import { openPools } from '../sanitise/pools.ts';
import { demandJail, machineJail, tellJail } from '../sandbox/probe.ts';
import { Signer, packageOf } from '../seal/seal.ts';
import { openFsStore } from '../store/fs-store.ts';
import { stage, type Store } from '../store/store.ts';
import { VERSION, codeDigests } from '../version.ts';
import { Progress } from './progress.ts';
import { say, tell, UsageError, type Command } from './usage.ts';

export const sanitiseCommand: Command = {
  help: `mugai sanitise <path>… --out DIR [--policy FILE] [--password PW]… [--jobs N] [--json]

Makes each file, or each file under each folder, harmless: the package lies in DIR under the same
relative path. A .eml file is read as a mail.

  --out       folder for the packages; a package that is there already is replaced
  --policy    policy file (YAML); default: the built-in policy
  --password  a password to try on locked parts; may be given several times
  --jobs      inputs at once (default: CPU count)
  --json      one line per input: {input, state, reason, out, parts, pages, ms}

Exit: 0 every input ended sanitised, held or refused; 1 some input failed inside us; 2 wrong usage.

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
    const inputs = await inputsOf(positionals, resolve(values.out));
    const policy = values.policy === undefined ? builtInPolicy() : await loadPolicy(values.policy);
    if (config.ownKeys && !anyKey(config.signingKeyFile, config.verifyKeyFile))
      await generateKeys(config.signingKeyFile, config.verifyKeyFile);
    const signer = new Signer(await loadPrivateKey(config.signingKeyFile));

    const jail = await machineJail();
    demandJail(config.jail, jail);
    if (jail.level !== 'full') tell(`mugai: the jail is not complete: ${tellJail(jail)}`);

    const work = join(resolve(values.out), '.mugai-work');
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
        sanitiseOne(input, tools, signer, store, work),
      );
    } finally {
      await pools.close();
      await rm(work, { recursive: true, force: true });
    }
  },
};

interface FileInput {
  readonly path: string;
  readonly out: string;
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
  one: (input: FileInput) => Promise<Line>,
): Promise<number> {
  const progress = new Progress(inputs.length);
  const counts = new Map<string, number>();
  const queue = inputs.values();
  const lane = async (): Promise<void> => {
    for (const input of queue) {
      const line = await one(input);
      counts.set(line.state, (counts.get(line.state) ?? 0) + 1);
      progress.step(forLog(input.path));
      if (json) say(JSON.stringify(line));
      else if (line.state !== 'sanitised') {
        progress.end();
        say(`${line.state.padEnd(9)} ${forLog(line.input)}${line.reason === null ? '' : `: ${line.reason}`}`);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  progress.end();
  if (!json) say([...counts].map(([state, count]) => `${count} ${state}`).join(', '));
  return counts.has('failed') ? 1 : 0;
}

async function sanitiseOne(
  input: FileInput,
  tools: SanitiseTools,
  signer: Signer,
  store: Store,
  work: string,
): Promise<Line> {
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  const id = newMessageId();
  const { signal } = new AbortController();
  try {
    const content = await stage(
      store,
      createReadStream(input.path, { highWaterMark: 256 * 1024 }),
      LIMITS.messageBytes,
      signal,
    );
    try {
      const kind = /\.eml$/i.test(input.path) ? 'mail' : 'file';
      const source = {
        kind,
        name: forLine(basename(input.path), 300),
        size: content.size,
        sha256: content.sha256,
      } as const;
      const now = new Date().toISOString();
      const harmless = await makeHarmless(
        { id, source, envelope: { from: '', to: [] }, receivedAt: now, content },
        tools,
        signal,
      );
      const { record } = harmless;
      const entries = packageOf(id, { ...record, outputFolder: '' }, harmless.outputs, signer);
      await store.commit(id, entries);
      await rm(input.out, { recursive: true, force: true });
      await mkdir(dirname(input.out), { recursive: true });
      await rename(join(work, id), input.out);
      const pages = record.parts.reduce((sum, part) => sum + part.pages, 0);
      return {
        input: input.path,
        state: record.state,
        reason: record.reason,
        out: input.out,
        parts: record.parts.length,
        pages,
        ms: ms(),
      };
    } finally {
      await content.discard();
    }
  } catch (error) {
    const tooLarge = error instanceof MugaiError && error.code === 'too-large';
    const state = tooLarge ? 'refused' : 'failed';
    return {
      input: input.path,
      state,
      reason: tooLarge ? 'too-large' : reasonOf(error),
      out: null,
      parts: 0,
      pages: 0,
      ms: ms(),
    };
  }
}

/** Every file to do, with the folder its package gets. Links are not followed; a package folder is no input. */
async function inputsOf(paths: readonly string[], out: string): Promise<FileInput[]> {
  const inputs: FileInput[] = [];
  for (const path of paths) {
    let isFolder: boolean;
    try {
      isFolder = (await stat(path)).isDirectory();
    } catch (error) {
      throw new UsageError(`${path}: ${systemCode(error) === 'ENOENT' ? 'does not exist' : reasonOf(error)}`);
    }
    if (!isFolder) {
      inputs.push({ path, out: join(out, basename(path)) });
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const root = basename(resolve(path));
    for (const entry of entries) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && entry.name !== MANIFEST && !resolve(file).startsWith(`${out}/`)) {
        inputs.push({ path: file, out: join(out, root, relative(path, file)) });
      }
    }
  }
  const seen = new Set<string>();
  for (const input of inputs) {
    if (seen.has(input.out)) throw new UsageError(`two inputs would become ${input.out}; run them one after the other`);
    seen.add(input.out);
  }
  return inputs;
}
