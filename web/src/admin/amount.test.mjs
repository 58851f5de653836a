// Amounts of bytes as people type them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';

const { read, write } = await load('admin/amount');

test('an amount is read with point or comma, in its unit', () => {
  for (const [text, unit, bytes] of [
    ['5', 'GB', 5e9], [' 1,5 ', 'GB', 1.5e9], ['0.5', 'TB', 5e11], ['250', 'MB', 25e7], ['0.000001', 'MB', 1],
    ['', 'GB'], ['0', 'GB'], ['-1', 'GB'], ['1e3', 'GB'], ['1.000.000', 'MB'], ['many', 'MB'], ['5', 'EB'], ['5', 'constructor'], ['99999999999', 'TB'],
  ]) assert.equal(read(text, unit), bytes, `${text} ${unit}`);
});

test('what is written is read as the same bytes', () => {
  for (const bytes of [1e6, 5e6, 1.5e9, 999_999_999, 1e12, 2.25e12, 500_000]) {
    const { text, unit } = write(bytes);
    assert.ok(Math.abs(read(text, unit) - bytes) <= bytes * 1e-6, `${bytes}: ${text} ${unit}`);
  }
  assert.deepEqual(write(1.5e9), { text: '1.5', unit: 'GB' });
  assert.deepEqual(write(5e12), { text: '5', unit: 'TB' });
});
