// Passkeys, from the first one to the last, with the browser's own virtual authenticators.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from '../../test/axe.mjs';
import { as, authenticator, focusComes, mail, member, mine, open, signIn, stage, tabTo, visit, watchPosts } from '../../test/browser.mjs';

const site = stage({ COFFER_TRUSTED_COOLDOWN: '0s', COFFER_LIMIT_SIGN_UP: '60/1h' });
const strict = stage({ COFFER_STEP_UP_TTL: '6s' });

const desk = {};
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const english = {
  title: 'Passkeys', none: 'You have no passkey yet.', add: 'Add a passkey', make: 'Create passkey', name: 'Name', never: /^Not used yet/, used: /^Last used/, menu: (name) => `Actions for ${name}`,
  rename: 'Rename', save: 'Save', remove: 'Remove', removeTitle: (name) => `Remove “${name}”?`, signOut: 'Sign out', enter: 'Sign in with a passkey', prove: 'Confirm with a passkey',
  files: 'Files', security: 'Security', pass: 'Use your passkey', proof: 'Confirm it is you', notMade: 'No passkey was created.', notUsed: 'No passkey was used.',
};
const german = {
  title: 'Passkeys', none: 'Sie haben noch keinen Passkey.', add: 'Passkey hinzufügen', make: 'Passkey erstellen', name: 'Name', never: /^Noch nicht benutzt/, used: /^Zuletzt benutzt/, menu: (name) => `Aktionen für ${name}`,
  rename: 'Umbenennen', save: 'Speichern', remove: 'Entfernen', removeTitle: (name) => `„${name}“ entfernen?`, signOut: 'Abmelden', enter: 'Mit Passkey anmelden', prove: 'Mit Passkey bestätigen',
  files: 'Dateien', security: 'Sicherheit', pass: 'Ihren Passkey benutzen', proof: 'Bestätigen Sie, dass Sie es sind', notMade: 'Es wurde kein Passkey erstellt.', notUsed: 'Es wurde kein Passkey benutzt.',
};

const card = (page) => page.getByRole('region', { name: 'Passkeys', exact: true });
const dialog = (page, name) => page.getByRole('dialog', { name });
const items = (page) => card(page).getByRole('listitem');

// enrolled is a page that is signed in, on the security page, with a device that holds a passkey.
async function enrolled(t, options = desk, at = site, how = {}) {
  const who = await member(at.server);
  const page = await open(t, at, options);
  await signIn(page, who);
  const device = await authenticator(page, how);
  await page.goto('/security');
  await add(page, 'My laptop');
  return { who, page, device };
}

async function add(page, name = '', w = english) {
  await card(page).getByRole('button', { name: w.add }).click();
  const form = dialog(page, w.add);
  if (name) await form.getByLabel(w.name).fill(name);
  await form.getByRole('button', { name: w.make }).click();
  await form.waitFor({ state: 'detached' });
}

async function seen(page, what) {
  await page.waitForTimeout(50);
  await check(page, what);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `passkey ${what}.png`) });
}

// signOut leaves the device silent: with its presence it would answer the sign-in page at once.
async function signOut(page, device, w = english) {
  await device.presence(false);
  await page.getByRole('button', { name: /^(Account menu|Kontomenü|More$|Mehr$)/ }).click();
  await page.getByRole('menu').or(page.getByRole('dialog')).getByText(w.signOut, { exact: true }).click();
  await page.getByRole('heading', { level: 1, name: /A safe place|Ein sicherer Ort/ }).waitFor();
}

// press signs in with the device that somebody now touches.
async function press(page, device, w = english) {
  await page.getByRole('button', { name: w.enter }).waitFor();
  await device.presence(true);
  await page.getByRole('button', { name: w.enter }).click();
}

