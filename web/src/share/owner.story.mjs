// The owner's side of shares: a link to a file, what it asks for, what came of it, its end; links
// that take files. The links are used as guests use them, by the API.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, drop, focusComes, make, member, open, row, signIn, stage, tabTo, tree } from '../../test/browser.mjs';
import { owner } from './owner.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

async function fill(t, page, files) {
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, files);
  const tops = [...new Set(Object.keys(files).map((f) => f.split('/')[0]))];
  await drop(page, tops.map((f) => path.join(dir, f)));
  for (const name of tops) await row(page, name).waitFor();
  await page.getByRole('button', { name: 'Close the list of uploads' }).click();
  return as(site.server, who);
}

async function german(page) {
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
}

// guest asks for something of a link without an account; cookie is what it got for the password.
async function guest(link, at = '', { cookie, ...options } = {}) {
  const token = link.split('/').pop();
  return fetch(`${site.server.url}/v1/public/shares/${token}${at}`, { ...options, headers: { ...options.headers, ...(cookie && { Cookie: cookie }) } });
}

async function unlock(link, password) {
  const answer = await guest(link, '/unlock', { method: 'POST', body: JSON.stringify({ password }), headers: { 'Content-Type': 'application/json' } });
  return { status: answer.status, cookie: answer.headers.get('Set-Cookie')?.split(';')[0] };
}

