// What an operator meets at night: mail that was given up, a server that is not well, long names;
// in the dark, in German, on a phone.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { open, person, post, signIn, stage } from '../../test/browser.mjs';
import { first, mailServer, until } from './admin.mjs';

const mails = mailServer();
const site = stage(mails.then(({ url }) => ({ COFFER_SMTP_URL: url, COFFER_MAIL_FROM: 'Coffer <coffer@example.org>' })));
after(async () => (await mails).stop());
const skip = process.env.COFFER_E2E_URL && 'the running server keeps its one-time link to itself';
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `operator ${name}.png`), fullPage: true });

let made;
const root = () => (made ??= first(site.server));
const whole = (page) => page.locator('main .skeleton').waitFor({ state: 'detached' });

test('mail that was given up is told first, with its reason, and is sent again', { skip }, async (t) => {
  const mail = await mails;
  const { who, act } = await root();
  const dead = (count) => until(async () => (await act('/admin/jobs?state=dead', undefined, 'GET')).items.length === count);
  const page = await open(t, site);
  await signIn(page, who);
  await dead(1); // the mail that tells of the new device
  await post(site.server, '/auth/sign-up', person());
  await dead(2);
  await page.goto('/admin');
  const glance = page.getByRole('region', { name: '1 thing needs you' });
  await glance.getByText('2 jobs have been given up').waitFor();
  await check(page, 'Overview with dead jobs');
  await shot(page, 'dead jobs');
  await glance.getByRole('link', { name: 'See the jobs' }).click();
  const items = page.getByRole('region', { name: 'Given up' }).getByRole('listitem');
  await items.first().getByText('Send a mail').waitFor();
  await items.first().getByText('The mail server refused the receiver’s address. (mail rcpt 550)').waitFor();
  await items.first().getByText(/^1 attempt\s· ordered now\s· given up now$/).waitFor();
  await check(page, 'Jobs');
  await shot(page, 'jobs');
  mail.refuses = false;
  await items.first().getByRole('button', { name: 'Try again: Send a mail' }).click();
  await page.getByText('1 job is tried again.').waitFor();
  await until(() => mail.taken === 1);
  await page.reload();
  await items.first().waitFor();
  assert.equal(await items.count(), 1);
  await items.getByRole('button').click();
  await page.getByRole('heading', { name: 'No job has been given up' }).waitFor();
  await until(() => mail.taken === 2);
  await page.getByRole('link', { name: 'Waiting' }).click();
  await page.getByRole('heading', { name: 'Nothing waits' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'No job has been given up' }).waitFor();
});

