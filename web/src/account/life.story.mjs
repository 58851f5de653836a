// The account page and the password: the address, the data, deactivating, deleting, and the fresh
// proof that they want.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { drop, earlyInStep, focused, mail, member, mine, open, post, row, signIn, stage, tabTo, totp, tree } from '../../test/browser.mjs';

const site = stage({ COFFER_STEP_UP_TTL: '2s' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const stale = () => sleep(2_100); // the last proof ends

// The browser's own dialog for saving cannot be pressed by a story.
const noPicker = (page) => page.addInitScript(() => delete globalThis.showSaveFilePicker);

const proof = (page) => page.getByRole('dialog', { name: 'Confirm it is you' });

async function prove(page, who) {
  await proof(page).getByLabel('Password', { exact: true }).fill(who.password);
  await proof(page).getByRole('button', { name: 'Confirm' }).click();
}

// part is a section of the page, by its heading.
const part = (page, name) => page.getByRole('region', { name, exact: true });

async function onAccount(t, options) {
  const who = await member(site.server);
  const page = await open(t, site, options);
  await noPicker(page);
  await signIn(page, who);
  await mine(page, 'Account');
  await part(page, 'E-mail').waitFor();
  return { who, page };
}

// withApp turns the authenticator app on and answers its secret.
async function withApp(page, who) {
  await mine(page, 'Security');
  await page.getByRole('button', { name: 'Turn on', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up your authenticator app' });
  await proof(page).or(dialog).first().waitFor();
  if (await proof(page).isVisible()) await prove(page, who);
  const secret = (await dialog.locator('code').textContent()).replace(/\s/g, '');
  await earlyInStep();
  await dialog.getByLabel('Code from your authenticator app').fill(totp(secret, 1)); // leaves this step's code
  await page.getByRole('button', { name: 'Turn off', exact: true }).waitFor();
  return secret;
}

// isOut waits until another device's page asks to sign in. The page may have heard of its end already: a
// press on its menu would then wait for nothing.
async function isOut(page) {
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
}

for (const [size, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`the address is changed on ${size}: nothing typed is lost, and the old one counts until the new one is confirmed`, async (t) => {
    const { who, page } = await onAccount(t, options);
    const email = part(page, 'E-mail');
    const fresh = `new-${who.email}`;
    const field = email.getByLabel('New e-mail address');
    const change = email.getByRole('button', { name: 'Change my e-mail' });
    await page.getByLabel('About you').fill('Typed, and not saved yet.');
    await stale();
    await field.fill(fresh);
    await change.click();
    await proof(page).waitFor();
    await page.keyboard.press('Escape');
    await proof(page).waitFor({ state: 'detached' });
    assert.equal(await field.inputValue(), fresh, 'Escape keeps what was typed');
    assert.equal(await email.getByRole('alert').count(), 0, 'whoever takes the question back is told nothing');

    await change.click();
    await proof(page).getByLabel('Password', { exact: true }).fill('not the password');
    await proof(page).getByRole('button', { name: 'Confirm' }).click();
    await proof(page).getByText('Wrong password.', { exact: true }).waitFor();
    await prove(page, who);
    await email.getByText(`We sent a link to ${fresh}. Until you confirm it, ${who.email} counts.`).waitFor();
    assert.equal(await field.inputValue(), '');
    assert.equal(await page.getByLabel('About you').inputValue(), 'Typed, and not saved yet.');
    const seen = new Set();
    await mail(site.server, fresh, 'change-email', seen);
    await mail(site.server, who.email, 'change-email-notice', seen);

    await page.reload();
    await email.getByText(`We sent a link to ${fresh}.`).waitFor();
    await stale();
    await email.getByRole('button', { name: 'Send again' }).click();
    await prove(page, who);
    await email.getByRole('button', { name: /^Send again in/ }).waitFor();
    await mail(site.server, fresh, 'change-email', seen);
    await email.getByText(who.email, { exact: true }).waitFor();

    // The own address, and one that is none: both stand at the field.
    await field.fill(who.email);
    await change.click();
    await email.getByRole('alert').or(proof(page)).first().waitFor();
    if (await proof(page).isVisible()) await prove(page, who);
    await email.getByRole('alert').waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await field.inputValue(), who.email);
  });

  test(`the password is changed on ${size}, and the other devices are out`, async (t) => {
    const { who, page } = await onAccount(t, options);
    const other = await open(t, site);
    await signIn(other, who);
    await mine(page, 'Security');
    await page.locator('.device').nth(1).waitFor();
    await part(page, 'Password').getByRole('button', { name: 'Change password' }).click();
    const dialog = page.getByRole('dialog', { name: 'Change password' });
    const [old, fresh] = [dialog.getByLabel('Current password'), dialog.getByLabel('New password')];
    assert.equal(await old.getAttribute('autocomplete'), 'current-password');
    assert.equal(await fresh.getAttribute('autocomplete'), 'new-password');
    assert.equal(await dialog.getByLabel('Sign out everywhere else').isChecked(), true);
    const met = async (text) => (await dialog.getByRole('listitem').filter({ hasText: text }).getAttribute('class')) === 'met';
    await fresh.fill('AdaLovelace-1815');
    assert.deepEqual([await met('At least 12 characters'), await met('Not just your name')], [true, false], 'the page knows whose password it is');
    await old.fill('not the password');
    await fresh.fill('eleven quiet engines');
    assert.deepEqual([await met('At least 12 characters'), await met('Not just your name')], [true, true]);
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await dialog.getByText('This is not your current password.').waitFor();
    assert.equal(await old.getAttribute('aria-invalid'), 'true');
    assert.equal(await fresh.inputValue(), 'eleven quiet engines');
    await old.fill(who.password);
    await fresh.fill('password1234');
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await dialog.getByText('This password is one of the most common.').waitFor();
    assert.equal(await fresh.getAttribute('aria-invalid'), 'true');
    await fresh.fill('eleven quiet engines');
    await dialog.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Your password is changed, and all other devices are signed out.').waitFor();
    await page.locator('.device').nth(1).waitFor({ state: 'detached' });
    // This device stays, with the session that the call answered.
    await page.reload();
    await page.getByText('This device').waitFor();
    await isOut(other);
    await signIn(other, { ...who, password: 'eleven quiet engines' });
  });

  test(`the data is downloaded on ${size}`, async (t) => {
    const { who, page } = await onAccount(t, options);
    await page.goto('/files');
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    await drop(page, [path.join(tree(t, { 'letter.txt': 'Dear Charles' }), 'letter.txt')]);
    await row(page, 'letter.txt').waitFor();
    await mine(page, 'Account');
    await stale();
    const download = page.waitForEvent('download', { timeout: 120_000 });
    await part(page, 'My data').getByRole('button', { name: 'Download my data' }).click();
    await prove(page, who);
    const zip = await download;
    assert.match(zip.suggestedFilename(), /^coffer-\d{4}-\d\d-\d\d\.zip$/);
    const bytes = fs.readFileSync(await zip.path());
    assert.equal(bytes.subarray(0, 2).toString(), 'PK');
    for (const name of ['account.json', 'index.html', 'letter.txt']) assert.ok(bytes.includes(name), name);
    await page.getByRole('button', { name: 'All transfers are over' }).waitFor();
    await page.getByRole('heading', { name: 'downloaded' }).or(page.getByRole('heading', { name: 'uploaded' })).waitFor();
    // Where the browser has a picker, the zip goes straight into the file.
    await page.evaluate(() => {
      globalThis.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
    });
    await page.getByRole('button', { name: 'Download my data' }).click();
    await proof(page).or(page.getByRole('button', { name: 'All transfers are over' })).first().waitFor();
    if (await proof(page).isVisible()) await prove(page, who);
    await page.waitForFunction(async () => {
      for await (const handle of (await navigator.storage.getDirectory()).values()) if ((await handle.getFile()).size > 500) return true;
      return false;
    });
  });
}

// wire stands between the browser and the server: it holds back what comes after so many bytes,
// and cuts every connection.
async function wire(t, server) {
  const ends = new Set();
  const at = { left: Infinity };
  const proxy = net.createServer((client) => {
    const up = net.connect(Number(new URL(server.url).port), '127.0.0.1');
    for (const end of [client, up]) {
      ends.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        client.destroy();
        up.destroy();
        ends.delete(end);
      });
    }
    client.pipe(up);
    up.on('data', (chunk) => {
      client.write(chunk);
      if ((at.left -= chunk.length) <= 0) up.pause();
    });
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const end of ends) end.destroy();
    proxy.close();
  });
  return {
    server: { ...server, url: `http://localhost:${proxy.address().port}` },
    hold: (bytes) => (at.left = bytes),
    cut() {
      at.left = Infinity;
      for (const end of ends) end.destroy();
    },
  };
}

