// Forms with files: one that stalls is given up, and more than was agreed on is refused; nothing of it stays.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fastify from 'fastify';
import { addUploadRoute, openForm, putAside } from '../../src/portal/upload.ts';
import { scratch, until } from '../support/scratch.ts';

const LIMITS = { files: 2, fileBytes: 1000, idleMs: 1500 };

describe('a form with files', { timeout: 580_000 }, () => {
  it('is read in order, refused where it is too large, and given up where it stalls', async () => {
    await using root = await scratch();
    const aside = join(root.path, 'aside');
    const app = fastify();
    const ended: string[] = [];
    addUploadRoute(app, LIMITS, {
      method: 'POST',
      url: '/',
      handler: async (request) => {
        try {
          const { form, files } = await openForm(request, LIMITS);
          await using kept = await putAside(files, aside, 1500);
          return { csrf: form.get('csrf'), files: kept.files.map(({ name, size }) => `${name} ${size}`) };
        } catch (error) {
          ended.push((error as Error).message);
          throw error;
        }
      },
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    try {
      const address = app.server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const send = async (sizes: readonly number[]): Promise<{ status: number; body: unknown }> => {
        const body = new FormData();
        body.append('csrf', 'x');
        for (const size of sizes) body.append('files', new Blob([new Uint8Array(size)]), `pack/${size}.txt`);
        const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
        return { status: answer.status, body: await answer.json() };
      };
      assert.deepEqual(await send([10, 20]), {
        status: 200,
        body: { csrf: 'x', files: ['pack/10.txt 10', 'pack/20.txt 20'] },
      });
      assert.equal((await send([900, 900])).status, 413, 'in all');
      assert.equal((await send([1001])).status, 413, 'a file');
      assert.equal((await send([1, 1, 1])).status, 413, 'files');

      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      const head =
        '--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc';
      socket.write(
        `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n${head}`,
      );
      const before = ended.length;
      await once(socket, 'close');
      await until(() => ended.length > before, 60_000, 'its place is free again');
      assert.equal(ended.length, before + 1);
      assert.ok(!existsSync(aside));
    } finally {
      await app.close();
    }
  });
});
