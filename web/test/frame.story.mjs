// The frame: places, New, what stands behind the picture, the phone's bar and sheets, the ring
// of transfers. The last stories add rooms that do not exist yet, by nothing but their entries.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from './axe.mjs';
import { drop, follows, make, member, mine, open, person, row, signIn, stage, tree } from './browser.mjs';
import { src } from './load.mjs';

const site = stage();

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' };
const texts = async (of) => (await of.allInnerTexts()).map((text) => text.trim());

// bar lists what the phone's bar says, in its order.
const bar = (page) => page.locator('.bar > *').evaluateAll((all) => all.map((e) => e.innerText.trim() || e.getAttribute('aria-label')));

// choose speaks German in this browser from the next page on.
const german = (page) => page.addInitScript(() => localStorage.setItem('coffer.lang', 'de'));

test('at a desk there are the places that exist and nothing else', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
  await links.getByText('Storage').waitFor(); // the meter at the end
  assert.deepEqual(await texts(links), ['Files', 'Shared', 'Requests', 'Send & receive', 'Trash', 'Storage\n0 bytes used']);
  assert.equal(await page.getByRole('link', { name: 'Files', exact: true }).getAttribute('aria-current'), 'page');
  assert.equal(await page.getByRole('banner').getByRole('search').count(), 1);
  assert.equal(await page.getByRole('contentinfo').count(), 0, 'the footer is for people who are signed out');
  await page.getByRole('button', { name: 'New', exact: true }).click();
  assert.deepEqual(await texts(page.getByRole('menuitem')), ['Upload files', 'Upload folder', 'New folder', 'Request files']);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Account menu/ }).click();
  assert.deepEqual(await texts(page.getByRole('menuitem')), ['Account', 'Security', 'Storage', 'Language and appearance', 'API', 'Sign out']);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === 'H1'); // after the page is drawn
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.getByRole('menuitem', { name: 'API' }).click();
  await page.waitForURL('**/docs');
});

test('on a phone the bar has what exists, "+" and "More" are sheets, and each is big enough for a thumb', async (t) => {
  const page = await open(t, site, phone);
  await signIn(page, await member(site.server));
  assert.deepEqual(await bar(page), ['Files', 'Shared', 'New', 'Send', 'More']);
  assert.equal(await page.getByRole('button', { name: /^Account menu/ }).count(), 0);
  for (const [name, entries] of [
    ['New', ['Upload files', 'Upload folder', 'New folder', 'Request files']],
    ['More', ['Requests', 'Trash', 'Account', 'Security', 'Storage', 'Language and appearance', 'API', 'Sign out']],
  ]) {
    const button = page.getByRole('button', { name, exact: true });
    await button.click();
    const sheet = page.getByRole('dialog', { name });
    assert.deepEqual(await texts(sheet.getByRole('listitem')), entries);
    for (const item of await sheet.getByRole('listitem').all()) assert.ok((await item.boundingBox()).height >= 44);
    const box = await sheet.boundingBox();
    assert.ok(Math.abs(box.y + box.height - 844) < 1, 'the sheet lies at the lower edge');
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    assert.equal(await button.evaluate((e) => e === document.activeElement), true, 'the focus is back');
    await button.click();
    await page.mouse.click(100, 60); // beside the sheet
    await sheet.waitFor({ state: 'detached' });
  }
  for (const e of await page.locator('.bar > *').all()) {
    const { width, height } = await e.boundingBox();
    assert.ok(width >= 44 && height >= 44, `${width} × ${height}`);
  }
});

for (const [name, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`New works on every page of ${name}, in the folder that is shown`, async (t) => {
    const page = await open(t, site, options);
    await signIn(page, await member(site.server));
    await mine(page, 'Security');
    await page.getByText('This device').waitFor();
    await make(page, 'New folder');
    await page.getByRole('dialog').getByLabel('Name').fill('Papers');
    await page.keyboard.press('Enter');
    await row(page, 'Papers').waitFor();
    await row(page, 'Papers').getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Papers' }).waitFor();
    await make(page, 'New folder');
    await page.getByRole('dialog').getByLabel('Name').fill('2026');
    await page.keyboard.press('Enter');
    await row(page, '2026').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.getByRole('button', { name: 'New', exact: true }).evaluate((e) => e === document.activeElement), true, 'the focus is back');
    const dir = tree(t, { 'note.txt': 'n', 'Album/a.jpg': 'a' });
    const files = await follows(page, 'filechooser', () => make(page, 'Upload files'));
    await files.setFiles(path.join(dir, 'note.txt'));
    await row(page, 'note.txt').waitFor();
    if (options === phone) return; // phones choose no folders
    const folder = await follows(page, 'filechooser', () => make(page, 'Upload folder'));
    await folder.setFiles(path.join(dir, 'Album'));
    await row(page, 'Album').waitFor();
    assert.equal(await page.locator('body > input').count(), 0, 'the fields that choose are gone');
  });
}

