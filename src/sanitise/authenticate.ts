// What SPF, DKIM, ARC and DMARC say of a mail's sender: a child checks, the host asks the DNS for it. The results are words
// for the reader. Nothing is accepted for a good one nor refused for a bad one, and no answer is never a good one.
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS, parseDeadlineMs } from '../message/limits.ts';
import { plainAddress } from '../message/networks.ts';
import type { Remark } from '../message/part.ts';
import type { Envelope } from '../message/stages.ts';
import { forLine } from '../message/untrusted.ts';
import { AuthReader, type Checked } from '../sandbox/auth-reader.ts';
import type { JailedChild } from '../sandbox/child.ts';
import { OPERATION } from '../sandbox/wire.ts';
import type { Staged } from '../spool/spool.ts';
import type { Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** How senders are checked. */
export interface SenderChecks {
  /** Asks the DNS; the answer as it came, undefined when there was none. Never rejects. */
  readonly lookup: (type: number, name: string) => Promise<Uint8Array | undefined>;
  /** True for our own mail servers: what they bring comes from elsewhere, so that their address says nothing. */
  readonly isRelay: (address: string) => boolean;
}

/** Who brought a mail to the door. */
export interface Client {
  readonly address: string;
  readonly helo: string;
}

/** The client in a record's `peer`: its address and what it called itself. */
export function clientOf(peer: string): Client | undefined {
  const [address = '', ...helo] = peer.split(' ');
  const plain = plainAddress(address);
  return isIP(plain) === 0 ? undefined : { address: plain, helo: helo.join(' ') };
}

/** Remarks on the sender of a mail. Never rejects: what could not be checked is told as `temperror`. */
export async function authenticate(
  leaf: Leaf,
  { envelope, client }: { readonly envelope: Envelope; readonly client: Client | undefined },
  checks: SenderChecks,
  tools: Tools,
): Promise<Remark[]> {
  const known = client !== undefined && !checks.isRelay(client.address) ? client : { address: '', helo: '' };
  const preface = [known.address, known.helo, envelope.from].map((line) => `${forLine(line, 500)}\n`).join('');
  const results: Checked[] = [];
  let child: JailedChild | undefined;
  // When it is over, whatever is asked is told to have no answer: the child ends with what it knows.
  const over = sleep(LIMITS.dnsMs, undefined, { ref: false });
  const reader = new AuthReader({
    onQuestion: ({ number, type, name }) => {
      const asked = child;
      void Promise.race([checks.lookup(type, name), over]).then((answer) => asked?.answer(number, answer ?? NOTHING));
    },
    onChecked: (result) => void results.push(result),
  });
  const ms = LIMITS.authMs + parseDeadlineMs(leaf.content.size);
  const ask = {
    family: 'auth',
    operation: OPERATION.authenticate,
    deadlineMs: ms,
    totalMs: ms,
    whole: () => reader.finish(),
  } as const;
  const input = { ...leaf, content: prefaced(Buffer.from(preface, 'utf8'), leaf.content) };
  const outcome = await tools
    .run(input, ask, (taken) => {
      child = taken;
      results.length = 0; // of a child before, that was killed from outside
      return reader.take;
    })
    .catch(() => undefined); // whatever befell it: the mail itself goes its way, with "not checked"
  return outcome?.kind === 'done' ? remarksOn(results) : remarksOn(UNCHECKED);
}

const NOTHING = new Uint8Array();

const UNCHECKED: readonly Checked[] = (['spf', 'dkim', 'dmarc'] as const).map((method) => ({
  method,
  result: 'temperror',
  domain: '',
}));

/** `spf=pass (example.jp) dkim=none …`, in the words of RFC 8601, and a remark of its own where the sender seems forged. */
function remarksOn(results: readonly Checked[]): Remark[] {
  const told = results.map(({ method, result, domain }) => `${method}=${result}${domain === '' ? '' : ` (${domain})`}`);
  const remarks = [{ code: 'authentication', detail: told.join(' ').slice(0, 400) }];
  const failed = results.find(({ method, result }) => method === 'dmarc' && result === 'fail');
  if (failed !== undefined) remarks.unshift({ code: 'authentication-failed', detail: failed.domain });
  return remarks;
}

/** The mail with what the door knows of it in front. */
function prefaced(preface: Buffer, mail: Staged): Staged {
  return {
    ...mail,
    open: async function* () {
      yield preface;
      yield* mail.open();
    },
  };
}
