// No bypass, second part: pages that can be read before their package is there, and whatever is made anew from an original because
// somebody asked for it. The checker searches all of it for bytes of what came.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { intake } from '../../src/ingress/intake.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import type { Sanitised } from '../../src/message/stages.ts';
import { untrusted } from '../../src/message/untrusted.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { MANIFEST, keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { sealPasswords } from '../../src/requests/sealed-box.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { sanitise, type SanitiseDeps } from '../../src/sanitise/sanitise.ts';
import { LiveSealer } from '../../src/seal/live.ts';
import { Signer, seal } from '../../src/seal/seal.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { answerReruns } from '../../src/zones/operator.ts';
import { answerOriginals } from '../../src/zones/originals.ts';
import { answerRenders } from '../../src/zones/renders.ts';
import { answerPasswords } from '../../src/zones/requests.ts';
import { answerTexts } from '../../src/zones/texts.ts';
import { fileFaults, judgePackage, originalOf, readPackage } from '../support/checker/checker.ts';
import type { NoOriginal } from '../support/checker/no-original.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { sheetData, xlsx } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';

const PAGES = LIMITS.livePages + 5;
const PASSWORD = 'himitsu-47';

/** A document of so many pages, each with bytes beside it that nothing draws: a stream, and one in the file itself. */
function longPdf(): Buffer {
  const first = 4;
  const kids = Array.from({ length: PAGES }, (_, nth) => `${first + 3 * nth} 0 R`).join(' ');
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${PAGES} /Kids [${kids}]>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    ...Array.from({ length: PAGES }, (_, nth) => {
      const at = first + 3 * nth;
      return [
        `<</Type /Page /Parent 2 0 R /MediaBox [0 0 144 144] /Resources <</Font <</F 3 0 R>>>> /Contents ${at + 1} 0 R /PieceInfo ${at + 2} 0 R>>`,
        stream('', `BT /F 20 Tf 20 40 Td (Page ${nth + 1}) Tj ET`),
        stream('', randomBytes(400).toString('latin1')),
      ];
    }).flat(),
  ]);
}

async function lockedPdf(folder: string): Promise<Buffer> {
  const [from, to] = [join(folder, 'open.pdf'), join(folder, 'locked.pdf')];
  await writeFile(from, longPdf());
  execFileSync('qpdf', ['--encrypt', PASSWORD, 'owner', '256', '--', from, to]);
  return readFile(to);
}

