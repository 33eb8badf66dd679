// Rules that earlier ones leave nothing: what is said of them is held to trying every case.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { coverOf } from '../../src/policy/covered.ts';
import { matchesMessage, matchesPart, type Asset, type Rule } from '../../src/policy/rules.ts';

const GROUPS = { one: ['a@x.jp'], more: ['@S.x.jp', 'd@y.jp'] };
const GIVEN: readonly Asset[] = [{ confidentiality: 3 }, { confidentiality: 1, integrity: 2 }];

const some = <T>(...values: readonly T[]) => fc.subarray([...values], { minLength: 1 });
const rule = fc
  .record(
    {
      to: some('*', '@x.jp', '@s.x.jp', 'a@x.jp', 'c@s.x.jp', 'd@y.jp'),
      group: some('one', 'more'),
      from: some('*', 's@z.jp', '@z.jp'),
      type: some('*', 'image/*', 'image/png', 'text/plain'),
      finding: some('macro', 'javascript'),
      minBytes: fc.integer({ min: 0, max: 3 }),
      maxBytes: fc.integer({ min: 0, max: 3 }),
      asset: fc.constantFrom<Asset>({ confidentiality: 2 }, { integrity: 1 }, { confidentiality: 1 }),
    },
    { requiredKeys: [] },
  )
  .chain((when) =>
    // One or two conditions a rule: of many, none covers anything.
    fc
      .subarray(Object.entries(when), { maxLength: 2 })
      .map((kept): Rule => ({ name: 'rule', when: Object.fromEntries(kept) })),
  );

/** Every message with one part that differs for these rules. */
function* cases() {
  for (const to of ['a@x.jp', 'b@x.jp', 'c@s.x.jp', 'e@S.X.jp', 'd@y.jp', 'f@v.jp'])
    for (const from of ['s@z.jp', 't@z.jp', ''])
      for (const asset of [undefined, ...GIVEN])
        for (const type of ['image/png', 'image/gif', 'text/plain', 'text/html'])
          for (const size of [undefined, 0, 1, 2, 3, 4])
            for (const findings of [[], ['macro'], ['javascript'], ['macro', 'javascript']])
              yield { facts: { to, from, asset }, part: { type, findings, ...(size === undefined ? {} : { size }) } };
}
const CASES = [...cases()];

test('a rule is covered exactly when it has cases and an earlier one matches in each', () => {
  let covered = 0;
  fc.assert(
    fc.property(rule, fc.array(rule, { maxLength: 6 }), (last, earlier) => {
      const matches = (one: Rule, { facts, part }: (typeof CASES)[number]): boolean =>
        matchesMessage(one, facts, GROUPS) && matchesPart(one, part);
      const own = CASES.filter((one) => matches(last, one));
      const firsts = own.map((one) => earlier.find((other) => matches(other, one)));
      const expected = own.length > 0 && firsts.every((first) => first !== undefined);
      const cover = coverOf(last, earlier, GROUPS, GIVEN);
      assert.equal(cover !== undefined, expected);
      if (cover === undefined) return;
      covered += 1;
      // Those that are named are enough.
      assert.ok(own.every((one) => cover.some((other) => matches(other, one))));
    }),
    { seed: 20261129, numRuns: 300 },
  );
  assert.ok(covered > 50, `${covered} were covered`);
});
