// Retention: what is over its time goes, in each zone, after the journal tells of it; what is not made or not over stays.
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { entriesOf } from '../../src/audit/export.ts';
import { openJournal } from '../../src/audit/journal.ts';
import { verifyChains } from '../../src/audit/verify-chain.ts';
import { Ledger } from '../../src/deliver/ledger.ts';
import { parseMessageId, type MessageId } from '../../src/message/id.ts';
import { loadPublicKeys } from '../../src/outbox/keys.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { loadPolicy } from '../../src/policy/policy.ts';
import { Database } from '../../src/portal/database.ts';
import { MessageIndex } from '../../src/portal/message-index.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { expireInner, expireMiddle } from '../../src/zones/retention.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';

const DAY = 86_400_000;
const POLICY = `name: t
version: '1'
keepDays: 3
rules:
  - { name: tax, when: { to: [zei@city.example.lg.jp] }, set: { asset: { confidentiality: 3 } } }
  - { name: secret, when: { asset: { confidentiality: 3 } }, set: { keepDays: 100 } }
`;

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

describe('retention', { timeout: 580_000 }, () => {
  it('deletes originals, packages and records after the days of their own rule, tells the journals, and delivers nothing twice', async () => {
    await using root = await scratch();
    const at = (name: string): string => join(root.path, name);
    await writeFile(at('policy.yaml'), POLICY);
    const env = { MUGAI_POLICY_FILE: at('policy.yaml'), MUGAI_POLICY_PERSONS: '1' };
    {
      await using gateway = await startTestGateway(root.path, env);
      const png = await readFile(new URL('../../samples/mail/png-attachment.eml', import.meta.url), 'latin1');
      await sendMail(gateway.smtpPort ?? 0, Buffer.from(png.replace(/\r?\n/g, '\r\n'), 'latin1'));
      await sendMail(gateway.smtpPort ?? 0, plainMail('税の件'), 'zei@city.example.lg.jp');
      await until(
        async () => (await readdir(at('delivered'))).filter((name) => name.endsWith('.eml')).length === 2,
        60_000,
        'delivered',
      );
    }
    const spool = new Spool(await openFsStore(at('spool')));
    const outbox = new Outbox(await openFsStore(at('outbox')));
    const ledger = new Ledger(await openFsStore(at('inner')));
    const policy = await loadPolicy(at('policy.yaml'));
    const { signal } = new AbortController();
    const ids: { [to: string]: MessageId } = {};
    for await (const { id, envelope } of spool.sealedBefore(Date.now() + DAY)) ids[envelope?.to[0] ?? ''] = id;
    const [short, long] = [ids['staff@city.example.lg.jp'], ids['zei@city.example.lg.jp']];
    assert.ok(short !== undefined && long !== undefined);

    const middle = await openJournal({ root: at('journal'), zone: 'middle', keepDays: 999 });
    const inner = await openJournal({ root: at('journal'), zone: 'inner', keepDays: 999 });
    const db = new Database(at('portal'));
    const keys = await loadPublicKeys(at('keys/verify-key.pem'));
    const index = new MessageIndex(db, { outbox, keys, end: async (id) => (await ledger.end(id))?.record });
    await index.catchUp(signal);
    assert.equal(index.count(), 2);
    const sweep = async (days: number): Promise<number[]> => {
      const now = Date.now() + days * DAY;
      const gone = await expireMiddle({ spool, outbox, audit: middle, policy }, now, signal);
      const forget = (id: MessageId): void => index.forget(id);
      return [gone, await expireInner({ ledger, outbox, audit: inner, policy, forget }, now, signal)];
    };
    assert.deepEqual(await sweep(2), [0, 0]);
    // After three days the original goes; its package stays while an inner side that was down may still come for it.
    assert.deepEqual(await sweep(4), [1, 0]);
    assert.equal(await spool.spooled(short), undefined);
    assert.deepEqual(
      (await filesUnder(at('spool'))).filter((name) => name.startsWith(short)),
      [`${short}.03-sealed.json`],
    );
    assert.ok((await outbox.find(short)) !== undefined);
    assert.deepEqual(await sweep(5), [0, 0]);
    assert.deepEqual(await sweep(13), [1, 1]);
    assert.equal(await outbox.find(short), undefined);
    assert.equal(await ledger.end(short), undefined);
    assert.equal(index.count(), 1);
    for (const zone of ['spool', 'outbox', 'inner'])
      assert.ok(!(await filesUnder(at(zone))).some((name) => name.includes(short)), zone);
    assert.ok(
      (await spool.spooled(long)) !== undefined && (await outbox.find(long)) !== undefined,
      'its rule keeps it 100 days',
    );
    assert.deepEqual(await sweep(99), [0, 0]);
    await middle.close();
    await inner.close();
    db.close();

    const expired: string[] = [];
    for (const zone of ['middle', 'inner'])
      for await (const { message, detail } of entriesOf(at(`journal/${zone}`), { act: 'expired' })) {
        assert.equal(parseMessageId(message ?? ''), short);
        expired.push(
          `${zone} ${String(detail?.['what'])} ${String(detail?.['keepDays'])} ${String(detail?.['asset'])}`,
        );
      }
    assert.deepEqual(expired, ['middle original 3 -', 'middle package 3 -', 'inner delivery record 3 -']);
    const reports = await verifyChains(['outer', 'middle', 'inner'].map((zone) => at(`journal/${zone}`)));
    assert.deepEqual(
      reports.map(({ broken }) => broken),
      [undefined, undefined, undefined],
    );

    {
      await using gateway = await startTestGateway(root.path, env);
      await sendMail(gateway.smtpPort ?? 0, plainMail('後の件'), 'zei@city.example.lg.jp');
      await until(
        async () => (await filesUnder(at('inner'))).filter((name) => name.endsWith('.json')).length === 2,
        60_000,
        'delivered',
      );
    }
    let delivered = 0;
    for await (const line of entriesOf(at('journal/inner'), { act: 'delivered' }))
      if (line.message !== undefined) delivered += 1;
    assert.equal(delivered, 3, 'what was delivered is not delivered once more');
  });

  it('never touches what is not made yet, and nothing at all where the policy says nothing', async () => {
    await using root = await scratch();
    const spool = new Spool(await openFsStore(join(root.path, 'spool')));
    const outbox = new Outbox(await openFsStore(join(root.path, 'outbox')));
    const journal = await openJournal({ root: join(root.path, 'journal'), zone: 'middle', keepDays: 9 });
    const { intake } = await import('../../src/ingress/intake.ts');
    const { untrusted } = await import('../../src/message/untrusted.ts');
    const writer = spool.begin(1000);
    await writer.write(Buffer.from('Subject: x\r\n\r\nx'));
    const arrival = {
      kind: 'mail' as const,
      name: untrusted(''),
      envelope: { from: '', to: ['a@b'] },
      peer: untrusted(''),
    };
    const { id } = await intake(arrival, writer.finish(), { spool, audit: journal, onSpooled: () => undefined });
    await writeFile(join(root.path, 'policy.yaml'), 'name: t\nversion: "1"\nkeepDays: 1\n');
    const policy = await loadPolicy(join(root.path, 'policy.yaml'));
    const { signal } = new AbortController();
    const later = Date.now() + 4000 * DAY;
    assert.equal(await expireMiddle({ spool, outbox, audit: journal, policy }, later, signal), 0);
    await assert.rejects(spool.forget(id), /is not sealed/);
    assert.ok((await spool.spooled(id)) !== undefined);
    await journal.close();
  });
});
