// The story of backup codes: made, saved, confirmed, shown with the used one struck, renewed,
// turned off, and lost with a sign-in step.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from '../../test/axe.mjs';
import { as, earlyInStep, focusComes, follows, mail, member, open, post, signIn, stage, tabTo, totp } from '../../test/browser.mjs';

const site = stage({ COFFER_STEP_UP_TTL: '1h' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const words = {
  en: {
    part: 'Backup codes', make: 'Make backup codes', save: 'Save your backup codes', saveNew: 'Save your new backup codes', once: 'Each code works once.', notYet: 'They work once you confirm', copy: 'Copy', copied: 'Copied', text: 'Save as text', print: 'Print', saved: 'I have saved these codes',
    notOn: 'Backup codes are not on yet', again: 'Show them again', areOn: 'Your backup codes are on.', left: '10 codes are left', left9: '9 codes are left', show: 'Show codes', yours: 'Your backup codes', used: 'used on', fresh: 'Make new codes', oldGood: 'Your old codes stay good until you confirm', stays: 'Your old codes stay good: you have not',
    pending: 'You made new codes and have not confirmed', pendingDo: 'Show the new codes', renewed: 'Your new backup codes are on.', off: 'Turn off backup codes', offTitle: 'Turn off backup codes?', offDo: 'Turn off', areOff: 'Backup codes are off.',
    question: 'Turn off the question', questionTitle: 'Turn off the security question?', ways: 'Turn off your ways back in too?', both: 'Turn all off', questionOff: 'The security question is off.',
    goes: ['Codes by e-mail as a sign-in step', 'Your security question and its answer', 'Your backup codes'], file: 'backup-codes', title: 'Coffer backup codes of', cancel: 'Cancel', glance: 'Backup codes (10 left)',
  },
  de: {
    part: 'Notfallcodes', make: 'Notfallcodes anlegen', save: 'Sichern Sie Ihre Notfallcodes', saveNew: 'Sichern Sie Ihre neuen Notfallcodes', once: 'Jeder Code gilt einmal.', notYet: 'Sie gelten, sobald', copy: 'Kopieren', copied: 'Kopiert', text: 'Als Text', print: 'Drucken', saved: 'Ich habe diese Codes gesichert',
    notOn: 'Die Notfallcodes sind noch nicht an', again: 'Noch einmal ansehen', areOn: 'Ihre Notfallcodes sind an.', left: 'Noch 10 Codes übrig', left9: 'Noch 9 Codes übrig', show: 'Codes ansehen', yours: 'Ihre Notfallcodes', used: 'benutzt am', fresh: 'Neue Codes anlegen', oldGood: 'Ihre alten Codes gelten, bis', stays: 'Ihre alten Codes gelten weiter: Sie haben',
    pending: 'Sie haben neue Codes angelegt', pendingDo: 'Neue Codes ansehen', renewed: 'Ihre neuen Notfallcodes sind an.', off: 'Notfallcodes ausschalten', offTitle: 'Notfallcodes ausschalten?', offDo: 'Ausschalten', areOff: 'Die Notfallcodes sind aus.',
    question: 'Frage ausschalten', questionTitle: 'Sicherheitsfrage ausschalten?', ways: 'Auch Ihre Wege zurück ausschalten?', both: 'Alles ausschalten', questionOff: 'Die Sicherheitsfrage ist aus.',
    goes: ['Codes per E-Mail als Anmeldeschritt', 'Ihre Sicherheitsfrage und ihre Antwort', 'Ihre Notfallcodes'], file: 'notfallcodes', title: 'Coffer-Notfallcodes von', cancel: 'Abbrechen', glance: 'Notfallcodes (noch 10)',
  },
};

// guarded turns two sign-in steps on.
async function guarded(who) {
  const act = await as(site.server, who);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'What?', answer: 'nothing at all' }, 'PUT');
}