test('on a phone the top leads to the parent', async (t) => {
  const page = await open(t, site, phone);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'Outer/Inner/a.txt': 'a' });
  await drop(page, [path.join(dir, 'Outer')]);
  await row(page, 'Outer').getByRole('link').click();
  const top = page.getByRole('banner');
  await top.getByRole('link', { name: 'Files', exact: true }).waitFor();
  await row(page, 'Inner').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Inner' }).waitFor();
  await top.getByRole('link', { name: 'Outer' }).click();
  await page.getByRole('heading', { level: 1, name: 'Outer' }).waitFor();
  await top.getByRole('link', { name: 'Files', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await top.getByRole('link', { name: 'Coffer' }).waitFor();
  assert.deepEqual(await top.getByRole('link').evaluateAll((all) => all.map((e) => e.getAttribute('aria-label') ?? e.innerText.trim())), ['Coffer', 'Search files']);
});

test('the ring counts what runs, opens the panel, and goes with it', async (t) => {
  for (const options of [{}, phone]) {
    const page = await open(t, site, options);
    await signIn(page, await member(site.server));
    const ring = page.getByRole('banner').getByRole('button', { name: /transfer/i });
    assert.equal(await ring.count(), 0);
    const held = [];
    let hold = true;
    await page.route('**/v1/files?**', (route) => (hold && route.request().method() === 'POST' ? held.push(route) : route.continue()));
    await page.route('**/v1/files', (route) => (hold && route.request().method() === 'POST' ? held.push(route) : route.continue()));
    const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' });
    await drop(page, ['a.txt', 'b.txt', 'c.txt'].map((name) => path.join(dir, name)));
    await page.getByRole('banner').getByRole('button', { name: /^3 transfers are running, \d+ % done$/ }).waitFor();
    assert.equal(await ring.innerText(), '3');
    const panel = page.getByRole('region', { name: 'Uploads' });
    if (options.isMobile) {
      // There the panel begins folded: its list would hide the page.
      await panel.waitFor();
      assert.equal(await ring.getAttribute('aria-expanded'), 'false');
      await ring.click();
    }
    await panel.getByText('a.txt').waitFor();
    assert.equal(await ring.getAttribute('aria-expanded'), 'true');
    await ring.click();
    await panel.getByText('a.txt').waitFor({ state: 'detached' });
    assert.equal(await ring.getAttribute('aria-expanded'), 'false');
    await mine(page, 'Account');
    await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    await ring.click();
    await panel.getByText('a.txt').waitFor();
    hold = false;
    for (const route of held) await route.continue();
    await page.getByRole('banner').getByRole('button', { name: 'All transfers are over' }).waitFor();
    await panel.getByRole('button', { name: 'Close the list of uploads' }).click();
    await ring.waitFor({ state: 'detached' });
  }
});

test('the ring says that something failed, also when the rest has arrived', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'good.txt': 'a', 'bad.txt': 'b' });
  let refuse = true;
  await page.route(/\/v1\/files(\?|$)/, (route) => {
    const bad = refuse && route.request().method() === 'POST' && route.request().postDataBuffer().includes('bad.txt');
    return bad ? route.fulfill({ status: 413, contentType: 'application/problem+json', json: { status: 413, code: 'quota_exceeded' } }) : route.continue();
  });
  await drop(page, ['good.txt', 'bad.txt'].map((name) => path.join(dir, name)));
  const banner = page.getByRole('banner');
  await banner.getByRole('button', { name: '1 transfer failed' }).waitFor();
  await page.locator('tbody tr').filter({ hasText: 'good.txt' }).waitFor();
  assert.equal(await banner.getByRole('button', { name: '1 transfer failed' }).evaluate((ring) => getComputedStyle(ring).color === getComputedStyle(document.querySelector('.error')).color), true);
  await check(page, 'a failed transfer');
  refuse = false;
  await page.getByRole('region', { name: 'Uploads' }).getByRole('button', { name: 'Try bad.txt again' }).click();
  await banner.getByRole('button', { name: 'All transfers are over' }).waitFor();
});

