// A machine that is stuck, not dead: its worker keeps its connections and does nothing. Its jobs move to another one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatewayEnv, startGatewayProcess } from '../support/gateway-process.ts';
import { House } from '../faults/house.ts';
import { mixed, sendAll } from '../faults/traffic.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/scratch.ts';

describe('with Redis', { timeout: 900_000 }, () => {
  it('the jobs of a stopped worker move to another; when it wakes up again nothing comes twice or late', async () => {
    await using redis = await startRedis();
    await using house = await House.open({ MUGAI_QUEUE_URL: redis.url, MUGAI_WORKERS: '2' });
    const first = await house.start('worker');
    await house.start('ingress');
    await house.start('inner');
    const before = await sendAll({ port: () => house.port, mails: 4, lanes: 2, body: mixed });
    await house.settle(before, 60_000);
    // It stops while it has jobs in hand: mails with documents take some hundred milliseconds each.
    const sending = sendAll({ port: () => house.port, mails: 30, lanes: 6, body: (n) => mixed(n * 10 + 3) });
    const active = async (): Promise<string> => redis.tell('llen', 'mugai:sanitise:active');
    await until(async () => Number(await active()) > 0, 60_000, 'it has jobs in hand');
    first.process.kill('SIGSTOP');
    const accepted = await sending;
    assert.ok(Number(await active()) > 0, 'stopped in the midst of its work');
    const taken = house.server.taken.length;
    // Another machine joins; the name of its own keys' folder is the same, for they are the gateway's.
    const second = await startGatewayProcess(
      gatewayEnv(house.dataDir('worker'), { MUGAI_QUEUE_URL: redis.url, MUGAI_WORKERS: '2' }),
      'worker',
    );
    const wanted = new Set([...accepted].map((number) => number * 10 + 3));
    await house.settle(wanted, 120_000);
    assert.ok(house.server.taken.length > taken);
    first.process.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const { lost, doubled } = house.outcome('stuck', '', wanted, performance.now());
    assert.deepEqual([lost, doubled], [0, 0]);
    assert.equal(await second.end('SIGTERM'), 0);
  });
});
