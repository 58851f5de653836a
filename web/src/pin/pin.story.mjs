// A person publishes on IPFS: encrypted for people with the link, or for everyone and for ever. The
// link is opened by people without an account, whose browser checks every block. A node of our own keeps
// the blocks.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, drop, focusComes, follows, member, open, row, signIn, stage, tabTo, tree } from '../../test/browser.mjs';
import { kubo } from '../../test/kubo.mjs';
import { unzipped } from '../../test/unzip.mjs';

const node = await kubo();
const site = stage(node.env);
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

// ask opens the dialog "Publish" of a row.
async function ask(page, name, actions = 'Actions for', publish = 'Publish') {
  await row(page, name).getByRole('button', { name: `${actions} ${name}` }).click();
  await page.getByRole('menuitem', { name: publish }).click();
  return page.getByRole('dialog', { name: publish, exact: true });
}

// until asks the server until it says so.
async function until(what) {
  for (let tries = 0; tries < 2400; tries++) {
    const got = await what();
    if (got) return got;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it never came: ' + what);
}

// publish pins an entry through the API, and waits until it is checked.
async function publish(act, name, body = {}) {
  const { items } = await act('/files', undefined, 'GET');
  const { id } = await act(`/files/${items.find((e) => e.name === name).id}/pins`, body);
  return until(async () => {
    const pin = await act('/pins/' + id, undefined, 'GET');
    return pin.state === 'verified' && pin;
  });
}

const held = (text) => [...node.blocks.values()].some((block) => block.includes(text));

async function saved(page, press) {
  const file = await follows(page, 'download', press);
  return { name: file.suggestedFilename(), path: await file.path() };
}

test('a file is published encrypted, checked, opened by its link, and removed', async (t) => {
  const page = await open(t, site, { permissions: ['clipboard-read', 'clipboard-write'] });
  await fill(t, page, { 'letter.txt': 'Dear Grace, this is for you alone' });

  // By keys alone: the menu, the form as it stands, the link.
  await row(page, 'letter.txt').getByRole('button', { name: 'Actions for letter.txt' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('p');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Publish', exact: true });
  await dialog.getByText('Coffer puts a copy of this file, as it is now, on IPFS.').waitFor();
  assert.ok(await dialog.getByRole('radio', { name: /^Encrypted/ }).isChecked());
  await check(page, 'the form that publishes');
  await shot(page, 'publish at a desk');
  await tabTo(page, 'Publish encrypted');
  await page.keyboard.press('Enter');
  await dialog.getByText('Published and checked').waitFor();
  await dialog.getByText(/IPFS node \(Kubo\) keeps it, checked on/).waitFor();
  await check(page, 'a pin');
  await shot(page, 'a pin at a desk');
  assert.ok(!held('Dear Grace') && !held('letter.txt'), 'the node sees neither content nor name');

  const cid = await dialog.getByLabel('Address (CID) of Encrypted').inputValue();
  assert.ok(node.pins.has(cid));
  await dialog.getByRole('button', { name: 'Copy link' }).click();
  await dialog.getByText('Copied').waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, new RegExp(`/p/${cid}#v1\\.[\\w-]{43}$`));
  await page.keyboard.press('Escape');

  // People with the link need no account.
  const guest = await open(t, site);
  await guest.goto(link);
  await guest.getByRole('heading', { level: 1, name: 'letter.txt' }).waitFor();
  await check(guest, 'an opened file');
  await shot(guest, 'an opened file at a desk');
  assert.match(await guest.title(), /^letter\.txt/);
  const file = await saved(guest, () => guest.getByRole('button', { name: 'Download', exact: true }).click());
  assert.deepEqual([file.name, fs.readFileSync(file.path, 'utf8')], ['letter.txt', 'Dear Grace, this is for you alone']);
  await guest.getByText(/^Checked and saved/).waitFor();
  await guest.getByRole('button', { name: 'Show', exact: true }).click();
  await guest.getByRole('dialog').getByText('Dear Grace, this is for you alone').waitFor();
  await guest.keyboard.press('Escape');

  // The place of all that is published.
  await page.getByRole('link', { name: 'Published' }).click();
  await page.getByRole('heading', { level: 1, name: 'Published' }).waitFor();
  await page.getByText('Published and checked').waitFor();
  await check(page, 'the page of pins');
  await shot(page, 'published at a desk');
  await page.getByRole('button', { name: 'Actions for letter.txt' }).click();
  await page.getByRole('menuitem', { name: 'Check again' }).click();
  await page.getByText('Coffer reads it back and checks it.').waitFor();
  await page.getByRole('button', { name: 'Actions for letter.txt' }).click();
  await page.getByRole('menuitem', { name: 'QR code' }).click();
  await page.getByRole('img', { name: 'QR code of the link to letter.txt' }).waitFor();
  await page.keyboard.press('Escape');

  // Its end.
  await page.getByRole('button', { name: 'Actions for letter.txt' }).click();
  await page.getByRole('menuitem', { name: 'Remove from IPFS' }).click();
  const question = page.getByRole('dialog', { name: 'Remove from IPFS?' });
  await question.getByText('Whoever has saved the content keeps it.').waitFor();
  await check(page, 'the question before a pin ends');
  await question.getByRole('button', { name: 'Remove from IPFS' }).click();
  await page.getByText('You have published nothing').waitFor();
  await focusComes(page, 'Published', 'the pin took what had the focus along');
  await check(page, 'nothing published');
  assert.ok(!node.pins.has(cid));
  const late = await open(t, site);
  await late.goto(link);
  await late.getByRole('heading', { name: 'This is no longer published here' }).waitFor();
  await check(late, 'a link that is gone');
});

test('public for ever needs a yes, and is read by everyone: on a phone, in the dark and in German', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark' });
  const act = await fill(t, page, { 'essay.txt': 'hello world' });
  const dialog = await ask(page, 'essay.txt');
  await dialog.getByRole('radio', { name: /^Public for ever/ }).check();
  await dialog.getByText('nobody can take it back').waitFor();
  await check(page, 'the question whether it is for ever, on a phone');
  await shot(page, 'public for ever on a phone');
  await dialog.getByRole('button', { name: 'Publish for everyone' }).click();
  await focusComes(page, 'I know that this is public for ever', 'the box is asked for');
  assert.equal((await act('/pins', undefined, 'GET')).items.length, 0);
  await page.keyboard.press('Space');
  await dialog.getByRole('button', { name: 'Publish for everyone' }).click();
  await dialog.getByText('Published and checked').waitFor();
  assert.equal(await dialog.getByLabel('Address (CID) of Public for ever').inputValue(), 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e', 'the address that all of IPFS has for it');
  assert.equal(await dialog.getByRole('button', { name: 'Copy link' }).count(), 0);
  assert.ok(held('hello world'));
  await check(page, 'a public pin on a phone in the dark');

  await german(page);
  const again = await ask(page, 'essay.txt', 'Aktionen für', 'Veröffentlichen');
  await again.getByText('Veröffentlicht und geprüft').waitFor();
  await check(page, 'a public pin in German');
  await again.getByRole('button', { name: 'Noch einmal veröffentlichen' }).click();
  const form = page.getByRole('dialog', { name: 'Noch einmal veröffentlichen' });
  await form.getByText('Coffer stellt eine Kopie dieser Datei, wie sie jetzt ist, auf IPFS.').waitFor();
  await form.getByRole('radio', { name: /^Für immer öffentlich/ }).check();
  await form.getByText('Niemand kann sie zurückholen.').waitFor();
  await form.getByRole('button', { name: 'Für alle veröffentlichen' }).waitFor();
  await check(page, 'the form that publishes, in German on a phone');
  await shot(page, 'public for ever on a phone in German');

  // It stays when the file goes.
  const [file] = (await act('/files', undefined, 'GET')).items;
  await act('/files/' + file.id, undefined, 'DELETE');
  await act('/trash/' + file.id, undefined, 'DELETE');
  await page.goto('/published');
  await page.getByText('Die Datei ist nicht mehr unter Ihren Dateien. Die veröffentlichte Kopie bleibt, bis Sie sie entfernen.').waitFor();
});

const long = 'The complete and unabridged correspondence of two mathematicians about engines.txt';
const holiday = { 'Holiday/a.txt': 'first', [`Holiday/${long}`]: 'second', 'Holiday/deep/large.bin': Buffer.from(Array.from({ length: 2_500_000 }, (_, i) => (i * 31) >> 3)), 'Holiday/deep/deeper/c.txt': 'third' };

test('a folder is opened on a phone: its folders, one file, all as a zip', async (t) => {
  const page = await open(t, site);
  const act = await fill(t, page, holiday);
  const pin = await publish(act, 'Holiday');
  const guest = await open(t, site, phone);
  await guest.goto(pin.link);
  await guest.getByRole('heading', { level: 1, name: 'Holiday' }).waitFor();
  await guest.getByText(/^4 files/).waitFor();
  await check(guest, 'an opened folder on a phone');
  await shot(guest, 'an opened folder on a phone');
  const zip = await saved(guest, () => guest.getByRole('button', { name: 'Download all' }).click());
  assert.equal(zip.name, 'Holiday.zip');
  const read = unzipped(zip.path);
  for (const [name, content] of Object.entries(holiday)) assert.ok(read[name].equals(Buffer.from(content)), name);

  await guest.getByRole('link', { name: 'Open deep' }).click();
  await guest.getByRole('heading', { level: 1, name: 'deep' }).waitFor();
  assert.match(guest.url(), /#v1\./, 'a reload finds the key');
  await guest.reload();
  await guest.getByRole('link', { name: 'Open deeper' }).click();
  await guest.getByRole('heading', { level: 1, name: 'deeper' }).waitFor();
  await guest.getByText('1 file · 5 bytes in all').waitFor();
  await guest.getByRole('button', { name: 'Show c.txt' }).click();
  await guest.getByRole('dialog').getByText('third').waitFor();
  await guest.keyboard.press('Escape');
  await guest.goBack();
  await guest.getByRole('heading', { level: 1, name: 'deep' }).waitFor();
  const file = await saved(guest, () => guest.getByRole('button', { name: 'Download large.bin' }).click());
  assert.ok(fs.readFileSync(file.path).equals(holiday['Holiday/deep/large.bin']));
  await german(guest);
  await guest.getByText('Verschlüsselt veröffentlicht. Dieser Browser prüft und entschlüsselt es.').waitFor();
  await check(guest, 'an opened folder in German');
});

test('damage, a wrong key and half a link are told, and nothing that is wrong is shown or saved', async (t) => {
  const page = await open(t, site);
  const act = await fill(t, page, holiday);
  const { link, cid } = await publish(act, 'Holiday');
  const guest = await open(t, site);
  let damages = () => false;
  await guest.route('**/ipfs/**', async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    if (response.ok() && damages(route.request().url(), body)) body[body.length >> 1] ^= 1;
    await route.fulfill({ response, body });
  });

  // One part of the large file is damaged on its way: all else opens.
  damages = (url, body) => body.length === 1 << 20;
  await guest.goto(link);
  await guest.getByRole('link', { name: 'Open deep' }).click();
  await guest.getByRole('button', { name: 'Download large.bin' }).click();
  await guest.getByText('“deep/large.bin” is damaged').waitFor();
  await check(guest, 'a damaged file');
  await shot(guest, 'a damaged file at a desk');
  damages = () => false;
  const file = await saved(guest, () => guest.getByRole('button', { name: 'Try large.bin again' }).click());
  assert.ok(fs.readFileSync(file.path).equals(holiday['Holiday/deep/large.bin']));

  damages = (url) => url.includes(cid);
  await guest.goto('about:blank');
  await guest.goto(link);
  await guest.getByRole('heading', { name: 'This is damaged' }).waitFor();
  await check(guest, 'a damaged pin');
  damages = () => false;
  await guest.getByRole('button', { name: 'Try again' }).click();
  await guest.getByRole('heading', { level: 1, name: 'Holiday' }).waitFor();

  const key = link.split('#v1.')[1];
  for (const [to, title] of [
    [link.replace(key, key.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))), 'This link does not fit'], [link.split('#')[0], 'This link is not complete'], [link.slice(0, -3), 'This link is not complete'],
    [link.replace('/p/', '/p/x'), 'This link is not complete'],
  ]) {
    await guest.goto('about:blank');
    await guest.goto(to);
    await guest.getByRole('heading', { name: title }).waitFor();
    await check(guest, title);
  }
});

