// A policy is changed by two persons while the gateway runs: by the commands that they use, told in the journal, and every version
// that was in force is found again by the digest that manifests name.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Person } from '../../src/policy/person.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { approvalOf, approve, propose, type Approval } from '../../src/policy/two-persons.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch, until } from '../support/scratch.ts';

const FIRST = "# as it was\nname: city\nversion: '1'\n";
const THIRD = "name: city\nversion: '3'\n";
const SECOND = "# because of the audit\nname: city\nversion: '2'\ndrop: [image/gif]\n";

describe('a policy that needs two persons', { timeout: 580_000 }, () => {
  it('is neither proposed nor approved where the journal cannot tell of it before', async () => {
    await using root = await scratch();
    const [file, next] = [join(root.path, 'policy.yaml'), join(root.path, 'new.yaml')];
    await writeFile(file, FIRST);
    await writeFile(next, SECOND);
    const env = { MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '2' };
    const journal = join(root.path, 'journal');
    await writeFile(journal, 'in the way');
    assert.notEqual((await runMugai(['policy', 'propose', next, '--by', 'tanaka'], env)).code, 0);
    await rm(journal);
    const { stdout } = await runMugai(['policy', 'propose', next, '--by', 'tanaka'], env);
    await rm(journal, { recursive: true });
    await writeFile(journal, 'in the way');
    assert.notEqual((await runMugai(['policy', 'approve', stdout.trim(), '--by', 'suzuki'], env)).code, 0);
    assert.equal(await approvalOf(root.path, SECOND, 'names'), 'none');
    assert.equal(await readFile(file, 'utf8'), FIRST);
  });

  it('is not approved by who signed in to the machine as the same account, whatever names he gives', async () => {
    await using root = await scratch();
    const file = join(root.path, 'new.yaml');
    await writeFile(file, SECOND);
    const told: object[] = [];
    const tell = async (detail: object): Promise<void> => void told.push(detail);
    const tanaka = { name: 'tanaka', account: 'mugai', login: '1001' };
    const sha256 = await propose(root.path, file, tanaka, tell);
    const approveAs = async (account: string, login?: string) =>
      approve(
        root.path,
        sha256,
        { by: { name: 'suzuki', account, ...(login === undefined ? {} : { login }) }, toldBy: 'logins' },
        tell,
      );
    await assert.rejects(approveAs('root', '1001'), /who signed in as 1001 proposed it/);
    await assert.rejects(approveAs('root'), /is not known of both/);
    assert.equal(await approvalOf(root.path, SECOND, 'names'), 'none');
    await approveAs('mugai', '1002');
    assert.equal(await approvalOf(root.path, SECOND, 'logins'), 'last');
    assert.deepEqual(told, [
      { step: 'proposed', sha256, account: 'mugai', login: '1001' },
      { step: 'approved', sha256, proposer: 'tanaka', account: 'mugai', login: '1002' },
    ]);
    // An approval that names one login twice is none.
    const record = join(root.path, 'policy', `${sha256}.approved.json`);
    await writeFile(record, (await readFile(record, 'utf8')).replace('1002', '1001'));
    assert.equal(await approvalOf(root.path, SECOND, 'logins'), 'none');
  });

  it('is undone by two persons, too: what was approved before counts no longer, nor does a proposal that was made before', async () => {
    await using root = await scratch();
    const file = join(root.path, 'new.yaml');
    const [tanaka, suzuki] = ['tanaka', 'suzuki'].map((name) => ({ name, account: 'mugai' })) as [Person, Person];
    const proposed = async (text: string): Promise<string> => {
      await writeFile(file, text);
      return propose(root.path, file, tanaka);
    };
    const approveIt = async (sha256: string) => approve(root.path, sha256, { by: suzuki, toldBy: 'names' });
    const approval = async (text: string): Promise<Approval> => approvalOf(root.path, text, 'names');
    const lax = await proposed(FIRST);
    await approveIt(lax);
    const [strict, other] = [await proposed(SECOND), await proposed(THIRD)];
    await approveIt(strict);
    assert.deepEqual([await approval(FIRST), await approval(SECOND)], ['earlier', 'last']);
    await assert.rejects(approveIt(lax), /proposed before what was last approved: propose it again/);
    await assert.rejects(approveIt(other), /propose it again/);
    await approveIt(strict); // once more, where its file could not be replaced
    assert.deepEqual(
      [await approval(FIRST), await approval(SECOND), await approval(THIRD)],
      ['earlier', 'last', 'none'],
    );
    await proposed(FIRST);
    await approveIt(lax);
    assert.deepEqual([await approval(FIRST), await approval(SECOND)], ['last', 'earlier']);
  });

  it('stays as it is until another one approves; then it holds without a restart', async () => {
    await using root = await scratch();
    const [file, next] = [join(root.path, 'policy.yaml'), join(root.path, 'new.yaml')];
    const env = { MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '2' };
    const mugai = async (...args: readonly string[]) => runMugai(['policy', ...args], env);
    const proposed = async (path: string, by: string): Promise<string> => {
      const { code, stdout } = await mugai('propose', path, '--by', by);
      assert.equal(code, 0);
      return stdout.trim();
    };
    // A gateway does not start with a policy that nobody approved.
    await writeFile(file, FIRST);
    await assert.rejects(startTestGateway(root.path, env), /is not approved by a second person/);
    assert.equal((await mugai('approve', await proposed(file, 'tanaka'), '--by', 'suzuki')).code, 0);

    await using gateway = await startTestGateway(root.path, env);
    const versionOfNext = async (): Promise<string> => {
      await sendMail(gateway.smtpPort ?? 0, plainMail('便り'));
      let told = '';
      await until(
        async () => {
          const { stdout } = await runMugai(['verify', join(root.path, 'outbox'), '--details'], env);
          told = stdout;
          return (stdout.match(/^message/gm)?.length ?? 0) === mails;
        },
        60_000,
        'sealed',
      );
      return [...told.matchAll(/^message {2}(\S+)[\s\S]*?^policy {3}(city \S+), sha256 (\S+)$/gm)]
        .toSorted((a, b) => ((a[1] ?? '') < (b[1] ?? '') ? 1 : -1))
        .map(([, , policy = '', sha256 = '']) => `${policy} ${sha256}`)[0] as string;
    };
    let mails = 1;
    const digests = [FIRST, SECOND].map((text) => readPolicy(text, 'x').sha256);
    assert.equal(await versionOfNext(), `city 1 ${digests[0]}`);

    await writeFile(next, SECOND);
    const sha256 = await proposed(next, 'tanaka');
    const own = await mugai('approve', sha256, '--by', 'Tanaka');
    assert.equal(own.code, 1);
    assert.match(own.stderr, /another person approves/);
    assert.equal(await readFile(file, 'utf8'), FIRST);
    // Whoever writes the file himself changes nothing that holds.
    await writeFile(file, SECOND);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    mails = 2;
    assert.equal(await versionOfNext(), `city 1 ${digests[0]}`);

    await writeFile(file, FIRST);
    const approved = await mugai('approve', sha256, '--by', 'suzuki');
    assert.equal(approved.code, 0);
    assert.match(approved.stdout, /that these are two persons is what they say/);
    assert.equal(await readFile(file, 'utf8'), SECOND, 'comments and all');
    const changes = async (): Promise<string> => (await runMugai(['audit', 'export', '--act', 'changed'], env)).stdout;
    // Each zone looks by itself; the one that seals is the middle.
    const sealing = /"chain":"middle-[^\n]*"step":"in force","policy":"city 2"/;
    await until(async () => sealing.test(await changes()), 60_000, 'in force');
    const told = await changes();
    assert.match(
      told,
      new RegExp(`"person":"tanaka","detail":\\{"what":"policy","step":"proposed".*"sha256":"${sha256}"`),
    );
    assert.match(
      told,
      new RegExp(
        `"person":"suzuki","detail":\\{"what":"policy","step":"approved","sha256":"${sha256}","proposer":"tanaka","account":"`,
      ),
    );
    mails = 3;
    assert.equal(await versionOfNext(), `city 2 ${digests[1]}`);
    // Both versions are kept as they were written, by the digest that the manifests name.
    for (const [nth, text] of [FIRST, SECOND].entries())
      assert.equal((await mugai('show', digests[nth] ?? '')).stdout, text);
    assert.equal((await mugai('show', '0'.repeat(64))).code, 2);
  });

  it('is checked by its command: exit 1 and a line for each rule that cannot be meant', async () => {
    await using root = await scratch();
    const file = join(root.path, 'policy.yaml');
    await writeFile(
      file,
      `${FIRST}rules:\n  - { name: all, when: { type: ['image/*'] }, action: drop }\n  - { name: png, when: { type: [image/png] }, action: pass }\n`,
    );
    const bad = await runMugai(['policy', 'check', file], { MUGAI_DATA_DIR: root.path });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^unreachable {2}png: .*\n.* 2 rules, 1 complaints/);
    await writeFile(file, FIRST);
    assert.equal((await runMugai(['policy', 'check', file], { MUGAI_DATA_DIR: root.path })).code, 0);
  });
});