for (const [name, w, options] of [
  ['a desk', words.en, {}],
  ['a phone, in German', words.de, { ...phone, locale: 'de-DE' }],
]) {
  test(`backup codes on ${name}`, async (t) => {
    const who = await member(site.server);
    const page = await open(t, site, { reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'], ...options });
    await page.addInitScript(() => {
      globalThis.printed = 0;
      globalThis.print = () => void globalThis.printed++;
    });
    const shot = async (what) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `backup ${what} on ${name}.png`) });
    const look = (what) => lightAndDark(page, async (scheme) => {
      await check(page, `${what}, ${scheme}`);
      await shot(`${what}, ${scheme},`);
    });
    const part = page.getByRole('group', { name: w.part });
    const button = (label) => part.getByRole('button', { name: label, exact: true });
    const dialog = (title) => page.getByRole('dialog', { name: title, exact: true });
    const said = (text) => page.getByRole('status').getByText(text).waitFor();
    const shown = async (in_) => (await in_.locator('ol li > :first-child').allTextContents());

    await page.goto('/sign-in');
    if (options.locale) await page.locator('.bottom select').first().selectOption('en');
    await signIn(page, who);
    if (options.locale) await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
    await guarded(who);
    await page.goto('/security');

    // Ten codes, and nothing is on before the person says that they are saved.
    await button(w.make).click();
    const box = dialog(w.save);
    await box.getByText(w.notYet).waitFor();
    const unsaved = await shown(box);
    assert.equal(unsaved.length, 10);
    for (const code of unsaved) assert.match(code, /^\d{4} \d{4} \d{4}$/);
    await look('made');
    await page.keyboard.press('Escape');
    await said(w.notOn);
    await focusComes(page, w.make, 'the focus comes back');
    await look('not confirmed');
    await button(w.again).click();
    await box.waitFor();
    assert.deepEqual(await shown(box), unsaved);
    await page.keyboard.press('Escape');

    await button(w.make).click();
    await box.waitFor();
    const codes = await shown(box);
    assert.equal(new Set([...codes, ...unsaved]).size, 20);
    await box.getByRole('button', { name: w.copy, exact: true }).click();
    await box.getByText(w.copied).waitFor();
    assert.deepEqual((await page.evaluate(() => navigator.clipboard.readText())).split('\n'), codes);

    const download = await follows(page, 'download', () => box.getByRole('button', { name: w.text }).click());
    assert.equal(download.suggestedFilename(), `coffer-${w.file}-${who.username}.txt`);
    const text = fs.readFileSync(await download.path(), 'utf8');
    const year = String(new Date().getFullYear());
    for (const part of [`${w.title} ${who.username}`, year, ...codes]) assert.ok(text.includes(part), `the text has no ${part}:\n${text}`);

    // On paper there is the sheet alone.
    await box.getByRole('button', { name: w.print }).click();
    assert.equal(await page.evaluate(() => globalThis.printed), 1);
    await page.emulateMedia({ media: 'print' });
    const paper = (await page.evaluate(() => document.body.innerText)).split('\n').map((line) => line.trim()).filter(Boolean);
    assert.equal(paper[0], `${w.title} ${who.username}`);
    assert.match(paper[1], new RegExp(year));
    assert.deepEqual(paper.slice(2, 12), codes);
    assert.equal(paper.length, 13, `more than the sheet is printed: ${paper}`);
    await shot('printed');
    const pdf = await page.pdf();
    assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length, 1, 'the sheet is one page');
    if (process.env.COFFER_SHOTS) fs.writeFileSync(path.join(process.env.COFFER_SHOTS, `backup on ${name}.pdf`), pdf);
    await page.emulateMedia({ media: null });

    await box.getByRole('button', { name: w.saved }).click();
    await said(w.areOn);
    await part.getByText(w.left).waitFor();
    await page.getByText(w.glance).waitFor();
    await page.waitForFunction((label) => document.activeElement.textContent === label, w.show);
    await part.scrollIntoViewIfNeeded();
    await look('on');

    // A used one is struck, and goes along nowhere.
    await post(site.server, '/auth/recovery/backup-code', { identifier: who.username, password: who.password, code: codes[3] });
    await page.reload();
    await part.getByText(w.left9).waitFor();
    await button(w.show).click();
    const list = dialog(w.yours);
    await list.getByText(w.used).waitFor();
    assert.deepEqual(await shown(list), codes);
    assert.deepEqual(await list.locator('s').allTextContents(), [codes[3]]);
    await look('shown');
    await list.getByRole('button', { name: w.copy, exact: true }).click();
    await list.getByText(w.copied).waitFor();
    assert.deepEqual((await page.evaluate(() => navigator.clipboard.readText())).split('\n'), codes.filter((code) => code !== codes[3]));

    // New ones: the old ones stay until the new ones are saved.
    await list.getByRole('button', { name: w.fresh }).click();
    const renew = dialog(w.saveNew);
    await renew.getByText(w.oldGood).waitFor();
    const fresh = await shown(renew);
    assert.equal(fresh.filter((code) => codes.includes(code)).length, 0);
    await look('renewed');
    await renew.getByRole('button', { name: w.cancel }).click();
    await said(w.stays);
    await button(w.show).click();
    await list.getByText(w.pending).waitFor();
    assert.deepEqual(await shown(list), codes);
    await look('shown with new ones');
    await list.getByRole('button', { name: w.pendingDo }).click();
    await renew.waitFor();
    assert.deepEqual(await shown(renew), fresh);
    await renew.getByRole('button', { name: w.saved }).click();
    await said(w.renewed);
    await part.getByText(w.left).waitFor();
    await button(w.show).click();
    await list.waitFor();
    assert.deepEqual(await shown(list), fresh);
    await page.keyboard.press('Escape');

    // What goes with the account.
    await page.goto('/account/delete');
    for (const line of w.goes) await page.getByRole('listitem').filter({ hasText: line }).waitFor();
    await page.locator('main h2').first().scrollIntoViewIfNeeded();
    await look('deleting');

    // Off by one question, and on once more.
    await page.goto('/security');
    await button(w.off).click();
    await dialog(w.offTitle).waitFor();
    await look('turn off');
    await dialog(w.offTitle).getByRole('button', { name: w.offDo, exact: true }).click();
    await said(w.areOff);
    await page.waitForFunction((label) => document.activeElement.textContent === label, w.make);
    await button(w.make).click();
    await box.getByRole('button', { name: w.saved }).click();
    await said(w.areOn);

    // A sign-in step whose end takes the codes along asks once more; taken back, nothing has changed.
    const question = page.getByRole('button', { name: w.question, exact: true });
    const first = dialog(w.questionTitle);
    const both = dialog(w.ways);
    const ask = async () => {
      await question.click();
      await first.getByRole('button', { name: w.offDo, exact: true }).click();
      await both.getByRole('listitem').filter({ hasText: w.glance }).waitFor();
    };
    await ask();
    await look('with a step');
    await page.keyboard.press('Escape');
    await page.reload();
    await button(w.show).waitFor();
    await ask();
    await both.getByRole('button', { name: w.both }).click();
    await said(w.questionOff);
    await button(w.show).waitFor({ state: 'detached' });
    assert.equal(await button(w.make).count(), 0);
  });
}

