// What operators learn of the sanitise step: parts counted once, and the cause of what could not be converted.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import type { Envelope } from '../../src/message/stages.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { sanitise, type SanitiseDeps } from '../../src/sanitise/sanitise.ts';
import { withoutCitations, type Failure } from '../../src/sanitise/tools.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { scratch } from '../support/scratch.ts';

const ENVELOPE: Envelope = { from: 'a@example.com', to: ['b@city.example.lg.jp'] };
const SECRET = 'himitsu-no-kotoba';
const MAIL = [
  'From: a@example.com',
  'Content-Type: multipart/mixed; boundary=B',
  '',
  '--B',
  'Content-Type: text/plain',
  '',
  'the body',
  '--B',
  'Content-Type: text/plain; name=a.txt',
  'Content-Disposition: attachment; filename=a.txt',
  '',
  'an attachment',
  '--B',
  'Content-Type: application/pdf; name=broken.pdf',
  'Content-Disposition: attachment; filename=broken.pdf',
  '',
  `%PDF-1.7 ${SECRET}`,
  '--B--',
].join('\r\n');

describe('the cause of a failure in the log', () => {
  it('is one short line without what a parser cites of its input', () => {
    for (const [said, logged] of [
      [
        'exit failed SyntaxError: Unexpected token "the text" in\nJSON',
        'exit failed SyntaxError: Unexpected token … in JSON',
      ],
      ["no such entry 'a/b.txt' or `c` or “d” or 「e」", 'no such entry … or … or … or …'],
      ['ended by SIGXCPU', 'ended by SIGXCPU'],
    ] as const)
      assert.equal(withoutCitations(said), logged);
    assert.equal(withoutCitations('x'.repeat(5000)).length, 200);
  });
});

describe('sanitise', () => {
  it('counts each part once, the body too, however often it was tried; tells why a part was not converted', async () => {
    await using folder = await scratch();
    let full = true;
    const store = await openFsStore(folder.path, (act) => {
      if (full && act === 'rename') throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    });
    const spool = new Spool(store);
    const pools = await openPools(1, () => undefined, (await machineJail()).walls);
    await using closing = { [Symbol.asyncDispose]: async () => pools.close() };
    assert.ok(closing);
    const metrics = openMetrics(false);
    const failures: Failure[] = [];
    const deps: SanitiseDeps = {
      spool,
      metrics,
      pools: pools.pools,
      policy: builtInPolicy(),
      passwords: [],
      begin: (cap) => store.begin(cap),
      version: 'test',
      onFailure: (failure) => void failures.push(failure),
    };
    const { signal } = new AbortController();
    const raw = await stage(store, Readable.from([Buffer.from(MAIL)]), LIMITS.messageBytes, signal);
    const id = newMessageId();
    const { size, sha256 } = raw;
    const source = { kind: 'mail', name: '', size, sha256 } as const;
    const facts = {
      stage: 'spooled',
      id,
      source,
      envelope: ENVELOPE,
      peer: '',
      receivedAt: new Date().toISOString(),
    } as const;
    full = false;
    const [spooled] = await spool.accept({ raw, facts });
    assert.ok(spooled !== undefined);
    full = true;
    await assert.rejects(sanitise(spooled, deps, signal), { code: 'disk-full' });
    full = false;
    await sanitise(spooled, deps, signal);
    await sanitise(spooled, deps, signal); // its record is there
    const counted = (await metrics.parts.get()).values.map(({ labels, value }) => [
      labels.worker,
      labels.verdict,
      value,
    ]);
    assert.deepEqual(counted, [
      ['text', 'text', 2],
      ['pdf', 'refused', 1],
    ]);
    assert.equal(failures.length, 2, 'one an attempt');
    const { part, worker, reason, detail } = failures[0] as Failure;
    assert.deepEqual([part, worker, reason], ['3', 'pdf', 'damaged']);
    assert.ok(detail.length > 0 && detail.length <= 200, detail);
    assert.ok(!JSON.stringify(failures).includes(SECRET));
  });
});
