// Message ids: sortable by arrival, unguessable, safe as file name, queue job id and SMTP queue id.
import { createHash, randomBytes } from 'node:crypto';

/** A message id: 26 characters of Crockford base32 in lower case (48-bit milliseconds, 80 random bits). */
export type MessageId = string & { readonly __brand: 'MessageId' };

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PATTERN = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Makes a new id for a message that arrives at `now` (milliseconds since the epoch). */
export function newMessageId(now: number = Date.now()): MessageId {
  let id = '';
  for (let rest = now, i = 0; i < 10; i++) {
    id = ALPHABET.charAt(rest % 32) + id;
    rest = Math.floor(rest / 32);
  }
  const random = randomBytes(16);
  for (const byte of random) id += ALPHABET.charAt(byte & 31);
  return id as MessageId;
}

/** An id that follows from a time and words: made twice it is the same. */
export function derivedMessageId(time: number, words: string): MessageId {
  const start = newMessageId(time).slice(0, 10);
  const digest = createHash('sha256').update(words).digest().subarray(0, 16);
  return [start, ...Array.from(digest, (byte) => ALPHABET.charAt(byte & 31))].join('') as MessageId;
}

/** The text as an id, or undefined when it is none. */
export function parseMessageId(text: string): MessageId | undefined {
  return PATTERN.test(text) ? (text as MessageId) : undefined;
}

/** Arrival time of the message, milliseconds since the epoch. */
export function timeOf(id: MessageId): number {
  let time = 0;
  for (let at = 0; at < 10; at++) time = time * 32 + ALPHABET.indexOf(id.charAt(at));
  return time;
}

/** The shard of a message: the folder of the hour it arrived in. */
export function shardOf(id: MessageId): string {
  return shardAt(timeOf(id));
}

/** Folder key of a message: `<UTC day>-<hour>/<id>`, so that a day's scan reads few, short listings. */
export function folderOf(id: MessageId): string {
  return `${shardOf(id)}/${id}`;
}

const HOUR = 3_600_000;
let lastShard = { hour: Number.NaN, name: '' };

/** The shard (first folder of the key) of messages that arrive at `time`: `20261122-14`, UTC. */
export function shardAt(time: number): string {
  const hour = Math.floor(time / HOUR);
  if (lastShard.hour !== hour) {
    const iso = new Date(hour * HOUR).toISOString();
    lastShard = { hour, name: `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 10)}-${iso.slice(11, 13)}` };
  }
  return lastShard.name;
}

/** The start of a shard's hour, milliseconds since the epoch; NaN for what is no shard. */
export function timeOfShard(shard: string): number {
  const [, day, hour] = /^(\d{8})-(\d{2})$/.exec(shard) ?? [];
  if (day === undefined) return Number.NaN;
  return Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${hour}:00:00.000Z`);
}
