// Rows 106 to 115 of the attack catalogue, over every page that the portal declares and every role there is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROLES, type Role } from '../../src/portal/accounts.ts';
import { SESSION_COOKIE, type Declared } from '../../src/portal/pages.ts';
import { ABSOLUTE_MS, IDLE_MS } from '../../src/portal/sessions.ts';
import { openBrowser } from '../support/browser.ts';
import { corpus } from '../support/attack-row.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, messageId, PASSWORD, portalUrl, Visitor } from '../support/portal.ts';
import { scratch, type Scratch } from '../support/scratch.ts';
import { barePortal } from '../support/bare-portal.ts';
import { DOOR_ROWS, PORTAL_ROWS } from './routes.ts';

const STAFF = 'staff@city.example.lg.jp';
type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;

/** What an answer says; of a stream that does not end by itself, its beginning. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type') !== 'text/event-stream') return answer.text();
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return Buffer.from((first?.value as Uint8Array | undefined) ?? []).toString();
}

describe('the portal under attack', { timeout: 600_000 }, () => {
  let folder: Scratch;
  let gateway: TestGateway;
  let url: string;
  let declared: readonly Declared[];
  let administrator: Visitor;
  let owner: Visitor;
  let message: string;
  const people = new Map<Role | 'nobody' | 'none', Visitor>();

  before(async () => {
    folder = await scratch();
    // Originals are asked for, and none is released here.
    gateway = await startTestGateway(folder.path, { MUGAI_CLAMD: `${folder.path}/clamd.sock` });
    url = portalUrl(gateway);
    declared = gateway.pages ?? [];
    administrator = await firstAdministrator(gateway);
    owner = await addPerson(administrator, 'owner', ['staff'], STAFF);
    for (const role of ROLES) people.set(role, await addPerson(administrator, `only-${role}`, [role]));
    people.set('none', await addPerson(administrator, 'no-role', []));
    people.set('nobody', new Visitor(url));
    await sendMail(gateway.smtpPort ?? 0, plainMail('秘密の便り', '秘密の本文'));
    message = await messageId(owner, '秘密の便り');
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const pathOf = (path: string, id: string): string =>
    path
      .replace(':id', id)
      .replace(':name', path.startsWith('/people') ? 'owner' : 'message.txt')
      .replace(':page', '1')
      .replace(':original', '0'.repeat(32))
      .replace(/:\w+/g, 'x');

  /** Somebody who may open a page: of staff, the one whose message it is. */
  const actorFor = (access: Declared['access']): Visitor => {
    const [role] = typeof access === 'string' ? [] : access;
    const actor = role === undefined || role === 'staff' ? owner : people.get(role);
    assert.ok(actor !== undefined);
    return actor;
  };

  it('every address of the portal and of the outer door has its rows, and every row its addresses', async () => {
    assert.deepEqual(
      declared.map(({ method, path }) => `${method} ${path}`).toSorted(),
      Object.keys(PORTAL_ROWS).toSorted(),
    );
    assert.deepEqual([...(gateway.doorRoutes ?? [])].toSorted(), Object.keys(DOOR_ROWS).toSorted());
    const held = new Set([...Object.values(PORTAL_ROWS), ...Object.values(DOOR_ROWS)].flat());
    assert.deepEqual(
      [...held].toSorted((a, b) => a - b),
      [106, 107, 108, 109, 110, 111, 112, 113, 114, 115],
    );
    for (const { method, path, access } of declared) {
      const rows = PORTAL_ROWS[`${method} ${path}`] ?? [];
      if (method === 'POST') assert.ok(rows.includes(108), `${path} changes something`);
      if (path.includes(':id') || typeof access !== 'string') assert.ok(rows.length > 0, path);
      if (path.includes(':id')) assert.ok(rows.includes(106), `${path} is about a message`);
    }
  });

  it('row 106: on every page, whoever lacks the role or the mailbox gets the 404 of a page that is not there', async () => {
    assert.ok(declared.length > 30, `only ${declared.length} pages`);
    const absentPage = async (visitor: Visitor): Promise<string> => (await visitor.get('/no-such-page')).text();
    for (const { method, path, access } of declared) {
      if (access === 'anybody') continue;
      for (const [role, visitor] of people) {
        if (path === '/sign-out') continue;
        const may: boolean = typeof access === 'string' || access.some((one) => one === role);
        const target = pathOf(path, message);
        const mailbox = path.includes(':id');
        // Whoever has the role but not the mailbox comes with a good token, so that it is the mailbox that stops him.
        const csrf: string = may && mailbox && role !== 'nobody' ? await visitor.token('/account') : 'none';
        const answer: Response = method === 'GET' ? await visitor.get(target) : await visitor.post(target, { csrf });
        const text: string = await textOf(answer);
        const what: string = `${method} ${path} as ${role}: ${answer.status}`;
        // An operator has no mailbox: he sees of every message that it came, from whom, under which subject; not what it says.
        if (may && role !== 'nobody' && path.startsWith('/console')) {
          assert.doesNotMatch(text, /秘密の本文/, what);
          continue;
        }
        if (role === 'nobody') assert.match(answer.headers.get('location') ?? '', /^\/sign-in/, what);
        else if (!may) {
          assert.equal(answer.status, 404, what);
          assert.equal(text, await absentPage(visitor), what);
        } else if (path.includes(':id')) assert.equal(answer.status, 404, what); // the role, but not the mailbox
        assert.doesNotMatch(text, /秘密の便り|秘密の本文/, what);
      }
    }
    assert.equal((await owner.get(`/messages/${message}`)).status, 200, 'its owner reads it');
  });

  it('row 106: ids cannot be guessed from others, and bad ids are no different from absent ones', async () => {
    const next = `${message.slice(0, -1)}${message.endsWith('0') ? '1' : '0'}`;
    for (const id of [next, '..%2f..', message.toUpperCase(), '%00', "'", '1'])
      assert.equal((await owner.get(`/messages/${id}`)).status, 404, id);
    for (const name of ['..%2fmanifest.dsse.json', 'manifest.dsse.json', '%2e%2e%2f', '..%5c', 'x%00.pdf'])
      assert.equal((await owner.get(`/messages/${message}/files/${name}`)).status, 404, name);
  });

  it("row 108: no act without the session's own token, from any other site, or by GET", async () => {
    const foreign = await people.get('staff')?.token('/account');
    for (const { method, path, access } of declared) {
      if (method !== 'POST' || access === 'anybody') continue;
      const actor = actorFor(access);
      for (const csrf of ['', 'x', foreign ?? '']) {
        const answer = await actor.post(pathOf(path, message), { csrf });
        assert.equal(answer.status, 403, `${path} with token "${csrf}"`);
      }
      if (!declared.some((one) => one.method === 'GET' && one.path === path))
        assert.equal((await actor.get(pathOf(path, message))).status, 404, `GET ${path}`);
    }
    const csrf = await owner.token('/account');
    for (const site of ['cross-site', 'same-site']) {
      const cookie = [...owner.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const body = new URLSearchParams({ csrf, language: 'en' });
      const answer = await fetch(`${url}/account/language`, {
        method: 'POST',
        body,
        headers: { cookie, 'sec-fetch-site': site },
        redirect: 'manual',
      });
      assert.equal(answer.status, 403, site);
    }
    const stranger = new Visitor(url);
    assert.equal((await stranger.post('/sign-in', { name: 'owner', password: PASSWORD, csrf: 'x' })).status, 403);
  });

  it('row 109: every vector of the corpora, in subject, sender, file name and reason, is text on every page', async () => {
    const blns = JSON.parse((await corpus('hostile/strings-blns/blns.json')).toString()) as string[];
    const loofah = (await corpus('hostile/html-loofah/testdata_sanitizer_tests1.dat')).toString();
    const inputs = [...loofah.matchAll(/"input":\s*"((?:[^"\\]|\\.)*)"/g)].map(
      ([, input]) => JSON.parse(`"${input}"`) as string,
    );
    const vectors = [...blns, ...inputs];
    assert.ok(vectors.length > 600, `${vectors.length} vectors`);
    const bare = await barePortal(vectors);
    try {
      await using browser = await openBrowser();
      const { page, complaints } = browser;
      await bare.signIn(page);
      await page.exposeFunction('attacked', (how: string) => complaints.push(`attacked: ${how}`));
      await page.addInitScript(
        "window.alert = (x) => window.attacked('alert ' + x); window.prompt = window.confirm = window.alert;",
      );
      let shown = 0;
      for (let path: string | null = '/messages'; path !== null;) {
        await page.goto(bare.url + path);
        shown += await page.locator('td.subject a').count();
        const [foreign, inline] = await page.evaluate(() => {
          const doc = (
            globalThis as unknown as {
              document: {
                querySelectorAll(
                  s: string,
                ): { length: number } & Iterable<{ attributes: Iterable<{ name: string }>; tagName: string }>;
              };
            }
          ).document;
          const all = [...doc.querySelectorAll('*')];
          return [
            doc.querySelectorAll(
              'main script, main iframe, main svg, main object, main embed, main img[src="x"], main style, main base, main link',
            ).length,
            all.filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
          ];
        });
        assert.equal(foreign, 0, path);
        assert.equal(inline, 0, path);
        const next = page.locator('a[rel=next]');
        path = (await next.count()) === 0 ? null : await next.getAttribute('href');
      }
      assert.ok(shown >= vectors.length, `${shown} lines for ${vectors.length} vectors`);
      assert.deepEqual(complaints, []);
      // The other pages that show what senders and people typed: reasons of requests, names of people, other mailboxes.
      const { accounts } = bare.portal.desk;
      accounts.change('reader', { roles: ['staff', 'approver', 'administrator'] });
      await bare.signIn(page);
      const reader = new Visitor(bare.url);
      await reader.signIn('reader');
      const asker = accounts.add('asker', vectors[1] ?? '', ['staff']).name;
      accounts.giveAddress(asker, 'staff@city.example.lg.jp', 'own', null, 'test');
      const hostile = bare.ids.filter((_, at) => /[<>"'&]/.test(vectors[at] ?? ''));
      assert.ok(hostile.length > 300, `${hostile.length} with markup`);
      for (const [at, id] of hostile.slice(0, 60).entries()) {
        const reason = `理由です ${vectors[bare.ids.indexOf(id)]?.slice(0, 300)}`;
        const asking = at % 2 === 0 ? reader : new Visitor(bare.url);
        if (asking !== reader) asking.cookies.set(SESSION_COOKIE, bare.portal.desk.sessions.begin(asker, 'full'));
        assert.equal((await asking.post(`/messages/${id}/original`, { reason })).status, 303);
        accounts.add(`p${at}`, vectors[bare.ids.indexOf(id)] ?? '', ['staff']);
        accounts.delegate(`p${at}`, 'reader', Date.now() + 60_000);
      }
      const pages = ['/originals', '/approvals', '/people', '/people/p1', '/account'];
      for (const id of hostile.slice(0, 20))
        pages.push(`/messages/${id}`, `/messages/${id}/original`, `/messages/${id}/files/message.txt/pages`);
      for (const path of pages) {
        const answer = await page.goto(bare.url + path);
        assert.equal(answer?.status(), 200, path);
        const planted =
          'main script, main iframe, main svg, main object, main style, main base, main [onerror], main [onload]';
        assert.equal(await page.locator(planted).count(), 0, path);
      }
      assert.ok((await (await reader.get('/approvals')).text()).includes('理由です'), 'reasons were shown');
      assert.deepEqual(complaints, []);
    } finally {
      await bare.close();
    }
  });

  it('row 109: a strict content policy without inline script stands on every answer of every address', async () => {
    const asked = declared
      .filter(({ method }) => method === 'GET')
      .map(({ path, access }) => [pathOf(path, message), actorFor(access)] as const);
    for (const path of ['/no-such-page', '/assets/portal.css', '/assets/portal.js']) asked.push([path, owner]);
    for (const [path, visitor] of asked) {
      const answer = await visitor.get(path);
      await answer.body?.cancel();
      const policy = answer.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/, path);
      assert.doesNotMatch(policy, /unsafe|\*/, path);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', path);
      if (!path.startsWith('/assets/'))
        assert.match(answer.headers.get('cache-control') ?? '', /no-store|private/, path);
    }
  });

  it('row 110: what is downloaded is saved, never opened in our origin', async () => {
    const answer = await owner.get(`/messages/${message}/files/message.txt`);
    assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment;/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/);
  });

  it('row 111: a new id at sign-in, safe cookies, an end on the server at sign-out, idleness and after twelve hours', async () => {
    const visitor = new Visitor(url);
    visitor.cookies.set('__Host-mugai', 'chosen-by-an-attacker');
    const answer = await visitor.signIn('owner');
    const line = answer.headers.getSetCookie().find((one) => one.startsWith('__Host-mugai=')) ?? '';
    assert.match(line, /; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    assert.notEqual(visitor.cookies.get('__Host-mugai'), 'chosen-by-an-attacker');
    const stolen = new Visitor(url);
    for (const [name, value] of visitor.cookies) stolen.cookies.set(name, value);
    assert.equal((await stolen.get('/messages')).status, 200);
    await visitor.post('/sign-in', { name: 'owner', password: PASSWORD }, '/account');
    assert.equal((await stolen.get('/messages')).status, 303, 'signing in again ends the session before');
    for (const [name, value] of visitor.cookies) stolen.cookies.set(name, value);
    await visitor.post('/sign-out', {});
    assert.equal((await stolen.get('/messages')).status, 303, 'a kept cookie opens nothing after the sign-out');

    const bare = await barePortal(['x']);
    try {
      const clocked = new Visitor(bare.url);
      const status = async (): Promise<number> => (await clocked.get('/messages')).status;
      assert.equal((await clocked.signIn('reader')).status, 303);
      bare.pass(IDLE_MS - 1000);
      assert.equal(await status(), 200);
      bare.pass(IDLE_MS + 1000);
      assert.equal(await status(), 303, 'idle');
      assert.match(await (await clocked.get('/sign-in')).text(), /しばらく使われなかった/);
      await clocked.signIn('reader');
      for (let spent = 0; spent < ABSOLUTE_MS; spent += IDLE_MS / 2) {
        bare.pass(IDLE_MS / 2);
        if (spent + IDLE_MS / 2 < ABSOLUTE_MS) assert.equal(await status(), 200);
      }
      bare.pass(1000);
      assert.equal(await status(), 303, 'twelve hours');
    } finally {
      await bare.close();
    }
  });

  it('row 111: who is disabled, or whose password or roles change, is signed out everywhere', async () => {
    const victim = await addPerson(administrator, 'victim', ['staff']);
    assert.equal((await victim.get('/messages')).status, 200);
    await administrator.post('/people/victim/roles', { role: ['staff', 'auditor'] });
    assert.equal((await victim.get('/messages')).status, 303);
    await victim.signIn('victim');
    const second = new Visitor(url);
    await second.signIn('victim');
    const old = { old: PASSWORD, password: '新しい合言葉は長い', again: '新しい合言葉は長い' };
    assert.equal((await victim.post('/account/password', old)).status, 400, 'too short is told');
    const longer = '新しい合言葉はとても長い';
    assert.equal(
      (await victim.post('/account/password', { old: PASSWORD, password: longer, again: longer })).status,
      303,
    );
    assert.equal((await second.get('/messages')).status, 303, 'the other browser');
    assert.equal((await victim.get('/messages')).status, 200, 'this one goes on, with a new session');
    await administrator.post('/people/victim/state', { disabled: '1' });
    assert.equal((await victim.get('/messages')).status, 303);
    assert.equal((await new Visitor(url).signIn('victim', longer)).status, 403);
    await administrator.post('/people/only-administrator/state', { disabled: '1' });
    assert.equal((await administrator.post('/people/kanri/state', { disabled: '1' })).status, 400, 'not the last one');
  });

  it('row 114: guessing is slowed by account and by address, and unknown names cost the same as wrong passwords', async () => {
    const bare = await barePortal(['x']);
    try {
      const guess = async (name: string, password: string): Promise<Response> =>
        new Visitor(bare.url).signIn(name, password);
      const guessOnce = async (name: string): Promise<number> => {
        const spent = process.cpuUsage().user;
        await guess(name, 'wrong password');
        return process.cpuUsage().user - spent;
      };
      await guessOnce('reader');
      // The least of several: collections and compilations only ever add.
      let [known, unknown] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      for (let round = 0; round < 4; round++) {
        known = Math.min(known, await guessOnce('reader'));
        unknown = Math.min(unknown, await guessOnce('nobody-here'));
        bare.pass(16 * 60_000); // more guesses than may follow each other
      }
      assert.ok(unknown > known / 3 && known > unknown / 3, `${known} and ${unknown} µs`);
      const texts = new Set<string>();
      for (const name of ['reader', 'nobody-here']) {
        const text = await (await guess(name, 'wrong password')).text();
        texts.add(text.replaceAll(name, '').replace(/value="[^"]*"/g, ''));
      }
      assert.equal(texts.size, 1, 'one answer for both');
      while ((await guess('reader', 'wrong')).status === 403);
      assert.equal((await guess('reader', PASSWORD)).status, 429, 'the right password has to wait, too');
      bare.pass(16 * 60_000);
      assert.equal((await guess('reader', PASSWORD)).status, 303);
      const together = await Promise.all(Array.from({ length: 20 }, async () => guess('reader', 'wrong')));
      const tried = together.filter(({ status }) => status === 403).length;
      assert.ok(tried <= 5, `${tried} guesses at once`);
      assert.ok(together.every(({ status, headers }) => status === 403 || headers.get('retry-after') !== null));
      bare.pass(16 * 60_000);
      assert.equal(
        (await guess('reader', PASSWORD)).status,
        303,
        'guesses that have ended count no longer than others',
      );
      for (let n = 0; n < 70; n++) await guess(`name-${n}`, 'x');
      assert.equal((await guess('reader', PASSWORD)).status, 429, 'the address has to wait');
    } finally {
      await bare.close();
    }
  });

  it('row 112: one-time codes are kept as hashes, live a day, and a look at their page does not use them up', async () => {
    const made = await administrator.post('/people', { name: 'coded', display: 'x', address: '', role: ['staff'] });
    const code = /<code class="code">([^<]+)</.exec(await made.text())?.[1] ?? '';
    const files = await Promise.all(
      ['accounts.sqlite', 'accounts.sqlite-wal'].map(async (name) =>
        readFile(join(folder.path, 'portal', name), 'latin1'),
      ),
    );
    for (const text of files) assert.ok(!text.includes(code) && !text.includes(code.replaceAll('-', '')));
    const visitor = new Visitor(url);
    for (let looks = 0; looks < 3; looks++) assert.equal((await visitor.get('/first')).status, 200);
    assert.equal((await visitor.post('/first', { code, password: PASSWORD, again: PASSWORD }, '/first')).status, 303);
    assert.equal(
      (await new Visitor(url).post('/first', { code, password: PASSWORD, again: PASSWORD }, '/first')).status,
      403,
    );
  });

  // The last one: it changes people and roles at random.
  it('row 115: an address in any field of any form is called by nobody, and nobody is sent there', async () => {
    let called = 0;
    const lurking = createServer((socket) => {
      called += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(lurking, 'listening');
    const lure = `http://127.0.0.1:${(lurking.address() as AddressInfo).port}/`;
    try {
      const fields = new Set(['to', 'url']);
      for (const { method, path, access } of declared) {
        if (method !== 'GET') continue;
        const text = await textOf(await actorFor(access).get(pathOf(path, message)));
        for (const [, name = ''] of text.matchAll(/ name="([^"]+)"/g)) if (name !== 'csrf') fields.add(name);
      }
      assert.ok(fields.size > 15, [...fields].join(' '));
      const filled = Object.fromEntries([...fields].map((name) => [name, lure]));
      const query = new URLSearchParams(filled).toString();
      for (const { method, path, access } of declared) {
        if (path === '/sign-out') continue;
        const actor = actorFor(access);
        const answer: Response =
          method === 'GET'
            ? await actor.get(`${pathOf(path, message)}?${query}`)
            : await actor.post(pathOf(path, message), filled);
        await answer.body?.cancel();
        assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
        assert.match(answer.headers.get('location') ?? '/', /^\/(?!\/)/, `${method} ${path} leads out`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.equal(called, 0);
    } finally {
      lurking.close();
    }
  });
});
