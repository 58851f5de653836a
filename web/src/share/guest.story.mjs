// People without an account open a link: a file, a folder, a password, the end.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { focusComes, follows, member, open, signIn, stage, tabTo } from '../../test/browser.mjs';
import { unzipped } from '../../test/unzip.mjs';
import { owner } from './owner.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });
const sizes = [['a desk', {}], ['a phone, in the dark and in German', { ...phone, colorScheme: 'dark', locale: 'de-DE' }]];

// quiet fails a page that puts the secret of a link into its title or into a Referer.
function quiet(page, token) {
  const referers = [];
  page.on('request', (request) => referers.push(request.allHeaders().then(({ referer }) => referer, () => undefined)));
  return async () => {
    for (const referer of await Promise.all(referers)) assert.ok(!(referer ?? '').includes(token), 'a Referer names the link');
    assert.ok(!(await page.title()).includes(token));
    assert.ok(!site.server.printed().includes(token), 'the log names the link');
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.ok(!kept.includes(token), 'the browser keeps the link');
  };
}

async function saved(page, press) {
  const download = await follows(page, 'download', press);
  return { name: download.suggestedFilename(), file: await download.path() };
}

for (const [name, options] of sizes) {
  test(`a file by link on ${name}`, async (t) => {
    const word = (en, de) => (options.locale ? de : en);
    const ada = await owner(site.server);
    const bytes = Buffer.from('Dear reader\n'.repeat(300));
    const long = 'A letter with a very long name that tells everything about last summer '.repeat(2).trim() + '.txt';
    const id = await ada.upload(long, bytes);
    const link = await ada.share(id, { note: 'From Saturday.\nFor you <b>all</b>.', expires_at: '2030-12-24T18:00:00Z' });
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const silent = quiet(page, link.token);
    await page.goto(link.url);
    await page.getByRole('heading', { level: 1, name: long }).waitFor();
    await page.getByText(word('Ada shares this with you', 'Ada teilt das mit Ihnen')).waitFor();
    await page.getByText('For you <b>all</b>.').waitFor();
    await page.getByText(word('Available until December 24, 2030', 'Verfügbar bis 24. Dezember 2030'), { exact: false }).or(page.getByText('Available until 24 December 2030', { exact: false })).waitFor();
    await page.getByText(word('3.6 kB', '3,6 kB')).first().waitFor();
    assert.equal(await page.getByRole('navigation').count(), 0, 'there is no sidebar');
    await page.waitForFunction((long) => document.title === `${long} – Coffer`, long);
    await check(page, 'a shared file');
    await shot(page, `a shared file on ${name}`);

    // By the keyboard alone, to the disk.
    await tabTo(page, word('Download', 'Herunterladen'));
    const one = await saved(page, () => page.keyboard.press('Enter'));
    assert.equal(one.name, long);
    assert.deepEqual(fs.readFileSync(one.file), bytes);
    await page.getByText(word(/^Saved/, /^Gespeichert/)).waitFor();
    await check(page, 'a shared file, saved');
    await shot(page, `a shared file, saved on ${name}`);

    // The look at it.
    await page.getByRole('button', { name: word('Show', 'Ansehen'), exact: true }).click();
    await page.getByRole('dialog').locator('pre').getByText('Dear reader').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await silent();

    // The owner stops it: word for word the page of a link that never was.
    await ada.stop(link);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: word('This link does not work', 'Dieser Link funktioniert nicht') }).waitFor();
    const told = await page.locator('main').textContent();
    await check(page, 'a link that is gone');
    await shot(page, `a link that is gone on ${name}`);
    await page.goto('/s/' + 'x'.repeat(22));
    await page.getByRole('heading', { level: 1, name: word('This link does not work', 'Dieser Link funktioniert nicht') }).waitFor();
    assert.equal(await page.locator('main').textContent(), told);
    assert.equal(await page.title(), word('Shared with you – Coffer', 'Mit Ihnen geteilt – Coffer'));
  });

  test(`a folder by link on ${name}`, async (t) => {
    const word = (en, de) => (options.locale ? de : en);
    const ada = await owner(site.server);
    const top = await ada.folder('Summer');
    const day = await ada.folder('Day 1 / #?%', top).catch(() => ada.folder('Day 1 #?%', top));
    const deep = await ada.folder('Morning', day);
    await ada.folder('Nothing', top);
    await ada.upload('sunrise.txt', Buffer.from('sun'), deep);
    await ada.uploads(Array.from({ length: 130 }, (_, i) => [`picture ${String(i).padStart(3, '0')}.txt`, Buffer.from('picture ' + i)]), day);
    const picture = await ada.upload('a.png', png, top);
    const link = await ada.share(top, { note: 'Take what you like.' });
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    await page.addInitScript(() => delete globalThis.showSaveFilePicker);
    const silent = quiet(page, link.token);
    await page.goto(link.url);
    await page.getByRole('heading', { level: 1, name: 'Summer' }).waitFor();
    const list = page.getByRole('list', { name: word('In Summer', 'In Summer') });
    await list.getByText('a.png').waitFor();
    await ada.until(async () => (await ada.act('/files/' + picture, undefined, 'GET')).thumbnail);
    await page.reload();
    await page.waitForFunction(() => document.querySelector('.guest-thumb img')?.naturalWidth > 0);
    await check(page, 'a shared folder');
    await shot(page, `a shared folder on ${name}`);

    // Down, on, and back to where they were.
    await page.getByRole('link', { name: word('Open Day 1 #?%', 'Day 1 #?% öffnen') }).click();
    await page.getByRole('heading', { level: 1, name: 'Day 1 #?%' }).waitFor();
    await focusComes(page, 'Day 1 #?%');
    await page.locator('.guest-row').nth(99).waitFor();
    await page.locator('.guest-row').nth(99).scrollIntoViewIfNeeded();
    await page.locator('.guest-row').nth(130).waitFor();
    await page.getByText('picture 129.txt').waitFor();
    assert.equal(await page.locator('.guest-row').count(), 131);
    await page.getByRole('link', { name: word('Open Morning', 'Morning öffnen') }).click();
    await page.getByRole('heading', { level: 1, name: 'Morning' }).waitFor();
    await page.getByRole('navigation', { name: word('Where you are', 'Wo Sie sind') }).getByRole('link', { name: 'Summer' }).waitFor();
    await check(page, 'a folder inside');
    await shot(page, `a folder inside on ${name}`);
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Day 1 #?%' }).waitFor();
    await focusComes(page, word('Open Morning', 'Morning öffnen'));
    assert.equal(await page.locator('.guest-row').count(), 131, 'what was read stays');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Day 1 #?%' }).waitFor();
    await page.getByRole('navigation', { name: word('Where you are', 'Wo Sie sind') }).getByRole('link', { name: 'Summer' }).click();
    await page.getByRole('heading', { level: 1, name: 'Summer' }).waitFor();
    await page.getByRole('link', { name: word('Open Nothing', 'Nothing öffnen') }).click();
    await page.getByText(word('This folder is empty', 'Dieser Ordner ist leer')).waitFor();
    await check(page, 'an empty shared folder');
    await page.goBack();

    // One after the other, and one file of them.
    await page.getByRole('button', { name: word('Show a.png', 'a.png ansehen') }).click();
    await page.waitForFunction(() => document.querySelector('dialog img')?.naturalWidth > 0);
    assert.match(await page.locator('dialog img').getAttribute('src'), /^blob:/);
    await check(page, 'a look at a shared picture');
    await page.keyboard.press('Escape');
    await focusComes(page, word('Show a.png', 'a.png ansehen'));
    const one = await saved(page, () => page.getByRole('button', { name: word('Download a.png', 'a.png herunterladen') }).click());
    assert.deepEqual(fs.readFileSync(one.file), png);

    // All of it, by the browser itself: there is no file picker here.
    const all = await saved(page, () => page.getByRole('button', { name: word('Download all', 'Alles herunterladen') }).click());
    assert.equal(all.name, 'Summer.zip');
    const files = unzipped(all.file);
    assert.equal(Object.keys(files).filter((f) => !f.endsWith('/')).length, 132);
    assert.equal(String(Object.entries(files).find(([f]) => f.endsWith('Morning/sunrise.txt'))[1]), 'sun');
    await page.getByText(word('Your browser is downloading it.', 'Ihr Browser lädt die Datei herunter.')).waitFor();
    await check(page, 'a shared folder, with downloads');
    await shot(page, `a shared folder, with downloads on ${name}`);
    await page.getByRole('button', { name: word('Take a.png off the list', 'a.png aus der Liste nehmen') }).click();
    await focusComes(page, word('Download all', 'Alles herunterladen'));
    await silent();

    // Nothing leads out of the folder.
    for (const way of ['../', 'Nothing/..', '%2e%2e/x', 'gone', 'Day 1 #?%/gone']) {
      await page.goto(`/s/${link.token}?path=${encodeURIComponent(way)}`);
      await page.getByRole('heading', { level: 1, name: word('This is no longer here', 'Das ist nicht mehr hier') }).waitFor();
    }
    await check(page, 'a folder that is gone');
    await page.getByRole('link', { name: word('Open Summer', 'Summer öffnen') }).click();
    await page.getByRole('heading', { level: 1, name: 'Summer' }).waitFor();
    await ada.trash(top);
    await page.getByRole('link', { name: word('Open Nothing', 'Nothing öffnen') }).click();
    await page.getByRole('heading', { level: 1, name: word('This link does not work', 'Dieser Link funktioniert nicht') }).waitFor();
  });

  test(`a password is asked for once on ${name}`, async (t) => {
    const word = (en, de) => (options.locale ? de : en);
    const ada = await owner(site.server);
    const id = await ada.upload('secret.txt', Buffer.from('secret'));
    const link = await ada.share(id, { password: 'open sesame' });
    const page = await open(t, site, options);
    await page.goto(link.url);
    const asked = page.getByRole('heading', { level: 1, name: word('This link has a password', 'Dieser Link hat ein Passwort') });
    await asked.waitFor();
    assert.ok(!(await page.locator('body').textContent()).includes('secret.txt'), 'nothing is told before');
    assert.ok(!(await page.locator('body').textContent()).includes('Ada'));
    await check(page, 'the password of a link');
    await shot(page, `the password of a link on ${name}`);
    const field = page.getByLabel(word('Password', 'Passwort'), { exact: true });
    await field.fill('open barley');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(word('Wrong password.', 'Falsches Passwort.')).waitFor();
    await check(page, 'the password of a link, refused');
    await field.fill('open sesame');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'secret.txt' }).waitFor();
    await focusComes(page, 'secret.txt');
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'secret.txt' }).waitFor();
    const file = await saved(page, () => page.getByRole('button', { name: word('Download', 'Herunterladen'), exact: true }).click());
    assert.equal(fs.readFileSync(file.file, 'utf8'), 'secret');
    // A new password ends what the old one opened.
    await ada.act(`/shares/${link.id}`, { password: 'open wheat' }, 'PATCH');
    await page.getByRole('button', { name: word('Show', 'Ansehen'), exact: true }).click();
    await page.getByRole('dialog').getByText(word('Enter the password of this link', 'Geben Sie das Passwort dieses Links ein'), { exact: false }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: word('Download', 'Herunterladen'), exact: true }).click();
    await asked.waitFor();
    await field.fill('open wheat');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'secret.txt' }).waitFor();
  });
}

