// The authenticator app's story: turn on behind a fresh proof, be asked, turn off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earlyInStep, member, mine, open, signIn, stage, totp } from '../../test/browser.mjs';

// Every proof is stale after a few seconds, so that the pages must ask for a new one.
const site = stage({ COFFER_STEP_UP_TTL: '4s' });

async function prove(page, who) {
  const dialog = page.getByRole('dialog', { name: 'Confirm it is you' });
  await dialog.getByText('You are not asked again for 4 seconds.').waitFor();
  await dialog.getByLabel('Password', { exact: true }).fill(who.password);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  return dialog;
}

test('turn on, sign in with a code, turn off', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site, { permissions: ['clipboard-read', 'clipboard-write'] });
  await signIn(page, who);
  await mine(page, 'Security');
  await new Promise((resolve) => setTimeout(resolve, 4_100)); // the sign-in's own proof ends
  await page.getByRole('button', { name: 'Turn on', exact: true }).click();

  const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
  await proof.getByLabel('Password', { exact: true }).fill('not the password');
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await proof.getByRole('alert').waitFor();
  await prove(page, who);

  const dialog = page.getByRole('dialog', { name: 'Set up your authenticator app' });
  const picture = dialog.getByRole('img', { name: /^QR code/ });
  await picture.waitFor();
  assert.ok(await picture.evaluate((img) => img.complete && img.naturalWidth > 20), 'the QR code is a picture');
  const secret = (await dialog.locator('code').textContent()).replace(/\s/g, '');
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);

  const wrong = String((Number(totp(secret)) + 1) % 1_000_000).padStart(6, '0');
  await dialog.getByLabel('Code from your authenticator app').fill(wrong); // six digits submit by themselves
  await dialog.getByRole('alert').getByText('the clock of your phone may be wrong').waitFor();
  await earlyInStep();
  await dialog.getByLabel('Code from your authenticator app').fill(totp(secret, 1)); // leaves this step's code for the sign-in
  await page.getByRole('button', { name: 'Turn off', exact: true }).waitFor();

  // A new browser is asked.
  const other = await open(t, site);
  await other.goto('/sign-in');
  await other.getByLabel('E-mail or username').fill(who.username);
  await other.getByLabel('Password', { exact: true }).fill(who.password);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.getByRole('heading', { name: 'One more step' }).waitFor();
  const field = other.getByLabel('Code from your authenticator app');
  assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await field.getAttribute('inputmode'), 'numeric');
  await field.fill(wrong);
  await other.getByRole('alert').getByText('the clock of your phone may be wrong').waitFor();
  await field.fill(totp(secret));
  await other.getByRole('heading', { level: 1, name: 'Files' }).waitFor();

  // Turning off asks for everything that a sign-in asks for.
  await mine(other, 'Security');
  await other.getByRole('button', { name: 'Turn off', exact: true }).click();
  await other.getByRole('dialog', { name: 'Turn off the authenticator app?' }).getByRole('button', { name: 'Turn off' }).click();
  const again = other.getByRole('dialog', { name: 'Confirm it is you' });
  const off = other.getByRole('button', { name: 'Turn on', exact: true });
  await again.or(off).first().waitFor();
  if (await again.isVisible()) {
    await prove(other, who);
    const code = again.getByLabel('Code from your authenticator app');
    await code.or(off).first().waitFor();
    if (await code.isVisible()) {
      // This step's code is used: wait for the next.
      await new Promise((resolve) => setTimeout(resolve, 30_100 - (Date.now() % 30_000)));
      await code.fill(totp(secret));
    }
  }
  await off.waitFor({ timeout: 60_000 });
});
