// Every page in light and dark, on a desk and on a phone, in German there: accessible by axe's rules,
// nothing cut, nothing inline, nothing from elsewhere.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from './axe.mjs';
import { as, drop, mail, member, mine, open, person, post, row, signIn, stage, tree, visit } from './browser.mjs';

const site = stage();
const linked = stage(); // of its own: one address has 100 links judged in an hour

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const look = (page, what) => lightAndDark(page, (scheme) => check(page, `${what}, ${scheme}`));

for (const [name, options] of [
  ['a desk', {}],
  ['a phone, in German', { ...phone, locale: 'de-DE' }],
]) {
  test(`every page on ${name}`, async (t) => {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    for (const at of ['/', '/sign-up', '/sign-in', '/verify-email', '/verify-email#token=x', `/verify-email#token=${'x'.repeat(43)}`, '/first-admin', '/first-admin#token=x', `/first-admin#token=${'x'.repeat(43)}`, '/account/deactivated', '/account/deleted', '/social#error=provider_unavailable&provider=google', `/social#code=${'x'.repeat(43)}`, '/send', '/send/safe', '/d/nobody-here', '/nowhere']) {
      await page.goto('about:blank');
      await page.goto(at);
      await page.locator('main h1').waitFor();
      await look(page, at);
    }
    // The page that asks for the password of the sign-up, and refuses another one.
    const newcomer = person();
    await post(site.server, '/auth/sign-up', newcomer);
    const { link } = await mail(site.server, newcomer.email, 'verify-email');
    await page.goto('about:blank');
    await page.goto(link);
    await page.locator('main button[type=submit]').click();
    await page.locator('input[name=password]').fill('not what was chosen');
    await look(page, 'the password of the sign-up');
    await page.locator('main button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    await look(page, 'the password of the sign-up, refused');
    const who = await member(site.server);
    if (options.locale) {
      await page.goto('/sign-in');
      await page.locator('.bottom select').first().selectOption('en');
    }
    await signIn(page, who);
    await look(page, 'empty /files');
    const dir = tree(t, { 'letter.txt': 'x', ['long '.repeat(30) + '.pdf']: 'y', 'Photos/a.jpg': 'z' });
    await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
    await row(page, 'letter.txt').waitFor();
    await row(page, 'Photos').waitFor();
    await look(page, '/files');
    await row(page, 'letter.txt').getByRole('checkbox').check();
    await look(page, '/files, selected');
    await page.getByRole('button', { name: 'Actions for letter.txt' }).click();
    await page.getByRole('menu').waitFor();
    await look(page, 'row menu');
    await page.getByRole('menuitem', { name: 'Move' }).click();
    await page.getByRole('radio', { name: 'Photos' }).waitFor();
    await look(page, 'move dialog');
    await page.keyboard.press('Escape');
    for (const name of ['New', /^Account menu|^More$/]) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('menu').or(page.getByRole('dialog')).waitFor();
      await look(page, String(name));
      await page.keyboard.press('Escape');
    }
    await mine(page, 'Language and appearance');
    await look(page, 'language and appearance');
    await page.keyboard.press('Escape');
    for (const at of ['Security', 'Account']) {
      await mine(page, at);
      await page.getByRole('heading', { level: 1, name: at }).waitFor();
      await page.locator('main .card').first().waitFor();
      await page.locator('.skeleton').first().waitFor({ state: 'detached' });
      await look(page, at);
    }
    await account(page);
    const dead = ['x', 'x'.repeat(43)];
    for (const at of ['reset', 'activate', 'recover', 'stop-recovery', 'confirm-email', 'undo-email', 'end-device']) {
      for (const token of dead) {
        await visit(page, `/${at}#token=${token}`);
        await page.locator('main .badge').waitFor();
        await page.locator('main form').waitFor({ state: 'detached' });
        await look(page, `/${at}, ${token}`);
      }
    }
    const inline = await page.evaluate(() => document.querySelectorAll('style, [onclick], script:not([src])').length);
    assert.equal(inline, 0);
  });
}

// account looks at what the account page and the security page open.
async function account(page) {
  const part = (name) => page.getByRole('region', { name, exact: true });
  const dialog = page.getByRole('dialog');
  const closed = async () => {
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  };
  const long = `${'a.very.long.address.'.repeat(3)}${Date.now() % 1000}@${'subdomain.'.repeat(5)}example.org`;
  await part('E-mail').getByLabel('New e-mail address').fill(long);
  await part('E-mail').getByRole('button', { name: 'Change my e-mail' }).click();
  await part('E-mail').getByText(`We sent a link to ${long}`).waitFor();
  await look(page, 'Account, with an address that waits');
  await part('Deactivate my account').getByRole('button').click();
  await dialog.waitFor();
  await look(page, 'the question before deactivating');
  await closed();

  // The dialog of the fresh proof, and its sign-in step.
  await page.route('**/v1/account/export', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ status: 403, code: 'step_up_required' }) }));
  await page.evaluate(() => delete globalThis.showSaveFilePicker);
  await part('My data').getByRole('button').click();
  await dialog.waitFor();
  await look(page, 'the fresh proof, over a running download');
  await page.route('**/v1/account/reauthenticate', (route) => route.fulfill({ status: 202, json: { attempt_id: 'a', attempt_token: 'b', expires_at: new Date(Date.now() + 60_000).toISOString(), layers: [{ layer: 'totp', done: false }] } }));
  await dialog.getByLabel('Password', { exact: true }).fill('anything');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.getByRole('heading', { name: 'One more step' }).waitFor();
  await look(page, 'the sign-in step of a fresh proof');
  await closed();
  await page.getByRole('region', { name: 'Downloads' }).or(page.getByRole('region', { name: 'Uploads' })).waitFor();
  await look(page, 'a download that was cancelled');

  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByText('3 files (3 bytes)').waitFor();
  await look(page, 'Delete my account');
  await page.getByLabel('Your username').fill('somebody');
  await page.getByRole('button', { name: 'Delete my account for good' }).click();
  await page.getByText('This is not your username.').waitFor();
  await look(page, 'Delete my account, refused');

  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await part('Password').getByRole('button').click();
  await dialog.waitFor();
  await look(page, 'Change password');
  await dialog.getByLabel('Current password').fill('not the password');
  await dialog.getByLabel('New password').fill('short');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await dialog.getByRole('alert').waitFor();
  await look(page, 'Change password, refused');
  await closed();
}

