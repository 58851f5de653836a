import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { cut } = await load('shell/cut.ts');

test('a long name keeps its end and its extension', () => {
  assert.deepEqual(cut('Minutes of the annual meeting 2024.pdf'), ['Minutes of the annual meetin', 'g 2024.pdf']);
  assert.deepEqual(cut('x'.repeat(200) + '.tar.gz'), ['x'.repeat(198), 'xx.tar.gz']);
});

test('a short name is not split', () => {
  assert.deepEqual(cut('letter.txt'), ['letter.txt', '']);
  assert.deepEqual(cut(''), ['', '']);
});

test('what is no extension is not kept as one', () => {
  const [, tail] = cut('No. this is a sentence and no extension at all');
  assert.equal(tail, 'at all');
  assert.equal(cut('.hidden-file-of-some-length')[1], 'length');
});

test('letters of several code points stay whole', () => {
  const family = '👩‍👩‍👧';
  const [head, tail] = cut('photographs of the whole ' + family.repeat(6) + '.jpg');
  assert.equal(tail, family.repeat(6) + '.jpg');
  assert.equal(head, 'photographs of the whole ');
  assert.equal(cut('Ａ' + 'é'.normalize('NFD').repeat(30))[1], 'é'.normalize('NFD').repeat(6));
});

test('the parts together are the name', () => {
  for (const name of ['a', 'long '.repeat(30) + '.pdf', 'קובץ עם שם ארוך מאוד של מסמך.txt', '😀'.repeat(50)]) assert.equal(cut(name).join(''), name);
});