for (const [name, w, options] of [['a desk', english, desk], ['a phone, in German', german, { ...phone, locale: 'de-DE' }]]) {
  test(`make, sign in, rename and remove on ${name}`, async (t) => {
    const who = await member(site.server);
    const page = await open(t, site, options);
    await page.goto('/sign-in?next=/security');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await page.locator('[name=password]').press('Enter');
    const device = await authenticator(page);
    await card(page).getByText(w.none).waitFor();
    await add(page, 'My laptop', w);
    await items(page).getByText('My laptop').waitFor();
    await items(page).getByText(w.never).waitFor();
    const [made] = await device.credentials();
    assert.equal(made.isResidentCredential, true, 'it signs in without a name');
    assert.notEqual(Buffer.from(made.userHandle, 'base64').toString(), who.username);

    await signOut(page, device, w);
    await page.goto('/sign-in?next=/security');
    const posts = watchPosts(page);
    await press(page, device, w);
    await items(page).getByText(w.used).waitFor();
    assert.ok(posts.includes('/auth/passkey') && !posts.includes('/auth/sign-in'), posts.join());

    await page.getByRole('button', { name: w.menu('My laptop') }).click();
    await page.getByRole('menuitem', { name: w.rename }).click();
    await page.getByRole('dialog').getByLabel(w.name).fill('Ada’s laptop');
    await page.getByRole('dialog').getByRole('button', { name: w.save }).click();
    await items(page).getByText('Ada’s laptop').waitFor();
    await page.reload();
    await items(page).getByText('Ada’s laptop').waitFor();

    await page.getByRole('button', { name: w.menu('Ada’s laptop') }).click();
    await page.getByRole('menuitem', { name: w.remove }).click();
    await dialog(page, w.removeTitle('Ada’s laptop')).getByRole('button', { name: w.remove }).click();
    await card(page).getByText(w.none).waitFor();

    // The device still has it, and it opens nothing.
    await signOut(page, device, w);
    await page.goto('/sign-in');
    await press(page, device, w);
    await page.getByRole('alert').getByText(/This passkey does not work here|Dieser Passkey gilt hier nicht/).waitFor();
    await page.getByRole('button', { name: w.enter }).waitFor();
  });
}

