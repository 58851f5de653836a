// What another tab or device changes shows by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, member, open, row, signIn, stage } from '../../test/browser.mjs';

const site = stage();

async function newFolder(page, name) {
  await make(page, 'New folder');
  await page.getByRole('dialog').getByLabel('Name').fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await row(page, name).waitFor();
}

test('a change on another device appears, and so it does in every tab', async (t) => {
  const who = await member(site.server);
  const here = await open(t, site);
  let streams = 0;
  here.context().on('request', (r) => { if (r.url().endsWith('/v1/changes')) streams++; });
  const opened = here.waitForResponse('**/v1/changes');
  await signIn(here, who);
  await opened;
  const tab = await here.context().newPage();
  await tab.goto('/files');
  await tab.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
  const device = await open(t, site);
  await signIn(device, who);

  await newFolder(device, 'from afar');
  await row(here, 'from afar').waitFor();
  await row(tab, 'from afar').waitFor();
  assert.equal(streams, 1, 'two tabs read two streams');

  // The other tab goes on when the one that read the stream is closed.
  const again = tab.waitForResponse('**/v1/changes');
  await here.close();
  await again;
  await newFolder(device, 'once more');
  await row(tab, 'once more').waitFor();
});
