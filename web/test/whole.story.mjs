// One person's way through the whole of an account, in the order in which a person asks for
// it: sign up, sessions, the four sign-in steps, the ways back in. The numbers are those of
// docs/coverage.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earlyInStep, mail, mine, open, person, stage, text, totp, visit } from './browser.mjs';

const site = stage({ COFFER_CODE_COOLDOWN: '1s', COFFER_LIMIT_SMS_ADDRESS: '500/1h', COFFER_LIMIT_SMS_NUMBER: '100/1h', COFFER_LIMIT_SMS_ACCOUNT: '100/1h', COFFER_TRUSTED_COOLDOWN: '0s' });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('one account, from the sign-up to the last way back in', async (t) => {
  const seen = new Set();
  const who = person();
  const number = '+49170' + String(Date.now()).slice(-8);
  const question = 'Which boat did we sail?';
  const mailed = (kind, to = who.email) => mail(site.server, to, kind, seen);
  let page = await open(t, site);
  let secret;

  // The next step begins where one ends, so a failure ends the story.
  async function step(name, fn) {
    let done = false;
    await t.test(name, async () => {
      await fn();
      done = true;
    });
    assert.ok(done, name);
  }
  const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();
  const button = (name, at = page) => at.getByRole('button', { name, exact: true });
  const dialog = (name) => page.getByRole('dialog', { name });
  const region = (name) => page.getByRole('region', { name });
  const toast = (message) => page.getByText(message).first().waitFor();

  // enter gives the credentials; what comes then is for the caller to see.
  async function enter({ remember } = {}) {
    await page.goto('/sign-in');
    await page.getByLabel('E-mail or username').fill(who.email);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    if (remember) await page.getByLabel('Remember this device').check();
    await button('Sign in').click();
  }

  // anew is a browser that the server has never seen.
  async function anew() {
    page = await open(t, site);
  }

  const fields = {
    mailed: () => page.getByLabel('Code from the e-mail'),
    sent: () => page.getByLabel('Code from the text message'),
    app: () => page.getByLabel('Code from your authenticator app'),
    question: () => page.getByLabel(question),
  };
  const passMailed = async () => fields.mailed().fill((await mailed('email-code')).code);
  const passSent = async () => fields.sent().fill((await text(site.server, number, seen)).code);
  async function passQuestion() {
    await fields.question().fill('THE  red one');
    await button('Continue').click();
  }

  await step('(1) sign up', async () => {
    await page.goto('/sign-up');
    for (const [label, value] of [['First name', who.first_name], ['Last name', who.last_name], ['Username', who.username], ['E-mail', who.email]]) await page.getByLabel(label).fill(value);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    await button('Create an account').click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  });

  await step('(2) verify the address', async () => {
    await visit(page, (await mailed('verify-email')).link);
    await button('Confirm my e-mail').click();
    await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  });

  await step('(3) sign in', async () => {
    await enter();
    await heading('Files');
  });

  await step('(4) sign out', async () => {
    await mine(page, 'Sign out');
    await toast('You are signed out');
    await page.goto('/files');
    await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
  });

  await step('(5) deactivate', async () => {
    await enter();
    await heading('Files');
    await mine(page, 'Account');
    await region('Deactivate my account').getByRole('button').click();
    await button('Deactivate', dialog('Deactivate your account?')).click();
    await heading('Your account is deactivated');
    await enter();
    await toast('deactivated');
  });

  await step('(6) activate again', async () => {
    await page.goto('/activate');
    await page.getByLabel('E-mail or username').fill(who.email);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    await button('Send the link').click();
    await visit(page, (await mailed('activate')).link);
    await page.locator('main .button.primary').click();
    await heading('Files');
  });

  await step('(7) delete, and sign up afresh with the same names', async () => {
    await page.goto('/account/delete');
    await page.getByLabel('Your username').fill(who.username);
    await button('Delete my account for good').click();
    const proof = dialog('Confirm it is you');
    const gone = page.getByRole('heading', { level: 1, name: 'Your account is deleted' });
    await proof.or(gone).first().waitFor();
    if (await proof.isVisible()) {
      await proof.getByLabel('Password', { exact: true }).fill(who.password);
      await button('Confirm', proof).click();
    }
    await gone.waitFor();
    await mailed('account-deleted');
    await enter();
    await toast('Wrong e-mail, username or password.');
    await page.goto('/sign-up');
    for (const [label, value] of [['First name', who.first_name], ['Last name', who.last_name], ['Username', who.username], ['E-mail', who.email]]) await page.getByLabel(label).fill(value);
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    await button('Create an account').click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await page.getByLabel('Code from the mail').fill((await mailed('verify-email')).code);
    await button('Confirm my e-mail').click();
    await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
    await enter();
    await heading('Files');
  });

  await step('(8) change the password', async () => {
    await mine(page, 'Security');
    await button('Change password').click();
    const change = dialog('Change password');
    await change.getByLabel('Current password').fill(who.password);
    who.password = 'eleven quiet engines';
    await change.getByLabel('New password').fill(who.password);
    await button('Change password', change).click();
    await toast('Your password is changed');
  });

  await step('(9) say that the password is forgotten', async () => {
    await anew();
    await page.goto('/forgot');
    await page.getByLabel('E-mail').fill(who.email);
    await button('Send the link').click();
    await heading('Look into your mailbox');
  });

  await step('(10) set a new one with the mailed link, and be in', async () => {
    await visit(page, (await mailed('reset-password')).link);
    who.password = 'a lantern in the long grass';
    await page.getByLabel('New password', { exact: true }).fill(who.password);
    await button('Set the new password').click();
    await heading('Files');
  });

  await step('(11) the session goes on with new tokens', async () => {
    const refreshed = page.waitForResponse((r) => r.url().endsWith('/v1/auth/refresh'));
    await page.reload();
    assert.equal((await refreshed).status(), 201);
    await heading('Files');
  });

  await step('(12) see every device', async () => {
    const here = page;
    await anew();
    await enter();
    await heading('Files');
    page = here;
    await mine(page, 'Security');
    await page.locator('.device').nth(1).waitFor();
    assert.equal(await page.getByText('This device').count(), 1);
  });

  await step('(13) end one of them', async () => {
    await page.locator('.device').nth(1).getByRole('button', { name: /^Actions for/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await button('Sign out', page.getByRole('dialog')).click();
    await page.locator('.device').nth(1).waitFor({ state: 'detached' });
  });

  await step('(14, 15) an authenticator app: its secret as text and as a picture', async () => {
    await button('Turn on').click();
    const setUp = dialog('Set up your authenticator app');
    assert.ok(await setUp.getByRole('img', { name: /^QR code/ }).evaluate(async (img) => (await img.decode(), img.naturalWidth > 20)));
    secret = (await setUp.locator('code').textContent()).replace(/\s/g, '');
    assert.match(secret, /^[A-Z2-7]{32}$/);
  });

  await step('(16) confirm it with a code', async () => {
    await earlyInStep();
    await fields.app().fill(totp(secret, 1)); // leaves this step's code for the sign-in
    await button('Turn off').waitFor();
  });

  await step('(18) be asked for it at sign-in', async () => {
    await anew();
    await enter();
    await page.getByRole('heading', { name: 'One more step' }).waitFor();
    await fields.app().fill(totp(secret));
    await heading('Files');
  });

  await step('(17) turn it off', async () => {
    await mine(page, 'Security');
    await button('Turn off').click();
    await button('Turn off', dialog('Turn off the authenticator app?')).click();
    await button('Turn on').waitFor();
  });

  await step('(19) codes by e-mail', async () => {
    await button('Turn on e-mail codes').click();
    await button('Turn off e-mail codes').waitFor();
  });

  await step('(22) send another code', async () => {
    await anew();
    await enter();
    await fields.mailed().waitFor();
    const first = await mailed('email-code');
    await button('Send another code').click();
    await toast('A new code is on its way.');
    await fields.mailed().fill(first.code);
    await page.getByRole('alert').getByText('newest e-mail').waitFor();
  });

  await step('(20) give the code', async () => {
    await passMailed();
    await heading('Files');
  });

  await step('(23) codes by text message', async () => {
    await mine(page, 'Security');
    await button('Turn on text message codes').click();
    const setUp = dialog('Set up codes by text message');
    await setUp.getByLabel('Phone number').fill(number);
    await button('Send the code', setUp).click();
    await setUp.getByText('We sent a code to +49').waitFor();
  });

  await step('(25) send another code in set-up', async () => {
    await text(site.server, number, seen);
    await button('Send another code').click();
    await toast('A new code is on its way.');
  });

  await step('(24) prove the number', async () => {
    await passSent();
    await button('Turn off text message codes').waitFor();
  });

  await step('(27, 29) a code at sign-in, and another one', async () => {
    await anew();
    await enter();
    await fields.mailed().waitFor();
    await passMailed();
    await fields.sent().waitFor();
    await text(site.server, number, seen);
    await button('Send another code').click();
    await toast('A new code is on its way.');
  });

  await step('(28) give the code', async () => {
    await passSent();
    await heading('Files');
  });

  await step('(30) a security question', async () => {
    await mine(page, 'Security');
    await button('Set a question').click();
    const set = page.getByRole('dialog');
    await set.getByLabel('Your question').fill('Which street?');
    await set.getByLabel('Answer', { exact: true }).fill('A quiet one');
    await button('Set a question', set).click();
    await toast('The security question is on.');
  });

  await step('(31) change question, answer and hint', async () => {
    await button('Change the question').click();
    const change = page.getByRole('dialog');
    await change.getByLabel('Your question').fill(question);
    await change.getByLabel('Answer', { exact: true }).fill('The red one');
    await change.getByLabel('Hint').fill('at the lake');
    await button('Save', change).click();
    await toast('The security question is changed.');
  });

  await step('(33) answer it at sign-in, after everything else', async () => {
    await anew();
    await enter();
    await fields.mailed().waitFor();
    await passMailed();
    await fields.sent().waitFor();
    await passSent();
    await page.getByText('Your hint: at the lake').waitFor();
    await passQuestion();
    await heading('Files');
  });

  await step('(34) see what is on', async () => {
    await mine(page, 'Security');
    for (const name of ['Turn on', 'Turn off e-mail codes', 'Turn off text message codes', 'Turn off the question']) await button(name).waitFor();
  });

  const part = (name) => page.getByRole('group', { name });
  const codes = () => part('Backup codes');
  async function listed(box) {
    await box.locator('ol li').nth(9).waitFor();
    return box.locator('ol li > :first-child').allTextContents();
  }
  let kept;

  await step('(36, 38) ten backup codes, which count once they are saved', async () => {
    await button('Make backup codes', codes()).click();
    const save = dialog('Save your backup codes');
    assert.equal((await listed(save)).length, 10);
    await button('I have saved these codes', save).click();
    await toast('Your backup codes are on.');
  });

  await step('(35) show them again', async () => {
    await button('Show codes', codes()).click();
    assert.equal((await listed(dialog('Your backup codes'))).length, 10);
  });

  await step('(37) make new ones', async () => {
    await button('Make new codes', dialog('Your backup codes')).click();
    const save = dialog('Save your new backup codes');
    kept = await listed(save);
    await button('I have saved these codes', save).click();
    await toast('Your new backup codes are on.');
  });

  const trusted = () => part('Trusted address');
  const [first, second] = ['first', 'second'].map((name) => `${name}.${who.username}@example.net`);

  async function setTrusted(press, title, address) {
    await button(press, trusted()).click();
    await dialog(title).getByLabel('E-mail address').fill(address);
    await button('Send the link', dialog(title)).click();
    await toast('We sent a link to the new address.');
  }

  async function proveTrusted(address) {
    await visit(page, (await mailed('trusted-email', address)).link);
    await button('Confirm this address').click();
    await heading('Your trusted address is confirmed');
    await sleep(1_100); // the page knows the server's time in seconds
    await page.goto('/security');
    await trusted().getByText('On', { exact: true }).waitFor();
  }

  await step('(41, 42) no trusted address yet: set one', async () => {
    await trusted().getByText('Off', { exact: true }).waitFor();
    await setTrusted('Set a trusted address', 'Set a trusted address', first);
  });

  await step('(44) verify it with the mailed link', () => proveTrusted(first));

  await step('(43) change it', async () => {
    await setTrusted('Change the address', 'Change the trusted address', second);
    await proveTrusted(second);
    await mailed('security-notice', first); // the one before is told
  });

  await step('(40) back in with a backup code, from a step that cannot be done', async () => {
    await anew();
    await enter();
    await Promise.all([mailed('email-code'), text(site.server, number, seen)]); // not for a later sign-in
    await page.getByRole('link', { name: 'Can’t do this?' }).click();
    await heading('Get back into your account');
    await page.getByLabel('Password', { exact: true }).fill(who.password);
    await page.getByLabel('Backup code', { exact: true }).fill(kept[0]);
    await button('Continue').click();
    await heading('Repair your account');
    for (const to of [second, who.email]) await mailed('recovery', to); // every address is told
    await region('Codes by text message').getByRole('button', { name: 'Turn off' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
    await button('Turn on text message codes').waitFor();
    who.password = 'four engines, one of them loud';
    await page.getByLabel('New password', { exact: true }).fill(who.password);
    await button('Set the new password').click();
    await button('Done').click();
    await heading('Files');
  });

  await step('(46) ask for a link to the trusted address', async () => {
    await anew();
    await page.goto('/recover');
    await page.getByLabel('E-mail or username').fill(who.username);
    await page.getByRole('radio', { name: 'My trusted address' }).check();
    await button('Send the link').click();
    await heading('Look into your mailbox');
  });

  await step('(47) set a new password with it, pass the sign-in steps, and be in', async () => {
    await visit(page, (await mailed('recovery', second)).link);
    await button('Continue').click();
    await heading('Repair your account');
    who.password = 'five lanterns, all of them lit';
    await page.getByLabel('New password', { exact: true }).fill(who.password);
    await button('Set the new password').click();
    await fields.mailed().waitFor();
    await passMailed();
    await passQuestion();
    await heading('Files');
  });

  await step('(45) turn the trusted address off', async () => {
    await page.goto('/security');
    await button('Turn off the address', trusted()).click();
    await button('Turn off', dialog('Turn off the trusted address?')).click();
    await toast('The trusted address is off.');
  });

  await step('(39) turn the backup codes off', async () => {
    await button('Turn off backup codes', codes()).click();
    await button('Turn off', dialog('Turn off backup codes?')).click();
    await toast('Backup codes are off.');
  });

  await step('(26) turn codes by text message on and off', async () => {
    await button('Turn on text message codes').click();
    const setUp = dialog('Set up codes by text message');
    await setUp.getByLabel('Phone number').fill(number);
    await button('Send the code', setUp).click();
    await passSent();
    await button('Turn off text message codes').waitFor();
    await anew(); // a step like this is turned off by somebody who has passed it
    await enter();
    await fields.mailed().waitFor();
    await passMailed();
    await fields.sent().waitFor();
    await passSent();
    await passQuestion();
    await heading('Files');
    await mine(page, 'Security');
    await button('Turn off text message codes').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
    await button('Turn on text message codes').waitFor();
  });

  await step('(32) turn the question off', async () => {
    await button('Turn off the question').click();
    await button('Turn off', page.getByRole('dialog')).click();
    await toast('The security question is off.');
  });

  await step('(21) turn codes by e-mail off: the password is enough again', async () => {
    await button('Turn off e-mail codes').click();
    await button('Turn off', page.getByRole('dialog')).click();
    await button('Turn on e-mail codes').waitFor();
    await anew();
    await enter();
    await heading('Files');
  });
});
