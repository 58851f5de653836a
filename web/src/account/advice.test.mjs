// What the security page advises.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { rate } = await load('account/advice');

const all = ['totp', 'email_otp', 'sms', 'security_question', 'backup_codes', 'trusted_email'];
const lines = (on, has = all, codes) => Object.fromEntries(has.map((name) => [name, { enabled: on.includes(name), ...(name === 'backup_codes' && codes !== undefined ? { left: codes } : {}) }]));

test('the advice is the one thing that helps most', () => {
  const four = all.slice(0, 4);
  for (const [on, has, strength, advice, codes] of [
    [[], all, 'weak', 'addApp'],
    [[], ['email_otp'], 'weak', 'addAnyStep'],
    [['email_otp'], all, 'fair', 'mailOnly'],
    [['security_question'], all, 'fair', 'questionOnly'],
    [['email_otp', 'security_question'], all, 'fair', 'mailAndQuestion'],
    [['email_otp'], ['email_otp'], 'fair', 'lookNow'],
    [['sms'], all, 'good', 'smsOnly'],
    [['sms', 'email_otp'], four, 'good', 'smsOnly'],
    [['totp'], all, 'strong', 'addSecond'],
    [['totp'], four, 'strong', 'lookNow'],
    [['totp', 'email_otp'], all, 'strong', 'makeCodes'],
    [['totp', 'email_otp', 'backup_codes'], all, 'strong', 'fewCodes', 3],
    [['totp', 'email_otp', 'backup_codes'], all, 'strong', 'noCodes', 0],
    [['totp', 'email_otp', 'backup_codes'], all, 'strong', 'lookNow', 4],
    [['trusted_email'], all, 'weak', 'addApp'],
  ]) {
    const got = rate(lines(on, has, codes));
    assert.deepEqual([got.strength, got.advice], [strength, advice], `${on} of ${has}`);
    if (advice === 'fewCodes') assert.equal(got.codes, codes);
  }
});

test('an account with nothing but passkeys is strong, and wants a second one', () => {
  const account = (password, linked, left) => ({ ...lines([]), password: { enabled: password }, identity_google: { enabled: linked }, passkeys: { enabled: left > 0, left } });
  for (const [password, linked, left, strength, advice] of [
    [false, false, 1, 'strong', 'addPasskey'],
    [false, false, 2, 'strong', 'lookPasskeys'],
    [false, true, 2, 'weak', 'addApp'],
    [true, false, 2, 'weak', 'addApp'],
  ]) {
    const got = rate(account(password, linked, left));
    assert.deepEqual([got.strength, got.advice], [strength, advice], `${password} ${linked} ${left}`);
  }
});
