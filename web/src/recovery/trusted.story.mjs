// The story of the trusted address: it needs two sign-in steps, is set, waits for its link, rests,
// is changed and turned off.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check, lightAndDark } from '../../test/axe.mjs';
import { altered, as, earlyInStep, focusComes, mail, member, open, post, signIn, stage, tabTo, totp, visit, watchPosts } from '../../test/browser.mjs';

const site = stage({ COFFER_STEP_UP_TTL: '1h' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const words = {
  en: {
    part: 'Trusted address', section: 'Ways back in', need: 'Turn on two first.', needOne: 'Turn on one more first.', needDo: 'Choose a sign-in step', none: 'No way back in yet',
    set: 'Set a trusted address', email: 'E-mail address', send: 'Send the link', sent: 'We sent a link to the new address.', waits: 'Open it there: only then does the address count.', again: 'Send again', sentAgain: 'A new link is on its way.',
    primary: 'This is the address that you sign in with. Give another mailbox.', prove: 'Confirm your trusted address', proveDo: 'Confirm this address', proved: 'Your trusted address is confirmed', rest: 'Now it rests for 72 hours.', gone: 'This link no longer works', damaged: 'This link is not complete',
    rests: 'Resting', change: 'Change the address', keeps: 'stays your trusted address', off: 'Turn off the address', offTitle: 'Turn off the trusted address?', offDo: 'Turn off', isOff: 'The trusted address is off.', security: 'Security page', signIn: 'Sign in to see it', back: 'Cancel this', backDone: 'The link no longer works.',
  },
  de: {
    part: 'Vertrauensadresse', section: 'Wege zurück', need: 'Schalten Sie zuerst zwei ein.', needOne: 'Schalten Sie zuerst noch einen ein.', needDo: 'Anmeldeschritt wählen', none: 'Noch kein Weg zurück',
    set: 'Vertrauensadresse angeben', email: 'E-Mail-Adresse', send: 'Link senden', sent: 'Wir haben einen Link an die neue Adresse gesendet.', waits: 'Öffnen Sie ihn dort: Erst dann gilt die Adresse.', again: 'Noch einmal senden', sentAgain: 'Ein neuer Link ist unterwegs.',
    primary: 'Mit dieser Adresse melden Sie sich an. Geben Sie ein anderes Postfach an.', prove: 'Vertrauensadresse bestätigen', proveDo: 'Adresse bestätigen', proved: 'Ihre Vertrauensadresse ist bestätigt', rest: 'Jetzt ruht sie 72 Stunden.', gone: 'Dieser Link gilt nicht mehr', damaged: 'Dieser Link ist nicht vollständig',
    rests: 'Ruht noch', change: 'Adresse ändern', keeps: 'Ihre Vertrauensadresse', off: 'Adresse ausschalten', offTitle: 'Vertrauensadresse ausschalten?', offDo: 'Ausschalten', isOff: 'Die Vertrauensadresse ist aus.', security: 'Zur Sicherheit', signIn: 'Anmelden und ansehen', back: 'Zurücknehmen', backDone: 'Der Link gilt nicht mehr.',
  },
};

for (const [name, w, options] of [
  ['a desk', words.en, {}],
  ['a phone, in German', words.de, { ...phone, locale: 'de-DE' }],
]) {
  test(`the trusted address on ${name}`, async (t) => {
    const who = await member(site.server);
    const second = `second.${who.email}`;
    const third = `third.${who.email}`;
    const seen = new Set();
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    const look = async (what, at = page) => {
      await lightAndDark(at, async (scheme) => {
        await check(at, `${what}, ${scheme}`);
        if (process.env.COFFER_SHOTS) await at.screenshot({ path: path.join(process.env.COFFER_SHOTS, `trusted ${what} on ${name}, ${scheme}.png`), fullPage: true });
      });
    };
    const section = page.getByRole('region', { name: w.section });
    const part = page.getByRole('group', { name: w.part });
    const dialog = page.getByRole('dialog');
    const button = (label) => part.getByRole('button', { name: label, exact: true });
    const title = (text) => page.getByRole('heading', { level: 1, name: text }).waitFor();
    const act = await as(site.server, who);

    await page.goto('/sign-in');
    if (options.locale) await page.locator('.bottom select').first().selectOption('en');
    await signIn(page, who);
    if (options.locale) await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));

    // Without two sign-in steps the page leads to them.
    await page.goto('/security');
    await section.getByText(w.need).waitFor();
    assert.equal(await button(w.set).count(), 0);
    await look('needs two steps');
    await act('/account/email-otp');
    await page.reload();
    await section.getByText(w.needOne).waitFor();
    await section.getByRole('button', { name: w.needDo }).click();
    assert.equal(await page.evaluate(() => document.activeElement.closest('section').querySelector('h2').id), 'totp', 'the focus is at the first step that is off');
    await act('/account/security-question', { question: 'What?', answer: 'nothing at all' }, 'PUT');
    await page.reload();
    await page.getByText(w.none).waitFor();

    // What is typed survives a refusal.
    await button(w.set).click();
    await dialog.getByLabel(w.email).fill(who.email.toUpperCase());
    await look('set');
    await dialog.getByRole('button', { name: w.send }).click();
    await dialog.getByText(w.primary).waitFor();
    assert.equal(await dialog.getByLabel(w.email).inputValue(), who.email.toUpperCase());
    await look('refused');
    await dialog.getByLabel(w.email).fill(second);
    await dialog.getByRole('button', { name: w.send }).click();
    await page.getByText(w.sent).waitFor();
    await part.getByText(w.waits).waitFor();
    const first = (await mail(site.server, second, 'trusted-email', seen)).link;
    await look('waits');
    await button(w.again).click();
    await page.getByText(w.sentAgain).waitFor();
    const { link } = await mail(site.server, second, 'trusted-email', seen);

    // The link may be opened where nobody is signed in; opening it does nothing.
    const mailbox = await open(t, site, { reducedMotion: 'reduce', ...options });
    const posts = watchPosts(mailbox);
    const lookThere = (what) => look(what, mailbox);
    const there = (text) => mailbox.getByRole('heading', { level: 1, name: text }).waitFor();
    for (const at of [first, altered(link)]) {
      await visit(mailbox, at);
      await there(w.gone);
    }
    await lookThere('link gone');
    await visit(mailbox, link.slice(0, -1));
    await there(w.damaged);
    await mailbox.getByRole('link', { name: w.signIn }).waitFor();
    await visit(mailbox, link);
    await there(w.prove);
    await mailbox.reload();
    await there(w.prove);
    assert.deepEqual([...new Set(posts)], ['/auth/trusted-email/verify/check']);
    await lookThere('link');
    await mailbox.getByRole('button', { name: w.proveDo }).click();
    await there(w.proved);
    await mailbox.getByText(w.rest).waitFor();
    await focusComes(mailbox, w.proved);
    await lookThere('link done');
    await visit(mailbox, link);
    await there(w.gone);

    // It rests; a page that comes back into view knows.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await part.getByText(w.rests, { exact: true }).waitFor();
    await part.getByText(second).waitFor();
    await look('rests');

    // Another one: the present one stays until the new one is proven.
    await button(w.change).click();
    await dialog.getByText(second).waitFor();
    await look('change');
    await dialog.getByLabel(w.email).fill(third);
    await dialog.getByRole('button', { name: w.send }).click();
    await part.getByRole('status').getByText(w.keeps).waitFor();
    await look('changes');
    await visit(page, (await mail(site.server, third, 'trusted-email', seen)).link);
    await title(w.prove);
    await page.getByRole('button', { name: w.proveDo }).click();
    await title(w.proved);
    await page.locator('main').getByRole('link', { name: w.security }).click();
    await part.getByText(third).waitFor();

    // Turn it off; the focus stays in the part.
    await button(w.off).click();
    await dialog.getByRole('heading', { name: w.offTitle }).waitFor();
    await look('turn off');
    await dialog.getByRole('button', { name: w.offDo, exact: true }).click();
    await page.getByText(w.isOff).waitFor();
    await button(w.set).waitFor();
    await page.waitForFunction((label) => document.activeElement.textContent === label, w.set);

    // One that waits can be taken back.
    await button(w.set).click();
    await dialog.getByLabel(w.email).fill(second);
    await page.keyboard.press('Enter');
    const last = (await mail(site.server, second, 'trusted-email', seen)).link;
    await button(w.back).click();
    await page.getByText(w.backDone).waitFor();
    await visit(mailbox, last);
    await there(w.gone);
  });
}

