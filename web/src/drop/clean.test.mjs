import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { clean } = await load('drop/names.ts');

test('a name shows no control character and nothing that turns the writing', () => {
  assert.equal(clean('invoice\u202efdp.exe'), 'invoice_fdp.exe');
  assert.equal(clean('a\u001b[31mb\nc\u0000d\u009be'), 'a_[31mb_c_d_e');
  assert.equal(clean('\u2066x\u2069\u200f\ufeff\u200b\u2028'), '_x_____');
  assert.equal(clean('Grüße, 東京 & עברית.txt'), 'Grüße, 東京 & עברית.txt');
});
