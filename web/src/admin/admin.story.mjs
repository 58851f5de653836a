// The pages for admins: an operator finds a person and helps, takes a link down, blocks a network,
// turns a key, reads the log; and loses the pages with the role.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { check } from '../../test/axe.mjs';
import { as, mail, member, mine, open, signIn, stage, tabTo } from '../../test/browser.mjs';
import { first } from './admin.mjs';

const site = stage();
const skip = process.env.COFFER_E2E_URL && 'the running server keeps its one-time link to itself';
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' };
const shot = (page, name) => process.env.COFFER_SHOTS && page.screenshot({ path: path.join(process.env.COFFER_SHOTS, `admin ${name}.png`), fullPage: true });

let made;
const root = () => (made ??= first(site.server));

const whole = (page) => page.locator('main .skeleton').waitFor({ state: 'detached' });
const heading = (page, name) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const pages = (page, name = 'Admin') => page.getByRole('navigation', { name, exact: true });
const dialog = (page) => page.getByRole('dialog');
const gone = (page) => dialog(page).waitFor({ state: 'detached' });

async function find(page, q) {
  await page.goto('/admin/people');
  await page.getByLabel('E-mail address or username').fill(q);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'What you can do' }).waitFor();
}

// does presses a deed and answers its question.
async function does(page, name) {
  await page.getByRole('button', { name: name + ' …', exact: true }).click();
  await dialog(page).waitFor();
  await check(page, `the question: ${name}`);
  await shot(page, `question ${name}`);
  await dialog(page).getByRole('button', { name, exact: true }).click();
  await gone(page);
}

test('an admin goes through all pages, at a desk by keys and back again', { skip }, async (t) => {
  const { who } = await root();
  const page = await open(t, site);
  await signIn(page, who);
  await mine(page, 'Admin');
  await heading(page, 'Overview');
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  const parts = page.getByRole('region', { name: 'What the server needs' }).getByRole('listitem');
  assert.deepEqual((await parts.allInnerTexts()).map((text) => text.split('\n')[0]), ['Database', 'Key store', 'Storage of files']);
  const names = ['Overview', 'People', 'Storage', 'Blocks', 'Jobs and mail', 'Keys', 'Log'];
  assert.deepEqual(await pages(page).getByRole('link').allInnerTexts(), names);
  await check(page, 'Overview');
  await shot(page, 'overview');
  for (const name of names.slice(1)) {
    await tabTo(page, name);
    await page.keyboard.press('Enter');
    await heading(page, name);
    await whole(page);
    assert.equal(await pages(page).locator('[aria-current=page]').innerText(), name);
    assert.ok((await page.locator('main .card-head .hint').first().innerText()).length > 40, `${name} says what it is for`);
    await check(page, name);
    await shot(page, name);
    await page.evaluate(() => document.activeElement.blur());
  }
  await page.goBack();
  await heading(page, 'Keys');
});

