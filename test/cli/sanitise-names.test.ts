// Files whose names are no UTF-8, as old archives and shares leave them; and an --out where nothing can be made.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

it('names in Shift_JIS are read as such, others have their bytes written out, and every file is done', async () => {
  await using place = await scratch();
  const folder = join(place.path, 'in');
  await mkdir(folder);
  const below = (...parts: readonly Buffer[]): Buffer =>
    Buffer.concat([Buffer.from(folder), ...parts.flatMap((part) => [Buffer.from('/'), part])]);
  const hyo = Buffer.from('955c', 'hex'); // 表, its second byte a backslash
  await mkdir(below(hyo));
  await writeFile(below(hyo, Buffer.concat([hyo, Buffer.from('.txt')])), '一');
  await writeFile(below(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('%.txt')])), '二');
  await writeFile(join(folder, '表.txt'), '三');
  await writeFile(below(Buffer.concat([hyo, Buffer.from('.txt')])), '四');
  const out = join(place.path, 'out');
  const { code, stdout, stderr } = await runMugai(['sanitise', folder, '--out', out, '--json'], {
    MUGAI_DATA_DIR: join(place.path, 'var'),
  });
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { input: string; state: string });
  assert.deepEqual(
    lines.map(({ input, state }) => `${input.slice(folder.length + 1)} ${state}`).toSorted(),
    ['%95%5C.txt', '%FF%FE%25.txt', '表.txt', '表/表.txt'].map((name) => `${name} sanitised`).toSorted(),
  );
  assert.deepEqual(
    (await readdir(join(out, 'in'))).toSorted(),
    ['%95%5C.txt', '%FF%FE%25.txt', '表', '表.txt'].toSorted(),
  );
  assert.deepEqual(await readdir(join(out, 'in', '表', '表.txt')), await readdir(join(out, 'in', '表.txt')));
});

it('an --out on a file system that has and makes no folders ends at once, with one line', async () => {
  await using place = await scratch();
  const input = join(place.path, 'a.txt');
  await writeFile(input, 'a');
  const run = runMugai(['sanitise', input, '--out', '/proc/x'], { MUGAI_DATA_DIR: join(place.path, 'var') });
  const { code, stderr } = await run;
  assert.equal(code, 1, stderr);
  assert.match(stderr.trim().split('\n').at(-1) ?? '', /^mugai: ENOENT.*\/proc\/x/);
});