test('a link with a limit tells what is left; a look costs one, and saving it no second', async (t) => {
  const ada = await owner(site.server);
  const id = await ada.upload('limited.txt', Buffer.from('limited'));
  const link = await ada.share(id, { max_downloads: 2 });
  const page = await open(t, site);
  await page.goto(link.url);
  await page.getByText('2 downloads left').waitFor();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Showing this file uses one of 2 downloads.', { exact: false }).waitFor();
  await check(page, 'a look with its price');
  await shot(page, 'a look with its price');
  assert.equal((await ada.act(`/shares/${link.id}`, undefined, 'GET')).downloads, 0);
  await dialog.getByRole('button', { name: 'Show' }).click();
  await dialog.getByText('limited', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('1 download left').waitFor();
  const one = await saved(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.equal(fs.readFileSync(one.file, 'utf8'), 'limited');
  assert.equal((await ada.act(`/shares/${link.id}`, undefined, 'GET')).downloads, 1);

  // The last one goes to another guest.
  const other = await open(t, site);
  await other.goto(link.url);
  await saved(other, () => other.getByRole('button', { name: 'Download', exact: true }).click());
  await other.getByText('This link takes no more downloads.', { exact: false }).waitFor();
  assert.equal(await other.getByRole('button', { name: 'Download', exact: true }).count(), 0);
  await check(other, 'the last download');
  await shot(other, 'the last download');
  await other.reload();
  await other.getByRole('heading', { name: 'This link does not work' }).waitFor();
});

test('a download that breaks goes on where it stopped, and counts once', async (t) => {
  const ada = await owner(site.server);
  const bytes = Buffer.alloc(3_000_000, 'coffer');
  const id = await ada.upload('large.bin', bytes);
  const link = await ada.share(id, { max_downloads: 5 });
  const page = await open(t, site);
  const ranges = [];
  await page.route('**/content?*', async (route) => {
    const range = await route.request().headerValue('range');
    ranges.push(range);
    if (range) return route.continue();
    // Half of it comes, and then the connection ends.
    const response = await route.fetch();
    const { 'content-length': _, ...headers } = response.headers();
    await route.fulfill({ status: 200, headers, body: (await response.body()).subarray(0, 1_000_000) });
  });
  await page.goto(link.url);
  const file = await saved(page, () => page.getByRole('button', { name: 'Download', exact: true }).click());
  assert.deepEqual(fs.readFileSync(file.file), bytes);
  assert.deepEqual(ranges, [null, 'bytes=1000000-']);
  assert.equal((await ada.act(`/shares/${link.id}`, undefined, 'GET')).downloads, 1);
  await page.getByText('4 downloads left').waitFor();
});

test('a lost server is told, and the page goes on; a download can be cancelled and begun again', async (t) => {
  const ada = await owner(site.server);
  const top = await ada.folder('Box');
  await ada.folder('Inner', top);
  await ada.upload('film.bin', Buffer.alloc(2_000_000, 'film'), top);
  const link = await ada.share(top);
  const page = await open(t, site);
  await page.route('**/v1/public/shares/**', (route) => route.abort());
  await page.goto(link.url);
  await page.getByRole('alert').getByText('The server cannot be reached', { exact: false }).waitFor();
  await check(page, 'a link, offline');
  await page.unroute('**/v1/public/shares/**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { level: 1, name: 'Box' }).waitFor();

  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/content?*', async (route) => {
    await held;
    await route.continue().catch(() => undefined);
  });
  await page.getByRole('button', { name: 'Download film.bin' }).click();
  await page.getByRole('button', { name: 'Cancel film.bin' }).click();
  await page.getByText('Cancelled').waitFor();
  release();
  const file = await saved(page, () => page.getByRole('button', { name: 'Try film.bin again' }).click());
  assert.equal(fs.statSync(file.file).size, 2_000_000);

  // A zip goes into the file that the person picks: here one of the browser's own.
  await page.evaluate(() => {
    globalThis.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  });
  await page.getByRole('button', { name: 'Download all' }).click();
  await page.getByRole('region', { name: 'Downloads' }).locator('li', { hasText: 'Box.zip' }).getByText(/^Saved/).waitFor();
  const [size, mark] = await page.evaluate(async () => {
    const zip = await (await (await navigator.storage.getDirectory()).getFileHandle('Box.zip')).getFile();
    return [zip.size, await zip.slice(0, 2).text()];
  });
  assert.ok(size > 2_000_000);
  assert.equal(mark, 'PK');

  // A zip that breaks off leaves no file.
  await page.route('**/archive?*', (route) => route.abort());
  await page.route('**/archive', (route) => route.abort());
  await page.getByRole('button', { name: 'Download all' }).click();
  await page.getByRole('region', { name: 'Downloads' }).getByText('The server cannot be reached', { exact: false }).waitFor();
  await page.waitForFunction(async () => {
    for await (const name of (await navigator.storage.getDirectory()).keys()) if (name.startsWith('Box.zip')) return false;
    return true;
  });
});

test('a look at a link that comes late leaves the folder that the person went on to', async (t) => {
  const ada = await owner(site.server);
  const top = await ada.folder('Outer');
  await ada.folder('Inner', top);
  await ada.upload('note.txt', Buffer.from('note'), top);
  const link = await ada.share(top);
  const page = await open(t, site);
  await page.goto(link.url);
  await page.getByRole('heading', { level: 1, name: 'Outer' }).waitFor();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const late = page.waitForRequest((request) => new URL(request.url()).pathname.endsWith('/shares/' + link.token));
  await page.route('**/v1/public/shares/' + link.token + '?*', async (route) => {
    if (!new URL(route.request().url()).searchParams.get('path')) await held;
    await route.continue();
  });
  await saved(page, () => page.getByRole('button', { name: 'Download note.txt' }).click());
  await late;
  await page.getByRole('link', { name: 'Open Inner' }).click();
  await page.getByRole('heading', { level: 1, name: 'Inner' }).waitFor();
  const came = page.waitForResponse((response) => new URL(response.url()).pathname.endsWith('/shares/' + link.token));
  release();
  await (await came).finished();
  await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 0)));
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent().then((text) => text.trim()), 'Inner');
});

test('people who are signed in see the same', async (t) => {
  const ada = await owner(site.server);
  const link = await ada.share(await ada.upload('for all.txt', Buffer.from('x')));
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const carried = [];
  page.on('request', (r) => r.url().includes('/public/shares/') && carried.push(r.headers().authorization));
  await page.goto(link.url);
  await page.getByRole('heading', { level: 1, name: 'for all.txt' }).waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
  assert.ok(carried.length > 0 && carried.every((a) => a === undefined), 'no call carries a session');
  await check(page, 'a shared file, signed in');
});
