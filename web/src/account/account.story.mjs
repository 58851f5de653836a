// Sign-up and its proof in several browsers, the first admin, the profile, the security page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mail, member, mine, open, person, post, signIn, stage } from '../../test/browser.mjs';

const site = stage({ COFFER_PASSWORD_MIN: '13' }); // not the default: the pages tell what is set

// register fills in the sign-up page and answers when the next page is there.
async function register(page, who) {
  await page.goto('/sign-up');
  for (const [label, value] of [['First name', who.first_name], ['Last name', who.last_name], ['Username', who.username], ['E-mail', who.email]]) {
    await page.getByLabel(label).fill(value);
  }
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
}

test('the mailed link waits for a person to press the button, and the page that waits goes on', async (t) => {
  const waiting = await open(t, site);
  const who = person();
  await register(waiting, who);
  const cookie = (await waiting.context().cookies()).find((c) => c.name === '__Host-coffer-sign-up');
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict');
  const { link } = await mail(site.server, who.email, 'verify-email');
  const page = await waiting.context().newPage();
  const posts = [];
  page.on('request', (request) => request.url().endsWith('/verify-email') && request.method() === 'POST' && posts.push(request.url()));
  await page.goto(link);
  await page.getByRole('heading', { name: 'Confirm your e-mail' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token has left the address bar');
  assert.deepEqual(posts, []);
  await page.getByRole('button', { name: 'Confirm my e-mail' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.equal(posts.length, 1);
  await waiting.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  assert.deepEqual((await page.context().cookies()).filter((c) => c.name === '__Host-coffer-sign-up'), []);
  await signIn(page, who);
});

test('another browser asks for the password of the sign-up, by link and by code', async (t) => {
  for (const by of ['link', 'code']) {
    const who = person();
    await register(await open(t, site), who);
    const { link, code } = await mail(site.server, who.email, 'verify-email');
    const page = await open(t, site);
    const confirm = page.getByRole('button', { name: 'Confirm my e-mail' });
    if (by === 'link') {
      await page.goto(link);
    } else {
      await page.goto('/verify-email');
      await page.getByLabel('E-mail').fill(who.email);
      await page.getByLabel('Code from the mail').fill(code);
    }
    await confirm.click();
    const password = page.getByLabel('Password of your sign-up');
    await password.waitFor();
    assert.equal(await password.evaluate((e) => e === document.activeElement), true);
    await password.fill('not what was chosen');
    await confirm.click();
    // The refusal stands at the field.
    await page.getByRole('alert').waitFor();
    assert.equal(await password.getAttribute('aria-invalid'), 'true');
    await password.fill(who.password);
    await confirm.click();
    await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
    await signIn(page, who);
  }
});

test("a stranger's message opens nothing in the newcomer's browser, and the own one does", async (t) => {
  const who = person();
  const page = await open(t, site);
  await register(page, who);
  const seen = new Set();
  const own = await mail(site.server, who.email, 'verify-email', seen);
  const planted = 'planted by a stranger 7';
  await post(site.server, '/auth/sign-up', { ...who, username: 'mallory', password: planted });
  const theirs = await mail(site.server, who.email, 'verify-email', seen);
  const confirm = page.getByRole('button', { name: 'Confirm my e-mail' });
  await page.goto('about:blank');
  await page.goto(theirs.link);
  await confirm.click();
  await page.getByLabel('Password of your sign-up').fill(who.password);
  await confirm.click();
  await page.getByRole('alert').waitFor();
  await page.getByText('Did several mails come?').waitFor();
  await page.goto('about:blank');
  await page.goto(own.link);
  await confirm.click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await page.getByLabel('E-mail or username').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(planted);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Wrong e-mail, username or password.').waitFor();
  await signIn(page, who);
});

test('the first admin is made by the printed link, once', { skip: process.env.COFFER_E2E_URL && 'the running server keeps its one-time link to itself' }, async (t) => {
  const page = await open(t, site);
  const who = person();
  const link = site.server.printed().match(/http\S+\/first-admin#token=\S+/)[0];
  const fill = async () => {
    await page.getByLabel('First name').fill(who.first_name);
    await page.getByLabel('Last name').fill(who.last_name);
    await page.getByLabel('Username').fill(who.username);
    await page.getByLabel('E-mail').fill(who.email);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    // Leaving the page before the answer would take the question back.
    await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/v1/auth/first-admin')),
      page.getByRole('button', { name: 'Create the administrator' }).click(),
    ]);
  };
  await page.goto(link);
  await page.getByLabel('First name').waitFor();
  await page.reload(); // the link's page survives
  await fill();
  await signIn(page, who);
  await mine(page, 'Account');
  await page.getByText('Administrator').waitFor();

  const other = await open(t, site);
  await other.goto(link);
  await other.getByRole('heading', { level: 1, name: 'This link no longer works' }).waitFor(); // nothing is typed for nothing
  await other.locator('main').getByRole('link', { name: 'Sign in' }).click();
  await other.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
});

test('the page of a link survives a reload, and a used link offers a new one', async (t) => {
  const who = person();
  const page = await open(t, site);
  await register(page, who);
  const { link } = await mail(site.server, who.email, 'verify-email');
  const token = link.split('#token=')[1];
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByText('Press the button to finish.').waitFor();
  await page.reload();
  await page.getByText('Press the button to finish.').waitFor();
  assert.ok(!page.url().includes(token), 'the secret is not back in the address bar');
  assert.ok(await page.evaluate((token) => JSON.stringify(sessionStorage).includes(token) && !JSON.stringify([localStorage, history.state]).includes(token), token));
  // The page for the code does not take the link of another visit.
  await page.goto('/sign-in');
  await page.goto('/verify-email');
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  await page.goBack();
  await page.goBack();
  await page.getByText('Press the button to finish.').waitFor();
  await page.getByRole('button', { name: 'Confirm my e-mail' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await page.getByText('Your e-mail is confirmed.').waitFor();
  assert.ok(await page.evaluate((token) => !JSON.stringify(sessionStorage).includes(token), token), 'a used secret is removed');

  await page.goto('about:blank');
  await page.goto(link);
  await page.getByRole('heading', { level: 1, name: 'This link no longer works' }).waitFor(); // before any button is pressed
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await page.locator('main').getByRole('link', { name: 'Sign in' }).waitFor();
  await page.getByLabel('E-mail').fill('new@example.org');
  await page.getByRole('button', { name: 'Send a new link' }).click();
  await page.getByText('If new@example.org is new here, we have sent it a code and a link.').waitFor();
});

test('a link that lost its end says so at once', async (t) => {
  const page = await open(t, site);
  const posts = [];
  page.on('request', (request) => request.method() === 'POST' && !request.url().endsWith('/auth/refresh') && posts.push(request.url()));
  for (const [at, button] of [['/verify-email', 'Send a new link'], ['/first-admin', undefined]]) {
    await page.goto('about:blank');
    await page.goto(`${at}#token=${'x'.repeat(42)}`);
    await page.getByRole('heading', { level: 1, name: 'This link is not complete' }).waitFor();
    await page.locator('main').getByRole('link', { name: 'Sign in' }).waitFor();
    if (button) await page.getByRole('button', { name: button }).waitFor();
  }
  assert.deepEqual(posts, []);
});

test('the page for the code keeps the address over a reload', async (t) => {
  const who = person();
  const page = await open(t, site);
  await register(page, who);
  const { code } = await mail(site.server, who.email, 'verify-email');
  await page.reload();
  await page.getByText(`If ${who.email} is new here`).waitFor();
  await page.getByLabel('Code from the mail').fill(code);
  await page.getByRole('button', { name: 'Confirm my e-mail' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await page.goto('/verify-email');
  await page.getByLabel('E-mail').waitFor();
});

for (const [tag, words] of [
  ['en', { first: 'First name', last: 'Last name', user: 'Username', mail: 'E-mail', password: 'Password', submit: 'Create an account', check: 'Please check the marked fields.', length: 'At least 13 characters', own: 'Not just your name, username or e-mail',
    name: 'Use 3 to 32 letters from a to z', short: 'Please use at least 13 characters.', personal: 'This password is only your name', invisible: 'Remove invisible characters from this text.' }],
  ['de', { first: 'Vorname', last: 'Nachname', user: 'Benutzername', mail: 'E-Mail', password: 'Passwort', submit: 'Konto anlegen', check: 'Bitte prüfen Sie die markierten Felder.', length: 'Mindestens 13 Zeichen', own: 'Nicht nur Name, Benutzername oder E-Mail',
    name: 'Verwenden Sie 3 bis 32 Buchstaben', short: 'Bitte mindestens 13 Zeichen verwenden.', personal: 'Dieses Passwort besteht nur aus Ihrem Namen', invisible: 'Entfernen Sie unsichtbare Zeichen aus diesem Text.' }],
]) {
  test(`a refused sign-up says each thing once, and rules tick as they are met: ${tag}`, async (t) => {
    const page = await open(t, site, { locale: tag });
    await page.goto('/sign-up');
    const field = (name) => page.getByLabel(words[name], { exact: true });
    for (const [name, value] of [['first', 'Ada\u202e'], ['last', 'Lovelace'], ['user', 'a!'], ['mail', 'ada.l@example.org'], ['password', 'short']]) await field(name).fill(value);
    await page.getByRole('button', { name: words.submit }).click();
    const summary = page.getByRole('alert');
    await summary.getByText(words.check).waitFor();
    const text = await page.locator('main').innerText();
    for (const said of [words.name, words.short, words.invisible]) assert.equal(text.split(said).length - 1, 1, `“${said}” in ${text}`);
    assert.deepEqual(await summary.getByRole('button').allTextContents(), [words.first, words.user, words.password]);
    await summary.getByRole('button', { name: words.user }).click();
    assert.equal(await field('user').evaluate((e) => e === document.activeElement), true);

    const met = (name) => page.getByRole('listitem').filter({ hasText: words[name] }).evaluate((e) => e.classList.contains('met'));
    await field('first').fill('Ada');
    for (const [password, length, own] of [['', false, false], ['ada', false, false], ['AdaLovelace-1815', true, false], ['ada likes', false, true], ['ada likes engines', true, true]]) {
      await field('password').fill(password);
      assert.deepEqual([await met('length'), await met('own')], [length, own], password);
    }
    // What the rule promises is what the server checks.
    await field('user').fill('ada1815');
    await field('password').fill('AdaLovelace-1815');
    await page.getByRole('button', { name: words.submit }).click();
    await page.getByText(words.personal).waitFor();
  });
}

test('the profile is changed, in the language one speaks', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await mine(page, 'Account');
  await page.getByLabel('About you').fill('I count.');
  await page.locator('main').getByLabel('Language').selectOption('de');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByRole('heading', { level: 1, name: 'Konto' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Konto' }).waitFor();
  assert.equal(await page.getByLabel('Über Sie').inputValue(), 'I count.');
  assert.equal(await page.title(), 'Konto – Coffer');
});

test('the security page reads the status of all layers once, whatever sections it has', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  const asked = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    // The stream of changes and the meter of the storage begin when they can, on any page.
    if (pathname.startsWith('/v1/') && pathname !== '/v1/changes' && pathname !== '/v1/files/usage') asked.push(`${request.method()} ${pathname}`);
  });
  const late = ['account/passkeys', 'account/trusted-email', 'account/sign-ins'].map((path) => page.waitForRequest((request) => new URL(request.url()).pathname === '/v1/' + path));
  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await page.getByRole('button', { name: 'Turn on', exact: true }).waitFor();
  await Promise.all(late); // sections that are drawn later ask for these
  assert.deepEqual(asked.sort(), ['GET /v1/account/passkeys', 'GET /v1/account/security', 'GET /v1/account/sign-ins', 'GET /v1/account/trusted-email', 'GET /v1/sessions'], 'the settings are known since the sign-in');
});

test('a security page that cannot be read says so once, and can be read again', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  let busy = true;
  await page.route('**/v1/account/security', (route) => (busy
    ? route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'unavailable' }) })
    : route.continue()));
  await mine(page, 'Security');
  await page.getByText('The server is busy just now.').waitFor();
  await page.getByText('This device').waitFor();
  busy = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Turn on', exact: true }).waitFor();
  await page.getByText('The server is busy just now.').waitFor({ state: 'detached' });
});
