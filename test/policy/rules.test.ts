// Rules: the first that matches decides, none lifts a ceiling, and what cannot be meant is found.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { policySchemaText } from '../../src/cli/policy.ts';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { complaintsOf } from '../../src/policy/check.ts';
import { PolicySchema, builtInPolicy, readPolicy, type Policy } from '../../src/policy/policy.ts';
import { changesFor } from '../../src/policy/rehearse.ts';
import { isAddress } from '../../src/policy/rules.ts';
import { approvalOf, approve, propose } from '../../src/policy/two-persons.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { runMugai } from '../support/gateway-process.ts';
import { openSanitiser } from '../support/sanitiser.ts';
import { scratch, until } from '../support/scratch.ts';

const HEAD = "name: test\nversion: '1'\n";
const read = (rules: string): Policy => readPolicy(`${HEAD}${rules}`, 'policy.yaml');
const CITY = read(`
groups: { tax: ['zei@city.example.lg.jp', '@zei.city.example.lg.jp'] }
drop: [image/gif]
rules:
  # comments stay
  - { name: macros are held, when: { finding: [macro] }, action: hold }
  - { name: tax gets pages only, when: { group: [tax], type: ['application/*'] }, action: pages }
  - { name: large pictures, when: { type: ['image/*'], minBytes: 1000 }, action: drop }
  - { name: gifs of a friend, when: { from: ['@friend.example'], type: [image/gif] }, action: pass }
  - { name: tax, when: { group: [tax] }, set: { language: en, delivery: link, keepDays: 30, limits: { pages: 10 }, asset: { confidentiality: 3 } } }
`);
const from = (address: string, ...to: string[]) => CITY.forMessage({ from: address, to });

