// Large files: paused, cut off, left behind by a reload, and gone on with. What is replaced stays
// as a version, and all of it counts as storage.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { line } from '../../test/drop-end.mjs';
import { as, drop, follows, member, namesCome, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage({ COFFER_QUOTA: '60000000' });
const bare = stage({ COFFER_VERSIONS: '0' });
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const panelOf = (page, name = 'Uploads') => page.getByRole('region', { name });

async function seen(page, what) {
  await check(page, what);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `${what}.png`) });
}

// network lets the page send so many bytes a second; 0 lets it send as it can.
async function network(page) {
  const session = await page.context().newCDPSession(page);
  return (bytes) => session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes || -1 });
}

// saved answers what the browser saves when `press` is done.
async function saved(page, press) {
  const download = await follows(page, 'download', press);
  return fs.readFileSync(await download.path());
}

async function choose(page, file) {
  const chooser = await follows(page, 'filechooser', () => panelOf(page).getByRole('button', { name: 'Choose the file' }).click());
  await chooser.setFiles(file);
}

test('a large file is paused, cut off, left by a reload, and goes on with the same file alone', async (t) => {
  const way = await line(t, site);
  const page = await open(t, way.site);
  const who = await member(site.server);
  await signIn(page, who);
  const film = crypto.randomBytes(16_000_000);
  const dir = tree(t, { 'film.bin': film, 'other/film.bin': crypto.randomBytes(16_000_000) });
  fs.utimesSync(path.join(dir, 'other/film.bin'), 1, 1);
  const file = path.join(dir, 'film.bin');
  const panel = panelOf(page);
  const running = panel.locator('.upload.sending');
  const offsets = [];
  page.on('request', (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])));
  page.on('dialog', (dialog) => dialog.accept()); // the page asks before it is left

  const rate = await network(page);
  await rate(1_500_000);
  await drop(page, [file]);
  await running.getByText(/^\d+% · .* of 16 MB · .*\/s · .* left$/).waitFor({ timeout: 60_000 });
  // Another tab does not take what this one is sending for left behind.
  const tab = await page.context().newPage();
  await tab.goto('/files');
  await tab.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  await tab.waitForTimeout(500);
  assert.equal(await panelOf(tab).count(), 0);
  await tab.close();

  await panel.getByRole('button', { name: 'Pause film.bin' }).click();
  await panel.getByRole('heading', { name: '1 upload paused' }).waitFor();
  await panel.getByText(/^Paused · [1-9]\d*% · .* of 16 MB$/).waitFor();
  await page.getByRole('button', { name: '1 transfer waits for you' }).waitFor();
  await seen(page, 'an upload that is paused');
  await panel.getByRole('button', { name: 'Go on with film.bin' }).press('Enter');
  await running.waitFor();
  await page.waitForFunction(() => document.querySelector('.upload.sending progress')?.value > 0);

  await page.waitForTimeout(500);
  way.cut();
  await panel.getByText('The connection is lost. The upload goes on by itself.').waitFor();
  await seen(page, 'an upload without a connection');
  way.up = true;
  await running.getByText(/^\d+% · /).waitFor();
  while (offsets.length < 3) await page.waitForTimeout(50);
  assert.equal(offsets[0], 0);
  assert.ok(offsets[1] > 0 && offsets[2] >= offsets[1], `each time from where it ended: ${offsets}`);

  await page.waitForTimeout(500);
  await page.reload();
  await panel.getByRole('heading', { name: '1 unfinished upload' }).waitFor();
  await panel.getByText(/^[1-9]\d*% · .* of 16 MB$/).waitFor();
  await seen(page, 'an upload that was left');
  const second = await page.context().newPage();
  await second.goto('/files');
  await panelOf(second).getByRole('heading', { name: '1 unfinished upload' }).waitFor();
  await page.bringToFront();
  await rate(300_000);
  await choose(page, path.join(dir, 'other/film.bin'));
  await page.getByText('“film.bin” is not the same file: its name, size or time is another.').waitFor();
  offsets.length = 0;
  await choose(page, file);
  await running.waitFor();
  // Of two tabs that offer it, one has it; the other says so.
  await second.bringToFront();
  await choose(second, file);
  await second.getByText('This upload goes on elsewhere, in another window or on another device.').waitFor();
  assert.equal(await panelOf(second).count(), 0);
  await second.close();
  await rate(0);
  await panel.getByRole('heading', { name: '1 file uploaded' }).waitFor({ timeout: 60_000 });
  assert.ok(offsets.length === 1 && offsets[0] > 0, `what the server had was not sent again: ${offsets}`);
  await row(page, 'film.bin').waitFor();
  assert.deepEqual(await saved(page, async () => {
    await page.getByRole('button', { name: 'Actions for film.bin' }).click();
    await page.getByRole('menuitem', { name: 'Download' }).click();
  }), film);
  const call = await as(site.server, who);
  assert.deepEqual((await call('/uploads', undefined, 'GET')).items, []);

  // Cancelled: nothing of it stays on the server.
  await rate(1_500_000);
  await drop(page, [path.join(dir, 'other')]);
  await page.waitForFunction(() => document.querySelector('.upload.sending progress')?.value > 0);
  await panel.getByRole('button', { name: 'Cancel other/film.bin' }).click();
  await panel.getByText('Cancelled').waitFor();
  for (let tries = 0; (await call('/uploads', undefined, 'GET')).items.length > 0; tries++) {
    assert.ok(tries < 50, 'the server still has it');
    await page.waitForTimeout(100);
  }
});

