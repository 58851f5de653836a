// The story of the security page: how strong the protection is, and the choice to be asked on
// every device.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, mail, member, mine, open, stage } from '../../test/browser.mjs';

const site = stage({ COFFER_STEP_UP_TTL: '2s', COFFER_CODE_COOLDOWN: '0s' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

for (const [name, options] of [
  ['a desk in the light', { colorScheme: 'light' }],
  ['a phone in the dark', { ...phone, colorScheme: 'dark' }],
]) {
  test(`always ask on ${name}`, async (t) => {
    const seen = new Set();
    const who = await member(site.server);
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const look = async (what) => {
      await check(page, what);
      if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `security ${what} on ${name}.png`), fullPage: true });
    };
    const files = page.getByRole('heading', { level: 1, name: 'Files' });
    const code = page.getByLabel('Code from the e-mail');
    const pass = async () => code.fill((await mail(site.server, who.email, 'email-code', seen)).code);
    const choice = page.getByRole('switch', { name: 'Ask on every device, every time' });
    const begin = async () => {
      await page.goto('/sign-in');
      await page.getByLabel('E-mail or username').fill(who.username);
      await page.getByLabel('Password', { exact: true }).fill(who.password);
      await page.getByLabel('Remember this device').check();
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    };
    const signOut = async () => {
      await mine(page, 'Sign out');
      await page.getByText('You are signed out').waitFor();
    };
    const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
    const prove = async () => {
      await proof.getByLabel('Password', { exact: true }).fill(who.password);
      await proof.getByRole('button', { name: 'Confirm' }).click();
      await pass(); // a fresh proof asks for every step
    };

    // Nothing is on: one piece of advice, and nothing to choose.
    await begin();
    await files.waitFor();
    await page.goto('/security');
    await page.getByRole('heading', { name: 'Only your password protects this account' }).waitFor();
    await page.getByText('Add an authenticator app: with it, a stolen password is not enough.').waitFor();
    await page.getByText('This device').waitFor();
    assert.equal(await choice.count(), 0, 'there is nothing to ask for yet');
    await look('nothing on');
    await signOut();

    await (await as(site.server, who))('/account/email-otp');
    await begin();
    await pass();
    await files.waitFor();
    await signOut();
    await begin();
    await files.waitFor(); // a remembered device
    await page.goto('/security');
    await page.getByText('Anyone who can read your mail').waitFor();
    assert.equal(await choice.isChecked(), false);
    await page.waitForTimeout(2_100); // the proof of the sign-in ends

    // A person who takes the fresh proof back has changed nothing.
    await choice.click();
    await proof.waitFor();
    await page.keyboard.press('Escape');
    await proof.waitFor({ state: 'detached' });
    assert.equal(await choice.isChecked(), false, 'the switch shows what holds');
    if (options.hasTouch) await choice.click();
    else {
      await choice.focus();
      await page.keyboard.press('Space');
    }
    await prove();
    await page.getByText('From now on every sign-in asks for every step.').waitFor();
    assert.equal(await choice.isChecked(), true);
    await look('always ask');
    await page.reload();
    await choice.waitFor();
    await page.waitForFunction(() => document.querySelector('[role=switch]').checked);
    await signOut();
    await begin();
    await pass(); // the remembered device is asked
    await files.waitFor();
    await page.goto('/security');
    await page.waitForTimeout(2_100);
    await choice.click();
    await prove();
    await page.getByText('Remembered devices need only the first step again.').waitFor();
    assert.equal(await choice.isChecked(), false);
  });
}