test('a download that breaks says so and saves nothing; one can cancel it, and try again', async (t) => {
  const { server, hold, cut } = await wire(t, site.server);
  const who = await member(site.server);
  const page = await open(t, { browser: site.browser, server });
  await noPicker(page);
  await signIn(page, who);
  const dir = tree(t, {});
  fs.writeFileSync(path.join(dir, 'noise.bin'), crypto.randomBytes(3 << 20));
  await drop(page, [path.join(dir, 'noise.bin')]);
  await row(page, 'noise.bin').waitFor();
  await mine(page, 'Account');
  const saved = [];
  page.on('download', (d) => saved.push(d.suggestedFilename()));
  const panel = page.getByRole('region', { name: 'Uploads' });
  await stale();
  await page.getByRole('button', { name: 'Download my data' }).click();
  await proof(page).waitFor();
  hold(1 << 20);
  await prove(page, who);
  await panel.getByText(/ received/).waitFor();
  // It goes on while the person moves.
  await page.getByRole('link', { name: 'Files' }).click();
  await page.getByRole('button', { name: '1 transfer is running' }).waitFor();
  cut();
  await panel.getByRole('heading', { name: 'The download failed' }).waitFor();
  await panel.getByText('The download broke, and nothing was saved. Try again.').waitFor();
  const again = panel.getByRole('button', { name: 'Try My data again' });
  await stale();
  await again.click();
  await proof(page).waitFor();
  hold(1 << 20);
  await prove(page, who);
  await panel.getByText(/ received/).waitFor();
  await panel.getByRole('button', { name: 'Cancel My data' }).click();
  await panel.getByText('Cancelled').waitFor();
  assert.deepEqual(saved, []);
  cut();
  await stale();
  const download = page.waitForEvent('download', { timeout: 120_000 });
  await again.click();
  await prove(page, who);
  assert.ok(fs.statSync(await (await download).path()).size > 3 << 20);

  // The file that the person picked goes with the break.
  await page.evaluate(() => {
    globalThis.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  });
  await mine(page, 'Account');
  await stale();
  await page.getByRole('button', { name: 'Download my data' }).click();
  await proof(page).waitFor();
  hold(1 << 20);
  await prove(page, who);
  await panel.getByText(/ received/).waitFor();
  cut();
  await panel.getByText('The download broke, and nothing was saved. Try again.').waitFor();
  assert.deepEqual(await page.evaluate(async () => Array.fromAsync((await navigator.storage.getDirectory()).keys())), []);
});

