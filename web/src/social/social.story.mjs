// The stories of people who sign in with an account that they have elsewhere: at providers that
// run beside the server.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, authenticator, earlyInStep, focusComes, focused, mail, member, mine, open, password, signIn, stage, tabTo, totp, visit } from '../../test/browser.mjs';
import { providers, sayWho, somebody } from '../../test/provider.mjs';

const at = providers({ COFFER_STEP_UP_TTL: '3s' });
const site = stage(at.env);

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const village = 'Village library of Lower Tadfield';
const evening = 'Evening school';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const stale = () => sleep(3_100); // the last proof ends
const part = (page, name) => page.getByRole('region', { name, exact: true });
const proof = (page) => page.getByRole('dialog', { name: 'Confirm it is you' });
const files = (page) => page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
const here = (t, options) => open(t, site, { visits: at.origins(), ...options });

async function seen(page, name) {
  await check(page, name);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, 'social-' + name.replace(/\W+/g, '-') + '.png'), fullPage: true });
}

// begin presses the button of a provider and says there who somebody is.
async function begin(page, name, who, button) {
  await page.goto('/sign-in');
  await page.getByRole('link', { name: `Continue with ${name}` }).click();
  await sayWho(page, who, button);
}

// join makes the account of somebody new through a provider.
async function join(page, name = 'Google', who = somebody(at)) {
  await begin(page, name, who);
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();
  await page.getByLabel('First name').fill('Grace');
  await page.getByLabel('Last name').fill('Hopper');
  await page.getByLabel('Username').fill(who.login);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await files(page);
  page.login = who.login;
  return { ...who, username: who.login };
}

// leaks collects every address and every token of a browser; what it returns looks for the
// tokens in the addresses and in all that the tab stores.
function leaks(page) {
  const addresses = [];
  const secrets = new Set();
  page.context().on('request', (request) => addresses.push(request.url()));
  page.context().on('response', async (response) => {
    if (!/\/v1\/(auth|account)\//.test(response.url()) || !/json/.test(response.headers()['content-type'] ?? '')) return;
    const body = await response.json().catch(() => ({}));
    for (const name of ['access_token', 'refresh_token', 'attempt_token']) if (body[name]) secrets.add(body[name]);
  });
  return async () => {
    assert.ok(secrets.size > 0, 'no token was seen');
    assert.equal(new URL(page.url()).hash, '');
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]));
    assert.doesNotMatch(stored, /"code"|[\w-]{43}/, 'the tab keeps the code');
    for (const secret of secrets) {
      assert.ok(!stored.includes(secret), 'a token is stored');
      for (const address of addresses) assert.ok(!address.includes(secret), 'a token stands in ' + address);
    }
    for (const address of addresses) if (address.startsWith(site.server.url)) assert.doesNotMatch(address, /token=|id_token|[?&#]code=.*\/social/);
  };
}

