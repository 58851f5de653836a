// Send & receive, as two people do it: each in a browser of its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { drop, focusComes, follows, member, open, signIn, stage, tabTo, tree } from '../../test/browser.mjs';

const site = stage({ COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1h' });

// Small limits, so that a story meets them.
const tight = stage({ COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1h', COFFER_DROP_GRACE: '1s', COFFER_DROP_GUESTS: '1' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' };
const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };

// shared reads what the host would tell a person.
async function shared(page) {
  await page.locator('.drop-code').waitFor();
  const code = (await page.locator('.drop-code .hidden').textContent()).replace(/\D/g, '');
  const name = await page.locator('.drop-name').textContent();
  assert.match(code, /^\d{6}$/);
  return { name, code };
}

async function linkOf(page) {
  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Copied').waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

// host opens a drop that offers what lies in a folder.
async function host(t, files, { at = site, ...options } = {}) {
  const page = await open(t, at, { ...clipboard, ...options });
  await page.goto('/send');
  await page.locator('.drop-choices').waitFor();
  const dir = tree(t, files);
  await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
  return { page, dir, ...(await shared(page)) };
}

async function enter(page, code) {
  await page.locator('input[name=code]').fill(code);
}

// guest joins by name and code.
async function guest(t, { name, code }, { at = site, ...options } = {}) {
  const page = await open(t, at, options);
  await page.goto('/d/' + name);
  await enter(page, code);
  await page.getByRole('heading', { level: 1, name: 'Connected' }).waitFor();
  return page;
}

const line = (page, name) => page.locator('.drop-row').filter({ hasText: name });

async function saved(page, press) {
  const download = await follows(page, 'download', press);
  return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
}

// stores lists what the page's scripts can read without asking.
const stores = (page) => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, location.href]));

test('a file goes from a desk to a desk by name and code', async (t) => {
  const h = await host(t, { 'letter.txt': 'Dear Bob' });
  assert.equal(await h.page.title(), 'Send & receive – Coffer');
  await h.page.getByText('Nobody else yet.').waitFor();
  await h.page.getByText('Nobody has asked for it yet.').waitFor();
  // Bob begins at the first page, as somebody without an account.
  const page = await open(t, site);
  await page.goto('/');
  await page.getByLabel('Name or link').fill(h.name.replace('-', ' ').toUpperCase());
  await page.getByRole('button', { name: 'Continue' }).click();
  const code = page.getByLabel('Six-digit code');
  await code.waitFor();
  assert.equal(await code.getAttribute('inputmode'), 'numeric');
  assert.equal(await code.getAttribute('autocomplete'), 'one-time-code');
  await enter(page, h.code);
  await page.getByRole('heading', { level: 1, name: 'Connected' }).waitFor();
  await h.page.locator('.drop-people li').nth(1).getByText('Chrome, Linux').waitFor();
  assert.equal(new URL(page.url()).pathname, '/d/' + h.name);
  await h.page.getByRole('heading', { level: 1, name: 'Connected with 1 device' }).waitFor();
  await page.getByRole('button', { name: 'Receive letter.txt', exact: true }).click();
  await line(page, 'letter.txt').getByText('Verified: complete and unchanged').waitFor();
  await line(h.page, 'letter.txt').getByText('Verified: complete on Chrome, Linux').waitFor();
  const { name, bytes } = await saved(page, () => page.getByRole('button', { name: 'Save letter.txt', exact: true }).click());
  assert.deepEqual([name, bytes.toString()], ['letter.txt', 'Dear Bob']);
  await line(page, 'letter.txt').getByText('Saved').waitFor();
  for (const p of [h.page, page]) {
    const text = await stores(p);
    assert.ok(!text.includes(h.code) && !text.includes('v1.'), 'no secret lies where scripts read it: ' + text);
  }
});

