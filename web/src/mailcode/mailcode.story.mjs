// The story of mailed codes: turn on, be asked, ask for another, turn off.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { mail, member, mine, open, password, signIn, stage } from '../../test/browser.mjs';

const site = stage({ COFFER_STEP_UP_TTL: '2s', COFFER_CODE_COOLDOWN: '4s' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const words = {
  en: {
    on: 'Turn on e-mail codes', off: 'Turn off e-mail codes', isOn: 'Codes by e-mail are on.', isOff: 'Codes by e-mail are off.', title: 'Codes by e-mail', code: 'Code from the e-mail', go: 'Continue',
    identifier: 'E-mail or username', password: 'Password', signIn: 'Sign in', files: 'Files', confirm: 'Confirm it is you', confirmDo: 'Confirm', another: 'Send another code', sent: 'A new code is on its way.',
    wrong: 'Use the one from the newest e-mail', over: 'Too many wrong codes, or too late.', ask: 'Turn off codes by e-mail?', offDo: 'Turn off', both: 'Turn all off', waysBack: 'Turn off your ways back in too?',
    fair: 'Better than a password alone', weak: 'Only your password protects this account', advice: 'Anyone who can read your mail', since: 'On since', unused: 'not used yet', used: 'last used', where: 'we send a code to a…',
  },
  de: {
    on: 'E-Mail-Codes einschalten', off: 'E-Mail-Codes ausschalten', isOn: 'Codes per E-Mail sind an.', isOff: 'Codes per E-Mail sind aus.', title: 'Codes per E-Mail', code: 'Code aus der E-Mail', go: 'Weiter',
    identifier: 'E-Mail oder Benutzername', password: 'Passwort', signIn: 'Anmelden', files: 'Dateien', confirm: 'Bestätigen Sie, dass Sie es sind', confirmDo: 'Bestätigen', another: 'Noch einen Code senden', sent: 'Ein neuer Code ist unterwegs.',
    wrong: 'Nehmen Sie den aus der neuesten E-Mail', over: 'Zu viele falsche Codes oder zu spät.', ask: 'Codes per E-Mail ausschalten?', offDo: 'Ausschalten', both: 'Alles ausschalten', waysBack: 'Auch Ihre Wege zurück ausschalten?',
    fair: 'Besser als ein Passwort allein', weak: 'Nur Ihr Passwort schützt dieses Konto', advice: 'Wer Ihre E-Mails lesen kann', since: 'An seit', unused: 'noch nicht benutzt', used: 'zuletzt benutzt', where: 'senden wir einen Code an a…',
  },
};

const other = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

for (const [name, w, options] of [
  ['a desk in the light', words.en, { colorScheme: 'light' }],
  ['a phone in the dark', words.de, { ...phone, colorScheme: 'dark', locale: 'de-DE' }],
]) {
  test(`codes by mail on ${name}`, async (t) => {
    const seen = new Set();
    const who = await member(site.server);
    const page = await open(t, site, { reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options });
    const look = async (what) => {
      await check(page, what);
      if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `mailcode ${what} on ${name}.png`), fullPage: true });
    };
    const code = () => mail(site.server, who.email, 'email-code', seen).then((m) => m.code);
    const field = page.getByLabel(w.code);
    const refused = async (text) => {
      const answered = page.waitForResponse((r) => r.url().endsWith('/email-otp'));
      await field.fill(text);
      await answered;
      await page.locator('form[aria-busy=true]').waitFor({ state: 'detached' });
    };
    const files = page.getByRole('heading', { level: 1, name: w.files });
    const begin = async () => {
      await page.goto('/sign-in');
      await page.getByLabel(w.identifier).fill(who.username);
      await page.getByLabel(w.password, { exact: true }).fill(who.password);
      await page.getByRole('button', { name: w.signIn, exact: true }).click();
    };
    const card = page.getByRole('region', { name: w.title });
    const proof = page.getByRole('dialog', { name: w.confirm });

    // One press turns it on, behind a fresh proof.
    await begin();
    await files.waitFor();
    await page.goto('/security');
    await page.getByRole('heading', { name: w.weak }).waitFor();
    await card.getByText(w.where).waitFor();
    await page.locator('.skeleton').first().waitFor({ state: 'detached' });
    await look('off');
    await page.waitForTimeout(2_100); // the sign-in's own proof ends
    await card.getByRole('button', { name: w.on }).click();
    await proof.getByLabel(w.password, { exact: true }).fill(password);
    await proof.getByRole('button', { name: w.confirmDo }).click();
    await page.getByText(w.isOn).waitFor();
    await card.getByText(w.where).waitFor();
    await card.getByText(w.since).waitFor();
    await card.getByText(w.unused).waitFor();
    await page.getByRole('heading', { name: w.fair }).waitFor();
    await page.getByText(w.advice).waitFor();
    await look('on');

    // A sign-in asks: a wrong code, another code, the older one, the newest one by pasting it.
    await page.context().clearCookies();
    await page.evaluate(() => localStorage.removeItem('coffer.session'));
    await begin();
    await field.waitFor();
    assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
    assert.equal(await field.getAttribute('inputmode'), 'numeric');
    await page.getByText('a…@example.org').waitFor();
    const first = await code();
    const wait = page.getByRole('button', { name: new RegExp('^' + w.another) });
    await wait.waitFor();
    assert.match(await wait.textContent(), /\d/, 'the button counts down');
    assert.equal(await wait.getAttribute('aria-disabled'), 'true');
    await look('asked');
    await refused(other(first));
    await page.getByRole('alert').getByText(w.wrong).waitFor();
    await look('wrong');
    await page.getByRole('button', { name: w.another, exact: true }).click();
    await page.getByText(w.sent).waitFor();
    const second = await code();
    assert.notEqual(second, undefined);
    await look('another');
    if (first !== second) {
      await refused(first);
      await page.getByRole('alert').getByText(w.wrong).waitFor();
    }
    await page.evaluate((text) => navigator.clipboard.writeText(text), `Your code: ${second.slice(0, 3)}-${second.slice(3)}\n`);
    await field.fill('');
    await field.focus();
    await page.keyboard.press('Control+v');
    await files.waitFor();

    // Too many wrong codes end the sign-in, which says so.
    await page.context().clearCookies();
    await begin();
    await field.waitFor();
    const right = await code();
    for (let i = 1; i <= 6; i++) { // the server takes five
      await refused(other(String(Number(right) + i).padStart(6, '0').slice(-6)));
    }
    await page.getByRole('alert').getByText(w.over).waitFor();
    await look('over');
    await begin();
    await field.waitFor();
    await field.fill(await code());
    await files.waitFor();

    // Turning it off: a question, and a second one when the ways back in end with it.
    await page.goto('/security');
    await card.getByText(w.used).waitFor();
    let asked = 0;
    await page.route('**/v1/account/email-otp*', (route) => {
      if (route.request().method() !== 'DELETE' || new URL(route.request().url()).searchParams.get('recovery') === 'off') return route.continue();
      asked++;
      return route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'recovery_needs_two_layers' }) });
    });
    await card.getByRole('button', { name: w.off }).click();
    const question = page.getByRole('dialog', { name: w.ask });
    await look('turn off');
    await question.getByRole('button', { name: w.offDo, exact: true }).click();
    const again = page.getByRole('dialog', { name: w.waysBack });
    await again.waitFor();
    await look('turn off the ways back');
    await page.keyboard.press('Escape');
    await again.waitFor({ state: 'detached' });
    await card.getByRole('button', { name: w.off }).click();
    await question.getByRole('button', { name: w.offDo, exact: true }).click();
    await again.getByRole('button', { name: w.both }).click();
    // The fresh proof asks for everything that a sign-in asks for.
    const done = page.getByText(w.isOff);
    await proof.or(done).first().waitFor();
    if (await proof.isVisible()) {
      await proof.getByLabel(w.password, { exact: true }).fill(password);
      await proof.getByRole('button', { name: w.confirmDo }).click();
      await proof.getByLabel(w.code).fill(await code());
    }
    await done.waitFor();
    await card.getByRole('button', { name: w.on }).waitFor();
    assert.equal(asked, 2);
    await page.context().clearCookies();
    await begin();
    await files.waitFor();
  });
}

test('codes by mail with the keyboard alone', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  await mine(page, 'Security');
  const button = page.getByRole('button', { name: 'Turn on e-mail codes' });
  await button.focus();
  await page.keyboard.press('Enter');
  await page.getByText('Codes by e-mail are on.').or(page.getByRole('dialog')).first().waitFor();
  if (await page.getByRole('dialog').isVisible()) {
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
  }
  await page.getByText('Codes by e-mail are on.').waitFor();
  await page.context().clearCookies();
  await page.goto('/sign-in');
  await page.keyboard.type(who.username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  const { code } = await mail(site.server, who.email, 'email-code');
  // The field has the focus, and six digits are sent by themselves: also those that somebody
  // types while the server judges the ones before.
  let judge;
  const judging = new Promise((resolve) => (judge = resolve));
  await page.route('**/email-otp', async (route) => {
    await judging;
    await route.continue();
  }, { times: 1 });
  await page.keyboard.type(other(code));
  await page.locator('form[aria-busy=true]').waitFor();
  await page.keyboard.press('Control+a');
  await page.keyboard.type(code);
  judge();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});
