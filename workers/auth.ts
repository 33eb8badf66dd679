// Jailed child that checks where a mail says it comes from: SPF (RFC 7208), DKIM (RFC 6376), ARC (RFC 8617), DMARC (RFC 9989).
//
// It reads headers and hashes the body; which records of the DNS it needs it asks the host, who asks for them and hands the
// answers over unread. Results are told one by one; nothing else of the mail leaves this process.
//
// Input: three lines of the host (client's address or '', its HELO, the envelope's sender) as the first chunk, then the mail.
import { Readable } from 'node:stream';
import { arc } from 'mailauth/lib/arc/index.js';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js';
import { spf } from 'mailauth/lib/spf/index.js';
import { LIMITS } from '../src/message/limits.ts';
import { CHECK, RECORD } from '../src/sandbox/wire.ts';
import { isRecordName, recordsIn } from './dns-answer.ts';
import { serve, type Job, type Out } from './run.ts';

serve('mailauth 7.1.0', check);

/** Signatures that are told: one of each mailing list on the way, and those of the sender. */
const SIGNATURES = LIMITS.checksTold - 3;

async function check(job: Job, out: Out): Promise<void> {
  const chunks = job.input[Symbol.asyncIterator]();
  const first = await chunks.next();
  const [ip = '', helo = '', sender = ''] = first.done === true ? [] : first.value.toString('utf8').split('\n');
  const resolver = async (name: string, type: string): Promise<string[]> => {
    if (!isRecordName(type)) throw new TypeError(`no record type ${type}`);
    return recordsIn(await job.ask(RECORD[type], name), type, name);
  };
  const mail = Readable.from({ [Symbol.asyncIterator]: () => chunks });
  // RFC 8301 §3.1: a signature with SHA-1 says nothing any more.
  const dkim = await dkimVerify(mail, { resolver, sender, rejectRsaSha1: true });
  const mta = 'mugai.invalid'; // stands in explanations only, which nobody sees
  const client = ip === '' ? undefined : await spf({ sender, ip, helo, mta, resolver, maxElapsedTime: LIMITS.authMs });
  const chain = await arc(dkim.arc as Parameters<typeof arc>[0], { resolver });
  const signed = dkim.results ?? [];
  const passed = signed.filter(({ status }) => status.result === 'pass');
  const { response } = await evaluateDmarc({
    headerFrom: dkim.headerFrom,
    fromFields: (dkim as { fromFields?: unknown }).fromFields,
    spfDomains: client?.status.result === 'pass' ? [client.domain] : [],
    dkimDomains: passed.map(({ id, signingDomain, status }) => ({
      id,
      domain: signingDomain,
      aligned: status.aligned,
      underSized: (status as { underSized?: unknown }).underSized,
    })),
    arcResult: chain,
    resolver,
  } as Parameters<typeof evaluateDmarc>[0]);
  if (client !== undefined) out.checked(CHECK.spf, client.status.result, client.domain ?? '');
  tellSignatures(signed, out);
  if (chain.status.result !== 'none')
    out.checked(CHECK.arc, chain.status.result, chain.signature ? (chain.signature.signingDomain ?? '') : '');
  tellDmarc(response, client !== undefined, out);
}

type Signatures = NonNullable<Awaited<ReturnType<typeof dkimVerify>>['results']>;

/** The good ones first. A body that is not what was signed is a failure in plain words (RFC 6376 §6.1.3). */
function tellSignatures(signed: Signatures, out: Out): void {
  const told = signed.map(({ signingDomain, status: { result, comment } }) => ({
    domain: signingDomain ?? '',
    result: result === 'neutral' && comment === 'body hash did not verify' ? 'fail' : result,
  }));
  const inOrder = told.toSorted((a, b) => Number(b.result === 'pass') - Number(a.result === 'pass'));
  if (inOrder.length === 0) out.checked(CHECK.dkim, 'none', '');
  for (const { result, domain } of inOrder.slice(0, SIGNATURES)) out.checked(CHECK.dkim, result, domain);
}

/** Without the client's address (a relay of our own brought the mail) half of what DMARC asks for is not known. */
function tellDmarc(
  response: Awaited<ReturnType<typeof evaluateDmarc>>['response'],
  hasClient: boolean,
  out: Out,
): void {
  if (response === false || response === undefined) return out.checked(CHECK.dmarc, 'permerror', '');
  const { result, header } = response.status;
  out.checked(CHECK.dmarc, result === 'fail' && !hasClient ? 'neutral' : result, header?.from ?? '');
}
