// A message for several recipients: no rule for one of them is switched off by writing to another, too.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readPolicy, type Decision, type Policy } from '../../src/policy/policy.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const TEXT = `name: test
version: '1'
keepDays: 90
passwordPairing: true
groups: { tax: ['@zei.example'] }
rules:
  - { name: macros of tax wait, when: { group: [tax], finding: [macro] }, action: hold }
  - { name: tax gets no pictures, when: { group: [tax], type: ['image/*'] }, action: drop }
  - { name: tax gets pages, when: { group: [tax], type: [application/pdf] }, action: pages }
  - { name: window gets text, when: { to: [mado@a.example], type: [application/pdf] }, action: text }
  - { name: window drops macros, when: { to: [mado@a.example], finding: [macro] }, action: drop }
  - { name: tax is secret, when: { group: [tax] }, set: { asset: { confidentiality: 3 } } }
  - { name: window is exact, when: { to: [mado@a.example] }, set: { asset: { integrity: 2, confidentiality: 1 } } }
  - name: secrets
    when: { asset: { confidentiality: 3 } }
    set: { delivery: link, links: removed, textLayer: false, passwordPairing: false, keepDays: 30, approvers: [[kacho], [bucho]], limits: { pages: 10, dpi: 200 } }
  - name: window
    when: { to: [mado@a.example] }
    set: { language: en, links: hxxp, discImages: open, keepDays: 3650, codePages: 50, approvers: [[kakari], [kakari]], limits: { pages: 20, dpi: 100 } }
`;
const POLICY = readPolicy(TEXT, 'policy.yaml');
const [TAX, WINDOW, OTHER] = ['zei@zei.example', 'mado@a.example', 'soumu@a.example'] as const;
const to = (...recipients: readonly string[]): Policy => POLICY.forMessage({ from: 'x@b.example', to: recipients });

describe('a message for several recipients', () => {
  it('is judged for each of them alone, and the strictest outcome holds, told with whose it is', () => {
    for (const own of [to(TAX, OTHER), to(OTHER, TAX)]) {
      assert.deepEqual(own.explain('image/png'), { decision: 'drop', rule: 'tax gets no pictures', recipient: TAX });
      assert.deepEqual(own.explain('application/pdf'), { decision: 'pages', rule: 'tax gets pages', recipient: TAX });
      assert.deepEqual(own.explain('text/plain'), { decision: 'convert', rule: undefined, recipient: undefined });
      assert.equal(own.decide('application/msword', { size: 1, findings: ['macro'] }), 'hold');
      assert.deepEqual([own.delivery, own.attachBytes, own.links], ['link', 0, 'removed']);
    }
  });

  it('gets nothing of a part that one may have as pages alone and another as text alone', () => {
    assert.deepEqual(to(TAX, WINDOW).explain('application/pdf'), {
      decision: 'drop',
      rule: 'tax gets pages and window gets text',
      recipient: WINDOW,
    });
    assert.equal(to(TAX, WINDOW).decide('application/msword', { size: 1, findings: ['macro'] }), 'drop');
  });

  it('has the settings that satisfy all: least sent, longest kept, every approver asked', () => {
    const own = to(TAX, WINDOW, OTHER);
    assert.deepEqual(own.asset, { confidentiality: 3, integrity: 2 });
    assert.deepEqual([own.delivery, own.links, own.textLayer, own.codePages], ['link', 'removed', false, 50]);
    assert.deepEqual([own.discImages, to(WINDOW, WINDOW).discImages], ['refuse', 'open']);
    assert.deepEqual([own.keepDays, own.passwordPairing, own.language], [3650, false, 'ja']);
    assert.deepEqual([own.limits.pages, own.limits.dpi], [10, 100]);
    assert.deepEqual(own.originals.levels, [['kacho'], ['bucho'], ['kakari'], ['kakari']]);
    // Whoever may approve for one is somebody who may approve.
    assert.deepEqual(to(TAX, OTHER).originals.levels, [['kacho'], ['bucho']]);
    assert.deepEqual(to(WINDOW, WINDOW).originals.levels, [['kakari'], ['kakari']]);
    assert.equal(to(WINDOW, WINDOW).language, 'en');
  });

  it('asks no more approvers than there are: who decides at two levels decides for who has a choice', () => {
    const levels = (...named: readonly string[]): readonly (readonly string[])[] => {
      const text = `name: t