test('a first sign-in with Google: the person chooses a username, a taken one keeps what was typed, the second time it goes on by itself', async (t) => {
  const taken = await member(site.server);
  const who = somebody(at);
  const page = await here(t);
  const tight = leaks(page);
  await begin(page, 'Google', who);
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();
  await page.getByText(`Google has confirmed ${who.email}.`, { exact: false }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the code has left the address');
  assert.match(await page.getByLabel('Username').inputValue(), /^[a-z][\w.-]{2,31}$/, 'a username is proposed');
  await seen(page, 'first sign-in');
  await page.getByLabel('First name').fill('Grace');
  await page.getByLabel('Last name').fill('Hopper');
  await page.getByLabel('Username').fill(taken.username);
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.getByText('This username is taken. Choose another one.').waitFor();
  await seen(page, 'taken username');
  assert.equal(await page.getByLabel('First name').inputValue(), 'Grace');
  assert.equal(await page.getByLabel('Username').inputValue(), taken.username);
  await page.reload();
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();
  assert.deepEqual(await Promise.all(['First name', 'Last name', 'Username'].map((name) => page.getByLabel(name).inputValue())), ['Grace', 'Hopper', taken.username], 'a reload keeps what was typed');
  await page.getByLabel('Username').fill(who.login);
  await page.keyboard.press('Enter');
  await files(page);
  await tight();
  await mine(page, 'Account');
  assert.equal(await page.getByLabel('Username').inputValue(), who.login);
  await part(page, 'Connected accounts').getByText(who.email).waitFor();
  await mine(page, 'Security');
  await page.getByText('signed in with a connected account').waitFor();

  const second = await here(t);
  const tight2 = leaks(second);
  await begin(second, 'Google', who);
  await files(second);
  await tight2();
});

test('on a phone, in German, by keyboard: first and second sign-in', async (t) => {
  const who = somebody(at);
  const page = await here(t, { ...phone, locale: 'de-DE', colorScheme: 'dark' });
  await page.goto('/sign-up');
  await page.getByLabel('Vorname').focus();
  await tabTo(page, 'Weiter mit Google');
  await page.keyboard.press('Enter');
  await sayWho(page, who);
  await page.getByRole('heading', { name: 'Fast geschafft' }).waitFor();
  await focusComes(page, 'Fast geschafft');
  await tabTo(page, 'Vorname');
  await page.keyboard.type('Grace');
  await tabTo(page, 'Nachname');
  await page.keyboard.type('Hopper');
  await seen(page, 'first sign-in on a phone');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();
});

for (const [name, label] of [['GitHub', 'GitHub'], ['a provider that is known by configuration alone', village]]) {
  test(`sign in with ${name}, twice`, async (t) => {
    const page = await here(t);
    const who = await join(page, label);
    const second = await here(t);
    await begin(second, label, who);
    await files(second);
    await mine(second, 'Account');
    await part(second, 'Connected accounts').getByRole('button', { name: `Connect Google` }).waitFor();
    await part(second, 'Connected accounts').getByText(who.email).waitFor();
  });
}

test('the page that the person wanted is shown after the trip', async (t) => {
  const page = await here(t);
  const who = await join(page);
  const second = await here(t);
  await second.goto('/security');
  await second.getByRole('link', { name: 'Continue with Google' }).click();
  await sayWho(second, who);
  await second.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
});

test('sign-in steps are asked after the provider, and a remembered device is spared', async (t) => {
  const page = await here(t);
  const who = await join(page);
  const secret = await withApp(page);
  const second = await here(t);
  await second.goto('/sign-in?next=%2Faccount');
  await second.getByLabel('Remember this device').check();
  await second.getByRole('link', { name: 'Continue with Google' }).click();
  await sayWho(second, who);
  await second.getByText('Step 2 of 2: Code from your app').waitFor();
  assert.deepEqual((await second.locator('main ol li').allTextContents()).map((s) => s.replace(/,.*/, '').trim()), ['Google', 'Code from your app']);
  await seen(second, 'sign-in step after Google');
  await second.locator('main form input').fill(totp(secret));
  await second.keyboard.press('Enter');
  await second.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  await mine(second, 'Sign out');
  await second.getByRole('link', { name: 'Sign in' }).first().waitFor();
  await second.goto('/sign-in');
  await second.getByRole('link', { name: 'Continue with Google' }).click(); // it still knows who this is
  await files(second);
});

// maybeProve gives the password where the last proof has ended meanwhile, and waits for `then`.
async function maybeProve(page, who, then) {
  const asked = proof(page);
  await asked.or(then).first().waitFor();
  if (!(await asked.isVisible())) return;
  await asked.getByLabel('Password', { exact: true }).fill(who.password);
  await asked.getByRole('button', { name: 'Confirm', exact: true }).click();
  await then.first().waitFor();
}

// withApp turns the authenticator app on; a proof by Google comes first.
async function withApp(page) {
  await mine(page, 'Security');
  await page.getByRole('button', { name: 'Turn on', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up your authenticator app' });
  await proof(page).or(dialog).first().waitFor();
  if (await proof(page).isVisible()) await inWindow(page);
  const secret = (await dialog.locator('code').textContent()).replace(/\s/g, '');
  await earlyInStep();
  await dialog.getByLabel('Code from your authenticator app').fill(totp(secret, 1)); // leaves this step's code
  await page.getByRole('button', { name: 'Turn off', exact: true }).waitFor();
  return secret;
}

// inWindow gives the proof in the window that the dialog opens.
async function inWindow(page, who) {
  const [other] = await Promise.all([page.context().waitForEvent('page'), proof(page).getByRole('button', { name: 'Confirm with Google' }).click()]);
  const closed = new Promise((resolve) => other.once('close', resolve));
  await Promise.race([closed, other.getByLabel('Who are you?').waitFor().catch(() => {})]);
  if (!other.isClosed()) await sayWho(other, who ?? { login: page.login });
  await closed;
}

test('an address that has an account: its password connects the two', async (t) => {
  const who = await member(site.server);
  const known = somebody(at, { email: who.email });
  const page = await here(t);
  const tight = leaks(page);
  await begin(page, 'Google', known);
  await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
  const text = await page.locator('main').textContent();
  assert.ok(!text.includes(who.email), 'the address of the account is masked');
  assert.equal(await page.getByRole('link', { name: /^Continue with/ }).count(), 0);
  await seen(page, 'address with an account');
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in and connect Google' }).click();
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel('E-mail or username').inputValue(), who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.keyboard.press('Enter');
  await page.getByText('Google is connected. From now on it signs you in too.').waitFor();
  await files(page);
  await tight();
  const second = await here(t);
  await begin(second, 'Google', known);
  await files(second);
});

test('an address that has an account with sign-in steps, on a phone', async (t) => {
  const who = await member(site.server);
  const act = await as(site.server, who);
  const { secret } = await act('/account/totp');
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) });
  const page = await here(t, phone);
  await begin(page, 'GitHub', somebody(at, { email: who.email }));
  await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in and connect GitHub' }).click();
  await page.getByText('Step 2 of 2: Code from your app').waitFor();
  await page.locator('main form input').fill(totp(secret));
  await page.keyboard.press('Enter');
  await page.getByText('GitHub is connected. From now on it signs you in too.').waitFor();
});

