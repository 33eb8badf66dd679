// Numbered mails from lanes that keep sending until each was accepted, and the count of what arrived.
import { readFileSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import type { TakenMail } from '../support/inner-server.ts';

const SAMPLES = new URL('../../samples/file/', import.meta.url);
export const TO = 'staff@city.example.lg.jp';

/** Repeatable moments and choices: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const HEAD = (number: number): string =>
  `From: sender@example.com\r\nTo: ${TO}\r\nSubject: mail ${number}\r\nMIME-Version: 1.0\r\n`;

/** A mail of this number; with a file of `samples/file` when named. */
export function numbered(number: number, file?: string): string {
  if (file === undefined)
    return `${HEAD(number)}Content-Type: text/plain; charset=utf-8\r\n\r\nnumber <${number}> こんにちは\r\n`;
  return withFile(number, `f.${file.split('.').at(-1)}`, readFileSync(new URL(encodeURIComponent(file), SAMPLES)));
}

/** A mail of this number with this file. */
export function withFile(number: number, name: string, content: Buffer): string {
  const bytes = content.toString('base64').replace(/.{76}/g, '$&\r\n');
  return `${HEAD(number)}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nnumber <${number}>\r\n--b\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n${bytes}\r\n--b--\r\n`;
}

/** Most mails are text; every tenth has a PDF, every tenth a picture, some are too big to lie in a record. */
export function mixed(number: number): string {
  switch (number % 10) {
    case 3:
      return numbered(number, 'スキャン.pdf');
    case 7:
      return numbered(number, '案内図.png');
    case 9:
      return `${numbered(number)}${'長い本文です。'.repeat(10_000)}\r\n`;
    default:
      return numbered(number);
  }
}

export interface TrafficOptions {
  readonly port: () => number;
  readonly mails: number;
  readonly lanes: number;
  readonly body?: (number: number) => string;
  /** Keeps sending beyond `mails` until this says that it is enough. */
  readonly enough?: () => boolean;
  /** Milliseconds between two mails of a lane. */
  readonly pauseMs?: number;
}

/** Sends the mails; resolves to the numbers that were accepted (250). What was not is sent again. */
export async function sendAll(options: TrafficOptions): Promise<Set<number>> {
  const accepted = new Set<number>();
  const { mails, body = mixed, enough = () => true, pauseMs = 0 } = options;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < mails || !enough()) {
      const number = next++;
      for (let sent = false; !sent;) {
        sent = await sendOne(options.port(), body(number));
        if (sent) accepted.add(number);
        else await new Promise((resolve) => setTimeout(resolve, 100)); // the sender's to send again
      }
      const pause = number >= mails ? Math.max(50, pauseMs) : pauseMs;
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return accepted;
}

/** One try; false when the answer was not 250. */
export async function sendOne(port: number, raw: string): Promise<boolean> {
  const transport = createTransport({ host: '127.0.0.1', port, connectionTimeout: 5000, socketTimeout: 60_000 });
  try {
    await transport.sendMail({ envelope: { from: 'sender@example.com', to: TO }, raw });
    return true;
  } catch {
    return false;
  } finally {
    transport.close();
  }
}

/** What arrived, against what was accepted. */
export interface Tally {
  readonly accepted: number;
  readonly messages: number;
  readonly deliveries: number;
  /** Numbers that were accepted and never arrived. */
  readonly lost: readonly number[];
  /** Deliveries beyond the first of one Message-ID. */
  readonly doubled: number;
}

export function tally(accepted: ReadonlySet<number>, taken: readonly TakenMail[]): Tally {
  const arrived = new Set(taken.map(numberOf));
  const messages = new Set(taken.map((mail) => mail.messageId)).size;
  return {
    accepted: accepted.size,
    messages,
    deliveries: taken.length,
    lost: [...accepted].filter((number) => !arrived.has(number)),
    doubled: taken.length - messages,
  };
}

export function numberOf(mail: TakenMail): number {
  return numberIn(mail.raw);
}

/** The number of a mail as it arrived; -1 when it has none. */
export function numberIn(raw: string): number {
  return Number(/^Subject: mail (\d+)/m.exec(raw)?.[1] ?? -1);
}
