import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { walk, chosen } = await load('file/walk.ts');

const file = (name) => ({ name, isFile: true, isDirectory: false, file: (found) => found({ name }) });
// As browsers do: at most a hundred entries a call, then an empty answer.
const folder = (name, children) => ({
  name, isFile: false, isDirectory: true,
  createReader() {
    let at = 0;
    return { readEntries: (found) => found(children.slice(at, (at += 100))) };
  },
});
const paths = (tree) => tree.files.map((f) => [...f.path, f.file.name].join('/')).sort();

test('walk reads every level, and folders come before what is in them', async () => {
  const tree = await walk([file('a'), folder('x', [file('b'), folder('y', [file('c')]), folder('empty', [])])]);
  assert.deepEqual(paths(tree), ['a', 'x/b', 'x/y/c']);
  assert.deepEqual(tree.folders.map((f) => f.join('/')), ['x', 'x/y', 'x/empty']);
});

test('walk reads folders of more entries than one call gives', async () => {
  const many = Array.from({ length: 250 }, (_, i) => file('f' + i));
  const tree = await walk([folder('many', many)]);
  assert.equal(tree.files.length, 250);
});

test('walk fails when an entry cannot be read', async () => {
  const broken = { name: 'x', isFile: true, isDirectory: false, file: (_, failed) => failed(new Error('gone')) };
  await assert.rejects(walk([broken]), /gone/);
});

test('chosen makes each folder of a webkitdirectory input once', () => {
  const at = (webkitRelativePath) => ({ name: webkitRelativePath.split('/').pop(), webkitRelativePath });
  const tree = chosen([at('x/a'), at('x/y/b'), at('x/y/c'), { name: 'd', webkitRelativePath: '' }]);
  assert.deepEqual(tree.folders.map((f) => f.join('/')), ['x', 'x/y']);
  assert.deepEqual(paths(tree), ['d', 'x/a', 'x/y/b', 'x/y/c']);
});
