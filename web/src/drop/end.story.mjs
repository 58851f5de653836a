// The protocol between two browsers, through the built server: sizes, folders, cuts, reloads, a
// server that lies, wrong codes.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { stage, tree } from '../../test/browser.mjs';
import { begin, comes, endPage, item, joined, line, offer, opened, saved, sha256, state, take, whole } from '../../test/drop-end.mjs';
import { unzipped } from '../../test/unzip.mjs';

const limits = { COFFER_LIMIT_DROP_OPEN: '1000/1h', COFFER_LIMIT_DROP_JOIN: '1000/1m', COFFER_LIMIT_DROP_READ: '1000/1m' };
const site = stage(limits);

const chunk = 65_536;

test('files of every size arrive as they were, and both sides say so', async (t) => {
  const host = await opened(t, site);
  assert.match(host.code, /^\d{6}$/);
  const guest = await joined(t, site, host);
  const sizes = { 'empty': 0, 'one': 1, 'below': chunk - 1, 'chunk': chunk, 'above': chunk + 1, 'large.bin': 64 << 20 };
  const dir = tree(t, Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, crypto.randomBytes(size)])));
  await offer(host.page, Object.keys(sizes).map((name) => path.join(dir, name)));
  for (const [name, size] of Object.entries(sizes)) {
    const id = await take(guest, name);
    const got = await saved(guest, id);
    assert.equal(got.name, name);
    assert.equal(fs.statSync(got.path).size, size);
    assert.equal(await sha256(got.path), await sha256(path.join(dir, name)));
    const { outgoing } = await comes(host.page, (s, id) => s.outgoing.some((o) => o.item === id && o.state === 'verified'), id);
    assert.equal(outgoing.find((o) => o.item === id).confirmed, size);
    assert.equal((await state(guest)).incoming.find((i) => i.item === id).state, 'saved');
  }
});

const downloads = (page) => {
  const seen = [];
  page.on('download', (download) => seen.push(download.suggestedFilename()));
  return seen;
};

test('a folder arrives as a zip with its names, its empty folders and its bytes', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`Pictures/sub ${i % 7}/ü ${i}.txt`, 'x'.repeat(i * 37)]));
  const dir = tree(t, { ...many, 'Pictures/top.bin': crypto.randomBytes(300_000), 'Pictures/none.txt': '' });
  await host.page.evaluate(() => (document.querySelector('input').webkitdirectory = true));
  await offer(host.page, path.join(dir, 'Pictures'));
  const offered = await item(guest, 'Pictures');
  assert.deepEqual([offered.kind, offered.files], ['folder', 202]);
  const id = await take(guest, 'Pictures');
  const got = await saved(guest, id);
  assert.equal(got.name, 'Pictures.zip');
  const all = unzipped(got.path);
  for (const name of [...Object.keys(many), 'Pictures/top.bin', 'Pictures/none.txt']) {
    assert.deepEqual(all[name.replace('Pictures/', '')], fs.readFileSync(path.join(dir, name)), name);
  }
});

test('a link lets in without a code, and a wrong link does not', async (t) => {
  const host = await opened(t, site);
  const { name, secret } = await host.page.evaluate((link) => drops.parseLink(link), host.link);
  await joined(t, site, { name, secret });
  const other = await endPage(t, site);
  await begin(other, 'joinDrop', name, 'v1.AAAAAAAAAAAAAAAAAAAAAA');
  assert.equal((await comes(other, (s) => s.phase === 'closed')).refusal, 'wrong_code');
  const { tries, people } = await state(host.page);
  assert.equal(tries, 3, 'a wrong link burns no code');
  assert.equal(people.length, 2);
});

test('the third wrong code burns the code, until its owner draws a new one', async (t) => {
  const host = await opened(t, site);
  const wrong = host.code === '000000' ? '000001' : '000000';
  const attempt = async (code) => {
    const page = await endPage(t, site);
    await begin(page, 'joinDrop', host.name, code);
    const s = await comes(page, (s) => s.phase === 'closed' || s.phase === 'in');
    await page.context().close();
    return s.refusal ?? s.phase;
  };
  for (const left of [2, 1, 0]) {
    assert.equal(await attempt(wrong), 'wrong_code');
    await comes(host.page, (s, left) => s.tries === left, left);
  }
  const burnt = await state(host.page);
  assert.deepEqual([burnt.burnt, burnt.code], [true, undefined]);
  assert.equal(await attempt(host.code), 'too_often', 'the server keeps an address away that guessed three times');
  await host.page.evaluate(() => drop.newCode());
  const { code, tries } = await state(host.page);
  assert.match(code, /^\d{6}$/);
  assert.equal(tries, 3);
});