test('the advice begins it, behind a fresh proof, by keys alone', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  // The page's own session has passed no step yet, so that every code wants a proof.
  const act = await as(site.server, who);
  await act('/account/email-otp');
  const { secret } = await act('/account/totp');
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) });
  await page.goto('/security');
  await page.getByText('Make backup codes, for the day when you lose your phone.').waitFor();
  await page.getByText('No way back in yet').waitFor();
  const glance = page.getByRole('region', { name: 'Strongly protected' });
  await glance.getByRole('button', { name: 'Make backup codes' }).waitFor();
  await tabTo(page, 'Make backup codes');
  await page.keyboard.press('Enter');
  const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
  await proof.waitFor();
  assert.equal(await page.getByRole('dialog').getByText(/\d{4} \d{4} \d{4}/).count(), 0);
  await proof.getByLabel('Password', { exact: true }).fill(who.password);
  await page.keyboard.press('Enter');
  await proof.getByLabel('Code from your authenticator app').fill(totp(secret));
  await proof.getByLabel('Code from the e-mail').fill((await mail(site.server, who.email, 'email-code')).code);
  const box = page.getByRole('dialog', { name: 'Save your backup codes' });
  await box.waitFor();
  await tabTo(page, 'I have saved these codes');
  await page.keyboard.press('Enter');
  await page.getByText('Your backup codes are on.').waitFor();
  await page.getByText('Your password alone opens nothing here.').waitFor();
  await page.getByText('Backup codes (10 left)').waitFor();
});