test('a passkey can be picked among the names that the browser proposes', async (t) => {
  const { page, device } = await enrolled(t, desk, site, { proposes: true });
  await signOut(page, device);
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  assert.equal(await page.locator('[name=identifier]').getAttribute('autocomplete'), 'username webauthn');
  await device.presence(true);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('what the browser proposes ends with the page, with another sign-in and with the button', async (t) => {
  const { who, page, device } = await enrolled(t, desk, site, { proposes: true });
  await page.addInitScript(() => {
    globalThis.asked = [];
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      const one = { kind: options.mediation ?? 'modal', over: false };
      globalThis.asked.push(one);
      options.signal.addEventListener('abort', () => (one.over = true));
      return get(options);
    };
  });
  const asked = (want) => page.waitForFunction((all) => JSON.stringify(globalThis.asked.map(({ kind, over }) => [kind, over])) === all, JSON.stringify(want));
  await signOut(page, device);
  await page.goto('/sign-in');
  await asked([['conditional', false]]);
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await asked([['conditional', true]]);
  await page.goBack();
  await asked([['conditional', true], ['conditional', false]]);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await asked([['conditional', true], ['conditional', true], ['modal', false]]);
  await page.getByRole('link', { name: 'Forgot your password?' }).click();
  await asked([['conditional', true], ['conditional', true], ['modal', true]]);
  await page.goBack();
  await asked([['conditional', true], ['conditional', true], ['modal', true], ['conditional', false]]);
  // A wrong password does not end it for good.
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByLabel('Password', { exact: true }).press('Enter');
  await page.getByRole('alert').waitFor();
  await asked([['conditional', true], ['conditional', true], ['modal', true], ['conditional', true], ['conditional', false]]);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByLabel('Password', { exact: true }).press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await asked([['conditional', true], ['conditional', true], ['modal', true], ['conditional', true], ['conditional', true]]);
});

test('on a page that is open for long, what the browser proposes still signs in', async (t) => {
  const { page, device } = await enrolled(t, desk, site, { proposes: true });
  await signOut(page, device);
  await page.clock.install();
  const offers = [];
  page.on('response', (response) => response.url().endsWith('/auth/passkey/options') && offers.push(response));
  const comes = async (count) => {
    for (const until = Date.now() + 30_000; offers.length < count && Date.now() < until;) await page.waitForTimeout(20);
    assert.equal(offers.length, count);
  };
  await page.goto('/sign-in');
  await comes(1);
  await page.clock.fastForward('03:00');
  await comes(1);
  await device.presence(true);
  await page.clock.fastForward('01:30'); // the server forgets what it asked after five minutes
  await comes(2);
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  assert.notEqual((await offers[0].json()).challenge, (await offers[1].json()).challenge);
});

test('a closed question of the browser is no error, and says what else there is', async (t) => {
  const { page, device } = await enrolled(t);
  await device.verified(false); // the finger is not the owner's
  await card(page).getByRole('button', { name: 'Add a passkey' }).click();
  const form = dialog(page, 'Add a passkey');
  await form.getByLabel('Name').fill('My phone');
  await form.getByRole('button', { name: 'Create passkey' }).click();
  await form.getByText('No passkey was created.').waitFor();
  assert.equal(await form.getByLabel('Name').inputValue(), 'My phone');
  assert.equal(await page.getByRole('alert').count(), 0);
  await page.keyboard.press('Escape');
  await signOut(page, device);
  await page.goto('/sign-in');
  await press(page, device);
  await page.getByText('No passkey was used.').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await device.presence(false);
  await device.verified(true);
  await press(page, device);
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('a device that has one is not given a second, and another device is', async (t) => {
  const { page, device } = await enrolled(t);
  await card(page).getByRole('button', { name: 'Add a passkey' }).click();
  const form = dialog(page, 'Add a passkey');
  await form.getByRole('button', { name: 'Create passkey' }).click();
  await form.getByRole('alert').getByText('already has a passkey of your account').waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await device.credentials()).length, 1);
  await device.remove();
  const key = await authenticator(page, { transport: 'usb' });
  await add(page);
  await page.waitForFunction(() => document.querySelectorAll('.passkey').length === 2);
  assert.equal((await key.credentials()).length, 1);
  // Each of the two signs in.
  await signOut(page, key);
  await page.goto('/sign-in');
  await press(page, key);
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('a fresh proof is one tap, and keeps what was typed', async (t) => {
  const { who, page, device } = await enrolled(t, desk, strict);
  const rename = async (name) => {
    await items(page).getByRole('button', { name: /^Actions for/ }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill(name);
    await page.waitForTimeout(6_100); // the last proof ends
    await page.keyboard.press('Enter');
    await dialog(page, 'Confirm it is you').waitFor();
  };
  const proof = dialog(page, 'Confirm it is you');
  const renaming = dialog(page, 'Rename the passkey');
  await rename('Work');
  await focusComes(page, 'Confirm with a passkey');
  await device.verified(false);
  await page.keyboard.press('Enter');
  await proof.getByText('No passkey was used.').waitFor();
  await device.verified(true);
  await proof.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await items(page).getByText('Work', { exact: true }).waitFor();

  // Who declines has changed nothing, and finds the name as it was typed.
  await rename('Home');
  await page.keyboard.press('Escape');
  await proof.waitFor({ state: 'detached' });
  assert.equal(await renaming.getByLabel('Name').inputValue(), 'Home');
  await page.keyboard.press('Enter');
  await proof.getByLabel('Password', { exact: true }).fill(who.password);
  await proof.getByRole('button', { name: 'Confirm with your password' }).click();
  await items(page).getByText('Home', { exact: true }).waitFor();
  assert.equal((await device.credentials()).length, 1);
});

for (const [name, w, options] of [['a desk', english, desk], ['a phone, in German', german, { ...phone, locale: 'de-DE' }]]) {
  test(`one tap passes all sign-in steps on ${name}`, async (t) => {
    const { who, page, device } = await enrolled(t, { ...options, locale: 'en-GB' });
    const act = await as(site.server, who);
    await act('/account/email-otp');
    await act('/account/security-question', { question: 'Which boat?', answer: 'The red one' }, 'PUT');
    await signOut(page, device);
    if (options.locale) await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
    await page.goto('/sign-in?next=/security');
    const begin = async () => {
      await page.locator('[name=identifier]').fill(who.username);
      await page.locator('[name=password]').fill(who.password);
      await page.locator('[name=password]').press('Enter');
      await page.getByRole('button', { name: w.pass }).waitFor();
    };
    await begin();
    await device.presence(true);
    await device.verified(false);
    await page.getByRole('button', { name: w.pass }).click();
    await page.getByText(/No passkey was used|Es wurde kein Passkey benutzt/).waitFor();
    assert.equal(await page.locator('.layers li').count(), 3, 'the steps are still there');
    await device.verified(true);
    await page.getByRole('button', { name: w.pass }).click();
    await page.getByRole('heading', { level: 1, name: w.security }).waitFor();
    await page.getByText(/signed in with a passkey|mit einem Passkey angemeldet/).first().waitFor();
  });
}

test('at an address that is not the passkey’s, the browser refuses and the page says so', async (t) => {
  const { page, device } = await enrolled(t);
  const elsewhere = async (route) => {
    const response = await route.fetch();
    const options = await response.json();
    await route.fulfill({ response, json: options.rp ? { ...options, rp: { ...options.rp, id: 'coffer.example' } } : { ...options, rpId: 'coffer.example' } });
  };
  await page.route(/passkeys?\/options$/, elsewhere);
  await card(page).getByRole('button', { name: 'Add a passkey' }).click();
  await dialog(page, 'Add a passkey').getByRole('button', { name: 'Create passkey' }).click();
  await dialog(page, 'Add a passkey').getByRole('alert').getByText('Open Coffer at its usual address').waitFor();
  await page.keyboard.press('Escape');
  await signOut(page, device);
  await page.goto('/sign-in');
  await press(page, device);
  await page.getByRole('alert').getByText('Open Coffer at its usual address').waitFor();
});

test('where there can be no passkeys the pages say so, and offer none', async (t) => {
  for (const [why, prepare] of [
    ['Passkeys do not work at the address of this Coffer.', (page) => page.route('**/v1/settings', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), passkeys: false } });
    })],
    ['This browser cannot use passkeys.', (page) => page.addInitScript(() => delete globalThis.PublicKeyCredential)],
  ]) {
    const { who, page, device } = await enrolled(t);
    await device.presence(false); // it would answer the sign-in page before the settings come
    await prepare(page);
    await page.reload();
    await card(page).getByText(why).waitFor();
    assert.equal(await card(page).getByRole('button', { name: 'Add a passkey' }).count(), 0);
    await items(page).getByText('My laptop').waitFor(); // it can be removed nevertheless
    await mine(page, 'Sign out');
    await page.getByRole('heading', { level: 1, name: /A safe place/ }).waitFor();
    await Promise.all([page.waitForResponse('**/v1/settings'), page.goto('/sign-in')]);
    await page.getByLabel('E-mail or username').fill(who.username);
    await page.waitForTimeout(100);
    assert.equal(await page.getByRole('button', { name: 'Sign in with a passkey' }).count(), 0);
    assert.equal(await page.getByText('or', { exact: true }).isVisible(), false);
  }
});

