// The panel of uploads: its order, its numbers, taken names, what goes on and what stops.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, member, mine, names, namesCome, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const panelOf = (page) => page.getByRole('region', { name: 'Uploads' });

// slow lets the page send so many bytes a second; 0 lets it send as it can.
async function slow(page, bytes) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes || -1 });
  return session;
}

test('a taken name asks before anything is sent: replace, keep both, skip, one or all', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c', 'd.txt': 'd', 'Album/x.txt': 'x' });
  const at = (...files) => files.map((f) => path.join(dir, f));
  const panel = panelOf(page);
  const dialog = page.getByRole('dialog');
  const sent = [];
  await page.route(/\/v1\/files(\?|$)/, (route) => {
    if (route.request().method() === 'POST') sent.push(route.request().postDataBuffer().toString('latin1').match(/filename="([^"]+)"/)[1]);
    return route.continue();
  });

  await drop(page, at('a.txt', 'b.txt', 'c.txt', 'Album'));
  await panel.getByRole('heading', { name: '4 files uploaded' }).waitFor();
  sent.length = 0;

  // d.txt is free and goes at once; a.txt waits for the answer.
  await drop(page, at('a.txt', 'd.txt'));
  await dialog.getByText('a.txt', { exact: true }).waitFor();
  await row(page, 'd.txt').waitFor();
  assert.deepEqual(sent, ['d.txt']);
  await panel.getByText('Waits for your answer').waitFor();
  await dialog.getByRole('button', { name: 'Replace' }).waitFor();
  assert.equal(await dialog.getByRole('checkbox').count(), 0, 'one name has no others');
  await dialog.getByRole('button', { name: 'Keep both' }).click();
  await row(page, 'a (1).txt').waitFor();
  await panel.getByRole('button', { name: /done$/ }).click();
  await panel.getByText('The name was taken: uploaded under this one').waitFor();
  await panel.getByText('a (1).txt', { exact: true }).waitFor();

  // Three at once, a folder among them: one by one, then for all that are left.
  sent.length = 0;
  await drop(page, at('a.txt', 'b.txt', 'c.txt', 'Album'));
  await dialog.getByText('a.txt', { exact: true }).waitFor();
  await dialog.getByRole('checkbox', { name: 'Do this for all 4' }).waitFor();
  await dialog.getByRole('button', { name: 'Skip' }).click();
  await dialog.getByText('b.txt', { exact: true }).waitFor();
  await dialog.getByRole('checkbox', { name: 'Do this for all 3' }).check();
  await dialog.getByRole('button', { name: 'Keep both' }).click();
  await dialog.waitFor({ state: 'detached' });
  await row(page, 'c (1).txt').waitFor();
  await row(page, 'Album (1)').waitFor();
  await page.getByText('That name was taken; the folder is called “Album (1)”.').waitFor();
  assert.deepEqual(sent.sort(), ['b.txt', 'c.txt', 'x.txt']);

  // Replaced, all at once; the folder among them cannot be and is asked about.
  const entries = await names(page);
  sent.length = 0;
  await drop(page, at('a.txt', 'Album', 'b.txt'));
  await dialog.getByText('a.txt', { exact: true }).waitFor();
  await dialog.getByRole('checkbox', { name: 'Do this for all 3' }).check();
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await dialog.getByText('Album', { exact: true }).waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Replace' }).count(), 0, 'a folder is not replaced');
  await dialog.getByRole('button', { name: 'Skip' }).click();
  await dialog.waitFor({ state: 'detached' });
  await panel.getByRole('heading', { name: /uploaded$/ }).waitFor();
  assert.deepEqual(sent.sort(), ['a.txt', 'b.txt']);
  await namesCome(page, entries);

  // Escape sends nothing, and says so.
  sent.length = 0;
  const before = await names(page);
  await drop(page, at('a.txt', 'Album'));
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('2 skipped.').waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.deepEqual(sent, []);
  await namesCome(page, before);
});

