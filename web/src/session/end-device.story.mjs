// The link in the mail about a new device: two clicks sign it out, without a sign-in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { altered, mail, member, open, signIn, stage, visit, watchPosts } from '../../test/browser.mjs';

const site = stage();

const firefox = { userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const headed = (page) => page.waitForFunction(() => document.activeElement.tagName === 'H1');

// strange signs in on a second device, and returns it with the link of the mail about it.
async function strange(t) {
  const who = await member(site.server);
  await signIn(await open(t, site), who);
  const device = await open(t, site, firefox);
  await signIn(device, who);
  return { who, device, link: (await mail(site.server, who.email, 'new-device')).link };
}

for (const [tag, options, words] of [
  ['en', {}, { title: 'Was this you?', button: 'No, sign this device out', since: 'Signed in', done: 'The device is signed out', again: 'Choose a new password', forgot: 'Forgot your password', gone: 'This link no longer works' }],
  ['de', { ...phone, locale: 'de-DE' }, { title: 'Waren Sie das?', button: 'Nein, dieses Gerät abmelden', since: 'Angemeldet:', done: 'Das Gerät ist abgemeldet', again: 'Neues Passwort wählen', forgot: 'Passwort vergessen', gone: 'Dieser Link gilt nicht mehr' }],
]) {
  test(`a device is signed out in two clicks: ${tag}`, async (t) => {
    const { device, link } = await strange(t);
    assert.ok(link.startsWith(site.server.url + '/end-device#token='), link);
    assert.equal((await fetch(link)).status, 200);
    const page = await open(t, site, options);
    const posts = watchPosts(page);
    await visit(page, altered(link));
    await heading(page, words.gone);
    await headed(page);
    await visit(page, link);
    await heading(page, words.title);
    await page.locator('main .device').getByText('Firefox 140 on Linux').waitFor();
    await page.locator('main .device').getByText(words.since).waitFor();
    await page.reload();
    await page.getByRole('button', { name: words.button }).waitFor();
    assert.deepEqual([...new Set(posts)], ['/auth/end-device/check']);
    await device.reload();
    await heading(device, 'Files');

    await page.getByRole('button', { name: words.button }).click();
    await heading(page, words.done);
    await headed(page);
    await device.reload();
    await heading(device, 'Sign in to Coffer');
    await page.locator('main').getByRole('link', { name: words.again }).click();
    await heading(page, words.forgot);
    await visit(page, link);
    await heading(page, words.gone);
    await page.locator('main').getByRole('link', { name: words.again }).waitFor();
  });
}

test('the page tells a broken link, a busy server, and its own device', async (t) => {
  const { device, link } = await strange(t);
  await device.route('**/v1/changes', (route) => route.abort()); // the page finds out by itself
  await visit(device, link.slice(0, -1));
  await heading(device, 'This link is not complete');
  await device.route('**/v1/auth/end-device/check', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify({ status: 503, code: 'unavailable' }) }), { times: 1 });
  await visit(device, link);
  await device.getByText('The server is busy just now.').waitFor();
  await device.getByRole('button', { name: 'Try again' }).click();
  await device.locator('main .device').waitFor();
  // The answer that it was the owner changes nothing, and uses nothing up.
  await device.getByRole('button', { name: 'Yes, this was me' }).click();
  await heading(device, 'Good, then all is well');
  await headed(device);
  await visit(device, link);
  await device.locator('main .device').waitFor();
  // By keys alone, on the device itself: the frame goes with the session.
  for (let i = 0; i < 30 && (await device.evaluate(() => document.activeElement.textContent.trim())) !== 'No, sign this device out'; i++) await device.keyboard.press('Tab');
  await device.keyboard.press('Enter');
  await heading(device, 'The device is signed out');
  await device.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'detached' });
});
