// The story of codes by text message: set up with a first code, be asked, change, turn off.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, focusComes, member, mine, open, signIn, stage, tabTo, text } from '../../test/browser.mjs';

const site = stage({ COFFER_CODE_COOLDOWN: '2s', COFFER_LIMIT_SMS_ADDRESS: '500/1h' });
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let numbers = 0;
const number = () => '+4917012345' + String(10 + numbers++);
const national = (e164) => '0' + e164.slice(3, 6) + ' ' + e164.slice(6);
const other = (code) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const section = (page) => page.getByRole('region', { name: /^Codes by text message/ });
const dialog = (page, name) => page.getByRole('dialog', { name });
const field = (at) => at.getByLabel('Code from the text message');

async function seen(page, name) {
  await check(page, name);
  if (process.env.COFFER_SHOTS) await page.screenshot({ path: path.join(process.env.COFFER_SHOTS, name.replace(/\W+/g, '-') + '.png') });
}

// withPhone sets a telephone up through the API.
async function withPhone(who) {
  const act = await as(site.server, who);
  const to = number();
  const read = new Set();
  await act('/account/sms', { phone: to });
  await act('/account/sms/confirm', { code: (await text(site.server, to, read)).code });
  return { to, read };
}

async function begin(page, who) {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByLabel('Remember this device').check();
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await field(page).waitFor();
}

for (const [where, options] of [['a desk', { colorScheme: 'light' }], ['a phone', { ...phone, colorScheme: 'dark' }]]) {
  test(`set a phone up, change it and turn it off, on ${where}`, async (t) => {
    const who = await member(site.server);
    const page = await open(t, site, { ...options, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'] });
    await signIn(page, who);
    await mine(page, 'Security');
    await section(page).getByText('none reaches a phone').waitFor();
    await section(page).getByRole('button', { name: 'Turn on text message codes' }).click();
    const first = dialog(page, 'Set up codes by text message');
    await focusComes(page, 'Phone number');

    // The app that protects more is offered first, and its set-up opens from here.
    await first.getByText('An authenticator app protects you better').waitFor();
    await first.getByRole('button', { name: 'Set up the app instead' }).click();
    await dialog(page, 'Set up your authenticator app').getByRole('img').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 1);
    await page.keyboard.press('Escape');
    await section(page).getByRole('button', { name: 'Turn on text message codes' }).click();

    // What is no number is refused beside its field, and stays.
    const to = number();
    const read = new Set();
    const typed = first.getByLabel('Phone number');
    await first.getByLabel('Country').selectOption('DE');
    await typed.fill('01');
    await first.getByRole('button', { name: 'Send the code' }).click();
    await first.getByText('This is no phone number.').waitFor();
    assert.equal(await typed.inputValue(), '01');
    await typed.fill(national(to));
    await first.getByText(`The code goes to ${to}.`).waitFor();
    await seen(page, `set-up of a number on ${where}`);
    await first.getByRole('button', { name: 'Send the code' }).click();
    await first.getByText('We sent a code to +49').waitFor();
    await first.getByText('Text messages can be read on their way').waitFor();
    await focusComes(page, 'Code from the text message');
    await seen(page, `first code on ${where}`);

    // Another code may be asked for after a while. The older one is void then.
    const old = (await text(site.server, to, read)).code;
    await first.getByRole('button', { name: /^Send another code in/ }).waitFor();
    await first.getByRole('button', { name: 'Send another code', exact: true }).click();
    await first.getByText('A new code is on its way.').waitFor();
    await focusComes(page, 'Code from the text message');
    const { code } = await text(site.server, to, read);
    await field(first).fill(old === code ? other(code) : old);
    await first.getByRole('alert').getByText('That code is not right.').waitFor();
    await page.evaluate((c) => navigator.clipboard.writeText(` ${c.slice(0, 3)}-${c.slice(3)} \n \n  `), code);
    await field(first).focus();
    await page.keyboard.press('Control+v');
    await first.waitFor({ state: 'detached' });
    await section(page).getByText(`+49 ••• ••${to.slice(-2)}`).waitFor();
    await section(page).getByText('On since').waitFor();
    await section(page).getByText('not used yet').waitFor();
    await seen(page, `a phone is set up on ${where}`);

    // Another number: the old one stays in force until the new one is proved.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await section(page).getByRole('button', { name: 'Change the number' }).click();
    const change = dialog(page, 'Change your phone number');
    await change.getByLabel('Country').selectOption('DE');
    await change.getByLabel('Phone number').fill(to);
    await change.getByRole('button', { name: 'Send the code' }).click();
    const proof = dialog(page, 'Confirm it is you'); // with the phone, now that it is set up
    await proof.getByLabel('Password', { exact: true }).fill(who.password);
    await proof.getByRole('button', { name: 'Confirm' }).click();
    await proof.getByText('Step 2 of 2: Code by text message').waitFor();
    await seen(page, `a fresh proof on ${where}`);
    await field(proof).fill((await text(site.server, to, read)).code);
    await proof.waitFor({ state: 'detached' });
    await change.getByRole('alert').getByText('Codes are sent to this number already.').waitFor();
    const next = number();
    await change.getByLabel('Phone number').fill(next);
    await change.getByRole('button', { name: 'Send the code' }).click();
    await change.getByText('Your old number stays in use until then.').waitFor();
    await seen(page, `a new number on ${where}`);
    await change.getByRole('button', { name: 'Use another number' }).click();
    assert.equal(await change.getByLabel('Phone number').inputValue(), next);
    await page.keyboard.press('Escape');
    await section(page).getByText(`+49 ••• ••${to.slice(-2)}`).waitFor();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await section(page).getByRole('button', { name: 'Change the number' }).click();
    await change.getByLabel('Country').selectOption('DE');
    await change.getByLabel('Phone number').fill(next);
    await text(site.server, next, read);
    await change.getByRole('button', { name: 'Send the code' }).click();
    await field(change).fill((await text(site.server, next, read)).code);
    await change.waitFor({ state: 'detached' });
    await section(page).getByText(`+49 ••• ••${next.slice(-2)}`).waitFor();

    // Turning off asks, and asks again when the ways back in would end.
    await page.route('**/v1/account/sms', (route) => route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'recovery_needs_two_layers' }) }), { times: 1 });
    await section(page).getByRole('button', { name: 'Turn off text message codes' }).click();
    await dialog(page, 'Turn off codes by text message?').getByRole('button', { name: 'Turn off' }).click();
    const both = dialog(page, 'Turn off your ways back in too?');
    await both.waitFor();
    const call = page.waitForRequest((r) => r.method() === 'DELETE' && r.url().includes('/v1/account/sms'));
    await both.getByRole('button', { name: 'Turn all off' }).click();
    assert.equal(new URL((await call).url()).search, '?recovery=off');
    await section(page).getByRole('button', { name: 'Turn on text message codes' }).waitFor();
  });

  test(`sign in with a code by text message, on ${where}`, async (t) => {
    const who = await member(site.server);
    const { to, read } = await withPhone(who);
    const page = await open(t, site, { ...options, reducedMotion: 'reduce' });
    await begin(page, who);
    await page.getByRole('heading', { name: 'One more step' }).waitFor();
    await page.getByText('Step 2 of 2: Code by text message').waitFor();
    await page.getByText(`We sent a code to +49 ••• ••${to.slice(-2)}.`).waitFor();
    await page.getByText('none reaches a phone').waitFor();
    await focusComes(page, 'Code from the text message');
    assert.equal(await field(page).getAttribute('autocomplete'), 'one-time-code');
    assert.equal(await field(page).getAttribute('inputmode'), 'numeric');
    const first = (await text(site.server, to, read)).code;
    await seen(page, `the step on ${where}`);

    // Another code, with the keyboard alone.
    await page.getByRole('button', { name: 'Send another code', exact: true }).waitFor();
    await tabTo(page, 'Send another code');
    await page.keyboard.press('Enter');
    await page.getByText('A new code is on its way.').waitFor();
    const { code } = await text(site.server, to, read);

    // A code that is over says what to do; the sign-in goes on.
    await page.route('**/v1/auth/attempts/*/sms', (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', body: JSON.stringify({ status: 410, code: 'code_expired' }) }), { times: 1 });
    await page.keyboard.type(first === code ? other(code) : first);
    await page.getByRole('alert').getByText('Send yourself another code.').waitFor();
    await seen(page, `a code that is over on ${where}`);

    // Five wrong codes end the attempt: it begins again with what was typed.
    for (let tries = 0; tries < 5; tries++) {
      await field(page).fill(String((Number(code) + 1 + tries) % 1_000_000).padStart(6, '0'));
      await page.getByRole('alert').getByText('That code is not right.').waitFor();
      await page.waitForFunction(() => document.querySelector('form').getAttribute('aria-busy') === 'false');
    }
    await field(page).fill(code);
    await page.getByRole('alert').getByText('Too many wrong codes, or too late. Please sign in again.').waitFor();
    assert.equal(await page.getByLabel('E-mail or username').inputValue(), who.username);
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), who.password);
    assert.equal(await page.getByLabel('Remember this device').isChecked(), true);
    await seen(page, `begin again on ${where}`);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await field(page).waitFor();
    const { code: last } = await text(site.server, to, read);
    await field(page).fill(`${last.slice(0, 3)} ${last.slice(3)}`);
    await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
    await mine(page, 'Security');
    await section(page).getByText('last used').waitFor();
  });
}

