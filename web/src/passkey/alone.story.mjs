// An account that nothing but a passkey signs in: it came from Google, and left it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { authenticator, mine, open, stage } from '../../test/browser.mjs';
import { providers, sayWho, somebody } from '../../test/provider.mjs';

const outside = providers();
const site = stage(outside.env);

test('a passkey that alone signs in stays, and the page advises a second one', async (t) => {
  const who = somebody(outside);
  const page = await open(t, site, { visits: outside.origins() });
  const passkeys = page.getByRole('region', { name: 'Passkeys', exact: true });
  const dialog = page.getByRole('dialog');
  await page.goto('/sign-up');
  await page.getByRole('link', { name: 'Continue with Google' }).click();
  await sayWho(page, who);
  await page.getByLabel('First name').fill('Grace');
  await page.getByLabel('Last name').fill('Hopper');
  await page.getByRole('button', { name: 'Create my account' }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();

  const device = await authenticator(page);
  await mine(page, 'Security');
  await passkeys.getByRole('button', { name: 'Add a passkey' }).click();
  await dialog.getByRole('button', { name: 'Create passkey' }).click();
  await passkeys.getByRole('listitem').waitFor();
  await page.getByText('One step protects this account').waitFor();

  await mine(page, 'Account');
  await page.getByRole('button', { name: /^Disconnect/ }).click();
  await dialog.getByRole('button', { name: /^Disconnect/ }).click();
  await dialog.waitFor({ state: 'detached' });

  await mine(page, 'Security');
  await page.getByRole('heading', { name: 'Strongly protected' }).waitFor();
  await page.getByText('Only your passkey signs in.').waitFor();
  await check(page, 'nothing but a passkey');
  await passkeys.getByRole('button', { name: /^Actions for/ }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await dialog.getByRole('alert').getByText('your last way to sign in').waitFor();
  await check(page, 'the last way in');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Add another passkey' }).click();
  await page.getByRole('dialog', { name: 'Add a passkey' }).waitFor();
  await device.remove();
  const key = await authenticator(page, { transport: 'usb' });
  await dialog.getByRole('button', { name: 'Create passkey' }).click();
  await page.getByText('Only your passkeys sign in').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Add another passkey' }).count(), 0);

  await key.presence(false);
  await mine(page, 'Sign out');
  await page.getByRole('heading', { level: 1, name: /A safe place/ }).waitFor();
  await page.goto('/sign-in');
  await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
  await key.presence(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});
