// The story of a sign-in with every step on: one at a time, the one that asks least first.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, earlyInStep, focused, mail, member, open, stage, text, totp } from '../../test/browser.mjs';

const site = stage({ COFFER_CODE_COOLDOWN: '1s' });
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const words = {
  'en-GB': { more: (n) => (n === 1 ? 'One more step' : `${n} more steps`), at: (n) => `Step ${n} of 5`, app: 'Code from your app', mailed: 'Code by e-mail', sent: 'Code by text message', question: 'Security question', done: 'done', go: 'Continue', wrong: 'That answer is not right', over: 'Too many wrong codes, or too late. Please sign in again.', files: 'Files' },
  'de-DE': { more: (n) => (n === 1 ? 'Noch ein Schritt' : `Noch ${n} Schritte`), at: (n) => `Schritt ${n} von 5`, app: 'Code aus Ihrer App', mailed: 'Code per E-Mail', sent: 'Code per SMS', question: 'Sicherheitsfrage', done: 'erledigt', go: 'Weiter', wrong: 'Diese Antwort stimmt nicht', over: 'Zu viele falsche Codes oder zu spät. Bitte melden Sie sich noch einmal an.', files: 'Dateien' },
};

async function seen(page, name) {
  await check(page, name);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name.replace(/\W+/g, '-') + '.png') });
}

// withAll turns every step on through the API. The app comes last: from then on each change asks
// for its code.
async function withAll(who) {
  const act = await as(site.server, who);
  const to = '+49170' + String(Date.now()).slice(-8);
  const read = new Set();
  const { secret } = await act('/account/totp');
  await act('/account/sms', { phone: to });
  const { code } = await text(site.server, to, read);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'Which boat?', answer: 'The red one', hint: 'at the lake' }, 'PUT');
  await act('/account/sms/confirm', { code });
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) }); // leaves this step's code
  return { secret, to, read };
}

for (const [where, options] of [['a desk', { locale: 'en-GB', colorScheme: 'light' }], ['a phone', { ...phone, locale: 'de-DE', colorScheme: 'dark' }]]) {
  test(`sign in with every step on, on ${where}`, async (t) => {
    const who = await member(site.server);
    const { secret, to, read } = await withAll(who);
    const w = words[options.locale];
    const page = await open(t, site, { ...options, reducedMotion: 'reduce' });
    const steps = page.locator('main ol li');
    const field = page.locator('main form input');

    // at checks the whole picture of one step: heading, progress, what is done, where the focus is.
    async function at(n, name) {
      await page.getByText(`${w.at(n)}: ${name}`).waitFor();
      await page.getByRole('heading', { level: 1, name: w.more(6 - n) }).waitFor();
      assert.equal(await steps.count(), 5);
      const texts = await steps.allTextContents();
      assert.deepEqual(texts.map((s) => s.includes(w.done)), [1, 2, 3, 4, 5].map((i) => i < n), texts.join(' | '));
      assert.equal(await page.locator('main [aria-current=step]').textContent().then((s) => s.trim()), name);
      assert.equal(await page.locator('main form').count(), 1, 'one step at a time');
      assert.equal(await field.evaluate((e) => e === document.activeElement), true, `focus on ${await focused(page)}`);
      await seen(page, `step ${n} on ${where}`);
    }

    async function begin() {
      await page.goto('/sign-in');
      await page.locator('[name=identifier]').fill(who.username);
      await page.locator('[name=password]').fill(who.password);
      await page.locator('[name=password]').press('Enter');
    }

    await begin();
    await at(2, w.app);
    const order = (await steps.allTextContents()).map((s) => s.trim());
    assert.deepEqual(order.slice(1), [w.app, w.mailed, w.sent, w.question]);
    assert.equal(await page.getByText('Which boat?').count(), 0, 'the question waits for its turn');
    await page.keyboard.type(totp(secret));
    await at(3, w.mailed);
    await page.keyboard.type((await mail(site.server, who.email, 'email-code')).code);
    await at(4, w.sent);
    assert.equal(await page.getByText('Which boat?').count(), 0, 'the question waits for its turn');
    await page.keyboard.type((await text(site.server, to, read)).code);
    await at(5, w.question);
    await page.getByLabel('Which boat?').waitFor();
    await page.getByText('at the lake').waitFor();
    await page.keyboard.type('the blue one');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(w.wrong).waitFor();
    assert.equal(await field.inputValue(), 'the blue one');

    // The attempt is over: it begins again with what was typed.
    await page.route('**/v1/auth/attempts/*/security-question', (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', body: JSON.stringify({ status: 410, code: 'attempt_over' }) }), { times: 1 });
    await page.getByRole('button', { name: w.go }).click();
    await page.getByRole('alert').getByText(w.over).waitFor();
    assert.equal(await page.locator('[name=identifier]').inputValue(), who.username);
    assert.equal(await page.locator('[name=password]').inputValue(), who.password);
    await new Promise((resolve) => setTimeout(resolve, 30_100 - (Date.now() % 30_000))); // this step's code is used
    const mailed = new Set();
    await mail(site.server, who.email, 'email-code', mailed);
    await page.locator('[name=identifier]').press('Enter');
    await page.getByText(w.at(2)).waitFor();
    await page.keyboard.type(totp(secret));
    await page.getByText(w.at(3)).waitFor();
    await page.keyboard.type((await mail(site.server, who.email, 'email-code', mailed)).code);
    await page.getByText(w.at(4)).waitFor();
    await page.keyboard.type((await text(site.server, to, read)).code);
    await page.getByText(w.at(5)).waitFor();
    await page.keyboard.type(' the RED  one');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: w.files }).waitFor();
  });
}