test('a deactivated account says what happened and how to come back, and is out everywhere', async (t) => {
  const { who, page } = await onAccount(t);
  const other = await open(t, site);
  await signIn(other, who);
  await page.evaluate(() => localStorage.setItem('coffer.theme', 'dark'));
  await page.reload();
  await part(page, 'Deactivate my account').getByRole('button').click();
  const dialog = page.getByRole('dialog', { name: 'Deactivate your account?' });
  for (const text of ['You are signed out on every device at once.', 'Nothing is deleted', who.email]) await dialog.getByText(text).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await part(page, 'Deactivate my account').getByRole('button').click();
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await page.getByRole('heading', { level: 1, name: 'Your account is deactivated' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.equal(await page.evaluate(() => localStorage.getItem('coffer.theme')), 'dark', 'the appearance is kept');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Your account is deactivated' }).waitFor();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  await isOut(other);
  await page.locator('main').getByRole('link', { name: /Activate/ }).click();
  await page.waitForURL('**/activate');
});

test('deleting says what goes, takes the username and a code, and frees the names', async (t) => {
  const { who, page } = await onAccount(t);
  await page.goto('/files');
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  const dir = tree(t, { 'a.txt': 'a'.repeat(1000), 'Photos/b.txt': 'b'.repeat(1000) });
  await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
  await row(page, 'Photos').waitFor();
  await row(page, 'a.txt').waitFor();
  await page.getByRole('heading', { name: '2 files uploaded' }).waitFor();
  const secret = await withApp(page, who);
  await mine(page, 'Account');
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('heading', { level: 1, name: 'Delete my account' }).waitFor();
  for (const text of [who.email, 'Your sign-in on this device', 'Your authenticator app as a sign-in step', '2 files (2 kB)', 'become free']) await page.locator('main').getByText(text).first().waitFor();
  await page.getByRole('button', { name: 'Download my data' }).waitFor();
  await stale();
  const name = page.getByLabel('Your username');
  const button = page.getByRole('button', { name: 'Delete my account for good' });
  await name.fill('somebody');
  await button.click();
  await page.getByText('This is not your username.').waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0, 'nobody is asked for a proof yet');
  await name.fill(who.username);
  await button.click();
  await prove(page, who);
  await proof(page).getByRole('heading', { name: 'One more step' }).waitFor();
  const code = proof(page).getByLabel('Code from your authenticator app');
  assert.equal(await code.evaluate((e) => e === document.activeElement), true);
  await earlyInStep();
  await code.fill(totp(secret) === '000000' ? '000001' : '000000');
  await proof(page).getByRole('alert').waitFor();
  await page.keyboard.press('Escape');
  await proof(page).waitFor({ state: 'detached' });
  assert.equal(await name.inputValue(), who.username);
  await button.click();
  await prove(page, who);
  await code.fill(totp(secret));
  await page.getByRole('heading', { level: 1, name: 'Your account is deleted' }).waitFor();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  await mail(site.server, who.email, 'account-deleted');
  await page.goBack();
  await page.getByRole('heading', { name: 'Your account is deleted' }).or(page.getByRole('heading', { name: 'Sign in to Coffer' })).waitFor();
  const seen = new Set();
  await mail(site.server, who.email, 'verify-email', seen);
  await post(site.server, '/auth/sign-up', who);
  const { code: again } = await mail(site.server, who.email, 'verify-email', seen);
  await post(site.server, '/auth/verify-email', { email: who.email, code: again, password: who.password });
  await signIn(page, who);
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
});

test('the address wants a code too, and an attempt that is over begins again with the password', async (t) => {
  const { who, page } = await onAccount(t);
  const secret = await withApp(page, who);
  await mine(page, 'Account');
  const email = part(page, 'E-mail');
  await stale();
  await email.getByLabel('New e-mail address').fill(`new-${who.email}`);
  await email.getByRole('button', { name: 'Change my e-mail' }).click();
  await prove(page, who);
  const code = proof(page).getByLabel('Code from your authenticator app');
  await code.waitFor();
  await page.route('**/v1/auth/attempts/*/totp', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ status: 401, code: 'attempt_over' }) }), { times: 1 });
  await code.fill('123456');
  await proof(page).getByText('Too many wrong codes, or too late. Please begin again.', { exact: true }).waitFor();
  await prove(page, who);
  await code.waitFor();
  assert.equal(await proof(page).getByText('Too many wrong codes').count(), 0);
  await earlyInStep();
  await code.fill(totp(secret));
  await email.getByText(`We sent a link to new-${who.email}.`).waitFor();

  // A device that has given its code is asked for the password alone.
  await stale();
  const download = page.waitForEvent('download', { timeout: 120_000 });
  await page.getByRole('button', { name: 'Download my data' }).click();
  await prove(page, who);
  assert.match((await download).suggestedFilename(), /\.zip$/);
});

