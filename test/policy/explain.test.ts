// mugai policy explain: a mail is judged for whom it names itself, each rule is told with what of it matched, and words that mean
// nothing get no answer.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { explain } from '../../src/cli/policy/explain.ts';
import { UsageError } from '../../src/cli/usage.ts';
import { readConfig } from '../../src/config.ts';
import { newMessageId } from '../../src/message/id.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { mugai } from '../support/run-command.ts';
import { scratch } from '../support/scratch.ts';

const TEXT = `name: city
version: '1'
groups: { tax: ['@zei.example'] }
rules:
  - { name: tax is secret, when: { group: [tax] }, set: { asset: { confidentiality: 3 } } }
  - { name: secrets, when: { asset: { confidentiality: 2 }, from: ['*'] }, set: { delivery: link } }
  - { name: no pictures, when: { type: [image/gif, 'image/*'], to: ['@zei.example'], minBytes: 10 }, action: drop }
  - { name: pages, when: { type: [application/pdf] }, action: pages }
`;

test('a rule is told with the conditions that hold, for one recipient too', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  await writeFile(file, TEXT);
  const run = async (...words: readonly string[]) => mugai(['policy', 'explain', ...words, '--policy', file], {});
  const one = await run('a@zei.example', 'image/png', '--size', '20', '--from', 'x@b.example');
  assert.equal(one.code, 0, one.stderr);
  assert.match(
    one.stdout,
    /^image\/png {2}drop {2}rule no pictures \(to @zei\.example, type image\/\*, minBytes 10\)$/m,
  );
  assert.match(
    one.stdout,
    /^ +a@zei\.example: settings by rule secrets \(from \*, asset confidentiality 2\), grades by rule tax is secret \(group tax\)$/m,
  );
  const two = await run('a@a.example', 'image/png', '--size', '20', '--to', 'a@zei.example');
  assert.match(two.stdout, /drop {2}rule no pictures \(to @zei\.example, .*\), for a@zei\.example$/m);
  assert.match(two.stdout, /^ +a@a\.example: settings by no rule, grades by no rule$/m);
});

test('a rule for texts is told to be one for attachments', async () => {
  await using root = await scratch();
  const file = join(root.path, 'policy.yaml');
  await writeFile(file, TEXT.replace('type: [image/gif', 'type: [text/plain, image/gif'));
  const { stdout } = await mugai(
    ['policy', 'explain', 'a@zei.example', 'text/plain', '--size', '20', '--policy', file],
    {},
  );
  assert.match(
    stdout,
    /^text\/plain {2}drop {2}rule no pictures .*\n +as an attachment, or a file by itself; of a mail's own text: no rule keeps/m,
  );
});

test('a mail is judged for whom it names itself where nobody else is named', async () => {
  await using root = await scratch();
  const [file, mail] = [join(root.path, 'policy.yaml'), join(root.path, 'a.eml')];
  await writeFile(file, TEXT.replace('type: [image/gif', 'type: [text/plain, image/gif'));
  const parts = ['便りを一つ送ります', '添付の文章です'].map(
    (text, nth) =>
      `--B\r\nContent-Type: text/plain; charset=utf-8${nth === 1 ? '; name=1.txt' : ''}\r\n\r\n${text}\r\n`,
  );
  const head = 'From: "A, B" <x@b.example>\r\nTo: 窓口 <soumu@a.example>\r\nCc: <a@zei.example>\r\nSubject: s\r\n';
  const kind = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n';
  const attached = (parts[1] ?? '').replace('\r\n\r\n', '\r\nContent-Disposition: attachment\r\n\r\n');
  await writeFile(mail, `${head}${kind}${parts[0]}${attached}--B--\r\n`);
  const run = async (...more: readonly string[]) =>
    mugai(['policy', 'explain', mail, '--policy', file, ...more], { MUGAI_DATA_DIR: root.path });
  const own = await run();
  assert.equal(own.code, 0, own.stderr);
  assert.match(
    own.stdout,
    /rule no pictures \(to @zei\.example, type text\/plain, minBytes 10\), for a@zei\.example {2}became dropped \(policy\)$/m,
  );
  assert.match(own.stdout, /^1 {2}text\/plain {4}convert {2}no rule keeps out the text of a mail {2}became text$/m);
  assert.match(own.stdout, /judged as from x@b\.example to soumu@a\.example a@zei\.example, as its own header says/);
  const other = await run('--to', 'soumu@a.example', '--from', 'y@b.example');
  assert.match(other.stdout, /convert {2}no rule {2}became text$/m);
  assert.match(other.stdout, /judged as from y@b\.example to soumu@a\.example \(/);
});

test('what no part is, what is no address, no file and no message gets no answer', async () => {
  await using root = await scratch();
  const [policy, config] = [readPolicy(TEXT, 'x'), readConfig({ MUGAI_DATA_DIR: root.path })];
  const ask = async (words: readonly string[], finding: readonly string[] = []) =>
    explain(words, { to: [], finding }, policy, config);
  const cases: readonly (readonly [words: readonly string[], finding: readonly string[], told: RegExp])[] = [
    [['a@b.jp', 'pdf'], [], /nothing is ever detected as "pdf"; say a type such as application\/pdf/],
    [['a@b.jp', 'image/jpg'], [], /nothing is ever detected as "image\/jpg"/],
    [['application/pdf', 'a@b.jp'], [], /"application\/pdf" is no address/],
    [['a@b.jp', 'application/pdf'], ['macros'], /there is no finding "macros"/],
    [['nofile.eml'], [], /^nofile\.eml is no file here, and no id of a message$/],
  ];
  for (const [words, finding, told] of cases)
    await assert.rejects(ask(words, finding), (error) => error instanceof UsageError && told.test(error.message));
  // An id is looked up, and nothing else is opened: without a key there is no answer.
  await assert.rejects(ask([newMessageId()]), /verify-key\.pem does not exist/);
});
