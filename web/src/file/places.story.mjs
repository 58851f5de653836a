// The search and the trash: what is found and where it lies, what comes back and what does not.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, drop, focusComes, member, namesCome, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

async function fill(t, page, files) {
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, files);
  const tops = [...new Set(Object.keys(files).map((f) => f.split('/')[0]))];
  await drop(page, tops.map((f) => path.join(dir, f)));
  await page.getByRole('heading', { name: `${Object.keys(files).length} files uploaded` }).waitFor();
  await page.getByRole('button', { name: 'Close the list of uploads' }).click();
  await row(page, tops[0]).waitFor();
  return who;
}

// german shows the page in German.
async function german(page) {
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
}

test('the search finds names by their beginnings, tells the place, and works on what it found', async (t) => {
  const page = await open(t, site);
  const who = await fill(t, page, { 'Papers/2026/Rechnung Café März.pdf': 'a', 'Papers/Rechnung April.pdf': 'b', 'Rechnung.txt': 'c', 'other.txt': 'd', 'Else/x.txt': 'e' });
  await row(page, 'other.txt').focus();
  await page.keyboard.press('/');
  await focusComes(page, 'Search files');
  await page.keyboard.type('CAFE rech');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Search: CAFE rech' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), 'CAFE rech');
  const hit = row(page, 'Rechnung Café März.pdf');
  await hit.waitFor();
  assert.equal(await page.locator('tbody tr').count(), 1);
  await hit.getByRole('link', { name: 'Rechnung Café März.pdf is in Files / Papers / 2026' }).click();
  await page.getByRole('heading', { level: 1, name: '2026' }).waitFor();
  await hit.waitFor();
  await page.goBack();
  await hit.waitFor();
  const field = page.getByRole('banner').getByRole('searchbox');
  assert.equal(await field.inputValue(), 'CAFE rech');

  // Another search replaces it; the same actions are at hand; what changes elsewhere appears.
  await field.fill('rechnung');
  await field.press('Enter');
  await row(page, 'Rechnung.txt').waitFor();
  assert.equal(await page.locator('tbody tr').count(), 3);
  await check(page, 'hits');
  await shot(page, 'search at a desk');
  await (await as(site.server, who))('/files/folders', { name: 'Rechnungen' });
  await row(page, 'Rechnungen').waitFor();
  await row(page, 'Rechnung.txt').getByRole('checkbox').check();
  await row(page, 'Rechnung April.pdf').getByRole('checkbox').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Copy to…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Copy 2 items' });
  await dialog.getByRole('radio', { name: 'Else' }).check();
  await check(page, 'the dialog of a copy');
  await shot(page, 'copy at a desk');
  await dialog.getByRole('button', { name: 'Copy here' }).click();
  await page.getByText('2 items copied to Else.').waitFor();
  await row(page, 'Rechnung.txt').nth(1).waitFor();
  assert.equal(await row(page, 'Rechnung.txt').count(), 2);
  await row(page, 'Rechnungen').focus();
  await page.keyboard.press('Delete');
  await page.getByText(/” moved to the trash\./).waitFor();
  await row(page, 'Rechnungen').waitFor({ state: 'detached' });

  await field.fill('nowhere to be found');
  await field.press('Enter');
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
  await check(page, 'no hits');
});

test('a search that begins in a folder can stay below it, at a desk and on a phone', async (t) => {
  for (const options of [{}, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' }]) {
    const page = await open(t, site, options);
    await fill(t, page, { 'Papers/2026/plan.txt': 'a', 'Papers/plan.pdf': 'b', 'plan.txt': 'c' });
    await row(page, 'Papers').getByRole('link', { name: 'Papers' }).click();
    await page.getByRole('heading', { level: 1, name: 'Papers' }).waitFor();
    if (options.isMobile) await page.getByRole('banner').getByRole('link', { name: 'Search files' }).click();
    const field = page.locator('input[type=search]:visible');
    await field.fill('plan');
    await field.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Search: plan' }).waitFor();
    await row(page, 'plan.pdf').waitFor();
    assert.equal(await page.locator('tbody tr').count(), 3, 'a search is of everything at first');
    const where = page.getByRole('navigation', { name: 'Where to search' });
    assert.equal(await where.getByRole('link', { name: 'All files' }).getAttribute('aria-current'), 'true');
    await where.getByRole('link', { name: 'Papers' }).click();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    assert.deepEqual((await page.locator('tbody tr .col-name bdi').allTextContents()).filter((n) => n.startsWith('plan')).sort(), ['plan.pdf', 'plan.txt']);
    assert.equal(await where.getByRole('link', { name: 'Papers' }).getAttribute('aria-current'), 'true');
    await check(page, 'a search below a folder');
    await shot(page, `search below a folder${options.isMobile ? ' on a phone' : ''}`);

    // Another search stays there, and so does a reload; one press leads back to everything.
    await field.fill('plan pdf');
    await field.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Search: plan pdf' }).waitFor();
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
    await page.reload();
    await row(page, 'plan.pdf').waitFor();
    await where.getByRole('link', { name: 'All files' }).click();
    await page.waitForURL((url) => !url.searchParams.has('below'));
    await row(page, 'plan.pdf').waitFor();
    await page.context().close();
  }
});

test('the search of a phone is a page, in the dark and in German', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark', reducedMotion: 'reduce' });
  await fill(t, page, { 'Ordner/Ein sehr langer Name eines Protokolls der Versammlung 2026.pdf': 'a', 'Bild.png': 'b' });
  await german(page);
  await page.getByRole('banner').getByRole('link', { name: 'Dateien suchen' }).click();
  await page.getByRole('heading', { level: 1, name: 'Dateien suchen' }).waitFor();
  await focusComes(page, 'Dateien suchen');
  await check(page, 'the search before a word');
  await page.keyboard.type('proto');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Suche: proto' }).waitFor();
  const link = page.locator('tbody').getByRole('link', { name: /liegt in Dateien \/ Ordner$/ });
  await link.waitFor();
  await check(page, 'hits on a phone');
  await shot(page, 'search on a phone');
  assert.ok((await link.boundingBox()).height >= 24);
  await link.click();
  await page.getByRole('heading', { level: 1, name: 'Ordner' }).waitFor();
});

