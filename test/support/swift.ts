// A real S3 service for a test: OpenStack Swift with its s3api (Debian's packages), on loopback, all servers in one process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { scratch } from './scratch.ts';

const SERVER = fileURLToPath(new URL('./swift_s3.py', import.meta.url));
const KEY = 'test:tester';
const SECRET = 'not-a-secret';

export interface TestS3 extends AsyncDisposable {
  /** MUGAI_STORE_URL for stores whose buckets begin with this name; the buckets are made. */
  place(name: string): Promise<string>;
  /** Stops it from answering, or lets it go on: SIGSTOP, SIGCONT. */
  pause(paused: boolean): void;
  kill(): Promise<void>;
}

/** Starts a service. Throws one line when Debian's Swift is not installed. */
export async function startSwift(): Promise<TestS3> {
  const folder = await scratch();
  const args = [SERVER, join(folder.path, 'swift'), KEY, SECRET];
  const server = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2000)));
  const [line] = (await Promise.race([
    once(createInterface(server.stdout), 'line'),
    once(server, 'exit').then(() => {
      throw new Error(`this test needs Debian's swift-proxy, swift-account, swift-container, swift-object: ${said}`);
    }),
  ])) as [string];
  const host = `127.0.0.1:${line}`;
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  return {
    place: async (name) => {
      const client = new S3Client({
        endpoint: `http://${host}`,
        region: 'us-east-1',
        credentials: { accessKeyId: KEY, secretAccessKey: SECRET },
        forcePathStyle: true,
      });
      for (const store of ['spool', 'outbox', 'requests'])
        await client.send(new CreateBucketCommand({ Bucket: `${name}-${store}` }));
      client.destroy();
      return `s3://${encodeURIComponent(KEY)}:${encodeURIComponent(SECRET)}@${host}/${name}?tls=off`;
    },
    pause: (paused) => void server.kill(paused ? 'SIGSTOP' : 'SIGCONT'),
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}
