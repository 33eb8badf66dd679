// Fills a spool with accepted mails, as the doors leave it, without going through them.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { newMessageId } from '../../src/message/id.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { numberedMail } from './load.ts';

const BATCH = 200;

/** Makes `count` mails wait under the data folder. */
export async function fillSpool(dataDir: string, count: number, rest: Buffer): Promise<void> {
  const spool = new Spool(await openFsStore(join(dataDir, 'spool')));
  for (let done = 0; done < count; done += BATCH) {
    const now = Date.now();
    await spool.accept(
      ...Array.from({ length: Math.min(BATCH, count - done) }, () => {
        const { mail } = numberedMail(rest);
        const writer = spool.begin(mail.length);
        void writer.write(mail);
        const raw = writer.finish();
        const sha256 = createHash('sha256').update(mail).digest('hex');
        return {
          raw,
          facts: {
            stage: 'spooled' as const,
            id: newMessageId(now),
            source: { kind: 'mail' as const, name: '', size: mail.length, sha256 },
            envelope: { from: 'sender@example.com', to: ['staff@city.example.lg.jp'] },
            peer: 'bench',
            receivedAt: new Date(now).toISOString(),
          },
        };
      }),
    );
  }
}
