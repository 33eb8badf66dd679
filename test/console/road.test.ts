// The road of one message in the console: the times of its steps and their seconds; and what of it stays when so much was done
// since that the processes tell of it no longer.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { addPerson, firstAdministrator, messageId } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';

const TO = 'staff@city.example.lg.jp';
/** Acts that a process tells of, and how many of the middle's one mail takes: accepted, made harmless, sealed. */
const [TOLD, OF_A_MAIL] = [300, 3];

it('the road of a message shows time, seconds since the step before and seconds of work; times stay when 300 acts followed', async () => {
  await using folder = await scratch();
  await using inner = await startInnerServer();
  await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
  const administrator = await firstAdministrator(gateway);
  const staff = await addPerson(administrator, 'staff', ['staff'], TO);
  const ueda = await addPerson(administrator, 'ueda', ['operator']);
  await sendMail(gateway.smtpPort ?? 0, plainMail('道のり'));
  const id = await messageId(staff, '道のり');

  /** The cells of the road: step, time, since the step before, work, since arrival. */
  const road = async (): Promise<Map<string, string[]>> => {
    const page = await (await ueda.get(`/console/messages/${id}`)).text();
    const table = /<h2>たどった道<\/h2>[^]*?<\/table>/.exec(page)?.[0] ?? '';
    const rows = [...table.matchAll(/<tr>([^]*?)<\/tr>/g)].slice(1);
    const cells = rows.map(([, row = '']) =>
      [...row.matchAll(/<td>([^]*?)<\/td>/g)].map(([, cell = '']) => cell.trim()),
    );
    return new Map(cells.map(([step = '', ...rest]) => [step, rest]));
  };
  const time = /^\d{4}\/\d{1,2}\/\d{1,2} \d{1,2}:\d\d:\d\d$/;
  const seconds = /^\d+\.\d\d 秒$|^\d+ 秒$/;
  const steps = ['受付', '無害化', '署名 (ok)', '検査と配送 (delivered)'];
  await until(async () => (await road()).size === steps.length, 60_000, 'all zones told of it');
  const told = await road();
  assert.deepEqual([...told.keys()], steps);
  for (const [step, [at = '', since = '', work = '', all = '']] of told) {
    assert.match(at, time, step);
    assert.match(all, seconds, step);
    for (const one of step === '受付' ? [] : [since, work]) assert.match(one, seconds, step);
  }

  for (let sent = 0; sent * OF_A_MAIL <= TOLD; sent++) await sendMail(gateway.smtpPort ?? 0, plainMail(`${sent}`));
  await until(async () => (await road()).size < steps.length, 120_000, 'the middle tells of others');
  const kept = await road();
  assert.deepEqual([...kept.keys()], [steps[0], steps[1], steps[3]]);
  for (const [step, [at, since = '', , all]] of kept) {
    assert.deepEqual([at, all], [told.get(step)?.[0], told.get(step)?.[3]], step);
    if (step !== '受付') assert.match(since, seconds, step);
  }
  assert.equal(kept.get('無害化')?.[2], '', 'how long the work took is told no longer');
});
