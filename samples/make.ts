// Makes the samples that are our own works (Apache-2.0), the same bytes at every run: `node samples/make.ts`.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archives } from './make/archives.ts';
import { hostileMails } from './make/hostile-mails.ts';
import { documents } from './make/documents.ts';
import { mails } from './make/mails.ts';
import { pictures } from './make/pictures.ts';
import { texts } from './make/texts.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Every generated sample: path below `samples/`, bytes. */
export async function generatedSamples(): Promise<ReadonlyMap<string, Buffer>> {
  const drawn = await pictures();
  return new Map([...mails(), ...hostileMails(), ...documents(), ...drawn, ...texts(), ...archives()]);
}

async function write(): Promise<void> {
  for (const [path, bytes] of await generatedSamples()) {
    const file = join(HERE, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    process.stdout.write(`${path} ${bytes.length}\n`);
  }
}

if (import.meta.main) await write();
