// Sanitised → Sealed: digests, manifest, signature, package in the outbox. The only room that sees the private key.
import { createHash, type KeyObject } from 'node:crypto';
import type { Act, Audit, Position } from '../message/act.ts';
import type { MessageId } from '../message/id.ts';
import type { State } from '../message/part.ts';
import type { Sanitised, SanitisedRecord, Sealed } from '../message/stages.ts';
import { MugaiError } from '../message/errors.ts';
import { forLine } from '../message/untrusted.ts';
import type { Entry, Spool, Staged } from '../spool/spool.ts';
import { sealBoard, type Board } from '../outbox/board.ts';
import type { Status } from '../message/status.ts';
import { sealPage, type PageSeal } from '../outbox/live.ts';
import { sealReleaseEnd, type EndedRelease } from '../outbox/release-ends.ts';
import { signStatus } from '../outbox/status.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { MANIFEST, PREDICATE_TYPE, STATEMENT_TYPE, keyId, signStatement, type Statement } from '../outbox/manifest.ts';

interface StagedEntry {
  readonly name: string;
  readonly content: Staged;
}

/** Signs with the one private key there is. */
export class Signer {
  #key: KeyObject;
  #keyId: string;
  constructor(key: KeyObject) {
    this.#key = key;
    this.#keyId = keyId(key);
  }
  get keyId(): string {
    return this.#keyId;
  }
  /** Signs with another key from now on. */
  use(key: KeyObject): void {
    this.#key = key;
    this.#keyId = keyId(key);
  }
  signPage(page: PageSeal): Buffer {
    return sealPage(page, this.#key, this.keyId);
  }
  signBoard(board: Board): Buffer {
    return sealBoard(board, this.#key, this.keyId);
  }
  signStatus(status: Status): Buffer {
    return signStatus(status, this.#key, this.#keyId);
  }
  signReleaseEnd(ended: EndedRelease): Buffer {
    return sealReleaseEnd(ended, this.#key, this.#keyId);
  }
  sign(statement: Statement): Buffer {
    return signStatement(statement, this.#key, this.keyId);
  }
}

export interface SealDeps {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
  /** The middle zone's journal: the package is told there before the inner side can see it. */
  readonly audit: Audit;
}

const ACT_OF: { readonly [state in State]: Act } = { sanitised: 'converted', held: 'held', refused: 'refused' };

/**
 * Seals a message. The digests are of the bytes read here, and must be those the sanitise step recorded; a package that
 * is in the outbox already is left as it is. Durable when it resolves: the package, then the record.
 */
export async function seal(sanitised: Sanitised, deps: SealDeps, signal: AbortSignal): Promise<Sealed> {
  const { record, id } = sanitised;
  let sealed = await deps.outbox.find(id);
  if (sealed === undefined) {
    const staged: StagedEntry[] = [];
    try {
      for (const output of record.outputs) {
        const { stream } = await deps.spool.output(sanitised, output.name);
        const content = await deps.outbox.stage(stream, signal);
        staged.push({ name: output.name, content });
        if (content.sha256 !== output.sha256) {
          throw new MugaiError('bad-record', `output ${output.name} of ${id} changed at rest`, { permanent: true });
        }
      }
      const { position } = deps.audit.enter({ act: ACT_OF[record.state], message: id, detail: factsOf(record) });
      const entries = packageOf(id, record, staged, deps.signer, position);
      const manifest = digestOf((entries.at(-1) as Entry).content);
      const detail = { manifest, key: deps.signer.keyId, files: entries.length - 1 };
      await deps.audit.append({ act: 'sealed', message: id, detail });
      sealed = await deps.outbox.add(id, entries);
      if (record.live !== undefined) await deps.outbox.live(id).drop(); // the package has their place now
    } finally {
      for (const { content } of staged) await content.discard();
    }
  }
  await deps.spool.recordSealed(sanitised);
  return sealed;
}

function factsOf(record: SanitisedRecord): { readonly [name: string]: string | number } {
  const { policy, parts, outputs, reason } = record;
  const facts = { policy: `${policy.name} ${policy.version}`, parts: parts.length, files: outputs.length };
  return reason === null ? facts : { ...facts, reason };
}

/** The objects of a package: `message.txt` (mails), the outputs, and the signed manifest as the last. */
export function packageOf(
  id: MessageId,
  record: SanitisedRecord,
  outputs: readonly Entry[],
  signer: Signer,
  position?: Position,
): Entry[] {
  const files: Entry[] =
    record.text === null ? [] : [{ name: 'message.txt', content: Buffer.from(record.text, 'utf8') }];
  files.push(...outputs);
  const subject = files.map(({ name, content }) => ({ name, digest: { sha256: digestOf(content) } }));
  return [...files, { name: MANIFEST, content: signer.sign(statementOf(id, record, subject, position)) }];
}

function digestOf(content: Entry['content']): string {
  return 'sha256' in content ? content.sha256 : createHash('sha256').update(content).digest('hex');
}

function statementOf(
  id: MessageId,
  record: SanitisedRecord,
  subject: Statement['subject'],
  position: Position | undefined,
): Statement {
  const { state, reason, source, receivedAt, sanitisedAt, envelope, headers } = record;
  const { autoSubmitted, policy, engine, parts, revises, answers, live } = record;
  const chain = [...(record.chain ?? []), ...(position === undefined ? [] : [position])];
  return asLines({
    _type: STATEMENT_TYPE,
    subject,
    predicateType: PREDICATE_TYPE,
    predicate: {
      id,
      state,
      reason,
      source,
      receivedAt,
      sanitisedAt,
      envelope,
      headers,
      autoSubmitted,
      policy,
      engine,
      parts,
      ...(revises === undefined ? {} : { revises }),
      ...(answers === undefined ? {} : { answers }),
      ...(live === undefined ? {} : { live }),
      ...(chain.length === 0 ? {} : { chain }),
    },
  });
}

const PLAIN = /^[\x20-\x7e]*$/;

/**
 * The same with every string a line of clean text, which is all the gate takes: a detail that was cut inside a character, the
 * name of a policy, a sender's address in the envelope (RFC 6531 lets much stand there).
 */
function asLines<T>(value: T): T {
  if (typeof value === 'string') return (PLAIN.test(value) ? value : forLine(value, Infinity)) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => asLines(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asLines(one as unknown)])) as T;
}
