// The ways back into an account: a forgotten password, a deactivated account.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { altered, as, earlyInStep, mail, member, open, post, signIn, stage, totp, visit, watchPosts } from '../../test/browser.mjs';

const site = stage({ COFFER_PASSWORD_MIN: '13' }); // not the default: the pages tell what is set

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const fresh = 'a lantern in the long grass';

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const headed = (page) => page.waitForFunction(() => document.activeElement.tagName === 'H1');
const newPassword = (page) => page.getByLabel('New password', { exact: true });

// forget asks for a link through the API.
async function forget(who, seen) {
  await post(site.server, '/auth/password/forgot', { email: who.email });
  return (await mail(site.server, who.email, 'reset-password', seen)).link;
}

// retire deactivates an account through the API.
async function retire(who) {
  const act = await as(site.server, who);
  await act('/account/deactivate');
}

// protect turns on an authenticator app; act does calls with the session from before.
async function protect(who) {
  const act = await as(site.server, who);
  const { secret } = await act('/account/totp');
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) });
  return { secret, act };
}

async function enter(page, identifier, password) {
  await page.getByLabel('E-mail or username').fill(identifier);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

for (const [size, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`a forgotten password is replaced, from the sign-in to the files, on ${size}`, async (t) => {
    const who = await member(site.server);
    const other = await open(t, site);
    await signIn(other, who);

    const page = await open(t, site, options);
    await page.goto('/sign-in');
    await page.getByLabel('E-mail or username').fill(who.email);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await heading(page, 'Forgot your password');
    assert.equal(await page.getByLabel('E-mail').inputValue(), who.email, 'what was typed at the sign-in is there');
    await page.getByRole('button', { name: 'Send the link' }).click();
    await heading(page, 'Look into your mailbox');
    await headed(page);
    await page.getByText(`If there is an account with ${who.email}, we have sent a mail to it.`).waitFor();
    const { link_seconds: lives } = await (await fetch(site.server.url + '/v1/settings')).json();
    await page.getByText(`The link works for ${lives / 3600} hours.`).waitFor();
    const { link } = await mail(site.server, who.email, 'reset-password');
    assert.ok(link.startsWith(site.server.url + '/reset#token='), link);

    // Reading the page, with or without a browser, uses nothing up.
    assert.equal((await fetch(link)).status, 200);
    const posts = watchPosts(page);
    await visit(page, link);
    await heading(page, 'Choose a new password');
    assert.equal(new URL(page.url()).hash, '', 'the token has left the address bar');
    await page.reload();
    await heading(page, 'Choose a new password');
    assert.deepEqual([...new Set(posts)], ['/auth/password/reset/check']);

    await newPassword(page).fill(fresh);
    await page.getByRole('button', { name: 'Set the new password' }).click();
    await heading(page, 'Files');
    await page.getByText('Your new password is set.').waitFor();
    assert.ok(await page.evaluate((token) => !JSON.stringify(sessionStorage).includes(token), link.split('=')[1]), 'a used secret is removed');
    await page.reload();
    await heading(page, 'Files');

    await other.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor({ timeout: 1 }).catch(() => other.reload());
    await heading(other, 'Sign in to Coffer');
    await enter(other, who.username, who.password);
    await other.getByText('Wrong e-mail, username or password.').waitFor();
    await enter(other, who.username, fresh);
    await heading(other, 'Files');
  });
}

test('forgot answers alike for an address without an account, and sends again', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  const said = async (email) => {
    await page.goto('/forgot');
    await page.getByLabel('E-mail').fill(email);
    await page.getByRole('button', { name: 'Send the link' }).click();
    await heading(page, 'Look into your mailbox');
    await page.getByText('The link works for').waitFor(); // the settings are read
    return (await page.locator('main').innerText()).replaceAll(email, '…');
  };
  const seen = new Set();
  assert.equal(await said('nobody.' + who.email), await said(who.email));
  await mail(site.server, who.email, 'reset-password', seen);
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('If there is an account with this address, a new mail is on its way.').waitFor();
  assert.ok(await page.getByRole('button', { name: /^Send again in \d+ seconds$/ }).isDisabled());
  await mail(site.server, who.email, 'reset-password', seen);
  await page.getByRole('button', { name: 'Use another e-mail address' }).click();
  assert.equal(await page.getByLabel('E-mail').inputValue(), who.email, 'what was typed is there');
});

