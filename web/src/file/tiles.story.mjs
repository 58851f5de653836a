// The grid of files: the same selection, keys, menus and drag and drop as the list; the browser
// remembers it; a long one draws what is near.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, focusComes, member, open, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const tile = (page, name) => page.locator('.tile').filter({ has: page.locator('bdi', { hasText: new RegExp('^' + name + '$') }) });
const shown = (page) => page.locator('.tile bdi').allTextContents();
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

// fill signs a person in, uploads files and chooses the grid.
async function fill(t, page, files, count = Object.keys(files).length) {
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, files);
  await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
  await page.getByRole('heading', { name: count === 1 ? '1 file uploaded' : `${count} files uploaded` }).waitFor();
  await page.getByRole('button', { name: 'Close the list of uploads' }).click();
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await page.locator('.tile').first().waitFor();
  return who;
}

const at = (page) => page.evaluate(() => document.activeElement.closest('.tile')?.querySelector('bdi').textContent);

test('the grid has the keys, the selection and the menus of the list, and is remembered', async (t) => {
  const page = await open(t, site, { viewport: { width: 1280, height: 800 } });
  const letters = 'abcdefghijkl';
  await fill(t, page, { 'Deep/x.txt': 'x', ...Object.fromEntries([...letters].map((l) => [`${l}.txt`, l])) });
  const grid = page.getByRole('grid', { name: 'Contents of Files' });
  const columns = Number(await grid.getAttribute('aria-colcount'));
  assert.ok(columns >= 4);
  assert.deepEqual(await shown(page), ['Deep', ...[...letters].map((l) => `${l}.txt`)]);
  await check(page, 'the grid');
  await shot(page, 'grid at a desk');

  // Arrows go along a line and between lines; Home and End lead to the ends.
  await tile(page, 'Deep').focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await at(page), 'a.txt');
  await page.keyboard.press('ArrowDown');
  assert.equal(await at(page), `${letters[columns]}.txt`);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await at(page), 'Deep');
  await page.keyboard.press('End');
  assert.equal(await at(page), 'l.txt');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');

  // Space, Shift, Ctrl and the pointer select.
  const bar = page.getByRole('toolbar');
  await page.keyboard.press('Space');
  await bar.getByText('1 selected').waitFor();
  await page.keyboard.press('Shift+ArrowDown');
  await bar.getByText(`${columns + 1} selected`).waitFor();
  assert.equal(await page.locator('.tile[aria-selected="true"]').count(), columns + 1);
  await page.keyboard.press('Control+a');
  await bar.getByText('13 selected').waitFor();
  await page.getByRole('checkbox', { name: 'Select all 13' }).uncheck();
  await bar.waitFor({ state: 'detached' });
  await tile(page, 'b.txt').click({ position: { x: 80, y: 40 } });
  await tile(page, 'd.txt').click({ position: { x: 80, y: 40 }, modifiers: ['Shift'] });
  await bar.getByText('3 selected').waitFor();
  await check(page, 'the grid, selected');
  await shot(page, 'grid at a desk, selected');
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });

  // A double click opens, F2 renames, Delete moves to the trash, the menu offers the rest.
  await tile(page, 'a.txt').dblclick({ position: { x: 80, y: 40 } });
  await page.getByRole('dialog', { name: 'a.txt' }).waitFor();
  await page.keyboard.press('Escape');
  await focusComes(page, await tile(page, 'a.txt').evaluate((e) => e.textContent.trim()));
  await page.keyboard.press('F2');
  await page.getByLabel('Name', { exact: true }).fill('a new name.txt');
  await page.keyboard.press('Enter');
  await tile(page, 'a new name.txt').waitFor();
  await tile(page, 'l.txt').focus();
  await page.keyboard.press('Delete');
  await tile(page, 'l.txt').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Actions for k.txt' }).click();
  await page.getByRole('menuitem', { name: 'Download' }).waitFor();
  await page.keyboard.press('Escape');

  await tile(page, 'k.txt').focus();
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });

  // A tile is dragged onto a folder, and the selection with it.
  await tile(page, 'b.txt').hover();
  await tile(page, 'b.txt').getByRole('checkbox').check();
  await tile(page, 'c.txt').hover();
  await tile(page, 'c.txt').getByRole('checkbox').check();
  await tile(page, 'c.txt').dragTo(tile(page, 'Deep'));
  await page.getByText('2 items moved to Deep.').waitFor();
  await tile(page, 'b.txt').waitFor({ state: 'detached' });

  // The grid stays over a reload, in other folders and in a search; the sorting is beside it.
  await page.getByLabel('Sorting').selectOption('-name');
  await page.waitForFunction(() => {
    const names = [...document.querySelectorAll('.tile bdi')].map((e) => e.textContent);
    return names.includes('d.txt') && names.indexOf('k.txt') < names.indexOf('d.txt');
  });
  await page.reload();
  await tile(page, 'Deep').getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Deep' }).waitFor();
  await tile(page, 'b.txt').waitFor();
  await page.goto('/search?q=b');
  await tile(page, 'b.txt').getByRole('link', { name: 'b.txt is in Files / Deep' }).waitFor();
  await check(page, 'hits in the grid');
  await page.getByRole('button', { name: 'List', exact: true }).click();
  await page.locator('tbody tr').first().waitFor();
  assert.equal(await page.locator('.tile').count(), 0);
});

