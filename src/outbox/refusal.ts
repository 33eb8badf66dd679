// The rules of the gate, by name. A package is refused by one of them, at a byte of a file; docs/grammar.md lists them.
import { MugaiError } from '../message/errors.ts';

/** The signed manifest of a package. */
export const MANIFEST = 'manifest.dsse.json';

/** Every rule that can refuse a package. Names are labels of `mugai_gate_refusals_total` and never change their meaning. */
export const RULES = [
  'manifest-missing',
  'manifest-envelope',
  'manifest-signature',
  'manifest-schema',
  'manifest-canonical',
  'manifest-files',
  'manifest-id',
  'file-unlisted',
  'file-missing',
  'file-too-large',
  'file-digest',
  'page-chain',
  'pdf-header',
  'pdf-object',
  'pdf-image',
  'pdf-image-size',
  'pdf-image-data',
  'pdf-contents',
  'pdf-text',
  'pdf-page',
  'pdf-font',
  'pdf-map',
  'pdf-pages',
  'pdf-catalog',
  'pdf-xref',
  'pdf-trailer',
  'pdf-end',
  'jpeg-start',
  'jpeg-marker',
  'jpeg-frame',
  'jpeg-size',
  'jpeg-table',
  'jpeg-scan',
  'jpeg-end',
  'png-signature',
  'png-chunk',
  'png-header',
  'png-size',
  'png-crc',
  'png-data',
  'png-end',
  'text-utf8',
  'text-character',
] as const;
export type Rule = (typeof RULES)[number];

/** A package, or a file of it, that the gate does not pass. `offset` counts from the first byte of `file`. */
export class GateRefusal extends MugaiError {
  readonly rule: Rule;
  readonly offset: number | undefined;
  readonly file: string;
  readonly detail: string;

  constructor(rule: Rule, detail: string, where: { readonly file?: string; readonly offset?: number } = {}) {
    const { file = '', offset } = where;
    const place = [...(file === '' ? [] : [file]), ...(offset === undefined ? [] : [`byte ${offset}`])].join(' ');
    super('bad-package', `${rule}: ${place === '' ? '' : `${place}: `}${detail}`, { permanent: true });
    this.rule = rule;
    this.offset = offset;
    this.file = file;
    this.detail = detail;
  }

  /** The same refusal with the name of its file. */
  in(file: string): GateRefusal {
    return new GateRefusal(this.rule, this.detail, {
      file,
      ...(this.offset === undefined ? {} : { offset: this.offset }),
    });
  }
}

/** Refuses at a byte. */
export function refuse(rule: Rule, offset: number, detail: string): never {
  throw new GateRefusal(rule, detail, { offset });
}

/** Refuses the manifest as a whole. */
export function refuseManifest(rule: Rule, detail: string): never {
  throw new GateRefusal(rule, detail, { file: MANIFEST });
}
