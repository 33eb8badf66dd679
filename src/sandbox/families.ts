// The families of jailed children: which entry file, which flags, how much memory, and whether a child may be used again.
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../message/limits.ts';

export type FamilyName = 'mail' | 'text' | 'pdf' | 'image';

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
  },
  text: {
    name: 'text',
    entry: entry('text'),
    native: false,
    inputsPerChild: LIMITS.messagesPerChild,
    rssLimit: LIMITS.textRss,
    heapMiB: 512,
  },
  // WebAssembly: a fresh instance per document inside the child; the compiled module and its fast tier are kept.
  pdf: { name: 'pdf', entry: entry('pdf'), native: false, inputsPerChild: 100, rssLimit: LIMITS.pdfRss, heapMiB: 256 },
  image: {
    name: 'image',
    entry: entry('image'),
    native: true,
    inputsPerChild: 1,
    rssLimit: LIMITS.imageRss,
    heapMiB: 256,
  },
};

/** Root of our own code: all a child may read. */
export const CODE_ROOT = fileURLToPath(new URL('../../', import.meta.url));