test('a drop that is not there, a closed one, and a code that is none are told apart', async (t) => {
  const page = await endPage(t, site);
  for (const [name, secret, refusal] of [['no-such-drop', '123456', 'not_found'], ['no-such-drop', 'abc', 'wrong_code']]) {
    await begin(page, 'joinDrop', name, secret);
    assert.equal((await comes(page, (s) => s.phase === 'closed')).refusal, refusal);
  }
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  await host.page.evaluate(() => drop.leave());
  assert.equal((await comes(guest, (s) => s.phase === 'closed')).refusal, 'closed');
  assert.equal(await begin(guest, 'resumeDrop'), false, 'nothing is kept of a drop that is over');
});

test('a cut connection is taken up where it ended', async (t) => {
  const way = await line(t, site);
  const host = await opened(t, site);
  const guest = await joined(t, way.site, host);
  const dir = tree(t, { 'film.bin': crypto.randomBytes(12 << 20) });
  await offer(host.page, [path.join(dir, 'film.bin')]);
  const { id } = await item(guest, 'film.bin');
  way.rate = 3 << 20;
  await guest.evaluate((id) => drop.take(id), id);
  await comes(guest, (s, id) => s.incoming.some((i) => i.item === id && i.done > 2 << 20), id);
  way.cut();
  const cut = await comes(guest, (s, id) => s.phase === 'reconnecting' && s.incoming.find((i) => i.item === id).state === 'retrying', id);
  const held = cut.incoming.find((i) => i.item === id).done;
  assert.ok(held > 2 << 20 && held < 12 << 20, `${held} bytes are held`);
  await comes(host.page, (s) => s.people.some((p) => !p.me && !p.here) && s.outgoing.some((o) => o.state === 'waiting'));
  way.up = true;
  const resumed = await comes(guest, (s, id) => s.incoming.find((i) => i.item === id).state === 'running', id);
  assert.ok(resumed.incoming.find((i) => i.item === id).done >= held, 'what was held is not sent again');
  await comes(host.page, (s, held) => s.outgoing.some((o) => o.state === 'running' && o.confirmed >= held), held);
  way.rate = Infinity;
  await whole(guest, id);
  const got = await saved(guest, id);
  assert.equal(await sha256(got.path), await sha256(path.join(dir, 'film.bin')));
  await comes(host.page, (s) => s.outgoing.some((o) => o.state === 'verified'));
});

test('a page that is loaded anew goes on, as guest and as host', async (t) => {
  const host = await opened(t, site);
  const way = await line(t, site);
  const guest = await joined(t, way.site, host);
  const dir = tree(t, { 'film.bin': crypto.randomBytes(12 << 20), 'other.bin': crypto.randomBytes(9) });
  await offer(host.page, [path.join(dir, 'film.bin')]);
  const { id } = await item(guest, 'film.bin');
  way.rate = 3 << 20;
  await guest.evaluate((id) => drop.take(id), id);
  await comes(guest, (s, id) => s.incoming.some((i) => i.item === id && i.done > 2 << 20), id);
  await guest.toEnd();
  assert.equal(await begin(guest, 'resumeDrop', { name: host.name, host: false }), true);
  const again = await comes(guest, (s, id) => s.incoming.some((i) => i.item === id && i.state === 'running'), id);
  assert.ok(again.incoming[0].done >= 2 << 20, `${again.incoming[0].done} bytes were kept`);

  // The host's page too, while the bytes flow. It has no handle, so it asks for the file again.
  await host.page.toEnd();
  assert.equal(await begin(host.page, 'resumeDrop', { host: true }), true);
  const back = await comes(host.page, (s) => s.phase === 'in' && s.people.length === 2 && s.missing.length === 1);
  assert.deepEqual([back.name, back.code, back.link, back.missing[0].item.name, back.missing[0].ask], [host.name, host.code, host.link, 'film.bin', false]);
  await comes(guest, (s, id) => s.incoming.find((i) => i.item === id).state === 'retrying', id);
  way.rate = Infinity;
  const give = async (name) => {
    await host.page.locator('input').setInputFiles(path.join(dir, name));
    return host.page.evaluate(async (id) => drop.again(id, (await drops.offeredFrom(document.querySelector('input').files))[0]), id);
  };
  assert.equal(await give('other.bin'), false, 'another file is not taken for it');
  assert.equal(await give('film.bin'), true);
  await whole(guest, id, 60_000);
  const got = await saved(guest, id);
  assert.equal(await sha256(got.path), await sha256(path.join(dir, 'film.bin')));
});

