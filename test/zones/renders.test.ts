// A person asks for pages once more, sharper: they come as live pages of the request, and nothing else happens.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { LiveSealer } from '../../src/seal/live.ts';
import { Signer } from '../../src/seal/seal.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { removePackage, sweepLivePages } from '../../src/zones/live-pages.ts';
import { answerRenders } from '../../src/zones/renders.ts';
import { makePdf, stream } from '../support/make-pdf.ts';
import { scratch } from '../support/scratch.ts';

const SIDE = 144;
function document(pages: number): Buffer {
  const kids = Array.from({ length: pages }, (_, i) => `${4 + 2 * i} 0 R`).join(' ');
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count ${pages} /Kids [${kids}]>>`,
    '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>',
    ...Array.from({ length: pages }, (_, i) => [
      `<</Type /Page /Parent 2 0 R /MediaBox [0 0 ${SIDE} ${SIDE + i}] /Resources <</Font <</F 3 0 R>>>> /Contents ${5 + 2 * i} 0 R>>`,
      stream('', 'BT /F 20 Tf 20 40 Td (Page) Tj ET'),
    ]).flat(),
  ]);
}

test('pages of a part of a mail are drawn at the asked resolution, sealed under the request, and nothing else is made', async () => {
  await using folder = await scratch();
  const store = await openFsStore(`${folder.path}/spool`);
  const outbox = new Outbox(await openFsStore(`${folder.path}/outbox`));
  const spool = new Spool(store);
  const pair = generateKeyPairSync('ed25519');
  const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
  const pools = await openPools(1, () => undefined);
  try {
    const mail = [
      'From: a@example.com',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'words',
      '--b',
      'Content-Type: application/pdf; name=report.pdf',
      'Content-Transfer-Encoding: base64',
      '',
      document(5).toString('base64'),
      '--b--',
      '',
    ].join('\r\n');
    const { signal } = new AbortController();
    const content = await stage(store, Readable.from([Buffer.from(mail)]), LIMITS.messageBytes, signal);
    const id = newMessageId();
    await spool.accept({
      raw: content,
      facts: {
        stage: 'spooled',
        id,
        source: { kind: 'mail', name: '', size: content.size, sha256: content.sha256 },
        envelope: { from: 'a@example.com', to: ['b@city.example.lg.jp'] },
        peer: '',
        receivedAt: new Date().toISOString(),
      },
    });
    const answer = answerRenders({
      spool,
      outbox,
      signer: new Signer(pair.privateKey),
      pools: pools.pools,
      policy: builtInPolicy(),
      metrics: openMetrics(false),
      passwords: [],
      begin: (cap) => store.begin(cap),
      version: 'test',
    });
    const ask = (more: object) =>
      ({
        kind: 'render',
        request: newMessageId(),
        id,
        part: '2',
        by: 'x',
        at: '',
        dpi: 300,
        from: 2,
        to: 4,
        ...more,
      }) as never;
    const request = newMessageId();
    assert.equal(await answer(ask({ request }), signal), 'answered');
    const live = outbox.live(request);
    const output = 'files/01-report.pdf';
    assert.deepEqual(await live.documents(keys), [{ output, pages: 3, sealed: 3 }]);
    for (let page = 1; page <= 3; page++) {
      const seen: number[][] = [];
      await live.page(output, page, keys, ({ width, heightPt }) => void seen.push([width, Math.round(heightPt)]));
      assert.deepEqual(seen, [[(SIDE * 300) / 72, SIDE + page]]); // pages 2 to 4 of the document
    }
    assert.equal(await outbox.find(request), undefined);
    assert.equal(await outbox.find(id), undefined);

    // A page of black letters is grey, unless all its colours are asked for.
    const coloursOf = async (one: MessageId): Promise<string[]> => {
      const seen: string[] = [];
      await outbox.live(one).page(output, 1, keys, ({ colours }) => void seen.push(colours));
      return seen;
    };
    assert.deepEqual(await coloursOf(request), ['grey']);
    const colour = newMessageId();
    await answer(ask({ request: colour, dpi: 200, colour: true }), signal);
    assert.deepEqual(await coloursOf(colour), ['rgb']);

    // Newer pages that show as much take the place of older ones; others stay, until the message goes.
    const pagesOf = async (one: MessageId): Promise<number> => (await outbox.live(one).documents(keys))[0]?.pages ?? 0;
    const [coarse, all, beyond] = [newMessageId(), newMessageId(), newMessageId()];
    await answer(ask({ request: coarse, dpi: 200, from: 1, to: 5 }), signal);
    assert.equal(await pagesOf(request), 3, 'it is finer');
    await answer(ask({ request: all, dpi: 300, from: 1, to: 4 }), signal);
    assert.deepEqual(await Promise.all([request, coarse, all].map(pagesOf)), [0, 5, 4]);
    await answer(ask({ request: beyond, dpi: 200, from: 2, to: 5 }), signal);
    assert.deepEqual(await Promise.all([coarse, all, beyond].map(pagesOf)), [5, 4, 4]);
    assert.equal(await pagesOf(colour), 3, 'finer grey ones do not show its colours');
    await answer(ask({ request: newMessageId(), dpi: 300, colour: true }), signal);
    assert.equal(await pagesOf(colour), 0);
    assert.equal(
      await sweepLivePages({ spool, outbox }, Date.now() + 365 * 86_400_000, signal),
      0,
      'they have a message',
    );
    for (const wrong of [{ part: '1' }, { part: '7' }, { from: 6, to: 6 }, { from: 4, to: 2 }, { from: 1, to: 21 }])
      await assert.rejects(answer(ask(wrong), signal), { permanent: true });
    await assert.rejects(answer(ask({ id: newMessageId() }), signal), { code: 'not-found' });
    assert.equal((await spool.renders.of(id)).length, 4, 'nothing is noted of what was refused');
    await removePackage({ spool, outbox }, id);
    assert.deepEqual(await Promise.all([coarse, all, beyond].map(pagesOf)), [0, 0, 0]);
    assert.deepEqual(await spool.renders.messages(), []);
  } finally {
    await pools.close();
  }
});

test('first pages that stayed behind their package, and those of nothing that is known, are swept away; what is under way stays', async () => {
  await using folder = await scratch();
  const store = await openFsStore(`${folder.path}/spool`);
  const outbox = new Outbox(await openFsStore(`${folder.path}/outbox`));
  const spool = new Spool(store);
  const pair = generateKeyPairSync('ed25519');
  const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
  const { signal } = new AbortController();
  const [sealed, underWay, stray] = [newMessageId(), newMessageId(), newMessageId()];
  const content = await stage(store, Readable.from([Buffer.from('x')]), LIMITS.messageBytes, signal);
  await spool.accept({
    raw: content,
    facts: {
      stage: 'spooled',
      id: underWay,
      source: { kind: 'mail', name: '', size: content.size, sha256: content.sha256 },
      envelope: { from: 'a@example.com', to: ['b@city.example.lg.jp'] },
      peer: '',
      receivedAt: new Date().toISOString(),
    },
  });
  await outbox.add(sealed, [{ name: 'manifest.dsse.json', content: Buffer.from('{}') }]);
  for (const id of [sealed, underWay, stray])
    await new LiveSealer(id, outbox, new Signer(pair.privateKey)).page('files/01-a.pdf', 0, 2, Buffer.from('page'));
  const there = async (): Promise<boolean[]> =>
    Promise.all([sealed, underWay, stray].map(async (id) => (await outbox.live(id).documents(keys)).length > 0));
  assert.deepEqual(await there(), [true, true, true]);
  assert.equal(await sweepLivePages({ spool, outbox }, Date.now(), signal), 1);
  assert.deepEqual(await there(), [false, true, true], 'somebody may still be drawing them');
  assert.equal(await sweepLivePages({ spool, outbox }, Date.now() + 2 * 86_400_000, signal), 1);
  assert.deepEqual(await there(), [false, true, false]);
});
