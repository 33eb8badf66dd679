// What the middle does with an approved request for an original: compares its digest, has it scanned, lets the outer door
// hand it out once. Nothing of it comes near the outbox.
import { parseMessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { Audit } from '../message/act.ts';
import type { ReleaseRecord } from '../message/stages.ts';
import type { OriginalRequest } from '../requests/request.ts';
import type { Spool } from '../spool/spool.ts';
import { scan } from './clamd.ts';
import type { Answer } from './requests.ts';

export interface OriginalDeps {
  readonly spool: Spool;
  readonly audit: Audit;
  /** Where clamd listens; undefined: nothing is released. */
  readonly clamd: string | undefined;
}

/** Answers requests for originals. A scanner that is away makes it wait; what it finds stays inside for good. */
export function answerOriginals({ spool, audit, clamd }: OriginalDeps): Answer<OriginalRequest> {
  return async (request, signal) => {
    const id = parseMessageId(request.id);
    if (id === undefined) throw new MugaiError('bad-input', 'no id', { permanent: true });
    if ((await spool.release(id, request.token)) !== undefined) return 'answered';
    const spooled = await spool.spooled(id);
    if (spooled === undefined) throw new MugaiError('not-found', `message ${id} is gone`, { permanent: true });
    const { source } = spooled.record;
    const record: ReleaseRecord = {
      id,
      request: request.request,
      state: 'refused',
      reason: '',
      token: request.token,
      sha256: source.sha256,
      name: source.kind === 'mail' ? `${id}.eml` : source.name,
      size: source.size,
      by: request.by,
      notBefore: request.notBefore,
      expires: request.expires,
    };
    const end = async (state: ReleaseRecord['state'], reason: string): Promise<'answered'> => {
      const detail = { reason, for: request.by, approvedBy: request.approvedBy, sha256: source.sha256 };
      await audit.append({ act: state === 'ready' ? 'approved' : 'refused', message: id, detail });
      await spool.recordRelease(id, { ...record, state, reason });
      return 'answered';
    };
    // What was approved is this digest, and nothing else.
    if (request.sha256 !== source.sha256) return end('refused', 'changed');
    if (Date.parse(request.expires) <= Date.now()) return end('refused', 'expired');
    if (clamd === undefined) return end('refused', 'no-scanner');
    let found: string | undefined;
    try {
      ({ found } = await scan(clamd, spool.rawContent(spooled).open(), signal));
    } catch (error) {
      if (error instanceof MugaiError && error.permanent) throw error;
      throw new MugaiError('store-failed', `original of ${id} not scanned: ${reasonOf(error)}`, { cause: error });
    }
    return found === undefined ? end('ready', '') : end('refused', `malware: ${found}`);
  };
}