test('a link opens on a phone without a code, leaves the address, and a reload comes back', async (t) => {
  const h = await host(t, { 'a.bin': 'a'.repeat(1000) });
  const link = await linkOf(h.page);
  assert.match(link, /\/d\/[a-z-]+#v1\.[\w-]{22}$/);
  const page = await open(t, site, phone);
  await page.goto(link);
  await page.getByRole('heading', { level: 1, name: 'Connected' }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.ok(!(await stores(page)).includes(link.split('#')[1]));
  await page.reload();
  await page.getByRole('button', { name: 'Receive a.bin', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Receive a.bin', exact: true }).click();
  await page.getByText('Verified: complete and unchanged').waitFor();
  await page.reload();
  const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save a.bin', exact: true }).click());
  assert.equal(bytes.length, 1000);
  // A pasted link says everything.
  const other = await open(t, site, clipboard);
  await other.goto('/send');
  await other.evaluate((text) => navigator.clipboard.writeText(text), link);
  await other.getByLabel('Name or link').focus();
  await other.keyboard.press('Control+v');
  await other.getByRole('heading', { level: 1, name: 'Connected' }).waitFor();
});

test('three wrong codes burn the code; the host makes a new one', async (t) => {
  const h = await host(t, { 'a.txt': 'a' });
  const page = await open(t, site);
  await page.goto('/d/' + h.name);
  const wrong = String((Number(h.code) + 1) % 1_000_000).padStart(6, '0');
  await enter(page, wrong);
  await page.getByRole('alert').getByText('That code is not right.').waitFor();
  await h.page.getByText('Somebody has entered 1 wrong code.').waitFor();
  for (let i = 2; i <= 3; i++) {
    await enter(page, '');
    await enter(page, String((Number(h.code) + i) % 1_000_000).padStart(6, '0'));
    await page.waitForTimeout(300);
    await page.getByRole('button', { name: 'Connect' }).waitFor();
  }
  await h.page.getByRole('alert').getByText('This code was entered wrongly three times').waitFor();
  const elsewhere = await open(t, site);
  await elsewhere.goto('/d/' + h.name);
  await enter(elsewhere, h.code);
  await elsewhere.getByRole('alert').waitFor();
  await h.page.getByRole('alert').getByRole('button', { name: 'Make a new code' }).click();
  await h.page.getByRole('alert').waitFor({ state: 'detached' });
  const { code } = await shared(h.page);
  assert.notEqual(code, h.code);
});

test('a guest offers files too, and the host receives them', async (t) => {
  const h = await host(t, { 'a.txt': 'a' });
  const page = await guest(t, h);
  // A name that would look like a text file, with a control character.
  const dir = tree(t, { 'from-bob.txt': 'from Bob', 'gpj\u202etxt\u009b.exe': 'x' });
  await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
  await h.page.getByRole('button', { name: 'Receive gpj_txt_.exe', exact: true }).waitFor();
  assert.doesNotMatch(await h.page.locator('main').evaluate((e) => e.outerHTML), /[\u202e\u009b]/, 'not even in an attribute');
  assert.doesNotMatch(await page.locator('main').evaluate((e) => e.outerHTML), /[\u202e\u009b]/);
  await h.page.getByRole('button', { name: 'Receive from-bob.txt', exact: true }).click();
  await line(h.page, 'from-bob.txt').getByText('Verified: complete and unchanged').waitFor();
  await line(page, 'from-bob.txt').getByText('Verified: complete on Chrome, Linux').waitFor();
  const { bytes } = await saved(h.page, () => h.page.getByRole('button', { name: 'Save from-bob.txt', exact: true }).click());
  assert.equal(bytes.toString(), 'from Bob');
  await page.getByRole('button', { name: 'Stop offering from-bob.txt' }).click();
  await page.getByText('“from-bob.txt” is no longer offered.').waitFor();
});

test('a folder comes as a zip, and all of several with one press', async (t) => {
  const h = await host(t, { 'Photos/a.jpg': 'one', 'Photos/2026/b.jpg': 'two', 'Photos/empty': null, 'note.txt': 'note' });
  await line(h.page, 'Photos').getByText('2 files').waitFor();
  const page = await guest(t, h);
  await page.getByRole('button', { name: 'Receive all 2', exact: true }).click();
  await line(page, 'Photos').getByText('Verified').waitFor();
  await line(page, 'note.txt').getByText('Verified').waitFor();
  const { name, bytes } = await saved(page, () => page.getByRole('button', { name: 'Save as zip: Photos' }).click());
  assert.equal(name, 'Photos.zip');
  for (const part of ['a.jpg', '2026/b.jpg', 'one', 'two']) assert.ok(bytes.includes(part), part);
});

test('closing asks once; the guest is told, and keeps what has arrived', async (t) => {
  const h = await host(t, { 'a.txt': 'kept' });
  const page = await guest(t, h);
  await page.getByRole('button', { name: 'Receive a.txt', exact: true }).click();
  await page.getByRole('button', { name: 'Save a.txt', exact: true }).waitFor();
  await h.page.locator('.drop-title').getByRole('button', { name: 'Close connection' }).click();
  await h.page.getByRole('dialog', { name: 'Close this connection?' }).getByRole('button', { name: 'Close connection' }).click();
  await h.page.getByRole('heading', { level: 1, name: 'The connection is closed' }).waitFor();
  await page.getByRole('heading', { level: 1, name: 'The connection was closed' }).waitFor();
  const { bytes } = await saved(page, () => page.getByRole('button', { name: 'Save a.txt', exact: true }).click());
  assert.equal(bytes.toString(), 'kept');
  await page.getByRole('link', { name: 'To “Send & receive”' }).click();
  await page.locator('.drop-choices').waitFor();
  // The name is gone.
  await page.goto('/d/' + h.name);
  await page.getByRole('heading', { level: 1, name: `There is no connection called “${h.name}”` }).waitFor();
  await h.page.getByRole('button', { name: 'Open a new connection' }).click();
  assert.notEqual((await shared(h.page)).name, h.name);
});

test('the host reloads: name, code and guests stay, and the same files are offered again', async (t) => {
  const page = await open(t, site, clipboard);
  // The picker of this browser gives no handles, as in most browsers.
  await page.addInitScript(() => delete globalThis.showOpenFilePicker);
  await page.goto('/send');
  const dir = tree(t, { 'a.txt': 'after the reload', 'b.txt': 'another' });
  const at = new Date(1_700_000_000_000); // whole seconds, to be set again
  fs.utimesSync(path.join(dir, 'a.txt'), at, at);
  const choose = async (button, file) => {
    const chooser = await follows(page, 'filechooser', () => page.getByRole('button', { name: button, exact: true }).click());
    await chooser.setFiles(path.join(dir, file));
  };
  await choose('Choose files', 'a.txt');
  const told = await shared(page);
  await line(page, 'a.txt').waitFor();
  const bob = await guest(t, told);
  await bob.getByRole('button', { name: 'Receive a.txt', exact: true }).waitFor();
  await page.reload();
  assert.deepEqual(await shared(page), told);
  await page.getByRole('heading', { level: 1, name: 'Connected with 1 device' }).waitFor();
  await line(page, 'a.txt').getByText('the browser no longer has it').waitFor();
  // A file of the same name and length is not the one that others were told of.
  fs.writeFileSync(path.join(dir, 'a.txt'), 'before a reload!');
  await choose('Choose', 'a.txt');
  await page.getByText('That is not the same as “a.txt”.').waitFor();
  await choose('Choose', 'b.txt');
  await line(page, 'a.txt').getByText('the browser no longer has it').waitFor();
  fs.writeFileSync(path.join(dir, 'a.txt'), 'after the reload');
  fs.utimesSync(path.join(dir, 'a.txt'), at, at);
  await choose('Choose', 'a.txt');
  await page.getByRole('button', { name: 'Stop offering a.txt' }).waitFor();
  await bob.getByRole('button', { name: 'Receive a.txt', exact: true }).click();
  await bob.getByText('Verified: complete and unchanged').waitFor();
});

test('rename and a longer life', async (t) => {
  const h = await host(t, { 'a.txt': 'a' });
  const page = await guest(t, h);
  const menu = async (name) => {
    await h.page.getByRole('button', { name: 'More for this connection' }).click();
    await h.page.getByRole('menuitem', { name }).click();
  };
  await menu('Rename');
  const dialog = h.page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('x');
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await dialog.getByText('A name is small letters').waitFor();
  const next = 'our-own-' + Date.now();
  await dialog.getByLabel('Name').fill(next);
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await h.page.locator('.drop-name', { hasText: next }).waitFor();
  await page.waitForURL('**/d/' + next);
  await menu('Keep open longer');
  await dialog.getByLabel('From now on').selectOption({ label: '7 days' });
  await dialog.getByRole('button', { name: 'Keep open longer' }).click();
  await h.page.getByRole('status').getByText(/^Open until .*\d{4}/).waitFor();
  // Its code lets another device in under the new name.
  await guest(t, { name: next, code: h.code });
  await h.page.getByRole('heading', { level: 1, name: 'Connected with 2 devices' }).waitFor();
});

test('what does not fit says so: a name that is none, a damaged link, a dead drop', async (t) => {
  const page = await open(t, site);
  await page.goto('/send');
  await page.getByLabel('Name or link').fill('!!');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('A name is small letters').waitFor();
  await page.goto('/d/no-such-name');
  await page.getByRole('heading', { level: 1, name: 'There is no connection called “no-such-name”' }).waitFor();
  const h = await host(t, { 'a.txt': 'a' });
  await page.goto('about:blank');
  await page.goto(`/d/${h.name}#v1.tooshort`);
  await page.getByRole('alert').getByText('This link does not fit.').waitFor();
  assert.equal(new URL(page.url()).hash, '');
  await page.goto('about:blank');
  await page.goto(`/d/${h.name}#v1.${'A'.repeat(22)}`);
  await page.getByRole('alert').getByText('This link does not fit.').waitFor();
  await enter(page, h.code);
  await page.getByRole('heading', { level: 1, name: 'Connected' }).waitFor();
});

test('no place, too many tries, and a host that is gone: what happened, and the button that helps', async (t) => {
  const h = await host(t, { 'a.txt': 'a' }, { at: tight });
  const bob = await guest(t, h, { at: tight });
  await bob.getByRole('button', { name: 'Receive a.txt', exact: true }).click();
  await bob.getByRole('button', { name: 'Save a.txt', exact: true }).waitFor();
  const page = await open(t, tight);
  await page.goto('/d/' + h.name);
  await enter(page, h.code);
  await page.getByRole('heading', { level: 1, name: 'No more devices fit in' }).waitFor();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByLabel('Six-digit code').waitFor();
  await h.page.close();
  await bob.getByRole('heading', { level: 1, name: 'The sender is gone' }).waitFor();
  await bob.getByRole('button', { name: 'Save a.txt', exact: true }).waitFor();
  await bob.getByRole('button', { name: 'Try again' }).click();
  await bob.getByRole('heading', { level: 1, name: /^There is no connection called/ }).waitFor();

  const again = await host(t, { 'a.txt': 'a' }, { at: tight });
  await page.goto('/d/' + again.name);
  for (let i = 1; i <= 3; i++) {
    await enter(page, String((Number(again.code) + i) % 1_000_000).padStart(6, '0'));
    await page.getByText('That code is not right.').or(page.getByText('this code no longer works')).waitFor();
    await enter(page, '');
    await page.getByRole('button', { name: 'Connect' }).click({ trial: true });
  }
  await again.page.getByText('This code was entered wrongly three times').waitFor();
  await enter(page, again.code);
  await page.getByText(/^Too many tries\. You can try again in \d+ minutes\.$/).waitFor();
  await page.getByRole('button', { name: /^Wait \d+ minutes$/ }).waitFor();
});

test('the whole way by keyboard', async (t) => {
  const sender = await open(t, site);
  await sender.addInitScript(() => delete globalThis.showOpenFilePicker);
  await sender.goto('/send');
  await sender.locator('.drop-choices').waitFor();
  await tabTo(sender, 'Choose files');
  const dir = tree(t, { 'keys.txt': 'by keyboard' });
  const chooser = await follows(sender, 'filechooser', () => sender.keyboard.press('Enter'));
  await chooser.setFiles(path.join(dir, 'keys.txt'));
  const { name, code } = await shared(sender);
  await focusComes(sender, 'Ready to send');
  const page = await open(t, site);
  await page.goto('/send');
  await page.locator('.drop-choices').waitFor();
  await tabTo(page, 'Name or link');
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await focusComes(page, 'Six-digit code');
  await page.keyboard.type(code);
  await focusComes(page, 'Connected');
  await tabTo(page, 'Receive keys.txt');
  await page.keyboard.press('Enter');
  await focusComes(page, 'Save keys.txt', 'the focus stays at the row');
  const { bytes } = await saved(page, () => page.keyboard.press('Enter'));
  assert.equal(bytes.toString(), 'by keyboard');
  await tabTo(page, 'How this is safe');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'How this is safe' }).waitFor();
  await page.keyboard.press('Escape');
  await focusComes(page, 'How this is safe');
});

test('people who are signed in have it as a place; it goes on while they move', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await page.getByRole('link', { name: 'Send & receive' }).click();
  await page.getByRole('button', { name: 'Show a code here' }).click();
  const told = await shared(page);
  await page.getByRole('heading', { level: 1, name: 'Ready to receive' }).waitFor();
  await page.getByRole('link', { name: 'Files', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  const bob = await guest(t, told, phone);
  await page.getByRole('link', { name: 'Send & receive' }).click();
  await page.getByRole('heading', { level: 1, name: 'Connected with 1 device' }).waitFor();
  // Bob's page stands alone, and its buttons are big enough for a thumb.
  assert.equal(await bob.getByRole('navigation').count(), 0);
  for (const button of await bob.locator('main button.button, main .icon-button').all()) {
    const { width, height } = await button.boundingBox();
    assert.ok(width >= 44 && height >= 44, `${await button.textContent()}: ${width} × ${height}`);
  }
});

test('leaving the page while bytes flow asks, and the title shows how far they are', async (t) => {
  const dir = tree(t, { 'note.txt': 'a note' });
  const big = path.join(dir, 'big.bin');
  fs.writeFileSync(big, '');
  fs.truncateSync(big, 400_000_000);
  const page = await open(t, site);
  await page.goto('/send');
  await page.locator('.drop-choices').waitFor();
  await drop(page, [big, path.join(dir, 'note.txt')]);
  const bob = await guest(t, await shared(page));
  await bob.getByRole('button', { name: 'Receive note.txt', exact: true }).click();
  await line(bob, 'note.txt').getByText('Verified').waitFor();
  await bob.getByRole('button', { name: 'Receive big.bin', exact: true }).click();
  await bob.waitForFunction(() => /^[1-9]\d? ?% · Receive files/.test(document.title));
  await page.waitForFunction(() => /^\d+ ?% · Send & receive/.test(document.title));
  await bob.locator('.drop-pace').getByText(/\d+% · .* of 400 MB/).waitFor();
  const [question] = await Promise.all([bob.waitForEvent('dialog'), bob.reload({ timeout: 2000 }).catch(() => undefined)]);
  assert.equal(question.type(), 'beforeunload');
  await question.dismiss();
  // The list stands still under a press that lasts until the other file is there.
  const save = await bob.getByRole('button', { name: 'Save note.txt', exact: true }).boundingBox();
  await bob.mouse.move(save.x + save.width / 2, save.y + save.height / 2);
  await bob.mouse.down();
  await line(page, 'big.bin').getByText('Verified').waitFor({ timeout: 300_000 });
  await bob.waitForTimeout(300); // so long a page may take to draw what it knows
  const { bytes } = await saved(bob, () => bob.mouse.up());
  assert.equal(bytes.toString(), 'a note');
  await line(bob, 'big.bin').getByText('Verified').waitFor();
  assert.equal(await bob.title(), 'Receive files – Coffer');
});

test('in German, on a phone', async (t) => {
  const h = await host(t, { 'brief.txt': 'Hallo' }, { ...clipboard });
  const page = await open(t, site, { ...phone, locale: 'de-DE' });
  await page.goto('/');
  await page.getByText('Jemand schickt Ihnen Dateien?').waitFor();
  await page.getByLabel('Name oder Link').fill(h.name);
  await page.getByRole('button', { name: 'Weiter' }).click();
  await page.getByLabel('Sechsstelliger Code').fill(h.code);
  await page.getByRole('heading', { level: 1, name: 'Verbunden' }).waitFor();
  await page.getByRole('button', { name: 'brief.txt empfangen' }).click();
  await page.getByText('Geprüft: vollständig und unverändert').waitFor();
  await page.getByRole('button', { name: 'Warum das sicher ist' }).click();
  await page.getByRole('dialog').getByText('Die Kommandozeile hat diese Schwäche nicht').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Verlassen' }).click();
  await page.getByRole('dialog', { name: 'Diese Verbindung verlassen?' }).getByRole('button', { name: 'Verlassen' }).click();
  await page.getByRole('heading', { level: 1, name: 'Senden & empfangen' }).waitFor();
  await page.getByText('Sie haben die Verbindung verlassen.').waitFor();
  await h.page.getByText('Nobody else yet.').waitFor();
});