test('what is deleted can be undone at once, restored later, and goes for good after one question', async (t) => {
  const page = await open(t, site);
  const who = await fill(t, page, { 'Deep/Inner/x.txt': 'x', 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
  await row(page, 'a.txt').focus();
  await page.keyboard.press('Delete');
  await page.getByText(/” moved to the trash\./).hover(); // below the pointer it stays
  await row(page, 'a.txt').waitFor({ state: 'detached' });
  await page.waitForFunction(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent === 'b.txt');
  await check(page, 'a message that can be undone');
  await shot(page, 'undo at a desk');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Restored.').waitFor();
  await row(page, 'a.txt').waitFor();

  // A folder with what is in it, and a file of it before.
  await row(page, 'Deep').getByRole('link').click();
  await row(page, 'Inner').getByRole('link').click();
  await row(page, 'x.txt').focus();
  await page.keyboard.press('Delete');
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: 'Files' }).click();
  for (const name of ['Deep', 'a.txt', 'b.txt']) await row(page, name).getByRole('checkbox').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('3 items moved to the trash.').waitFor();
  await namesCome(page, ['c.txt']);

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Trash' }).click();
  await row(page, 'x.txt').waitFor();
  assert.equal(await page.locator('tbody tr').count(), 4);
  await row(page, 'x.txt').locator('.col-place').getByTitle('Files / Deep / Inner').waitFor();
  await row(page, 'x.txt').locator('.col-left').getByText('30 days left').waitFor();
  await row(page, 'a.txt').getByRole('checkbox').check();
  await check(page, 'the trash');
  await shot(page, 'trash at a desk');
  await page.keyboard.press('Escape');

  // Its folder is gone: it is made anew. The list of another tab sees it.
  await row(page, 'x.txt').getByRole('button', { name: 'Actions for x.txt' }).click();
  await page.getByRole('menuitem', { name: 'Restore' }).click();
  await row(page, 'x.txt').waitFor({ state: 'detached' });
  await page.getByText('Restored.').waitFor();
  await row(page, 'a.txt').focus();
  await page.keyboard.press('Delete');
  const question = page.getByRole('dialog', { name: 'Delete for good?' });
  await question.getByText('This cannot be undone.').waitFor();
  await check(page, 'the question before what cannot be undone');
  await question.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('Deleted for good.').waitFor();
  await row(page, 'a.txt').waitFor({ state: 'detached' });
  await namesCome(page, ['Deep', 'b.txt'], 'in any order');

  // What another device deletes appears.
  const act = await as(site.server, who);
  const { items } = await act('/files', undefined, 'GET');
  await act('/files/' + items.find((e) => e.name === 'c.txt').id, undefined, 'DELETE');
  await row(page, 'c.txt').waitFor();
  await page.getByRole('button', { name: 'Empty trash' }).click();
  const all = page.getByRole('dialog', { name: 'Empty the trash?' });
  await all.getByRole('button', { name: 'Empty trash' }).click();
  await page.getByRole('heading', { name: 'The trash is empty' }).waitFor();
  await check(page, 'the empty trash');

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Files' }).click();
  await row(page, 'Deep').getByRole('link').click();
  await row(page, 'Inner').getByRole('link').click();
  await row(page, 'x.txt').waitFor();
});

test('the trash on a phone, in the dark and in German', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark', reducedMotion: 'reduce' });
  await fill(t, page, { 'Ordner/Ein sehr langer Name eines Protokolls der Versammlung 2026.pdf': 'a', 'b.txt': 'b' });
  await german(page);
  for (const name of ['Ordner', 'b.txt']) {
    await row(page, name).getByRole('button', { name: `Aktionen für ${name}` }).click();
    await page.getByRole('menuitem', { name: 'Löschen' }).click();
    await row(page, name).waitFor({ state: 'detached' });
  }
  await page.getByText('„Ordner“ liegt im Papierkorb.').waitFor();
  await page.getByText('„b.txt“ liegt im Papierkorb.').waitFor();
  await page.getByRole('button', { name: 'Rückgängig' }).last().waitFor();
  await shot(page, 'undo on a phone');
  await page.getByRole('button', { name: 'Mehr', exact: true }).click();
  await page.getByRole('dialog').getByText('Papierkorb', { exact: true }).click();
  await row(page, 'Ordner').waitFor();
  await row(page, 'Ordner').getByText('Dateien · Noch 30 Tage').waitFor();
  await row(page, 'b.txt').getByRole('checkbox').check();
  await check(page, 'the trash on a phone');
  await shot(page, 'trash on a phone');
  await page.getByRole('toolbar').getByRole('button', { name: 'Wiederherstellen' }).click();
  await row(page, 'b.txt').waitFor({ state: 'detached' });
  await page.getByText('Wiederhergestellt.').waitFor();
});
