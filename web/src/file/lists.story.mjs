// Lists: all of a folder, sorting, the place in the list, crumbs, dragging, downloads.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { drop, member, names, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const where = (page) => page.getByRole('navigation', { name: 'Where you are' });

// fill brings files into the top folder of somebody new; names may lead through folders.
async function fill(t, page, files, count) {
  await signIn(page, await member(site.server));
  const dir = tree(t, files);
  const tops = [...new Set(Object.keys(files).map((f) => f.split('/')[0]))];
  await drop(page, tops.map((f) => path.join(dir, f)));
  await page.getByRole('heading', { name: count === 1 ? '1 file uploaded' : `${count} files uploaded` }).waitFor();
  await page.getByRole('button', { name: 'Close the list of uploads' }).click();
  await row(page, tops[0]).waitFor();
}

const many = (n, folder = 'many/') => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${folder}n${String(i).padStart(3, '0')}.txt`, 'x'.repeat(i + 1)]));

test('all of a folder is selected, not what is loaded alone, and works: move, delete', async (t) => {
  const page = await open(t, site);
  await fill(t, page, { ...many(230), 'Else/keep.txt': 'k' }, 231);
  await row(page, 'many').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  assert.equal((await names(page)).length, 100);
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

  // A dialog that is open takes Escape for itself.
  await page.getByRole('checkbox', { name: 'Select all 230' }).check();
  await bar.getByText('230 selected').waitFor();
  await bar.getByRole('button', { name: 'Delete' }).click();
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
  await page.keyboard.press('Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('231 items deleted.').waitFor({ timeout: 60_000 });
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
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
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
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
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByText('0 of 10').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
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
    const first = () => page.locator('tbody bdi').first().textContent();
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
    await page.getByRole('button', { name: 'Show more' }).scrollIntoViewIfNeeded();
    await row(page, 'sub').waitFor();
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
    assert.equal(await first(), 'n159.txt');
    assert.equal(await page.evaluate(() => document.activeElement.closest('tr')?.querySelector('bdi').textContent), 'sub', 'the focus is where the person was');

    await page.waitForTimeout(300);
    await page.reload();
    await row(page, 'sub').waitFor();
    await near(at);
    assert.equal(await first(), 'n159.txt');
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
  assert.deepEqual(await names(page), ['Inner', 'a.txt', 'b.txt', 'c.txt']);

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

test('a download of several things says what it leaves out and brings the files one by one', async (t) => {
  const page = await open(t, site);
  await fill(t, page, { 'Folder/x.txt': 'x', 'a.txt': 'a', 'b.txt': 'b' }, 3);
  const bar = page.getByRole('toolbar');
  await row(page, 'Folder').getByRole('checkbox').check();
  assert.equal(await bar.getByRole('button', { name: 'Download' }).count(), 0, 'a folder alone cannot be downloaded yet');
  await row(page, 'a.txt').getByRole('checkbox').check();
  await row(page, 'b.txt').getByRole('checkbox').check();
  await bar.getByRole('button', { name: 'Download' }).click();
  const dialog = page.getByRole('dialog', { name: 'Download 2 files' });
  await dialog.getByText('Left out: 1 folder with what is in it.').waitFor();
  await check(page, 'the dialog of a download');
  const saved = [];
  page.on('download', (d) => saved.push(d.suggestedFilename()));
  await dialog.getByRole('button', { name: 'Download' }).click();
  await page.getByText('2 files downloaded.').waitFor();
  assert.deepEqual(saved, ['a.txt', 'b.txt']);
});
