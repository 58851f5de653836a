// What the browser tests share: a server of their own, its outbox, real Chromium, and
// a page that fails its test when the browser complains.
//
// COFFER_BINARY is the server to start (built here when unset). COFFER_E2E_URL and
// COFFER_E2E_OUTBOX name one that runs already. CHROMIUM is the browser. COFFER_TEST_SLOW=6 gives its
// pages a sixth of the processor, to show stories that depend on speed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { chromium } from 'playwright-core';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

// patience bounds how long a story waits for a state. It is long: a loaded machine stands still for seconds.
const patience = 60_000;

export const password = 'correct horse battery staple';

// start returns a running server with empty data; `stop` ends it.
export async function start(env = {}) {
  if (process.env.COFFER_E2E_URL) return { url: process.env.COFFER_E2E_URL, outbox: process.env.COFFER_E2E_OUTBOX, printed: () => '', stop: async () => {} };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-web-'));
  const port = await freePort();
  const server = spawn(binary(), ['serve'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH, HOME: dir,
      COFFER_ADDR: `127.0.0.1:${port}`, COFFER_DATA: dir,
      COFFER_ARGON2_MEMORY: '1024', COFFER_ARGON2_TIME: '1', COFFER_TOKEN_ALG: 'EdDSA', // the tests are about pages
      ...env,
    },
  });
  let printed = '';
  server.stdout.on('data', (chunk) => (printed += chunk));
  server.stderr.on('data', (chunk) => (printed += chunk));
  const ended = new Promise((resolve) => server.on('exit', resolve));
  const url = `http://localhost:${port}`;
  for (let tries = 0; ; tries++) {
    const alive = await fetch(url + '/healthz').then((r) => r.ok, () => false);
    if (alive) break;
    if (server.exitCode !== null || tries > 400) throw new Error('the server did not start:\n' + printed);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    outbox: path.join(dir, 'outbox'),
    printed: () => printed,
    async stop() {
      server.kill('SIGTERM');
      await ended;
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

let built;

export function binary() {
  if (process.env.COFFER_BINARY) return process.env.COFFER_BINARY;
  if (!built) {
    built = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-bin-')), 'coffer');
    execFileSync('go', ['build', '-o', built, './cmd/coffer'], { cwd: root, env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit' });
    process.on('exit', () => fs.rmSync(path.dirname(built), { recursive: true, force: true }));
  }
  return built;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
    probe.on('error', reject);
  });
}

// Each window would draw pages of the browser's own frame, and each page start a process for the next one:
// half of the processor's time. Of two such switches the last counts, so this one repeats Playwright's.
const unused = ['PreloadTopChromeWebUI', 'WebUITabStrip', 'InitialWebUI', 'WebUIReloadButton', 'WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'SpareRendererForSitePerProcess', 'MultipleSpareRPHs'].concat([
  'AvoidUnnecessaryBeforeUnloadCheckSync', 'DestroyProfileOnBrowserClose', 'HttpsUpgrades', 'HttpsFirstBalancedModeAutoEnable', 'LensOverlay', 'MediaRouter', 'PaintHolding',
  'ThirdPartyStoragePartitioning', 'AvoidCorsURLLoaderRestartOnRedirect', 'OptimizationHints', 'NetworkTimeServiceQuerying', 'AimEnabled', 'PreconnectToSearch',
]);

const launching = () => ({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
    '--renderer-process-limit=1', '--disable-site-isolation-trials', '--disable-features=' + unused.join(),
  ],
});

const launch = () => chromium.launch(launching());

// stage gives a file of stories its server and its browser, from before the first test to
// after the last. The environment may come later.
export function stage(env) {
  const at = {};
  before(async () => {
    at.server = await start(await env);
    at.browser = await launch();
  });
  after(async () => {
    await at.browser?.close();
    await at.server?.stop();
  });
  return at;
}

// open returns a page in a context of its own. When the test ends it fails if the
// page threw, broke its content security policy, or asked anybody but the server. It may go on to
// the sites in `visits`, by navigation alone, and break the rules that `breaks` names.
export async function open(t, { browser, server }, { visits = [], breaks, ...options } = {}) {
  const context = await browser.newContext({ baseURL: server.url, locale: 'en-GB', viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  watch(t, context, server, visits, breaks);
  return slow(await context.newPage());
}

// openAtHome is open in a browser with a profile on disk, as people have one. The other contexts are
// private: what their pages store stays in the browser's memory.
export async function openAtHome(t, { server }, { visits = [], ...options } = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-profile-'));
  const context = await chromium.launchPersistentContext(profile, { ...launching(), baseURL: server.url, locale: 'en-GB', viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  watch(t, context, server, visits);
  t.after(() => fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 }));
  context.on('page', unheard);
  context.pages().forEach(unheard);
  return slow(context.pages()[0] ?? await context.newPage());
}

// unheard spares a page's workers that Playwright copies each frame of their sockets out of the browser: it
// costs more than a transfer does. Playwright has no setting for it.
function unheard(page) {
  page.on('worker', () => {
    const { _sessions } = page._connection.toImpl(page).delegate._networkManager;
    for (const { session, isMain } of _sessions.values()) if (!isMain) session.send('Network.disable').catch(() => {}); // it may end now
  });
}

// slow takes from a page what COFFER_TEST_SLOW says.
async function slow(page) {
  const rate = Number(process.env.COFFER_TEST_SLOW ?? 1);
  if (rate > 1) {
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate });
  }
  return page;
}

