// The ways back without a sign-in step, the repair of the account, and the link that stops it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { altered, as, earlyInStep, focusComes, focused, mail, member, open, post, signIn, stage, tabTo, totp, visit, watchPosts } from '../../test/browser.mjs';

const site = stage({ COFFER_TRUSTED_COOLDOWN: '0s', COFFER_RECOVERY_WAIT: '6s' });
const calm = stage({ COFFER_TRUSTED_COOLDOWN: '0s' }); // the wait is also the life of the link that stops
const hasty = stage({ COFFER_RECOVERY_TTL: '8s', COFFER_ACCESS_TTL: '16s' });

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const fresh = 'a lantern in the long grass';

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const headed = (page) => page.waitForFunction(() => document.activeElement.tagName === 'H1');
const part = (page, name) => page.getByRole('region', { name });

// mailed waits for a recovery mail whose link has that part: the link of a way back, or the one
// that stops it.
async function mailed(to, part, seen = new Set(), at = site) {
  for (;;) {
    const found = await mail(at.server, to, 'recovery', seen);
    if (found.link.includes(part)) return found;
  }
}

const token = (link) => new URLSearchParams(new URL(link).hash.slice(1)).get('token');

// equipped is a member with every way back and an authenticator app.
async function equipped(at = site) {
  const who = await member(at.server);
  const act = await as(at.server, who);
  await act('/account/email-otp');
  await act('/account/security-question', { question: 'Which boat?', answer: 'The red one' }, 'PUT');
  const { codes } = await act('/account/backup-codes');
  await act('/account/backup-codes/confirm');
  const trusted = `${who.username}.trusted@example.net`;
  await act('/account/trusted-email', { email: trusted }, 'PUT');
  await post(at.server, '/auth/trusted-email/verify', { token: token((await mail(at.server, trusted, 'trusted-email')).link) });
  const { secret } = await act('/account/totp');
  await earlyInStep();
  await act('/account/totp/confirm', { code: totp(secret, 1) });
  return { ...who, codes, trusted, secret };
}

// layers lists what a sign-in with that password still asks.
async function layers(who, password = who.password) {
  const response = await fetch(site.server.url + '/v1/auth/sign-in', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ identifier: who.username, password }) });
  assert.equal(response.status, 202, `sign-in answers ${response.status}`);
  return (await response.json()).layers.map((l) => l.layer).sort();
}

async function comeBack(page, who, { code = who.codes[0], password = who.password } = {}) {
  await page.goto('/recover');
  await page.locator('[name=identifier]').fill(who.username);
  await page.locator('[name=code]').fill(code);
  if (password) await page.locator('[name=password]').fill(password);
  else await page.getByRole('checkbox').check();
  await page.locator('main [type=submit]').click();
}

const words = {
  'en-GB': {
    signIn: 'Sign in', cannot: 'Can’t do this?', recover: 'Get back into your account', mine: 'My trusted address', code: 'Backup code', password: 'Password', go: 'Continue', used: 'This backup code was used already.', twelve: 'A backup code has 12 digits.',
    wrong: 'That code is not right.', repair: 'Repair your account', app: 'Authenticator app', off: 'Turn off', on: 'Turn on', typed: 'Code from your authenticator app', waits: 'One step to your files', ready: 'Everything as it should be?', done: 'Done', files: 'Files', menu: ['Language and appearance', 'API', 'Sign out'],
  },
  'de-DE': {
    signIn: 'Anmelden', cannot: 'Geht das nicht?', recover: 'Zurück in Ihr Konto', mine: 'Meine Vertrauensadresse', code: 'Notfallcode', password: 'Passwort', go: 'Weiter', used: 'Dieser Notfallcode wurde schon benutzt.', twelve: 'Ein Notfallcode hat 12 Ziffern.',
    wrong: 'Dieser Code stimmt nicht.', repair: 'Konto reparieren', app: 'Authenticator-App', off: 'Ausschalten', on: 'Einschalten', typed: 'Code aus Ihrer Authenticator-App', waits: 'Noch ein Schritt zu Ihren Dateien', ready: 'Alles, wie es sein soll?', done: 'Fertig', files: 'Dateien', menu: ['Sprache und Aussehen', 'API', 'Abmelden'],
  },
};

