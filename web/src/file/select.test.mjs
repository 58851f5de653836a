import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { nothing, only, toggle, range, everything, without, keep, moved } = await load('file/select.ts');

const items = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
const ids = (p) => [...p.ids].sort().join('');

test('Space toggles, Shift extends from the anchor in both directions', () => {
  let p = toggle(nothing, items, 1);
  assert.equal(ids(p), 'b');
  p = range(p, items, 3);
  assert.equal(ids(p), 'bcd');
  p = range(p, items, 0);
  assert.equal(ids(p), 'ab');
  p = toggle(p, items, 0);
  assert.equal(ids(p), 'b');
  assert.equal(ids(only(items, 2)), 'c');
  assert.equal(ids(everything(p, items)), 'abcd');
});

test('what is gone is neither selected nor focused', () => {
  const p = keep({ ids: new Set(['a', 'd']), focus: 3, anchor: 3 }, items.slice(0, 2));
  assert.deepEqual([ids(p), p.focus, p.anchor], ['a', 1, 1]);
  assert.equal(keep(p, []).focus, 0);
});

test('arrows stop at the ends', () => {
  assert.equal(moved('ArrowDown', 3, 4), 3);
  assert.equal(moved('ArrowUp', 0, 4), 0);
  assert.equal(moved('End', 0, 4), 3);
  assert.equal(moved('Home', 3, 4), 0);
  assert.equal(moved('PageDown', 0, 4), 3);
  assert.equal(moved('x', 0, 4), undefined);
});

test('all is selected, what is gone is let go, and the focus stays with its entry', () => {
  const p = everything(nothing, items);
  assert.equal(ids(p), 'abcd');
  assert.equal(ids(keep(p, items.slice(0, 3))), 'abc');
  assert.equal(ids(without(p, [items[0]])), 'bcd');
  const moved = keep({ ...p, focus: 1, anchor: 2 }, [{ id: 'new' }, ...items], items);
  assert.deepEqual([ids(moved), moved.focus, moved.anchor], ['abcd', 2, 3]);
  const gone = keep({ ...nothing, focus: 3, anchor: 1 }, items.slice(0, 3), items);
  assert.deepEqual([gone.focus, gone.anchor], [2, 1]);
});