test('a link for a new password works once: a used, altered, outlived and broken one says so and helps', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  const seen = new Set();
  const first = await forget(who, seen);
  const link = await forget(who, seen);

  await visit(page, altered(link));
  await heading(page, 'This link no longer works');
  await headed(page);
  await visit(page, link.slice(0, -1));
  await heading(page, 'This link is not complete');
  await visit(page, site.server.url + '/reset');
  await heading(page, 'This link is not complete');
  await page.locator('main').getByRole('link', { name: 'Sign in' }).waitFor();

  // Used in another tab while this one shows the form.
  await visit(page, link);
  await newPassword(page).fill(fresh);
  await post(site.server, '/auth/password/reset', { token: link.split('=')[1], password: 'another one, chosen elsewhere' });
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, 'This link no longer works');
  await headed(page);
  for (const at of [link, first]) { // one use ends every link of the account
    await visit(page, at);
    await heading(page, 'This link no longer works');
  }
  await page.locator('main').getByRole('link', { name: 'Send a new link' }).click();
  await heading(page, 'Forgot your password');
  await signIn(page, { ...who, password: 'another one, chosen elsewhere' });
});

for (const [tag, words] of [
  ['en', { label: 'New password', submit: 'Set the new password', length: 'At least 13 characters', short: 'Please use at least 13 characters.', common: 'This password is one of the most common.', personal: 'This password is only your name', busy: 'Nothing was lost', files: 'Files' }],
  ['de', { label: 'Neues Passwort', submit: 'Neues Passwort setzen', length: 'Mindestens 13 Zeichen', short: 'Bitte mindestens 13 Zeichen verwenden.', common: 'Dieses Passwort gehört zu den häufigsten.', personal: 'Dieses Passwort besteht nur aus Ihrem Namen', busy: 'Nichts ging verloren', files: 'Dateien' }],
]) {
  test(`a refused new password says why, is still there, and the link still works: ${tag}`, async (t) => {
    const who = await member(site.server);
    const page = await open(t, site, { locale: tag });
    await visit(page, await forget(who));
    const field = page.getByLabel(words.label, { exact: true });
    const submit = page.getByRole('button', { name: words.submit });
    const met = () => page.getByRole('listitem').filter({ hasText: words.length }).evaluate((e) => e.classList.contains('met'));
    await field.fill('short');
    assert.equal(await met(), false);
    await submit.click();
    await page.getByText(words.short).waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    await field.fill('passwordpassword');
    assert.equal(await met(), true);
    await submit.click();
    await page.getByText(words.common).waitFor();
    await field.fill(`Ada-Lovelace-${who.username}-1815`);
    await submit.click();
    await page.getByText(words.personal).waitFor();
    await page.route('**/v1/auth/password/reset', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'unavailable' }) }), { times: 1 });
    await field.fill(fresh);
    await submit.click();
    await page.getByText(words.busy).waitFor();
    assert.equal(await field.inputValue(), fresh);
    await submit.click();
    await heading(page, words.files);
  });
}

test('an account with sign-in steps is asked for them after a new password, also in a browser that was signed in', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  const { secret } = await protect(who);
  await visit(page, await forget(who));
  await newPassword(page).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, 'One more step');
  await page.getByText('Your new password is set.').waitFor();
  await page.getByLabel('Code from your authenticator app').fill(totp(secret));
  await heading(page, 'Files');
});