test('an admin finds a person, and each deed does what it says', { skip }, async (t) => {
  const { who } = await root();
  const grace = await member(site.server);
  const seen = new Set();
  const page = await open(t, site);
  await signIn(page, who);
  await page.goto('/admin/people?q=' + encodeURIComponent('nobody' + grace.email));
  await page.getByRole('heading', { name: 'No such account' }).waitFor();
  await check(page, 'nobody');
  await shot(page, 'nobody');
  await find(page, grace.email.toUpperCase());
  assert.equal(new URL(page.url()).searchParams.get('q'), grace.email.toUpperCase());
  const card = page.getByRole('region', { name: grace.username });
  await card.getByText('Active', { exact: true }).waitFor();
  await card.getByText('Password alone').waitFor();
  await check(page, 'a person');
  await shot(page, 'person');

  const theirs = await open(t, site);
  await signIn(theirs, grace);
  await does(page, 'Suspend');
  await card.getByText('Suspended', { exact: true }).waitFor();
  await page.getByText(`The account of ${grace.username} is suspended.`).waitFor();
  await theirs.reload();
  await theirs.getByRole('heading', { level: 1, name: 'Sign in to Coffer' }).waitFor();
  await does(page, 'Activate');
  await card.getByText('Active', { exact: true }).waitFor();
  await signIn(theirs, grace);
  await does(page, 'Sign out');
  await theirs.reload();
  await theirs.getByRole('heading', { level: 1, name: 'Sign in to Coffer' }).waitFor();
  await does(page, 'Start a reset');
  assert.match((await mail(site.server, grace.email, 'reset-password', seen)).link, /\/reset#token=/);

  await does(page, 'Lock');
  await card.getByText('Locked', { exact: true }).waitFor();
  await does(page, 'Unlock');
  await card.getByText('Active', { exact: true }).waitFor();

  // A refused amount stays beside its field; what stays as it is is not sent.
  await page.getByRole('button', { name: 'Change …' }).click();
  await dialog(page).getByLabel('Storage', { exact: true }).selectOption({ label: 'A limit of its own' });
  await dialog(page).getByLabel('Amount').fill('much');
  await dialog(page).getByRole('button', { name: 'Change' }).click();
  await dialog(page).getByText('Enter a number above 0, such as 5 or 1.5.').waitFor();
  await check(page, 'a refused amount');
  await dialog(page).getByLabel('Amount').fill('1,5');
  await shot(page, 'quota');
  await dialog(page).getByRole('button', { name: 'Change' }).click();
  await gone(page);
  await card.getByText('0 bytes of 1.5 GB').waitFor();

  await does(page, 'Make an admin');
  await card.getByText('Admin', { exact: true }).waitFor();

  // The log has it all, with names.
  await page.getByRole('link', { name: 'What was done with this account' }).click();
  await heading(page, 'Log');
  const lines = page.getByRole('region', { name: 'Log' }).getByRole('listitem');
  await lines.first().waitFor();
  const texts = (await lines.allInnerTexts()).map((text) => text.split('\n').filter(Boolean));
  assert.deepEqual(texts.map(([first]) => first), ['Role changed', 'Storage limit changed', 'Account unlocked', 'Account locked', 'Reset started', 'All devices signed out', 'Suspension lifted', 'Account suspended'].map((a) => `${a} · ${grace.username}`));
  assert.deepEqual(texts.slice(0, 2).map(([, second]) => second), ['Now an admin', 'Storage: 1.5 GB']);
  for (const line of texts) assert.ok(line.at(-1).startsWith(`by ${who.username} (127.0.0.1)`), line.at(-1));
  await check(page, 'Log');
  await shot(page, 'log of a person');
  await page.getByRole('link', { name: 'Findings' }).click();
  await page.getByRole('heading', { name: 'Nothing yet' }).waitFor();
  await page.goBack();
  await lines.first().waitFor();
});

test('a role that is taken away ends the pages for admins, at the next click', { skip }, async (t) => {
  const { act } = await root();
  const alan = await member(site.server);
  const { items: [{ id }] } = await act('/admin/accounts?q=' + alan.username, undefined, 'GET');
  const page = await open(t, site, phone);
  await signIn(page, alan);
  await page.goto('/admin');
  await page.getByRole('heading', { level: 1, name: 'This page is for admins' }).waitFor();
  await check(page, 'no admin');
  await shot(page, 'stranger on a phone');
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await dialog(page).getByText('Security').waitFor();
  assert.equal(await dialog(page).getByText('Admin', { exact: true }).count(), 0);
  await page.keyboard.press('Escape');

  await act('/admin/accounts/' + id, { role: 'admin' }, 'PATCH');
  await page.goto('/files');
  await heading(page, 'Files');
  await mine(page, 'Admin');
  await heading(page, 'Overview');
  await page.goto('/admin/people/' + id);
  await page.getByText('This is your own account.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Suspend …' }).count(), 0, 'nobody suspends themself');
  await page.getByRole('button', { name: 'Start a reset …' }).click();
  await dialog(page).waitFor();

  await act('/admin/accounts/' + id, { role: 'user' }, 'PATCH');
  await dialog(page).getByRole('button', { name: 'Start a reset' }).click();
  await heading(page, 'Files');
  await page.getByText('Your account is no longer an admin.').waitFor();
  await gone(page);
});