test('two tabs of one browser do not run one member', async (t) => {
  const host = await opened(t, site);
  const tab = await endPage(t, site, { beside: host.page });
  assert.equal(await begin(tab, 'resumeDrop'), false, 'the other tab has it');
  await host.page.close();
  assert.equal(await begin(tab, 'resumeDrop'), true);
  assert.equal((await comes(tab, (s) => s.phase === 'in')).code, host.code);
});

test('bytes that the server altered are told, and none reach the downloads', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  const seen = downloads(guest);
  const dir = tree(t, { 'a.bin': crypto.randomBytes(200_000) });
  await offer(host.page, [path.join(dir, 'a.bin')]);
  const { id } = await item(guest, 'a.bin');
  for (const [what, alter] of [
    ['a bit of the second chunk', (b) => (b[b.length - 100_000] ^= 1, b)],
    ['the stream ends early and says it is whole', (b) => Buffer.concat([b.subarray(0, b.lastIndexOf(Buffer.from([2, 0, 0])) - 0), Buffer.from([3, 0, 0, 0, 0])])],
  ]) {
    const answered = new Promise((resolve) => {
      void guest.route('**/stream', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: alter(await response.body()) });
        resolve();
      }, { times: 1 });
    });
    await guest.evaluate((id) => drop.take(id), id);
    await answered;
    await guest.waitForTimeout(500); // the take before was broken too: its state has gone by then
    const broken = await comes(guest, (s, id) => s.incoming.some((i) => i.item === id && i.state === 'broken'), id);
    assert.equal(broken.incoming[0].why, 'tampered', what);
    await assert.rejects(guest.evaluate((id) => drop.save(id), id), /not_verified/);
    assert.ok(!(await state(host.page)).outgoing.some((o) => o.state === 'verified'), what);
  }
  assert.deepEqual(seen, []);
  // The next take goes on, and an honest server brings the rest.
  await guest.evaluate((id) => drop.take(id), id);
  await comes(guest, (s, id) => s.incoming.some((i) => i.item === id && i.state === 'verified'), id);
  assert.equal(await sha256((await saved(guest, id)).path), await sha256(path.join(dir, 'a.bin')));
});

test('guests offer too, names are shown clean, and what is withdrawn is gone', async (t) => {
  const host = await opened(t, site);
  const [one, two] = [await joined(t, site, host), await joined(t, site, host)];
  await one.evaluate(() => drop.offer([{ name: 'inv\u202Efdp.exe', kind: 'file', files: [{ path: 'x', file: new File(['hello'], 'x') }] }, { name: '../x', kind: 'file', files: [{ path: 'x', file: new File(['evil'], 'x') }] }]));
  await item(two, 'inv_fdp.exe');
  const { id: evil } = await item(two, '../x');
  await two.evaluate((id) => drop.take(id), evil);
  assert.equal((await comes(two, (s, id) => s.incoming.some((i) => i.item === id && i.state === 'broken'), evil)).incoming[0].why, 'unsafe_name');
  const id = await take(two, 'inv_fdp.exe');
  assert.equal((await saved(two, id)).name, 'inv_fdp.exe');
  await one.evaluate((id) => drop.withdraw(id), evil);
  await comes(host.page, (s) => s.items.length === 1);
  assert.deepEqual((await state(two)).people.map((p) => [p.me, p.host, p.here, p.device]).sort(), [[false, false, true, 'Chrome, Linux'], [false, true, true, 'Chrome, Linux'], [true, false, true, 'Chrome, Linux']]);
  await one.evaluate(() => drop.leave());
  await comes(host.page, (s) => s.people.length === 2 && s.items.length === 0);
});

