// What one client may send in an hour at the HTTP door, however it says it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openHttpDoor } from '../../src/ingress/http-door.ts';
import { openLog } from '../../src/ops/log.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { DEAF_AUDIT, DOMAIN } from '../support/door.ts';
import { scratch } from '../support/scratch.ts';

it('the bytes of a body in chunks count for the hour of a client as announced ones do', async () => {
  await using folder = await scratch();
  let taken = 0;
  const door = await openHttpDoor(
    { host: '127.0.0.1', port: 0 },
    {
      spool: new Spool(await openFsStore(folder.path)),
      audit: DEAF_AUDIT,
      onSpooled: () => void (taken += 1),
      domains: new Set([DOMAIN]),
      log: openLog('silent', 'test'),
      metrics: openMetrics(false),
      apiKeys: undefined,
      clientBytes: 1_000_000,
    },
  );
  /** A form with two files of so many bytes, in chunks where it is not announced. */
  const send = async (bytes: number, announced: boolean): Promise<number> => {
    const form = new FormData();
    form.append('to', `staff@${DOMAIN}`);
    for (const name of ['a', 'b']) form.append('file', new Blob(['x'.repeat(bytes)]), name);
    const whole = new Response(form);
    const type = whole.headers.get('content-type') ?? '';
    const body = await whole.blob();
    const chunks = announced ? await body.arrayBuffer() : body.stream();
    const answer = await fetch(`http://127.0.0.1:${door.port}/v1/files`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: chunks,
      duplex: 'half',
    });
    return answer.status;
  };
  try {
    assert.equal(await send(100_000, false), 202, 'a small body in chunks is taken, whatever the most of a file is');
    assert.equal(await send(150_000, true), 202);
    assert.equal(await send(300_000, false), 429);
    assert.equal(taken, 4);
    assert.equal(await send(600_000, true), 429);
  } finally {
    await door.close(100);
  }
});