test('a file that changed since it was chosen, a name that is refused, and an undo that comes too late', async (t) => {
  const page = await open(t, site);
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, { 'film.bin': crypto.randomBytes(8_000_000), 'constructor': 'x', 'a\u202Eb.txt': 'x' });
  const file = path.join(dir, 'film.bin');
  const panel = panelOf(page);
  const call = await as(site.server, who);
  const rate = await network(page);
  await rate(1_500_000);
  await drop(page, [file]);
  await page.waitForFunction(() => document.querySelector('.upload.sending progress')?.value > 0);
  await panel.getByRole('button', { name: 'Pause film.bin' }).click();
  await panel.getByRole('heading', { name: '1 upload paused' }).waitFor();
  const film = crypto.randomBytes(8_000_000);
  fs.writeFileSync(file, film);
  await rate(0);
  await panel.getByRole('button', { name: 'Go on with film.bin' }).click();
  await panel.getByText('The file was changed, moved or deleted on your device. Choose it again.').waitFor();
  await seen(page, 'a file that changed since it was chosen');
  await drop(page, [file]);
  await panel.getByRole('heading', { name: '1 file uploaded' }).waitFor({ timeout: 60_000 });
  const [there] = (await call('/files', undefined, 'GET')).items;
  assert.equal(there.sha256, crypto.createHash('sha256').update(film).digest('hex'), 'nothing of the old file is in the new one');
  assert.deepEqual((await call('/uploads', undefined, 'GET')).items, [], 'the server keeps nothing of the old file');

  await drop(page, [path.join(dir, 'constructor'), path.join(dir, 'a\u202Eb.txt')]);
  await panel.getByText('Remove characters from the name that turn the direction of writing.').waitFor();
  await row(page, 'constructor').locator('.kind-file path[d]').waitFor({ state: 'attached' });

  await row(page, 'constructor').press('Delete');
  await page.getByText('“constructor”').waitFor();
  await call('/trash', undefined, 'DELETE');
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('This is no longer in the trash. It was restored or deleted for good.').waitFor();

  await page.goto('/search?q=' + 'endless'.repeat(28));
  await page.getByText('Nothing found').waitFor();
  await check(page, 'a search of one long word');
});

