// The story of the security question: set up from an idea, be asked last, change, turn off.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, mail, member, open, stage } from '../../test/browser.mjs';

const site = stage();

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const words = {
  en: {
    set: 'Set a question', title: 'Security question', question: 'Your question', idea: 'What did I call my first bicycle?', answer: 'Answer', hint: 'Hint (optional)', inQuestion: 'The answer stands in the question.',
    isOn: 'The security question is on.', isChanged: 'The security question is changed.', isOff: 'The security question is off.', change: 'Change the question', changeTitle: 'Change the security question', save: 'Save', off: 'Turn off the question', offTitle: 'Turn off the security question?', offDo: 'Turn off',
    identifier: 'E-mail or username', password: 'Password', signIn: 'Sign in', files: 'Files', go: 'Continue', code: 'Code from the e-mail', yourHint: 'Your hint: the red one', wrong: 'That answer is not right.', advice: 'People who know you may guess', over: 'Too many wrong codes, or too late.',
  },
  de: {
    set: 'Frage festlegen', title: 'Sicherheitsfrage', question: 'Ihre Frage', idea: 'Wie nannte ich mein erstes Fahrrad?', answer: 'Antwort', hint: 'Hinweis (freiwillig)', inQuestion: 'Die Antwort steht in der Frage.',
    isOn: 'Die Sicherheitsfrage ist an.', isChanged: 'Die Sicherheitsfrage ist geändert.', isOff: 'Die Sicherheitsfrage ist aus.', change: 'Frage ändern', changeTitle: 'Sicherheitsfrage ändern', save: 'Speichern', off: 'Frage ausschalten', offTitle: 'Sicherheitsfrage ausschalten?', offDo: 'Ausschalten',
    identifier: 'E-Mail oder Benutzername', password: 'Passwort', signIn: 'Anmelden', files: 'Dateien', go: 'Weiter', code: 'Code aus der E-Mail', yourHint: 'Ihr Hinweis: the red one', wrong: 'Diese Antwort stimmt nicht.', advice: 'Wer Sie kennt, errät vielleicht', over: 'Zu viele falsche Codes oder zu spät.',
  },
};

for (const [name, w, options] of [
  ['a desk in the dark', words.de, { colorScheme: 'dark', locale: 'de-DE' }],
  ['a phone in the light', words.en, { ...phone, colorScheme: 'light' }],
]) {
  test(`the security question on ${name}`, async (t) => {
    const who = await member(site.server);
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const look = async (what) => {
      await check(page, what);
      if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `question ${what} on ${name}.png`), fullPage: true });
    };
    const files = page.getByRole('heading', { level: 1, name: w.files });
    const begin = async () => {
      await page.context().clearCookies();
      await page.goto('/sign-in');
      await page.getByLabel(w.identifier).fill(who.username);
      await page.getByLabel(w.password, { exact: true }).fill(who.password);
      await page.getByRole('button', { name: w.signIn, exact: true }).click();
    };
    const card = page.getByRole('region', { name: w.title });
    const dialog = page.getByRole('dialog');
    const question = dialog.getByLabel(w.question);
    const answer = dialog.getByLabel(w.answer, { exact: true });

    // An idea goes into the field and can be written on.
    await begin();
    await files.waitFor();
    await page.goto('/security');
    await card.getByRole('button', { name: w.set }).click();
    await dialog.getByRole('button', { name: w.idea }).click();
    assert.equal(await question.inputValue(), w.idea);
    await question.press('End');
    await question.pressSequentially(' 42');
    await answer.fill('ab'); // too short for the server
    await dialog.getByRole('button', { name: w.set }).click();
    await dialog.getByRole('alert').waitFor();
    await answer.fill(w.idea.slice(0, 12));
    await dialog.getByRole('button', { name: w.set }).click();
    await dialog.getByText(w.inQuestion).waitFor();
    assert.equal(await question.inputValue(), w.idea + ' 42', 'what was typed survives a refusal');
    await look('refused');
    await answer.fill('Ångström  Mk II');
    await dialog.getByLabel(w.hint).fill('the red one');
    await dialog.getByRole('button', { name: w.set }).click();
    await page.getByText(w.isOn).waitFor();
    await page.getByText(w.advice).waitFor();
    await look('on');

    // It is asked with its hint; case and spaces do not matter.
    await begin();
    const field = page.getByLabel(w.idea + ' 42');
    await field.waitFor();
    await page.getByText(w.yourHint).waitFor();
    await look('asked');
    await field.fill('something else');
    await page.getByRole('button', { name: w.go, exact: true }).click();
    await page.getByRole('alert').getByText(w.wrong).waitFor();
    await look('wrong');
    await field.fill(' ångström mk ii ');
    await page.getByRole('button', { name: w.go, exact: true }).click();
    await files.waitFor();

    // With another step on, it comes after that one.
    await page.goto('/security');
    await page.getByRole('button', { name: /^(Turn on e-mail codes|E-Mail-Codes einschalten)$/ }).click();
    await page.getByRole('button', { name: /^(Turn off e-mail codes|E-Mail-Codes ausschalten)$/ }).waitFor();
    await begin();
    const code = page.getByLabel(w.code);
    await code.waitFor();
    assert.equal(await page.getByLabel(w.idea).count(), 0, 'the question shows before its turn');
    const list = page.locator('ol.layers li');
    assert.deepEqual((await list.allTextContents()).map((text) => text.trim()).slice(-1), [w.title]);
    await look('before its turn');
    await code.fill((await mail(site.server, who.email, 'email-code')).code);
    await field.waitFor();
    for (let i = 0; i < 4; i++) {
      await field.fill(`guess ${i}`);
      const answered = page.waitForResponse((r) => r.url().endsWith('/security-question'));
      await page.getByRole('button', { name: w.go, exact: true }).click();
      await answered;
      await page.locator('form[aria-busy=true]').waitFor({ state: 'detached' });
    }
    await field.fill('Ångström mk II');
    await page.getByRole('button', { name: w.go, exact: true }).click();
    await files.waitFor();

    // Change, and turn off.
    await page.goto('/security');
    await card.getByRole('button', { name: w.change }).click();
    await page.getByRole('dialog', { name: w.changeTitle }).waitFor();
    assert.equal(await question.inputValue(), '');
    await look('change');
    await question.fill('And now?');
    await answer.fill('later');
    await dialog.getByRole('button', { name: w.save }).click();
    await page.getByText(w.isChanged).waitFor();
    await card.getByRole('button', { name: w.off }).click();
    await page.getByRole('dialog', { name: w.offTitle }).getByRole('button', { name: w.offDo, exact: true }).click();
    await page.getByText(w.isOff).waitFor();
    await card.getByRole('button', { name: w.set }).waitFor();
  });
}

test('the security question with the keyboard alone', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  const call = await as(site.server, who);
  await call('/account/security-question', { question: 'Which key?', answer: 'Enter' }, 'PUT');
  await page.goto('/sign-in');
  await page.keyboard.type(who.username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(who.password);
  await page.keyboard.press('Enter');
  await page.getByLabel('Which key?').waitFor();
  await page.keyboard.type('enter');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});