for (const [where, options] of [['a desk', { locale: 'en-GB' }], ['a phone', { ...phone, locale: 'de-DE' }]]) {
  test(`a lost app: from the sign-in step to the files with password and backup code, on ${where}`, async (t) => {
    const who = await equipped();
    const w = words[options.locale];
    const page = await open(t, site, options);
    await page.goto('/sign-in');
    await page.locator('[name=identifier]').fill(who.username);
    await page.locator('[name=password]').fill(who.password);
    await page.locator('[name=password]').press('Enter');
    await page.getByRole('link', { name: w.cannot }).click();
    await heading(page, w.recover);
    const identifier = page.locator('[name=identifier]');
    assert.equal(await identifier.inputValue(), who.username, 'what was typed at the sign-in is there');

    // A reload keeps what was typed, but for what is secret.
    await page.getByRole('radio', { name: w.mine }).check();
    assert.equal(await page.locator('[name=code]').count(), 0);
    await page.reload();
    assert.equal(await page.getByRole('radio', { name: w.mine }).isChecked(), true);
    assert.equal(await identifier.inputValue(), who.username);
    await page.getByRole('radio', { name: w.code }).check();
    await page.getByLabel(w.password, { exact: true }).fill(who.password);
    const code = page.getByLabel(w.code, { exact: true });
    await code.fill('1234 5678');
    await page.getByRole('button', { name: w.go }).click();
    await page.getByText(w.twelve).waitFor();
    const wrong = who.codes.includes('000000000000') ? '000000000001' : '000000000000';
    await code.fill(wrong);
    await page.getByRole('button', { name: w.go }).click();
    await page.getByText(w.wrong).waitFor();
    assert.equal(await page.getByLabel(w.password, { exact: true }).inputValue(), who.password);
    assert.ok(await page.evaluate((secrets) => !secrets.some((s) => JSON.stringify([sessionStorage, localStorage, history.state]).includes(s)), [who.password, wrong]), 'secrets stay in memory');
    await code.fill(who.codes[0].replace(/(.{4})(?=.)/g, '$1-'));
    await page.getByRole('button', { name: w.go }).click();

    await heading(page, w.repair);
    await headed(page);
    assert.equal(new URL(page.url()).pathname, '/repair');
    // Nothing is offered that the session may not do, and no address leads past the repair.
    assert.equal(await page.getByRole('navigation').count(), 0);
    await page.locator('.top .avatar').click();
    assert.deepEqual((await page.getByRole('menuitem').allInnerTexts()).map((text) => text.trim()), w.menu);
    await page.keyboard.press('Escape');
    for (const path of ['/files', '/security', '/', '/sign-in', '/repair']) {
      await page.goto(path);
      await heading(page, w.repair);
      assert.equal(new URL(page.url()).pathname, '/repair');
    }
    await page.getByRole('heading', { name: w.waits }).waitFor();
    assert.equal(await page.getByRole('button', { name: w.done, exact: true }).count(), 0);

    const app = part(page, w.app);
    const dialog = page.getByRole('dialog');
    await app.getByRole('button', { name: w.off }).click();
    await dialog.getByRole('button', { name: w.off }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: w.waits }).waitFor();
    await app.getByRole('button', { name: w.on }).click();
    const secret = (await dialog.locator('code').innerText()).replace(/\s/g, '');
    await earlyInStep();
    await dialog.getByLabel(w.typed).fill(totp(secret, 1));
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: w.ready }).waitFor();
    await page.reload(); // the repair goes on until the person is done
    await page.getByRole('button', { name: w.done, exact: true }).click();
    await heading(page, w.files);
    await page.reload();
    await heading(page, w.files);
    assert.deepEqual(await layers(who), ['email_otp', 'security_question', 'totp']);

    const again = await open(t, site, options);
    await comeBack(again, who);
    await again.getByText(w.used).waitFor();
  });
}

