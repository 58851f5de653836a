import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { callingCode, countries, homeOf, toE164 } = await load('smscode/phone.ts');

test('a number as people write it becomes E.164', () => {
  for (const [typed, country, want] of [
    ['0170 1234512', 'DE', '+491701234512'],
    ['170 1234512', 'DE', '+491701234512'],
    ['+49 170 1234512', 'DE', '+491701234512'],
    ['+49 (0) 170 / 1234512', 'DE', '+491701234512'],
    ['0049 170 1234512', 'DE', '+491701234512'],
    ['+43 660 123456', 'DE', '+43660123456'],
    ['(202) 555-0143', 'US', '+12025550143'],
    ['1 202 555 0143', 'GB', '+4412025550143'],
    ['06 1234 5678', 'IT', '+390612345678'],
    ['1 202 555 0143', 'US', '+12025550143'],
    ['242 357 1234', 'BS', '+12423571234'],
    ['357 1234', 'BS', '+12423571234'],
    [' +1 242 357 1234 ', 'BS', '+12423571234'],
    ['', 'DE', '+49'],
  ]) assert.equal(toE164(typed, country), want, `${typed} in ${country}`);
});

test('every country has a name and a code, and the home is guessed', () => {
  for (const lang of ['en', 'de']) {
    const all = countries(lang);
    assert.ok(all.length > 220, `${all.length} countries`);
    for (const { country, name } of all) {
      assert.match(callingCode(country), /^[1-9]\d{0,3}$/, country);
      assert.notEqual(name, country);
    }
  }
  assert.equal(countries('de').find((c) => c.country === 'DE').name, 'Deutschland');
  assert.equal(homeOf(['de-AT', 'en']), 'AT');
  assert.equal(homeOf(['de']), 'DE');
  assert.equal(homeOf([]), 'US');
});