test('an address that has an account: its passkey connects the two', async (t) => {
  const who = await member(site.server);
  const page = await here(t);
  await signIn(page, who);
  const device = await authenticator(page);
  await page.goto('/security');
  await part(page, 'Passkeys').getByRole('button', { name: 'Add a passkey' }).click();
  const dialog = page.getByRole('dialog', { name: 'Add a passkey' });
  await dialog.getByRole('button', { name: 'Create passkey' }).click();
  await maybeProve(page, who, part(page, 'Passkeys').getByRole('listitem'));
  await dialog.waitFor({ state: 'detached' });
  await device.presence(false); // it would answer the page at once
  await mine(page, 'Sign out');
  await begin(page, 'Google', somebody(at, { email: who.email }));
  await page.getByRole('heading', { name: 'You already have an account' }).waitFor();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await device.presence(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('Google is connected. From now on it signs you in too.').waitFor();
});

test('connecting and disconnecting on the account page, and what was typed there stays', async (t) => {
  const who = await member(site.server);
  const known = somebody(at);
  const page = await here(t);
  await signIn(page, who);
  await mine(page, 'Account');
  const section = part(page, 'Connected accounts');
  const told = new Set();
  await page.getByLabel('About you').fill('Typed, and not saved yet.');
  await stale();
  await section.getByRole('button', { name: 'Connect Google' }).click();
  await proof(page).getByLabel('Password', { exact: true }).fill(who.password);
  await proof(page).getByRole('button', { name: 'Confirm', exact: true }).click();
  await sayWho(page, known);
  await maybeProve(page, who, page.getByText('Google is connected. From now on it signs you in too.'));
  await section.getByText(known.email).waitFor();
  assert.equal(await page.getByLabel('About you').inputValue(), 'Typed, and not saved yet.');
  await seen(page, 'connected accounts');
  assert.match((await mail(site.server, who.email, 'security-notice', told)).text, /Google/);
  await mine(page, 'Security');
  await part(page, 'Only your password protects this account').getByText('Google').waitFor();
  await mine(page, 'Account');

  // Another person's account elsewhere cannot be had, and a second of the same provider neither.
  await section.getByRole('button', { name: 'Disconnect Google' }).click();
  await seen(page, 'question before disconnecting');
  await page.keyboard.press('Escape');
  await section.getByText(known.email).waitFor();
  await section.getByRole('button', { name: 'Disconnect Google' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click();
  await maybeProve(page, who, page.getByText('Google is disconnected.')); // it goes after some seconds
  await section.getByRole('button', { name: 'Connect Google' }).waitFor();
  assert.match((await mail(site.server, who.email, 'security-notice', told)).text, /Google/);

  const second = await here(t);
  const other = await join(second, 'Google', known); // free again
  await section.getByRole('button', { name: 'Connect Google' }).click();
  // The first proof is for leaving; the provider still knows who this is.
  await maybeProve(page, who, page.getByText('is connected to another account here', { exact: false }));
  await page.getByText('is connected to another account here', { exact: false }).waitFor();
  await seen(page, 'taken by another account');
  await page.getByRole('link', { name: 'Back' }).click();
  await section.waitFor();
  assert.ok(other.username);
});

test('the last way in is not offered to be disconnected; with a password it is', async (t) => {
  const page = await here(t);
  const who = await join(page);
  await mine(page, 'Account');
  const section = part(page, 'Connected accounts');
  await section.getByText('This is your only way in.', { exact: false }).waitFor();
  assert.equal(await section.getByRole('button', { name: 'Disconnect Google' }).count(), 0);
  await seen(page, 'last way in');

  await section.getByRole('link', { name: 'Security page' }).click();
  await part(page, 'Password No password yet').waitFor();
  await page.getByRole('heading', { name: 'One step protects this account' }).waitFor();
  await seen(page, 'security without a password');
  await page.getByRole('button', { name: 'Set a password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set a password' });
  await focusComes(page, 'New password');
  assert.equal(await dialog.getByLabel('Current password').count(), 0);
  await dialog.getByLabel('New password').fill(password);
  await seen(page, 'set a password');
  await stale();
  await dialog.getByRole('button', { name: 'Set a password' }).click();
  await proof(page).getByRole('button', { name: 'Confirm with Google' }).waitFor();
  assert.equal(await proof(page).getByLabel('Password', { exact: true }).count(), 0, 'no password is asked of who has none');
  await seen(page, 'fresh proof without a password');
  await inWindow(page, who);
  await page.getByText('Your password is set, and all other devices are signed out.').waitFor();
  await part(page, 'Password').getByRole('button', { name: 'Change password' }).waitFor();
  await mine(page, 'Account');
  await section.getByRole('button', { name: 'Disconnect Google' }).waitFor();

  const second = await open(t, site);
  await signIn(second, { username: who.username, password });
});

for (const [size, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`the fresh proof by a provider, on ${size}: a window of its own, and the page stays as it is`, async (t) => {
    const page = await here(t, options);
    const who = await join(page);
    await mine(page, 'Account');
    await page.getByLabel('About you').fill('Typed, and not saved yet.');
    await page.getByLabel('New e-mail address').fill('new-' + who.email);
    await stale();
    await page.getByRole('button', { name: 'Change my e-mail' }).click();
    await focusComes(page, 'Confirm with Google');

    // Cancelled at the provider: the dialog says so, and the same window works again.
    let [other] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
    await other.getByLabel('Who are you?').waitFor();
    await proof(page).getByText('This page goes on by itself.', { exact: false }).waitFor();
    await seen(page, `proof waits on ${size}`);
    await sayWho(other, undefined, 'Cancel');
    await proof(page).getByText('The provider did not let you continue. Nothing has changed.').waitFor();

    // Somebody else at the provider proves nothing.
    [other] = await Promise.all([page.context().waitForEvent('page'), proof(page).getByRole('button', { name: 'Confirm with Google' }).click()]);
    await sayWho(other, somebody(at));
    await proof(page).getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await proof(page).waitFor({ state: 'detached' });
    assert.equal(await page.getByLabel('New e-mail address').inputValue(), 'new-' + who.email);

    await page.getByRole('button', { name: 'Change my e-mail' }).click();
    await proof(page).waitFor();
    await inWindow(page, who);
    await page.getByText(`We sent a link to new-${who.email}.`, { exact: false }).waitFor();
    assert.equal(await page.getByLabel('About you').inputValue(), 'Typed, and not saved yet.');
    assert.equal(page.context().pages().length, 1, 'the window has closed');
  });
}

test('where no window opens, the proof is given in the same tab, and what was typed comes back', async (t) => {
  const page = await here(t);
  const tight = leaks(page);
  const who = await join(page);
  await page.addInitScript(() => (globalThis.open = () => null));
  await page.goto('/account');
  await page.getByLabel('About you').fill('Typed, and not saved yet.');
  await page.getByLabel('New e-mail address').fill('new-' + who.email);
  await stale();
  await page.getByRole('button', { name: 'Change my e-mail' }).click();
  await proof(page).getByRole('button', { name: 'Confirm with Google' }).click();
  await page.getByLabel('Who are you?').waitFor();
  await sayWho(page, who);
  await page.getByText('Thank you. Now press the button once more.').waitFor();
  assert.equal(await page.getByLabel('About you').inputValue(), 'Typed, and not saved yet.');
  assert.equal(await page.getByLabel('New e-mail address').inputValue(), 'new-' + who.email);
  await tight();
  await page.getByRole('button', { name: 'Change my e-mail' }).click();
  await page.getByText(`We sent a link to new-${who.email}.`, { exact: false }).waitFor();
});

for (const [size, options] of [['a desk', {}], ['a phone, in the dark', { ...phone, colorScheme: 'dark' }]]) {
  test(`deactivating without a password, and coming back, on ${size}`, async (t) => {
    const page = await here(t, options);
    const who = await join(page);
    await mine(page, 'Account');
    await part(page, 'Deactivate my account').getByRole('button').click();
    await page.getByText('To come back, sign in as you do now, and activate the account with a link', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Deactivate', exact: true }).click();
    await page.getByRole('heading', { name: 'Your account is deactivated' }).waitFor();
    let code;
    page.on('request', (request) => request.url().endsWith('/auth/social/exchange') && (code = request.postDataJSON().code));
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Continue with Google' }).click(); // who remembers the person
    await page.getByText('You have confirmed with Google that it is you.', { exact: false }).waitFor();
    await focusComes(page, 'Activate your account');
    assert.equal(await page.getByRole('textbox').count(), 0, 'nothing is asked for');
    assert.ok(code && !(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]))).includes(code), 'the code is kept in memory alone');
    await seen(page, `activate without a password on ${size}`);

    // A reload forgets the proof, and the page offers to give it once more.
    await page.reload();
    await page.getByLabel('E-mail or username').waitFor();
    await page.getByRole('link', { name: 'Continue with GitHub' }).waitFor();
    await seen(page, `activate, asked, on ${size}`);
    await page.getByRole('link', { name: 'Continue with Google' }).click();
    await page.getByText('You have confirmed with Google that it is you.', { exact: false }).waitFor();

    const gone = '**/v1/auth/social/activate';
    await page.route(gone, (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', body: JSON.stringify({ status: 410, code: 'link_gone' }) }));
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('alert').getByText('You confirmed too long ago.', { exact: false }).waitFor();
    await seen(page, `activate, too late, on ${size}`);
    await page.unroute(gone);

    const told = new Set();
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('heading', { name: 'Look into your mailbox' }).waitFor();
    await mail(site.server, who.email, 'activate', told);
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText('If your account is deactivated, a new mail is on its way.').waitFor();
    await visit(page, (await mail(site.server, who.email, 'activate', told)).link);
    await page.getByRole('button', { name: 'Activate my account' }).click();
    await files(page);
  });
}

test('deleting without a password', async (t) => {
  const page = await here(t, phone);
  const who = await join(page);
  await mine(page, 'Account');
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByText('Your connection to Google').waitFor();
  await page.getByLabel('Your username').fill(who.username);
  await stale();
  await page.getByRole('button', { name: 'Delete my account for good' }).click();
  await proof(page).getByRole('button', { name: 'Confirm with Google' }).waitFor();
  assert.equal(await page.getByLabel('Your username').inputValue(), who.username);
  await inWindow(page, who);
  await page.getByRole('heading', { name: 'Your account is deleted' }).waitFor();
});

test('what goes wrong at a provider has a page, and the button that helps', async (t) => {
  const page = await here(t);
  const who = somebody(at);
  await begin(page, 'Google', who, 'Cancel');
  await page.getByRole('heading', { name: 'You did not continue with Google' }).waitFor();
  await focusComes(page, 'You did not continue with Google');
  await seen(page, 'cancelled');
  await page.getByRole('link', { name: 'Other ways to sign in' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();

  const unverified = somebody(at, { email_verified: false });
  await begin(page, 'GitHub', unverified);
  await page.getByRole('heading', { name: 'GitHub has not confirmed your e-mail address' }).waitFor();
  await seen(page, 'unverified');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByRole('heading', { name: 'Create an account' }).waitFor();
});

test('a provider that is away: the page says so, the rest works, and trying again helps', async (t) => {
  const page = await here(t, { colorScheme: 'dark' });
  await page.goto('/sign-in');
  await page.getByRole('link', { name: `Continue with ${evening}` }).click();
  await page.getByRole('heading', { name: `${evening} cannot be reached` }).waitFor();
  await seen(page, 'away');
  await page.getByRole('link', { name: 'Other ways to sign in' }).click();
  await page.getByLabel('E-mail or username').waitFor();
  await begin(page, 'Google', somebody(at)); // is not concerned
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();

  await page.goto('/sign-in');
  await page.getByRole('link', { name: `Continue with ${evening}` }).click();
  await page.getByRole('heading', { name: `${evening} cannot be reached` }).waitFor();
  await at.evening.come();
  const again = page.getByRole('link', { name: 'Try again' });
  for (let tries = 0; tries < 20 && !(await page.getByLabel('Who are you?').isVisible()); tries++) {
    if (await again.isVisible()) await again.click().catch(() => {});
    await sleep(500);
  }
  await sayWho(page, somebody(at));
  await page.getByRole('heading', { name: 'Almost there' }).waitFor();

  // A provider that answers the person and not the server.
  at.github.deaf = true;
  t.after(() => (at.github.deaf = false));
  await begin(page, 'GitHub', somebody(at));
  await page.getByRole('heading', { name: 'GitHub cannot be reached' }).waitFor();
});

test('a code that was used, and a code of another browser, open nothing', async (t) => {
  const page = await here(t);
  const who = await join(page);
  await mine(page, 'Sign out');
  let code;
  await page.route('**/v1/auth/social/check', (route) => {
    code = route.request().postDataJSON().code;
    return route.abort();
  });
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Continue with Google' }).click();
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  const stranger = await open(t, site);
  await visit(stranger, '/social#code=' + code);
  await stranger.getByRole('heading', { name: 'This sign-in is over' }).waitFor();
  await seen(stranger, 'code of another browser');
  await stranger.getByRole('link', { name: 'Other ways to sign in' }).waitFor();

  await page.unroute('**/v1/auth/social/check');
  await page.getByRole('button', { name: 'Try again' }).click(); // its own browser's is still good
  await files(page);
  await mine(page, 'Sign out');
  await visit(page, '/social#code=' + code);
  await page.getByRole('heading', { name: 'This sign-in is over' }).waitFor();
  await page.getByRole('link', { name: 'Other ways to sign in' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.ok(who.login);
});
