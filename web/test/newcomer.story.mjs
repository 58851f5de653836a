// The newcomer's story, with a mouse: from nothing to files and back out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { drop, launch, mail, member, names, open, person, post, row, signIn, start, tree } from './browser.mjs';

let server, browser;
before(async () => {
  server = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('sign up, prove the address by code, sign in, keep files, get them back, sign out', async (t) => {
  const page = await open(t, browser, server);
  const who = person();

  await page.goto('/');
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('First name').fill(who.first_name);
  await page.getByLabel('Last name').fill(who.last_name);
  await page.getByLabel('Username').fill(who.username);
  await page.getByLabel('E-mail').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Create an account' }).click();
  // The refusal stands beside the field and in a summary that has the focus.
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid'), 'true');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'alert');
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Create an account' }).click();

  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  const { code, link } = await mail(server, who.email, 'verify-email');
  assert.match(link, /\/verify-email#token=/);
  await page.getByLabel('Code from the message').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await page.getByRole('button', { name: 'Confirm my e-mail' }).click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();

  await signIn(page, who);
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();

  const dir = tree(t, {
    'one.txt': 'first', 'two.bin': Buffer.alloc(3_000_000, 7), 'ünï “code”.txt': 'third',
    'Album/cover.jpg': 'picture', 'Album/Side A/01.flac': 'sound', 'Album/empty': null,
  });
  await drop(page, ['one.txt', 'two.bin', 'ünï “code”.txt', 'Album'].map((name) => path.join(dir, name)));
  await page.getByRole('heading', { name: '5 files uploaded' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 4);
  assert.deepEqual((await names(page)).sort(), ['Album', 'one.txt', 'two.bin', 'ünï “code”.txt'].sort());

  await row(page, 'Album').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Album' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
  assert.deepEqual((await names(page)).sort(), ['Side A', 'cover.jpg', 'empty'].sort());
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();

  const [download] = await Promise.all([page.waitForEvent('download'), row(page, 'two.bin').getByRole('button', { name: 'Download two.bin' }).click()]);
  assert.equal(download.suggestedFilename(), 'two.bin');
  assert.deepEqual(fs.readFileSync(await download.path()), fs.readFileSync(path.join(dir, 'two.bin')));

  await row(page, 'one.txt').getByRole('button', { name: 'Actions for one.txt' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('uno.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await row(page, 'uno.txt').waitFor();

  await page.getByRole('button', { name: 'New folder' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Papers');
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await row(page, 'Papers').waitFor();

  await row(page, 'uno.txt').getByRole('checkbox').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Move' }).click();
  await page.getByRole('dialog').getByRole('radio', { name: 'Papers' }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Move here' }).click();
  await row(page, 'uno.txt').waitFor({ state: 'detached' });
  await row(page, 'Papers').getByRole('link').click();
  await row(page, 'uno.txt').waitFor();
  await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: 'Files' }).click();

  await row(page, 'two.bin').getByRole('button', { name: 'Actions for two.bin' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await row(page, 'two.bin').waitFor({ state: 'detached' });

  // A reload keeps the session: it lives in a cookie that scripts cannot read.
  await page.reload();
  await row(page, 'Papers').waitFor();

  await page.getByRole('link', { name: 'Security' }).click();
  await page.getByText('This device').waitFor();
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'A safe place for your files' }).waitFor();
  await page.goto('/files');
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
});

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
  const waiting = await open(t, browser, server);
  const who = person();
  await register(waiting, who);
  const cookie = (await waiting.context().cookies()).find((c) => c.name === '__Host-coffer-sign-up');
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'Strict');
  const { link } = await mail(server, who.email, 'verify-email');
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
    await register(await open(t, browser, server), who);
    const { link, code } = await mail(server, who.email, 'verify-email');
    const page = await open(t, browser, server);
    const confirm = page.getByRole('button', { name: 'Confirm my e-mail' });
    if (by === 'link') {
      await page.goto(link);
    } else {
      await page.goto('/verify-email');
      await page.getByLabel('E-mail').fill(who.email);
      await page.getByLabel('Code from the message').fill(code);
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
  const page = await open(t, browser, server);
  await register(page, who);
  const seen = new Set();
  const own = await mail(server, who.email, 'verify-email', seen);
  const planted = 'planted by a stranger 7';
  await post(server, '/auth/sign-up', { ...who, username: 'mallory', password: planted });
  const theirs = await mail(server, who.email, 'verify-email', seen);
  const confirm = page.getByRole('button', { name: 'Confirm my e-mail' });
  await page.goto('about:blank');
  await page.goto(theirs.link);
  await confirm.click();
  await page.getByLabel('Password of your sign-up').fill(who.password);
  await confirm.click();
  await page.getByRole('alert').waitFor();
  await page.getByText('Did several messages come?').waitFor();
  await page.goto('about:blank');
  await page.goto(own.link);
  await confirm.click();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await page.getByLabel('E-mail or username').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(planted);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Wrong e-mail, username or password.').waitFor();
  await signIn(page, who);
});

test('the first admin is made by the printed link, once', { skip: process.env.COFFER_E2E_URL && 'the running server keeps its one-time link to itself' }, async (t) => {
  const page = await open(t, browser, server);
  const who = person();
  const link = server.printed().match(/http\S+\/first-admin#token=\S+/)[0];
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
  await fill();
  await signIn(page, who);
  await page.getByRole('link', { name: 'Account', exact: true }).click();
  await page.getByText('Administrator').waitFor();

  const other = await open(t, browser, server);
  await other.goto(link);
  await other.getByLabel('First name').fill('Eve');
  await other.getByLabel('Last name').fill('Eve');
  await other.getByLabel('Username').fill('eve-the-second');
  await other.getByLabel('E-mail').fill('eve@example.org');
  await other.getByLabel('Password', { exact: true }).fill(who.password);
  await other.getByRole('button', { name: 'Create the administrator' }).click();
  await other.getByRole('alert').waitFor();
});

test('an upload can be cancelled and tried again, and a failure says why', async (t) => {
  const page = await open(t, browser, server);
  await signIn(page, await member(server));
  const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b' });

  // The first try of a.txt never gets an answer; b.txt is refused.
  let refused = 0, hung = 0;
  await page.route('**/v1/files?**', hang);
  await page.route('**/v1/files', hang);
  async function hang(route) {
    const body = route.request().postDataBuffer()?.toString('latin1') ?? '';
    if (route.request().method() !== 'POST') return route.continue();
    if (body.includes('a.txt') && hung++ === 0) return;
    if (body.includes('b.txt') && refused++ === 0) {
      return route.fulfill({ status: 413, contentType: 'application/problem+json', body: JSON.stringify({ status: 413, code: 'too_large', detail: 'x' }) });
    }
    return route.continue();
  }
  await drop(page, [path.join(dir, 'a.txt'), path.join(dir, 'b.txt')]);
  const panel = page.getByRole('region', { name: 'Uploads' });
  await panel.getByText('This is larger than the server takes.').waitFor();
  await panel.getByRole('button', { name: 'Cancel a.txt' }).click();
  await panel.getByText('Cancelled').waitFor();
  await panel.getByRole('button', { name: 'Try a.txt again' }).click();
  await panel.getByRole('button', { name: 'Try b.txt again' }).click();
  await panel.getByRole('heading', { name: '2 files uploaded' }).waitFor();
  await row(page, 'a.txt').waitFor();
  await row(page, 'b.txt').waitFor();
});

test('names are shown as they are, and long ones are cut with the whole name at hand', async (t) => {
  const page = await open(t, browser, server);
  await signIn(page, await member(server));
  const long = 'x'.repeat(200) + '.txt';
  const odd = '<img src=x onerror=alert(1)>.txt';
  const dir = tree(t, { [long]: '1', [odd]: '2' });
  await drop(page, [path.join(dir, long), path.join(dir, odd)]);
  await row(page, odd).waitFor();
  const name = row(page, long).locator('.link');
  await name.waitFor();
  assert.equal(await name.getAttribute('title'), long);
  assert.ok(await name.evaluate((e) => e.scrollWidth > e.clientWidth), 'the long name is cut');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways');
});

test('a folder of many files is read page by page, and stays read after a change', async (t) => {
  const page = await open(t, browser, server);
  const who = await member(server);
  await signIn(page, who);
  const dir = tree(t, Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`many/n${String(i).padStart(3, '0')}.txt`, String(i)])));
  await drop(page, [path.join(dir, 'many')]);
  await page.getByRole('heading', { name: '130 files uploaded' }).waitFor();
  await row(page, 'many').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  assert.equal((await names(page)).length, 100);
  await page.getByRole('button', { name: 'Show more' }).scrollIntoViewIfNeeded();
  await row(page, 'n129.txt').waitFor();
  await row(page, 'n120.txt').getByRole('button', { name: 'Actions for n120.txt' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('n120 changed.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await row(page, 'n120 changed.txt').waitFor();
  const all = await names(page);
  assert.equal(all.length, 130);
  assert.deepEqual(all, [...all].sort());
  await page.getByRole('button', { name: 'Sort by Name' }).or(page.getByRole('columnheader', { name: 'Name' }).getByRole('button')).first().click();
  await page.waitForFunction(() => document.querySelector('tbody bdi')?.textContent === 'n129.txt');
  assert.equal(await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort'), 'descending');
});
