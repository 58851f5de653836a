// The same story with no mouse: every step is a key.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { focusComes, member, namesCome, open, row, stage, tabTo, tree } from './browser.mjs';

const site = stage();

test('sign in, make, upload, select, rename, move, delete, sign out by keys alone', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  const { keyboard } = page;
  // Listened for from the start: the browser must be told before the chooser opens.
  const choosers = new Promise((resolve) => page.once('filechooser', resolve));
  await page.goto('/');
  await page.getByRole('heading', { level: 1 }).waitFor();

  await keyboard.press('Tab');
  await focusComes(page, 'Skip to the content');
  await keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  await tabTo(page, 'Sign in');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  await tabTo(page, 'E-mail or username');
  await keyboard.type(who.email);
  await tabTo(page, 'Password');
  await keyboard.type(who.password);
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();

  for (const name of ['Beta', 'Alpha']) {
    await tabTo(page, 'New');
    await keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await keyboard.press('n');
    await focusComes(page, 'New folder');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await focusComes(page, 'Name');
    await keyboard.type(name);
    await keyboard.press('Enter');
    await row(page, name).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await focusComes(page, 'New', 'the dialog gives the focus back');
  }

  const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
  await tabTo(page, 'New');
  await keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  await focusComes(page, 'Upload files');
  await keyboard.press('Enter');
  const chooser = await choosers;
  await chooser.setFiles(['a.txt', 'b.txt', 'c.txt'].map((name) => path.join(dir, name)));
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 5);
  await namesCome(page, ['Alpha', 'Beta', 'a.txt', 'b.txt', 'c.txt']);

  // Into the list: one stop of Tab, arrows from there.
  const at = () => page.evaluate(() => document.activeElement.closest('tr')?.querySelector('bdi')?.textContent);
  const comes = async (name) => {
    for (const until = Date.now() + 30_000; (await at()) !== name && Date.now() < until;) await page.waitForTimeout(20);
    assert.equal(await at(), name);
  };
  const selected = () => page.locator('tbody tr[aria-selected="true"] bdi').allTextContents();
  for (let i = 0; i < 40 && (await at()) !== 'Alpha'; i++) await keyboard.press('Tab');
  assert.equal(await at(), 'Alpha');
  await keyboard.press('End');
  await comes('c.txt');
  await keyboard.press('Space');
  await keyboard.press('Shift+ArrowUp');
  assert.deepEqual(await selected(), ['b.txt', 'c.txt']);
  await keyboard.press('Control+a');
  assert.equal((await selected()).length, 5);
  await keyboard.press('Escape');
  assert.deepEqual(await selected(), []);

  await keyboard.press('F2');
  await page.getByRole('dialog').waitFor();
  await focusComes(page, 'Name');
  await keyboard.type('bee'); // the part before the extension is selected
  await keyboard.press('Enter');
  await row(page, 'bee.txt').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await comes('bee.txt');

  // Move by the row's menu.
  await tabTo(page, 'Actions for bee.txt');
  await keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  await keyboard.press('m');
  await focusComes(page, 'Move');
  await keyboard.press('Enter');
  await page.getByRole('radio', { name: 'Beta' }).waitFor();
  for (let i = 0; i < 20 && !(await page.evaluate(() => document.activeElement.type === 'radio')); i++) await keyboard.press('Tab');
  await keyboard.press('ArrowDown');
  for (let i = 0; i < 5 && !(await page.getByRole('radio', { name: 'Beta' }).isChecked()); i++) await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await row(page, 'bee.txt').waitFor({ state: 'detached' });

  // Open a folder with Enter, and find the focus on the new page's heading.
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  for (let i = 0; i < 60 && !(await at()); i++) await keyboard.press('Tab');
  await keyboard.press('Home');
  await keyboard.press('ArrowDown');
  await comes('Beta');
  await keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Beta' }).waitFor();
  await row(page, 'bee.txt').waitFor();

  for (let i = 0; i < 60 && !(await at()); i++) await keyboard.press('Tab');
  // Nothing is asked: the message undoes it.
  await keyboard.press('Delete');
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  await tabTo(page, 'Undo');
  await keyboard.press('Enter');
  await row(page, 'bee.txt').waitFor();
  await tabTo(page, /^Account menu/);
  await keyboard.press('Enter');
  await page.getByRole('menu').waitFor();
  await keyboard.press('End');
  await focusComes(page, 'Sign out');
  await keyboard.press('Enter');
  await page.getByRole('heading', { name: 'A safe place for your files' }).waitFor();
});