// What a story cannot make in a second: an answer of the server for each page.
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const id = '0193a2b4-7c11-7d2e-9f00-1a2b3c4d5e6f';
const long = { id, username: 'ada.lovelace-of-the-very-long-username-here', email: 'ada.'.repeat(12) + 'lovelace@analytical-engines.example.org', status: 'active', role: 'admin', created_at: ago(9e6), signed_in_at: ago(7200) };
const kept = { accounts: { active: 1190, deactivated: 9, suspended: 4, deleting: 1, admins: 3 }, bytes: 4.2e11, reserved: 3e9, files: 88112, folders: 9021, blobs: 80200, drops: 4, shares: { read: 318, request: 21, blocked: 2 } };
const answers = {
  '/admin/overview': { version: '0.14.0', time: ago(0), checks: { blobs: 'unavailable', database: 'ok', kv: 'ok' }, queue: { waiting: 14, running: 2, dead: 3, oldest_seconds: 5400 }, usage: kept },
  '/admin/accounts': { items: [long, { ...long, id: id.replace('0', '1'), username: 'bob', email: 'bob@example.org', status: 'suspended', role: 'user' }] },
  ['/admin/accounts/' + id]: { ...long, first_name: 'Ada', last_name: 'Lovelace', layers: ['totp', 'email_otp'], passkeys: 2, sessions: 3, locked: true, suspended: false, links: 12, usage: { bytes: 4.7e9, files: 1280, folders: 90, reserved: 0, quota_bytes: 5e9, quota_files: 2000, own_quota_bytes: true, own_quota_files: false } },
  '/admin/usage': kept,
  '/admin/blocks': { items: [
    { id: '1', network: '203.0.113.7/32', reason: 'calls over the limits', automatic: true, created_at: ago(600), expires_at: ago(-3000) },
    { id: '2', network: '2001:db8:85a3:8d3:1319:8a2e:370:7348/128', reason: 'A scraper that ignores every limit; wrote to abuse@example.net on Monday, no answer so far', automatic: false, created_at: ago(3e5), expires_at: null },
  ] },
  '/admin/jobs': { items: [
    { id: '1', kind: 'mail', state: 'dead', attempts: 16, failure: 'mail greeting 535', created_at: ago(9e4), run_at: null, dead_at: ago(6e4) },
    { id: '2', kind: 'something.that-has-no-words', state: 'dead', attempts: 1, failure: 'permanent', created_at: ago(9e5), run_at: null, dead_at: ago(8e5) },
  ] },
  '/admin/keys': {
    keys: ['token', 'session', 'field', 'blob', 'index', 'pepper', 'refresh', 'code'].flatMap((purpose, i) => [
      { purpose, id: 'a' + i, state: 'active', alg: 'secret-256', created_at: ago(9e4 * i), active_at: ago(9e4 * i), retired_at: null, destroyed_at: null },
      ...(purpose === 'field' ? [{ purpose, id: 'b', state: 'open-only', alg: 'secret-256', created_at: ago(1e7), active_at: ago(1e7), retired_at: ago(2e5), destroyed_at: null }] : []),
    ]),
    walks: [{ name: 'field', purpose: 'field', key_id: 'a2', done: 1200, damaged: 1, waiting: 0, started_at: ago(60), finished_at: null }],
  },
  '/admin/events': { items: [
    { id: 9, at: ago(60), action: 'account.quota', actor: { kind: 'admin', account: { id, username: long.username }, address: '2001:db8:85a3:8d3:1319:8a2e:370:7348', console: '' }, account: { id, username: 'bob' }, target: '', data: { bytes: '5000000000', files: 'setting' } },
    { id: 8, at: ago(600), action: 'key.rotate', actor: { kind: 'console', account: null, address: '', console: 'root' }, account: null, target: 'pepper', data: {} },
    { id: 12, at: ago(700), action: 'block.add', actor: { kind: 'console', address: '', console: 'root' }, target: '0193a2b4-7c11-7d2e-9f00-1a2b3c4d5e6f', data: { network: '2001:db8:85a3:8d3:1319:8a2e:370:7348/128', reason: 'A scraper that ignores every limit', expires_at: ago(-9e4) } },
    { id: 11, at: ago(800), action: 'key.destroy', actor: { kind: 'console', address: '', console: 'root' }, target: 'field 0123456789abcdef', data: {} },
    { id: 10, at: ago(850), action: 'client.add', actor: { kind: 'console', address: '', console: 'root' }, target: '0193a2b4-7c11-7d2e-9f00-1a2b3c4d5e6f', data: { name: 'Photo prints' } },
    { id: 7, at: ago(900), action: 'found.refresh-reuse', actor: { kind: 'server', account: null, address: '', console: '' }, account: { id, username: '' }, target: '', data: {} },
    { id: 5, at: ago(950), action: 'found.security-alert', actor: { kind: 'server', address: '', console: '' }, account: { id, username: 'bob' }, target: '', data: { rules: 'new_place impossible_travel' } },
    { id: 4, at: ago(960), action: 'found.recovery-used', actor: { kind: 'server', address: '', console: '' }, account: { id, username: 'bob' }, target: '', data: { method: 'trusted_email' } },
    { id: 6, at: ago(990), action: 'log.damaged', actor: { kind: 'server', account: null, address: '', console: '' }, account: null, target: '', data: {} },
  ] },
};

for (const [name, options] of [
  ['a desk in the dark', { colorScheme: 'dark' }],
  ['a phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
]) {
  test(`all pages of a busy server on ${name}, in German`, { skip }, async (t) => {
    const { who } = await root();
    const page = await open(t, site, { reducedMotion: 'reduce', ...options });
    await signIn(page, who);
    await page.evaluate(() => localStorage.setItem('coffer.lang', 'de'));
    await page.route('**/v1/admin/**', (route) => route.fulfill({ json: answers[new URL(route.request().url()).pathname.slice(3)] }));
    for (const at of ['/admin', '/admin/people', '/admin/people/' + id, '/admin/storage', '/admin/blocks', '/admin/jobs', '/admin/keys', '/admin/log']) {
      await page.goto(at);
      await page.locator('main .admin-rows, main .admin-figures').first().waitFor();
      await whole(page);
      const box = await page.locator('.admin-pages [aria-current]').boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= page.viewportSize().width, `${at}: the page's own tab is in sight`);
      if (options.isMobile) {
        for (const button of await page.locator('main :is(.button, .admin-pages a, .admin-tabs a)').all()) assert.ok((await button.boundingBox()).height >= 43.9, `${at}: ${await button.innerText()}`);
      }
      if (at === '/admin/log') {
        const rows = (await page.locator('main .admin-row').allInnerTexts()).map((text) => text.split('\n').filter(Boolean));
        const about = (name) => rows.find(([first]) => first === name)?.[1];
        assert.match(about('Netz gesperrt'), /^2001:db8:85a3:8d3:1319:8a2e:370:7348\/128 · A scraper that ignores every limit · bis \d/);
        assert.equal(about('Schlüssel vernichtet'), 'Namen und Adressen · 0123456789abcdef');
        assert.equal(about('Ressourcenserver hinzugefügt'), 'Photo prints');
        assert.equal(about('Ein Weg zurück wurde benutzt · bob'), 'Vertraute Adresse');
      }
      await check(page, at);
      await shot(page, `${at.replace(id, 'one').replace(/\W+/g, ' ')} ${name}`);
    }
  });
}
