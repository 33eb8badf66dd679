// The output contract C1-C7 as a program: what no package, file or delivered mail may break, whatever was sent.
//   packageFaults(folder, originals)      a package as `mugai sanitise` writes it
//   fileFaults(name, bytes, original)     one output
//   mailFaults(eml, original), own-mail.ts  a mail as the inner server gets it
// Each answers with lines that begin with the broken contract; an empty list is a pass. `assertHarmless` throws instead.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { REASONS, STATES, VERDICTS, type PartRow } from '../../../src/message/part.ts';
import { NoOriginal } from './no-original.ts';
import { facesOf } from './originals.ts';
import { judgePdf } from './own-pdf.ts';
import { jpegFaults, pngFaults } from './own-picture.ts';
import { nameFaults, textFaults, utf8Faults } from './text-rules.ts';

const MANIFEST = 'manifest.dsse.json';

/** What outputs are compared with. Make it once for an original and use it for all of its outputs. */
export function originalOf(...originals: readonly Buffer[]): NoOriginal {
  return new NoOriginal(originals.flatMap((bytes) => facesOf(bytes)));
}

/** As `originalOf`, for what came by SMTP: a mail, whatever its first line is. */
export function originalMail(mail: Buffer): NoOriginal {
  return new NoOriginal(facesOf(mail, true));
}

/** C1, C2, C3 of one output file. */
export function fileFaults(name: string, bytes: Buffer, original: NoOriginal): string[] {
  switch (name.slice(name.lastIndexOf('.') + 1)) {
    case 'txt':
      return [...utf8Faults(bytes, name), ...original.inText(bytes, name)];
    case 'pdf': {
      const { faults, regions } = judgePdf(bytes, name);
      return [...faults, ...original.inRegions(regions, name)];
    }
    case 'png':
    case 'jpg': {
      const { faults, regions } = name.endsWith('png') ? pngFaults(bytes) : jpegFaults(bytes);
      return [...faults.map((fault) => `C2 ${name}: ${fault}`), ...original.inRegions(regions, name)];
    }
    default:
      return [`C2 ${name}: of a kind that no output has`];
  }
}

/** The predicate of a package's manifest, as far as the checker reads it. */
export interface Told {
  readonly state: string;
  readonly reason: string | null;
  readonly source: { readonly kind: string; readonly name: string };
  /** The form of one part that somebody asked for: it is shown and never mailed, so it has no text of a mail. */
  readonly answers?: string;
  readonly parts: readonly PartRow[];
}

/** A package folder read into memory. The signature is `mugai verify`'s to check. */
export interface PackageOnDisk {
  readonly told: Told;
  readonly subject: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, Buffer>;
}

export async function readPackage(folder: string): Promise<PackageOnDisk> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path), await readFile(path));
  }
  const manifest = files.get(MANIFEST);
  assert.ok(manifest !== undefined, `no manifest in ${folder}`);
  files.delete(MANIFEST);
  const { payload } = JSON.parse(manifest.toString('utf8')) as { payload: string };
  const statement = JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as {
    subject: { name: string; digest: { sha256: string } }[];
    predicate: Told;
  };
  return {
    told: statement.predicate,
    subject: new Map(statement.subject.map(({ name, digest }) => [name, digest.sha256])),
    files,
  };
}

/** C1-C3, C6, C7 of a package. */
export async function packageFaults(folder: string, ...originals: readonly Buffer[]): Promise<string[]> {
  return judgePackage(await readPackage(folder), originalOf(...originals));
}

/** As `packageFaults`, for a package that is in memory. */
export function judgePackage(pack: PackageOnDisk, original: NoOriginal): string[] {
  const faults: string[] = [];
  for (const [name, bytes] of pack.files) {
    faults.push(...nameFaults(name), ...fileFaults(name, bytes, original));
    if (pack.subject.get(name) !== createHash('sha256').update(bytes).digest('hex'))
      faults.push(`C6 ${name}: not what the manifest lists`);
  }
  for (const name of pack.subject.keys()) if (!pack.files.has(name)) faults.push(`C6 ${name}: listed and absent`);
  return [...faults, ...accountFaults(pack)];
}

/** C6: one end with its reason, every part with its row, every file in the row of one part, every string fit to be shown. */
function accountFaults({ told, files }: PackageOnDisk): string[] {
  const faults: string[] = [];
  const add = (bad: boolean, what: string): void => {
    if (bad) faults.push(`C6 ${what}`);
  };
  add(!STATES.some((state) => state === told.state), `state ${told.state}`);
  add((told.state === 'sanitised') !== (told.reason === null), `state ${told.state} with reason ${told.reason}`);
  add(told.reason !== null && !REASONS.some((reason) => reason === told.reason), `reason ${told.reason}`);
  add(told.source.kind === 'file' && told.parts.length === 0, 'a file without a row');
  add(
    told.source.kind === 'mail' && told.answers === undefined && !files.has('message.txt'),
    'a mail without its text',
  );
  const owners = new Map<string, number>();
  const paths = new Set<string>();
  for (const part of told.parts) {
    add(paths.has(part.path), `two rows for part ${part.path}`);
    paths.add(part.path);
    add(!VERDICTS.some((verdict) => verdict === part.verdict), `verdict ${part.verdict}`);
    const ends = part.verdict === 'held' || part.verdict === 'refused';
    add(ends && part.reason === null, `part ${part.path} is ${part.verdict} without a reason`);
    add(ends && part.outputs.length > 0, `part ${part.path} is ${part.verdict} and has outputs`);
    add(part.verdict === 'pages' && part.pages < 1, `part ${part.path} has no page`);
    for (const output of part.outputs) {
      add(!files.has(output), `part ${part.path} names ${output}, which is not there`);
      owners.set(output, (owners.get(output) ?? 0) + 1);
    }
  }
  for (const name of files.keys()) {
    const times = owners.get(name) ?? 0;
    // The text of a nested mail stands in the mail's own row and in those of the parts that make its body.
    const shared = name.endsWith('.txt') && times > 1;
    add(name !== 'message.txt' && times !== 1 && !shared, `${name} stands in ${times} rows`);
  }
  return [...faults, ...stringsOf(told).flatMap((text) => textFaults(text, 'manifest'))];
}

/** Every string of a value, however deep. */
function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => stringsOf(inner));
}

/** Fails with every fault when the package breaks the contract; otherwise gives it. */
export async function assertHarmless(folder: string, ...originals: readonly Buffer[]): Promise<PackageOnDisk> {
  const pack = await readPackage(folder);
  assert.deepEqual(judgePackage(pack, originalOf(...originals)), []);
  return pack;
}
