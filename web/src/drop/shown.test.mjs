import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { shown } = await load('drop/shown.ts');

test('a name shows no control character and nothing that turns the writing', () => {
  assert.equal(shown('invoice\u202efdp.exe'), 'invoice_fdp.exe');
  assert.equal(shown('a\u001b[31mb\nc\u0000d\u009be'), 'a_[31mb_c_d_e');
  assert.equal(shown('\u2066x\u2069\u200f\ufeff\u200b\u2028'), '_x_____');
  assert.equal(shown('Grüße, 東京 & עברית.txt'), 'Grüße, 東京 & עברית.txt');
  assert.equal(shown('👩\u200d👧.png'), '👩\u200d👧.png');
});