test('of two drops with one name the later one asks, and says that the first is on its way', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'a.txt': 'a' });
  let hold;
  const held = new Promise((resolve) => { hold = resolve; });
  await page.route(/\/v1\/files(\?|$)/, async (route) => {
    if (route.request().method() === 'POST') await held;
    await route.continue();
  });
  await drop(page, [path.join(dir, 'a.txt')]);
  await panelOf(page).getByText('a.txt').waitFor();
  await drop(page, [path.join(dir, 'a.txt')]);
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Being uploaded now').waitFor();
  await dialog.getByRole('button', { name: 'Keep both' }).click();
  hold();
  await row(page, 'a.txt').waitFor();
  await row(page, 'a (1).txt').waitFor();
  assert.equal(await dialog.count(), 0);
});

test('renaming to a taken name says what it became', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b' });
  await drop(page, [path.join(dir, 'a.txt'), path.join(dir, 'b.txt')]);
  await row(page, 'b.txt').waitFor();
  await row(page, 'b.txt').focus();
  await page.keyboard.press('F2');
  await page.getByRole('dialog').getByLabel('Name').fill('a.txt');
  await page.keyboard.press('Enter');
  await page.getByText('That name was taken; the file is called “a (1).txt”.').waitFor();
  await row(page, 'a (1).txt').waitFor();
});

test('failed first, then running with its numbers, then done, folded; all of it goes on elsewhere', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'bad.txt': 'b', 'good.txt': 'g', 'big.bin': Buffer.alloc(4_000_000, 1) });
  const panel = panelOf(page);
  let refused = 0;
  await page.route(/\/v1\/files(\?|$)/, (route) => {
    const body = route.request().method() === 'POST' ? (route.request().postDataBuffer()?.toString('latin1') ?? '') : '';
    if (body.includes('bad.txt') && refused++ < 1) return route.fulfill({ status: 413, contentType: 'application/problem+json', body: JSON.stringify({ status: 413, code: 'too_large' }) });
    return route.continue();
  });
  await drop(page, [path.join(dir, 'good.txt'), path.join(dir, 'bad.txt')]);
  await panel.getByText('This is larger than the server takes.').waitFor();
  await page.unroute(/\/v1\/files(\?|$)/); // a request that a test looks at is not throttled
  await slow(page, 250_000);
  await drop(page, [path.join(dir, 'big.bin')]);
  const running = panel.locator('.upload.sending');
  await running.getByText(/\d+% · .* of 4 MB · \d.* left$/).waitFor({ timeout: 60_000 });
  await panel.locator('.uploads-head').getByText(/^\d+% · \d+ kB\/s · \d.* left$/).waitFor();
  const order = await panel.locator('.uploads-title h3').allTextContents();
  assert.deepEqual(order.map((s) => s.trim()), ['Not uploaded', 'On the way', '1 done']);
  assert.equal(await panel.getByText('good.txt').count(), 0, 'what is done is folded');
  await check(page, 'the panel of uploads, busy');

  // Another page, and it goes on; leaving the app asks.
  await page.evaluate(() => { window.here = true; });
  await mine(page, 'Security');
  await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor();
  await running.waitFor();
  const percent = async () => Number(await running.locator('progress').getAttribute('value'));
  const then = await percent();
  await page.waitForFunction((n) => Number(document.querySelector('.upload.sending progress')?.value) > n, then);
  const asked = new Promise((resolve) => page.once('dialog', (d) => { resolve(d.type()); void d.dismiss(); }));
  await panel.getByRole('button', { name: /^Hide/ }).click(); // Chromium asks only where a person acted
  await page.close({ runBeforeUnload: true });
  assert.equal(await asked, 'beforeunload');
  await panel.getByRole('button', { name: /^Show/ }).click();
  await panel.getByRole('button', { name: 'Cancel big.bin' }).click();
  await panel.getByText('Cancelled').waitFor();

  // Both come back with one press, and each name stands once.
  await slow(page, 0);
  await panel.getByRole('button', { name: 'Try all again' }).click();
  await panel.getByRole('heading', { name: '3 files uploaded' }).waitFor();
  await panel.getByRole('button', { name: '3 done' }).click();
  assert.deepEqual((await panel.locator('.upload-name').allTextContents()).sort(), ['bad.txt', 'big.bin', 'good.txt']);
});