test('by keys alone: add, rename, remove, sign in', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site, desk);
  await signIn(page, who);
  const device = await authenticator(page);
  const { keyboard } = page;
  await page.goto('/security');
  await card(page).getByText('You have no passkey yet.').waitFor();
  await tabTo(page, 'Add a passkey');
  await keyboard.press('Enter');
  await focusComes(page, 'Name');
  await keyboard.type('Key ring');
  await keyboard.press('Enter');
  await items(page).getByText('Key ring').waitFor();
  await focusComes(page, 'Add a passkey', 'the dialog gives the focus back');
  await tabTo(page, 'Actions for Key ring');
  await keyboard.press('Enter');
  await focusComes(page, 'Rename');
  await keyboard.press('Enter');
  await focusComes(page, 'Name');
  await keyboard.type('Desk');
  await keyboard.press('Enter');
  await items(page).getByText('Desk', { exact: true }).waitFor();
  await signOut(page, device);
  await page.goto('/sign-in?next=/security');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await device.presence(true);
  await focusComes(page, 'E-mail or username');
  await tabTo(page, 'Sign in with a passkey');
  await keyboard.press('Enter');
  await items(page).getByText('Desk', { exact: true }).waitFor();
  await tabTo(page, 'Actions for Desk');
  await keyboard.press('Enter');
  await focusComes(page, 'Rename');
  await keyboard.press('r'); // the next entry with that letter
  await focusComes(page, 'Remove');
  await keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo(page, 'Remove');
  await keyboard.press('Enter');
  await card(page).getByText('You have no passkey yet.').waitFor();
});