function watch(t, context, server, visits, breaks) {
  context.setDefaultTimeout(patience);
  const complaints = [];
  const origin = new URL(server.url).origin;
  context.on('request', (request) => {
    const { origin: to, protocol } = new URL(request.url());
    if (visits.includes(to) && (request.isNavigationRequest() || visits.includes(new URL(request.frame().url()).origin))) return;
    // The last two are the browser's own viewer of PDFs.
    if (to !== origin && !['blob:', 'data:', 'chrome:', 'chrome-extension:'].includes(protocol)) complaints.push('asked somebody else: ' + request.url());
  });
  context.on('weberror', (err) => complaints.push('threw: ' + err.error().stack));
  context.on('console', (message) => {
    const text = message.text();
    if (breaks?.test(text)) return;
    // A refused call is a refused call; everything else on the console is a fault.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push('console: ' + text);
    if (/content security policy/i.test(text)) complaints.push('csp: ' + text);
  });
  t.after(async () => {
    if (t.passed === false) for (const page of context.pages()) t.diagnostic(await shown(page));
    await context.close();
    assert.deepEqual(complaints, []);
  });
}

// shown is what a page showed when its test failed.
async function shown(page) {
  const text = await Promise.race([page.evaluate(() => document.body.innerText), sleep(5000, 'it does not answer')]).catch((err) => err.message);
  return `${page.url()} showed: ${text.replace(/\s*\n\s*/g, ' | ').slice(0, 3000)}`;
}

// follows presses and waits for what the browser says then: 'download', 'filechooser'. The page is asked
// something first: a key may overtake the order to catch its chooser.
export async function follows(page, event, press) {
  const coming = page.waitForEvent(event, { timeout: 0 });
  coming.catch(() => undefined); // the page may close before
  await page.evaluate(() => undefined);
  await press();
  const late = {};
  const came = await Promise.race([coming, sleep(patience, late, { ref: false })]);
  assert.notEqual(came, late, `no ${event} after the press`);
  return came;
}

