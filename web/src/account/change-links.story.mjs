// The two links of a changed address: the one to the new address, the one to the old.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { altered, as, mail, member, open, post, signIn, stage, visit, watchPosts } from '../../test/browser.mjs';

const site = stage();

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const headed = (page) => page.waitForFunction(() => document.activeElement.tagName === 'H1');

// change asks for another address through the API, and returns it with the link to it.
async function change(who) {
  const email = 'new.' + who.email;
  const act = await as(site.server, who);
  await act('/account/email', { email });
  return { act, email, link: (await mail(site.server, email, 'change-email')).link };
}

// changed has the address confirmed, and returns the link that undoes it.
async function changed(who) {
  const { act, email, link } = await change(who);
  await act('/account/email/confirm', { token: link.split('=')[1] });
  const notice = await mail(site.server, who.email, 'change-email-notice');
  return { email, link: notice.link };
}

async function enter(page, identifier, password) {
  await page.getByLabel('E-mail or username').fill(identifier);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

for (const [size, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`a new address is confirmed, through a sign-in that keeps the link, on ${size}`, async (t) => {
    const who = await member(site.server);
    const { email, link } = await change(who);
    const token = link.split('=')[1];
    assert.ok(link.startsWith(site.server.url + '/confirm-email#token='), link);
    assert.equal((await fetch(link)).status, 200);
    const page = await open(t, site, options);
    const posts = watchPosts(page);
    await visit(page, link);
    await heading(page, 'Sign in to Coffer');
    assert.ok(!page.url().includes(token), 'the token is not in the address bar');
    await page.reload(); // the link survives it here too
    await enter(page, who.email, who.password);
    await heading(page, 'Confirm your new address');
    await page.getByText(`${email} becomes the address of your account.`).waitFor();
    assert.equal(page.url(), site.server.url + '/confirm-email');
    await page.reload();
    await page.getByText(`${email} becomes the address of your account.`).waitFor();
    assert.deepEqual([...new Set(posts)], ['/auth/sign-in', '/account/email/confirm/check']);
    await page.getByRole('button', { name: 'Confirm this address' }).click();
    await heading(page, 'Account');
    await page.getByText('Your new address is confirmed.').waitFor();
    assert.equal(new URL(page.url()).pathname, '/account');
    await page.locator('main').getByText(email).first().waitFor();
    assert.ok(await page.evaluate((secret) => !JSON.stringify(sessionStorage).includes(secret), token), 'a used secret is removed');

    await visit(page, link);
    await heading(page, 'This link no longer works');
    await headed(page);
    await page.locator('main').getByRole('link', { name: 'Go to your account' }).click();
    await heading(page, 'Account');
  });
}

test('a link of another account, an altered one and a broken one change nothing', async (t) => {
  const who = await member(site.server);
  const { email, link } = await change(who);
  const stranger = await member(site.server);
  const page = await open(t, site);
  await signIn(page, stranger);
  for (const at of [link, altered(link)]) {
    await visit(page, at);
    await heading(page, 'This link no longer works');
    await page.getByText(`you are signed in as ${stranger.username}`).waitFor();
  }
  for (const at of [link.slice(0, -1), site.server.url + '/confirm-email', site.server.url + '/undo-email', site.server.url + '/undo-email#token=abc']) {
    await visit(page, at);
    await heading(page, 'This link is not complete');
  }
  await visit(page, altered(link.replace('confirm-email', 'undo-email'))); // a link of another purpose is no link here
  await heading(page, 'This link no longer works');
  await visit(page, link.replace('confirm-email', 'undo-email'));
  await heading(page, 'This link no longer works');

  const own = await open(t, site);
  await signIn(own, who);
  await visit(own, link);
  await own.getByText(`${email} becomes the address of your account.`).waitFor();
  await own.getByRole('button', { name: 'Confirm this address' }).click();
  await heading(own, 'Account');
});

for (const [tag, options, words] of [
  ['en', {}, { title: 'Keep your old address', out: 'Everybody is signed out, on every device.', button: 'Keep my old address', done: 'Your old address counts', again: 'Choose a new password', forgot: 'Forgot your password', gone: 'This link no longer works', wrong: 'Wrong e-mail, username or password.' }],
  ['de', { ...phone, locale: 'de-DE' }, { title: 'Ihre alte Adresse behalten', out: 'Alle werden abgemeldet, auf jedem Gerät.', button: 'Meine alte Adresse behalten', done: 'Ihre alte Adresse gilt', again: 'Neues Passwort wählen', forgot: 'Passwort vergessen', gone: 'Dieser Link gilt nicht mehr' }],
]) {
  test(`the old address comes back without a sign-in, everybody is out, and a new password is advised: ${tag}`, async (t) => {
    const who = await member(site.server);
    const { email, link } = await changed(who);
    const thief = await open(t, site);
    await signIn(thief, who);
    assert.ok(link.startsWith(site.server.url + '/undo-email#token='), link);
    assert.equal((await fetch(link)).status, 200);

    const page = await open(t, site, options);
    const posts = watchPosts(page);
    await visit(page, altered(link));
    await heading(page, words.gone);
    await visit(page, link);
    await heading(page, words.title);
    await page.getByText(words.out).waitFor();
    await page.reload();
    await heading(page, words.title);
    assert.deepEqual([...new Set(posts)], ['/account/email/undo/check']);
    await page.getByRole('button', { name: words.button }).click();
    await heading(page, words.done);
    await headed(page);
    await page.locator('main').getByRole('link', { name: words.again }).click();
    await heading(page, words.forgot);
    await page.locator('input[name=email]').fill(who.email);
    await page.locator('main button[type=submit]').click();
    await mail(site.server, who.email, 'reset-password');

    await thief.goto('/files');
    await heading(thief, 'Sign in to Coffer');
    await enter(thief, email, who.password);
    await thief.getByText('Wrong e-mail, username or password.').waitFor();
    await visit(page, link);
    await heading(page, words.gone);
  });
}

test('an old address that somebody else has by now cannot come back, and the page says so', async (t) => {
  const who = await member(site.server);
  const { link } = await changed(who);
  const taker = { ...who, username: who.username + 'b' };
  await post(site.server, '/auth/sign-up', taker);
  const { code } = await mail(site.server, who.email, 'verify-email', new Set());
  let taken = true;
  await post(site.server, '/auth/verify-email', { email: who.email, code, password: who.password }).catch(() => (taken = false));
  const page = await open(t, site);
  await visit(page, link);
  // A server that keeps the old address for as long as it can come back lets nobody take it.
  if (!taken) await page.route('**/v1/account/email/undo', (route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'email_taken' }) }));
  await page.getByRole('button', { name: 'Keep my old address' }).click();
  await page.getByText('Another account has this address by now').waitFor();
});