test('language and appearance stand behind the picture, in German too', async (t) => {
  for (const options of [{}, phone]) {
    const page = await open(t, site, options);
    await signIn(page, await member(site.server));
    await mine(page, 'Language and appearance');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Appearance').selectOption('dark');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await dialog.getByLabel('Language').selectOption('de');
    await page.getByRole('dialog', { name: 'Sprache und Aussehen' }).waitFor();
    await page.keyboard.press('Escape');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    if (options === phone) {
      assert.deepEqual(await bar(page), ['Dateien', 'Geteilt', 'Neu', 'Senden', 'Mehr']);
      await page.getByRole('button', { name: 'Mehr' }).click();
      assert.deepEqual(await texts(page.getByRole('listitem')), ['Dateianfragen', 'Papierkorb', 'Konto', 'Sicherheit', 'Speicher', 'Sprache und Aussehen', 'API', 'Abmelden']);
    } else {
      await page.getByRole('button', { name: 'Neu', exact: true }).click();
      assert.deepEqual(await texts(page.getByRole('menuitem')), ['Dateien hochladen', 'Ordner hochladen', 'Neuer Ordner', 'Dateien anfordern']);
    }
  }
});

test('a toast ends with its page', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await mine(page, 'Account');
  await page.getByLabel('About you').fill('x');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved.').waitFor();
  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  assert.equal(await page.getByText('Saved.').count(), 0);
});

// later is the app with rooms that are to come; each is nothing but its entries.
function later() {
  const main = fs.readFileSync(path.join(src, 'main.tsx'), 'utf8');
  const rooms = `
    const title = (name) => ({ page: () => <h1>{name}</h1>, title: () => name });
    const said = (en, de) => () => (document.documentElement.lang === 'de' ? de : en);
    const later: any[] = [
      { routes: [{ path: '/published', ...title('Published') }], places: [{ href: '/published', icon: 'user', label: said('Published', 'Veröffentlicht'), order: 4.5, phone: 'more' }],
        create: [{ icon: 'mail', label: said('Publish files', 'Dateien veröffentlichen'), order: 5, run: () => { document.title = 'asked'; } }] },
    ];`;
  const text = main.replace('const rooms = Object.values(all);', `${rooms}\nconst rooms = [...Object.values(all), ...later];`);
  assert.notEqual(text, main);
  return execFileSync('go', ['tool', 'esbuild', '--bundle', '--format=esm', '--loader=tsx', '--loader:.css=empty', '--jsx=automatic', '--jsx-import-source=preact', '--log-level=error'],
    { cwd: src, input: text, encoding: 'utf8', maxBuffer: 32 << 20 });
}

async function openLater(t, options) {
  const page = await open(t, site, options);
  const body = later();
  await page.route('**/assets/app.js*', (route) => route.fulfill({ contentType: 'text/javascript', body }));
  return page;
}

test('a room that comes later shows at a desk by its entries alone', async (t) => {
  const page = await openLater(t, {});
  await signIn(page, await member(site.server));
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link');
  await links.getByText('Storage').waitFor(); // the meter at the end
  assert.deepEqual(await texts(links), ['Files', 'Shared', 'Requests', 'Send & receive', 'Published', 'Trash', 'Storage\n0 bytes used']);
  await page.getByRole('link', { name: 'Published' }).click();
  await page.getByRole('heading', { level: 1, name: 'Published' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Published' }).getAttribute('aria-current'), 'page');
  await make(page, 'Publish files');
  assert.equal(await page.title(), 'asked');
  await page.getByRole('button', { name: /^Account menu/ }).click();
  assert.ok(!(await texts(page.getByRole('menuitem'))).includes('Admin'), 'Admin is for admins');
});

test('a room that comes later shows on a phone by its entries alone', async (t) => {
  const page = await openLater(t, phone);
  await signIn(page, await member(site.server));
  assert.deepEqual(await bar(page), ['Files', 'Shared', 'New', 'Send', 'More']);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  assert.deepEqual(await texts(page.getByRole('listitem')), ['Requests', 'Published', 'Trash', 'Account', 'Security', 'Storage', 'Language and appearance', 'API', 'Sign out']);
  await page.getByRole('dialog').getByRole('link', { name: 'Published' }).click();
  await page.getByRole('heading', { level: 1, name: 'Published' }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways');
});

test('an admin finds the admin page behind the picture', { skip: process.env.COFFER_E2E_URL && 'the running server keeps its one-time link to itself' }, async (t) => {
  const who = person();
  const token = site.server.printed().match(/first-admin#token=(\S+)/)[1];
  const made = await fetch(site.server.url + '/v1/auth/first-admin', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, ...who }) });
  assert.equal(made.status, 204);
  const page = await open(t, site);
  await german(page);
  await page.goto('/sign-in');
  await page.getByLabel('E-Mail oder Benutzername').fill(who.username);
  await page.getByLabel('Passwort', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();
  await page.getByRole('button', { name: /^Kontomenü/ }).click();
  assert.deepEqual(await texts(page.getByRole('menuitem')), ['Konto', 'Sicherheit', 'Speicher', 'Verwaltung', 'Sprache und Aussehen', 'API', 'Abmelden']);
  await page.getByRole('menuitem', { name: 'Verwaltung' }).click();
  await page.getByRole('heading', { level: 1, name: 'Übersicht' }).waitFor();
});
