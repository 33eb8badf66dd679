// Roles on machines of their own: nothing between them but an S3 service and, for the doors and workers, Redis.
import assert from 'node:assert/strict';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gatewayEnv, startGatewayProcess, type RunningGateway } from '../support/gateway-process.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { startRedis } from '../support/redis.ts';
import { scratch, until } from '../support/scratch.ts';
import { startSwift } from '../support/swift.ts';
import { mixed, numberOf, sendAll, sendOne } from '../faults/traffic.ts';

describe('with MUGAI_STORE_URL', () => {
  it('four machines carry mail by S3 alone; the service away and back, and a worker killed, lose nothing', async () => {
    await using folder = await scratch();
    await using server = await startInnerServer();
    await using swift = await startSwift();
    await using redis = await startRedis();
    const url = await swift.place('town');
    const keys = join(folder.path, 'keys');
    const at = (machine: string, more: Record<string, string> = {}): Record<string, string> =>
      gatewayEnv(join(folder.path, machine), { MUGAI_STORE_URL: url, MUGAI_RETRY_SECONDS: '1', ...more });
    const queue = { MUGAI_QUEUE_URL: redis.url };
    const first = await startGatewayProcess(at('worker-1', queue), 'worker'); // makes the keys
    await cp(join(folder.path, 'worker-1', 'keys'), keys, { recursive: true });
    for (const machine of ['worker-2', 'inner']) await mkdir(join(folder.path, machine), { recursive: true });
    await cp(keys, join(folder.path, 'worker-2', 'keys'), { recursive: true });
    await mkdir(join(folder.path, 'inner', 'keys'));
    for (const key of ['verify-key.pem', 'sealing-key.pem'])
      await cp(join(keys, key), join(folder.path, 'inner', 'keys', key));
    const second = await startGatewayProcess(at('worker-2', queue), 'worker');
    const ingress = await startGatewayProcess(at('ingress', queue), 'ingress');
    const inner = await startGatewayProcess(at('inner', { MUGAI_INNER_SMTP_URL: server.url }), 'inner');

    const accepted = await sendAll({ port: () => ingress.smtpPort, mails: 5, lanes: 2, body: mixed });
    await until(() => server.taken.length === 5, 300_000, 'the first five');
    swift.pause(true);
    const turnedAway = !(await sendOne(ingress.smtpPort, mixed(999)));
    swift.pause(false);
    assert.ok(turnedAway, 'no 250 while nothing can be kept');
    await first.end('SIGKILL');
    for (const number of await sendAll({
      port: () => ingress.smtpPort,
      mails: 5,
      lanes: 2,
      body: (one) => mixed(one + 103),
    }))
      accepted.add(number + 103);
    const arrived = (): Set<number> => new Set(server.taken.map(numberOf));
    await until(() => [...accepted].every((number) => arrived().has(number)), 300_000, 'all that was accepted');
    await sleep(1000);
    const ids = server.taken.map(({ messageId }) => messageId);
    assert.equal(new Set(ids).size, ids.length, 'none came twice');
    // What lies on the machines themselves is neither a message nor a package.
    for (const machine of ['ingress', 'worker-2', 'inner'])
      for (const store of ['spool', 'outbox'])
        for (const name of await readdir(join(folder.path, machine, store), { recursive: true }).catch(() => []))
          assert.match(name, /^(tmp|\.lock|\.under-way)$/, `${machine}/${store}/${name}`);
    const running: RunningGateway[] = [ingress, second, inner];
    for (const gateway of running) assert.equal(await gateway.end('SIGTERM'), 0);
  });
});