test('password and app lost: the mailed link asks for a button, and a new password comes first', async (t) => {
  const who = await equipped();
  const page = await open(t, site);
  await page.goto('/forgot');
  await page.getByRole('link', { name: 'Other ways back in' }).click();
  await heading(page, 'Get back into your account');
  await comeBack(page, who, { password: '' });
  await heading(page, 'Look into your mailbox');
  await headed(page);
  const { link } = await mailed(who.email, '/recover#');
  assert.match(link, /\/recover#token=[\w-]{43}&way=backup-code$/);

  assert.equal((await fetch(link)).status, 200);
  const posts = watchPosts(page);
  await visit(page, link);
  await page.getByText('Your backup code is used up with it.').waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token has left the address bar');
  await page.reload();
  await page.getByText('Your backup code is used up with it.').waitFor();
  assert.deepEqual([...new Set(posts)], ['/auth/recovery/backup-code/confirm/check']);
  await visit(page, altered(link));
  await heading(page, 'This link no longer works');
  await headed(page);
  await page.getByRole('button', { name: 'Start again' }).click();
  await heading(page, 'Get back into your account');
  await headed(page);
  await visit(page, link.replace(/&.*/, '').slice(0, -1) + '&way=backup-code');
  await heading(page, 'This link is not complete');

  await visit(page, link);
  await page.getByRole('button', { name: 'Continue' }).click();
  await heading(page, 'Repair your account');
  const order = await page.locator('main h2').allInnerTexts();
  assert.ok(order.indexOf('Password') < order.indexOf('Sign-in steps'), order.join(' | '));
  await page.getByLabel('New password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await page.getByText('Please use at least').waitFor();
  await page.getByLabel('New password', { exact: true }).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await page.getByText('Your new password is set. You are signed out').waitFor();
  await headed(page);

  // The session is an ordinary one now, and lost steps can still be turned off.
  await part(page, 'Authenticator app').getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await page.getByText('Authenticator app is off.').waitFor();
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await heading(page, 'Files');
  await page.goto('/security');
  await heading(page, 'Security');
  assert.deepEqual(await layers(who, fresh), ['email_otp', 'security_question']);
  await visit(page, link);
  await heading(page, 'This link no longer works');
});

test('the trusted address: a new password, then the steps; after the wait the steps too', async (t) => {
  const who = await equipped();
  const seen = new Set();
  const page = await open(t, site, phone);
  const ask = async () => {
    await page.goto('/recover');
    await page.locator('[name=identifier]').fill(who.email);
    await page.getByRole('radio', { name: 'My trusted address' }).check();
    await page.getByText('the page says when you can come back for them').waitFor();
    await page.getByRole('button', { name: 'Send the link' }).click();
    await heading(page, 'Look into your mailbox');
    const { link } = await mailed(who.trusted, '/recover#', seen);
    assert.match(link, /\/recover#token=[\w-]{43}&way=trusted-email$/);
    await visit(page, link);
    await page.getByText('Press the button to go on.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await heading(page, 'Repair your account');
  };
  await ask();
  const began = Date.now();
  const lost = part(page, 'Lost your sign-in steps too?');
  await lost.getByText(/^Come back from .+ on/).waitFor();
  const said = await lost.innerText();
  await page.reload();
  await lost.getByText(/^Come back from .+ on/).waitFor();
  assert.equal(await lost.innerText(), said, 'a reload knows when too');
  assert.equal(await part(page, 'Authenticator app').count(), 0, 'no step can be turned off');
  await page.getByLabel('New password', { exact: true }).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, '3 more steps');
  await page.getByText('Your new password is set.').waitFor();
  await page.getByRole('link', { name: 'Can’t do this?' }).click();
  await heading(page, 'Get back into your account');

  await new Promise((resolve) => setTimeout(resolve, began + 6500 - Date.now()));
  await ask();
  await page.getByText('Waiting time').waitFor();
  await part(page, 'Authenticator app').getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
  await page.getByText('Authenticator app is off.').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' }); // it closes once the steps are read anew
  await page.getByLabel('New password', { exact: true }).fill(fresh + ' again');
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await page.getByRole('button', { name: 'Done', exact: true }).click();
  await heading(page, 'Files');
});

test('a recovery is stopped by the link of its notice, and the page leads to a new password', async (t) => {
  const who = await equipped(calm);
  const page = await open(t, calm);
  await comeBack(page, who);
  await heading(page, 'Repair your account');
  const { link } = await mailed(who.trusted, '/stop-recovery#', undefined, calm);
  assert.match(link, /\/stop-recovery#token=[\w-]{43}$/);
  const owner = await open(t, calm, phone);
  const posts = watchPosts(owner);
  await visit(owner, altered(link));
  await heading(owner, 'This link no longer works');
  await owner.getByRole('link', { name: 'Set a new password' }).waitFor();
  await visit(owner, link);
  await heading(owner, 'Stop this recovery?');
  await owner.reload();
  await heading(owner, 'Stop this recovery?');
  assert.deepEqual([...new Set(posts)], ['/auth/recovery/stop/check']);
  await owner.getByRole('button', { name: 'Stop the recovery' }).click();
  await heading(owner, 'The recovery is stopped');
  await headed(owner);
  await page.reload();
  await heading(page, 'Sign in to Coffer');
  await page.getByText('The time for repairing your account is over.').waitFor();
  await owner.getByRole('link', { name: 'Set a new password' }).click();
  await heading(owner, 'Forgot your password');
  await visit(owner, link);
  await heading(owner, 'This link no longer works');
});

test('two tabs repair together, and signing out ends both', async (t) => {
  const who = await equipped();
  const page = await open(t, site);
  await comeBack(page, who);
  await heading(page, 'Repair your account');
  const second = await page.context().newPage();
  await second.goto('/files');
  await heading(second, 'Repair your account');
  await page.getByLabel('New password', { exact: true }).fill(fresh);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await second.getByRole('button', { name: 'Done', exact: true }).click();
  await heading(second, 'Files');
  await page.locator('.top .avatar').click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'A safe place for your files' }).waitFor();
  await heading(second, 'Sign in to Coffer');
  await page.goto('/repair');
  await heading(page, 'Sign in to Coffer');
});

test('an ordinary session has nothing to repair', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await page.goto('/repair');
  await heading(page, 'Files');
});

test('the time for the repair runs out: the sign-in says so and knows the way', async (t) => {
  const who = await equipped(hasty);
  const page = await open(t, hasty);
  await comeBack(page, who);
  await heading(page, 'Repair your account');
  await page.getByLabel('New password', { exact: true }).fill(fresh);
  await page.waitForTimeout(9000);
  await page.getByRole('button', { name: 'Set the new password' }).click();
  await heading(page, 'Sign in to Coffer');
  await page.getByText('The time for repairing your account is over.').waitFor();
  await page.getByRole('link', { name: 'Other ways back in' }).click();
  await heading(page, 'Get back into your account');
  await comeBack(page, who, { code: who.codes[1] });
  await heading(page, 'Repair your account');
  await page.waitForTimeout(9000);
  await page.reload();
  await page.getByText('The time for repairing your account is over.').waitFor();
});

test('a deactivated account goes on to its activation, and the code stays good', async (t) => {
  const who = await equipped();
  const page = await open(t, site);
  await page.route('**/v1/auth/recovery/backup-code', (route) => route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ status: 403, code: 'account_deactivated' }) }));
  await comeBack(page, who);
  await heading(page, 'Activate your account');
  await page.getByText('This account is deactivated.').waitFor();
  assert.equal(await page.getByLabel('E-mail or username').inputValue(), who.username);
});