test('a cancelled take keeps its part; a slow receiver holds up nobody', async (t) => {
  const host = await opened(t, site);
  const way = await line(t, site);
  const [fast, lame] = [await joined(t, site, host), await joined(t, way.site, host)];
  const dir = tree(t, { 'a.bin': crypto.randomBytes(16 << 20) });
  await offer(host.page, [path.join(dir, 'a.bin')]);
  const { id } = await item(lame, 'a.bin');
  way.rate = 1 << 20;
  await lame.evaluate((id) => drop.take(id), id);
  await comes(lame, (s) => s.incoming[0]?.done > 1 << 20);
  await take(fast, 'a.bin');
  assert.notEqual((await state(lame)).incoming[0].state, 'verified', 'the slow one is still at it');
  await lame.evaluate((id) => drop.cancel(id), id);
  const { incoming: [{ state: is, why, done }] } = await comes(lame, (s) => s.incoming[0].state === 'broken');
  assert.deepEqual([is, why], ['broken', 'cancelled']);
  way.rate = Infinity;
  await lame.evaluate((id) => drop.take(id), id);
  assert.ok((await comes(lame, (s) => s.incoming[0].state === 'running' || s.incoming[0].state === 'verified')).incoming[0].done >= done);
  await whole(lame, id);
});

test('the name changes for all, and the link with it', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  await host.page.evaluate(() => drop.rename('quite-another-name'));
  const named = await state(host.page);
  assert.equal(named.name, 'quite-another-name');
  assert.match(named.link, /\/d\/quite-another-name#v1\./);
  await comes(guest, (s) => s.name === 'quite-another-name');
  await host.page.evaluate(() => drop.prolong(new Date(Date.now() + 3 * 86_400_000)));
  const { expiresAt } = await state(host.page);
  assert.ok(Date.parse(expiresAt) > Date.now() + 2 * 86_400_000);
  await assert.rejects(host.page.evaluate(() => drop.rename('!')), /validation_failed/);
});

// What the browser's own storage holds below "drop", as paths.
const stored = (page) => page.evaluate(async () => {
  const all = [];
  const read = async (at, path) => {
    for await (const child of at.values()) {
      if (child.kind === 'file') all.push(path + child.name);
      else await read(child, path + child.name + '/');
    }
  };
  await read(await (await navigator.storage.getDirectory()).getDirectoryHandle('drop', { create: true }), '');
  return all;
});

test('what a drop left is removed when it is over, and nothing of it stands in plain storage', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  await host.page.evaluate(() => drop.offer([{ name: 'a', kind: 'file', files: [{ path: 'a', file: new File(['hello'], 'a') }] }]));
  await take(guest, 'a');
  assert.equal((await stored(guest)).length, 1);
  for (const page of [host.page, guest]) {
    const plain = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]));
    for (const secret of [host.code, host.link.split('#')[1], host.name]) assert.ok(!plain.includes(secret));
  }
  await host.page.evaluate(() => drop.leave());
  await comes(guest, (s) => s.phase === 'closed');
  const { id } = (await state(guest)).items[0] ?? { id: (await state(guest)).incoming[0].item };
  assert.equal(fs.readFileSync((await saved(guest, id)).path, 'utf8'), 'hello', 'a whole item can still be saved');
  await guest.toEnd();
  const second = await opened(t, site);
  await begin(guest, 'joinDrop', second.name, second.code);
  await comes(guest, (s) => s.phase === 'in');
  for (let tries = 0; (await stored(guest)).length > 0; tries++) {
    assert.ok(tries < 100, 'the part of the drop that is over is still there');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('without room the take says so, and goes to a file that the person picks', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host, { home: true });
  const dir = tree(t, { 'a.bin': crypto.randomBytes(3 << 20) });
  await offer(host.page, [path.join(dir, 'a.bin')]);
  const { id } = await item(guest, 'a.bin');
  const cdp = await guest.context().newCDPSession(guest);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(guest.url()).origin, quotaSize: 1 << 20 });
  await guest.evaluate((id) => drop.take(id), id);
  assert.equal((await comes(guest, (s) => s.incoming[0]?.state === 'broken')).incoming[0].why, 'no_space');
  assert.deepEqual(await stored(guest), []);
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: new URL(guest.url()).origin });
  // The browser's own storage stands in for the picked file: a test has no picker.
  await guest.evaluate(async (id) => drop.take(id, await (await navigator.storage.getDirectory()).getFileHandle('picked', { create: true })), id);
  await comes(guest, (s) => s.incoming[0].state === 'saved');
  const digest = await guest.evaluate(async () => {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle('picked')).getFile();
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()))].map((b) => b.toString(16).padStart(2, '0')).join('');
  });
  assert.equal(digest, await sha256(path.join(dir, 'a.bin')));
  assert.deepEqual(await stored(guest), [], 'no second copy is kept');
});

