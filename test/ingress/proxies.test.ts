// Who asks, where a reverse proxy stands before the HTTP door and the portal: whom it names when it is one of ours, else itself.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { portalUrl, Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';

const TO = Buffer.from('staff@city.example.lg.jp').toString('base64');

describe('behind a reverse proxy', { timeout: 580_000 }, () => {
  for (const [proxies, believed] of [
    ['', false],
    ['192.0.2.0/24', false],
    ['127.0.0.0/8', true],
  ] as const)
    it(`with ${proxies === '' ? 'none named' : proxies}, quotas and the journal go by ${believed ? 'whom it names' : 'who connects'}`, async () => {
      await using folder = await scratch();
      await using gateway = await startTestGateway(folder.path, { MUGAI_TRUSTED_PROXIES: proxies });
      const begin = async (from: string): Promise<number> => {
        const headers = { 'Upload-Length': '5', 'Upload-Metadata': `to ${TO}`, 'X-Forwarded-For': from };
        return (await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/uploads`, { method: 'POST', headers })).status;
      };
      for (let n = 0; n < 10; n++) assert.equal(await begin('198.51.100.7'), 201);
      assert.equal(await begin('198.51.100.7'), 429, 'ten are all that one may have');
      assert.equal(await begin('198.51.100.8'), believed ? 201 : 429);
      // What the client itself put in front of the proxy's word is no word.
      assert.equal(await begin('203.0.113.1, 198.51.100.7'), 429);

      const visitor = new Visitor(portalUrl(gateway));
      const csrf = await visitor.token('/sign-in');
      const cookie = [...visitor.cookies].map((pair) => pair.join('=')).join('; ');
      await fetch(`${visitor.url}/sign-in`, {
        method: 'POST',
        headers: { cookie, 'x-forwarded-for': '198.51.100.9' },
        body: new URLSearchParams({ csrf, name: 'nobody', password: 'wrong password' }),
      });
      const journal = join(folder.path, 'journal', 'inner');
      const names = (await readdir(journal)).filter((name) => name.endsWith('.jsonl'));
      const lines = (await Promise.all(names.map(async (name) => readFile(join(journal, name), 'utf8')))).join('');
      const [line = ''] = lines.split('\n').filter((one) => one.includes('sign-in-failed'));
      assert.ok(line.includes(believed ? '"198.51.100.9"' : '"127.0.0.1"'), line || names.join());
    });
});
