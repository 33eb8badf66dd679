// Sanitised → Sealed: digests, manifest, signature, package in the outbox. The only room that sees the private key.
import { createHash, type KeyObject } from 'node:crypto';
import type { MessageId } from '../message/id.ts';
import type { Sanitised, SanitisedRecord, Sealed } from '../message/stages.ts';
import { MugaiError } from '../message/errors.ts';
import type { Entry, Spool, Staged } from '../spool/spool.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { MANIFEST, PREDICATE_TYPE, STATEMENT_TYPE, keyId, signStatement, type Statement } from '../outbox/manifest.ts';

interface StagedEntry {
  readonly name: string;
  readonly content: Staged;
}

/** Signs with the one private key there is. */
export class Signer {
  readonly #key: KeyObject;
  readonly keyId: string;
  constructor(key: KeyObject) {
    this.#key = key;
    this.keyId = keyId(key);
  }
  sign(statement: Statement): Buffer {
    return signStatement(statement, this.#key, this.keyId);
  }
}

export interface SealDeps {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
}

/**
 * Seals a message. The digests are of the bytes read here, and must be those the sanitise step recorded; a package that
 * is in the outbox already is left as it is. Durable when it resolves: the package, then the record.
 */
export async function seal(sanitised: Sanitised, deps: SealDeps, signal: AbortSignal): Promise<Sealed> {
  const { record, id } = sanitised;
  let sealed = deps.outbox.find(id);
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
      sealed = await deps.outbox.add(id, packageOf(id, record, staged, deps.signer));
    } finally {
      for (const { content } of staged) await content.discard();
    }
  }
  await deps.spool.recordSealed(sanitised);
  return sealed;
}

/** The objects of a package: `message.txt` (mails), the outputs, and the signed manifest as the last. */
export function packageOf(id: MessageId, record: SanitisedRecord, outputs: readonly Entry[], signer: Signer): Entry[] {
  const files: Entry[] =
    record.text === null ? [] : [{ name: 'message.txt', content: Buffer.from(record.text, 'utf8') }];
  files.push(...outputs);
  const subject = files.map(({ name, content }) => ({ name, digest: { sha256: digestOf(content) } }));
  return [...files, { name: MANIFEST, content: signer.sign(statementOf(id, record, subject)) }];
}

function digestOf(content: Entry['content']): string {
  return 'sha256' in content ? content.sha256 : createHash('sha256').update(content).digest('hex');
}

function statementOf(id: MessageId, record: SanitisedRecord, subject: Statement['subject']): Statement {
  const {
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
    revises,
  } = record;
  return {
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
    },
  };
}
