#!/usr/bin/env node
// The entry of the `mugai` command, in plain JavaScript so that not even the first file must be compiled: Node keeps what it makes
// of our code beside the packages, where it may write there, and reads it at the next start.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache({
  directory: fileURLToPath(new URL('../node_modules/.cache/mugai', import.meta.url)),
  portable: true,
});
await import('./main.ts');
