// The families of jailed children: which entry file, which flags, how much memory, and whether a child may be used again.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Walls } from './jail.ts';
import { LIMITS, parseDeadlineMs } from '../message/limits.ts';

export type FamilyName =
  | 'mail'
  | 'auth'
  | 'text'
  | 'pdf'
  | 'image'
  | 'archive'
  | 'office'
  | 'office-wasm'
  | 'ocr'
  | 'codes';

/** What the host must know to start and bound a child of one kind. */
export interface Family {
  readonly name: FamilyName;
  readonly entry: string;
  /** Needs a native addon: V8's permission model cannot hold native code, so such a child is never used twice. */
  readonly native: boolean;
  /** Inputs a child takes before it is replaced. */
  readonly inputsPerChild: number;
  /** Resident bytes at which the child is killed. */
  readonly rssLimit: number;
  /** Megabytes of V8's old space, below the resident limit so that V8 collects before the host kills. */
  readonly heapMiB: number;
  /** Busy milliseconds after which a child is replaced, so that no honest input meets the CPU limit of its process. */
  readonly busyMs: number;
  /**
   * CPU seconds the kernel grants a child in its whole life, `RLIMIT_CPU`: the wall clock bounds each input, so this holds
   * a child only when the host that watches the clock is gone or blind.
   */
  readonly cpuSeconds: number;
  /** Flags of Node besides the common ones: what the engine needs of it. */
  readonly nodeFlags?: readonly string[];
  /** Descriptors, and threads and processes, where the common numbers are too few. */
  readonly files?: number;
  /** Bytes of writable memory, where V8 maps far more than it touches. */
  readonly dataBytes?: number;
  readonly threads?: number;
  /** Starts programs of the system, which only bubblewrap can hold: without it the family is not used. */
  readonly programs?: Programs;
  /** Milliseconds until it says that it is ready, where the common number is too small. */
  readonly startMs?: number;
  /** Files a child may read besides the common ones, relative to the root of our code. */
  readonly readable?: readonly string[];
}

/** What a child is given that starts programs of the system. */
export interface Programs {
  /** Bytes of its `/tmp`, in memory, and of the largest file there. */
  readonly scratchBytes: number;
  /** Folders of the system that it reads, where they exist. */
  readonly shown: readonly string[];
}

/** Bytes of writable memory the kernel grants a child, `RLIMIT_DATA`: between two looks at its resident memory. */
export function dataLimit(family: Family): number {
  return family.dataBytes ?? family.rssLimit * 2 + LIMITS.childStacks;
}

/** Bytes of memory the kernel grants all of a child's processes together, where it counts them: what it writes to `/tmp` among them. */
export function groupLimit(family: Family): number {
  return family.rssLimit + (family.programs?.scratchBytes ?? 0) + LIMITS.groupMore;
}

const LONGEST_INPUT_MS = Math.max(
  LIMITS.documentMs + LIMITS.pages * LIMITS.documentPageMs,
  parseDeadlineMs(LIMITS.messageBytes),
);
/** One thread works for us; V8's helpers compile and collect beside it. */
const THREADS_AT_WORK = 3;

/** Enough for every input of a child that is replaced after `busyMs` of work. */
function cpuFor(busyMs: number): number {
  return Math.ceil(((busyMs + LONGEST_INPUT_MS + LIMITS.startMs) / 1000) * THREADS_AT_WORK);
}

const entry = (name: string): string => fileURLToPath(new URL(`../../workers/${name}.ts`, import.meta.url));

