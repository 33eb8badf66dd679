// The form of an upload: its fields, and its files put aside as they come. Whatever breaks it, nothing of it stays.
import type { FastifyRequest } from 'fastify';
import { MugaiError } from '../message/errors.ts';
import type { Spool, Staged } from '../spool/spool.ts';
import { MESSAGE_BYTES } from './intake.ts';
import { BadRequest } from './upload-fault.ts';
import { SAID } from './upload-words.ts';

/** A file of a form, put aside. */
export interface Upload {
  readonly name: string;
  readonly staged: Staged;
}

/** A whole form. Disposing of it discards what was not taken over by then. */
export interface UploadForm extends AsyncDisposable {
  readonly to: readonly string[];
  readonly from: string;
  readonly uploads: readonly Upload[];
}

/** Hears of the bytes of files as they come; may throw. */
type Counts = (bytes: number) => void;

/** Reads a form to its end. 400 where it breaks off or is no form, `too-large`, or what the disk says. */
export async function readForm(request: FastifyRequest, spool: Spool, counts: Counts): Promise<UploadForm> {
  const to: string[] = [];
  let from = '';
  const uploads: Upload[] = [];
  const discard = async (): Promise<void> => {
    for (const { staged } of uploads) await staged.discard();
  };
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file')
        uploads.push({ name: part.filename ?? '', staged: await stageFile(part.file, spool, counts) });
      else if (part.fieldname === 'to') to.push(String(part.value));
      else if (part.fieldname === 'from') from = String(part.value);
    }
  } catch (error) {
    await discard();
    throw isOurs(error) ? error : brokenOff(error);
  }
  return { to, from, uploads, [Symbol.asyncDispose]: discard };
}

async function stageFile(
  file: AsyncIterable<Buffer> & { readonly truncated: boolean },
  spool: Spool,
  counts: Counts,
): Promise<Staged> {
  const writer = spool.begin(MESSAGE_BYTES);
  try {
    for await (const chunk of file) {
      counts(chunk.length);
      const waiting = writer.write(chunk);
      if (waiting !== undefined) await waiting;
    }
    if (file.truncated) throw new MugaiError('too-large', `more than ${MESSAGE_BYTES} bytes`, { permanent: true });
    return writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** True for what the disk, our limits or Fastify's said; anything else is the reader of the form, and the form's fault. */
function isOurs(error: unknown): boolean {
  return error instanceof MugaiError || (error instanceof Error && 'statusCode' in error);
}

function brokenOff(cause: unknown): BadRequest {
  return new BadRequest(400, 'bad-input', SAID.brokeOff, { cause });
}