test('a browser that the undo signs out shows it, and both links go by keys alone', async (t) => {
  const who = await member(site.server);
  const { link } = await change(who);
  const page = await open(t, site);
  const { keyboard } = page;
  const tabTo = async (name) => {
    for (let i = 0; i < 30; i++) {
      if ((await page.evaluate(() => document.activeElement.textContent.trim())) === name) return;
      await keyboard.press('Tab');
    }
    assert.fail(`Tab never reached ${name}`);
  };
  await page.route('**/v1/changes', (route) => route.abort()); // the page finds out by itself
  await signIn(page, who);
  await visit(page, link);
  await heading(page, 'Confirm your new address');
  await tabTo('Confirm this address');
  await keyboard.press('Enter');
  await heading(page, 'Account');
  await visit(page, (await mail(site.server, who.email, 'change-email-notice')).link);
  await heading(page, 'Keep your old address');
  await tabTo('Keep my old address');
  await keyboard.press('Enter');
  await heading(page, 'Your old address counts');
  await page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'detached' });
  await headed(page);
  await tabTo('Choose a new password');
  await keyboard.press('Enter');
  await heading(page, 'Forgot your password');
});

test('the old address is kept before the new one is confirmed', async (t) => {
  const who = await member(site.server);
  const { link } = await change(who);
  const page = await open(t, site);
  await visit(page, (await mail(site.server, who.email, 'change-email-notice')).link);
  await page.getByRole('button', { name: 'Keep my old address' }).click();
  await heading(page, 'Your old address counts');
  await signIn(page, who);
  await visit(page, link);
  await heading(page, 'This link no longer works');
});
