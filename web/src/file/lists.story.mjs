// Lists: very long ones, all of a folder, sorting, the place in the list, crumbs, dragging, downloads.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, drop, follows, member, names, namesCome, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const where = (page) => page.getByRole('navigation', { name: 'Where you are' });

// fill brings files into the top folder of somebody new; names may lead through folders.
async function fill(t, page, files, count) {
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, files);
  const tops = [...new Set(Object.keys(files).map((f) => f.split('/')[0]))];
  await drop(page, tops.map((f) => path.join(dir, f)));
  await page.getByRole('heading', { name: count === 1 ? '1 file uploaded' : `${count} files uploaded` }).waitFor();
  await page.getByRole('button', { name: 'Close the list of uploads' }).click();
  await row(page, tops[0]).waitFor();
  return who;
}

// toEnd scrolls down until the row is drawn that stands at the end.
async function toEnd(page, name) {
  for (const until = Date.now() + 30_000; (await row(page, name).count()) === 0 && Date.now() < until;) {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForTimeout(50);
  }
  await row(page, name).waitFor();
}

const many = (n, folder = 'many/') => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${folder}n${String(i).padStart(3, '0')}.txt`, 'x'.repeat(i + 1)]));

test('all of a folder is selected, not what is loaded alone, and works: move, delete', async (t) => {
  const page = await open(t, site);
  const who = await fill(t, page, { ...many(230), 'Else/keep.txt': 'k' }, 231);
  await row(page, 'many').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  const grid = page.getByRole('grid');
  assert.equal(await grid.getAttribute('aria-rowcount'), '-1');
  assert.ok((await names(page)).length < 100, 'rows out of sight are not drawn');
  const bar = page.getByRole('toolbar');

  // One is selected: the button says how many there are in all.
  await row(page, 'n003.txt').getByRole('checkbox').check();
  await bar.getByText('1 selected').waitFor();
  await bar.getByRole('button', { name: 'Select all 230' }).click();
  await bar.getByText('230 selected').waitFor();
  assert.ok(await page.getByRole('checkbox', { name: 'Select all 230' }).isChecked());

  // Escape lets go from anywhere: here from the heading, then from a link above the list.
  await page.getByRole('heading', { level: 1 }).focus();
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });
  await row(page, 'n001.txt').focus();
  await page.keyboard.press('Control+a');
  await bar.getByText('230 selected').waitFor();
  await where(page).getByRole('link', { name: 'Files' }).focus();
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });

  // A change from elsewhere, and the reading that follows it, lose neither the count nor the selection.
  const act = await as(site.server, who);
  const folder = new URL(page.url()).pathname.split('/').pop();
  await act('/files/folders', { name: 'added', parent: folder });
  await page.getByRole('checkbox', { name: 'Select all 231' }).check();
  await bar.getByText('231 selected').waitFor();
  const reads = [];
  page.on('request', (r) => /\/v1\/files\?/.test(r.url()) && reads.push(r.url()));
  await act('/files/folders', { name: 'another', parent: folder });
  await page.getByRole('checkbox', { name: 'Select all 232' }).waitFor();
  await bar.getByText('231 selected').waitFor();
  await bar.getByRole('button', { name: 'Select all 232' }).waitFor();
  assert.ok(reads.length >= 2, 'the list was read again to its end');
  await row(page, 'added').getByRole('checkbox').uncheck();
  for (const name of ['added', 'another']) {
    await row(page, name).getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await row(page, name).waitFor({ state: 'detached' });
  }

  // A dialog that is open takes Escape for itself.
  await bar.getByText('230 selected').waitFor();
  await bar.getByRole('button', { name: 'Move' }).click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await bar.getByText('230 selected').waitFor();

  await bar.getByRole('button', { name: 'Move' }).click();
  await page.getByRole('dialog').getByRole('radio', { name: 'Else' }).check();
  await page.getByRole('dialog').getByRole('button', { name: 'Move here' }).click();
  await page.getByRole('dialog').getByText(/^\d+ of 230$/).waitFor();
  await page.getByText('230 items moved to Else.').waitFor({ timeout: 60_000 });
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();

  await where(page).getByRole('link', { name: 'Files' }).click();
  await row(page, 'Else').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  await row(page, 'n000.txt').focus();
  await page.keyboard.press('Control+a');
  await bar.getByText('231 selected').waitFor();
  // Nothing is asked, for it can be undone.
  await page.keyboard.press('Delete');
  await page.getByText('231 items moved to the trash.').waitFor({ timeout: 60_000 });
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('231 items restored.').waitFor({ timeout: 60_000 });
  await row(page, 'keep.txt').waitFor();
});

test('work on many tells what went wrong, and stops when it is told to', async (t) => {
  const page = await open(t, site);
  await fill(t, page, many(12, ''), 12);
  const bar = page.getByRole('toolbar');
  let calls = 0;
  await page.route(/\/v1\/files\/[^/?]+$/, async (route) => {
    if (route.request().method() !== 'DELETE') return route.continue();
    if (++calls === 2) return route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ status: 500, code: 'internal_error' }) });
    if (calls === 4) return route.abort();
    await route.continue();
  });
  await page.getByRole('checkbox', { name: 'Select all 12' }).check();
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByText(/^2 of 12 went through\. Something went wrong on the server/).waitFor();
  // What is left stays selected, and can be tried again.
  await bar.getByText('10 selected').waitFor();
  assert.equal((await names(page)).length, 10);
  await page.unroute(/\/v1\/files\/[^/?]+$/);
  let hold;
  const held = new Promise((resolve) => { hold = resolve; });
  await page.route(/\/v1\/files\/[^/?]+$/, async (route) => {
    if (route.request().method() === 'DELETE') await held;
    await route.continue();
  });
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByText('0 of 10').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
  hold();
  await page.getByText('Stopped after 1 of 10.').waitFor();
  await bar.getByText('9 selected').waitFor();
});

test('a folder that cannot be read to its end says so, and selects nothing unseen', async (t) => {
  const page = await open(t, site);
  await fill(t, page, many(230), 230);
  await row(page, 'many').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  await page.route(/\/v1\/files\?.*cursor=/, (route) => route.abort());
  await page.getByRole('checkbox', { name: 'Select all' }).click();
  await page.getByText('The server cannot be reached.').first().waitFor();
  await page.getByRole('toolbar').getByText('100 selected').waitFor();
  await page.unroute(/\/v1\/files\?.*cursor=/);
  await page.getByRole('toolbar').getByRole('button', { name: /^Select all/ }).click();
  await page.getByRole('toolbar').getByText('230 selected').waitFor();
});

for (const [name, options] of [['a desk', {}], ['a phone', phone]]) {
  test(`sorting and the place in the list survive Back and a reload on ${name}`, async (t) => {
    const page = await open(t, site, options);
    await fill(t, page, { ...many(160), 'many/sub/x.txt': 'x' }, 161);
    await row(page, 'many').getByRole('link').click();
    await row(page, 'sub').waitFor();
    const sorting = page.getByLabel('Sorting');
    if (options.isMobile) {
      assert.deepEqual(await sorting.locator('option').allTextContents(), ['Name, A to Z', 'Name, Z to A', 'Newest first', 'Oldest first', 'Largest first', 'Smallest first']);
      assert.ok((await sorting.boundingBox()).height >= 44);
      await sorting.selectOption('Smallest first');
      await page.waitForFunction(() => document.querySelector('tbody bdi')?.textContent === 'sub');
      await sorting.selectOption('Largest first');
    } else {
      assert.ok(await sorting.isHidden());
      await page.getByRole('columnheader', { name: 'Size' }).getByRole('button').click();
      await page.waitForFunction(() => document.querySelector('tbody bdi')?.textContent === 'sub');
      await page.getByRole('columnheader', { name: 'Size' }).getByRole('button').click();
    }
    await page.waitForFunction(() => document.querySelector('tbody bdi')?.textContent === 'n159.txt');

    // Down to the second page, and into the folder at the end.
    await toEnd(page, 'sub');
    await row(page, 'sub').scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
    const at = await page.evaluate(() => scrollY);
    assert.ok(at > 2000, 'it is a long way down');
    await row(page, 'sub').getByRole('link').click();
    await row(page, 'x.txt').waitFor();
    assert.ok((await page.evaluate(() => scrollY)) < 200, 'a new page begins at its top');
    await page.goBack();
    await row(page, 'sub').waitFor();
    const near = (y) => page.waitForFunction((y) => Math.abs(scrollY - y) < 4, y);
    await near(at);
    assert.equal(await row(page, 'sub').getAttribute('aria-rowindex'), '162', 'the smallest stands last');
    // The focus is where the person was.
    await page.waitForFunction(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent === 'sub');

    await page.waitForTimeout(300);
    await page.reload();
    await row(page, 'sub').waitFor();
    await near(at);
    assert.equal(await row(page, 'sub').getAttribute('aria-rowindex'), '162');
    if (options.isMobile) assert.equal(await sorting.inputValue(), '-size');
    else assert.equal(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending');
  });
}

test('on a phone the way up is the parent, and a menu with the rest', async (t) => {
  const page = await open(t, site, phone);
  await fill(t, page, { 'One/Two/Three with a name that is far too long for a phone.d/x.txt': 'x' }, 1);
  for (const name of ['One', 'Two', 'Three with a name that is far too long for a phone.d']) {
    await row(page, name).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }
  await row(page, 'x.txt').waitFor();
  await check(page, 'a deep folder on a phone');
  const up = page.getByRole('banner').locator('a.top-up');
  assert.equal(await where(page).getByRole('link').count(), 0, 'the path is no row of links');
  assert.equal((await up.textContent()).trim(), 'Two');
  assert.ok((await up.boundingBox()).height >= 44);
  await where(page).getByRole('button', { name: 'All folders above' }).click();
  assert.deepEqual(await page.getByRole('menuitem').allTextContents().then((all) => all.map((s) => s.trim())), ['One', 'Files']);
  await page.getByRole('menuitem', { name: 'One' }).click();
  await page.getByRole('heading', { level: 1, name: 'One' }).waitFor();
  await row(page, 'Two').waitFor();
  await up.click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('what a finger presses in the list is 44 pixels high', async (t) => {
  const page = await open(t, site, phone);
  await fill(t, page, { 'a.txt': 'a', 'Folder/b.txt': 'b' }, 2);
  await row(page, 'a.txt').getByRole('checkbox').check();
  await page.getByRole('toolbar').waitFor();
  const small = await page.evaluate(() => {
    const hit = (e) => {
      // The pseudo-element of a name and the label of a box are part of what is pressed.
      const box = (e.matches('input') ? e.closest('label') : e.matches('.name-cell *') ? e.closest('td') : e).getBoundingClientRect();
      return [Math.round(box.width), Math.round(box.height)];
    };
    return [...document.querySelectorAll('.files a, .files button, .files input:not(.hidden), .files select')].filter((e) => e.checkVisibility()).map((e) => [e.getAttribute('aria-label') || e.textContent, ...hit(e)]).filter(([, w, h]) => w < 44 || h < 44);
  });
  assert.deepEqual(small, []);
  // Beside the name counts as the name.
  const cell = await row(page, 'Folder').locator('.col-name').boundingBox();
  await page.touchscreen.tap(cell.x + cell.width - 8, cell.y + cell.height - 6);
  await page.getByRole('heading', { level: 1, name: 'Folder' }).waitFor();
});

test('a row dragged onto a folder or a crumb moves there, alone or with the selection', async (t) => {
  const page = await open(t, site);
  await fill(t, page, { 'Deep/Inner/x.txt': 'x', 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' }, 4);
  await row(page, 'a.txt').dragTo(row(page, 'Deep'));
  await page.getByText('Moved to Deep.').waitFor();
  await row(page, 'a.txt').waitFor({ state: 'detached' });
  assert.equal(await page.locator('[data-over], .ghost').count(), 0);

  await row(page, 'b.txt').getByRole('checkbox').check();
  await row(page, 'c.txt').getByRole('checkbox').check();
  await row(page, 'c.txt').dragTo(row(page, 'Deep'));
  await page.getByText('2 items moved to Deep.').waitFor();
  await row(page, 'b.txt').waitFor({ state: 'detached' });

  // On itself and on a file nothing happens.
  await row(page, 'Deep').dragTo(row(page, 'Deep'));
  await row(page, 'Deep').getByRole('link').click();
  await row(page, 'a.txt').waitFor();
  await row(page, 'a.txt').dragTo(row(page, 'b.txt'));
  await namesCome(page, ['Inner', 'a.txt', 'b.txt', 'c.txt']);

  await row(page, 'Inner').getByRole('link').click();
  await row(page, 'x.txt').waitFor();
  await row(page, 'x.txt').dragTo(where(page).getByRole('link', { name: 'Files' }));
  await page.getByText('Moved to Files.').waitFor();
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();

  // A name that is taken there is told.
  const dir = tree(t, { 'a.txt': '2' });
  await drop(page, [path.join(dir, 'a.txt')]);
  await row(page, 'a.txt').dragTo(where(page).getByRole('link', { name: 'Deep' }));
  await page.getByText('A name was taken there; it is called “a (1).txt” now.').waitFor();
});

// inZip lists the names of a zip's central directory, which only a whole zip has.
function inZip(zip) {
  const names = [];
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 46)) names.push(zip.toString('utf8', at + 46, at + 46 + zip.readUInt16LE(at + 28)));
  assert.ok(zip.includes('PK\x05\x06'), 'the zip has its end');
  return names.sort();
}

test('a folder, and a selection, come as one zip: in the list of transfers, whole or not at all', async (t) => {
  const page = await open(t, site);
  await page.addInitScript(() => delete globalThis.showSaveFilePicker);
  await fill(t, page, { 'Folder/sub/x.txt': 'x', 'a.txt': 'a', 'b.txt': 'b' }, 3);
  const bar = page.getByRole('toolbar');
  const panel = page.getByRole('region', { name: 'Downloads' });
  const zip = async (press) => {
    const download = await follows(page, 'download', press);
    return [download.suggestedFilename(), inZip(fs.readFileSync(await download.path()))];
  };
  await row(page, 'Folder').getByRole('checkbox').check();
  assert.deepEqual(await zip(() => bar.getByRole('button', { name: 'Download' }).click()), ['Folder.zip', ['Folder/', 'Folder/sub/', 'Folder/sub/x.txt']]);
  await panel.getByText('Folder.zip').waitFor();
  await row(page, 'a.txt').getByRole('checkbox').check();
  assert.deepEqual(await zip(() => bar.getByRole('button', { name: 'Download' }).click()), ['Coffer.zip', ['Folder/', 'Folder/sub/', 'Folder/sub/x.txt', 'a.txt']]);
  await panel.getByText('2 items as a zip').waitFor();
  await check(page, 'downloads of zips');

  // One that breaks saves nothing, and goes straight to the disk where the browser can do that.
  await page.evaluate(() => {
    globalThis.showSaveFilePicker = async ({ suggestedName }) => (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
  });
  await page.route('**/v1/files/archive', (route) => route.abort());
  await bar.getByRole('button', { name: 'Download' }).click();
  await panel.getByText('The server cannot be reached.').waitFor();
  const saved = () => page.evaluate(async () => Array.fromAsync((await navigator.storage.getDirectory()).keys()));
  assert.deepEqual(await saved(), []);
  await page.unroute('**/v1/files/archive');
  await panel.getByRole('button', { name: 'Try 2 items as a zip again' }).click();
  // The browser writes beside the file, and puts it in its place at the end.
  await page.waitForFunction(async () => {
    const all = await Array.fromAsync((await navigator.storage.getDirectory()).values());
    return all.length === 1 && all[0].name === 'Coffer.zip' && (await all[0].getFile()).size > 100;
  });
});

// A folder of 100,000 files that the test answers for: the server's own is measured elsewhere.
async function vast(page, count) {
  const digits = (n) => String(n).padStart(6, '0');
  const entry = (n) => ({ id: 'v' + digits(n), kind: n % 1000 === 500 ? 'folder' : 'file', name: `n${digits(n)}${n % 1000 === 500 ? '' : '.txt'}`, parent: null, size: n, media_type: 'text/plain', modified_at: '2026-01-02T03:04:05Z', created_at: '2026-01-02T03:04:05Z' });
  await page.route(/\/v1\/files\?/, (route) => {
    const asked = new URL(route.request().url()).searchParams;
    if (route.request().method() !== 'GET') return route.continue();
    if (asked.get('parent')) return route.fulfill({ json: { items: [] } });
    const from = Number(asked.get('cursor') ?? 0);
    const end = Math.min(count, from ? from + 2500 : 100); // larger pages than asked for: the test waits less
    return route.fulfill({ json: { items: Array.from({ length: end - from }, (_, i) => entry(from + i)), ...(end < count && { next_cursor: String(end) }) } });
  });
  await page.route(/\/v1\/files\/v\d+$/, (route) => route.fulfill({ json: entry(Number(route.request().url().slice(-6))) })); // to read it, and to move it
}

test('a list of 100,000 draws the rows in view, counts and selects all, and keeps focus and place', async (t) => {
  const page = await open(t, site);
  await vast(page, 100_000);
  await signIn(page, await member(site.server));
  const grid = page.getByRole('grid');
  const bar = page.getByRole('toolbar');
  const rows = () => page.locator('tbody tr[data-at]').count();
  const at = () => page.evaluate(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent);
  await row(page, 'n000003.txt').waitFor();
  assert.ok((await rows()) < 80);

  // End reads what is missing, and leads to the last row; another key on the way stays where it leads.
  let hold;
  await page.route('**/v1/files?**', async (route) => {
    await hold;
    return route.fallback();
  });
  let go;
  hold = new Promise((resolve) => { go = resolve; });
  await row(page, 'n000003.txt').focus();
  await page.keyboard.press('End');
  await page.getByText(/Going to the end: [\d,]+ so far/).waitFor();
  await page.keyboard.press('Home');
  await page.getByText(/Going to the end/).waitFor({ state: 'detached' });
  assert.equal(await at(), 'n000000.txt');
  go();
  await page.keyboard.press('End');
  await page.waitForFunction(() => document.activeElement.closest('tr')?.dataset.at === '99999', undefined, { timeout: 180_000 });
  await row(page, 'n099999.txt').waitFor();
  assert.equal(await grid.getAttribute('aria-rowcount'), '100001');
  await page.goto('about:blank');
  await page.goto('/files'); // a visit that has read nothing yet
  await row(page, 'n000003.txt').waitFor();

  // What comes in below the rows does not scroll the page away from them: the browser's anchor is a row.
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.more')).overflowAnchor), 'none');

  // Scrolling reads on, and draws what comes.
  // to scrolls to a row, as far as the list was read.
  const to = async (n, name = `n${String(n).padStart(6, '0')}.txt`) => {
    for (const until = Date.now() + 30_000; (await row(page, name).count()) === 0 && Date.now() < until;) {
      await page.evaluate((n) => {
        const first = document.querySelector('tbody tr[data-at]');
        scrollTo(0, document.querySelector('tbody').getBoundingClientRect().top + scrollY + (n - 5) * first.getBoundingClientRect().height);
      }, n);
      await page.waitForTimeout(50);
    }
    await row(page, name).waitFor();
  };
  await to(330);
  assert.ok((await rows()) < 80);

  await page.evaluate(() => scrollTo(0, 0));
  await row(page, 'n000003.txt').focus();
  await page.keyboard.press('Control+a');
  await bar.getByText('100,000 selected').waitFor();
  assert.equal(await grid.getAttribute('aria-rowcount'), '100001');
  await page.getByRole('checkbox', { name: 'Select all 100,000' }).waitFor();
  await page.keyboard.press('Escape');
  await bar.waitFor({ state: 'detached' });

  // The focus stays where it was while the list is scrolled away from it, and keys go on from there.
  assert.equal(await at(), 'n000003.txt');
  await to(60_004);
  assert.equal(await row(page, 'n060004.txt').getAttribute('aria-rowindex'), '60006');
  assert.equal(await at(), 'n000003.txt');
  assert.ok((await rows()) < 80);
  await check(page, 'the middle of a long list');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => scrollY < 1000 && document.activeElement.closest('tr')?.dataset.at === '4');

  // Shift and End select to the end; the last row has the focus.
  await page.keyboard.press('Shift+End');
  await bar.getByText('99,996 selected').waitFor();
  await page.waitForFunction(() => document.activeElement.closest('tr')?.dataset.at === '99999');
  await row(page, 'n099999.txt').waitFor();
  await page.keyboard.press('Escape');

  // A row far down is dragged along with its list, and Back leads to it.
  await to(70_500, 'n070500');
  const folder = row(page, 'n070500');
  await row(page, 'n070498.txt').dragTo(folder);
  await page.getByText('Moved to n070500.').waitFor();
  await folder.waitFor();
  await page.waitForTimeout(300);
  const was = await page.evaluate(() => scrollY);
  await folder.getByRole('link').click();
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  await page.goBack();
  await folder.waitFor();
  await page.waitForFunction((y) => Math.abs(scrollY - y) < 4, was);
  await page.waitForFunction(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent === 'n070500');
});
