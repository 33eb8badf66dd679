// A folder that is there as a whole or not at all, as one S3 object: small files inside it, larger ones beside, named by it.
// S3 has no act over several objects; one conditional put is what makes the folder appear.
import { Type, type Static } from 'typebox';
import { LIMITS } from '../message/limits.ts';
import { recordCodec } from './records.ts';

/** Small files of a folder that are kept inside its object, bytes in all; what is more lies beside. */
export const INSIDE_BYTES = 16 * LIMITS.inlineBytes;
/** Bytes of a folder's object at most: base64 of that, and the names. */
export const WHOLE_BYTES = 4 * INSIDE_BYTES;
/** `kind` of such an object. */
export const WHOLE = 'whole';
/** Folder of the larger files, and of the notes about commits under way. Names with a dot are no shards. */
export const PARTS = '.parts';
export const COMMITS = '.commits';

const Name = Type.String({ minLength: 1, maxLength: 500 });
const Size = Type.Integer({ minimum: 0 });

const WholeSchema = Type.Object(
  {
    /** Folder under `.parts/` that holds the larger files. */
    parts: Type.String({ pattern: '^[0-9a-f]{24}$' }),
    files: Type.Array(
      Type.Union([
        Type.Object({ name: Name, size: Size, base64: Type.String() }, { additionalProperties: false }),
        Type.Object({ name: Name, size: Size, part: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }),
      ]),
      { maxItems: 10_000 },
    ),
  },
  { additionalProperties: false },
);
export type Whole = Static<typeof WholeSchema>;
export type WholeFile = Whole['files'][number];

export const wholeCodec = recordCodec('folder', WholeSchema);

const CommitSchema = Type.Object(
  {
    folder: Name,
    parts: Type.String({ pattern: '^[0-9a-f]{24}$' }),
    /** Milliseconds since the epoch. */
    at: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);

/** What is noted before larger files are put: a process that dies leaves them, and a later one finds them by the note. */
export const commitCodec = recordCodec('commit', CommitSchema);

export function partKey(parts: string, part: number): string {
  return `${PARTS}/${parts}/${part}`;
}

/** Names directly under `inner` ('' for the folder itself) of a whole folder. */
export function namesUnder({ files }: Whole, inner: string): string[] {
  const prefix = inner === '' ? '' : `${inner}/`;
  const names = files
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length).split('/')[0] as string);
  return [...new Set(names)];
}
