// The system's LibreOffice inside the jail: started before a document comes, spoken to through a second call of the same
// program, which hands its arguments to the first one and waits for the end.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import { CSV_OPTIONS, sheetName, type OfficeEngine } from './engine.ts';
import { fontConfig, fontFiles } from './fonts.ts';
import { registry } from './profile.ts';
import type { OfficeType } from './sniff.ts';

const PROGRAM = '/usr/bin/soffice';
const WORK = '/tmp/w';
const ENVIRONMENT = {
  HOME: WORK,
  TMPDIR: WORK,
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  SAL_USE_VCLPLUGIN: 'svp',
  // The loader finds libraries beside a program through /proc/self/exe, which is not there.
  LD_LIBRARY_PATH: '/usr/lib/libreoffice/program',
  FONTCONFIG_FILE: `${WORK}/fonts.conf`,
};
const ARGUMENTS = [
  `-env:UserInstallation=file://${WORK}/profile`,
  '--headless',
  '--norestore',
  '--nologo',
  '--nolockcheck',
  '--nodefault',
];
/** Where the running instance listens for the next call. */
const PIPE = /^OSL_PIPE_/;
const START_MS = LIMITS.startMs;

const PDF_OPTIONS = JSON.stringify({
  ExportBookmarks: { type: 'boolean', value: 'false' },
  ExportFormFields: { type: 'boolean', value: 'false' },
  ExportLinksRelativeFsys: { type: 'boolean', value: 'false' },
});

/** Version of the installed engine, as it says itself. */
export async function nativeVersion(): Promise<string> {
  const child = spawn(PROGRAM, ['--version'], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  await once(child, 'close');
  return said.trim().split(/\s+/).slice(0, 2).join(' ');
}

/** Starts the engine and waits until it takes calls. */
export async function startNative(): Promise<OfficeEngine> {
  mkdirSync(`${WORK}/profile/user`, { recursive: true });
  mkdirSync(`${WORK}/cache`);
  writeFileSync(`${WORK}/profile/user/registrymodifications.xcu`, registry());
  const folders = [...new Set(fontFiles().map((file) => dirname(file)))];
  writeFileSync(`${WORK}/fonts.conf`, fontConfig(folders, '/etc/fonts/fonts.conf', `${WORK}/cache`));
  const first = spawn(PROGRAM, ARGUMENTS, { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'], cwd: WORK });
  await listening(first);
  return {
    convert: async (bytes, from, to) => {
      const target = to === 'pdf' ? `pdf:${from.kind}_pdf_Export:${PDF_OPTIONS}` : to;
      const made = (await call(bytes, from, target)).find(({ name }) => name === `in.${to}`);
      if (made === undefined) throw new Refusal('damaged', `not loaded as ${from.filter}`);
      return made.content;
    },
    values: async (bytes, from) => {
      const made = await call(bytes, from, `csv:Text - txt - csv (StarCalc):${CSV_OPTIONS}`);
      if (made.length === 0) throw new Refusal('damaged', `not loaded as ${from.filter}`);
      return made.map(({ name, content }) => ({ name: sheetName(name), csv: content }));
    },
  };
}

async function listening(first: ChildProcess): Promise<void> {
  const end = Date.now() + START_MS;
  let ended = false;
  first.once('exit', () => (ended = true));
  while (!readdirSync('/tmp').some((name) => PIPE.test(name)) && !readdirSync(WORK).some((name) => PIPE.test(name))) {
    if (ended || Date.now() > end) throw new Error('soffice does not start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let calls = 0;

/** Has the running instance save a document; what it made, in the order of time. It ends with 0 even when nothing was loaded. */
async function call(
  bytes: Uint8Array,
  from: OfficeType,
  target: string,
): Promise<{ readonly name: string; readonly content: Buffer }[]> {
  calls += 1;
  const place = `${WORK}/${calls}`;
  mkdirSync(`${place}/out`, { recursive: true });
  const source = `${place}/in.${from.extension}`;
  writeFileSync(source, bytes);
  const args = [...ARGUMENTS, `--infilter=${from.filter}`, '--convert-to', target, '--outdir', `${place}/out`, source];
  const child = spawn(PROGRAM, args, { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'ignore'], cwd: WORK });
  await once(child, 'exit');
  const made = readdirSync(`${place}/out`)
    .map((name) => ({ name, at: statSync(`${place}/out/${name}`).mtimeMs }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => ({ name, content: readFileSync(`${place}/out/${name}`) }));
  rmSync(place, { recursive: true, force: true });
  return made;
}