describe('rules of a policy', () => {
  it('decide by the first one that matches: recipient, group, sender, type, size, finding', () => {
    const tax = from('a@x.example', 'zei@city.example.lg.jp', 'b@zei.city.example.lg.jp');
    const other = from('a@x.example', 'mado@city.example.lg.jp');
    const friend = from('A@mail.Friend.example', 'mado@city.example.lg.jp');
    const mixed = from('a@x.example', 'zei@city.example.lg.jp', 'mado@city.example.lg.jp');
    const pages = { decision: 'pages', rule: 'tax gets pages only' } as const;
    assert.deepEqual(tax.explain('application/pdf'), { ...pages, recipient: undefined });
    const unruled = { decision: 'convert', rule: undefined, recipient: undefined } as const;
    assert.deepEqual(other.explain('application/pdf'), unruled);
    assert.deepEqual(mixed.explain('application/pdf'), { ...pages, recipient: 'zei@city.example.lg.jp' });
    assert.equal(other.decide('application/msword', { size: 1, findings: ['macro'] }), 'hold');
    assert.equal(other.decide('image/png', { size: 999, findings: [] }), 'convert');
    assert.equal(other.decide('image/png', { size: 1000, findings: [] }), 'drop');
    assert.equal(other.decide('image/gif'), 'drop');
    assert.equal(friend.decide('image/gif'), 'convert');
  });

  it('know a domain in every form, in the rule and in the message', () => {
    const same = ['日本語.jp', 'xn--wgv71a119e.jp', 'XN--WGV71A119E.jp', '日本語.ｊｐ'];
    for (const pattern of same)
      for (const given of same) {
        assert.ok(isAddress(`@${pattern}`, `a@${given}`), `${pattern}, ${given}`);
        assert.ok(isAddress(`@${pattern}`, `a@sub.${given}`), `${pattern}, sub.${given}`);
        assert.ok(isAddress(`A@${pattern}`, `a@${given}`), `${pattern}, ${given}`);
        assert.equal(isAddress(`@${pattern}`, 'a@other.jp'), false);
      }
  });

  it('set what holds for a message: language, delivery, retention, limits, classification', () => {
    const tax = from('a@x.example', 'zei@city.example.lg.jp');
    assert.deepEqual(
      [tax.language, tax.delivery, tax.attachBytes, tax.keepDays, tax.limits.pages],
      ['en', 'link', 0, 30, 10],
    );
    assert.deepEqual(tax.asset, { confidentiality: 3 });
    assert.equal(from('a@x.example', 'mado@city.example.lg.jp').language, 'ja');
  });

  it('grade information first; other rules act on the grades, for messages, parts, retention and approvers', () => {
    const policy = read(`
keepDays: 30
rules:
  - { name: tax is secret, when: { to: ['zei@city.example.lg.jp'] }, set: { asset: { confidentiality: 3, integrity: 2 } } }
  - { name: the rest, set: { asset: { confidentiality: 1 } } }
  - { name: kept long, when: { asset: { integrity: 2 } }, set: { keepDays: 3650, delivery: link, approvers: [[kacho]] } }
  - { name: no pictures of secrets, when: { asset: { confidentiality: 2 }, type: ['image/*'] }, action: drop }
`);
    const secret = policy.forMessage({ from: 'a@x.example', to: ['zei@city.example.lg.jp'] });
    assert.deepEqual(secret.asset, { confidentiality: 3, integrity: 2 });
    assert.deepEqual([secret.keepDays, secret.delivery, secret.originals.levels], [3650, 'link', [['kacho']]]);
    assert.equal(secret.decide('image/png'), 'drop');
    const other = policy.forMessage({ from: 'a@x.example', to: ['mado@city.example.lg.jp'] });
    assert.deepEqual([other.asset, other.keepDays, other.delivery], [{ confidentiality: 1 }, 30, 'attach']);
    assert.equal(other.decide('image/png'), 'convert');
    assert.deepEqual(complaintsOf(policy.rules, policy.groups), []);
    const never = read('rules: [{ name: a, when: { asset: { availability: 2 } }, set: { language: en } }]');
    assert.deepEqual(
      complaintsOf(never.rules, never.groups).map(({ kind }) => kind),
      ['unreachable'],
    );
  });

  it('never lift a ceiling, and never pass an original: there is no word for it', () => {
    assert.throws(
      () => read(`rules: [{ name: a, set: { limits: { pages: ${LIMITS.pages + 1} } } }]`),
      /bad|pages|rules/,
    );
    for (const word of ['original', 'allow', 'bypass', 'raw', 'as-is'])
      assert.throws(() => read(`rules: [{ name: a, action: ${word} }]`), /rules/);
    const lowered = read('limits: { pages: 5 }\nrules: [{ name: a, set: { limits: { pages: 10 } } }]');
    assert.equal(lowered.forMessage({ from: '', to: ['x@y'] }).limits.pages, 5);
  });

  it('that cannot be meant are found', () => {
    const { rules, groups } = read(`
groups: { tax: [zei@a.example] }
rules:
  - { name: all pictures, when: { type: ['image/*'] }, action: drop }
  - { name: png, when: { type: [image/png] }, action: pass }
  - { name: pictures again, when: { type: ['image/*'] }, action: hold }
  - { name: sizes, when: { minBytes: 10, maxBytes: 5 }, action: drop }
  - { name: nobody, when: { group: [sea] }, action: drop }
  - { name: nothing }
  - { name: domain, when: { to: ['@a.example'] }, action: hold }
  - { name: one of it, when: { to: [zei@a.example] }, action: drop }
  - { name: group of it, when: { group: [tax] }, action: drop }
  - { name: fine, when: { from: ['@b.example'] }, action: text }
  - { name: fine, when: { from: ['@c.example'] }, action: text }
  - { name: parts and settings, when: { type: [image/png] }, set: { language: en } }
`);
    assert.deepEqual(
      complaintsOf(rules, groups).map(({ rule, kind }) => `${rule}: ${kind}`),
      [
        'png: unreachable',
        'pictures again: contradictory',
        'sizes: contradictory',
        'nobody: unknown-group',
        'nothing: without-effect',
        'one of it: unreachable',
        'group of it: unreachable',
        'fine: same-name',
        'parts and settings: contradictory',
      ],
    );
    assert.deepEqual(complaintsOf(CITY.rules, CITY.groups), []);
  });

  it('that earlier ones leave nothing only together are found, and which ones those are', () => {
    const { rules, groups } = read(`
groups: { tax: [zei@a.example, '@tax.example'] }
rules:
  - { name: large, when: { minBytes: 1000 }, action: hold }
  - { name: zei, when: { to: [zei@a.example], maxBytes: 1500 }, action: drop }
  - { name: those of tax, when: { to: ['@TAX.example'], maxBytes: 999 }, action: drop }
  - { name: tax pictures, when: { group: [tax], type: ['image/*'], minBytes: 1 }, action: text }
  - { name: tax of any size, when: { group: [tax] }, action: text }
  - { name: macros, when: { finding: [macro] }, action: drop }
  - { name: scripts, when: { finding: [javascript] }, action: drop }
  - { name: either, when: { finding: [javascript, macro] }, action: hold }
  - { name: either or a link, when: { finding: [macro, external-link] }, action: hold }
  - { name: secret, when: { to: [zei@a.example] }, set: { asset: { confidentiality: 3 } } }
  - { name: open, set: { asset: { confidentiality: 1 } } }
  - { name: zei in English, when: { to: [zei@a.example] }, set: { language: en } }
  - { name: zei and mado, when: { to: [zei@a.example, mado@a.example] }, set: { language: ja } }
  - { name: of three, when: { asset: { confidentiality: 3 } }, set: { language: ja } }
  - { name: of one, when: { asset: { confidentiality: 1 } }, set: { links: hxxp } }
  - { name: of two, when: { asset: { confidentiality: 2 } }, set: { links: plain } }
`);
    assert.deepEqual(
      complaintsOf(rules, groups).map(({ rule, kind, why }) => `${rule}: ${kind}: ${why}`),
      [
        'tax pictures: unreachable: whatever it matches, large, zei, those of tax together match before',
        'either: contradictory: macros, scripts together say otherwise of the same',
        'of two: unreachable: whatever it matches, of three matches before',
      ],
    );
  });

  it('that nobody can meet, that set nothing, or that no approvers can satisfy are found', () => {
    const policy = read(`
groups: { empty: [], tax: [zei@a.example, '@tax.example'] }
originals: { levels: [[kacho], [kacho]] }
rules:
  - { name: nobody, when: { group: [empty] }, action: drop }
  - { name: apart, when: { group: [tax], to: [mado@a.example] }, action: drop }
  - { name: together, when: { group: [tax], to: ['@a.example'] }, action: hold }
  - { name: sets nothing, when: { from: [x@b.example] }, set: {} }
  - { name: grades nothing, when: { from: [y@b.example] }, set: { asset: {} } }
  - { name: both, when: { from: [z@b.example] }, set: { delivery: link, attachBytes: 100 } }
  - { name: too few, when: { from: [v@b.example] }, set: { approvers: [[a, b], [a, b], [b, a]] } }
  - { name: enough, when: { from: [w@b.example] }, set: { approvers: [[a, b], [a], []] } }
`);
    assert.deepEqual(
      complaintsOf(policy.rules, policy.groups, policy.originals.levels).map(({ rule, kind }) => `${rule}: ${kind}`),
      [
        'originals: contradictory',
        'nobody: unreachable',
        'apart: unreachable',
        'sets nothing: without-effect',
        'grades nothing: without-effect',
        'both: contradictory',
        'too few: contradictory',
      ],
    );
  });

  it('hold on the road: a part that is not what its rule lets pass is dropped or held, and nothing of it goes out', async () => {
    await using sanitiser = await openSanitiser({
      policy: read(
        "rules: [{ name: t, when: { type: ['text/*'] }, action: pages }, { name: p, when: { type: [image/png] }, action: hold }]",
      ),
    });
    const text = await sanitiser.file('a.txt', 'hello');
    assert.deepEqual([text.parts[0]?.verdict, text.parts[0]?.reason, text.files.size], ['dropped', 'policy', 0]);
    const png = await sanitiser.file('a.png', readFileSync(new URL('../../samples/file/案内図.png', import.meta.url)));
    assert.deepEqual(
      [png.state, png.parts[0]?.verdict, png.parts[0]?.reason, png.files.size],
      ['held', 'held', 'policy', 0],
    );
  });
});

