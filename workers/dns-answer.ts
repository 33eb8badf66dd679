// Reads an answer of the DNS (RFC 1035) as Node's `dns.resolve` would give it, for the library that checks senders.
import { decode, type Answer } from 'dns-packet';
import { RECORD } from '../src/sandbox/wire.ts';

export type RecordName = keyof typeof RECORD;

export function isRecordName(text: string): text is RecordName {
  return Object.hasOwn(RECORD, text);
}

/** The fault of a question, with Node's names for it: they decide between "there is none" and "nobody knows". */
function fault(code: 'ENOTFOUND' | 'ENODATA' | 'ETIMEOUT' | 'ESERVFAIL' | 'EBADRESP', name: string): Error {
  return Object.assign(new Error(`${code} ${name}`), { code });
}

/** Aliases that are followed: one answer of a resolver has them all. */
const ALIASES = 16;

/**
 * The records of `type` in the answer `packet` to a question for `name`, in the shape of `dns.promises.resolve`. Throws what
 * that throws: ENOTFOUND and ENODATA where the DNS says that there is none; ETIMEOUT where it said nothing (an empty packet).
 */
export function recordsIn(packet: Buffer, type: RecordName, name: string): string[] {
  if (packet.length === 0) throw fault('ETIMEOUT', name);
  const { answers, rcode } = read(packet, name);
  if (rcode === 'NXDOMAIN') throw fault('ENOTFOUND', name);
  if (rcode !== 'NOERROR') throw fault('ESERVFAIL', name);
  const owners = ownersOf(name, answers);
  const records = answers.filter((answer) => answer.type === type && owners.has(plain(answer.name))).map(dataOf);
  if (records.length === 0) throw fault('ENODATA', name);
  return records as string[]; // as the library declares all of them
}

function read(packet: Buffer, name: string): { readonly answers: readonly Answer[]; readonly rcode: string } {
  try {
    const message = decode(packet) as ReturnType<typeof decode> & { rcode: string };
    return { answers: message.answers ?? [], rcode: message.rcode };
  } catch {
    throw fault('EBADRESP', name);
  }
}

/** The name, and what it is an alias of. */
function ownersOf(name: string, answers: readonly Answer[]): Set<string> {
  const owners = new Set([plain(name)]);
  for (let round = 0; round < ALIASES; round++) {
    const before = owners.size;
    for (const answer of answers)
      if (answer.type === 'CNAME' && owners.has(plain(answer.name))) owners.add(plain(answer.data));
    if (owners.size === before) break;
  }
  return owners;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function dataOf(answer: Answer): unknown {
  if (answer.type === 'TXT')
    return [answer.data].flat().map((piece) => (typeof piece === 'string' ? piece : piece.toString('utf8')));
  if (answer.type === 'MX') return { exchange: answer.data.exchange, priority: answer.data.preference ?? 0 };
  return 'data' in answer ? answer.data : undefined;
}
