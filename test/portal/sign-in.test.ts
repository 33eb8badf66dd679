// Signing in by more than a password: TOTP, a directory (Debian's slapd), an OpenID provider, a reverse proxy.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Attribute, Change, Client } from 'ldapts';
import Provider from 'oidc-provider';
import { Secret, TOTP } from 'otpauth';
import { hashPassword } from '../../src/portal/passwords.ts';
import { barePortal } from '../support/bare-portal.ts';
import { openBrowser } from '../support/browser.ts';
import { startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, PASSWORD, portalUrl, Visitor } from '../support/portal.ts';
import { freePort } from '../support/ports.ts';
import { scratch, until } from '../support/scratch.ts';

describe('signing in', { timeout: 580_000 }, () => {
  it('TOTP: turned on with a right code, asked for after the password, each code once', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff']);
    const setup = await (await hanako.post('/account/totp/begin', {})).text();
    const secret = /data-secret(?:="")?>([A-Z2-7]+)</.exec(setup)?.[1] ?? '';
    assert.match(await (await hanako.get('/account/totp/qr.svg')).text(), /^<svg/);
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    // A code is one of its half minute: all are taken at once, with time left in which they are what they are called here.
    await until(() => Date.now() % 30_000 < 15_000, 60_000, 'the first half of a step');
    const [before, now, next] = [-1, 0, 1].map((step) => totp.generate({ timestamp: Date.now() + step * 30_000 }));
    assert.ok(before !== undefined && now !== undefined && next !== undefined);
    const wrong = ['000000', '111111', '222222', '333333'].find((one) => ![before, now, next].includes(one)) ?? '';
    assert.equal((await hanako.post('/account/totp', { code: wrong })).status, 403);
    assert.equal((await hanako.post('/account/totp', { code: before })).status, 303);

    const again = new Visitor(administrator.url);
    assert.equal((await again.signIn('hanako')).headers.get('location'), '/sign-in/code');
    assert.match(
      (await again.get('/messages')).headers.get('location') ?? '',
      /^\/sign-in/,
      'half signed in is not in',
    );
    assert.equal((await again.post('/account/password', {}, '/sign-in/code')).status, 303);
    assert.equal((await again.post('/sign-in/code', { code: before }, '/sign-in/code')).status, 403, 'used before');
    const half = again.cookies.get('__Host-mugai');
    const owed = '/sign-in/code?to=%2Fmessages%3Fword%3Dx%2By';
    assert.equal((await again.get('/sign-in?to=%2Fmessages%3Fword%3Dx%2By')).headers.get('location'), owed);
    const to = /name="to" value="([^"]*)"/.exec(await (await again.get(owed)).text())?.[1] ?? '';
    const whole = await again.post('/sign-in/code', { code: now, to }, '/sign-in/code');
    assert.deepEqual([whole.status, whole.headers.get('location')], [303, '/messages?word=x+y']);
    assert.notEqual(again.cookies.get('__Host-mugai'), half, 'a new id for the whole session');
    assert.equal((await again.get('/messages')).status, 200);
    const third = new Visitor(administrator.url);
    await third.signIn('hanako');
    assert.equal((await third.post('/sign-in/code', { code: now }, '/sign-in/code')).status, 403, 'a replay');
    for (let n = 0; n < 4; n++) await third.post('/sign-in/code', { code: wrong }, '/sign-in/code');
    assert.equal((await third.post('/sign-in/code', { code: next }, '/sign-in/code')).status, 429, 'guessing is slow');
  });

  it('a browser that keeps no cookie of ours, as over plain http to another machine, is told what it needs', async () => {
    const bare = await barePortal(['x']);
    try {
      const visitor = new Visitor(bare.url);
      const csrf = await visitor.token('/sign-in');
      const body = (): URLSearchParams => new URLSearchParams({ csrf, name: 'reader', password: PASSWORD });
      const none = await fetch(`${bare.url}/sign-in`, { method: 'POST', body: body() });
      assert.equal(none.status, 403);
      assert.match(await none.text(), /https.*localhost/);
      const other = { cookie: '__Host-mugai-stranger=another' };
      const old = await fetch(`${bare.url}/sign-in`, { method: 'POST', body: body(), headers: other });
      assert.equal(old.status, 403);
      assert.doesNotMatch(await old.text(), /localhost/, 'a form that is out of date is told as that');
    } finally {
      await bare.close();
    }
  });

  it('TOTP: turning it off is guessed at as slowly as signing in, nothing replaces it, and half a sign-in ends with it', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const reader = new Visitor(bare.url);
      await reader.signIn('reader');
      const secretOf = async (answer: Response): Promise<string> =>
        /data-secret(?:="")?>([A-Z2-7]+)</.exec(await answer.text())?.[1] ?? '';
      const secret = await secretOf(await reader.post('/account/totp/begin', {}));
      const code = (of: string, minutes = 0, steps = 0): string =>
        new TOTP({ secret: Secret.fromBase32(of) }).generate({
          timestamp: bare.portal.desk.now() + minutes * 60_000 + steps * 30_000,
        });
      assert.equal((await reader.post('/account/totp', { code: code(secret, 0, -1) })).status, 303);

      // Another secret is not put in its place, neither begun now nor before.
      assert.equal((await reader.post('/account/totp/begin', {})).status, 409);
      assert.equal((await reader.post('/account/totp', { code: code(secret) })).status, 409);

      const half = new Visitor(bare.url);
      await half.signIn('reader');
      for (let n = 0; n < 5; n++) {
        const wrong = await reader.post('/account/totp/off', { code: '000000' });
        assert.equal(wrong.status, 403);
        assert.match(await wrong.text(), /コードが違います/);
      }
      const waits = await reader.post('/account/totp/off', { code: code(secret) });
      assert.equal(waits.status, 429);
      assert.match(await waits.text(), /しばらく受け付けません/);
      assert.equal(bare.portal.desk.accounts.find('reader')?.hasTotp, true);
      bare.pass(16 * 60_000);
      assert.equal((await reader.post('/account/totp/off', { code: code(secret) })).status, 303);
      assert.equal(bare.portal.desk.accounts.find('reader')?.hasTotp, false);

      // Whoever was half in elsewhere begins anew, and gets in.
      assert.equal((await half.get('/sign-in/code')).headers.get('location'), '/sign-in');
      const session = half.cookies.get('__Host-mugai');
      const page = await half.get('/sign-in');
      assert.equal(page.status, 200);
      assert.match(await page.text(), /name="password"/);
      assert.equal(half.cookies.get('__Host-mugai'), undefined);
      const stolen = new Visitor(bare.url);
      stolen.cookies.set('__Host-mugai', session ?? '');
      assert.match((await stolen.get('/sign-in/code')).headers.get('location') ?? '', /^\/sign-in\?to=/);
      assert.equal((await half.signIn('reader')).status, 303);
      assert.equal((await half.get('/messages')).status, 200);
    } finally {
      await bare.close();
    }
  });

  it('a lost second factor: an administrator takes code and passkeys away, journaled; sessions end, his own stay', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const { accounts } = bare.portal.desk;
      accounts.add('kanri', '管理 一郎', ['administrator']);
      accounts.setPasswordHash('kanri', await hashPassword(PASSWORD));
      const [administrator, reader] = [new Visitor(bare.url), new Visitor(bare.url)];
      await administrator.signIn('kanri');
      await reader.signIn('reader');
      const turnOn = async (who: Visitor): Promise<void> => {
        const setup = await (await who.post('/account/totp/begin', {})).text();
        const secret = Secret.fromBase32(/data-secret(?:="")?>([A-Z2-7]+)</.exec(setup)?.[1] ?? '');
        const code = new TOTP({ secret }).generate({ timestamp: bare.portal.desk.now() });
        assert.equal((await who.post('/account/totp', { code })).status, 303);
      };
      assert.doesNotMatch(
        await (await administrator.get('/people/reader')).text(),
        /people\/reader\/factors/,
        'no factor',
      );
      await turnOn(reader);
      bare.db.run("INSERT INTO passkeys VALUES ('lost', 'reader', 'x', 0, '窓口の端末', 1, NULL)");
      const half = new Visitor(bare.url);
      assert.equal((await half.signIn('reader')).headers.get('location'), '/sign-in/code');
      assert.match(await (await administrator.get('/people/reader')).text(), /people\/reader\/factors/);

      // Nobody else, no other site's form, and nothing that the journal did not keep.
      assert.equal((await reader.post('/people/reader/factors', {})).status, 404);
      assert.equal((await administrator.post('/people/reader/factors', { csrf: 'x' })).status, 403);
      bare.breakJournal(new Error('disk full'));
      assert.equal((await administrator.post('/people/reader/factors', {})).status, 503);
      bare.breakJournal(undefined);
      assert.equal(accounts.find('reader')?.hasTotp, true);

      const done = await administrator.post('/people/reader/factors', {});
      assert.equal(done.status, 200);
      assert.doesNotMatch(await done.text(), /people\/reader\/factors/, 'nothing more to take away');
      assert.equal(accounts.find('reader')?.hasTotp, false);
      assert.equal(bare.db.get('SELECT count(*) AS n FROM passkeys')?.['n'], 0);
      assert.deepEqual(bare.journal.at(-1), {
        act: 'changed',
        person: 'kanri',
        detail: { what: 'factors-reset', of: 'reader' },
      });
      for (const was of [reader, half])
        assert.match((await was.get('/account')).headers.get('location') ?? '', /^\/sign-in/, 'sessions are over');
      assert.equal((await new Visitor(bare.url).signIn('reader')).headers.get('location'), '/', 'password alone again');

      await turnOn(administrator);
      assert.doesNotMatch(await (await administrator.get('/people/kanri')).text(), /people\/kanri\/factors/);
      assert.equal((await administrator.post('/people/kanri/factors', {})).status, 404, 'his own: with its code only');
      assert.equal(accounts.find('kanri')?.hasTotp, true);
    } finally {
      await bare.close();
    }
  });

  it('the way back after signing in is kept whatever characters it has; never to another site', async () => {
    const bare = await barePortal(['一通目']);
    try {
      const wanted = '/messages?q=a+b%E6%9D%B1*(c)~&box=x%2By%40city.example&unread=1';
      const back = async (page: string): Promise<string | null> => {
        const visitor = new Visitor(bare.url);
        const held = /name="to" value="([^"]*)"/.exec(await (await visitor.get(page)).text())?.[1] ?? '';
        const form = { name: 'reader', password: PASSWORD, to: held.replaceAll('&amp;', '&') };
        return (await visitor.post('/sign-in', form, page)).headers.get('location');
      };
      assert.equal(await back((await new Visitor(bare.url).get(wanted)).headers.get('location') ?? ''), wanted);
      for (const to of ['//evil.example/', '/\\evil.example/', 'https://evil.example/', '/sign-out', '/a\r\nb', '/x y'])
        assert.equal(await back(`/sign-in?to=${encodeURIComponent(to)}`), '/', to);
    } finally {
      await bare.close();
    }
  });

  it('LDAP: the directory says yes or no, its people become staff, local names stay local', async () => {
    await using folder = await scratch();
    await using slapd = await startSlapd(join(folder.path, 'slapd'));
    await using gateway = await startTestGateway(join(folder.path, 'data'), {
      MUGAI_LDAP_URL: slapd.url,
      MUGAI_LDAP_BIND: 'uid={name},dc=city',
    });
    const administrator = await firstAdministrator(gateway, 'local');
    const sign = async (name: string, password: string): Promise<number> =>
      (await new Visitor(portalUrl(gateway)).signIn(name, password)).status;
    assert.equal(await sign('tanaka', 'wrong'), 403);
    assert.equal(await sign('tanaka', ''), 403, 'an anonymous bind is no sign-in');
    assert.equal(await sign('nobody', 'directory-word'), 403);
    assert.equal(await sign('local', 'directory-word'), 403, 'the directory cannot take a local name');
    assert.equal(await sign('local', PASSWORD), 303);
    const tanaka = new Visitor(portalUrl(gateway));
    assert.equal((await tanaka.signIn('tanaka', 'directory-word')).status, 303);
    const account = await (await tanaka.get('/account')).text();
    assert.match(account, /田中 太郎/);
    assert.match(account, /tanaka@city\.example\.lg\.jp/);
    await administrator.post('/people/tanaka/state', { disabled: '1' });
    assert.equal(await sign('tanaka', 'directory-word'), 403, 'disabled here is out, whatever the directory says');
  });

  it('LDAP: several addresses are all the person’s, changed ones follow; a fault of the directory is none of the password', async () => {
    await using folder = await scratch();
    await using slapd = await startSlapd(join(folder.path, 'slapd'));
    await using gateway = await startTestGateway(join(folder.path, 'data'), {
      MUGAI_LDAP_URL: slapd.url,
      MUGAI_LDAP_BIND: 'uid={name},dc=city',
    });
    await firstAdministrator(gateway, 'local');
    const url = portalUrl(gateway);
    const sato = new Visitor(url);
    assert.equal((await sato.signIn('sato', 'directory-word')).status, 303);
    const account = await (await sato.get('/account')).text();
    for (const address of ['sato@city.example.lg.jp', 'hanako.sato@city.example.lg.jp'])
      assert.ok(account.includes(`\n            ${address}`) || account.includes(`>${address}`), address);

    const root = new Client({ url: slapd.url });
    await root.bind('cn=admin,dc=city', 'root-of-the-suite');
    const modification = new Attribute({ type: 'mail', values: ['sato@city.example.lg.jp'] });
    await root.modify('uid=sato,dc=city', new Change({ operation: 'replace', modification }));
    await root.unbind();
    const later = new Visitor(url);
    assert.equal((await later.signIn('sato', 'directory-word')).status, 303);
    assert.doesNotMatch(await (await later.get('/account')).text(), /hanako\.sato@/);

    const away = async (name: string, password: string): Promise<void> => {
      const answer = await new Visitor(url).signIn(name, password);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '30');
      const text = await answer.text();
      assert.match(text, /庁内の認証につながりません/);
      assert.doesNotMatch(text, /違います/);
    };
    await away('himitsu', 'directory-word'); // let in, and its entry cannot be read
    assert.equal((await new Visitor(url).signIn('himitsu', 'wrong')).status, 403);
    await slapd[Symbol.asyncDispose]();
    for (let n = 0; n < 6; n++) await away('sato', 'directory-word'); // and none of them counts as a guess
    assert.equal((await new Visitor(url).signIn('sato', '')).status, 403, 'an empty password is not even asked for');
    assert.equal((await new Visitor(url).signIn('local', PASSWORD)).status, 303, 'local people get in all the same');
  });

  it('a reverse proxy is believed from the named address only', async () => {
    for (const [address, status] of [
      ['127.0.0.1', 303],
      ['10.1.2.3,127.0.0.1', 303],
      ['10.1.2.3', 404],
    ] as const) {
      await using folder = await scratch();
      await using gateway = await startTestGateway(folder.path, { MUGAI_PROXY_HEADER: `X-Remote-User@${address}` });
      await firstAdministrator(gateway, 'local');
      const visitor = new Visitor(portalUrl(gateway));
      const said = { 'x-remote-user': 'suzuki' };
      // The sign-in page offers the way to whoever comes through the proxy, with the way back, and to nobody else.
      const page = await (await visitor.get('/sign-in?to=%2Fmessages%3Fq%3Da%2Bb', said)).text();
      const link = /href="(\/sign-in\/proxy[^"]*)"/.exec(page)?.[1];
      assert.equal(link, status === 303 ? '/sign-in/proxy?to=%2Fmessages%3Fq%3Da%2Bb' : undefined);
      assert.doesNotMatch(await (await visitor.get('/sign-in')).text(), /sign-in\/proxy/);
      const taken = await visitor.get(link ?? '/sign-in/proxy', said);
      assert.equal(taken.status, status);
      assert.equal(taken.headers.get('location'), status === 303 ? '/messages?q=a+b' : null);
      assert.equal((await visitor.get('/messages')).status, status === 303 ? 200 : 303);
      const other = new Visitor(portalUrl(gateway));
      assert.equal((await other.get('/sign-in/proxy')).status, 404, 'without the header');
      const local = await other.get('/sign-in/proxy', { 'x-remote-user': 'local' });
      assert.equal(local.status, status === 303 ? 403 : 404, 'a local name stays local');
    }
  });

  it('OpenID Connect: through a real provider in Chromium; an answer that another browser began is refused', async () => {
    await using folder = await scratch();
    const [portalPort, issuerPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${portalPort}`;
    await using provider = await startProvider(issuerPort, `${url}/sign-in/oidc/back`);
    await using gateway = await startTestGateway(folder.path, {
      MUGAI_PORTAL_LISTEN: `127.0.0.1:${portalPort}`,
      MUGAI_OIDC_ISSUER: provider.issuer,
      MUGAI_OIDC_CLIENT_ID: 'mugai',
      MUGAI_OIDC_CLIENT_SECRET: 'a-secret-of-the-suite',
    });
    await firstAdministrator(gateway, 'local');
    await using browser = await openBrowser();
    const { page } = browser;
    await page.goto(`${url}/sign-in`);
    await page.click('text=庁内の認証でサインイン');
    await page.fill('input[name=login]', 'yamada');
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.click('button[type=submit]'); // consent
    await page.waitForURL(`${url}/messages`);
    await page.goto(`${url}/account`);
    const account = await page.locator('main').innerText();
    assert.match(account, /山田 次郎/);
    assert.match(account, /yamada@city\.example\.lg\.jp/);

    // The provider calls her something else now; its session still stands, so no form is shown.
    provider.names.set('yamada', 'suzuki');
    await page.click('header button');
    await page.goto(`${url}/account`); // on his way to that page
    await page.click('text=庁内の認証でサインイン');
    await page.waitForURL(`${url}/account`);
    assert.match(await page.locator('main').innerText(), /山田 次郎 \(yamada\)/);

    const stranger = new Visitor(url);
    await stranger.get('/sign-in/oidc');
    for (const query of ['', '?code=x&state=y', `?code=x&state=${stranger.cookies.get('__Host-mugai-oidc')}`])
      assert.equal((await stranger.get(`/sign-in/oidc/back${query}`)).status, 403, query);
    assert.equal((await stranger.get('/messages')).status, 303);
  });
});

/** Debian's slapd with one person, in the foreground. */
async function startSlapd(folder: string): Promise<{ readonly url: string } & AsyncDisposable> {
  await mkdir(join(folder, 'db'), { recursive: true });
  const config = join(folder, 'slapd.conf');
  await writeFile(
    config,
    `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
database mdb
suffix "dc=city"
rootdn "cn=admin,dc=city"
rootpw root-of-the-suite
directory ${folder}/db
access to dn.exact="uid=himitsu,dc=city" attrs=entry by * none
access to attrs=userPassword by anonymous auth by * none
access to * by * read
`,
  );
  const people = `dn: dc=city
objectClass: dcObject
objectClass: organization
dc: city
o: city

dn: uid=tanaka,dc=city
objectClass: inetOrgPerson
uid: tanaka
cn:: ${Buffer.from('田中 太郎').toString('base64')}
sn:: ${Buffer.from('田中').toString('base64')}
mail: Tanaka@city.example.lg.jp
userPassword: directory-word

dn: uid=sato,dc=city
objectClass: inetOrgPerson
uid: sato
cn: Sato
cn: Hanako Sato
sn: Sato
mail: Sato@city.example.lg.jp
mail: hanako.sato@city.example.lg.jp
userPassword: directory-word

dn: uid=himitsu,dc=city
objectClass: inetOrgPerson
uid: himitsu
cn: himitsu
sn: himitsu
userPassword: directory-word

dn: uid=local,dc=city
objectClass: inetOrgPerson
uid: local
cn: local
sn: local
userPassword: directory-word
`;
  execFileSync('/usr/sbin/slapadd', ['-f', config], { input: people, stdio: ['pipe', 'ignore', 'pipe'] });
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const child = spawn('/usr/sbin/slapd', ['-d', '0', '-f', config, '-h', url], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}`);
      const socket = connect(port, '127.0.0.1');
      const open = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return open;
    },
    60_000,
    'slapd listens',
  );
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A real OpenID provider on loopback with its own sign-in pages. */
async function startProvider(
  port: number,
  back: string,
): Promise<{ readonly issuer: string; readonly names: Map<string, string> } & AsyncDisposable> {
  const names = new Map<string, string>();
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'mugai', client_secret: 'a-secret-of-the-suite', redirect_uris: [back] }],
    claims: { openid: ['sub', 'preferred_username'], profile: ['name'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['a-key-of-the-suite'] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        preferred_username: names.get(sub) ?? sub,
        name: '山田 次郎',
        email: `${sub}@city.example.lg.jp`,
        email_verified: true,
      }),
    }),
  });
  const answer = provider.callback();
  const server = createHttpServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    issuer,
    names,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
