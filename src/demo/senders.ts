// Sends samples through the doors as outsiders do: SMTP on a socket, HTTP by multipart/form-data.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createTransport } from 'nodemailer';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { MugaiError } from '../message/errors.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { SAMPLES_DIR, type Sample } from './samples.ts';

/** Who the samples are from and for. */
export const SENDER = 'sender@example.com';
export const RECIPIENT = 'demo@city.example.lg.jp';

/** Ports of the doors on this machine. */
export interface Doors {
  readonly smtp: number;
  readonly upload: number;
}

const Accepted = Compile(Type.Object({ files: Type.Array(Type.Object({ id: Type.String() }), { minItems: 1 }) }));

/** Sends one sample; the id by which the gateway took it. Throws when the door did not take it. */
export async function send(sample: Sample, doors: Doors): Promise<MessageId> {
  const bytes = await readFile(join(SAMPLES_DIR, sample.file));
  return sample.kind === 'mail' ? sendMail(bytes, doors.smtp) : sendFile(basename(sample.file), bytes, doors.upload);
}

async function sendMail(raw: Buffer, port: number): Promise<MessageId> {
  const transport = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true, name: 'demo.example' });
  try {
    const info = await transport.sendMail({ envelope: { from: SENDER, to: [RECIPIENT] }, raw });
    return taken(/queued as (\w+)/.exec(info.response)?.[1], info.response);
  } finally {
    transport.close();
  }
}

async function sendFile(name: string, bytes: Buffer, port: number): Promise<MessageId> {
  const form = new FormData();
  form.append('from', SENDER);
  form.append('to', RECIPIENT);
  form.append('file', new Blob([new Uint8Array(bytes)]), name);
  const response = await fetch(`http://127.0.0.1:${port}/v1/files`, { method: 'POST', body: form });
  const answer: unknown = await response.json();
  const words = `${response.status} ${JSON.stringify(answer)}`;
  return taken(response.status === 202 && Accepted.Check(answer) ? answer.files[0]?.id : undefined, words);
}

function taken(id: string | undefined, answer: string): MessageId {
  const parsed = id === undefined ? undefined : parseMessageId(id);
  if (parsed === undefined) throw new MugaiError('bad-input', `the door did not take it: ${answer}`);
  return parsed;
}