test('a replaced file keeps its old content; versions are saved, restored and deleted; all of it counts', async (t) => {
  const page = await open(t, site);
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, { 'note.txt': 'one', ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`Many/n${10 + i}.txt`, `${i}`])), 'huge.bin': Buffer.alloc(70_000_000) });
  const note = path.join(dir, 'note.txt');
  const panel = panelOf(page);
  const dialog = page.getByRole('dialog', { name: 'Versions' });
  let posts = 0;
  page.on('request', (request) => { if (request.method() === 'POST' && /\/v1\/files(\?|$)/.test(request.url())) posts++; });

  // Many small files share requests.
  await drop(page, [path.join(dir, 'Many'), note]);
  await panel.getByRole('heading', { name: '41 files uploaded' }).waitFor();
  assert.ok(posts <= 4, `${posts} requests`);
  fs.writeFileSync(note, 'two, longer');
  await drop(page, [note]);
  await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
  await row(page, 'note.txt').locator('.col-size', { hasText: '11 bytes' }).waitFor();
  await namesCome(page, ['Many', 'note.txt']);

  await row(page, 'note.txt').getByRole('button', { name: 'Actions for note.txt' }).press('Enter');
  await page.getByRole('menuitem', { name: 'Versions' }).press('Enter');
  await dialog.getByText('Current version').waitFor();
  await dialog.getByText(/^3 bytes/).waitFor();
  await seen(page, 'the versions of a file');
  const act = async (name) => {
    await dialog.getByRole('button', { name: /^Actions for the version/ }).click();
    await page.getByRole('menuitem', { name }).click();
  };
  assert.equal(String(await saved(page, () => act('Download'))), 'one');
  await act('Restore');
  await dialog.getByText(/^11 bytes · replaced/).waitFor();
  await act('Delete for good');
  const sure = page.getByRole('dialog', { name: 'Delete this version for good?' });
  await sure.getByRole('button', { name: 'Delete for good' }).click();
  await dialog.getByText('There are no earlier versions.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await row(page, 'note.txt').locator('.col-size', { hasText: '3 bytes' }).waitFor();

  // A file without room says so, and leads to what takes it up.
  fs.writeFileSync(note, 'three');
  await drop(page, [note]);
  await page.getByRole('dialog').getByRole('button', { name: 'Replace' }).click();
  await row(page, 'note.txt').locator('.col-size', { hasText: '5 bytes' }).waitFor();
  await drop(page, [path.join(dir, 'huge.bin')]);
  await panel.getByText('There is no room left for this in your storage.').waitFor();
  await panel.getByRole('link', { name: 'See what takes up room' }).click();
  await page.getByRole('heading', { level: 1, name: 'Storage' }).waitFor();
  await page.getByRole('heading', { name: /of 60 MB used/ }).waitFor();
  await page.getByText('1 earlier version. You find it in the menu of its file.').waitFor();
  await page.getByRole('link', { name: /^n\d\d.txt, show in Many$/ }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Many' }).waitFor();
});

for (const [name, options] of [['a desk in the dark', { colorScheme: 'dark' }], ['a phone in the light', { ...phone, colorScheme: 'light' }]]) {
  test(`the storage in German on ${name}, with an upload that another device began`, async (t) => {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const who = await member(site.server);
    await signIn(page, who);
    await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
    const long = 'Protokoll der ordentlichen Mitgliederversammlung des Vereins im Jahr 2024.pdf';
    const dir = tree(t, { [long]: crypto.randomBytes(3_000_000) });
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();
    await drop(page, [path.join(dir, long)]);
    await row(page, long).waitFor();
    await begin(site.server, who, 'Film von anderswo mit einem langen Namen.mp4', 50_000_000);
    await page.reload();
    await row(page, long).waitFor();
    assert.equal(await panelOf(page, 'Hochladen').count(), 0, 'what another device began is not for this browser');
    if (options.isMobile) {
      await page.getByRole('button', { name: 'Mehr', exact: true }).tap();
      await page.getByRole('dialog').getByText('Speicher', { exact: true }).tap();
    } else {
      await page.getByRole('link', { name: /^Speicher/ }).click();
    }
    await page.getByRole('heading', { level: 1, name: 'Speicher' }).waitFor();
    await page.getByRole('heading', { name: /53 MB von 60 MB belegt/ }).waitFor();
    await page.getByText('1 Datei. Ihr Platz wird freigehalten.').waitFor();
    await seen(page, `the storage on ${name}`);
    if (options.isMobile) assert.deepEqual(await page.locator('main a').evaluateAll((all) => all.filter((a) => a.getBoundingClientRect().height < 44).map((a) => a.textContent)), [], 'a finger needs 44 pixels');
    await page.getByRole('button', { name: /^Film von anderswo.* verwerfen$/ }).click();
    await seen(page, `the question before an upload is discarded on ${name}`);
    await page.getByRole('dialog').getByRole('button', { name: 'Verwerfen' }).click();
    await page.getByRole('heading', { name: /^3 MB von 60 MB belegt/ }).waitFor();
    assert.equal(await page.getByText('Film von anderswo').count(), 0);
  });
}