test('a provider that does not answer is waited for, and one that names another address has failed', async (t) => {
  const page = await open(t, site, { ...phone });
  const who = await member(site.server);
  const act = await as(site.server, who);
  await act('/files/folders', { name: 'Empty', parent: '' });
  await signIn(page, who);
  await page.goto('/published');
  await page.getByText('You have published nothing').waitFor();
  node.down = true;
  t.after(() => Object.assign(node, { down: false, lies: false }));
  const { items: [folder] } = await act('/files', undefined, 'GET');
  const { id } = await act(`/files/${folder.id}/pins`, {});
  await page.getByText(/The provider cannot be reached\. Next try:/).waitFor();
  await check(page, 'a pin that waits, on a phone');
  await shot(page, 'a pin that waits on a phone');
  node.down = false;
  await act('/pins/' + id, undefined, 'DELETE');
  await page.getByText('You have published nothing').waitFor();
  node.lies = true;

  await act(`/files/${folder.id}/pins`, {});
  await page.getByText('The provider named another address for it than Coffer computed.').waitFor();
  await page.getByText('Failed', { exact: true }).waitFor();
  await check(page, 'a pin that failed, on a phone');
  node.lies = false;
  await page.getByRole('button', { name: 'Actions for Empty' }).click();
  await page.getByRole('menuitem', { name: 'Try again' }).click();
  await page.getByText('Published and checked').waitFor();
  node.down = true;
  await page.getByRole('button', { name: 'Actions for Empty' }).click();
  await page.getByRole('menuitem', { name: 'Check again' }).click();
  await page.getByText(/keeps it, checked on .*\. The provider cannot be reached\. Next try:/).waitFor();
  await german(page);
  await page.getByText('Veröffentlicht und geprüft').waitFor();
  await check(page, 'the page of pins in German, on a phone');
  await shot(page, 'published on a phone in German');
});