test('a deactivated account: the sign-in leads to the page with what was typed, the mail to the files', async (t) => {
  for (const options of [{}, phone]) {
    const who = await member(site.server);
    await retire(who);
    const page = await open(t, site, options);
    await page.goto('/sign-in');
    await enter(page, who.username, who.password);
    await heading(page, 'Activate your account');
    await page.getByText('Your account is deactivated.').waitFor();
    assert.equal(await page.getByLabel('E-mail or username').inputValue(), who.username);
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), who.password);
    assert.ok(!(await page.content()).includes(who.password), 'the password stands nowhere in the page');
    assert.ok(await page.evaluate((password) => !JSON.stringify([sessionStorage, localStorage, history.state]).includes(password), who.password));
    await page.getByRole('button', { name: 'Send the link' }).click();
    await heading(page, 'Look into your mailbox');
    const { link } = await mail(site.server, who.email, 'activate');

    assert.equal((await fetch(link)).status, 200);
    const posts = watchPosts(page);
    await visit(page, link);
    await heading(page, 'Activate your account');
    await page.reload();
    await page.getByText('Press the button, and your account is as it was.').waitFor();
    assert.deepEqual([...new Set(posts)], ['/auth/activate/check']);
    await visit(page, altered(link));
    await heading(page, 'This link no longer works');
    await visit(page, link);
    await page.getByRole('button', { name: 'Activate my account' }).click();
    await heading(page, 'Files');
    await page.getByText('Your account is active again.').waitFor();

    await visit(page, link);
    await heading(page, 'This link no longer works');
    await page.getByRole('button', { name: 'Send a new link' }).click();
    await heading(page, 'Activate your account');
    await headed(page);
  }
});

test('an account with sign-in steps is asked for them after its activation', async (t) => {
  const who = await member(site.server);
  const { secret, act } = await protect(who);
  await act('/account/deactivate');
  await post(site.server, '/auth/activate', { identifier: who.username, password: who.password });
  const page = await open(t, site);
  await visit(page, (await mail(site.server, who.email, 'activate')).link);
  await page.getByRole('button', { name: 'Activate my account' }).click();
  await heading(page, 'One more step');
  await page.getByText('Your account is active again.').waitFor();
  await page.getByLabel('Code from your authenticator app').fill(totp(secret));
  await heading(page, 'Files');
});

test('a deactivated account that gets a new password goes on to its activation with it', async (t) => {
  const who = await member(site.server);
  await retire(who);
  const page = await open(t, site);
  await visit(page, await forget(who));
  await newPassword(page).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, 'Activate your account');
  await page.getByText('Your new password is set.').waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), fresh);
  await page.getByLabel('E-mail or username').fill(who.email);
  await page.getByRole('button', { name: 'Send the link' }).click();
  await heading(page, 'Look into your mailbox');
  await mail(site.server, who.email, 'activate');
});

test('a new password that stands without a session leads to the sign-in, which says so', async (t) => {
  const page = await open(t, site);
  await visit(page, await forget(await member(site.server)));
  await page.route('**/v1/auth/password/reset', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'not_signed_in' }) }));
  await newPassword(page).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, 'Sign in to Coffer');
  await page.getByText('That is done, but you could not be signed in. Sign in now.').waitFor();
});

test('reset and activation by keys alone', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  const { keyboard } = page;
  const tabTo = async (name) => {
    for (let i = 0; i < 30; i++) {
      const now = await page.evaluate(() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim());
      if (now === name) return;
      await keyboard.press('Tab');
    }
    assert.fail(`Tab never reached ${name}`);
  };
  await page.goto('/sign-in');
  await page.getByLabel('E-mail or username').waitFor();
  await tabTo('Forgot your password?');
  await keyboard.press('Enter');
  await heading(page, 'Forgot your password');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'email');
  await keyboard.type(who.email);
  await keyboard.press('Enter');
  await heading(page, 'Look into your mailbox');
  await headed(page);
  await visit(page, (await mail(site.server, who.email, 'reset-password')).link);
  await heading(page, 'Choose a new password');
  await tabTo('New password');
  await keyboard.type('short');
  await keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'alert');
  await tabTo('New password'); // the summary leads to the field
  await keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'password');
  await keyboard.press('Control+a');
  await keyboard.type(fresh);
  await keyboard.press('Enter');
  await heading(page, 'Files');

  await retire({ ...who, password: fresh });
  await page.goto('/activate');
  await tabTo('E-mail or username');
  await keyboard.type(who.email);
  await keyboard.press('Tab');
  await keyboard.type('not the password');
  await keyboard.press('Enter');
  await page.getByText('Wrong e-mail, username or password.').waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), 'not the password');
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'alert');
  await tabTo('Password');
  await keyboard.press('Control+a');
  await keyboard.type(fresh);
  await keyboard.press('Enter');
  await heading(page, 'Look into your mailbox');
  await visit(page, (await mail(site.server, who.email, 'activate')).link);
  await page.getByText('Press the button').waitFor();
  await tabTo('Activate my account');
  await keyboard.press('Enter');
  await heading(page, 'Files');
});
