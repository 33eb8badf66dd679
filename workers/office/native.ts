// The system's LibreOffice inside the jail: started before a document comes, with a letter of ours open, spoken to through a second
// call of the same program, which hands its arguments to the first one and waits for the end.
//
// The letter has it load what most documents need, and keeps it: an instance with nothing open ends after its first call, and a
// sheet that needs two calls would start it anew in between.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import type { OfficeEngine } from './engine.ts';
import { fontConfig, fontFiles } from './fonts.ts';
import { registry } from './profile.ts';
import { rehearsalLetter } from './rehearsal.ts';
import { DOCX, type OfficeType } from './sniff.ts';

/** Starts the engine, and starts it again when it asks for that; hands over a call when it runs already. */
const PROGRAM = '/usr/lib/libreoffice/program/oosplash';
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
];
/** Where the running instance listens for the next call: by its user's number, where it knows the user's name. */
const PIPE = /^OSL_PIPE_(?:\d+_)?(?=SingleOfficeIPC_)/;
const START_MS = LIMITS.officeStartMs;
const LETTER = `${WORK}/letter.docx`;
/** What LibreOffice writes beside a document that it has open. */
const LOCK = `${WORK}/.~lock.letter.docx#`;
/** Milliseconds in which an instance with nothing open would have ended, and how often one is started. */
const ENDS_MS = 30;
const TRIES = 3;

const PDF_OPTIONS = JSON.stringify({
  ExportBookmarks: { type: 'boolean', value: 'false' },
  ExportFormFields: { type: 'boolean', value: 'false' },
  ExportLinksRelativeFsys: { type: 'boolean', value: 'false' },
});

/** The engine, and its version as it names itself in the PDFs that it makes. */
export interface NativeEngine extends OfficeEngine {
  readonly version: string;
}

/** Starts the engine and waits until it has drawn its letter. */
export async function startNative(): Promise<NativeEngine> {
  mkdirSync(`${WORK}/profile/user`, { recursive: true });
  mkdirSync(`${WORK}/cache`);
  writeFileSync(`${WORK}/profile/user/registrymodifications.xcu`, registry());
  const folders = [...new Set(fontFiles().map((file) => dirname(file)))];
  writeFileSync(`${WORK}/fonts.conf`, fontConfig(folders, '/etc/fonts/fonts.conf', `${WORK}/cache`));
  const version = producerOf(await rehearse());
  return {
    version,
    convert: async (bytes, from, to) => {
      const target = to === 'pdf' ? pdfTarget(from) : to;
      const made = (await call(bytes, from, target)).find(({ name }) => name === `in.${to}`);
      if (made === undefined) throw new Refusal('damaged', `not loaded as ${from.filter}`);
      return made.content;
    },
  };
}

/** Has an instance open the letter and draw it; gives its PDF. One that ended after that would leave each call to an engine of its own: once more. */
async function rehearse(): Promise<Buffer> {
  const letter = rehearsalLetter();
  writeFileSync(LETTER, letter);
  for (let tries = 1; ; tries++) {
    const first = spawn(PROGRAM, [...ARGUMENTS, LETTER], { env: ENVIRONMENT, stdio: 'ignore', cwd: WORK });
    let ended = false;
    first.once('exit', () => (ended = true));
    await listening(() => ended);
    const [made] = await call(letter, DOCX, pdfTarget(DOCX));
    if (made === undefined) throw new Error('soffice draws nothing');
    await sleep(ENDS_MS);
    if (!ended) return made.content;
    if (tries === TRIES) throw new Error('soffice does not stay');
  }
}

/**
 * Waits until the instance has the letter open and listens. The caller looks for a pipe with its user's number in its name; the
 * instance, which finds no /etc/passwd here, makes one without. Under that name no call would find it.
 */
async function listening(ended: () => boolean): Promise<void> {
  const end = Date.now() + START_MS;
  for (;;) {
    const name = readdirSync('/tmp').find((one) => PIPE.test(one));
    if (name !== undefined && existsSync(LOCK)) {
      renameSync(`/tmp/${name}`, `/tmp/${name.replace(PIPE, `OSL_PIPE_${process.getuid?.() ?? 0}_`)}`);
      return;
    }
    if (ended() || Date.now() > end) throw new Error('soffice does not start');
    await sleep(20);
  }
}

/** `/Producer` of a PDF: UTF-16 in hexadecimal digits (ISO 32000-1, 14.3.3). */
function producerOf(pdf: Buffer): string {
  const hex = /\/Producer\s*<FEFF((?:[0-9A-F]{4}){1,60})>/i.exec(pdf.toString('latin1'))?.[1] ?? '';
  return Buffer.from(hex, 'hex').swap16().toString('utf16le') || 'LibreOffice';
}

function pdfTarget({ kind }: OfficeType): string {
  return `pdf:${kind}_pdf_Export:${PDF_OPTIONS}`;
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