test('during a repair a passkey can be added, and makes the session whole', async (t) => {
  const who = await member(site.server);
  const act = await as(site.server, who);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'Which boat?', answer: 'The red one' }, 'PUT');
  const { codes } = await act('/account/backup-codes');
  await act('/account/backup-codes/confirm');
  const page = await open(t, site, desk);
  await page.goto('/recover');
  await page.locator('[name=identifier]').fill(who.username);
  await page.locator('[name=code]').fill(codes[0]);
  await page.locator('[name=password]').fill(who.password);
  await page.locator('main [type=submit]').click();
  await page.locator('main .proved').waitFor();
  const device = await authenticator(page);
  await card(page).getByText('You have no passkey yet.').waitFor();
  await add(page, 'New phone');
  await items(page).getByText('New phone').waitFor();
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  assert.equal((await device.credentials()).length, 1);
});

for (const [name, options] of [['a desk', desk], ['a phone, in the dark', { ...phone, colorScheme: 'dark' }]]) {
  test(`a passkey brings a deactivated account back on ${name}`, async (t) => {
    const { who, page, device } = await enrolled(t, options);
    const told = new Set();
    await device.presence(false);
    await (await as(site.server, who))('/account/deactivate');
    await page.goto('/sign-in');
    await press(page, device);
    await page.getByText('Your account is deactivated. Confirm once more', { exact: false }).waitFor();
    await focusComes(page, 'Activate your account');
    await tabTo(page, 'Use your passkey'); // before the password
    assert.equal(await page.evaluate(() => document.querySelector('main [type=submit]') === document.activeElement), true, 'the passkey comes first');
    await seen(page, `activate, passkey first, on ${name}`);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Look into your mailbox' }).waitFor();
    await mail(site.server, who.email, 'activate', told);
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText('If your account is deactivated, a new mail is on its way.').waitFor();
    await visit(page, (await mail(site.server, who.email, 'activate', told)).link);
    await page.getByRole('button', { name: 'Activate my account' }).click();
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  });
}

