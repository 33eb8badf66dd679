// Holds the samples: each is listed once, has an origin and a licence, exists, and ours are made by samples/make.ts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generatedSamples } from '../../samples/make.ts';
import { loadSamples, SAMPLES_DIR } from '../../src/demo/samples.ts';

const OWN = 'samples/make.ts';
/** Where the licence text of a source lies: its repository, `/` as `__`. */
const licenceFile = (origin: string): string =>
  join(SAMPLES_DIR, 'LICENSES', `${(origin.split('@')[0] ?? '').replace('/', '__')}.txt`);

describe('samples', () => {
  it('are at least 25, each listed once and there', async () => {
    const samples = await loadSamples();
    assert.ok(samples.length >= 25, `only ${samples.length}`);
    assert.equal(new Set(samples.map(({ file }) => file)).size, samples.length);
    for (const { file, kind } of samples) {
      assert.ok(existsSync(join(SAMPLES_DIR, file)), `${file} is missing`);
      assert.ok(file.startsWith(`${kind}/`), `${file} is listed as ${kind}`);
    }
  });

  it('are all listed: nothing lies beside them without its expectation', async () => {
    const listed = (await loadSamples()).map(({ file }) => file).toSorted();
    const found: string[] = [];
    for (const folder of ['mail', 'file']) {
      found.push(...(await readdir(join(SAMPLES_DIR, folder))).map((name) => `${folder}/${name}`));
    }
    assert.deepEqual(found.map((name) => name.normalize('NFC')).toSorted(), listed);
  });

  it('say where they come from, and the licence of each source lies beside them and in NOTICE', async () => {
    const notice = await readFile(join(SAMPLES_DIR, '..', 'NOTICE'), 'utf8');
    for (const { file, origin, licence } of await loadSamples()) {
      if (origin === OWN) {
        assert.equal(licence, 'Apache-2.0', file);
        continue;
      }
      assert.match(origin, /^[\w.-]+\/[\w.-]+@[0-9a-f]{12} \S+$/, file);
      assert.ok(existsSync(licenceFile(origin)), `${file}: no licence text of ${origin}`);
      assert.ok(notice.includes(origin.split('@')[0] ?? ''), `${file}: NOTICE does not name ${origin}`);
    }
  });

  it('that are ours are made by samples/make.ts, byte for byte, and no other is', async () => {
    const made = await generatedSamples();
    const own = (await loadSamples()).filter(({ origin }) => origin === OWN).map(({ file }) => file);
    assert.deepEqual([...made.keys()].toSorted(), own.toSorted());
    for (const [file, bytes] of made) {
      assert.ok(
        bytes.equals(await readFile(join(SAMPLES_DIR, file))),
        `${file} differs from what samples/make.ts makes`,
      );
    }
  });

  it('hold honest and hostile ones: every verdict but none that cannot be, and both kinds', async () => {
    const samples = await loadSamples();
    const verdicts = new Set(samples.flatMap(({ expect }) => expect.parts.map(({ verdict }) => verdict)));
    assert.deepEqual([...verdicts].toSorted(), ['dropped', 'expanded', 'held', 'image', 'pages', 'refused', 'text']);
    assert.deepEqual(new Set(samples.map(({ kind }) => kind)), new Set(['mail', 'file']));
  });
});