test('on a phone, in the dark and in German, a tap opens and each target is big enough', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark' });
  await fill(t, page, { 'Folder/x.txt': 'x', 'a.txt': 'a', ['long '.repeat(30) + '.pdf']: 'y' }, 3);
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
  await tile(page, 'a.txt').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Raster', exact: true }).getAttribute('aria-pressed'), 'true');
  await check(page, 'the grid on a phone');
  await shot(page, 'grid on a phone');
  const small = await page.evaluate(() => [...document.querySelectorAll('.tile button, .tile label, .tiles-head label, .tiles-head select')].filter((e) => !e.matches('.link')).map((e) => e.getBoundingClientRect()).filter((b) => b.width < 44 || b.height < 44).length);
  assert.equal(small, 0);
  await tile(page, 'a.txt').getByRole('checkbox').check();
  await page.getByRole('toolbar').getByText('1 ausgewählt').waitFor();
  const face = await tile(page, 'Folder').boundingBox();
  await page.touchscreen.tap(face.x + face.width / 2, face.y + face.height / 2);
  await page.getByRole('heading', { level: 1, name: 'Folder' }).waitFor();
});

// pictures draws some in the browser, each in another colour.
const pictures = (page, count) => page.evaluate(async (count) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 600, height: 400 });
  const draw = canvas.getContext('2d');
  const all = [];
  for (let i = 0; i < count; i++) {
    draw.fillStyle = `hsl(${i * 60} 70% 50%)`;
    draw.fillRect(0, 0, 600, 400);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg'));
    all.push([...new Uint8Array(await blob.arrayBuffer())]);
  }
  return all;
}, count);

test('pictures show themselves as soon as the server has their thumbnails, and are asked for once', async (t) => {
  const page = await open(t, site);
  const asked = [];
  page.on('request', (r) => r.url().endsWith('/thumbnail') && asked.push(r.url()));
  await page.goto('/');
  const all = await pictures(page, 4);
  await fill(t, page, { ...Object.fromEntries(all.map((bytes, i) => [`p${i}.jpg`, Buffer.from(bytes)])), 'no picture.jpg': 'text', 'note.txt': 'x' });
  const face = (name) => tile(page, name).locator('.tile-face img');
  for (let i = 0; i < 4; i++) await face(`p${i}.jpg`).waitFor();
  // They are what the server made: its size, its colours, and no address outside of the page.
  assert.deepEqual(await face('p1.jpg').evaluate(async (img) => {
    await img.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
    const draw = canvas.getContext('2d');
    draw.drawImage(img, 0, 0, 1, 1);
    const [r, g, b] = draw.getImageData(0, 0, 1, 1).data;
    return [img.naturalWidth, img.naturalHeight, r > 180 && g > 180 && b < 80, img.src.startsWith('blob:')];
  }), [512, 341, true, true]);
  assert.equal(await face('no picture.jpg').count(), 0);
  assert.equal(await face('note.txt').count(), 0);
  await check(page, 'pictures in the grid');
  await shot(page, 'grid with pictures');
  assert.equal(asked.length, 4);

  // The list and back, and a copy elsewhere: the same bytes are not asked for again.
  await page.getByRole('button', { name: 'List', exact: true }).click();
  await page.locator('tbody tr').first().waitFor();
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await face('p1.jpg').waitFor();
  await page.goto('about:blank');
  assert.equal(asked.length, 4);
});