test('a file is shared by a link with a password, an end and a limit, changed, watched and stopped', async (t) => {
  const page = await open(t, site, { permissions: ['clipboard-read', 'clipboard-write'] });
  const act = await fill(t, page, { 'letter.txt': 'Dear Grace', 'other.txt': 'o' });
  const dialog = page.getByRole('dialog', { name: 'Sharing' });

  // By keys alone: the menu of the row, a refused number, the link, its button to copy.
  await row(page, 'letter.txt').getByRole('button', { name: 'Actions for letter.txt' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('s');
  await page.keyboard.press('Enter');
  await dialog.getByText('Whoever has the link can see and download this file, without an account.').waitFor();
  await check(page, 'the form of a link');
  await shot(page, 'a new link at a desk');
  await tabTo(page, 'Expires');
  await page.getByLabel('Expires').selectOption({ label: 'In 7 days' });
  await dialog.getByLabel('Downloads').fill('none');
  await dialog.getByLabel('Password', { exact: true }).fill('between us');
  await dialog.getByLabel('Note to the receiver').fill('The letter, Grace.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByRole('button', { name: 'Downloads' }).click();
  await focusComes(page, 'Downloads');
  await check(page, 'a refused link');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await focusComes(page, 'Copy link');
  await page.keyboard.press('Enter');
  await dialog.getByText('Copied').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await dialog.getByRole('textbox', { name: 'Address of “The letter, Grace.”' }).inputValue(), link);
  await dialog.getByText(/^Password\s· until .*\s· 0\sof\s2\sdownloads$/).waitFor();
  await check(page, 'a link');
  await shot(page, 'a link at a desk');
  assert.match(link, /\/s\/[\w-]{22}$/);

  // The guest needs the password; the dialog counts by itself.
  assert.equal((await guest(link)).status, 401);
  assert.equal((await unlock(link, 'wrong')).status, 403);
  const { status, cookie } = await unlock(link, 'between us');
  assert.equal(status, 204);
  const seen = await (await guest(link, '', { cookie })).json();
  assert.equal(seen.note, 'The letter, Grace.');
  assert.equal(seen.downloads_left, 2);
  assert.ok(Math.abs(Date.parse(seen.expires_at) - Date.now() - 7 * 86400e3) < 300e3, seen.expires_at);
  assert.equal(await (await guest(link, '/content', { cookie })).text(), 'Dear Grace');
  await dialog.getByText(/1\sof\s2\sdownloads\s· last used now$/).waitFor();

  // The uses.
  await dialog.getByRole('button', { name: 'Actions for The letter, Grace.' }).click();
  await page.getByRole('menuitem', { name: 'Uses' }).click();
  const uses = page.getByRole('dialog', { name: 'Uses' });
  await uses.getByText('Downloaded').waitFor();
  await uses.getByText('Password entered').waitFor();
  await check(page, 'the uses of a link');
  await shot(page, 'uses at a desk');
  await page.keyboard.press('Escape');
  await uses.waitFor({ state: 'detached' });

  // A change keeps the link; no password, no limit any more.
  await dialog.getByRole('button', { name: 'Actions for The letter, Grace.' }).click();
  await page.getByRole('menuitem', { name: 'Change…' }).click();
  const change = page.getByRole('dialog', { name: 'Change the link' });
  assert.equal(await change.getByLabel('Downloads').inputValue(), '2');
  await change.getByLabel('Password', { exact: true }).selectOption({ label: 'Set another password' });
  await change.getByLabel('New password', { exact: true }).waitFor();
  await check(page, 'the change of a link');
  await shot(page, 'the change of a link at a desk');
  await change.getByLabel('Password', { exact: true }).selectOption({ label: 'No password' });
  await change.getByLabel('Downloads').fill('');
  await change.getByLabel('Expires').selectOption({ label: 'Never' });
  await change.getByRole('button', { name: 'Save changes' }).click();
  await dialog.getByText(/^1\sdownload\s· last used/).waitFor();
  const free = await (await guest(link)).json();
  assert.deepEqual([free.downloads_left, free.expires_at, free.note], [null, null, 'The letter, Grace.']);

  // The QR code, another link, and the end of the first.
  await dialog.getByRole('button', { name: 'Actions for The letter, Grace.' }).click();
  await page.getByRole('menuitem', { name: 'QR code' }).click();
  await page.getByRole('img', { name: 'QR code of the link to letter.txt' }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Another link' }).click();
  await page.getByRole('dialog', { name: 'Another link' }).getByRole('button', { name: 'Create link' }).click();
  await focusComes(page, 'Copy link');
  assert.equal(await dialog.getByRole('listitem').count(), 2);
  await dialog.getByRole('button', { name: 'Actions for The letter, Grace.' }).click();
  await page.getByRole('menuitem', { name: 'Stop sharing' }).click();
  const question = page.getByRole('dialog', { name: 'Stop sharing?' });
  await check(page, 'the question before a link ends');
  await question.getByRole('button', { name: 'Stop sharing' }).click();
  await dialog.getByText('The letter, Grace.').waitFor({ state: 'detached' });
  await focusComes(page, 'Sharing', 'what had the focus is gone');
  assert.equal((await guest(link)).status, 404);
  await page.keyboard.press('Escape');

  // The mark, in the list and in a search, opens the dialog. It goes with the last link.
  const mark = row(page, 'letter.txt').getByRole('button', { name: 'letter.txt is shared' });
  await mark.waitFor();
  assert.equal(await row(page, 'other.txt').getByRole('button', { name: /is shared/ }).count(), 0);
  await check(page, 'a shared file in its folder');
  await shot(page, 'a shared file at a desk');
  await page.goto('/search?q=letter');
  await mark.click();
  await dialog.getByRole('button', { name: 'Copy link' }).waitFor();
  const { items: [last] } = await act('/shares', undefined, 'GET');
  await act('/shares/' + last.id, undefined, 'DELETE');
  await dialog.getByRole('button', { name: 'Create link' }).waitFor();
  await page.keyboard.press('Escape');
  await mark.waitFor({ state: 'detached' });
});

test('the page of links follows what happens elsewhere, and the toolbar and the look at a file share too', async (t) => {
  const page = await open(t, site);
  const long = 'minutes of the assembly '.repeat(6) + '2026.txt';
  const act = await fill(t, page, { 'Photos/a.txt': 'a', [long]: 'm' });
  await page.getByRole('link', { name: 'Shared', exact: true }).click();
  await page.getByRole('heading', { name: 'You share nothing yet' }).waitFor();
  await check(page, 'no links');
  await shot(page, 'no links at a desk');
  const { items } = await act('/files', undefined, 'GET');
  const idOf = (name) => items.find((e) => e.name === name).id;
  const inside = (await act('/files?parent=' + idOf('Photos'), undefined, 'GET')).items[0];
  await act(`/files/${idOf(long)}/shares`, { kind: 'read', note: 'For the members.\nPlease read.', max_downloads: 1 });
  const item = (name) => page.getByRole('main').getByRole('listitem').filter({ hasText: name });
  await item('For the members.').waitFor();
  await act(`/files/${inside.id}/shares`, { kind: 'read', password: 'secret' });
  await item('in Files / Photos').getByText('Password · 0 downloads').waitFor();
  await item('a.txt').getByRole('button', { name: 'Sharing of a.txt' }).click();
  await page.getByRole('dialog', { name: 'Sharing' }).getByRole('button', { name: 'Another link' }).waitFor();
  await page.keyboard.press('Escape');
  const { url } = (await act('/shares?kind=read', undefined, 'GET')).items.find((one) => one.max_downloads === 1);
  assert.equal(await (await guest(url, '/content')).text(), 'm');
  await item('For the members.').getByText('Used up').waitFor();
  assert.equal(await item('For the members.').getByRole('button', { name: 'Copy link' }).count(), 0, 'nobody can use it');
  // A link to an entry in the trash works for no guest until the entry is back.
  await act('/files/' + inside.id, undefined, 'DELETE');
  await item('In the trash').getByText('The link works again when you restore it.').waitFor();
  assert.equal(await item('In the trash').getByRole('button', { name: 'Copy link' }).count(), 0, 'nobody can use it now');
  await check(page, 'the links');
  await shot(page, 'the links at a desk');
  await act(`/trash/${inside.id}/restore`);
  await item('a.txt').getByRole('button', { name: 'Actions for a.txt' }).click();
  await page.getByRole('menuitem', { name: 'Show in folder' }).click();
  await page.getByRole('heading', { level: 1, name: 'Photos' }).waitFor();

  const dialog = page.getByRole('dialog', { name: 'Sharing' });
  await row(page, 'a.txt').getByRole('checkbox').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Share' }).click();
  await dialog.getByRole('button', { name: 'Another link' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await row(page, 'a.txt').getByRole('button', { name: 'Open a.txt' }).click();
  await page.getByRole('dialog', { name: 'a.txt' }).getByRole('button', { name: 'Share' }).click();
  await dialog.getByRole('button', { name: 'Another link' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');

  // The last links go; the focus stays on the page.
  await page.getByRole('link', { name: 'Shared', exact: true }).click();
  await item('a.txt').waitFor();
  for (const left of [1, 0]) {
    await page.getByRole('main').getByRole('button', { name: /^Actions for/ }).first().click();
    await page.getByRole('menuitem', { name: 'Stop sharing' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop sharing' }).click();
    await page.waitForFunction((n) => document.querySelectorAll('.share-link').length === n, left);
  }
  await page.getByRole('heading', { name: 'You share nothing yet' }).waitFor();
  await focusComes(page, 'Shared');
});

test('a long list of links is read page by page, and stays read when one goes', async (t) => {
  const page = await open(t, site);
  const act = await fill(t, page, { 'x.txt': 'x' });
  const { items: [entry] } = await act('/files', undefined, 'GET');
  const all = await Promise.all(Array.from({ length: 60 }, (_, i) => act(`/files/${entry.id}/shares`, { kind: 'read', note: `link ${i}` })));
  await page.goto('/shared');
  const links = page.getByRole('main').getByRole('listitem');
  const count = (n) => page.waitForFunction((n) => document.querySelectorAll('.share-link').length === n, n);
  await count(50);
  await page.getByRole('button', { name: 'Show more' }).click();
  await count(60);
  assert.equal(await page.getByRole('button', { name: 'Show more' }).count(), 0);
  await act('/shares/' + all[7].id, undefined, 'DELETE');
  await count(59);

  // A day of one's choice, and words that the server refuses beside their field.
  const item = links.filter({ has: page.getByText('link 8', { exact: true }) });
  await item.getByRole('button', { name: 'Actions for x.txt' }).click();
  await page.getByRole('menuitem', { name: 'Change…' }).click();
  const change = page.getByRole('dialog', { name: 'Change the link' });
  await change.getByLabel('Expires').selectOption({ label: 'After a day of your choice' });
  await change.getByLabel('Last day').fill(`${new Date().getFullYear() + 1}-12-24`);
  await change.getByLabel('Password', { exact: true }).fill('abc');
  await change.getByRole('button', { name: 'Save changes' }).click();
  await change.getByText('Please use 4 to 256 characters.').waitFor();
  await change.getByLabel('Password', { exact: true }).fill('abcd');
  await change.getByRole('button', { name: 'Save changes' }).click();
  await item.getByText(/^Password\s· until Dec 24, \d{4}\s· 0\sdownloads$/).waitFor();
});

test('a request takes files into a new folder, on a phone, in the dark and in German', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark', reducedMotion: 'reduce' });
  const act = await fill(t, page, { 'x.txt': 'x' });
  await german(page);
  await row(page, 'x.txt').waitFor();
  await page.getByRole('button', { name: 'Mehr', exact: true }).click();
  await page.getByRole('dialog').getByText('Dateianfragen', { exact: true }).click();
  await page.getByRole('heading', { name: 'Noch keine Dateianfragen' }).waitFor();
  await check(page, 'no requests');
  await shot(page, 'no requests on a phone');
  await page.getByRole('button', { name: 'Neu', exact: true }).click();
  await page.getByRole('dialog').getByText('Dateien anfordern', { exact: true }).click();
  const form = page.getByRole('dialog', { name: 'Dateien anfordern' });
  await form.getByLabel('Name des Ordners').fill('Für das Archiv');
  await form.getByLabel('Worum bitten Sie?').fill('Bitte die Belege von 2026.');
  await form.getByLabel('Anzahl der Dateien').fill('2');
  await form.getByLabel('Arten von Dateien').fill('TXT');
  await check(page, 'the form of a request');
  await shot(page, 'a new request on a phone');
  await form.getByRole('button', { name: 'Link erstellen' }).click();
  const dialog = page.getByRole('dialog', { name: 'Freigabe' });
  await dialog.getByText('Bitte die Belege von 2026.').waitFor();
  await focusComes(page, 'Link kopieren');
  await check(page, 'a request');
  await shot(page, 'a request on a phone');
  await page.keyboard.press('Escape');
  const item = page.getByRole('main').getByRole('listitem').filter({ hasText: 'Für das Archiv' });
  await item.getByText('0 von 2 Dateien').waitFor();
  for (const button of await item.getByRole('button').all()) assert.ok((await button.boundingBox()).height >= 43.9 || await button.evaluate((e) => e.matches('.link')));

  const { items: [{ url }] } = await act('/shares?kind=request', undefined, 'GET');
  const body = new FormData();
  body.set('from', 'Grace');
  body.set('file', new Blob(['Beleg']), 'beleg.txt');
  assert.equal((await guest(url, '/files', { method: 'POST', body })).status, 201);
  await item.getByText('1 von 2 Dateien').waitFor();
  await check(page, 'the requests');
  await shot(page, 'the requests on a phone');
  await item.getByRole('button', { name: 'Aktionen für Für das Archiv' }).click();
  await page.getByRole('menuitem', { name: 'Zugriffe' }).click();
  await page.getByText('Abgegeben').waitFor();
  await page.getByText(/von Grace/).waitFor();
  await shot(page, 'uses on a phone');
  await page.keyboard.press('Escape');
  await item.getByRole('button', { name: 'Aktionen für Für das Archiv' }).click();
  await page.getByRole('menuitem', { name: 'Ordner öffnen' }).click();
  await row(page, 'beleg.txt').waitFor();

  // In a folder "New" means that one.
  await page.getByRole('button', { name: 'Neu', exact: true }).click();
  await page.getByRole('dialog').getByText('Dateien anfordern', { exact: true }).click();
  assert.equal(await form.getByRole('radio', { name: 'Für das Archiv' }).isChecked(), true);
  assert.equal(await form.getByRole('radio', { name: 'Dateien', exact: true }).isDisabled(), true, 'the top takes nothing');
  await form.getByLabel('Anzahl der Dateien').fill('0');
  await form.getByRole('button', { name: 'Link erstellen' }).click();
  await form.getByRole('alert').waitFor();
  await check(page, 'a refused request');
  await shot(page, 'a refused request on a phone');
  await form.getByLabel('Anzahl der Dateien').fill('');
  await form.getByRole('button', { name: 'Link erstellen' }).click();
  await dialog.getByRole('heading', { name: 'Dateianfragen' }).waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Link kopieren' }).count(), 2);
  await dialog.getByRole('button', { name: 'Diesen Ordner teilen' }).click();
  await page.getByRole('dialog', { name: 'Diesen Ordner teilen' }).getByText('Wer den Link hat, kann alles in diesem Ordner ansehen und herunterladen, ohne Konto.').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
});

test('the dialog of links goes when the session ends', async (t) => {
  const ada = await owner(site.server);
  const link = await ada.share(await ada.upload('private.txt', Buffer.from('x')));
  const page = await open(t, site);
  await signIn(page, ada.who);
  await page.goto('/shared');
  await page.getByRole('button', { name: 'Sharing of private.txt' }).or(page.locator('.share-name .link')).first().click();
  await page.locator(`dialog[open] [data-link="${link.id}"]`).waitFor();
  for (const session of (await ada.act('/sessions', undefined, 'GET')).items) if (!session.current) await ada.act('/sessions/' + session.id, undefined, 'DELETE');
  await page.getByRole('heading', { level: 1, name: 'Sign in to Coffer' }).waitFor();
  assert.equal(await page.locator('dialog[open]').count(), 0);
});
