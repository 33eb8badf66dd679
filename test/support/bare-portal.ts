// A portal by itself on a scratch folder: its clock is the test's, its messages are made by hand and really sealed.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { ActEntry } from '../../src/message/act.ts';
import { newMessageId, type MessageId, timeOf } from '../../src/message/id.ts';
import { forLine } from '../../src/message/untrusted.ts';
import type { PartRow } from '../../src/message/part.ts';
import { keyId, PREDICATE_TYPE, signStatement, STATEMENT_TYPE } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { openLog } from '../../src/ops/log.ts';
import { Accounts } from '../../src/portal/accounts.ts';
import { OnTheWay } from '../../src/portal/arriving.ts';
import { Database } from '../../src/portal/database.ts';
import type { Desk } from '../../src/portal/desk.ts';
import { MessageIndex } from '../../src/portal/message-index.ts';
import { Packages } from '../../src/portal/packages.ts';
import { hashPassword } from '../../src/portal/passwords.ts';
import { openPortal, type Portal } from '../../src/portal/server.ts';
import { RequestWriter } from '../../src/requests/requests.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { PASSWORD, signInAt } from './portal.ts';
import { scratch } from './scratch.ts';

export interface BarePortal {
  readonly url: string;
  readonly portal: Portal;
  readonly index: MessageIndex;
  readonly ids: readonly MessageId[];
  readonly db: Database;
  /** Folder of all of it. */
  readonly root: string;
  readonly outbox: Outbox;
  /** What the journal kept. */
  readonly journal: readonly ActEntry[];
  /** From now on the journal keeps nothing (a full disk), or again everything. */
  breakJournal(fault: Error | undefined): void;
  /** Whether originals can be scanned, as the portal knows it. */
  setScanner(there: boolean): void;
  /** Lets time pass for sessions and guesses. */
  pass(ms: number): void;
  signIn(page: Page): Promise<void>;
  close(): Promise<void>;
}

/**
 * Person `reader` may read a message for each of `words`: they are its subject, sender, file name and remark. `more`: what
 * else is in each, as far as it differs from its text.
 */
