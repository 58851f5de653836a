// The house rules of the app: the shell names no room, no room names another, and what is
// deleted is gone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { browser, loadText, src, web } from './load.mjs';

browser();
const { all } = await loadText(`import * as all from './rooms'; export { all };`);
const rooms = fs.readdirSync(src, { withFileTypes: true }).filter((f) => f.isDirectory() && f.name !== 'shell').map((f) => f.name);

const files = (folder) => fs.readdirSync(path.join(src, folder)).map((f) => ({ name: `${folder}/${f}`, text: fs.readFileSync(path.join(src, folder, f), 'utf8') }));
const sources = (folder) => files(folder).filter((f) => /\.(tsx?|css)$/.test(f.name));
// The pages of a room, as their addresses begin, and whose page an address is: /security/history is
// of another room than /security.
const pages = (room) => [...new Set((all[room].routes ?? []).map((r) => r.path.split('/:')[0]))];
const ownerOf = (to) => rooms.flatMap((room) => pages(room).map((page) => ({ room, page })))
  .filter(({ page }) => to === page || to.startsWith(page + '/')).sort((a, b) => b.page.length - a.page.length)[0]?.room;
// Addresses that lead a person somewhere; the same words may be paths of the API.
const leads = (text) => [...text.matchAll(/(?:href[=:] ?\{?|path: |\bgo\()['"`](\/[\w/-]*)/g)].map((m) => m[1].replace(/\/$/, ''));
const classes = (text) => new Set([...text.matchAll(/\.([a-z][\w-]*)/g)].map((m) => m[1]));

test('each folder is a room, and each room has its line', () => {
  assert.deepEqual(rooms, Object.keys(all).sort());
  for (const room of rooms) assert.ok(fs.existsSync(path.join(src, room, 'room.ts')), `${room} has a room.ts`);
});

test('the shell imports no room, and a room imports the shell alone', () => {
  for (const folder of ['shell', ...rooms]) {
    for (const { name, text } of files(folder)) {
      for (const [, from] of text.matchAll(/(?:from|import) '(\.[^']*)'/g)) {
        const to = path.relative(src, path.resolve(src, folder, from)).split(path.sep)[0];
        const allowed = [folder, 'shell', 'api', ...(/\.mjs$/.test(name) ? ['..'] : [])];
        assert.ok(allowed.includes(to), `${name} imports ${from}`);
      }
    }
  }
});

test('the shell leads to no page of a room, and no room to a page of another', () => {
  for (const folder of ['shell', ...rooms]) {
    for (const { name, text } of sources(folder)) {
      for (const to of leads(text)) assert.ok([folder, undefined].includes(ownerOf(to)), `${name} leads to ${to}`);
    }
  }
});

test('each class is dressed in one folder: the stylesheet of a room goes with it', () => {
  const css = (folder) => classes(files(folder).filter((f) => f.name.endsWith('.css')).map((f) => f.text.replace(/\{[^{}]*\}/g, '{}')).join('\n'));
  const used = (folder) => sources(folder).filter((f) => !f.name.endsWith('.css')).map((f) => f.text).join('\n');
  for (const room of rooms) {
    for (const name of css(room)) {
      if (css('shell').has(name)) continue; // a variant of what the shell has
      for (const other of ['shell', ...rooms.filter((r) => r !== room)]) {
        assert.ok(!css(other).has(name), `.${name} of ${room} is dressed in ${other} too`);
        assert.ok(!new RegExp(`class="[^"]*\\b${name}(?![\\w-])`).test(used(other)), `${other} wears .${name} of ${room}`);
      }
    }
  }
});

test('a room shows in the frame by entries that lead to its own pages, each in a place of its own', () => {
  const given = (kind) => rooms.flatMap((room) => [all[room][kind] ?? []].flat().map((entry) => ({ room, ...entry })));
  for (const kind of ['places', 'create', 'menu', 'points', 'security', 'loss', 'door', 'enter', 'prove', 'pass', 'wayIn', 'entry', 'published']) {
    const orders = given(kind).map((entry) => entry.order);
    assert.equal(new Set(orders).size, orders.length, `two entries of ${kind} want one place: ${orders}`);
  }
  for (const { room, href } of ['places', 'menu', 'search', 'door', 'published'].flatMap(given)) {
    if (href) assert.ok(all[room].routes.some((route) => route.path === href), `${room} leads to ${href}, which is no page of it`);
  }
  const places = given('places');
  assert.ok(places.every(({ phone }) => ['bar', 'more'].includes(phone)));
  assert.ok(places.filter(({ phone }) => phone === 'bar').length <= 3, 'the bar has five slots, two of them "+" and "More"');
  assert.ok(given('search').length <= 1);
  for (const { room, order } of given('menu')) assert.ok(order !== 6 && order !== 7, `${room} takes a place of the shell`);
});

for (const room of rooms) {
  test(`without its folder and its line the app has no ${room}`, (t) => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-rooms-'));
    t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
    fs.cpSync(src, path.join(dir, 'src'), { recursive: true, filter: (from) => from !== path.join(src, room) });
    fs.symlinkSync(path.join(web, 'node_modules'), path.join(dir, 'node_modules'));
    const list = path.join(dir, 'src/rooms.ts');
    fs.writeFileSync(list, fs.readFileSync(list, 'utf8').split('\n').filter((line) => !line.includes(`'./${room}/`)).join('\n'));
    const app = execFileSync('go', ['tool', 'esbuild', path.join(dir, 'src/main.tsx'), '--bundle', '--format=esm', '--jsx=automatic', '--jsx-import-source=preact',
      '--outdir=' + path.join(dir, 'dist'), '--log-level=error'], { cwd: web, encoding: 'utf8' }) || fs.readFileSync(path.join(dir, 'dist/main.js'), 'utf8');
    assert.ok(!app.includes(`src/${room}/`), `the app still holds src/${room}`);
    for (const to of leads(app)) assert.notEqual(ownerOf(to), room, `the app still leads to ${to}`);
  });
}
