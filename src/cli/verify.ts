// `mugai verify`: checks packages offline, exactly as the inner gate does.
import { constants, statSync } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { reasonOf, systemCode } from '../message/errors.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { MANIFEST, type Statement } from '../outbox/manifest.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import { verifyPackage, type PackageFiles } from '../outbox/verify.ts';
import { WORK_PREFIX } from './sanitise-inputs.ts';
import { lookUp, manifestOf, type Found } from './verify-file.ts';
import { say, UsageError, type Command } from './usage.ts';

export const verify: Command = {
  help: `mugai verify <package folder>… [--key FILE] [--details] [--json]
mugai verify <delivered file>… [--manifest FILE] [--key FILE] [--json]

Checks signature, digests and grammar of each package, as the inner gate does. A folder without a
manifest is searched for packages below it. A file by itself is looked up by its digest, and told
with what the signed manifest says of it.

  --key   verification key (PEM); default: MUGAI_VERIFY_KEY_FILE, or keys/verify-key.pem in the data
          folder. A key that lies beside the packages is not taken by itself: it proves nothing
  --details  what the signed manifest says: source, policy, engine, times, place in the journals
  --manifest  manifest.dsse.json that should list the file; default: all packages of the outbox
  --json  one line per package or file: {package, ok, reason}

Exit: 0 every package holds, 1 one does not (the reason is printed), 2 wrong usage.

Example: mugai verify out/* --key verify-key.pem`,

  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string' },
        json: { type: 'boolean', default: false },
        details: { type: 'boolean', default: false },
        manifest: { type: 'string' },
      },
    });
    if (positionals.length === 0) throw new UsageError('name at least one package folder or delivered file');
    const keys = await loadPublicKeys(values.key ?? readConfig().verifyKeyFile);
    let failed = 0;
    let checked = 0;
    for (const folder of positionals) {
      if (isFile(folder)) {
        checked += 1;
        const fault = await faultOfFile(folder, values.manifest, keys, (found) => {
          if (values.json) return;
          say(`listed   ${found.name} of ${found.manifest}`);
          tellDetails(found.statement);
        });
        if (fault !== undefined) failed += 1;
        report(values.json, folder, fault);
        continue;
      }
      const packages = await packagesIn(folder);
      if (packages.length === 0) {
        failed += 1;
        report(values.json, folder, 'no package here');
      }
      for (const path of packages) {
        checked += 1;
        const fault = await faultOf(path, keys, (statement) => {
          if (values.details && !values.json) tellDetails(statement);
        });
        if (fault !== undefined) failed += 1;
        report(values.json, path, fault);
      }
    }
    if (!values.json)
      say(`${checked} ${positionals.some(isFile) ? 'files and packages' : 'packages'}, ${failed} refused`);
    return failed === 0 ? 0 : 1;
  },
};

async function faultOf(
  path: string,
  keys: Parameters<typeof verifyPackage>[1],
  onHeld: (statement: Statement) => void,
): Promise<string | undefined> {
  try {
    const { statement } = await verifyPackage(folderFiles(path), keys, 0, new AbortController().signal);
    onHeld(statement);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** A delivered file by itself: what is wrong with it, or undefined. */
async function faultOfFile(
  path: string,
  manifest: string | undefined,
  keys: Parameters<typeof verifyPackage>[1],
  onHeld: (found: Found) => void,
): Promise<string | undefined> {
  try {
    const outbox = join(readConfig().dataDir, 'outbox');
    const searched = async (): Promise<string[]> => (await packagesIn(outbox)).map(manifestOf);
    const found = await lookUp(path, manifest === undefined ? await searched() : [manifest], keys);
    if (found === undefined)
      return manifest === undefined ? `no package in ${outbox} lists it` : `${manifest} does not list it`;
    onHeld(found);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return reasonOf(error);
  }
}

/** What an auditor asks of a package that holds. */
function tellDetails({ predicate, subject }: Statement): void {
  const { id, source, policy, engine, receivedAt, sanitisedAt, chain = [] } = predicate;
  say(`message  ${id}  ${predicate.state}`);
  say(`source   ${source.kind} of ${source.size} bytes, sha256 ${source.sha256}`);
  say(`policy   ${policy.name} ${policy.version}, sha256 ${policy.sha256}`);
  say(
    `engine   ${engine.version}${Object.entries(engine.sha256 ?? {})
      .map(([name, sha256]) => `, ${name} ${sha256}`)
      .join('')}`,
  );
  say(`times    received ${receivedAt}, sanitised ${sanitisedAt}`);
  for (const position of chain) say(`journal  ${position}`);
  for (const { name, digest } of subject) say(`file     ${digest.sha256}  ${name}`);
}

function report(json: boolean, path: string, fault: string | undefined): void {
  if (json) say(JSON.stringify({ package: path, ok: fault === undefined, reason: fault ?? null }));
  else say(fault === undefined ? `ok       ${path}` : `REFUSED  ${path}: ${fault}`);
}

/** Package folders at or below a path. */
async function packagesIn(path: string): Promise<string[]> {
  let entries;
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new UsageError(`${path} does not exist`);
    if (systemCode(error) === 'ENOTDIR') throw new UsageError(`${path} is no folder`);
    throw error;
  }
  if (entries.some((entry) => entry.name === MANIFEST)) return [path];
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory() && !entry.name.startsWith(WORK_PREFIX))
      found.push(...(await packagesIn(join(path, entry.name))));
  }
  return found;
}

/** A package in a plain folder. Links and anything else that is no plain file are names the manifest does not list. */
function folderFiles(root: string): PackageFiles {
  const names = async (folder: string): Promise<string[]> => {
    const found: string[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) found.push(...(await names(path)));
      else found.push(entry.isFile() ? relative(root, path) : `${relative(root, path)} (no plain file)`);
    }
    return found;
  };
  return {
    names: async () => names(root),
    get: async (name, cap) => {
      await using file = await openPlain(root, name);
      if (file === undefined) return undefined;
      if ((await file.stat()).size > cap) throw new GateRefusal('file-too-large', `over ${cap} bytes`, { file: name });
      return await file.readFile();
    },
    open: async (name) => (await openPlain(root, name))?.createReadStream({ highWaterMark: 256 * 1024 }),
  };
}

/** Opens a plain file and nothing else: a FIFO would hold us up for ever, a link lead elsewhere. */
async function openPlain(root: string, name: string): Promise<FileHandle | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(join(root, name), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (systemCode(error) !== 'ELOOP') throw error;
  }
  await file?.close();
  throw new GateRefusal('file-missing', 'it is no plain file', { file: name });
}
