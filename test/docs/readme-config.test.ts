// Holds the tables of README.md and README.ja.md together with the schema of the configuration and the list of metrics.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigSchema } from '../../src/config-keys.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UNSET = { 'README.md': 'unset', 'README.ja.md': 'なし' } as const;

for (const [name, unset] of Object.entries(UNSET)) {
  describe(name, () => {
    it('lists every configuration key with its default, in the order of the schema, and no other', async () => {
      const text = await readFile(join(ROOT, name), 'utf8');
      const rows = [...text.matchAll(/^\| `(MUGAI_[A-Z_]+)` \| (?:`([^`]*)`|(\S+)) \| (.+) \|$/gm)];
      const wanted = Object.entries(ConfigSchema.properties).map(([key, schema]) => [
        key,
        schema.facts.default || unset,
      ]);
      assert.deepEqual(
        rows.map(([, key, given, none]) => [key, given ?? none]),
        wanted,
      );
      for (const [, key, , , meaning] of rows) assert.ok((meaning ?? '').length > 3, `${key} has no meaning`);
    });

    it('names no key that does not exist', async () => {
      const text = await readFile(join(ROOT, name), 'utf8');
      for (const [key] of text.matchAll(/MUGAI_[A-Z_]+/g)) {
        assert.ok(Object.hasOwn(ConfigSchema.properties, key), `${key} is no key`);
      }
    });

    it('names every metric of ours, and no other', async () => {
      const text = await readFile(join(ROOT, name), 'utf8');
      const ours = openMetrics(false)
        .registry.getMetricsAsArray()
        .map((metric) => metric.name);
      const named = new Set([...text.matchAll(/mugai_[a-z_]+/g)].map(([metric]) => metric));
      assert.deepEqual([...named].toSorted(), ours.toSorted());
    });

    it('tells the limits as they are', async () => {
      const text = await readFile(join(ROOT, name), 'utf8');
      const mib = 1024 * 1024;
      const numbers = [
        `${LIMITS.messageBytes / mib} MiB`,
        `${LIMITS.expandedBytes / mib} MiB`,
        `${LIMITS.outputBytes / mib} MiB`,
        `${LIMITS.leastFreeBytes / mib} MiB`,
        LIMITS.parts.toLocaleString('en'),
        LIMITS.pages.toLocaleString('en'),
        `${LIMITS.dpi} dpi`,
      ];
      for (const number of numbers) assert.ok(text.includes(number), `${number} is not told`);
    });

    it('counts the samples right', async () => {
      const text = await readFile(join(ROOT, name), 'utf8');
      const samples: unknown = JSON.parse(await readFile(join(ROOT, 'samples', 'samples.json'), 'utf8'));
      assert.ok(Array.isArray(samples) && new RegExp(`\\b${samples.length} (real mails|件)`).test(text));
    });
  });
}
