// The ledger as its owner sees it, and its check in the browser: what is sound, and what a server that
// lies is caught at.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, focusComes, member, open, signIn, stage, tabTo } from '../../test/browser.mjs';
import { kubo } from '../../test/kubo.mjs';

const node = await kubo();
const site = stage(node.env);
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name + '.png') });

// published signs a person up who has published some folders, all of them in the signed ledger.
async function published(count) {
  const who = await member(site.server);
  const act = await as(site.server, who);
  for (let i = 0; i < count; i++) {
    const { id } = await act('/files/folders', { name: `Folder ${i}`, parent: '' });
    await act(`/files/${id}/pins`, {});
  }
  return { who, act, more: () => signed(act, count) };
}

async function signed(act, count) {
  for (let tries = 0; tries < 2400; tries++) {
    const { items } = await act('/account/ledger', undefined, 'GET');
    if (items.length >= count && items.every((entry) => entry.in_checkpoint)) return items;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the entries were never signed');
}

const verify = (page) => page.getByRole('button', { name: 'Verify in this browser' }).click();

test('a person reads their entries, and this browser checks them', async (t) => {
  const page = await open(t, site);
  const { who, act, more } = await published(3);
  await more();
  await signIn(page, who);
  await page.getByRole('link', { name: 'Published' }).click();
  await page.getByRole('link', { name: 'Ledger' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ledger' }).waitFor();
  await page.getByText('Signed', { exact: true }).nth(2).waitFor();
  await check(page, 'the ledger');
  await page.getByRole('heading', { level: 1 }).focus();
  await tabTo(page, 'Verify in this browser');
  await page.keyboard.press('Enter');
  await page.getByText('All is well: 3 entries are where they belong').waitFor();
  await page.getByText('This browser looked for the first time. The next check compares with today.').waitFor();
  await focusComes(page, 'Verify in this browser');
  await check(page, 'a sound ledger');
  await shot(page, 'a sound ledger at a desk');

  // The ledger grows: it still holds what this browser saw.
  const { id } = await act('/files/folders', { name: 'Another', parent: '' });
  await act(`/files/${id}/pins`, {});
  await signed(act, 4);
  await page.reload();
  await verify(page);
  await page.getByText('All is well: 4 entries are where they belong').waitFor();
  await page.getByText(/^Everything that stood in it on .* still stands there unchanged\.$/).waitFor();
});

test('a server that lies is caught', async (t) => {
  const page = await open(t, site, { ...phone, colorScheme: 'dark' });
  const { who, act, more } = await published(2);
  const [newest] = await more();
  await signIn(page, who);
  await page.goto('/published/ledger');
  await verify(page);
  await page.getByText(/^All is well/).waitFor();

  const lie = async (pattern, change) => {
    await page.route(pattern, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: change(await response.text()) });
    });
    await verify(page);
  };
  const edit = (change) => (text) => JSON.stringify(change(JSON.parse(text)));

  await lie('**/v1/account/ledger?*', edit((list) => ({ ...list, items: list.items.map((e) => (e.n === newest.n ? { ...e, size: e.size + 1 } : e)) })));
  await page.getByText(`Entry ${newest.n} does not stand in the ledger as it is shown here.`).waitFor();
  await check(page, 'a ledger that does not hold');
  await shot(page, 'a broken ledger on a phone in the dark');
  await page.unrouteAll({ behavior: 'wait' });

  await lie('**/v1/ledger/checkpoint', (note) => note.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 1}\n`));
  await page.getByText('The signature under the ledger is wrong, or of a key that the server does not name.').waitFor();
  await page.unrouteAll({ behavior: 'wait' });

  // Further entries, and a proof that hides how an old one was changed.
  const { id } = await act('/files/folders', { name: 'Another', parent: '' });
  await act(`/files/${id}/pins`, {});
  await signed(act, 3);
  await lie('**/v1/ledger/consistency?*', edit((proof) => ({ ...proof, hashes: proof.hashes.map(() => '0'.repeat(64)) })));
  await page.getByText(/^An entry that stood in the ledger on .* was changed, removed or moved\.$/).waitFor();
  await page.unrouteAll({ behavior: 'wait' });

  await verify(page);
  await page.getByText(/^All is well/).waitFor();
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
  await page.getByRole('button', { name: 'In diesem Browser prüfen' }).click();
  await page.getByText(/^Alles in Ordnung/).waitFor();
  await check(page, 'the ledger in German on a phone');
});

test('who has published nothing is told how', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await page.goto('/published/ledger');
  await page.getByText('No entries yet').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Verify in this browser' }).count(), 0);
  await check(page, 'an empty ledger');
});
