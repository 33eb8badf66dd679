// What becomes of the log where stdout takes nothing: a full disk, a reader that is slow or gone.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gatewayEnv } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { scratch, until } from '../support/scratch.ts';
import { StdoutLines } from '../../src/ops/stdout-lines.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** How a child ended; one that does not is killed, which is told. */
async function endOf(child: ChildProcess, withinMs: number): Promise<number | string> {
  const late = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(late);
  return signal ?? code ?? -1;
}

const script = (body: string): string[] => [
  '--input-type=module-typescript',
  '-e',
  `import { openLog } from ${JSON.stringify(`${SRC}ops/log.ts`)};
const log = openLog('info', 'test');
${body}`,
];

function failing(code: string): never {
  throw Object.assign(new Error(code), { code });
}

describe('the log on a stdout that takes nothing', () => {
  it('a full disk under stdout holds nothing up, and it is told once on stderr', async () => {
    const child = spawn(
      process.execPath,
      script(`for (let at = 0; at < 50; at++) log.info('line'); process.exit(7);`),
      {
        stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      },
    );
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    assert.equal(await endOf(child, 20_000), 7, errors);
    await until(() => errors !== '', 5000, 'it is told');
    assert.deepEqual([errors.match(/ENOSPC/g)?.length, errors.trim().split('\n').length], [1, 1], errors);
  });

  it('a gateway with a full disk under stdout runs, counts what is lost, and stops at SIGTERM', async () => {
    await using place = await scratch();
    const ops = await freePort();
    const env = gatewayEnv(join(place.path, 'var'), { MUGAI_OPS_LISTEN: `127.0.0.1:${ops}` });
    const child = spawn(process.execPath, [join(SRC, 'mugai.js'), 'serve', '--role', 'ingress'], {
      env,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'ignore'],
    });
    const metrics = async (): Promise<string> =>
      fetch(`http://127.0.0.1:${ops}/metrics`).then(
        async (answer) => answer.text(),
        () => '',
      );
    const lost = async (): Promise<boolean> =>
      /^mugai_log_lines_total\{outcome="dropped"\} [1-9]/m.test(await metrics());
    await until(lost, 60_000, 'it runs').finally(() => child.kill('SIGTERM'));
    assert.equal(await endOf(child, 20_000), 0);
  });

  it('a pipe that is read slowly loses no line, not even at an exit', async () => {
    const child = spawn(
      process.execPath,
      script(`for (let at = 0; at < 400; at++) log.info({ at, pad: 'x'.repeat(200) }, 'line'); process.exit(0);`),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const got: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => got.push(text));
    assert.equal(await endOf(child, 20_000), 0);
    await until(() => got.join('').split('\n').length === 401, 5000, 'all are there');
    const lines = got.join('').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { at: number }).at),
      Array.from({ length: 400 }, (_, at) => at),
    );
  });

  it('a pipe that nobody reads holds the process up neither while it works nor at its end', async () => {
    const child = spawn(
      process.execPath,
      script(`for (let at = 0; at < 2000; at++) log.info({ pad: 'x'.repeat(200) }, 'line');
setTimeout(() => process.exit(7), 50);`),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    assert.equal(await endOf(child, 20_000), 7);
  });

  it('lines are whole again after a fault, and the first says how many were lost', () => {
    let room = 0;
    let out = '';
    const told: string[] = [];
    const lines = new StdoutLines('test', {
      write: (bytes) => {
        if (room === 0) failing('ENOSPC');
        const taken = bytes.subarray(0, room);
        room -= taken.length;
        out += taken.toString();
        return taken.length;
      },
      tell: (why) => told.push(why),
    });
    const counts = { written: 0, dropped: 0 };
    lines.onLine = (outcome) => (counts[outcome] += 1);
    room = 6;
    lines.write('{"at":1}\n');
    lines.write('{"at":2}\n');
    room = 10_000;
    lines.write('{"at":3}\n');
    const [torn, gap = '', last, end] = out.split('\n');
    assert.deepEqual([torn, last, end], ['{"at":', '{"at":3}', '']);
    const { level, role, count } = JSON.parse(gap) as { level: string; role: string; count: number };
    assert.deepEqual({ level, role, count }, { level: 'error', role: 'test', count: 2 });
    assert.deepEqual(counts, { written: 1, dropped: 2 });
    assert.equal(told.length, 1);
  });

  it('what waits for a reader that takes nothing is bounded, and the rest is counted', async () => {
    let busy = true;
    const got: string[] = [];
    const lines = new StdoutLines('test', {
      write: (bytes) => {
        if (busy) failing('EAGAIN');
        got.push(bytes.toString());
        return bytes.length;
      },
      tell: () => undefined,
    });
    let dropped = 0;
    lines.onLine = (outcome) => (dropped += outcome === 'dropped' ? 1 : 0);
    const line = `${'x'.repeat(1023)}\n`;
    for (let at = 0; at < 6000; at++) lines.write(line);
    assert.ok(dropped > 1000, String(dropped));
    busy = false;
    await until(() => got.length > 0, 5000, 'it is tried again');
    assert.equal(got.filter((one) => one === line).length, 6000 - dropped);
    assert.match(got.at(-1) ?? '', new RegExp(`"count":${dropped}\\}`));
  });
});
