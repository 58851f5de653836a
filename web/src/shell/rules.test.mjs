import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { longEnough, personal } = await load('shell/rules.ts');

test('a password is long enough by characters, not by bytes or halves of characters', () => {
  assert.equal(longEnough('elevenchars'), false);
  assert.equal(longEnough('twelve chars'), true);
  assert.equal(longEnough('😀'.repeat(6)), false);
  assert.equal(longEnough('e\u0301'.repeat(6)), false);
});

const about = ['Ada', 'Lovelace', 'ada.l', 'ada@example.org'];
for (const [password, want] of [
  ['AdaLovelace1815', true],
  ['lovelace-ada!!', true],
  ['coffercoffer1', true],
  ['ada@example.org', true],
  ['ada likes engines', false],
  ['correct horse battery', false],
  ['123456789012', false],
]) {
  test(`${password} is ${want ? '' : 'not '}made of the name alone`, () => assert.equal(personal(password, about), want));
}