test('by keys alone: set, and close with Escape', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  const act = await as(site.server, who);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'What?', answer: 'nothing at all' }, 'PUT');
  await page.goto('/security');
  await page.getByRole('button', { name: 'Set a trusted address' }).waitFor();
  await tabTo(page, 'Set a trusted address');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await focusComes(page, 'E-mail address');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await focusComes(page, 'Set a trusted address', 'the focus comes back');
});

test('without a fresh proof the page shows the masked address, and asks for nothing by itself', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site);
  await signIn(page, who);
  const act = await as(site.server, who);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'What?', answer: 'nothing at all' }, 'PUT');
  await act('/account/trusted-email', { email: `second.${who.email}` }, 'PUT');
  const { link } = await mail(site.server, `second.${who.email}`, 'trusted-email');
  await post(site.server, '/auth/trusted-email/verify', { token: link.split('=')[1] });
  // With an app on, the session that has passed no step needs a proof.
  const { secret } = await act('/account/totp');
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) });
  await page.goto('/security');
  const part = page.getByRole('group', { name: 'Trusted address' });
  await part.getByText('s…\u2060@example.org').waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.ok(!(await page.content()).includes(`second.${who.email}`));
  await part.getByRole('button', { name: 'Show details' }).click();
  const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
  await proof.getByLabel('Password', { exact: true }).fill(who.password);
  await page.keyboard.press('Enter');
  await proof.getByLabel('Code from your authenticator app').fill(totp(secret));
  await proof.getByLabel('Code from the e-mail').fill((await mail(site.server, who.email, 'email-code')).code);
  await proof.getByLabel('What?').fill('nothing at all');
  await page.keyboard.press('Enter');
  await part.getByText(`second.${who.email}`).waitFor();
  await part.getByText('Resting').waitFor();
  await page.waitForFunction(() => document.activeElement.textContent === 'Change the address');
});