test('a link that was reported is taken down, and a connection is ended', { skip }, async (t) => {
  const { who } = await root();
  const grace = await member(site.server);
  const hers = await as(site.server, grace);
  const folder = await hers('/files/folders', { name: 'Album', parent: '' });
  const link = await hers(`/files/${folder.id}/shares`, { kind: 'read' });
  const secret = link.url.split('/').pop();
  const guest = () => fetch(`${site.server.url}/v1/public/shares/${secret}`).then((r) => r.status);
  const drop = await fetch(site.server.url + '/v1/drops', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }).then((r) => r.json());
  const page = await open(t, site);
  await signIn(page, who);
  await page.goto('/admin/storage');
  const down = page.getByRole('region', { name: 'Take down a link' });
  await down.getByLabel('Address of the link').fill(link.url.slice(0, -3) + 'xyz');
  await down.getByRole('button', { name: 'Find the link' }).click();
  await down.getByRole('alert').waitFor();
  await down.getByLabel('Address of the link').fill(link.url);
  await down.getByRole('button', { name: 'Find the link' }).click();
  await down.getByRole('link', { name: grace.username }).waitFor();
  assert.equal(await page.getByText('Album').count(), 0, 'no name of a file');
  await down.getByRole('button', { name: 'Block …' }).click();
  await check(page, 'the question before a link is blocked');
  await dialog(page).getByRole('button', { name: 'Block', exact: true }).click();
  await gone(page);
  await down.getByText('Blocked', { exact: true }).waitFor();
  assert.equal(await guest(), 404);
  await check(page, 'a blocked link');
  await shot(page, 'storage');
  await down.getByRole('button', { name: 'Unblock …' }).click();
  await dialog(page).getByRole('button', { name: 'Unblock', exact: true }).click();
  await gone(page);
  await down.getByText('Works', { exact: true }).waitFor();
  assert.equal(await guest(), 200);

  const end = page.getByRole('region', { name: 'End a connection' });
  await end.getByLabel('Name of the connection').fill(drop.name);
  await end.getByRole('button').click();
  await dialog(page).getByRole('heading', { name: `End the connection “${drop.name}”?` }).waitFor();
  await dialog(page).getByRole('button', { name: 'End connection' }).click();
  await page.getByText(`The connection “${drop.name}” is over.`).waitFor();
  assert.equal(await fetch(`${site.server.url}/v1/drops/${drop.name}`).then((r) => r.status), 404);
});

test('a network is blocked with a reason, and a removal is undone', { skip }, async (t) => {
  const { who, act } = await root();
  const page = await open(t, site);
  await signIn(page, who);
  await page.goto('/admin/blocks');
  await page.getByRole('heading', { name: 'Nothing is blocked' }).waitFor();
  await page.getByRole('button', { name: 'Block a network' }).click();
  const add = async (network, reason) => {
    await dialog(page).getByLabel('Address or network').fill(network);
    await dialog(page).getByLabel('Reason').fill(reason);
    await page.keyboard.press('Enter');
  };
  await add('127.0.0.0/8', 'me');
  await dialog(page).getByRole('alert').waitFor();
  await check(page, 'a refused network');
  await shot(page, 'refused network');
  await add('203.0.113.7', 'Tries passwords, seen in the log on Monday');
  await gone(page);
  const item = page.getByRole('region', { name: 'Blocks' }).getByRole('listitem').filter({ hasText: '203.0.113.7' });
  await item.getByText('Tries passwords, seen in the log on Monday').waitFor();
  await check(page, 'Blocks');
  await shot(page, 'blocks');
  const list = async () => (await act('/admin/blocks', undefined, 'GET')).items;
  const [before] = await list();
  assert.ok(Math.abs(Date.parse(before.expires_at) - Date.now() - 86400e3) < 300e3, before.expires_at);
  await item.getByRole('button', { name: 'Remove the block of 203.0.113.7' }).click();
  await page.getByRole('heading', { name: 'Nothing is blocked' }).waitFor();
  assert.deepEqual(await list(), []);
  await page.getByRole('button', { name: 'Undo' }).click();
  await item.waitFor();
  const [after] = await list();
  assert.deepEqual([after.network, after.reason, after.expires_at], [before.network, before.reason, before.expires_at]);
  await act('/admin/blocks/' + after.id, undefined, 'DELETE');
});

test('a key is rotated behind a fresh proof, and the page shows it', { skip }, async (t) => {
  const { who, act } = await root();
  const page = await open(t, site, phone);
  await signIn(page, who);
  await page.goto('/admin/keys');
  let stale = true;
  await page.route('**/v1/admin/keys', (route) => {
    if (!stale || route.request().method() !== 'POST') return route.continue();
    stale = false;
    return route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ status: 403, code: 'step_up_required' }) });
  });
  await page.getByRole('button', { name: 'Rotate: Mailed codes and links' }).click();
  await dialog(page).getByRole('heading', { name: 'Rotate the key “Mailed codes and links”?' }).waitFor();
  await check(page, 'the question before a rotation');
  await dialog(page).getByRole('button', { name: 'Rotate', exact: true }).click();
  const proof = page.getByRole('dialog', { name: 'Confirm it is you' });
  await proof.getByLabel('Password', { exact: true }).fill(who.password);
  await proof.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('A new key is in use: Mailed codes and links.').waitFor();
  await page.getByRole('listitem').filter({ hasText: 'Mailed codes and links' }).getByText('1 older key still opens what it sealed').waitFor();
  const { keys } = await act('/admin/keys', undefined, 'GET');
  assert.deepEqual(keys.filter((key) => key.purpose === 'code').map((key) => key.state).sort(), ['active', 'open-only']);
  await check(page, 'Keys');
  await shot(page, 'keys on a phone');
});
