// Passkeys in Chromium, with a virtual authenticator (WebAuthn level 3, §11; Chrome DevTools Protocol): made, used, refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Accounts } from '../../src/portal/accounts.ts';
import { Database } from '../../src/portal/database.ts';
import { passkeyPlace, Passkeys } from '../../src/portal/passkeys.ts';
import { openBrowser } from '../support/browser.ts';
import { startTestGateway } from '../support/gateway.ts';
import { addPerson, firstAdministrator, portalUrl, signInAt, Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';

describe('passkeys', { timeout: 580_000 }, () => {
  it('one is made, signs its owner in without a password, once a challenge; removed or disabled, it opens nothing', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const administrator = await firstAdministrator(gateway);
    const hanako = await addPerson(administrator, 'hanako', ['staff'], 'staff@city.example.lg.jp');
    const url = portalUrl(gateway).replace('127.0.0.1', 'localhost'); // browsers bind passkeys to names only
    await using browser = await openBrowser();
    const { page, context, complaints } = browser;
    const devices = await context.newCDPSession(page);
    await devices.send('WebAuthn.enable');
    const device = {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    } as const;
    const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', { options: device });
    await signInAt(page, url, 'hanako');
    await page.goto(`${url}/account`);
    await page.click('text=パスキーを加える');
    await page.fill('#name', '窓口の端末');
    await page.click('main form button');
    await page.waitForURL(`${url}/account?saved=1`);
    assert.match(await page.locator('main').innerText(), /窓口の端末/);
    const { credentials } = await devices.send('WebAuthn.getCredentials', { authenticatorId });
    assert.equal(credentials.length, 1);
    assert.equal(credentials[0]?.rpId, 'localhost');

    await page.click('text=サインアウト');
    await page.click('text=パスキーでサインイン');
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.click('main form button');
    await page.waitForURL(`${url}/messages`);
    assert.equal(await page.locator('.who').innerText(), 'hanakoさん');

    // What went over the line a moment ago opens nothing a second time, in any browser.
    const credential = new URLSearchParams((await sent).postData() ?? '').get('credential') ?? '';
    const thief = new Visitor(portalUrl(gateway));
    assert.equal((await thief.post('/sign-in/passkey', { credential }, '/sign-in/passkey')).status, 403);
    for (const wrong of ['', '{}', 'x', credential.replace('"id":"', '"id":"A'), '[1]'])
      assert.equal(
        (await thief.post('/sign-in/passkey', { credential: wrong }, '/sign-in/passkey')).status,
        403,
        wrong,
      );

    // A device that does not know its owner is not enough: the passkey is possession and PIN in one.
    await page.click('text=サインアウト');
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await page.click('text=パスキーでサインイン');
    await page.click('main form button');
    await page.locator('[data-trouble]:visible').waitFor();
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });

    // A foreign passkey cannot be made for somebody else's challenge, and removing needs its owner.
    assert.equal((await hanako.post('/account/passkeys', { credential, name: 'x' })).status, 400);
    const id = credentials[0]?.credentialId ?? '';
    const base64url = Buffer.from(id, 'base64').toString('base64url');
    assert.equal((await administrator.post('/account/passkeys/remove', { id: base64url })).status, 404);

    await administrator.post('/people/hanako/state', { disabled: '1' });
    await page.goto(`${url}/sign-in/passkey`);
    await page.click('main form button');
    await page.locator('text=サインインできませんでした').waitFor();
    await administrator.post('/people/hanako/state', { disabled: '0' });
    await page.goto(`${url}/account`); // on her way to that page
    await page.click('text=パスキーでサインイン');
    await page.click('main form button');
    await page.waitForURL(`${url}/account`);
    await page.click('text=サインアウト');
    await hanako.signIn('hanako');
    assert.equal((await hanako.post('/account/passkeys/remove', { id: base64url })).status, 303);
    await page.goto(`${url}/sign-in/passkey`);
    await page.click('main form button');
    await page.locator('text=サインインできませんでした').waitFor();
    assert.deepEqual(
      complaints.filter((line) => !/status of 403/.test(line)),
      [],
    );
  });

  it('are bound to a name under https; an old challenge is no challenge', async () => {
    assert.equal(passkeyPlace('https://10.0.0.5', 443), undefined);
    assert.equal(passkeyPlace('http://mugai.city.lg.jp', 80), undefined);
    assert.deepEqual(passkeyPlace('https://mugai.city.lg.jp', 8080), {
      origin: 'https://mugai.city.lg.jp',
      host: 'mugai.city.lg.jp',
    });
    assert.equal(passkeyPlace('http://127.0.0.1:8080', 8081)?.origin, 'http://localhost:8081');
    await using folder = await scratch();
    const db = new Database(folder.path);
    const user = new Accounts(db).add('hanako', '花子', ['staff']);
    let now = Date.now();
    const passkeys = new Passkeys(
      db,
      () => ({ origin: 'http://localhost:1', host: 'localhost' }),
      () => now,
    );
    const { challenge } = JSON.parse(await passkeys.beginMaking(user)) as { challenge: string };
    now += 6 * 60_000;
    const clientDataJSON = Buffer.from(
      JSON.stringify({ type: 'webauthn.create', challenge, origin: 'http://localhost:1' }),
    ).toString('base64url');
    const response = { clientDataJSON, attestationObject: 'o2NmbXRkbm9uZQ' };
    const made = { id: 'AAAA', rawId: 'AAAA', type: 'public-key', response, clientExtensionResults: {} };
    assert.equal(await passkeys.keep('hanako', JSON.stringify(made), 'x'), false);
    assert.deepEqual(passkeys.of('hanako'), []);
    db.close();
  });
});
