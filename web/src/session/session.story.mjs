// Sessions across tabs and devices, and where tokens are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { member, mine, open, post, signIn, stage } from '../../test/browser.mjs';

const site = stage({ COFFER_ACCESS_TTL: '12s' });
const calm = stage(); // whose tokens end in no story

async function signOut(page) {
  await mine(page, 'Sign out');
}

test('signing out in one tab ends the others, and a second tab needs no sign-in', async (t) => {
  const one = await open(t, site);
  await signIn(one, await member(site.server));
  const two = await one.context().newPage();
  await two.goto('/security');
  await two.getByText('This device').waitFor();
  await signOut(one);
  await two.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.match(two.url(), /\/sign-in\?next=%2Fsecurity$/);
  await two.getByText('You signed out in another tab.').waitFor();
  // The tab that signed out knows it.
  await one.getByRole('link', { name: 'Sign in' }).first().click();
  await one.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.equal(await one.getByText('signed out').count(), 0);
});

test('after a sign-in one is where one wanted to be', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await page.goto('/security');
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
});

test('no token lies where a script could find it', async (t) => {
  const page = await open(t, site);
  const bodies = [];
  page.on('response', (response) => /\/auth\/(sign-in|refresh)$/.test(response.url()) && response.ok() && bodies.push(response.json()));
  await signIn(page, await member(site.server));
  await Promise.all(bodies); // a reload would drop what the browser has not handed over
  await page.reload();
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  const opened = await Promise.all(bodies);
  for (const body of opened) assert.equal(body.refresh_token, undefined, 'the refresh token is in the cookie alone');
  const tokens = opened.map((body) => body.access_token);
  assert.ok(tokens.length >= 2, `saw ${tokens.length} tokens`);

  const stored = await page.evaluate(async () => {
    const found = [document.cookie, location.href, JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state)];
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((resolve) => (indexedDB.open(name).onsuccess = (event) => resolve(event.target.result)));
      for (const store of db.objectStoreNames) {
        const all = await new Promise((resolve) => (db.transaction(store).objectStore(store).getAll().onsuccess = (event) => resolve(event.target.result)));
        for (const value of all) found.push(value?.privateKey ? `key extractable=${value.privateKey.extractable} ${value.privateKey.algorithm.namedCurve}` : JSON.stringify(value));
      }
      db.close();
    }
    return found.join('\n');
  });
  for (const token of tokens) assert.ok(!stored.includes(token), 'an access token is stored');
  assert.ok(!/cr1\.|eyJ/.test(stored), stored);
  assert.match(stored, /key extractable=false P-521/);
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.filter((c) => !c.httpOnly), []);
});

test('an access token that ends is replaced without a word', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const refreshes = [];
  page.on('request', (request) => request.url().endsWith('/auth/refresh') && refreshes.push(request.url()));
  await new Promise((resolve) => setTimeout(resolve, 3_000)); // within 10 s of its end a token counts as stale
  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  assert.ok(refreshes.length >= 1);
});

test('a device that is ended is out at its next step', async (t) => {
  const who = await member(site.server);
  const here = await open(t, site);
  const there = await open(t, site);
  await signIn(here, who);
  await signIn(there, who);
  await mine(here, 'Security');
  await here.getByText('This device').waitFor();
  assert.equal(await here.locator('.device').count(), 2);

  const current = here.locator('.device').first();
  await current.getByRole('button', { name: /^Actions for/ }).click();
  await here.getByRole('menuitem', { name: 'Rename' }).click();
  await here.getByRole('dialog').getByLabel('Name').fill('My desk');
  await here.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await here.getByText('My desk').waitFor();

  await here.locator('.device').nth(1).getByRole('button', { name: /^Actions for/ }).click();
  await here.getByRole('menuitem', { name: 'Sign out' }).click();
  await here.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await here.locator('.device').nth(1).waitFor({ state: 'detached' });
  await mine(there, 'Security');
  await there.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  // It says why, and leads back to where the person was.
  await there.getByText('You were signed out, because you were away for a long time or another device signed this one out.').waitFor();
  await enter(there, who);
  await there.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
});

