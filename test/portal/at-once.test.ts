// Two requests in the same moment: what one looked at must still be so when it acts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Accounts } from '../../src/portal/accounts.ts';
import { hashPassword } from '../../src/portal/passwords.ts';
import { barePortal } from '../support/bare-portal.ts';
import { PASSWORD, Visitor } from '../support/portal.ts';

describe('at once', { timeout: 580_000 }, () => {
  it('two administrators who disable each other, or take the role from each other, leave one', async () => {
    const bare = await barePortal(['x']);
    try {
      const accounts = new Accounts(bare.db);
      const hash = await hashPassword(PASSWORD);
      const acts = [
        ['state', { disabled: '1' }],
        ['roles', { role: 'staff' }],
      ] as const;
      for (const [act, form] of acts) {
        const names: readonly string[] = [`ichiro-${act}`, `jiro-${act}`];
        const tokens = new Map<string, { visitor: Visitor; csrf: string }>();
        for (const name of names) {
          accounts.add(name, name, ['administrator']);
          accounts.setPasswordHash(name, hash);
        }
        for (const one of accounts.list())
          if (!names.includes(one.name)) accounts.change(one.name, { roles: ['staff'] });
        for (const name of names) {
          const visitor = new Visitor(bare.url);
          await visitor.signIn(name);
          tokens.set(name, { visitor, csrf: await visitor.token('/account') });
        }
        await Promise.all(
          names.map(async (name, at) => {
            const { visitor, csrf } = tokens.get(name) ?? { visitor: new Visitor(bare.url), csrf: '' };
            return visitor.post(`/people/${names[1 - at] ?? ''}/${act}`, { ...form, csrf });
          }),
        );
        const able = accounts.list().filter(({ disabled, roles }) => !disabled && roles.includes('administrator'));
        assert.equal(able.length, 1, act);
      }
    } finally {
      await bare.close();
    }
  });

  it('passwords of one archive are no more than five in a quarter of an hour', async () => {
    const bare = await barePortal(['x'], [{ path: '2', name: 'a.zip', verdict: 'held', reason: 'password-needed' }]);
    try {
      const reader = new Visitor(bare.url);
      await reader.signIn('reader');
      const csrf = await reader.token('/account');
      const path = `/messages/${bare.ids[0] ?? ''}/password`;
      const answers = await Promise.all(
        Array.from({ length: 12 }, async (_, n) => reader.post(path, { part: '2', password: `guess-${n}`, csrf })),
      );
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
      assert.deepEqual(statuses, [303, 303, 303, 303, 303, 429, 429, 429, 429, 429, 429, 429]);
    } finally {
      await bare.close();
    }
  });
});
