import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import { loadText } from '../../test/load.mjs';
import { pinned, seal, Store } from './dag.mjs';

const { DamagedFile, Damaged, inside, linkOf, open, WrongKey } = await loadText(`export * from './pin/opened'; export { Damaged } from './pin/blocks';`);

const { signal } = new AbortController();
const read = async (content, path) => {
  const parts = [];
  for await (const part of content.read(path, signal)) parts.push(part);
  return Buffer.concat(parts);
};

const files = { 'a.txt': 'hello', 'deep/b.bin': crypto.randomBytes(3_000_000), 'deep/er/c.txt': '' };

test('a link opens a folder: its names, and each of its files', async () => {
  const store = new Store();
  const { cid, fragment } = pinned(store, 'Holiday', files, { folders: ['deep', 'empty'] });
  const content = await open(store.get, linkOf(cid, fragment), signal);
  assert.deepEqual([content.name, content.single, content.files.map(({ path, name, size }) => [path, name, size])], ['Holiday', false, [['a.txt', 'a.txt', 5], ['deep/b.bin', 'b.bin', 3_000_000], ['deep/er/c.txt', 'c.txt', 0]]]);
  for (const path of Object.keys(files)) assert.ok((await read(content, path)).equals(Buffer.from(files[path])), path);
  const rows = (at) => inside(content, at, (a, b) => (a < b ? -1 : 1)).map(({ kind, path, size }) => [kind, path, size]);
  assert.deepEqual(rows(''), [['folder', 'deep', 3_000_000], ['folder', 'empty', 0], ['file', 'a.txt', 5]]);
  assert.deepEqual(rows('deep'), [['folder', 'deep/er', 0], ['file', 'deep/b.bin', 3_000_000]]);
  assert.deepEqual(rows('empty'), []);
  const one = pinned(store, 'a.txt', { 'a.txt': 'hello' });
  assert.equal((await open(store.get, linkOf(one.cid, one.fragment), signal)).single, true);
});

test('a link has an address and a key, each in one spelling', () => {
  const { cid, fragment } = pinned(new Store(), 'x', { x: 'x' });
  assert.ok(linkOf(cid, fragment));
  const last = fragment.at(-1);
  const other = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(last) + 1];
  for (const [to, hash] of [[cid, ''], [cid, '#'], [cid, fragment.slice(0, -1)], [cid, fragment + 'A'], [cid, fragment.replace('v1', 'v2')], [cid, fragment.slice(0, -1) + other], [cid.slice(1), fragment], [cid.replace('bafybei', 'bafkrei'), fragment], ['', fragment]]) {
    assert.equal(linkOf(to, hash), undefined, `${to} ${hash}`);
  }
});

const link = ({ cid, fragment }) => linkOf(cid, fragment);

test('a key of another pin opens nothing', async () => {
  const store = new Store();
  const [a, b] = [pinned(store, 'a', { a: 'a' }), pinned(store, 'b', { b: 'b' })];
  await assert.rejects(open(store.get, { ...link(a), key: link(b).key }, signal), WrongKey);
});

test('damage is told with the file, and nothing of the damaged part comes', async () => {
  const store = new Store();
  const made = pinned(store, 'Holiday', files);
  const content = await open(store.get, link(made), signal);
  const bad = [...store.blocks.entries()].find(([, bytes]) => bytes.length === 1 << 20)[0];
  store.blocks.set(bad, Buffer.alloc(1 << 20));
  await assert.rejects(read(content, 'deep/b.bin'), (err) => err instanceof DamagedFile && err.path === 'deep/b.bin');
  assert.equal((await read(content, 'a.txt')).toString(), 'hello');
  store.blocks.set(made.cid, Buffer.from('x'));
  await assert.rejects(open(store.get, link(made), signal), Damaged);
});

test('a manifest that lies is refused, or its file is', async () => {
  const store = new Store();
  const opens = (change) => open(store.get, link(pinned(store, 'Holiday', files, { change })), signal);
  const file = (change) => (m) => ({ ...m, files: m.files.map((f, i) => (i === 0 ? { ...f, ...change } : f)) });
  for (const [what, change] of Object.entries({
    'another version': (m) => ({ ...m, v: 2 }), 'no object': () => [], 'no name': (m) => ({ ...m, name: '' }), 'a path for a name': (m) => ({ ...m, name: 'a/b' }), 'files that are no list': (m) => ({ ...m, files: {} }),
    'a way up': file({ path: '../a.txt' }), 'a path from the top': file({ path: '/a.txt' }), 'a backslash': file({ path: '..\\a.txt' }), 'an empty part': file({ path: 'a//b' }), 'a path of dots': file({ path: '.' }), 'a NUL': file({ path: 'a\0' }), 'no path': file({ path: 5 }), 'a long path': file({ path: 'a'.repeat(16_385) }),
    'no such part': file({ file: '9' }), 'the manifest': file({ file: 'manifest' }), 'another file\'s part': file({ file: '1' }), 'a size that is none': file({ size: -1 }), 'a digest that is none': file({ sha256: 'x' }),
    'a path twice': file({ path: 'deep/b.bin' }), 'a file in a file': file({ path: 'deep' }), 'a folder twice': (m) => ({ ...m, folders: ['a', 'a'] }), 'a folder of a file\'s path': (m) => ({ ...m, folders: ['a.txt'] }), 'a folder in a file': (m) => ({ ...m, folders: ['a.txt/x'] }),
    'too many': (m) => ({ ...m, folders: Array.from({ length: 10_002 }, (_, i) => 'f' + i) }),
  })) await assert.rejects(opens(change), Damaged, what);
  for (const [what, change] of Object.entries({ 'another size': file({ size: 6 }), 'another digest': file({ sha256: '0'.repeat(64) }) })) {
    const content = await opens(change);
    await assert.rejects(read(content, 'a.txt'), DamagedFile, what);
  }
  assert.equal((await opens(file({ path: 'a\u202etxt.exe' }))).files[0].path, 'a_txt.exe');
  const deepest = Array(64).fill('n'.repeat(255)).join('/');
  assert.equal((await opens(file({ path: deepest }))).files[0].path, deepest);
});

test('what stands in a pin without its manifest is no pin', async () => {
  const store = new Store();
  const key = crypto.randomBytes(32);
  const root = store.folder({ 0: store.file(seal(key, Buffer.from('x'))) });
  const { base32 } = await import('./dag.mjs');
  await assert.rejects(open(store.get, { ...linkOf(base32(root), '#v1.' + key.toString('base64url')) }, signal), Damaged);
});
