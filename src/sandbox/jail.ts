// The command line that jails a child. Node's permission model denies network, files, processes, threads, addons; the
// environment is empty; the process leads its own session.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CODE_ROOT, type Family } from './families.ts';

/** A command line and what holds the child that it starts. */
export interface JailCommand {
  readonly command: string;
  readonly args: readonly string[];
}

// A child reads its own code and the packages it parses with; no configuration, no store, no key, no sample.
const READABLE = [
  'workers',
  'src/sandbox/wire.ts',
  'src/sandbox/exit-codes.ts',
  'src/message/limits.ts',
  'package.json',
  'node_modules',
];

/** How to start a child of the family. */
export function jailCommand(family: Family): JailCommand {
  const args = ['--permission', '--no-warnings', '--disable-proto=delete', `--max-old-space-size=${family.heapMiB}`];
  for (const path of READABLE) {
    const full = join(CODE_ROOT, path);
    if (existsSync(full)) args.push(`--allow-fs-read=${full}`);
  }
  if (family.native) args.push('--allow-addons');
  return { command: process.execPath, args: [...args, family.entry] };
}
