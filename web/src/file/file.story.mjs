// Uploads that fail, odd names, large folders.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { drop, member, names, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage();

test('an upload can be cancelled and tried again, and a failure says why', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const dir = tree(t, { 'a.txt': 'a', 'b.txt': 'b' });

  // The first try of a.txt never gets an answer; b.txt is refused.
  let refused = 0, hung = 0;
  await page.route('**/v1/files?**', hang);
  await page.route('**/v1/files', hang);
  async function hang(route) {
    const body = route.request().postDataBuffer()?.toString('latin1') ?? '';
    if (route.request().method() !== 'POST') return route.continue();
    if (body.includes('a.txt') && hung++ === 0) return;
    if (body.includes('b.txt') && refused++ === 0) {
      return route.fulfill({ status: 413, contentType: 'application/problem+json', body: JSON.stringify({ status: 413, code: 'too_large', detail: 'x' }) });
    }
    return route.continue();
  }
  await drop(page, [path.join(dir, 'a.txt'), path.join(dir, 'b.txt')]);
  const panel = page.getByRole('region', { name: 'Uploads' });
  await panel.getByText('This is larger than the server takes.').waitFor();
  await panel.getByRole('button', { name: 'Cancel a.txt' }).click();
  await panel.getByText('Cancelled').waitFor();
  await panel.getByRole('button', { name: 'Try a.txt again' }).click();
  await panel.getByRole('button', { name: 'Try b.txt again' }).click();
  await panel.getByRole('heading', { name: '2 files uploaded' }).waitFor();
  await row(page, 'a.txt').waitFor();
  await row(page, 'b.txt').waitFor();
});

test('names are shown as they are, and long ones are cut with the whole name at hand', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  const long = 'x'.repeat(200) + '.txt';
  const odd = '<img src=x onerror=alert(1)>.txt';
  const dir = tree(t, { [long]: '1', [odd]: '2' });
  await drop(page, [path.join(dir, long), path.join(dir, odd)]);
  await row(page, odd).waitFor();
  const name = row(page, long).locator('.link');
  await name.waitFor();
  assert.equal(await name.locator('bdi').getAttribute('title'), long);
  assert.equal(await name.getAttribute('aria-label'), 'Open ' + long);
  assert.ok(await name.locator('.cut-head').evaluate((e) => e.scrollWidth > e.clientWidth), 'the long name is cut');
  const end = name.locator('.cut-tail');
  assert.equal(await end.textContent(), 'xxxxxx.txt');
  assert.ok(await end.evaluate((e) => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= e.closest('td').getBoundingClientRect().right), 'its end is whole');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways');
});

test('a folder of many files is read page by page, and stays read after a change', async (t) => {
  const page = await open(t, site);
  const who = await member(site.server);
  await signIn(page, who);
  const dir = tree(t, Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`many/n${String(i).padStart(3, '0')}.txt`, String(i)])));
  await drop(page, [path.join(dir, 'many')]);
  await page.getByRole('heading', { name: '130 files uploaded' }).waitFor();
  await row(page, 'many').getByRole('link').click();
  await row(page, 'n000.txt').waitFor();
  for (const until = Date.now() + 30_000; (await row(page, 'n129.txt').count()) === 0 && Date.now() < until;) {
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForTimeout(50);
  }
  await row(page, 'n129.txt').waitFor();
  await row(page, 'n120.txt').getByRole('button', { name: 'Actions for n120.txt' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('n120 changed.txt');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await row(page, 'n120 changed.txt').waitFor();
  assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '131');
  const near = (await names(page)).slice(-20);
  assert.equal(near.at(-1), 'n129.txt');
  assert.deepEqual(near, [...near].sort());
  await page.getByRole('button', { name: 'Sort by Name' }).or(page.getByRole('columnheader', { name: 'Name' }).getByRole('button')).first().click();
  await page.waitForFunction(() => document.querySelector('tbody tr[aria-rowindex="2"] bdi')?.textContent === 'n129.txt');
  assert.equal(await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort'), 'descending');
});