function mailOf(parts: readonly (readonly [name: string, bytes: Buffer])[]): Buffer {
  const head =
    'From: sender@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: test\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: multipart/mixed; boundary="=b"\r\n\r\n--=b\r\nContent-Type: text/plain\r\n\r\nhello\r\n';
  const attached = parts.map(
    ([name, bytes]) =>
      `--=b\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
      `${bytes.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`,
  );
  return Buffer.from(`${head}${attached.join('')}--=b--\r\n`);
}

interface Looked {
  readonly faults: readonly string[];
  readonly seen: { pages: number; seals: number; packages: number };
}

/** Every file outside the spool: live pages and their seals, packages, journal. `seen`: how many there were of each. */
async function look(root: string, original: NoOriginal): Promise<Looked> {
  const faults: string[] = [];
  const seen = { pages: 0, seals: 0, packages: 0 };
  for (const zone of ['outbox', 'journal'])
    for (const entry of await readdir(join(root, zone), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(join(entry.parentPath, entry.name));
      if (entry.parentPath.endsWith('.live')) {
        seen[entry.name.endsWith('.pdf') ? 'pages' : 'seals'] += 1;
        if (entry.name.endsWith('.pdf')) faults.push(...fileFaults(entry.name, bytes, original));
        else faults.push(...original.inText(bytes, entry.name));
      } else if (entry.name === MANIFEST) {
        seen.packages += 1;
        faults.push(...judgePackage(await readPackage(entry.parentPath), original));
      } else if (zone === 'journal' && entry.name.endsWith('.jsonl'))
        faults.push(...original.inText(bytes, entry.name));
    }
  return { faults, seen };
}

it('no bytes of an original are in pages before their package, nor in what a request of any form makes from it', async () => {
  await using folder = await scratch();
  const at = (name: string): string => join(folder.path, name);
  const spool = new Spool(await openFsStore(at('spool')));
  const outbox = new Outbox(await openFsStore(at('outbox')));
  const journal = await openJournal({ root: at('journal'), zone: 'middle', keepDays: 1 });
  const pair = generateKeyPairSync('ed25519');
  const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
  const signer = new Signer(pair.privateKey);
  const opened = await openPools(2, () => undefined, (await machineJail()).walls);
  const { signal } = new AbortController();
  try {
    const book = xlsx(
      [
        {
          name: '予算',
          xml: sheetData([
            ['款', '金額'],
            ['総務費', 12_345],
          ]),
        },
      ],
      {
        'xl/media/secret.bin': randomBytes(3000).toString('base64'),
      },
    );
    const raw = mailOf([
      ['report.pdf', longPdf()],
      ['yosan.xlsx', book],
      ['locked.pdf', await lockedPdf(folder.path)],
    ]);
    const original = originalOf(raw);
    const deps: SanitiseDeps = {
      spool,
      policy: builtInPolicy(),
      metrics: openMetrics(false),
      passwords: [],
      begin: (cap) => spool.begin(cap),
      version: 'test',
      pools: opened.pools,
      live: (id: MessageId) => new LiveSealer(id, outbox, signer),
    };
    const content = spool.begin(LIMITS.messageBytes);
    await content.write(raw);
    const arrival = {
      kind: 'mail' as const,
      name: untrusted(''),
      envelope: { from: 'sender@example.com', to: ['staff@city.example.lg.jp'] },
      peer: untrusted('test'),
    };
    const spooled = await intake(arrival, content.finish(), { spool, audit: journal, onSpooled: () => undefined });
    const { id } = spooled;
    const sanitised = await sanitise(spooled, deps, signal);
    const [report, table, locked] = sanitised.record.parts.slice(1);
    assert.deepEqual([report?.verdict, table?.verdict, locked?.verdict], ['pages', 'pages', 'held']);

    // Before the package: the pages of the long document, each a file of its own.
    const before = await look(folder.path, original);
    assert.deepEqual(before, { faults: [], seen: { pages: PAGES, seals: PAGES, packages: 0 } });
    const page = await outbox.live(id).page(report?.outputs[0] ?? '', 1, keys);
    assert.ok(page !== undefined);
    const foul = Buffer.concat([page, raw.subarray(1000, 1200)]);
    assert.notDeepEqual(fileFaults('01-00001.pdf', foul, original), [], 'the checker finds what is there');

    const sealDeps = { spool, outbox, signer, audit: journal };
    const sealIt = async (made: Sanitised): Promise<void> => {
      assert.deepEqual((await look(folder.path, original)).faults, [], 'what is shown before it is whole');
      await seal(made, sealDeps, signal);
    };
    await sealIt(sanitised);
    assert.deepEqual((await look(folder.path, original)).seen, { pages: 0, seals: 0, packages: 1 });

    const ask = (part: string | undefined, more: object) =>
      ({ request: newMessageId(), id, part: part ?? '', by: 'hanako', at: new Date().toISOString(), ...more }) as never;
    const box = generateKeyPairSync('x25519');
    const request = newMessageId();
    const context = { request, id, part: locked?.path ?? '' };
    const answers = [
      async () =>
        answerRenders({ ...deps, outbox, signer })(
          ask(report?.path, { dpi: 300, from: 2, to: 20, colour: true }),
          signal,
        ),
      async () => answerTexts({ ...deps, seal: sealIt })(ask(report?.path, { form: 'text' }), signal),
      async () => answerTexts({ ...deps, seal: sealIt })(ask(table?.path, { form: 'values' }), signal),
      async () =>
        answerPasswords({ deps, requestKey: box.privateKey, seal: sealIt, opened: async () => undefined })(
          ask(locked?.path, { request, box: sealPasswords([PASSWORD], box.publicKey, context) }),
          signal,
        ),
      async () =>
        answerReruns({ deps, seal: sealIt }, { audit: journal } as never)(ask('', { limits: { pages: 3 } }), signal),
      async () =>
        answerOriginals(spool)(
          ask(report?.path, {
            purpose: 'x',
            approvedBy: 'kacho',
            sha256: report?.sha256,
            token: 'a'.repeat(64),
            notBefore: new Date().toISOString(),
            expires: new Date(Date.now() + 3_600_000).toISOString(),
          }),
          signal,
        ),
    ];
    const counts: string[] = [];
    for (const answer of answers) {
      assert.equal(await answer(), 'answered');
      const { faults, seen } = await look(folder.path, original);
      assert.deepEqual(faults, []);
      counts.push(`${seen.pages} ${seen.packages}`);
    }
    // Live pages of the render stay; each other form but the original is a package of its own.
    assert.deepEqual(counts, ['19 1', '19 2', '19 3', '19 4', '19 5', '19 5']);
    const text = (await readdir(at('outbox'), { recursive: true })).filter((name) => name.endsWith('.txt'));
    assert.ok(text.length >= 3, text.join(', '));
  } finally {
    await opened.close();
    await journal.close();
  }
});
