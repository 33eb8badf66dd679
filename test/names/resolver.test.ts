// The memory of the resolver: how many answers, and for how long, with a DNS server of ours that counts what it is asked.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { resolverOf, type Lookup } from '../../src/names/resolver.ts';
import { RECORD } from '../../src/sandbox/wire.ts';
import { startNameServer, type NameServer } from '../support/name-server.ts';

const records = { 'TXT known.example': ['v=spf1 -all'] };
/** Questions under way at once. */
const TOGETHER = 50;

async function ask(lookup: Lookup, names: readonly string[]): Promise<void> {
  for (let at = 0; at < names.length; at += TOGETHER)
    await Promise.all(
      names.slice(at, at + TOGETHER).map(async (name) => assert.ok((await lookup(RECORD.TXT, name)) !== undefined)),
    );
}

/** How many of these questions reach the server. */
async function asked(server: NameServer, lookup: Lookup, names: readonly string[]): Promise<number> {
  const before = server.asked.length;
  await ask(lookup, names);
  return server.asked.length - before;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}.example`);

describe('the resolver', () => {
  it('limit dnsAnswers: as many answers are remembered; one more, and far more, cost the oldest, and a question is answered', async () => {
    const { dnsAnswers } = LIMITS;
    await using server = await startNameServer({ records });
    const over = async (count: number): Promise<Lookup> => {
      const lookup = resolverOf([{ host: '127.0.0.1', port: server.port }], 5000, () => 0);
      await ask(lookup, names(count));
      return lookup;
    };
    const full = await over(dnsAnswers);
    assert.equal(await asked(server, full, names(dnsAnswers)), 0, 'at the limit nothing is forgotten');
    assert.equal(await asked(server, full, ['known.example']), 1);
    assert.equal(await asked(server, full, ['n1.example']), 0);
    assert.equal(await asked(server, full, ['n0.example']), 1, 'the oldest was forgotten');

    const far = await over(2 * dnsAnswers);
    assert.equal(await asked(server, far, names(2 * dnsAnswers).slice(dnsAnswers)), 0);
    assert.equal(await asked(server, far, ['known.example', 'n0.example', `n${dnsAnswers - 1}.example`]), 3);
  });

  it('limit dnsKeepNoneMs: that there is no name is remembered for a minute, what there is for longer', async () => {
    await using server = await startNameServer({ records });
    let now = 1_000_000;
    const lookup = resolverOf([{ host: '127.0.0.1', port: server.port }], 5000, () => now);
    const both = ['none.example', 'known.example'];
    assert.equal(await asked(server, lookup, both), 2);
    now += LIMITS.dnsKeepNoneMs - 1;
    assert.equal(await asked(server, lookup, both), 0, 'within the minute');
    now += 1;
    assert.deepEqual(
      [await asked(server, lookup, ['none.example']), await asked(server, lookup, ['known.example'])],
      [1, 0],
    );
    now += LIMITS.dnsKeepMs - LIMITS.dnsKeepNoneMs;
    assert.equal(await asked(server, lookup, ['known.example']), 1);
    now += 30 * 24 * 3_600_000;
    assert.equal(await asked(server, lookup, both), 2, 'a month later');
  });
});
