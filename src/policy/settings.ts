// What a policy says of whole messages, and its rules for some of them: one schema for both, with the words that editors show.
import { Type } from 'typebox';
import { LIMITS } from '../message/limits.ts';

const strict = { additionalProperties: false } as const;

/** One of these words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words, description: string) =>
  Type.Optional(
    Type.Unsafe<Words[number]>(
      Type.Union(
        words.map((word) => Type.Literal(word)),
        { description },
      ),
    ),
  );

/** A number that may be lower than its ceiling, never higher. */
export const lowered = (ceiling: number, description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: ceiling, description }));

export const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

/** Levels of approvers, by their names for the sign-in. */
export const levelsOf = (description: string) =>
  Type.Optional(
    Type.Array(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 100,
        description: 'names for the sign-in, any one of whom decides at this level; an empty list: the role approver',
      }),
      { minItems: 1, maxItems: 5, description },
    ),
  );

const LimitsSchema = Type.Object(
  {
    parts: lowered(LIMITS.parts, 'parts of a message, whatever is nested in it'),
    depth: lowered(LIMITS.depth, 'how deep parts are nested'),
    pages: lowered(LIMITS.pages, 'pages of a message, in all'),
    expandedBytes: lowered(LIMITS.expandedBytes, 'bytes that all archives of a message unpack to'),
    outputBytes: lowered(LIMITS.outputBytes, 'bytes of all that is made of a message'),
    pixels: lowered(LIMITS.pixels, 'pixels of all pages and pictures of a message'),
    seconds: lowered(LIMITS.messageSeconds, 'seconds that children work for a message'),
    dpi: lowered(300, 'dots per inch of pages; without: what suits each page'),
  },
  { ...strict, description: 'limits, lower than the ceilings of the gateway' },
);

/** Settings of a message that a file makes for all, and a rule for those it matches. */
export const SETTINGS = {
  language: oneOf(['ja', 'en'], 'language of the account of parts at the end of a text; ja without'),
  links: oneOf(
    ['plain', 'hxxp', 'removed'],
    'links in texts: as they are (plain, without), as hxxps://… that no program opens, or removed',
  ),
  delivery: oneOf(
    ['attach', 'link'],
    'whether attachments travel with the mail (attach, without) or stay in the portal (link)',
  ),
  attachBytes: lowered(
    LIMITS.attachBytes,
    'bytes of all attachments of a delivered mail; the rest is named in its text',
  ),
  textLayer: flag(
    'whether PDFs keep their text, invisible behind the pictures of their pages, for search and copy; true without',
  ),
  ocr: flag('whether the text of scanned pages is read from their pixels (some seconds of CPU a page); false without'),
  discImages: oneOf(
    ['refuse', 'open'],
    'images of discs (ISO 9660, Joliet, with UDF beside): refused (refuse, without), or opened as an archive (open)',
  ),
  codePages: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: LIMITS.pages,
      description: `pages of each document (a picture is one) that are searched for QR codes, so that what they say is told; ${LIMITS.codePagesUsual} without, 0: none`,
    }),
  ),
  keepDays: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 36_500,
      description: 'days that a message is kept: original, package and records; without: for ever',
    }),
  ),
  passwordPairing: flag(
    'whether passwords of a second mail by the same sender open what the first one locked; false without',
  ),
  limits: Type.Optional(LimitsSchema),
} as const;
