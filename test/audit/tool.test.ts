// The auditor's tool in a real Chromium, offline, from a file: what it says of honest packages, of tampered ones, of journals.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { openJournal } from '../../src/audit/journal.ts';
import { auditorTool } from '../../src/audit/tool.ts';
import { audit } from '../../src/cli/audit.ts';
import { newMessageId } from '../../src/message/id.ts';
import { MANIFEST } from '../../src/outbox/manifest.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openBrowser } from '../support/browser.ts';
import { PAIR, recordOf } from '../support/packages.ts';
import { scratch, until } from '../support/scratch.ts';

const pem = (key: typeof PAIR.publicKey): string => key.export({ format: 'pem', type: 'spki' });

/** A package on disk with its place in a journal that lies beside it. */
async function prepare(
  root: string,
): Promise<{ readonly id: string; readonly folder: string; readonly journal: string }> {
  const id = newMessageId();
  const journal = await openJournal({ root: join(root, 'journal'), zone: 'inner', keepDays: 9 });
  const position = await journal.append({ act: 'converted', message: id });
  await journal.append({ act: 'approved', message: id, person: 'kacho', detail: { level: 1 } });
  await journal.close();
  const outputs = [{ name: 'files/01-資料.txt', content: Buffer.from('資料の本文\n') }];
  const record = { ...recordOf(id, ['files/01-資料.txt']), chain: [position] };
  const folder = join(root, 'package');
  for (const { name, content } of packageOf(id, record, outputs, new Signer(PAIR.privateKey))) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content as Uint8Array);
  }
  return { id, folder, journal: journal.folder };
}

/** Waits until the page has shown its results so many times. Its policy lets nobody evaluate a string in it. */
async function shown(page: Page, times: number): Promise<void> {
  await until(
    async () => Number(await page.getAttribute('body', 'data-ready')) >= times,
    60_000,
    `shown ${times} times`,
  );
}