/** As much of a schema as tells which values a field may have. */
interface Choice {
  readonly type?: string;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly properties?: Readonly<Record<string, Choice>>;
}

const GIF = {
  path: '1',
  name: 'a.gif',
  detectedType: 'image/gif',
  size: 10,
  findings: [],
  verdict: 'image' as const,
  reason: null,
  outputs: ['files/01-a.png'],
};

describe('a change of policy', () => {
  it('is rehearsed on attachments: no rule is asked about the text of a mail, nor about a form of it that was left out', () => {
    const text = { ...GIF, path: '1', detectedType: 'text/plain', verdict: 'text' as const, outputs: ['message.txt'] };
    const inner = {
      ...GIF,
      path: '3',
      detectedType: 'message/rfc822',
      verdict: 'expanded' as const,
      outputs: ['files/02-b.txt'],
    };
    const parts = [
      text,
      { ...text, path: '2', detectedType: 'text/html', verdict: 'dropped' as const, outputs: [] },
      inner,
      { ...text, path: '3.1', outputs: inner.outputs },
      { ...text, path: '4', outputs: ['files/03-c.txt'] },
    ];
    const seen = { id: 'm', envelope: { from: 'a@x.example', to: ['b@city.example.lg.jp'] }, parts };
    const none = read("rules: [{ name: no text, when: { type: ['text/*'] }, action: drop }]");
    assert.deepEqual(
      changesFor(seen, read(''), none).map(({ path, after }) => `${path} ${after}`),
      ['4 drop'],
    );
  });

  it('is rehearsed on what came: what would have ended otherwise, and by which rule', () => {
    const seen = {
      id: 'm',
      envelope: { from: 'a@x.example', to: ['zei@city.example.lg.jp'] },
      parts: [GIF],
    };
    assert.deepEqual(
      changesFor(seen, CITY, read('')).map(({ what, before, after }) => `${what}: ${before} → ${after}`),
      [
        'language: en → ja',
        'delivery: link → attach',
        `attachBytes: 0 → ${LIMITS.attachBytes}`,
        'keepDays: 30 → -',
        'asset: confidentiality 3 → -',
        `pages: 10 → ${LIMITS.pages}`,
        'image/gif a.gif: drop → convert',
      ],
    );
    assert.deepEqual(changesFor(seen, CITY, CITY), []);
  });

  it('is rehearsed in every field that a policy may have', () => {
    const seen = {
      id: 'm',
      envelope: { from: 'a@x.example', to: ['zei@city.example.lg.jp'] },
      parts: [GIF],
    };
    const before = read('');
    // What the built-in policy does not say; lists and rules by hand, since their values are no choice.
    const others: { readonly [field: string]: string } = {
      drop: '[image/gif]',
      rules: '[{ name: r, action: hold }]',
      'originals.levels': '[[kacho]]',
    };
    const standing = (field: string): unknown =>
      field.split('.').reduce((at: unknown, name) => (at as Record<string, unknown>)[name], before);
    const tried: string[] = [];
    const tryOne = (field: string, schema: Choice): void => {
      const values = schema.anyOf?.map((one) => one.const) ?? (schema.type === 'boolean' ? [true, false] : [1, 2]);
      const value = others[field] ?? JSON.stringify(values.find((one) => one !== standing(field)));
      const [outer = '', inner] = field.split('.');
      const text = inner === undefined ? `${outer}: ${value}` : `${outer}: { ${inner}: ${value} }`;
      assert.notDeepEqual(changesFor(seen, before, read(text)), [], text);
      tried.push(field);
    };
    for (const [name, schema] of Object.entries(PolicySchema.properties as Record<string, Choice>)) {
      if (['name', 'version', 'groups'].includes(name)) continue; // these alone change nothing
      const inside = schema.properties;
      if (inside === undefined) tryOne(name, schema);
      else for (const [field, one] of Object.entries(inside)) tryOne(`${name}.${field}`, one);
    }
    assert.ok(tried.length >= 30, `${tried.length} fields`);
  });

  it('takes two persons: the one who proposed does not approve, under no spelling of the name', async () => {
    await using root = await scratch();
    const file = join(root.path, 'new.yaml');
    await writeFile(file, `# why\n${HEAD}`);
    const as = (name: string) => ({ by: { name, account: 'mugai' }, toldBy: 'names' }) as const;
    const sha256 = await propose(root.path, file, { name: 'tanaka', account: 'mugai' });
    for (const name of ['tanaka', ' Tanaka ', 'ｔａｎａｋａ'])
      await assert.rejects(approve(root.path, sha256, as(name)), /another person/);
    assert.equal(await approvalOf(root.path, await readFile(file, 'utf8'), 'names'), 'none');
    await assert.rejects(approve(root.path, '0'.repeat(64), as('suzuki')), /nobody proposed/);
    assert.equal((await approve(root.path, sha256, as('suzuki'))).text, `# why\n${HEAD}`);
    assert.equal(await approvalOf(root.path, await readFile(file, 'utf8'), 'names'), 'last');
    assert.equal(await approvalOf(root.path, `${HEAD}drop: [image/png]\n`, 'names'), 'none');
    await writeFile(join(root.path, 'policy', `${sha256}.yaml`), `${HEAD}drop: []\n`);
    await assert.rejects(approve(root.path, sha256, as('sato')), /was changed/);
  });

  it('takes effect in a running gateway, whole or not at all, and the journal tells of it', async () => {
    await using root = await scratch();
    const file = join(root.path, 'policy.yaml');
    await writeFile(file, HEAD);
    await using gateway = await startTestGateway(root.path, { MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '1' });
    const { smtpPort, outbox } = gateway;
    assert.ok(smtpPort !== undefined && outbox !== undefined);
    await writeFile(file, `${HEAD}rules: [{ name: a, action: everything }]\n`); // no policy: nothing changes
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.match(await sendMail(smtpPort, plainMail('one')), /^250/);
    const delivered = async (): Promise<string[]> =>
      (await readdir(join(root.path, 'delivered'))).filter((name) => name.endsWith('.eml'));
    await until(async () => (await delivered()).length === 1, 60_000, 'sealed by the policy that was');
    await writeFile(file, "name: test\nversion: '2'\nlanguage: en\n");
    const env = { MUGAI_DATA_DIR: root.path };
    await until(
      async () => (await runMugai(['audit', 'export', '--act', 'changed'], env)).stdout.includes('test 2'),
      60_000,
      'told',
    );
    const rehearsal = await runMugai(['policy', 'rehearse', '--new', file, '--since', '1d'], env);
    assert.match(
      rehearsal.stdout,
      /language: ja → en\n1 messages since 2\S+Z; under test 2 parts of 0 would have ended otherwise, settings of 1 would have been others\n$/,
    );
    const later = await runMugai(['policy', 'rehearse', '--new', file, '--since', '0h'], env);
    assert.match(later.stdout, /^0 messages since 2\S+Z: nothing was compared\n$/);
    const [id = ''] = (await delivered()).map((name) => name.slice(0, 26));
    const explained = await runMugai(['policy', 'explain', id], env);
    assert.match(
      explained.stdout,
      /^1 {2}text\/plain .* convert {2}no rule keeps out the text of a mail {2}became text$/m,
      explained.stderr,
    );
    const none = await runMugai(['policy', 'explain', newMessageId()], env);
    assert.match(none.stderr, /is not in the outbox/);
    assert.equal(none.code, 1);
  });
});

