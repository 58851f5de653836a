// Requests of a session are signed, and a stolen token is of no use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drop, follows, make, member, mine, open, row, signIn, stage, tree } from '../../test/browser.mjs';

const site = stage({ COFFER_ACCESS_TTL: '12s' });

// calls collects the requests to the API that carry a session.
function calls(page) {
  const seen = [];
  page.context().on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/v1/')) seen.push(request);
  });
  return seen;
}

// open to all: these calls belong to no session.
const free = /^\/v1\/(settings|auth\/sign-in|auth\/attempts\/.*)$/;

function signedAll(seen) {
  const nonces = new Set();
  const paths = new Set();
  // Before its sign-in a browser has nothing to sign with.
  for (const request of seen.slice(seen.findIndex((r) => r.url().endsWith('/auth/sign-in')))) {
    const { pathname } = new URL(request.url());
    const headers = request.headers();
    if (free.test(pathname)) continue;
    paths.add(`${request.method()} ${pathname.replace(/[0-9a-f-]{36}/, '{id}')}`);
    const input = headers['signature-input'];
    assert.ok(input && headers.signature, `${request.method()} ${pathname} is not signed`);
    assert.match(input, /^proof=\("@method" "@target-uri"( "authorization")?( "content-digest")?\);created=\d+;nonce="[^"]+";keyid="[\w-]{22}";alg="hmac-sha256"$/);
    assert.equal(input.includes('"authorization"'), 'authorization' in headers, `${pathname}: the token`);
    if (/json/.test(headers['content-type'] ?? '')) assert.ok(input.includes('"content-digest"'), `${pathname}: the body`);
    const nonce = /nonce="([^"]+)"/.exec(input)[1];
    assert.ok(!nonces.has(nonce), 'a nonce was used twice');
    nonces.add(nonce);
  }
  return paths;
}

test('every call of a walk through the app is signed', async (t) => {
  const page = await open(t, site);
  const seen = calls(page);
  await signIn(page, await member(site.server));
  await drop(page, [tree(t, { 'letter ä.txt': 'hello' }) + '/letter ä.txt']);
  await row(page, 'letter ä.txt').waitFor();
  await make(page, 'New folder');
  await page.getByRole('dialog').getByRole('textbox').fill('Papers');
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
  await row(page, 'Papers').waitFor();
  await page.getByRole('button', { name: 'Actions for letter ä.txt' }).click();
  const saved = await follows(page, 'download', () => page.getByRole('menuitem', { name: 'Download' }).click());
  assert.equal(saved.suggestedFilename(), 'letter ä.txt');
  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
  await page.reload(); // the first refresh is signed with the key that the browser kept
  await page.getByText('This device').waitFor();
  const second = await page.context().newPage();
  await second.goto('/security');
  await second.getByText('This device').waitFor();
  await second.close();
  await mine(page, 'Sign out');
  await page.getByRole('link', { name: 'Sign in' }).first().waitFor();
  const paths = signedAll(seen);
  for (const wanted of ['GET /v1/account', 'GET /v1/changes', 'POST /v1/files', 'GET /v1/files/{id}/content', 'POST /v1/auth/refresh', 'POST /v1/auth/sign-out']) {
    assert.ok([...paths].some((path) => path === wanted), `${wanted} is not among ${[...paths].join(', ')}`);
  }
});

test('a bare copy of the token, and a copy of a whole request, are refused', async (t) => {
  const page = await open(t, site);
  const seen = calls(page);
  await signIn(page, await member(site.server));
  const request = seen.find((r) => new URL(r.url()).pathname === '/v1/account');
  const headers = request.headers();
  const bare = await fetch(site.server.url + '/v1/account', { headers: { Authorization: headers.authorization } });
  assert.equal(bare.status, 401);
  assert.equal((await bare.json()).code, 'invalid_proof');
  const copy = { Authorization: headers.authorization, 'Signature-Input': headers['signature-input'], Signature: headers.signature };
  assert.equal((await fetch(site.server.url + '/v1/account', { headers: copy })).status, 401);
  // The cookie alone is worth nothing either, and its refusal ends nothing.
  const cookies = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  assert.equal((await fetch(site.server.url + '/v1/auth/refresh', { method: 'POST', headers: { Cookie: cookies } })).status, 401);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('a wrong clock of the browser locks nobody out', async (t) => {
  const page = await open(t, site);
  await page.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() - 3_600_000;
  });
  await signIn(page, await member(site.server));
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
});

test('without its key the browser is signed out', async (t) => {
  const page = await open(t, site);
  await signIn(page, await member(site.server));
  await page.evaluate(() => new Promise((resolve) => {
    indexedDB.open('coffer').onsuccess = (event) => {
      const db = event.target.result;
      const change = db.transaction('keys', 'readwrite');
      change.objectStore('keys').delete('proof');
      change.oncomplete = () => (db.close(), resolve());
    };
  }));
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in to Coffer' }).waitFor();
});

test('at another name of this host the app works as well', async (t) => {
  const page = await open(t, { browser: site.browser, server: { ...site.server, url: site.server.url.replace('localhost', '127.0.0.1') } });
  await signIn(page, await member(site.server));
  await mine(page, 'Security');
  await page.getByText('This device').waitFor();
});