/** What the page says after these were given to it: `kind holds: verdict`. */
async function told(page: Page, url: string, give: () => Promise<void>): Promise<string[]> {
  await page.goto(url);
  await shown(page, 1);
  await give();
  await shown(page, 2);
  const found: unknown = await page.evaluate(
    "[...document.querySelectorAll('[data-result]')].map((box) => `${box.dataset.result} ${box.dataset.holds}: ${box.querySelector('.verdict').textContent}`)",
  );
  return found as string[];
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

const TAMPERED: {
  readonly [name: string]: { readonly does: (folder: string) => Promise<unknown>; readonly says: RegExp };
} = {
  'a file was changed': {
    does: async (folder) => edit(join(folder, 'files/01-資料.txt'), (text) => text.replace('本文', '別文')),
    says: /01-資料\.txt: it was changed/,
  },
  'a file was added': {
    does: async (folder) => writeFile(join(folder, 'files/02-b.txt'), 'b'),
    says: /02-b\.txt: the manifest does not list it/,
  },
  'a file is gone': { does: async (folder) => rm(join(folder, 'message.txt')), says: /message\.txt: it is missing/ },
  'the manifest says something else': {
    does: async (folder) =>
      edit(join(folder, MANIFEST), (text) => {
        const envelope = JSON.parse(text) as { payload: string };
        const payload = Buffer.from(envelope.payload, 'base64').toString('utf8').replace('sanitised', 'sanitizer');
        return `${JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') })}\n`;
      }),
    says: /the signature does not hold/,
  },
  'the manifest has a space more': {
    does: async (folder) => edit(join(folder, MANIFEST), (text) => text.replace('":', '": ')),
    says: /no signed manifest in its one form/,
  },
};

describe('the auditor’s tool', { timeout: 580_000 }, () => {
  it('tells honest from tampered in Chromium, offline, with the public key alone', async () => {
    await using root = await scratch();
    const { id, folder, journal } = await prepare(root.path);
    const file = join(root.path, 'auditor.html');
    const url = pathToFileURL(file).href;
    await writeFile(file, await auditorTool(pem(PAIR.publicKey)));
    await using browser = await openBrowser('en');
    const { page, context, complaints } = browser;
    await context.setOffline(true);
    const [line = ''] = (await readdir(journal)).filter((name) => name.endsWith('.jsonl'));

    const honest = await told(page, url, async () => {
      await page.setInputFiles('#folder', folder);
      await page.setInputFiles('#files', join(journal, line));
      await shown(page, 3);
    });
    assert.match(honest[0] ?? '', /^manifest true: It holds/);
    assert.match(honest[1] ?? '', /^journal true: The chain holds: 5 lines, 1 signed heads/);
    const text = await page.innerText('#results');
    assert.ok(text.includes(id));
    assert.match(text, /is the line of the journal/);
    assert.match(text, /approved kacho/);
    assert.match(text, /built-in 1, SHA-256 0{64}/);

    for (const [name, { does, says }] of Object.entries(TAMPERED)) {
      const copy = join(root.path, 'tampered');
      await cp(folder, copy, { recursive: true });
      await does(copy);
      const found = await told(page, url, async () => page.setInputFiles('#folder', copy));
      assert.match(found[0] ?? '', /^manifest false: REFUSED/, name);
      assert.match(found[0] ?? '', says, name);
      await rm(copy, { recursive: true });
    }

    const loose = await told(page, url, async () =>
      page.setInputFiles('#files', [join(folder, MANIFEST), join(folder, 'files/01-資料.txt')]),
    );
    assert.deepEqual(loose, [
      'manifest true: It holds as far as files were dropped: the signature is right, 1 of 2 files compared',
    ]);
    const stranger = join(root.path, 'stranger.txt');
    await writeFile(stranger, 'never sealed\n');
    const unknown = await told(page, url, async () => page.setInputFiles('#files', [join(folder, MANIFEST), stranger]));
    assert.deepEqual(unknown[1], 'file false: no manifest that holds lists it');

    const broken = join(root.path, line);
    await writeFile(broken, (await readFile(join(journal, line), 'utf8')).replace('kacho', 'hisho'));
    const cut = await told(page, url, async () => page.setInputFiles('#files', broken));
    assert.match(cut[0] ?? '', /^journal false: BROKEN: .* line 4: it does not follow the line before/);
    assert.deepEqual(complaints, []);
  });

  it('says that it holds only of what was compared, and keeps every file that came by itself', async () => {
    await using root = await scratch();
    const [one, two] = [await prepare(join(root.path, '1')), await prepare(join(root.path, '2'))];
    const file = join(root.path, 'auditor.html');
    const url = pathToFileURL(file).href;
    await writeFile(file, await auditorTool(pem(PAIR.publicKey)));
    await using browser = await openBrowser('en');
    const { page, complaints } = browser;
    const none = /^manifest false: REFUSED: its signature is right, but none of its files was dropped$/;
    const alone = await told(page, url, async () => page.setInputFiles('#files', join(one.folder, MANIFEST)));
    assert.match(alone[0] ?? '', none);
    const changed = join(root.path, '01-資料.txt');
    await writeFile(changed, '別の本文\n');
    const tampered = await told(page, url, async () =>
      page.setInputFiles('#files', [join(one.folder, MANIFEST), changed]),
    );
    assert.match(tampered[0] ?? '', none);
    assert.equal(tampered[1], 'file false: no manifest that holds lists it');

    const message = (folder: string): string[] => [join(folder, MANIFEST), join(folder, 'message.txt')];
    const both = await told(page, url, async () => {
      await page.setInputFiles('#files', message(one.folder));
      await page.setInputFiles('#files', [...message(two.folder), changed]);
      await shown(page, 3);
    });
    assert.deepEqual(
      both.map((box) => box.slice(0, box.indexOf(':'))),
      ['manifest true', 'manifest true', 'file false'],
      'the second manifest takes the place of nothing',
    );
    const replaced = await told(page, url, async () => {
      await page.setInputFiles('#folder', one.folder);
      await page.setInputFiles('#folder', two.folder);
      await shown(page, 3);
    });
    assert.match(replaced[0] ?? '', /^manifest true: It holds: signature and digests are right$/);
    assert.match(replaced[1] ?? '', /^replaced false: another file was dropped in its place, so it is not judged/);
    await page.click('#again');
    await shown(page, 4);
    assert.equal(await page.innerText('#results'), '');
    assert.deepEqual(complaints, []);
  });

  it('refuses a manifest that is none by itself: every other result stays', async () => {
    await using root = await scratch();
    const { folder } = await prepare(root.path);
    const file = join(root.path, 'auditor.html');
    const url = pathToFileURL(file).href;
    const second = generateKeyPairSync('ed25519').publicKey;
    await writeFile(file, await auditorTool(`${pem(PAIR.publicKey)}${pem(second)}`));
    await using browser = await openBrowser('en');
    const { page, complaints } = browser;
    const honest = await readFile(join(folder, MANIFEST), 'utf8');
    type Envelope = { payload: string; signatures: { keyid: string; sig: string }[] };
    const odd = (change: (envelope: Envelope) => unknown): string =>
      `${JSON.stringify(change(JSON.parse(honest) as Envelope))}\n`;
    const form = 'it is no signed manifest in its one form';
    const signed = (statement: unknown): ((envelope: Envelope) => unknown) => {
      const payload = Buffer.from(`${JSON.stringify(statement)}\n`);
      const type = 'application/vnd.in-toto+json';
      const bytes = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
      const sig = sign(null, bytes, PAIR.privateKey).toString('base64');
      return ({ signatures: [one], ...rest }) => ({
        ...rest,
        payload: payload.toString('base64'),
        signatures: [{ ...one, sig }],
      });
    };
    const statement = JSON.parse(
      Buffer.from((JSON.parse(honest) as Envelope).payload, 'base64').toString('utf8'),
    ) as object & { predicate: object };
    const odder = (predicate: object): string =>
      odd(signed({ ...statement, predicate: { ...statement.predicate, ...predicate } }));
    const none = 'what was signed is no statement of Mugai';
    const secondId = createHash('sha256')
      .update(second.export({ format: 'der', type: 'spki' }))
      .digest('hex');
    const cases: readonly (readonly [name: string, text: string, why: string])[] = [
      ['recipients that are no list, signed', odder({ envelope: { from: 'a@b', to: 'x' } }), none],
      ['a value that cannot be written, signed', odder({ state: { toString: 1 } }), none],
      [
        'another trusted key with a signature of nobody',
        odd((one) => ({ ...one, signatures: [...one.signatures, { keyid: secondId, sig: one.signatures[0]?.sig }] })),
        'the signature does not hold: it was changed',
      ],
      [
        'the same signature twice',
        odd((one) => ({ ...one, signatures: [...one.signatures, ...one.signatures] })),
        form,
      ],
      ['null', 'null\n', form],
      ['a number', '7\n', form],
      ['no signature', odd((one) => ({ ...one, signatures: [null] })), form],
      [
        'no base64',
        odd(({ signatures: [one], ...rest }) => ({ ...rest, signatures: [{ ...one, sig: '!!' }] })),
        'the signature does not hold: it was changed',
      ],
      ['null, signed', odd(signed(null)), none],
      [
        'a list of nothing, signed',
        odd(signed({ predicateType: 'urn:mugai:sanitised:v1', subject: [null], predicate: null })),
        none,
      ],
    ];
    for (const [name, text, why] of cases) {
      const path = join(root.path, MANIFEST);
      await writeFile(path, text);
      const found = await told(page, url, async () => {
        await page.setInputFiles('#folder', folder);
        await page.setInputFiles('#files', path);
        await shown(page, 3);
      });
      assert.deepEqual(
        found,
        ['manifest true: It holds: signature and digests are right', `manifest false: REFUSED: ${why}`],
        name,
      );
    }
    assert.deepEqual(complaints, []);
  });

  it('follows journals as audit verify does: first files, junk between, other chains, signatures', async () => {
    await using root = await scratch();
    await using browser = await openBrowser('en');
    const { page, complaints } = browser;
    const file = join(root.path, 'auditor.html');
    await writeFile(file, await auditorTool(pem(PAIR.publicKey)));
    const url = pathToFileURL(file).href;
    let now = Date.parse('2026-11-01T10:00:00Z');
    const journals = join(root.path, 'journal');
    const sealed: string[] = [];
    for (let day = 0; day < 4; day++) {
      const middle = await openJournal({ root: journals, zone: 'middle', keepDays: 300, now: () => (now += 1000) });
      sealed.push(await middle.append({ act: 'sealed', message: `m${day}` }));
      await middle.close();
      now += 86_400_000;
    }
    const inner = await openJournal({ root: journals, zone: 'inner', keepDays: 300, now: () => (now += 1000) });
    for (const position of sealed) await inner.append({ act: 'delivered', detail: { chain: [position] } });
    await inner.close();

    const names = async (folder: string): Promise<string[]> =>
      (await readdir(join(folder, 'middle'))).filter((name) => name.endsWith('.jsonl')).toSorted();
    const dayOf = async (folder: string, nth: number): Promise<string> =>
      join(folder, 'middle', (await names(folder))[nth] ?? '');
    const OTHER = 'inner-00000000';
    const cases: {
      readonly [name: string]: { readonly does: (folder: string) => Promise<unknown>; readonly says: RegExp };
    } = {
      'nothing was touched': {
        does: async () => undefined,
        says: /^journal true: The chain holds: 16 lines, 4 signed heads by 1 .* up to number 15; number 14 is as inner-/,
      },
      'the first file was left out': {
        does: async (folder) => rm(await dayOf(folder, 0)),
        says: /^journal false: BROKEN: older lines are gone, and no line says/,
      },
      'a file between was left out': {
        does: async (folder) => rm(await dayOf(folder, 1)),
        says: /line 1: it does not follow the line before/,
      },
      'a file of something else lies between': {
        does: async (folder) => writeFile(join(folder, 'middle', '20261102-000000000000006.jsonl'), '{"hello":1}\n'),
        says: /000006\.jsonl line 1: it is not in its one form/,
      },
      'a line of another chain stands behind the others': {
        does: async (folder) =>
          edit(await dayOf(folder, 3), (text) => {
            const line = JSON.parse(text.split('\n')[0] ?? '') as object;
            return `${text}${JSON.stringify({ ...line, seq: 1, chain: OTHER, prev: '0'.repeat(64) })}\n`;
          }),
        says: /line 5: it is of the chain inner-00000000/,
      },
      'a file has the name of another number': {
        does: async (folder) =>
          cp(await dayOf(folder, 3), (await dayOf(folder, 3)).replace('013.', '099.')).then(async () =>
            rm(await dayOf(folder, 3)),
          ),
        says: /its file begins with another number/,
      },
      'the last day is gone, and the inner journal knows of it': {
        does: async (folder) => rm(await dayOf(folder, 3)),
        says: /^journal false: BROKEN: middle-.*: inner-.* names another line here/,
      },
      'the chain lies in another folder, too': {
        does: async (folder) => cp(join(folder, 'middle'), join(folder, 'middle-2'), { recursive: true }),
        says: /^journal false: BROKEN: its chain lies in another folder, too/,
      },
      'all lines are gone': {
        does: async (folder) => {
          for (const day of [3, 2, 1]) await rm(await dayOf(folder, day));
          await writeFile(await dayOf(folder, 0), '');
        },
        says: /^journal false: BROKEN: there is no line/,
      },
      'a time was moved back, in the last line': {
        does: async (folder) =>
          edit(await dayOf(folder, 3), (text) => {
            const line = JSON.parse(text.split('\n').at(-2) ?? '') as { seq: number; at: string; detail: object };
            const last = { ...line, seq: line.seq + 1, at: '2026-10-01T00:00:00.000Z', act: 'viewed', detail: {} };
            const prev = createHash('sha256')
              .update(text.split('\n').at(-2) ?? '')
              .digest('hex');
            return `${text}${JSON.stringify({ ...last, prev })}\n`;
          }),
        says: /line 5: it is older than the line before/,
      },
    };
    for (const [name, { does, says }] of Object.entries(cases)) {
      const copy = join(root.path, 'copy');
      await cp(journals, copy, { recursive: true });
      await does(copy);
      const found = await told(page, url, async () => page.setInputFiles('#folder', copy));
      const middle = found.filter((one) => one.startsWith('journal'));
      assert.ok(
        middle.some((one) => says.test(one)),
        `${name}: ${middle.join(' | ')}`,
      );
      await rm(copy, { recursive: true });
    }
    const thief = await openJournal({ root: journals, zone: 'inner', keepDays: 300 });
    const nowhere = `${(sealed[0] ?? '').split(':')[0]}:3:${'0'.repeat(64)}`;
    await thief.append({ act: 'delivered', message: 'forged', detail: { chain: [nowhere] } });
    await thief.close();
    const lied = await told(page, url, async () => page.setInputFiles('#folder', journals));
    assert.deepEqual(
      lied.map((one) => one.slice(0, one.indexOf(':'))).filter((one) => one !== 'file false'),
      ['journal true', 'journal true', 'journal false'],
    );
    assert.ok(lied.includes(`journal false: LIE: the package of forged names a line that never was: ${nowhere}`));
    await rm(join(journals, 'middle', 'head-key.pem'));
    await (await openJournal({ root: journals, zone: 'middle', keepDays: 300 })).close();
    const handed = await told(page, url, async () => page.setInputFiles('#folder', journals));
    assert.ok(
      handed.some((one) =>
        one.startsWith('journal false: UNCHECKED: lines from number 17 on are signed with a key that nobody'),
      ),
      handed.join(' | '),
    );
    const loose = join(root.path, 'notes.jsonl');
    await writeFile(loose, '{"hello":1}\n');
    const other = await told(page, url, async () => page.setInputFiles('#files', loose));
    assert.deepEqual(other, ['journal false: its name is not that of a file of a journal: it was not looked at']);
    assert.match(await page.innerText('main'), /Not checked here: the form of each file/);
    assert.deepEqual(complaints, []);
  });

  it('says before anybody asks how many lines of a journal it follows', async () => {
    const tool = await auditorTool(pem(PAIR.publicKey));
    const most = Number(/const MOST_LINES = ([\d_]+);/.exec(tool)?.[1]?.replaceAll('_', ''));
    assert.ok(most > 0);
    for (const words of ['監査記録は一つにつき先頭の N 行まで', 'Of each journal the first N lines are followed'])
      assert.ok(tool.includes(words.replace('N', most.toLocaleString('en'))), words);
    assert.ok(audit.help.includes(`${most.toLocaleString('en')} lines of each`));
  });

  it('trusts no other key, and takes one that is given to it', async () => {
    await using root = await scratch();
    const { folder } = await prepare(root.path);
    const other = generateKeyPairSync('ed25519').publicKey;
    const file = join(root.path, 'auditor.html');
    await writeFile(file, await auditorTool(pem(other)));
    await writeFile(join(root.path, 'verify-key.pem'), pem(PAIR.publicKey));
    await using browser = await openBrowser('ja');
    const { page, complaints } = browser;
    const url = pathToFileURL(file).href;
    const strange = await told(page, url, async () => page.setInputFiles('#folder', folder));
    assert.match(strange[0] ?? '', /^manifest false: 一致しません: 信頼する鍵の署名がありません/);
    const known = await told(page, url, async () => {
      await page.setInputFiles('#files', join(root.path, 'verify-key.pem'));
      await page.setInputFiles('#folder', folder);
      await shown(page, 3);
    });
    assert.match(known[0] ?? '', /^manifest true: 署名と内容が一致します/);
    assert.deepEqual(complaints, []);
  });
});
