#!/usr/bin/env node
// The entry of the `mugai` command, in plain JavaScript so that not even the first file must be compiled: Node keeps what it makes
// of our code beside the packages, where it may write there, and reads it at the next start.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NODE = 26; // package.json, engines
if (Number(process.versions.node.split('.')[0]) < NODE) {
  const how = 'the packages bring one, which "npx mugai" finds';
  process.stderr.write(`mugai: Node ${NODE} or newer is needed, and this is ${process.versions.node}; ${how}\n`);
  process.exitCode = 2;
} else {
  const directory = fileURLToPath(new URL('../node_modules/.cache/mugai', import.meta.url));
  module.enableCompileCache({ directory, portable: true });
  await import('./main.ts');
}