// vast answers a folder of `count` files.
async function vast(page, count, change = (e) => e) {
  const old = new Date(Date.now() - 86_400_000).toISOString();
  const entry = (n) => change({ id: 'v' + String(n).padStart(6, '0'), kind: 'file', name: `n${String(n).padStart(6, '0')}.jpg`, parent: null, size: n, sha256: String(n), media_type: 'image/jpeg', created_at: old, modified_at: old });
  await page.route('**/v1/files?**', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const end = Math.min(count, from + Number(query.get('limit')));
    return route.fulfill({ json: { items: Array.from({ length: end - from }, (_, i) => entry(from + i)), ...(end < count && { next_cursor: String(end) }) } });
  });
}

test('a grid of 100,000 draws the tiles in view, keeps focus and place, and changes with the list at the same entry', async (t) => {
  const page = await open(t, site, { reducedMotion: 'reduce' });
  await page.goto('/');
  const [bytes] = await pictures(page, 1);
  const asked = new Set();
  await vast(page, 100_000, (e) => ({ ...e, thumbnail: true }));
  await page.route('**/thumbnail', (route) => {
    asked.add(Number(/v(\d+)\/thumbnail$/.exec(route.request().url())[1]));
    return route.fulfill({ body: Buffer.from(bytes), contentType: 'image/jpeg' });
  });
  await signIn(page, await member(site.server));
  await page.getByRole('button', { name: 'Grid', exact: true }).click();
  await tile(page, 'n000003.jpg').waitFor();
  const drawn = () => page.locator('.tile').count();
  assert.ok((await drawn()) < 120, `${await drawn()} tiles are drawn`);

  // Only what is seen is asked for, and what was not seen for long is not.
  await page.locator('.tile-face img').first().waitFor();
  const near = await page.evaluate(() => [...document.querySelectorAll('.tile')].filter((e) => e.getBoundingClientRect().top < innerHeight + 200).length);
  await page.waitForFunction((n) => document.querySelectorAll('.tile-face img').length === n, near);
  assert.equal(asked.size, near);
  assert.ok(near < (await drawn()), `${near} of ${await drawn()} are near`);

  // End reads to the end, and the last tile has the focus.
  await tile(page, 'n000003.jpg').focus();
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement.closest('.tile')?.dataset.at === '99999', undefined, { timeout: 180_000 });
  await tile(page, 'n099999.jpg').waitFor();
  assert.ok((await drawn()) < 120);
  await check(page, 'the end of a long grid');
  const columns = Number(await page.getByRole('grid').getAttribute('aria-colcount'));
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction((to) => document.activeElement.closest('.tile')?.dataset.at === String(to), 99_999 - columns);

  await tile(page, 'n099999.jpg').locator('img').waitFor();
  assert.ok(asked.size < 10 * near, `${asked.size} thumbnails were asked for`);

  // The list shows what stood at the upper edge of the grid.
  const first = () => page.evaluate(() => Number([...document.querySelectorAll('[data-at]')].find((e) => e.getBoundingClientRect().bottom > document.querySelector('.top').getBoundingClientRect().bottom + 8).dataset.at));
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight / 2));
  await page.waitForFunction(() => [...document.querySelectorAll('.tile')].some((e) => e.dataset.at > 40_000 && e.dataset.at < 60_000));
  const before = await first();
  await page.evaluate(() => document.querySelector('.layout button').click());
  await page.waitForFunction((at) => document.querySelector(`tr[data-at="${at}"]`), before);
  const after = await first();
  assert.ok(Math.abs(after - before) <= 2, `${after}, not ${before}`);
});