describe('mugai policy explain', () => {
  it('tells of a mail in a file, part by part, which rule decides, what it became, and what holds for it', async () => {
    await using root = await scratch();
    const file = join(root.path, 'policy.yaml');
    await writeFile(
      file,
      `${HEAD}keepDays: 30
rules:
  - { name: no pictures, when: { type: [image/png], to: [staff@city.example.lg.jp] }, action: drop }
  - { name: secret, when: { from: ['@example.com'] }, set: { asset: { confidentiality: 3 }, approvers: [[kacho, fuku], [bucho]] } }
`,
    );
    const mail = new URL('../../samples/mail/png-attachment.eml', import.meta.url).pathname;
    const args = [
      'policy',
      'explain',
      mail,
      '--policy',
      file,
      '--from',
      'a@example.com',
      '--to',
      'staff@city.example.lg.jp',
    ];
    const { code, stdout, stderr } = await runMugai(args, { MUGAI_DATA_DIR: root.path });
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /image\/png .* drop {2}rule no pictures \(to staff@city\.example\.lg\.jp, type image\/png\) {2}became dropped \(policy\)$/m,
    );
    assert.match(stdout, /text\/plain .* convert {2}no rule keeps out the text of a mail {2}became text$/m);
    assert.match(stdout, /kept 30 days, asset confidentiality 3$/m);
    assert.match(stdout, /originals approved by kacho or fuku, then bucho; password pairing off$/m);
    const nobody = await runMugai(['policy', 'explain', 'no such message'], { MUGAI_DATA_DIR: root.path });
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /no such message is no file here, and no id of a message/);
  });
});

