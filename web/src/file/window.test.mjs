import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { drawn, inView } = await load('file/window.ts');

test('the rows in view are drawn, with some around them, and never more than there are', () => {
  assert.deepEqual(inView(200, 800, 50, 100_000), [0, 32]);
  const [first, end] = inView(-500_000, 800, 50, 100_000);
  assert.ok(first <= 10_000 - 20 && first > 9_960 && end >= 10_016 + 20 && end < 10_050, `${first} to ${end}`);
  assert.deepEqual(inView(200, 800, 50, 7), [0, 7]);
  assert.deepEqual(inView(-6_000_000, 800, 50, 100), [100, 100]);
  assert.deepEqual(inView(5000, 800, 50, 100), [0, 0]);
});

test('the row with the focus is drawn wherever it is', () => {
  assert.deepEqual(drawn([4, 7], 5, 10), [4, 5, 6]);
  assert.deepEqual(drawn([4, 7], 0, 10), [0, 4, 5, 6]);
  assert.deepEqual(drawn([4, 7], 9, 10), [4, 5, 6, 9]);
  assert.deepEqual(drawn([4, 7], 9, 6), [4, 5]);
});
