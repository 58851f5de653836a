// The history in the owner's words, and the link that lets a new device in while strangers guess.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { check } from '../../test/axe.mjs';
import { altered, mail, member, open, signIn, stage, visit } from '../../test/browser.mjs';

const site = stage({ COFFER_LIMIT_SIGN_IN_ACCOUNT: '3/15m', COFFER_LIMIT_SIGN_IN_PAIR: '50/15m' });

const firefox = { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true };

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
// look checks a page, and takes a picture for a person who asks for one.
async function look(page, what) {
  await check(page, what);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `${what}.png`), fullPage: true });
}
const line = (page, text) => page.locator('.guard-line').filter({ hasText: text });

// toldCome waits until the lines begin with these words: a page draws after it has heard.
async function toldCome(page, want) {
  const told = () => page.locator('.guard-told strong').allInnerTexts();
  for (const until = Date.now() + 10_000; Date.now() < until && !isDeepStrictEqual(await told(), want);) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await told(), want);
}

// saved presses Download and returns the table.
async function saved(page) {
  await page.evaluate(() => delete window.showSaveFilePicker);
  const coming = page.waitForEvent('download');
  await page.locator('main').getByRole('button', { name: 'Download', exact: true }).click();
  return fs.readFileSync(await (await coming).path(), 'utf8');
}

// guess types a password that is wrong.
async function guess(page, who, password = 'not the password at all') {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('the history tells what happened, and a sign-in that was not mine is disowned', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  const strange = await open(t, site, firefox);
  await guess(strange, who);
  await strange.getByText('Wrong', { exact: false }).first().waitFor();
  await signIn(strange, who);

  await page.goto('/security');
  const section = page.getByRole('region', { name: 'History' });
  await section.locator('.guard-line').first().waitFor();
  assert.ok((await section.locator('.guard-line').count()) <= 3);
  await section.getByRole('link', { name: 'All history' }).click();
  await heading(page, 'History');
  await line(page, 'This device').getByText('Signed in').waitFor();
  await line(page, 'Sign-in failed: wrong password').getByText('Firefox').waitFor();
  await line(page, 'From a device you have not used.').first().waitFor();
  await look(page, 'the history');

  await page.getByLabel('Show').selectOption({ label: 'What failed' });
  await toldCome(page, ['Sign-in failed: wrong password']);
  const failures = await saved(page);
  assert.match(failures, /,sign-in-failed,.*Firefox/);
  assert.doesNotMatch(failures, /,signed-in,/);
  await page.getByLabel('Show').selectOption({ label: 'What waited for a mail' });
  await page.getByText('No sign-in had to wait for a link by mail.').waitFor();
  await page.getByLabel('Show').selectOption({ label: 'Everything' });
  await line(page, 'This device').waitFor();
  const csv = await saved(page);
  assert.match(csv, /,sign-in-failed,/);
  assert.match(csv, /,signed-in,/);

  await line(page, 'Firefox').getByRole('button', { name: /^This was not me/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out all others' }).click();
  await heading(page, 'Security');
  await page.getByText('Now choose a new password.').waitFor();
  await strange.goto('/files');
  await heading(strange, 'Sign in to Coffer');
});

test('on a phone, in the dark and in German', async (t) => {
  const who = await member(site.server);
  await signIn(await open(t, site), who);
  const page = await open(t, site, { ...phone, colorScheme: 'dark' });
  await signIn(page, who);
  await page.goto('/security/history');
  await line(page, 'Signed in').first().waitFor();
  await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
  await page.reload();
  await heading(page, 'Verlauf');
  await line(page, 'Angemeldet').first().waitFor();
  await page.getByLabel('Anzeigen').selectOption({ label: 'Was auf eine Mail wartete' });
  await page.getByText('Keine Anmeldung musste auf einen Link per Mail warten.').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await page.getByLabel('Anzeigen').selectOption({ label: 'Alles' });
  await line(page, 'Angemeldet').first().waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  for (const box of await page.locator('main button, main select').evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height))) assert.ok(box >= 44, `a target is ${box} px high`);
  await look(page, 'the history on a phone');
});

test('while strangers guess, the owner comes in on a new device by a mailed link', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site, firefox);
  for (let i = 0; i < 4; i++) {
    await guess(page, who, `not the password ${i}`);
    await page.getByText(/wrong|Look into your mail/i).first().waitFor();
  }
  await guess(page, who, who.password);
  await heading(page, 'Look into your mail');
  await look(page, 'a held sign-in');
  const { link } = await mail(site.server, who.email, 'unlock');
  assert.ok(link.startsWith(site.server.url + '/unlock#token='), link);
  await visit(page, altered(link));
  await heading(page, 'This link no longer works');
  await visit(page, link);
  await heading(page, 'Sign in from this device');
  await look(page, 'the link that unlocks');
  await page.getByRole('button', { name: 'Unlock' }).click();
  await heading(page, 'This device may sign in');
  await look(page, 'unlocked');
  await page.locator('main').getByRole('link', { name: 'Sign in' }).click();
  await signIn(page, who);
  await page.goto('/security/history');
  const waited = 'Sign-in waited for a link by mail';
  for (let tries = 0; tries < 20; tries++) { // the server keeps it after its answer
    await line(page, 'Signed in').first().waitFor();
    if ((await line(page, waited).count()) > 0) break;
    await page.reload();
  }
  await page.getByLabel('Show').selectOption({ label: 'What waited for a mail' });
  await toldCome(page, [waited]);
  await look(page, 'what waited for a mail');
  const table = await saved(page);
  assert.match(table, /,sign-in-held,/);
  assert.doesNotMatch(table, /,(signed-in|sign-in-failed),/);
  await visit(page, link);
  await heading(page, 'This link no longer works');
});
