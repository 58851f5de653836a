import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { viewOf, stateOf, sortOf, sortText } = await load('file/view.ts');

const down = { by: 'size', down: true };

test('a view comes back from the state of its history entry', () => {
  const view = { sort: down, pages: 3, scroll: 812.4, focus: 'id' };
  const state = stateOf({ other: 1 }, 'f', view);
  assert.equal(state.other, 1);
  assert.deepEqual(viewOf(structuredClone(state), 'f', null), { ...view, scroll: 812 });
});

test('the view of another folder is not taken, its sorting is', () => {
  const state = stateOf(null, 'f', { sort: { by: 'name', down: true }, pages: 3, scroll: 800, focus: 'id' });
  assert.deepEqual(viewOf(state, 'g', '-size'), { sort: down, pages: 1, scroll: 0, focus: '' });
  assert.deepEqual(viewOf(null, '', null), { sort: { by: 'name', down: false }, pages: 1, scroll: 0, focus: '' });
});

test('damaged states are fresh views', () => {
  const fresh = viewOf(null, 'f', null);
  for (const files of [null, 1, 'x', {}, { folder: 'f' }, { folder: 'f', sort: 'colour' }, { folder: 'f', sort: '--size' }]) assert.deepEqual(viewOf({ files }, 'f', null), fresh);
  const odd = viewOf({ files: { folder: 'f', sort: 'size', pages: 1e9, scroll: -5, focus: 7 } }, 'f', null);
  assert.deepEqual(odd, { sort: { by: 'size', down: false }, pages: 1000, scroll: 0, focus: '' });
  assert.equal(viewOf({ files: { folder: 'f', sort: 'size', pages: NaN } }, 'f', null).pages, 1);
});

test('a sorting is written and read', () => {
  for (const text of ['name', '-name', 'size', '-size', 'modified', '-modified']) assert.equal(sortText(sortOf(text)), text);
  for (const odd of [null, undefined, 3, '', 'created', 'constructor']) assert.equal(sortOf(odd), undefined);
});
