// `mugai verify`: checks packages offline, exactly as the inner gate does.
import { constants, statSync, type Dirent } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { journalsIn } from '../audit/journal-files.ts';
import { readConfig } from '../config.ts';
import { reasonOf, systemCode } from '../message/errors.ts';
import { parseMessageId } from '../message/id.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { MANIFEST } from '../outbox/manifest.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import { verifyPackage, type PackageFiles } from '../outbox/verify.ts';
import { WORK_PREFIX } from './sanitise-inputs.ts';
import { detailsOf, faultOfDetails, jsonOfDetails, tellDetails, type Details } from './verify-details.ts';
import { lookUp, manifestOf, type Found } from './verify-file.ts';
import { say, sayJson, sayLine, UsageError, type Command } from './usage.ts';

export const verify: Command = {
  help: `mugai verify <package folder>… [--key FILE] [--details] [--journal FOLDER]… [--json]
mugai verify <delivered file>… [--manifest FILE] [--key FILE] [--journal FOLDER]… [--json]

Checks signature, digests and grammar of each package, as the inner gate does. A folder without a
manifest is searched for packages below it. A file by itself is looked up by its digest, and told
with what the signed manifest says of it.

  --key   verification key (PEM); default: MUGAI_VERIFY_KEY_FILE, or keys/verify-key.pem in the data
          folder. A key that lies beside the packages is not taken by itself: it proves nothing
  --details  what the signed manifest says: source, policy, engine, times, places in the journals; and what the
             journals say of the message: approvals, deliveries, views. A place at which a journal has another line
             is a refusal
  --journal  folder of a journal, repeatable; default: those of the data folder, if any
  --manifest  manifest.dsse.json that should list the file; default: every one in the outbox, at whatever depth; those
              that name the file and do not hold are told
  --json  one line per package or file: {package, ok, reason}, with --details {…, details}

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
        journal: { type: 'string', multiple: true },
      },
    });
    if (positionals.length === 0) throw new UsageError('name at least one package folder or delivered file');
    const unlisted = values.manifest === undefined ? undefined : positionals.find(isFolder);
    if (unlisted !== undefined)
      throw new UsageError(
        `--manifest is for delivered files, and ${unlisted} is a folder: a package is checked by its own manifest`,
      );
    if (values.manifest !== undefined && !isFile(values.manifest))
      throw new UsageError(`--manifest ${values.manifest} does not exist, or is no file`);
    const keys = await loadPublicKeys(values.key ?? readConfig().verifyKeyFile);
    const journals = values.journal ?? journalsIn(join(readConfig().dataDir, 'journal'));
    for (const folder of journals) if (!isFolder(folder)) throw new UsageError(`${folder} is no folder of a journal`);
    let failed = 0;
    let checked = 0;
    let waiting: Looked[] = [];
    const wantsDetails = ({ found }: Looked): boolean =>
      typeof found !== 'string' && (values.details || found.name !== '');
    const conclude = async (): Promise<void> => {
      const looked = waiting;
      waiting = [];
      const statements = looked.flatMap(({ found }) => (typeof found === 'string' ? [] : [found.statement]));
      const details = await detailsOf(statements, journals);
      for (const [nth, one] of looked.entries()) tell(one, details[nth]);
    };
    /** What no journal is asked about is told at once: a refusal waits for nothing that may still go wrong. */
    const add = async (path: string, found: Found | string): Promise<void> => {
      const one = { path, found };
      if (!wantsDetails(one)) {
        tell(one, undefined);
        return;
      }
      waiting.push(one);
      if (waiting.length === AT_ONCE) await conclude();
    };
    const tell = ({ path, found }: Looked, details: Details | undefined): void => {
      checked += 1;
      const held = typeof found === 'string' ? undefined : found;
      const fault = typeof found === 'string' ? found : details && faultOfDetails(details);
      if (fault !== undefined) failed += 1;
      if (values.json) {
        const told = details === undefined || !values.details ? {} : { details: jsonOfDetails(details) };
        sayJson({ package: path, ok: fault === undefined, reason: fault ?? null, ...told });
        return;
      }
      if (held !== undefined && held.name !== '') {
        for (const manifest of [held.manifest, ...held.also]) sayLine(`listed   ${held.name} of ${manifest}`);
        for (const { manifest, why } of held.refused) sayLine(`not by   ${manifest}: ${why}`);
      }
      if (details !== undefined) tellDetails(details);
      sayLine(fault === undefined ? `ok       ${path}` : `REFUSED  ${path}: ${fault}`);
    };
    try {
      for (const path of positionals) {
        if (isFile(path)) {
          await add(path, await foundFile(path, values.manifest, keys));
          continue;
        }
        const packages = await packagesIn(path);
        if (packages.length === 0) {
          failed += 1;
          const reason = 'no package here';
          if (values.json) sayJson({ package: path, ok: false, reason });
          else sayLine(`REFUSED  ${path}: ${reason}`);
        }
        for (const one of packages) await add(one, await foundPackage(one, keys));
      }
    } catch (error) {
      // What was found is told; what went wrong first is what the command ends with.
      await conclude().catch((second: unknown) => sayLine(`cannot tell the details: ${reasonOf(second)}`));
      throw error;
    }
    await conclude();
    if (!values.json)
      say(`${checked} ${positionals.some(isFile) ? 'files and packages' : 'packages'}, ${failed} refused`);
    return failed === 0 ? 0 : 1;
  },
};

/** Packages and files that hold whose messages are looked up in the journals in one reading of them. */
const AT_ONCE = 500;

interface Looked {
  readonly path: string;
  /** Or why it does not hold. */
  readonly found: Found | string;
}

/** A package by its statement, or why it does not hold. */
async function foundPackage(path: string, keys: Parameters<typeof verifyPackage>[1]): Promise<Found | string> {
  try {
    const { statement } = await verifyPackage(folderFiles(path), keys, 0, new AbortController().signal);
    // In an outbox a package lies under its id, and the gate refuses a copy under another one.
    const { id } = statement.predicate;
    if ((parseMessageId(basename(resolve(path))) ?? id) !== id)
      throw new GateRefusal('manifest-id', `package of ${id} lies under another id`);
    return { statement, name: '', manifest: manifestOf(path), also: [], refused: [] };
  } catch (error) {
    return reasonOf(error);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A delivered file by itself: where it is listed, or why it does not hold. */
async function foundFile(
  path: string,
  manifest: string | undefined,
  keys: Parameters<typeof verifyPackage>[1],
): Promise<Found | string> {
  try {
    const outbox = join(readConfig().dataDir, 'outbox');
    const found = await lookUp(path, manifest === undefined ? await manifestsIn(outbox) : [manifest], keys);
    return found ?? (manifest === undefined ? `no package in ${outbox} lists it` : `${manifest} does not list it`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return reasonOf(error);
  }
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new UsageError(`${path} does not exist`);
    if (systemCode(error) === 'ENOTDIR') throw new UsageError(`${path} is no folder`);
    throw error;
  }
}

/** As `entriesOf`; none of a folder that went while one walked. */
async function entriesStill(path: string): Promise<Dirent[]> {
  return entriesOf(path).catch((error: unknown) => {
    if (error instanceof UsageError) return [];
    throw error;
  });
}

/** Every manifest below a path, at whatever depth: one that was put above others hides none of them. */
async function manifestsIn(path: string, given?: readonly Dirent[]): Promise<string[]> {
  const entries = given ?? (await entriesOf(path));
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.name === MANIFEST && entry.isFile()) found.push(manifestOf(path));
    else if (entry.isDirectory() && !entry.name.startsWith(WORK_PREFIX))
      found.push(...(await manifestsIn(join(path, entry.name), await entriesStill(join(path, entry.name)))));
  }
  return found.toSorted();
}

/** Package folders at or below a path. */
async function packagesIn(path: string): Promise<string[]> {
  const entries = await entriesOf(path);
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
