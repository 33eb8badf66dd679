// docs/formats.md, the list it is written from, and the routes the code takes are one.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { FORMATS, formatsDocument } from '../../src/sanitise/formats.ts';
import { routeOf } from '../../src/sanitise/route.ts';

describe('docs/formats.md', () => {
  it('is what the list of formats says', async () => {
    const text = await readFile(new URL('../../docs/formats.md', import.meta.url), 'utf8');
    assert.equal(text, formatsDocument(), 'write it with: node src/sanitise/write-formats.ts');
  });

  it('says the way that each type really takes', () => {
    for (const { types, route } of FORMATS) for (const type of types) assert.equal(routeOf(type), route, type);
  });
});