for (const [name, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`a server that is gone is told, and the panel covers nothing on ${name}`, async (t) => {
    const page = await open(t, site, options);
    await signIn(page, await member(site.server));
    const dir = tree(t, Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`n${10 + i}.txt`, 'x'])));
    const panel = panelOf(page);
    await drop(page, Array.from({ length: 12 }, (_, i) => path.join(dir, `n${10 + i}.txt`)));
    await row(page, 'n21.txt').waitFor();
    await page.context().setOffline(true);
    await drop(page, [path.join(dir, 'n22.txt'), path.join(dir, 'n23.txt')]);
    await panel.getByRole('heading', { name: '2 uploads failed' }).waitFor();
    if (options.isMobile) await panel.getByRole('button', { name: 'Show the list' }).tap();
    assert.equal(await panel.getByText('The server cannot be reached.').count(), 2);
    await check(page, 'failed uploads on ' + name);

    // The last row can be brought above the panel, and so can a message.
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const top = async () => (await panel.boundingBox()).y;
    const last = await row(page, 'n21.txt').boundingBox();
    assert.ok(last.y + last.height <= await top(), 'the last row is above the panel');
    await row(page, 'n21.txt').getByRole('checkbox').check();
    await page.getByRole('toolbar').getByRole('button', { name: 'Download' }).click();
    const toast = page.locator('.toast.bad');
    await toast.waitFor();
    const message = await toast.boundingBox();
    const box = await panel.boundingBox();
    assert.ok(message.y + message.height <= box.y || message.x + message.width <= box.x, 'a message stands clear of the panel');
    await page.setViewportSize({ width: options.isMobile ? 390 : 900, height: 700 });
    await page.waitForFunction(() => document.querySelector('.toast.bad').getBoundingClientRect().bottom <= document.querySelector('.uploads').getBoundingClientRect().top);
    await page.setViewportSize(options.viewport ?? { width: 1280, height: 800 });
    await page.context().setOffline(false);
    await panel.getByRole('button', { name: 'Try all again' }).click();
    await panel.getByRole('heading', { name: '14 files uploaded' }).waitFor();
    await row(page, 'n23.txt').waitFor();

    if (!options.isMobile) return;
    // Fingers: everything in the panel that is pressed is 44 pixels high and wide enough.
    for (const button of await panel.getByRole('button').all()) {
      const box = await button.boundingBox();
      assert.ok(box.height >= 44 && box.width >= 44, `${await button.textContent()} is ${box.width} by ${box.height}`);
    }
  });
}

for (const [name, options] of [['a desk in the dark', { colorScheme: 'dark' }], ['a phone in the light', { ...phone, colorScheme: 'light' }]]) {
  test(`the question and the panel in German on ${name}`, async (t) => {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    await signIn(page, await member(site.server));
    await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Dateien' }).waitFor();
    const long = 'Protokoll der ordentlichen Mitgliederversammlung des Vereins 2024.pdf';
    const dir = tree(t, { [long]: 'x', 'Fotos/a.jpg': 'y' });
    const both = [path.join(dir, long), path.join(dir, 'Fotos')];
    const panel = page.getByRole('region', { name: 'Hochladen' });
    await drop(page, both);
    await panel.getByRole('heading', { name: '2 Dateien hochgeladen' }).waitFor();
    await drop(page, both);
    const dialog = page.getByRole('dialog', { name: 'Der Name ist vergeben' });
    await dialog.getByText('Schon hier').waitFor();
    await dialog.getByText(long).waitFor();
    await check(page, 'the question on ' + name);
    await dialog.getByRole('button', { name: 'Überspringen' }).click();
    const next = page.getByRole('dialog', { name: 'Der Name eines Ordners ist vergeben' });
    await next.getByText('1 Datei darin').waitFor();
    await next.getByRole('button', { name: 'Beide behalten' }).click();
    await page.getByText('1 übersprungen.').waitFor();
    await row(page, 'Fotos (1)').waitFor();
    if (options.isMobile) await panel.getByRole('button', { name: 'Liste zeigen' }).click();
    await panel.getByRole('button', { name: /fertig$/ }).click();
    await panel.getByText('Fotos (1)/a.jpg').waitFor();
    await check(page, 'the panel on ' + name);
    await row(page, long).getByRole('checkbox').check();
    await check(page, 'the selection on ' + name);
    await page.getByRole('toolbar').getByRole('button', { name: 'Alle 3 auswählen' }).click();
    await page.getByRole('toolbar').getByText('3 ausgewählt').waitFor();
  });
}
