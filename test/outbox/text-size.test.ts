// The gate and the text of a mail: one that is too large to be kept is refused. It must never become a mail without its text.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { newMessageId } from '../../src/message/id.ts';
import { GateRefusal } from '../../src/outbox/refusal.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { KEYS, PAIR, filesOf, recordOf } from '../support/packages.ts';

const never = new AbortController().signal;

async function textOf(bytes: number): Promise<number> {
  const id = newMessageId();
  const record = { ...recordOf(id, []), text: 'a'.repeat(bytes) };
  const entries = packageOf(id, record, [], new Signer(PAIR.privateKey));
  const files = new Map(entries.map(({ name, content }) => [name, Buffer.from(content as Uint8Array)]));
  const { files: verified } = await verifyPackage(filesOf(files), KEYS, 0, never);
  return verified.find(({ name }) => name === 'message.txt')?.bytes?.length ?? 0;
}

it('limit messageTextBytes: a text at the limit is kept, one above and far above are refused', async () => {
  assert.equal(await textOf(LIMITS.messageTextBytes), LIMITS.messageTextBytes);
  for (const bytes of [LIMITS.messageTextBytes + 1, 3 * LIMITS.messageTextBytes])
    await assert.rejects(
      textOf(bytes),
      (error) => error instanceof GateRefusal && error.rule === 'file-too-large' && error.file === 'message.txt',
    );
});