// begin creates an upload by the protocol, as another program does.
async function begin(server, who, name, size) {
  const base = server.url + '/v1';
  const opened = await (await fetch(base + '/auth/sign-in', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ identifier: who.username, password: who.password }) })).json();
  const response = await fetch(base + '/uploads', { method: 'POST', headers: {
    Authorization: 'Bearer ' + opened.access_token, 'Tus-Resumable': '1.0.0', 'Upload-Length': String(size), 'Upload-Metadata': 'filename ' + Buffer.from(name).toString('base64'),
  } });
  assert.equal(response.status, 201, await response.text());
}

test('a server that keeps no versions: the question before a replacement says that the old one is gone', async (t) => {
  for (const german of [false, true]) {
    const page = await open(t, bare);
    const who = await member(bare.server);
    await signIn(page, who);
    if (german) {
      await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
      await page.reload();
    }
    await page.getByRole('heading', { name: german ? 'Noch ist nichts hier' : 'Nothing here yet' }).waitFor(); // it takes drops now
    const dir = tree(t, { 'a.txt': 'old' });
    await drop(page, [path.join(dir, 'a.txt')]);
    await row(page, 'a.txt').waitFor();
    fs.writeFileSync(path.join(dir, 'a.txt'), 'new and longer');
    await drop(page, [path.join(dir, 'a.txt')]);
    const dialog = page.getByRole('dialog');
    await dialog.getByText(german ? 'Das alte ist dann endgültig weg' : 'The old one is gone for good').waitFor();
    await seen(page, `the question without versions${german ? ', in German' : ''}`);
    await dialog.getByRole('button', { name: german ? 'Ersetzen' : 'Replace' }).click();
    await dialog.waitFor({ state: 'detached' });
    await row(page, 'a.txt').locator('.col-size', { hasText: '14' }).waitFor();
    await row(page, 'a.txt').getByRole('button', { name: german ? 'Aktionen für a.txt' : 'Actions for a.txt' }).click();
    await page.getByRole('menuitem', { name: german ? 'Versionen' : 'Versions' }).click();
    await dialog.getByText(german ? 'Dieser Server hebt keine auf' : 'This server keeps none').waitFor();
  }
});

test('the meter follows what comes and goes, and an older answer changes nothing', async (t) => {
  const page = await open(t, site);
  const who = await member(site.server);
  await signIn(page, who);
  const meter = page.getByRole('navigation').getByRole('link', { name: /Storage/ });
  await meter.getByText('0 bytes of 60 MB used').waitFor();
  // The first answer after this is held until a later one has come.
  let late;
  let later;
  const first = new Promise((resolve) => { later = resolve; });
  await page.route('**/v1/files/usage', async (route) => {
    if (late) return route.continue();
    const response = (late = await route.fetch());
    await first;
    return route.fulfill({ response });
  });
  const dir = tree(t, { 'a.bin': Buffer.alloc(1_000_000), 'b.bin': Buffer.alloc(2_000_000) });
  await drop(page, [path.join(dir, 'a.bin')]);
  await row(page, 'a.bin').waitFor();
  while (!late) await page.waitForTimeout(20);
  await drop(page, [path.join(dir, 'b.bin')]);
  await meter.getByText('3 MB of 60 MB used').waitFor();
  const [came] = await Promise.all([page.waitForEvent('requestfinished', (r) => r.url().endsWith('/files/usage')), later()]);
  await came.response();
  await page.waitForTimeout(100);
  assert.equal(await meter.getByText('3 MB of 60 MB used').count(), 1);

  // A file that is deleted for good counts no more.
  await row(page, 'b.bin').focus();
  await page.keyboard.press('Delete');
  await row(page, 'b.bin').waitFor({ state: 'detached' });
  await (await as(site.server, who))('/trash', undefined, 'DELETE');
  await meter.getByText('1 MB of 60 MB used').waitFor();
});
