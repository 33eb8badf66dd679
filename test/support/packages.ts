// Sealed packages in memory, honest or sealed by somebody who holds the key and means ill.
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { newMessageId, timeOf, type MessageId } from '../../src/message/id.ts';
import type { SanitisedRecord } from '../../src/message/stages.ts';
import { MANIFEST, PAYLOAD_TYPE, keyId, preAuthentication } from '../../src/outbox/manifest.ts';
import type { PackageFiles } from '../../src/outbox/verify.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { inChunks } from './own-files.ts';

export const PAIR = generateKeyPairSync('ed25519');
export const KEYS: ReadonlyMap<string, KeyObject> = new Map([[keyId(PAIR.publicKey), PAIR.publicKey]]);
const ZERO = '0'.repeat(64);

export type Files = Map<string, Buffer>;

/** The record of a mail whose parts became these files. */
export function recordOf(id: string, names: readonly string[]): SanitisedRecord {
  const came = new Date(timeOf(id as MessageId)).toISOString();
  return {
    stage: 'sanitised',
    id,
    state: 'sanitised',
    reason: null,
    source: { kind: 'mail', name: '', size: 3, sha256: ZERO },
    envelope: { from: 'a@example.com', to: ['b@city.example.lg.jp'] },
    receivedAt: came,
    sanitisedAt: came,
    headers: { from: 'a@example.com', to: '', cc: '', subject: '件名', date: '', messageId: '' },
    autoSubmitted: '',
    policy: { name: 'built-in', version: '1', sha256: ZERO },
    engine: { version: '0', workers: {} },
    parts: names.map((name, nth) => ({
      path: String(nth + 1),
      name,
      declaredType: '',
      detectedType: '',
      size: 1,
      sha256: ZERO,
      verdict: 'text',
      reason: null,
      outputs: [name],
      pages: 0,
      findings: [],
      losses: [],
    })),
    text: 'Subject: 件名\n\n本文\n',
    outputs: [],
    outputFolder: '',
    ms: 1,
  };
}

/** A package as our sealing makes it: files by their path, the manifest among them. */
export function sealedPackage(files: ReadonlyMap<string, Buffer>, id = newMessageId()): Files {
  const outputs = [...files].map(([name, content]) => ({ name, content }));
  const record = recordOf(id, [...files.keys()]);
  const entries = packageOf(id, record, outputs, new Signer(PAIR.privateKey));
  return new Map(entries.map(({ name, content }) => [name, Buffer.from(content as Uint8Array)]));
}

/** The same package with some files changed and sealed again, by whoever has the key. */
export function resealed(files: Files, change: (files: Files) => void): Files {
  const outputs = new Map([...files].filter(([name]) => name.startsWith('files/')));
  change(outputs);
  return sealedPackage(outputs);
}

/** Changes the statement as JSON text and signs what comes out. */
export function resigned(files: Files, change: (statement: string) => string, key = PAIR.privateKey): Files {
  const envelope = JSON.parse((files.get(MANIFEST) as Buffer).toString('utf8')) as { payload: string };
  const payload = Buffer.from(change(Buffer.from(envelope.payload, 'base64').toString('utf8')), 'utf8');
  const signatures = [
    { keyid: keyId(PAIR.publicKey), sig: sign(null, preAuthentication(payload), key).toString('base64') },
  ];
  const manifest = JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: payload.toString('base64'), signatures });
  return new Map(files).set(MANIFEST, Buffer.from(`${manifest}\n`));
}

/** As `resigned`, with the statement as an object that is written again in the order it has. */
export function restated(files: Files, change: (statement: never) => void): Files {
  return resigned(files, (text) => {
    const statement = JSON.parse(text) as never;
    change(statement);
    return `${JSON.stringify(statement)}\n`;
  });
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The package as the gate reads it. */
export function filesOf(files: Files): PackageFiles {
  return {
    names: async () => [...files.keys()],
    get: async (name) => files.get(name),
    open: async (name) => {
      const bytes = files.get(name);
      return bytes === undefined ? undefined : inChunks(bytes, 4096);
    },
  };
}