// mail waits for a message to `to` of that kind that is not in `seen`.
export async function mail(server, to, kind, seen = new Set()) {
  for (let tries = 0; tries < patience / 25; tries++) {
    const files = fs.existsSync(server.outbox) ? fs.readdirSync(server.outbox).filter((f) => f.endsWith('.eml')).sort().reverse() : [];
    for (const file of files) {
      const raw = fs.readFileSync(path.join(server.outbox, file), 'utf8');
      const head = raw.slice(0, raw.search(/\r?\n\r?\n/));
      if (seen.has(file) || !head.toLowerCase().includes(to.toLowerCase()) || !new RegExp(`^X-Coffer-Kind: ${kind}\\r?$`, 'mi').test(head)) continue;
      seen.add(file);
      const text = plain(raw);
      return { link: text.match(/^https?:\/\/\S+$/m)?.[0], code: text.match(/^\d{6,8}$/m)?.[0], text };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no ${kind} for ${to} in ${server.outbox}`);
}

// text waits for a text message to that number that is not in `seen`.
export async function text(server, number, seen = new Set()) {
  for (let tries = 0; tries < patience / 25; tries++) {
    const files = fs.existsSync(server.outbox) ? fs.readdirSync(server.outbox).filter((f) => f.endsWith('.sms') && !seen.has(f)).sort().reverse() : [];
    for (const file of files) {
      const message = JSON.parse(fs.readFileSync(path.join(server.outbox, file), 'utf8'));
      if (message.to !== number) continue;
      seen.add(file);
      return { ...message, code: message.text.match(/^\d{6}\b/)[0] };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no text message to ${number} in ${server.outbox}`);
}

// plain is the text part, decoded.
function plain(raw) {
  const normal = raw.replace(/\r\n/g, '\n');
  const parts = normal.split(/^--\S+$/m);
  const part = parts.find((p) => /content-type: text\/plain/i.test(p) && /\n\n/.test(p)) ?? normal;
  const at = part.search(/\n\n/);
  const [head, body] = [part.slice(0, at), part.slice(at + 2)];
  if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString();
  if (/quoted-printable/i.test(head)) return Buffer.from(body.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1').toString();
  return body;
}

let people = 0;

// person returns the names of somebody new.
export function person() {
  const username = `ada${++people}x${crypto.randomBytes(3).toString('hex')}`;
  return { first_name: 'Ada', last_name: 'Lovelace', username, email: `${username}@example.org`, password };
}

export async function post(server, path, body) {
  const response = await fetch(server.url + '/v1' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

// member signs somebody up through the API.
export async function member(server) {
  const who = person();
  await post(server, '/auth/sign-up', who);
  const { code } = await mail(server, who.email, 'verify-email');
  await post(server, '/auth/verify-email', { email: who.email, code, password: who.password });
  return who;
}

// as returns what does calls as that person through the API, without a browser.
export async function as(server, who) {
  const send = async (path, body, headers, method = 'POST') => {
    const response = await fetch(server.url + '/v1' + path, { method, headers: { 'Content-Type': 'application/json', ...headers }, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const { access_token } = await send('/auth/sign-in', { identifier: who.username, password: who.password });
  return (path, body, method) => send(path, body, { Authorization: 'Bearer ' + access_token }, method);
}

// watchPosts lists the calls of a page that could change something, besides its session's own and
// the question that it puts to passkeys.
export function watchPosts(page) {
  const posts = [];
  page.on('request', (request) => request.method() !== 'GET' && !/\/auth\/(refresh|passkey\/options)$/.test(request.url()) && posts.push(new URL(request.url()).pathname.slice(3)));
  return posts;
}

// altered changes one character in the middle of a link's token.
export const altered = (link) => link.replace(/(#token=.{20})(.)/, (_, before, c) => before + (c === 'A' ? 'B' : 'A'));

// visit opens a link as a mail program does: never on top of the page that it leads to.
export async function visit(page, link) {
  await page.goto('about:blank');
  await page.goto(link);
}

export async function signIn(page, who) {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail or username').fill(who.username);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Files' }).waitFor();
}

// mine opens what stands behind the person's picture; on a phone under "More".
export async function mine(page, name) {
  const picture = page.getByRole('button', { name: /^Account menu/ });
  const more = page.getByRole('button', { name: 'More', exact: true });
  await picture.or(more).click();
  await page.getByRole('menu').or(page.getByRole('dialog')).getByText(name, { exact: true }).click();
}

// make presses an entry of "New".
export async function make(page, name) {
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.getByRole('menu').or(page.getByRole('dialog')).getByText(name, { exact: true }).click();
}

// drop drags what lies at the paths from outside the browser onto the page.
export async function drop(page, paths) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 200, y: 400, data });
  await session.detach();
}

// tree writes files below a fresh folder and answers its path.
export function tree(t, files) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-drop-'));
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    if (content === null) {
      fs.mkdirSync(file, { recursive: true });
      continue;
    }
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// authenticator gives a page what keeps passkeys, as a device with a fingerprint reader does. While
// presence is off, nobody answers it. With presence it answers whatever the browser proposes on a
// sign-in page, before a story can press the button: only with proposes the browser does so.
export async function authenticator(page, { proposes = false, ...options } = {}) {
  if (!proposes) {
    await page.addInitScript(() => {
      if (globalThis.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false;
    });
  }
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...options },
  });
  const send = (what, more) => cdp.send('WebAuthn.' + what, { authenticatorId, ...more });
  return {
    credentials: async () => (await send('getCredentials')).credentials,
    presence: (enabled) => send('setAutomaticPresenceSimulation', { enabled }),
    verified: (isUserVerified) => send('setUserVerified', { isUserVerified }),
    put: (credential) => send('addCredential', { credential }),
    remove: () => send('removeVirtualAuthenticator'),
  };
}

export async function names(page) {
  return page.locator('tbody tr .col-name bdi').allTextContents();
}

// namesCome waits until the list shows these names: a page draws after it has heard.
export async function namesCome(page, want, inAnyOrder = false) {
  const sorted = (list) => (inAnyOrder ? [...list].sort() : list);
  const until = Date.now() + patience;
  while (!isDeepStrictEqual(sorted(await names(page)), sorted(want)) && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(sorted(await names(page)), sorted(want));
}

export const row = (page, name) => page.locator('tbody tr').filter({ has: page.locator('bdi', { hasText: new RegExp('^' + name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$') }) });

// focused is the name of what has the focus.
export const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  return (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent || e.tagName).trim();
});

// focusComes waits until what has the focus is called `name`: a page moves it after it has drawn.
export async function focusComes(page, name, why = '') {
  const until = Date.now() + patience;
  while ((await focused(page)) !== name && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await focused(page), name, why);
}

// tabTo presses Tab until what has the focus is called `name`.
export async function tabTo(page, name) {
  const seen = [];
  for (let i = 0; i < 40; i++) {
    const now = await focused(page);
    if (name instanceof RegExp ? name.test(now) : now === name) return;
    seen.push(now);
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab never reached ${name}: ${seen.join(' | ')}`);
}

// earlyInStep waits for a step's beginning: late in it a code could be one step older when it
// arrives.
export async function earlyInStep() {
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 10_000) await new Promise((resolve) => setTimeout(resolve, left + 100));
}

// totp computes RFC 6238 for a base32 secret; back counts steps into the past.
export function totp(secret, back = 0) {
  const bits = [...secret.replace(/\s|=/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) - back));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