export async function barePortal(
  words: readonly string[],
  more: readonly (Partial<PartRow> & Pick<PartRow, 'path'>)[] = [],
  addMore?: (desk: Desk, db: Database) => void,
): Promise<BarePortal> {
  const folder = await scratch();
  const pair = generateKeyPairSync('ed25519');
  const id = keyId(pair.publicKey);
  const outbox = new Outbox(await openFsStore(join(folder.path, 'outbox')));
  const ids: MessageId[] = [];
  let at = Date.now() - words.length - 1;
  for (const word of words) {
    const message = newMessageId((at += 1));
    await outbox.add(
      message,
      entriesFor(message, word, (statement) => {
        const { predicate } = statement;
        const parts = [...predicate.parts, ...more.map((one) => ({ ...PART, ...one }))];
        return signStatement({ ...statement, predicate: { ...predicate, parts } }, pair.privateKey, id);
      }),
    );
    ids.push(message);
  }
  const bare = await openBarePortal(folder.path, pair.publicKey, words[0], addMore);
  return {
    ...bare,
    ids,
    close: async () => {
      await bare.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A portal on the packages that lie in `root`/outbox, signed by this key. */
export async function openBarePortal(
  root: string,
  key: KeyObject,
  display = 'reader',
  addMore?: (desk: Desk, db: Database) => void,
): Promise<Omit<BarePortal, 'ids'>> {
  const id = keyId(key);
  const outbox = new Outbox(await openFsStore(join(root, 'outbox')));
  const db = new Database(join(root, 'portal'));
  const keys = new Map([[id, key]]);
  const index = new MessageIndex(db, { outbox, keys, end: async () => undefined });
  await index.catchUp(new AbortController().signal);
  const accounts = new Accounts(db);
  accounts.add('reader', display, ['staff']);
  accounts.giveAddress('reader', 'staff@city.example.lg.jp', 'own', null, 'test');
  accounts.setPasswordHash('reader', await hashPassword(PASSWORD));
  let now = Date.now();
  const journal: ActEntry[] = [];
  let journalFault: Error | undefined;
  let canScan = true;
  const portal = await openPortal(
    { host: '127.0.0.1', port: 0 },
    {
      db,
      index,
      packages: new Packages(outbox, keys),
      onTheWay: new OnTheWay(outbox, keys, () => now),
      log: openLog('silent', 'test'),
      requests: new RequestWriter(await openFsStore(join(root, 'requests')), generateKeyPairSync('x25519').publicKey),
      originals: async () => ({ levels: [[]], waitMinutes: 0, validHours: 72, linkHours: 24 }),
      endOfRelease: async (message, request) => outbox.releases(message).of(request, keys),
      canScan: () => canScan,
      outerUrl: 'http://outer.example',
      portalUrl: 'http://127.0.0.1:0',
      audit: {
        enter: () => ({ position: '', durable: Promise.resolve() }),
        append: async (entry) => {
          if (journalFault !== undefined) throw journalFault;
          await setImmediate(); // a real one waits for the disk, and others go on meanwhile
          journal.push(entry);
          return '';
        },
      },
      keys,
      journals: () => [],
      onIndexFault: () => undefined,
      now: () => now,
    },
    (desk) => addMore?.(desk, db),
  );
  const url = `http://127.0.0.1:${portal.port}`;
  return {
    url,
    portal,
    index,
    db,
    root,
    outbox,
    journal,
    breakJournal: (fault) => (journalFault = fault),
    setScanner: (there) => (canScan = there),
    pass: (ms) => (now += ms),
    signIn: async (page) => signInAt(page, url, 'reader'),
    close: async () => {
      await portal.close(1000);
      db.close();
    },
  };
}

type Statement = Parameters<typeof signStatement>[0];

/** A further part; nothing of it lies in the package. */
export const PART: Omit<PartRow, 'path'> = {
  name: 'file.pdf',
  declaredType: 'application/pdf',
  detectedType: 'application/pdf',
  size: 1000,
  sha256: '0'.repeat(64),
  verdict: 'dropped',
  reason: null,
  outputs: [],
  pages: 0,
  findings: [],
  losses: [],
};

/** A sealed text mail whose every sender-made field says `word`. */
export function entriesFor(
  message: MessageId,
  word: string,
  sign: (statement: Statement) => Buffer,
  to = 'staff@city.example.lg.jp',
) {
  const line = forLine(word, 290); // as the middle seals it
  const text = Buffer.from(
    `${word.toWellFormed().replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\p{Cf}|[\u2028\u2029]/gu, '')}\n`,
  );
  const sha256 = createHash('sha256').update(text).digest('hex');
  const time = new Date(timeOf(message)).toISOString();
  const part = {
    path: '1',
    name: line,
    declaredType: forLine(word, 190),
    detectedType: 'text/plain',
    size: text.length,
    sha256,
    verdict: 'text' as const,
    reason: null,
    outputs: ['message.txt'],
    pages: 0,
    findings: [{ code: 'hidden-text', detail: line }],
    losses: [],
  };
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'message.txt', digest: { sha256 } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      id: message,
      state: 'sanitised',
      reason: null,
      source: { kind: 'mail', name: '', size: text.length, sha256 },
      receivedAt: time,
      sanitisedAt: time,
      envelope: { from: 'a@example.com', to: [to] },
      headers: { from: line, to: line, cc: line, subject: line, date: line, messageId: '' },
      autoSubmitted: '',
      policy: { name: 't', version: '1', sha256 },
      engine: { version: '1', workers: {} },
      parts: [part],
    },
  };
  return [
    { name: 'manifest.dsse.json', content: sign(statement) },
    { name: 'message.txt', content: text },
  ];
}
