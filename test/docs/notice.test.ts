// Holds NOTICE together with package.json: every package that Mugai runs on is named with its licence, and no other.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function manifest(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(ROOT, path, 'package.json'), 'utf8')) as Record<string, unknown>;
}

describe('NOTICE', () => {
  it('names every package that Mugai runs on, each with the licence it states, and no other', async () => {
    const notice = await readFile(join(ROOT, 'NOTICE'), 'utf8');
    const section = notice.split('Packages that Mugai runs on\n')[1]?.split('and the packages they depend on')[0] ?? '';
    const named = [...section.matchAll(/^(@?[a-z0-9][\w./-]*) +(\S.*?)(?: {2,}.*)?$/gm)].map(
      ([, name = '', licence = '']) => [name, licence] as const,
    );
    const { dependencies, optionalDependencies } = await manifest('');
    const wanted = Object.keys({ ...(dependencies as object), ...(optionalDependencies as object) });
    assert.deepEqual(
      named.map(([name]) => name),
      wanted.toSorted(),
    );
    for (const [name, licence] of named) {
      if (!existsSync(join(ROOT, 'node_modules', name))) {
        assert.match(name, /^node-linux-/, `${name} is not installed`); // the one for the other kind of machine
        continue;
      }
      const stated = String((await manifest(join('node_modules', name)))['license']);
      const file = /^SEE LICENSE IN (.+)$/.exec(stated)?.[1];
      assert.equal(licence, file === undefined ? stated : `its ${file}`, name);
    }
  });

  it('names the source of every sample that was taken from another project', async () => {
    const notice = await readFile(join(ROOT, 'NOTICE'), 'utf8');
    const samples = JSON.parse(await readFile(join(ROOT, 'samples', 'samples.json'), 'utf8')) as { origin?: unknown }[];
    const projects = samples.flatMap(
      ({ origin }) => /^([\w.-]+\/[\w.-]+)@[0-9a-f]{12}/.exec(String(origin))?.[1] ?? [],
    );
    assert.ok(projects.length > 5);
    for (const project of projects) assert.ok(notice.includes(project), `${project} is not named`);
  });
});