version: '1'
rules:
  - { name: a, when: { to: [a@a.example] }, set: { approvers: [[tanaka, sato]] } }
  - { name: b, when: { to: [b@a.example] }, set: { approvers: [[tanaka], [sato]] } }
  - { name: c, when: { to: [c@a.example] }, set: { approvers: [[sato, suzuki], [suzuki]] } }
`;
      return readPolicy(text, 'policy.yaml').forMessage({ from: 'x@b.example', to: named }).originals.levels;
    };
    for (const both of [
      ['a@a.example', 'b@a.example'],
      ['b@a.example', 'a@a.example'],
    ])
      assert.deepEqual(levels(...both), [['tanaka'], ['sato']]);
    assert.deepEqual(levels('c@a.example', 'a@a.example'), [['suzuki'], ['sato', 'suzuki'], ['tanaka', 'sato']]);
  });

  it('never gets more by one more recipient, whatever the rules', () => {
    const strictness = (decision: Decision): number =>
      ({ convert: 0, pages: 1, text: 1, image: 1, hold: 2, drop: 3 })[decision];
    const addresses = [TAX, WINDOW, OTHER, 'a@zei.example'] as const;
    const rule = fc.record({
      to: fc.option(fc.subarray([...addresses, '@zei.example', '*'], { minLength: 1 }), { nil: undefined }),
      type: fc.option(fc.constantFrom('image/*', 'application/pdf', '*'), { nil: undefined }),
      asset: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      action: fc.constantFrom('pass', 'pages', 'text', 'image', 'drop', 'hold', undefined),
      grade: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      delivery: fc.constantFrom('attach', 'link', undefined),
    });
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 6 }),
        fc.subarray([...addresses], { minLength: 1 }),
        fc.constantFrom(...addresses),
        (drawn, some, another) => {
          const rules = drawn.map(({ to: recipients, type, asset, action, grade, delivery }, nth) => ({
            name: `r${nth}`,
            when: {
              ...(recipients && { to: recipients }),
              ...(type && { type: [type] }),
              ...(asset && { asset: { confidentiality: asset } }),
            },
            ...(action && { action }),
            ...((grade ?? delivery) && {
              set: { ...(grade && { asset: { confidentiality: grade } }), ...(delivery && { delivery }) },
            }),
          }));
          const policy = readPolicy(JSON.stringify({ name: 'p', version: '1', rules }), 'p');
          const [fewer, more] = [some, [...some, another]].map((list) => policy.forMessage({ from: '', to: list }));
          assert.ok(fewer !== undefined && more !== undefined);
          for (const type of ['image/png', 'application/pdf', 'text/plain']) {
            const before: Decision = fewer.decide(type);
            const after: Decision = more.decide(type);
            assert.ok(strictness(after) >= strictness(before), `${before} became ${after}`);
            if (strictness(after) === 1 && strictness(before) === 1) assert.equal(after, before);
          }
          if (fewer.delivery === 'link') assert.equal(more.delivery, 'link');
          assert.ok((more.asset?.confidentiality ?? 0) >= (fewer.asset?.confidentiality ?? 0));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is explained: whose rule decided, and which rules stand behind the settings', async () => {
    await using root = await scratch();
    const file = join(root.path, 'policy.yaml');
    await writeFile(file, TEXT);
    const args = ['policy', 'explain', OTHER, 'image/png', '--to', TAX, '--policy', file];
    const { code, stdout, stderr } = await runMugai(args, { MUGAI_DATA_DIR: root.path });
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^image\/png {2}drop {2}rule tax gets no pictures \(group tax, type image\/\*\), for zei@zei\.example$/m,
    );
    assert.match(stdout, /^ +soumu@a\.example: settings by no rule, grades by no rule$/m);
    assert.match(
      stdout,
      /^ +zei@zei\.example: settings by rule secrets \(asset confidentiality 3\), grades by rule tax is secret \(group tax\)$/m,
    );
    const alone = await runMugai(['policy', 'explain', TAX, 'image/png', '--policy', file], {});
    assert.match(alone.stdout, /^image\/png {2}drop {2}rule tax gets no pictures \(group tax, type image\/\*\)$/m);
    assert.match(alone.stdout, /^ +zei@zei\.example: settings by rule secrets/m);
  });
});
