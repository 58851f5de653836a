import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { judged, limitOf } = await load('share/hand-in.ts');

const limits = { max_file_bytes: 10, accept: ['.pdf', '.tar.gz'] };

test('a file is judged by its size and its ending, in any case', () => {
  assert.equal(limitOf({ name: 'A.PDF', size: 10 }, limits), undefined);
  assert.equal(limitOf({ name: 'a.pdf', size: 11 }, limits), 'tooLarge');
  assert.equal(limitOf({ name: 'a.tar.gz', size: 0 }, limits), undefined);
  for (const name of ['pdf', 'a.pdf.exe', 'a.gz', '']) assert.equal(limitOf({ name, size: 1 }, limits), 'wrongType', name);
  assert.equal(limitOf({ name: 'anything', size: 1e15 }, { max_file_bytes: null, accept: [] }), undefined);
});

test('what is refused takes no place of what is not', () => {
  const files = ['a.pdf', 'b.exe', 'c.pdf', 'd.pdf', 'e.exe'].map((name) => ({ file: { name, size: 1 } }));
  const told = (left) => files.map((f) => judged(files, limits, left).get(f));
  assert.deepEqual(told(2), [undefined, 'wrongType', undefined, 'tooMany', 'wrongType']);
  assert.deepEqual(told(0), ['tooMany', 'wrongType', 'tooMany', 'tooMany', 'wrongType']);
  assert.deepEqual(told(null), [undefined, 'wrongType', undefined, undefined, 'wrongType']);
});
