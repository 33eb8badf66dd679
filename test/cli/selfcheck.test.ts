// The dated report of a running gateway: what holds is told, each control that is broken is found, in text, JSON and on paper.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { collect } from '../../src/cli/selfcheck/collect.ts';
import { CONTROLS, type Evidence, type Report } from '../../src/cli/selfcheck/evidence.ts';
import { readConfig } from '../../src/config.ts';
import { Accounts } from '../../src/portal/accounts.ts';
import { Database } from '../../src/portal/database.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, messageId } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const DAY = 86_400_000;
const STAFF = 'staff@city.example.lg.jp';

describe('mugai selfcheck', { timeout: 580_000 }, () => {
  it('shows of a running gateway what holds, and finds each control that was broken', async () => {
    await using folder = await scratch();
    const policyFile = join(folder.path, 'policy.yaml');
    await writeFile(policyFile, 'name: city\nversion: "7"\nkeepDays: 3\n');
    await using gateway = await startTestGateway(folder.path, { MUGAI_POLICY_FILE: policyFile });
    const { PATH: _path, ...env } = gatewayEnv(folder.path, {
      MUGAI_POLICY_FILE: policyFile,
      MUGAI_OPS_LISTEN: `127.0.0.1:${gateway.opsPort}`,
    });
    const config = readConfig(env);
    const found = async (now = Date.now()): Promise<ReadonlyMap<string, Evidence>> =>
      new Map((await collect(config, now)).map((one) => [one.control, one]));
    const failing = (evidence: ReadonlyMap<string, Evidence>): string[] =>
      [...evidence.values()].filter(({ state }) => state === 'fails').map(({ control }) => control);

    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], STAFF);
    await sendMail(gateway.smtpPort ?? 0, plainMail('点検の件'));
    await messageId(hanako, '点検の件');

    // What a command left behind days ago: a chain of its own, closed.
    const old = Date.now() - 2 * DAY;
    const command = { root: join(folder.path, 'journal'), zone: 'inner', keepDays: 1095, now: () => old } as const;
    await (await openJournal(command)).close();

    await until(
      async () => /1 delivered/.test((await found()).get('deliveries')?.en ?? ''),
      60_000,
      'the journal tells of the delivery',
    );
    const first = await found();
    assert.deepEqual([...first.keys(), 'jail'].toSorted(), Object.keys(CONTROLS).toSorted());
    // The first administrator has no second factor yet; everything else holds.
    assert.deepEqual(failing(first), ['second-factor']);
    assert.match(first.get('second-factor')?.en ?? '', /^1: kanri$/);
    assert.equal(first.get('gateway')?.state, 'holds');
    assert.match(first.get('journal')?.en ?? '', /^4 chains of \d+ entries/);
    assert.match(
      first.get('policy')?.en ?? '',
      /^city 7, SHA-256 [0-9a-f]{64}, 0 days old, 0 rules, 0 complaints, in force \(middle, inner\)$/,
    );
    assert.match(first.get('retention')?.en ?? '', /shortest 3 days; no original is over its time/);
    assert.match(first.get('deliveries')?.en ?? '', /in 30 days 1 delivered, 0 undeliverable/);
    assert.match(first.get('users')?.en ?? '', /^2 active \(administrator 1, /);

    // Each broken, found, and mended.
    const key = join(folder.path, 'keys/signing-key.pem');
    await chmod(key, 0o644);
    assert.ok(failing(await found()).includes('keys'));
    await chmod(key, 0o600);
    assert.ok(failing(await found(Date.now() + 5 * DAY)).includes('retention'), 'an original over its time');
    assert.ok(failing(await found(Date.now() - DAY)).includes('clock'), 'a clock behind the journals');
    assert.ok(failing(await found(Date.now() + DAY)).includes('heads'), 'a running gateway that signs no heads');
    await writeFile(
      policyFile,
      'name: city\nversion: "8"\nrules: [{ name: a, action: drop }, { name: b, action: hold }]\n',
    );
    const changed = await found();
    assert.ok(failing(changed).includes('policy'));
    assert.match(changed.get('policy')?.en ?? '', /1 complaints b: a says otherwise/);
    const other = { ...config, policyFile: join(folder.path, 'other.yaml') };
    await writeFile(other.policyFile, 'name: city\nversion: "9"\n');
    const notTaken = (await collect(other, Date.now())).find(({ control }) => control === 'policy');
    assert.equal(notTaken?.state, 'fails');
    assert.match(
      notTaken?.en ?? '',
      /^city 9, .*; not this one is in force: middle city [78], SHA-256 [0-9a-f]{64}, inner city [78], SHA-256 [0-9a-f]{64}$/,
    );
    await writeFile(policyFile, 'name: city\nversion: "7"\nkeepDays: 3\n');
    await until(
      async () => (await found()).get('policy')?.state === 'holds',
      60_000,
      'the gateway took the policy of its file back',
    );

    const paper = join(folder.path, 'report.pdf');
    const reports = [
      '--report',
      paper,
      '--report',
      join(folder.path, 'r.txt'),
      '--report',
      join(folder.path, 'r.json'),
    ];
    const run = await runMugai(['selfcheck', ...reports, '--language', 'ja'], env);
    assert.equal(run.code, 1, 'an administrator without a second factor');
    assert.match(run.stdout, /^FAILS {4}second-factor: 1: kanri$/m);
    const told = execFileSync('pdftotext', ['-layout', paper, '-'], { encoding: 'utf8' });
    const text = await readFile(join(folder.path, 'r.txt'), 'utf8');
    for (const form of [told, text]) {
      assert.match(form, /Mugai 自己点検報告書/);
      assert.match(form, /不適合 1 件/);
      for (const { ja } of Object.values(CONTROLS)) assert.ok(form.includes(ja), ja);
    }
    assert.match(
      execFileSync('pdffonts', [paper], { encoding: 'utf8' }),
      /BIZUDGothic-Regular\S* +CID TrueType +Identity-H +yes/,
    );
    // A file that cannot be written takes nothing away from what was found.
    await mkdir(join(folder.path, 'taken.txt'));
    const taken = ['--report', join(folder.path, 'taken.txt'), '--report', join(folder.path, 'again.txt')];
    const halfway = await runMugai(['selfcheck', ...taken], env);
    assert.equal(halfway.code, 1);
    assert.match(halfway.stdout, /^FAILS {4}second-factor: 1: kanri$/m);
    assert.match(halfway.stdout, /^report {3}.*again\.txt$/m);
    assert.match(halfway.stderr, /^--report .*taken\.txt cannot be written: EISDIR/);
    const json = JSON.parse(await readFile(join(folder.path, 'r.json'), 'utf8')) as Report;
    assert.deepEqual([json.holds, json.evidence.length], [false, Object.keys(CONTROLS).length]);
    assert.ok(Math.abs(Date.parse(json.at) - Date.now()) < DAY);

    const journal = join(folder.path, 'journal/middle');
    const [name = ''] = (await readdir(journal)).filter((one) => one.endsWith('.jsonl'));
    const lines = await readFile(join(journal, name), 'utf8');
    await writeFile(join(journal, name), lines.replace('converted', 'sealed   '));
    assert.ok(failing(await found()).includes('journal'));
  });

  it('finds a gateway that died, keys that are gone, and a passkey beside a password that suffices', async (context) => {
    await using folder = await scratch();
    const { PATH: _path, ...env } = gatewayEnv(folder.path, {});
    const config = readConfig(env);
    const found = async (): Promise<ReadonlyMap<string, Evidence>> =>
      new Map((await collect(config, Date.now())).map((one) => [one.control, one]));
    const never = await found();
    assert.deepEqual([never.get('gateway')?.state, never.get('keys')?.state], ['note', 'note'], 'nothing ran here');
    const running = await startGatewayProcess(env);
    context.after(async () => running.end('SIGKILL'));
    const db = new Database(join(folder.path, 'portal'));
    new Accounts(db).add('kacho', '課長', ['approver']);
    new Accounts(db).add('joho', '情報', ['auditor']);
    db.run("UPDATE users SET password = 'x' WHERE name = 'kacho'");
    for (const name of ['kacho', 'joho']) db.run("INSERT INTO passkeys VALUES (?, ?, 'k', 0, '', 0, NULL)", name, name);
    db.close();
    const alive = await found();
    assert.deepEqual([alive.get('keys')?.state, alive.get('second-factor')?.state], ['holds', 'fails']);
    assert.equal(
      alive.get('second-factor')?.en,
      '1: kacho (has a passkey, and the password alone lets in, too)',
      'joho has no password',
    );
    await running.end('SIGKILL');
    const dead = await found();
    assert.equal(dead.get('gateway')?.state, 'fails');
    assert.match(
      dead.get('gateway')?.en ?? '',
      /^no answer from .* was not closed: it died, hangs, or answers at another/,
    );
    for (const [file, zone] of [
      ['signing-key.pem', 'middle'],
      ['verify-key.pem', 'inner'],
    ] as const) {
      const path = join(folder.path, 'keys', file);
      await rename(path, `${path}.away`);
      const { state, en } = (await found()).get('keys') ?? {};
      assert.equal(state, 'fails', zone);
      assert.match(en ?? '', new RegExp(`${file} is gone`));
      await rename(`${path}.away`, path);
    }
  });

  it('wrong usage is told in one line', async () => {
    assert.equal((await runMugai(['selfcheck', '--report', 'a.doc'])).code, 2);
    assert.equal((await runMugai(['selfcheck', '--language', 'fr'])).code, 2);
    const nowhere = await runMugai(['selfcheck', '--report', '/nonexistent/a.txt']);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /^mugai: --report is "\/nonexistent\/a\.txt", and \/nonexistent is no folder\n$/);
  });
});