describe('mugai policy show', () => {
  it('prints the policy in force, and the built-in one where no file is named or its digest is asked for', async () => {
    await using root = await scratch();
    const env = { MUGAI_DATA_DIR: root.path };
    const builtIn = builtInPolicy();
    for (const args of [[], [builtIn.sha256]]) {
      const { code, stdout, stderr } = await runMugai(['policy', 'show', ...args], env);
      assert.equal(code, 0, stderr);
      assert.equal(readPolicy(stdout, 'shown').sha256, builtIn.sha256);
    }
    const file = join(root.path, 'policy.yaml');
    await writeFile(file, `# why\n${HEAD}`);
    const own = await runMugai(['policy', 'show'], { ...env, MUGAI_POLICY_FILE: file });
    assert.equal(own.stdout, `# why\n${HEAD}`);
    assert.equal((await runMugai(['policy', 'show', '0'.repeat(64)], env)).code, 2);
  });
});

describe('docs/policy.schema.json', () => {
  it('is the schema that the gateway reads policies by', async () => {
    assert.equal(await readFile(new URL('../../docs/policy.schema.json', import.meta.url), 'utf8'), policySchemaText());
  });

  it('says of every key what it is for, so that an editor can', () => {
    interface Shape {
      readonly description?: string;
      readonly properties?: Readonly<Record<string, Shape>>;
      readonly items?: Shape;
    }
    const silent: string[] = [];
    let keys = 0;
    const look = (shape: Shape, path: string): void => {
      for (const [name, one] of Object.entries(shape.properties ?? {})) {
        keys += 1;
        if ((one.description ?? '') === '') silent.push(`${path}${name}`);
        look(one, `${path}${name}.`);
      }
      if (shape.items !== undefined) look(shape.items, path);
    };
    look(JSON.parse(policySchemaText()) as Shape, '');
    assert.deepEqual(silent, []);
    assert.ok(keys > 70, `${keys} keys`);
  });

  it('is named in the examples of a policy', async () => {
    for (const name of ['README.md', 'README.ja.md']) {
      const text = await readFile(new URL(`../../${name}`, import.meta.url), 'utf8');
      const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];
      assert.match(example, /^# yaml-language-server: \$schema=\S*docs\/policy\.schema\.json\n/, name);
      assert.ok(readPolicy(example, name).version !== '', name);
    }
  });
});
