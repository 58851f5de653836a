// The pages of drops in their states, in light and dark, on a desk and on a phone: accessible by
// axe's rules, nothing cut. COFFER_SHOTS keeps the pictures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from '../../test/axe.mjs';
import { drop, member, open, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage({ COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1h' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const long = 'minutes of the annual meeting with all its annexes and corrections (final).pdf';

for (const [name, options] of [
  ['a desk', {}],
  ['a phone, in German', { ...phone, locale: 'de-DE' }],
]) {
  test(`drops on ${name}`, async (t) => {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const other = await open(t, site, { reducedMotion: 'reduce', ...options });
    const seen = async (what, at = page) => {
      await at.locator('main h1').first().waitFor();
      await at.waitForTimeout(100);
      await at.evaluate(() => scrollTo(0, 0));
      await lightAndDark(at, async (scheme) => {
        await check(at, `${what}, ${scheme}`);
        if (process.env.COFFER_SHOTS) await at.screenshot({ path: path.join(process.env.COFFER_SHOTS, `${what} on ${name}, ${scheme}.png`), fullPage: !(await at.locator('dialog').count()) });
      });
    };
    await page.goto('/');
    await seen('home');
    await page.goto('/send/safe');
    await seen('how this is safe, the page');
    await page.goto('/send');
    await page.locator('.drop-choices').waitFor();
    await seen('send');
    await page.locator('[name=name]').fill('!!');
    await page.locator('.drop-receive [type=submit]').click();
    await page.locator('.drop-receive .error').waitFor();
    await seen('send, a name that is none');

    const dir = tree(t, { [long]: 'x'.repeat(5000), 'Photos/a.jpg': 'a', 'Photos/b.jpg': 'b', 'song.mp3': 's' });
    await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
    await page.locator('.drop-row').nth(2).waitFor();
    await seen('sending, nobody here');
    await page.locator('.drop-share .drop-head button').click();
    await page.getByRole('menu').waitFor();
    await seen('sending, the menu');
    await page.getByRole('menuitem').first().click();
    await page.getByRole('dialog').waitFor();
    await seen('sending, rename');
    await page.keyboard.press('Escape');
    await page.locator('.drop-safe-link').click();
    await page.getByRole('dialog').waitFor();
    await seen('how this is safe');
    await page.keyboard.press('Escape');

    const code = (await page.locator('.drop-code .hidden').textContent()).replace(/\D/g, '');
    const called = await page.locator('.drop-name').textContent();
    await other.goto('/d/' + called);
    const field = other.locator('[name=code]');
    await field.waitFor();
    await seen('receiving, the code', other);
    const wrong = (by) => field.fill(String((Number(code) + by) % 1_000_000).padStart(6, '0'));
    await wrong(1);
    await other.getByRole('alert').waitFor();
    await seen('receiving, a wrong code', other);
    await page.locator('.drop-share p.notice').waitFor();
    await seen('sending, a wrong code');
    await field.fill(code);
    await other.locator('.drop-row').nth(2).waitFor();
    await seen('receiving, offered', other);
    await other.locator('.drop-main .button').click();
    await other.locator('.drop-main .button', { hasText: '3' }).waitFor();
    await other.locator('.drop-good').nth(2).waitFor();
    await seen('receiving, arrived', other);
    await page.locator('.drop-good').nth(2).waitFor();
    await seen('sending, verified');
    await other.locator('.drop-row .button.primary').first().click();
    await other.locator('.drop-fold').waitFor();
    await drop(other, [path.join(dir, 'song.mp3')]);
    await page.locator('.drop-offers').nth(1).locator('.drop-row').waitFor();
    await seen('receiving, offering too', other);
    await seen('sending, offered by a guest');

    const stranger = await open(t, site, { reducedMotion: 'reduce', ...options });
    await stranger.goto('/d/' + called);
    for (const by of [2, 3]) {
      await stranger.locator('[name=code]').fill(String((Number(code) + by) % 1_000_000).padStart(6, '0'));
      await stranger.getByRole('alert').waitFor();
      await stranger.waitForTimeout(300);
    }
    await page.locator('.drop-code.burnt').waitFor();
    await seen('sending, the code is burnt');
    await seen('receiving, a second wrong code', stranger);
    await stranger.goto('/d/nobody-has-this');
    await stranger.locator('[name=name]').waitFor();
    await seen('receiving, not found', stranger);

    await page.locator('.drop-title .button').click();
    await page.getByRole('dialog').waitFor();
    await seen('sending, the question before it closes');
    await page.getByRole('dialog').locator('[type=submit]').click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await seen('sending, closed');
    await other.locator('.drop-live').waitFor({ state: 'detached' });
    await seen('receiving, closed', other);
    const inline = await page.evaluate(() => document.querySelectorAll('[style], style').length);
    assert.equal(inline, 0);
  });
}

test('drops in the frame of people who are signed in', async (t) => {
  for (const [name, options] of [['a desk', {}], ['a phone', phone]]) {
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    await signIn(page, await member(site.server));
    await page.goto('/send');
    await page.locator('.drop-choices').waitFor();
    const seen = async (what) => {
      await page.waitForTimeout(100);
      await check(page, what);
      if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `${what} on ${name}.png`) });
    };
    await seen('send, signed in');
    const dir = tree(t, { [long]: 'x', 'Photos/a.jpg': 'a' });
    await drop(page, fs.readdirSync(dir).map((f) => path.join(dir, f)));
    await page.locator('.drop-row').nth(1).waitFor();
    await seen('sending, signed in');
  }
});