test('recovery by keys alone', async (t) => {
  const who = await equipped();
  const page = await open(t, site);
  const { keyboard } = page;
  await page.goto('/recover');
  await page.locator('[name=identifier]').waitFor();
  await focusComes(page, 'E-mail or username');
  await keyboard.type(who.username);
  await tabTo(page, /^A backup code/);
  await keyboard.press('ArrowDown');
  assert.match(await focused(page), /^My trusted address/);
  await keyboard.press('ArrowUp');
  assert.match(await focused(page), /^A backup code/);
  await tabTo(page, 'Backup code');
  await keyboard.type(who.codes[0]);
  await keyboard.press('Tab');
  await focusComes(page, 'Password');
  await tabTo(page, 'I have no password, or forgot it too');
  await keyboard.press('Space');
  await focusComes(page, 'I have no password, or forgot it too');
  assert.equal(await page.locator('[name=password]').count(), 0);
  await keyboard.press('Space');
  await keyboard.press('Shift+Tab');
  await keyboard.press('Shift+Tab');
  await keyboard.type(who.password);
  await keyboard.press('Enter');
  await heading(page, 'Repair your account');
  await headed(page);
  await tabTo(page, 'New password');
  await keyboard.type(fresh);
  await keyboard.press('Enter');
  await page.getByText('Your new password is set. You are signed out').waitFor();
  await tabTo(page, 'Done');
  await keyboard.press('Enter');
  await heading(page, 'Files');
});
