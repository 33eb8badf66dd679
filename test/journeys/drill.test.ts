// What an operator practises: a backup of a gateway at work and its restore. (An upgrade with a full queue: upgrade.test.ts.)
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { House } from '../faults/house.ts';
import { numberOf, sendAll } from '../faults/traffic.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';

const BACKUP = fileURLToPath(new URL('../../docs/ops/backup.sh', import.meta.url));
const RESTORE = fileURLToPath(new URL('../../docs/ops/restore.sh', import.meta.url));

describe('drills', () => {
  it('a backup taken under load restores to a gateway that delivers every mail accepted before it, by the same keys', async () => {
    await using house = await House.open();
    await house.start('all');
    house.server.refuse.data = () => 451; // the queue is full when the backup is taken
    const before = await sendAll({ port: () => house.port, mails: 20, lanes: 4 });
    let over = false;
    const load = sendAll({
      port: () => house.port,
      mails: 0,
      lanes: 2,
      body: (n) => `Subject: mail ${n + 1000}\r\n\r\nmore\r\n`,
      enough: () => over,
    });
    const copy = join(house.folder.path, 'backup');
    await promisify(execFile)('sh', [BACKUP, house.dataDir('all'), copy]).finally(() => (over = true));
    await load;
    await house.kill('all'); // the machine is gone
    house.server.refuse = {};
    const data = join(house.folder.path, 'restored');
    await promisify(execFile)('sh', [RESTORE, copy, data]);
    const restored = await startGatewayProcess(gatewayEnv(data, { MUGAI_INNER_SMTP_URL: house.server.url }));
    house.running.set('all', restored);
    await house.settle(before, 60_000);
    const arrived = new Set(house.server.taken.map(numberOf));
    assert.deepEqual(
      [...before].filter((number) => !arrived.has(number)),
      [],
    );
    const ids = house.server.taken.map(({ messageId }) => messageId);
    assert.equal(new Set(ids).size, ids.length, 'none came twice');
    await house.kill('all');
    const audit = await runMugai(['audit', 'verify'], { MUGAI_DATA_DIR: data });
    assert.equal(audit.code, 0, audit.stdout + audit.stderr);
  });
});
