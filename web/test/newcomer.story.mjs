// The newcomer's story, with a mouse: from nothing to files and back out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { drop, follows, mail, make, mine, namesCome, open, person, row, signIn, stage, tree } from './browser.mjs';

const site = stage();

test('sign up, prove the address by code, sign in, keep files, get them back, sign out', async (t) => {
  const page = await open(t, site);
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
  await page.waitForFunction(() => document.activeElement.getAttribute('role') === 'alert');
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Create an account' }).click();

  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  const { code, link } = await mail(site.server, who.email, 'verify-email');
  assert.match(link, /\/verify-email#token=/);
  await page.getByLabel('Code from the mail').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
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
  await namesCome(page, ['Album', 'one.txt', 'two.bin', 'ünï “code”.txt'], 'in any order');

  await row(page, 'Album').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Album' }).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 3);
  await namesCome(page, ['Side A', 'cover.jpg', 'empty'], 'in any order');
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();

  // A file that no browser shows is offered for download.
  await row(page, 'two.bin').getByRole('button', { name: 'Open two.bin' }).click();
  await page.getByRole('dialog').getByText('This file cannot be shown here.').waitFor();
  const download = await follows(page, 'download', () => page.getByRole('dialog').getByRole('button', { name: 'Download', exact: true }).click());
  await page.keyboard.press('Escape');
  assert.equal(download.suggestedFilename(), 'two.bin');
  assert.deepEqual(fs.readFileSync(await download.path()), fs.readFileSync(path.join(dir, 'two.bin')));

  await row(page, 'one.txt').getByRole('button', { name: 'Actions for one.txt' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('uno.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await row(page, 'uno.txt').waitFor();

  await make(page, 'New folder');
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
  await row(page, 'two.bin').waitFor({ state: 'detached' });

  // A reload keeps the session: it lives in a cookie that scripts cannot read.
  await page.reload();
  await row(page, 'Papers').waitFor();

  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await mine(page, 'Sign out');
  await page.getByRole('heading', { name: 'A safe place for your files' }).waitFor();
  await page.goto('/files');
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
});