test('Security shows three devices, and a page of its own all of them', async (t) => {
  const who = await member(calm.server);
  const names = ['Loom', 'Engine', 'Press', 'A workshop computer whose name is so long that it fills more than one line of a phone'];
  for (const device_name of names) await post(calm.server, '/auth/sign-in', { identifier: who.username, password: who.password, device_name });
  const page = await open(t, calm);
  await signIn(page, who);
  await page.goto('/security');
  await page.getByText('This device').waitFor();
  assert.equal(await page.locator('.device').count(), 3);
  await page.getByRole('link', { name: 'All devices' }).click();
  await page.getByRole('heading', { level: 1, name: 'Devices' }).waitFor();
  await page.locator('.device').nth(4).waitFor();
  await check(page, 'all devices');
  for (const name of names) await page.getByRole('button', { name: `Actions for ${name}` }).waitFor();

  await page.getByRole('button', { name: 'Actions for Loom' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await page.locator('.device', { hasText: 'Loom' }).waitFor({ state: 'detached' });

  await page.setViewportSize({ width: 390, height: 844 });
  await check(page, 'all devices on a phone');
  await page.getByRole('link', { name: 'Security' }).waitFor();
  await page.getByRole('button', { name: 'Sign out all others' }).click();
  const question = page.getByRole('dialog', { name: 'Sign out all others' });
  await question.getByText('The 3 other devices are signed out at once.').waitFor();
  await question.getByRole('button', { name: 'Sign out all others' }).click();
  await page.locator('.device').nth(1).waitFor({ state: 'detached' });
  assert.equal(await page.locator('.device').count(), 1);
  assert.equal(await page.getByRole('main').getByRole('button', { name: 'Sign out all others' }).count(), 0);
});

async function enter(page, who) {
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('a session that expired meanwhile is told at the next visit, and leads back', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await page.goto('/account');
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.equal(await page.getByText('You were signed out').count(), 0, 'there was no session');
  await enter(page, who);
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  await page.context().clearCookies();
  await page.reload();
  await page.getByText('You were signed out').waitFor();
  await enter(page, who);
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
});

test('a sign-in leads to no other origin and not in a circle, whatever the address says', async (t) => {
  const who = await member(site.server);
  for (const next of ['//evil.test/x', '/.//evil.test/x', '/\\evil.test', 'https://evil.test/', 'javascript:alert(1)', '/sign-in', '/sign-in?next=/sign-in', '%2F%2Fevil.test']) {
    const page = await open(t, site);
    await page.goto('/sign-in?next=' + encodeURIComponent(next));
    await enter(page, who);
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
    assert.equal(page.url(), site.server.url + '/files', next);
    await page.context().close();
  }
});

test('devices of one name can be told apart', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  await mine(page, 'Security');
  const device = page.locator('.device').first();
  await device.getByText(/^Chrome \d+ · Linux$/).waitFor();
  await device.getByText(/signed in with password\s· 127\.0\.0\.1$/).waitFor();
});

test('a wait that the server asks for is counted down, and a busy server can be asked again', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  let calls = 0;
  await page.route('**/v1/auth/sign-in', (route) => (calls++ === 0
    ? route.fulfill({ status: 429, headers: { 'Retry-After': '2' }, contentType: 'application/problem+json', body: JSON.stringify({ status: 429, code: 'rate_limited' }) })
    : route.continue()));
  await page.goto('/sign-in');
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('You can try again in less than a minute.').waitFor();
  assert.ok(await page.getByRole('button', { name: /^Wait \d seconds?$/ }).isDisabled());
  await page.getByRole('button', { name: 'Sign in', exact: true }).click({ timeout: 10_000 });
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();

  let busy = true;
  await page.route('**/v1/sessions**', (route) => (busy
    ? route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'unavailable' }) })
    : route.continue()));
  await mine(page, 'Security');
  await page.getByText('The server is busy just now.').waitFor();
  busy = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('This device').waitFor();
});

test('a refused proof is sent once', async (t) => {
  const page = await open(t, calm);
  await signIn(page, await member(calm.server));
  await page.route('**/v1/account/totp', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ status: 403, code: 'step_up_required' }) }));
  await mine(page, 'Security');
  await page.getByRole('button', { name: 'Turn on', exact: true }).click();
  const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
  await proof.getByText('You are not asked again for 10 minutes.').waitFor(); // the requests before the proof are over
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await proof.getByLabel('Password', { exact: true }).fill('not the password');
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await proof.getByText('Wrong password.', { exact: true }).waitFor();
  assert.deepEqual(asked, ['/v1/account/reauthenticate']);
});