test('a folder is saved into a picked one, and nothing there is overwritten', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  await host.page.evaluate(() => drop.offer([{ name: 'trip', kind: 'folder', files: [{ path: 'a/b.txt', file: new File(['one'], 'b.txt') }, { path: 'c.txt', file: new File([], 'c.txt') }], dirs: ['none/at all'] }]));
  const id = await take(guest, 'trip');
  const names = await guest.evaluate(async (id) => {
    const to = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });
    await drop.save(id, to);
    await drop.save(id, to);
    const all = [];
    const read = async (at, path) => {
      for await (const child of at.values()) {
        all.push(path + child.name + (child.kind === 'file' ? '=' + (await (await child.getFile()).text()) : '/'));
        if (child.kind === 'directory') await read(child, `${path}${child.name}/`);
      }
    };
    await read(to, '');
    return all.sort();
  }, id);
  const one = (top) => [`${top}/`, `${top}/a/`, `${top}/a/b.txt=one`, `${top}/c.txt=`, `${top}/none/`, `${top}/none/at all/`];
  assert.deepEqual(names, [...one('trip'), ...one('trip (2)')].sort());
});

test('a file that the browser finds again is offered again by itself after a reload', async (t) => {
  const host = await opened(t, site);
  const guest = await joined(t, site, host);
  await host.page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('mine.txt', { create: true });
    const writable = await handle.createWritable();
    await writable.write('hello');
    await writable.close();
    await drop.offer([await drops.offeredBy(handle)]);
  });
  const before = await item(guest, 'mine.txt');
  await host.page.toEnd();
  assert.equal(await begin(host.page, 'resumeDrop', { host: true }), true);
  const back = await comes(host.page, (s) => s.phase === 'in' && s.items.length === 1);
  assert.deepEqual([back.items[0].id, back.missing], [before.id, []]);
  await take(guest, 'mine.txt');
});

test('the screen stays awake while bytes flow, and no longer', async (t) => {
  const host = await opened(t, site);
  const way = await line(t, site);
  const guest = await joined(t, way.site, host);
  const dir = tree(t, { 'a.bin': crypto.randomBytes(6 << 20) });
  for (const page of [host.page, guest]) {
    await page.evaluate(() => {
      globalThis.awake = 0;
      navigator.wakeLock.request = async () => (awake++, Object.assign(new EventTarget(), { release: async () => void awake-- }));
    });
  }
  await offer(host.page, [path.join(dir, 'a.bin')]);
  const { id } = await item(guest, 'a.bin');
  assert.equal(await guest.evaluate(() => awake), 0);
  way.rate = 2 << 20;
  await guest.evaluate((id) => drop.take(id), id);
  await comes(guest, (s) => s.incoming[0]?.done > 0);
  await comes(host.page, (s) => s.outgoing[0]?.confirmed > 0);
  for (const page of [host.page, guest]) assert.equal(await page.evaluate(() => awake), 1);
  way.rate = Infinity;
  await whole(guest, id);
  await comes(host.page, (s) => s.outgoing[0].state === 'verified');
  for (const page of [host.page, guest]) assert.equal(await page.evaluate(() => awake), 0);
});
