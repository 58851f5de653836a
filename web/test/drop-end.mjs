// A page that holds the drop's API and nothing else, for stories of the protocol. It has the policy
// of the app's page and the built worker.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import { follows, open, openAtHome } from './browser.mjs';
import { src } from './load.mjs';

let bundled;

const script = () => (bundled ??= execFileSync('go', ['tool', 'esbuild', '--bundle', '--format=esm', '--target=es2022', '--loader=ts', '--log-level=error'], {
  cwd: src, maxBuffer: 32 << 20, input: `import * as api from './drop/drop'; globalThis.drops = api;`,
}));

// endPage opens such a page in a context of its own, in a browser of its own with a profile on disk
// (`home`), or beside another page.
export async function endPage(t, site, { beside, home, ...options } = {}) {
  const page = beside ? await beside.context().newPage() : await (home ? openAtHome : open)(t, site, options);
  const served = await fetch(site.server.url + '/', { headers: { Accept: 'text/html' } });
  const policy = served.headers.get('Content-Security-Policy');
  const nonce = /'nonce-(\w+)'/.exec(policy)[1];
  const worker = /content="(\/assets\/drop-worker\.js[^"]*)"/.exec(await served.text())[1];
  page.toEnd = async () => {
    await page.route('**/drop-end', (route) => route.fulfill({
      contentType: 'text/html', headers: { 'Content-Security-Policy': policy },
      body: `<!doctype html><meta name="drop-worker" content="${worker}"><title>drop</title><input type="file" multiple><script nonce="${nonce}" type="module" src="/drop-end.js"></script>`,
    }));
    await page.route('**/drop-end.js', (route) => route.fulfill({ contentType: 'text/javascript', body: script() }));
    await page.goto('/drop-end');
    await page.waitForFunction(() => globalThis.drops);
    await page.unroute('**/drop-end'); // with a route, each byte of the page passes through the test's hands
    await page.unroute('**/drop-end.js');
  };
  await page.toEnd();
  return page;
}

// begin runs openDrop, joinDrop or resumeDrop; the drop is `drop` in the page from then on.
export const begin = (page, how, ...args) => page.evaluate(async ([how, args]) => {
  globalThis.drop = await drops[how](...args);
  return globalThis.drop !== undefined;
}, [how, args]);

export const state = (page) => page.evaluate(() => drop.state.value);

// comes waits until the state is as a function of it says, and answers it.
export async function comes(page, is, arg, timeout = 30_000) {
  for (const until = Date.now() + timeout; ;) {
    const now = await state(page);
    if (is(now, arg)) return now;
    if (Date.now() > until) throw new Error(`the state never was ${is} ${JSON.stringify(arg)}: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

// opened is a host that is in.
export async function opened(t, site, options) {
  const page = await endPage(t, site, options);
  await begin(page, 'openDrop');
  return { page, ...(await comes(page, (s) => s.phase === 'in')) };
}

// joined is a guest that is in.
export async function joined(t, site, { name, code, secret = code }, options) {
  const page = await endPage(t, site, options);
  await begin(page, 'joinDrop', name, secret);
  await comes(page, (s) => s.phase === 'in');
  return page;
}

// offer offers files that lie on the disk, through the page's input.
export async function offer(page, paths) {
  await page.locator('input').setInputFiles(paths);
  await page.evaluate(async () => {
    await drop.offer(await drops.offeredFrom(document.querySelector('input').files));
    document.querySelector('input').value = '';
  });
}

// item waits for an item of that name.
export async function item(page, name, timeout) {
  const { items } = await comes(page, (s, name) => s.items.some((i) => i.name === name), name, timeout);
  return items.find((i) => i.name === name);
}

// take takes an item and waits until it is whole.
export async function take(page, name, timeout) {
  const { id } = await item(page, name);
  await page.evaluate((id) => drop.take(id), id);
  await whole(page, id, timeout);
  return id;
}

export const whole = (page, id, timeout) => comes(page, (s, id) => s.incoming.some((i) => i.item === id && (i.state === 'verified' || i.state === 'saved' || i.state === 'broken')), id, timeout).then((s) => {
  const { state, why } = s.incoming.find((i) => i.item === id);
  if (state === 'broken') throw new Error('broken: ' + why);
});

// saved saves an item as a download and answers where the file lies.
export async function saved(page, id) {
  const download = await follows(page, 'download', () => page.evaluate((id) => drop.save(id), id));
  return { name: download.suggestedFilename(), path: await download.path() };
}

export async function sha256(path) {
  const hash = crypto.createHash('sha256');
  for await (const piece of fs.createReadStream(path, { highWaterMark: 4 << 20 })) hash.update(piece);
  return hash.digest('hex');
}

// line is a way to the server that a story can slow down and cut. Its pages are told another port.
export async function line(t, site) {
  const { port, hostname } = new URL(site.server.url);
  const open = new Set();
  const way = { rate: Infinity, up: true };
  const proxy = net.createServer((from) => {
    if (!way.up) return from.destroy();
    const to = net.connect(port, hostname);
    for (const [a, b] of [[from, to], [to, from]]) {
      open.add(a);
      a.on('error', () => b.destroy());
      a.on('close', () => (open.delete(a), b.destroy()));
      a.on('end', () => b.end());
    }
    from.on('data', (data) => to.write(data));
    to.on('data', (data) => {
      from.write(data);
      if (way.rate === Infinity) return;
      to.pause();
      setTimeout(() => to.resume(), (data.length / way.rate) * 1000);
    });
  });
  await new Promise((resolve) => proxy.listen(0, hostname, resolve));
  t.after(() => {
    way.cut();
    proxy.close();
  });
  way.cut = () => {
    way.up = false;
    for (const socket of open) socket.destroy();
  };
  way.site = { ...site, server: { ...site.server, url: `http://localhost:${proxy.address().port}` } };
  return way;
}
