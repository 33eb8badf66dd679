// A message that is no MIME (Outlook's .msg, TNEF) told to the host as if it were one: headers, bodies, files.
import { LIMITS } from '../src/message/limits.ts';
import { HEADER_FIELD, PART_KIND } from '../src/sandbox/wire.ts';
import { hasBidi } from './header-words.ts';
import { textOfLeaf, type LeafText } from './leaf-text.ts';
import { rtfToText } from './rtf-text.ts';
import { Refusal, type Out } from './run.ts';

/** A form of the body. `charset` as mail labels it. */
export interface ToldBody {
  readonly type: 'text/plain' | 'text/html' | 'application/rtf';
  readonly bytes: Buffer;
  readonly charset: string;
}

/** A file in the message. */
export interface ToldFile {
  readonly name: string;
  readonly type: string;
  readonly contentId: string;
  readonly bytes: Uint8Array;
}

export interface ToldMail {
  readonly headers: Partial<Record<keyof typeof HEADER_FIELD, string>>;
  readonly bodies: readonly ToldBody[];
  readonly files: readonly ToldFile[];
}

/** Names as other readers of such messages give them. */
const BODY_NAME = { 'text/plain': '', 'text/html': 'body.html', 'application/rtf': 'body.rtf' } as const;

/** Tells all of it: `[]` is the message; its bodies come first, as alternatives where there are several. */
export function tellMail(mail: ToldMail, out: Out): void {
  if (mail.files.length + mail.bodies.length > LIMITS.parts) throw new Refusal('too-many-parts', 'message');
  for (const [field, value] of Object.entries(mail.headers)) {
    if (value !== undefined && value !== '') out.header(HEADER_FIELD[field as keyof typeof HEADER_FIELD], value);
  }
  multipart([], 'multipart/mixed', out);
  let next = 1;
  if (mail.bodies.length > 1) {
    multipart([1], 'multipart/alternative', out);
    for (const [index, body] of mail.bodies.entries()) tellBody([1, index + 1], body, out);
    next = 2;
  } else if (mail.bodies[0] !== undefined) {
    tellBody([1], mail.bodies[0], out);
    next = 2;
  }
  for (const file of mail.files) tellFile([next++], file, out);
}

function multipart(path: readonly number[], type: string, out: Out): void {
  out.part({ path, kind: PART_KIND.multipart, type, name: '', disposition: '', contentId: '' });
}

function tellBody(path: readonly number[], body: ToldBody, out: Out): void {
  out.part({ path, kind: PART_KIND.leaf, type: body.type, name: BODY_NAME[body.type], disposition: '', contentId: '' });
  if (body.bytes.length > 0) {
    out.bytes(body.bytes);
    const { text, findings, losses } = body.type === 'application/rtf' ? rtfBody(body.bytes) : textBody(body);
    for (const { code, detail } of findings) out.finding(code, detail);
    for (const { code, detail } of losses) out.loss(code, detail);
    if (text !== '') out.text(text);
  }
  out.partEnd();
}

function textBody(body: ToldBody): LeafText {
  const html = body.type === 'text/html';
  return textOfLeaf(body.bytes, { html, charset: body.charset, flowed: false, delSp: false, cut: false, rough: false });
}

function rtfBody(bytes: Buffer): LeafText {
  const { text, gaiji, undecodable } = rtfToText(bytes);
  const losses = [
    ...(undecodable > 0 ? [{ code: 'undecodable-bytes', detail: `${undecodable} (rtf)` }] : []),
    ...(gaiji > 0 ? [{ code: 'gaiji', detail: String(gaiji) }] : []),
  ];
  return { text, findings: [], losses };
}

/** A leaf that is a file, whole. */
export function tellFile(path: readonly number[], file: ToldFile, out: Out): void {
  const { name, type, contentId } = file;
  out.part({ path, kind: PART_KIND.leaf, type, name, disposition: 'attachment', contentId });
  if (hasBidi(name)) out.finding('bidi-name', name);
  if (file.bytes.length > 0) out.bytes(file.bytes);
  out.partEnd();
}