test('the page that activates offers a passkey beside the password, in German', async (t) => {
  const { who, page, device } = await enrolled(t);
  await (await as(site.server, who))('/account/deactivate');
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.goto('/activate');
  const use = page.getByRole('button', { name: german.pass });
  await use.waitFor();
  await focusComes(page, 'E-Mail oder Benutzername');
  await seen(page, 'activate, asked');
  await device.verified(false);
  await use.click();
  await page.getByText('Es wurde kein Passkey benutzt.', { exact: false }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await device.verified(true);
  await device.presence(true);
  await use.click();
  await page.getByRole('heading', { name: 'Sehen Sie in Ihr Postfach' }).waitFor();
  await visit(page, (await mail(site.server, who.email, 'activate')).link);
  await page.getByRole('button', { name: 'Mein Konto aktivieren' }).click();
  await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();

  // Where the browser knows no passkeys the page offers none.
  const other = await open(t, site);
  await other.addInitScript(() => delete globalThis.PublicKeyCredential);
  await other.goto('/activate');
  await other.getByLabel('Password', { exact: true }).waitFor();
  assert.equal(await other.getByRole('button', { name: 'Use your passkey' }).count(), 0);
  assert.equal(await other.getByText('or', { exact: true }).isVisible(), false, 'no line leads to nothing');
  await other.getByRole('link', { name: 'Choose one by mail first' }).click();
  await other.getByRole('heading', { level: 1, name: 'Forgot your password' }).waitFor();
});

test('the page that deletes the account names the passkeys', async (t) => {
  const { page } = await enrolled(t);
  await page.goto('/account/delete');
  await page.getByRole('listitem').getByText('Your passkey', { exact: true }).waitFor();
});

for (const [name, options] of [
  ['a desk', {}],
  ['a phone, in German', { ...phone, locale: 'de-DE' }],
]) {
  test(`the pages with passkeys on ${name}`, async (t) => {
    const w = options.locale ? german : english;
    const who = await member(site.server);
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const looks = (what) => lightAndDark(page, (scheme) => seen(page, `${what} on ${name}, ${scheme}`));
    await page.goto('/sign-in?next=/security');
    await page.getByRole('button', { name: w.enter }).waitFor();
    await looks('sign-in');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await page.locator('[name=password]').press('Enter');
    const device = await authenticator(page);
    await card(page).getByText(w.none).waitFor();
    await card(page).scrollIntoViewIfNeeded();
    await looks('none yet');
    await card(page).getByRole('button', { name: w.add }).click();
    await dialog(page, w.add).waitFor();
    await looks('add');
    await device.verified(false);
    await dialog(page, w.add).getByRole('button', { name: w.make }).click();
    await page.getByText(w.notMade).waitFor();
    await looks('add, not made');
    await device.verified(true);
    await dialog(page, w.add).getByLabel(w.name).fill('A very long name of a passkey that goes on and on and on and on');
    await dialog(page, w.add).getByRole('button', { name: w.make }).click();
    await items(page).first().waitFor();
    await device.remove();
    const key = await authenticator(page, { transport: 'usb' });
    await add(page, '', w);
    await page.waitForFunction(() => document.querySelectorAll('.passkey').length === 2);
    await card(page).scrollIntoViewIfNeeded();
    while (await page.locator('.toast').count()) await page.locator('.toast .icon-button').first().click();
    await looks('two');
    await page.evaluate(() => scrollTo(0, 0));
    await looks('summary');
    await items(page).last().getByRole('button').click();
    await page.getByRole('menuitem', { name: w.remove }).click();
    await page.getByRole('dialog').waitFor();
    await looks('remove');
    await page.route(/\/account\/passkeys\/[\w-]+$/, (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ status: 403, code: 'step_up_required' }) }), { times: 1 });
    await page.getByRole('dialog').getByRole('button', { name: w.remove }).click();
    await dialog(page, w.proof).getByRole('button', { name: w.prove }).waitFor();
    await looks('fresh proof');
    await key.verified(false);
    await dialog(page, w.proof).getByRole('button', { name: w.prove }).click();
    await page.getByText(w.notUsed).waitFor();
    await looks('fresh proof, not used');
    await page.keyboard.press('Escape');
    await dialog(page, w.proof).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');

    await (await as(site.server, who))('/account/email-otp');
    await signOut(page, key, w);
    await page.goto('/sign-in');
    await page.getByRole('button', { name: w.enter }).waitFor();
    await key.presence(true);
    await page.getByRole('button', { name: w.enter }).click();
    await page.getByText(w.notUsed).waitFor();
    await looks('sign-in, not used');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await page.locator('[name=password]').press('Enter');
    await page.getByRole('button', { name: w.pass }).waitFor();
    await looks('a step');
    await page.route('**/v1/settings', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), passkeys: false } });
    });
    await page.locator('.code input').fill((await mail(site.server, who.email, 'email-code')).code);
    await page.getByRole('heading', { level: 1, name: w.files }).waitFor();
    await page.goto('/security');
    await items(page).first().waitFor();
    await card(page).locator('.notice').waitFor();
    await card(page).scrollIntoViewIfNeeded();
    await looks('no passkeys at this address');
  });
}