export const FAMILIES: { readonly [name in FamilyName]: Family } = {
  mail: {
    name: 'mail',
    entry: entry('mail'),
    native: false,
    inputsPerChild: LIMITS.messagesPerChild,
    rssLimit: LIMITS.mailRss,
    heapMiB: 512,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  // It may have the DNS asked for names of its choice. So it sees one mail in its life, and nothing but what the sender of
  // that mail wrote: there is nothing that a spoilt child could tell anybody by its questions.
  auth: {
    name: 'auth',
    entry: entry('auth'),
    native: false,
    inputsPerChild: 1,
    rssLimit: LIMITS.authRss,
    heapMiB: 256,
    busyMs: 0,
    cpuSeconds: cpuFor(0),
  },
  text: {
    name: 'text',
    entry: entry('text'),
    native: false,
    inputsPerChild: LIMITS.messagesPerChild,
    rssLimit: LIMITS.textRss,
    heapMiB: 512,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  // WebAssembly: an engine that is made new, byte by byte, for each document; the compiled module and its fast tier are kept.
  pdf: {
    name: 'pdf',
    entry: entry('pdf'),
    native: false,
    inputsPerChild: LIMITS.documentsPerChild,
    rssLimit: LIMITS.pdfRss,
    heapMiB: 256,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  image: {
    name: 'image',
    entry: entry('image'),
    native: true,
    inputsPerChild: 1,
    rssLimit: LIMITS.imageRss,
    heapMiB: 256,
    busyMs: 0,
    cpuSeconds: cpuFor(0),
  },
  archive: {
    name: 'archive',
    entry: entry('archive'),
    native: false,
    inputsPerChild: LIMITS.documentsPerChild,
    rssLimit: LIMITS.archiveRss,
    heapMiB: 512,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  // WebAssembly: a fresh instance per page inside the child; the models are read once.
  ocr: {
    name: 'ocr',
    entry: entry('ocr'),
    native: false,
    inputsPerChild: LIMITS.documentsPerChild,
    rssLimit: LIMITS.ocrRss,
    heapMiB: 256,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  // WebAssembly: a fresh instance per page inside the child.
  codes: {
    name: 'codes',
    entry: entry('codes'),
    native: false,
    inputsPerChild: LIMITS.documentsPerChild,
    rssLimit: LIMITS.codesRss,
    heapMiB: 128,
    busyMs: LIMITS.childBusyMs,
    cpuSeconds: cpuFor(LIMITS.childBusyMs),
  },
  // The system's LibreOffice: one document, then SIGKILL. Its own profile, its own /tmp, no network.
  office: {
    name: 'office',
    entry: entry('office-native'),
    native: false,
    inputsPerChild: 1,
    rssLimit: LIMITS.officeRss,
    heapMiB: 512,
    busyMs: 0,
    cpuSeconds: Math.ceil(LIMITS.officeMs / 1000) * 2,
    nodeFlags: ['--allow-child-process', '--allow-fs-read=/tmp', '--allow-fs-write=/tmp'],
    files: 512,
    threads: 160,
    startMs: LIMITS.officeStartMs,
    programs: {
      scratchBytes: LIMITS.officeScratch,
      shown: ['/usr', '/etc/fonts', '/etc/libreoffice', '/var/cache/fontconfig'],
    },
  },
  // LibreOffice as WebAssembly, where the system has none. TurboFan's tier-up of a 147 MB module is wasted on one document.
  'office-wasm': {
    name: 'office-wasm',
    entry: entry('office-wasm'),
    native: false,
    inputsPerChild: 1,
    rssLimit: LIMITS.officeWasmRss,
    heapMiB: 512,
    busyMs: 0,
    cpuSeconds: Math.ceil(LIMITS.officeMs / 1000) * 4,
    nodeFlags: ['--liftoff-only', '--allow-worker'],
    files: 128,
    threads: 96,
    dataBytes: LIMITS.officeWasmData,
    startMs: LIMITS.officeStartMs,
  },
};

/** Root of our own code: all a child may read. */
export const CODE_ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The system's LibreOffice, where Debian and Ubuntu put it. */
const SOFFICE = '/usr/bin/soffice';

/** The office engine of this machine: the system's, where it is installed and can be held; otherwise WebAssembly. */
export function officeFamily(walls: Walls): Family {
  const native = walls.bubblewrap !== undefined && walls.filter !== undefined && existsSync(SOFFICE);
  return native ? FAMILIES.office : FAMILIES['office-wasm'];
}