for (const [name, options] of [
  ['a desk', {}],
  ['a phone, in German', { ...phone, locale: 'de-DE' }],
]) {
  test(`the pages of mailed links on ${name}`, async (t) => {
    const page = await open(t, linked, { reducedMotion: 'reduce', ...options });
    const submit = page.locator('main button[type=submit]').first();
    const seen = async (what) => {
      await page.locator('main h1').first().waitFor();
      await page.waitForTimeout(50);
      await lightAndDark(page, async (scheme) => {
        await check(page, `${what}, ${scheme}`);
        if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `${what} on ${name}, ${scheme}.png`) });
      });
    };
    const who = await member(linked.server);
    await page.goto('/sign-in');
    await submit.waitFor();
    await seen('sign-in');
    await page.goto('/forgot');
    await page.locator('[name=email]').fill(who.email);
    await seen('forgot');
    await submit.click();
    await page.locator('main .badge').waitFor();
    await seen('forgot, sent');
    await visit(page, (await mail(linked.server, who.email, 'reset-password')).link);
    await page.locator('[name=password]').fill('passwordpassword');
    await seen('reset');
    await submit.click();
    await page.getByRole('alert').waitFor();
    await seen('reset, refused');
    await visit(page, `/reset#token=${'x'.repeat(43)}`);
    await page.locator('main form').waitFor({ state: 'detached' });
    await seen('reset, gone');

    const act = await as(linked.server, who);
    const next = `new.${who.email}`;
    await act('/account/email', { email: next });
    await visit(page, (await mail(linked.server, next, 'change-email')).link);
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await submit.click();
    await page.locator('main .centre').waitFor();
    await seen('confirm-email');
    await submit.click();
    await page.locator('main .centre').waitFor({ state: 'detached' });
    await visit(page, `/confirm-email#token=${'x'.repeat(43)}`);
    await page.locator('main form').waitFor({ state: 'detached' });
    await seen('confirm-email, gone');
    await visit(page, (await mail(linked.server, who.email, 'new-device')).link);
    await page.locator('main .device').waitFor();
    await seen('end-device');
    await submit.click();
    await page.locator('main form').first().waitFor({ state: 'detached' });
    await seen('end-device, done');
    await visit(page, (await mail(linked.server, who.email, 'change-email-notice')).link);
    await submit.waitFor();
    await seen('undo-email');
    await submit.click();
    await page.locator('main form').waitFor({ state: 'detached' });
    await seen('undo-email, done');

    await (await as(linked.server, who))('/account/deactivate');
    await page.goto('/sign-in');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await submit.click();
    await page.waitForURL('**/activate');
    await submit.waitFor();
    await seen('activate, asked');
    await submit.click();
    await page.locator('main .badge').waitFor();
    await seen('activate, sent');
    await visit(page, (await mail(linked.server, who.email, 'activate')).link);
    await submit.waitFor();
    await seen('activate');
    await visit(page, `/activate#token=${'x'.repeat(43)}`);
    await page.locator('main form').waitFor({ state: 'detached' });
    await seen('activate, gone');
  });
}

test('light and dark can be chosen, and the choice stays', async (t) => {
  const page = await open(t, site, { colorScheme: 'light' });
  await page.goto('/');
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.getByLabel('Appearance').selectOption('dark');
  const dark = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await paper(), dark);
  await page.getByLabel('Appearance').selectOption('light');
  assert.equal(await paper(), light);
});

test('passwords can be pasted and shown', async (t) => {
  const page = await open(t, site, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto('/sign-up');
  const field = page.getByLabel('Password', { exact: true });
  assert.equal(await field.getAttribute('autocomplete'), 'new-password');
  assert.equal(await field.getAttribute('type'), 'password');
  await page.evaluate(() => navigator.clipboard.writeText('pasted words in a row'));
  await field.focus();
  await page.keyboard.press('Control+v');
  assert.equal(await field.inputValue(), 'pasted words in a row');
  await page.getByRole('button', { name: 'Show password' }).click();
  assert.equal(await field.getAttribute('type'), 'text');
  await page.goto('/sign-in');
  assert.equal(await page.getByLabel('Password', { exact: true }).getAttribute('autocomplete'), 'current-password');
});