test('two calls that want a proof at once, the address and the data, open one dialog, which takes the code too, and both are made', async (t) => {
  const { who, page } = await onAccount(t);
  const secret = await withApp(page, who);
  await mine(page, 'Account');
  await part(page, 'E-mail').waitFor();
  await stale();
  const download = page.waitForEvent('download', { timeout: 120_000 });
  await part(page, 'E-mail').getByLabel('New e-mail address').fill(`new-${who.email}`);
  await page.evaluate(() => {
    document.querySelector('section[aria-labelledby=data] button').click();
    document.querySelector('section[aria-labelledby=email] form').requestSubmit();
  });
  await proof(page).waitFor();
  await sleep(500);
  assert.equal(await page.getByRole('dialog').count(), 1);
  await prove(page, who);
  const code = proof(page).getByLabel('Code from your authenticator app');
  await code.waitFor();
  await earlyInStep();
  await code.fill(totp(secret));
  await download;
  await part(page, 'E-mail').getByText(`We sent a link to new-${who.email}.`).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('a refusal that comes when the proof is given already asks no second time', async (t) => {
  const { who, page } = await onAccount(t);
  await stale();
  let answer;
  const refused = new Promise((resolve) => void page.route('**/v1/account/export', async (route) => {
    const response = await route.fetch();
    answer = () => route.fulfill({ response });
    resolve(response.status());
  }, { times: 1 }));
  const download = page.waitForEvent('download', { timeout: 120_000 });
  await page.getByRole('button', { name: 'Download my data' }).click();
  assert.equal(await refused, 403);
  await part(page, 'E-mail').getByLabel('New e-mail address').fill(`new-${who.email}`);
  await part(page, 'E-mail').getByRole('button', { name: 'Change my e-mail' }).click();
  await prove(page, who);
  await proof(page).waitFor({ state: 'detached' });
  await answer();
  await download;
  assert.equal(await page.getByRole('dialog').count(), 0);
});

test('keys alone: the address with its proof, the password, deactivating', async (t) => {
  const { who, page } = await onAccount(t);
  const { keyboard } = page;
  await stale();
  await tabTo(page, 'New e-mail address');
  await keyboard.type(`new-${who.email}`);
  await keyboard.press('Enter');
  await proof(page).waitFor();
  assert.equal(await focused(page), 'Password');
  await keyboard.press('Escape');
  await proof(page).waitFor({ state: 'detached' });
  assert.equal(await focused(page), 'New e-mail address', 'the dialog gives the focus back');
  await keyboard.press('Enter');
  await proof(page).waitFor();
  await keyboard.type(who.password);
  await keyboard.press('Enter');
  await page.getByText(`We sent a link to new-${who.email}.`).waitFor();

  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await tabTo(page, 'Change password');
  await keyboard.press('Enter');
  assert.equal(await focused(page), 'Current password');
  await keyboard.type(who.password);
  await tabTo(page, 'New password');
  await keyboard.type('eleven quiet engines');
  await tabTo(page, 'Sign out everywhere else');
  await keyboard.press('Space');
  await keyboard.press('Enter');
  await page.getByText('Your password is changed.', { exact: true }).waitFor();
  assert.equal(await focused(page), 'Change password');

  await mine(page, 'Account');
  await part(page, 'E-mail').waitFor();
  await tabTo(page, 'Deactivate …');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo(page, 'Deactivate');
  await keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Your account is deactivated' }).waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
});

test('keys alone: deleting', async (t) => {
  const { who, page } = await onAccount(t);
  const { keyboard } = page;
  await stale();
  await tabTo(page, 'Delete …');
  await keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Delete my account' }).waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await tabTo(page, 'Your username');
  await keyboard.type(who.username.toUpperCase()); // names do not differ by case
  await keyboard.press('Enter');
  await proof(page).waitFor();
  await keyboard.type(who.password);
  await keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Your account is deleted' }).waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
});

test('in German, on a phone', async (t) => {
  const { who, page } = await onAccount(t, phone);
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
  const email = part(page, 'E-Mail');
  await email.getByLabel('Neue E-Mail-Adresse').fill(`new-${who.email}`);
  await stale();
  await email.getByRole('button', { name: 'E-Mail ändern' }).click();
  const dialog = page.getByRole('dialog', { name: 'Bestätigen Sie, dass Sie es sind' });
  await dialog.getByLabel('Passwort', { exact: true }).fill(who.password);
  await dialog.getByRole('button', { name: 'Bestätigen' }).click();
  await email.getByText(`Wir haben einen Link an new-${who.email} gesendet. Bis Sie ihn bestätigen, gilt ${who.email}.`).waitFor();
  await page.getByRole('link', { name: 'Löschen' }).click();
  await page.getByRole('heading', { level: 1, name: 'Konto löschen' }).waitFor();
  await page.getByText('Keine Dateien: Sie haben hier keine').waitFor();
  await page.getByRole('link', { name: 'Konto', exact: true }).click(); // the way up on a phone
  await page.getByRole('button', { name: 'Deaktivieren' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deaktivieren' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ihr Konto ist deaktiviert' }).waitFor();
});