test('in German, with the country that the browser tells', async (t) => {
  const who = await member(site.server);
  const page = await open(t, site, { locale: 'de-AT' });
  await page.goto('/sign-in');
  await page.locator('[name=identifier]').fill(who.username);
  await page.locator('[name=password]').fill(who.password);
  await page.locator('main .button.primary').click();
  await page.waitForURL('**/files');
  await page.goto('/security');
  const here = page.getByRole('region', { name: /^Codes per SMS/ });
  await here.getByText('keine erreicht ein Telefon').waitFor();
  await here.getByRole('button', { name: 'SMS-Codes einschalten' }).click();
  const set = page.getByRole('dialog', { name: 'Codes per SMS einrichten' });
  assert.equal(await set.getByLabel('Land').inputValue(), 'AT');
  await set.getByLabel('Telefonnummer').fill('0660 123456');
  await set.getByText('Der Code geht an +43660123456.').waitFor();
  await seen(page, 'German set-up');
});

test('a server that caps messages says from when on', async (t) => {
  const who = await member(site.server);
  await withPhone(who);
  // Each sign-in sends a message until the account has had its ten.
  for (let n = 0; n < 10; n++) await as(site.server, who);
  const page = await open(t, site);
  await begin(page, who);
  await page.getByText('No text message could be sent to your phone just now').waitFor();
  await page.getByText(/You can ask for one from .+\./).waitFor();
  await page.getByRole('button', { name: /^Send another code in/ }).waitFor();
});
