// The words of the history's lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { told, how, reasons, consequences, doubtful, byDay } = await load('guard/happening.ts');
const line = (more) => ({ kind: 'signed-in', outcome: 'ok', methods: [], flags: [], findings: [], place: null, here: false, ...more });

test('a line says what happened, and how', () => {
  assert.equal(told(line()), 'Signed in');
  assert.equal(told(line({ kind: 'sign-in-failed', outcome: 'failed', methods: ['totp'] })), 'Sign-in failed: wrong code of the authenticator app');
  assert.equal(told(line({ kind: 'sign-in-failed', outcome: 'failed', methods: ['of a newer server'] })), 'A sign-in failed');
  assert.equal(told(line({ kind: 'of-a-newer-server', outcome: 'noticed' })), 'A change of your account');
  assert.equal(told(line({ kind: 'constructor', outcome: 'noticed' })), 'A change of your account');
  assert.equal(how(line({ methods: ['pwd', 'otp', 'mfa', 'otp'] })), 'password + code');
  assert.equal(how(line({ kind: 'password-changed', methods: ['pwd'] })), '');
});

test('a new device in a new place is one sentence', () => {
  assert.deepEqual(reasons(line({ flags: ['new_device', 'new_place'], place: 'Oslo' })), ['New place: Oslo, from a device you have not used.']);
  assert.deepEqual(reasons(line({ flags: ['new_place', 'odd_hour'], place: 'Oslo' })), ['New place: Oslo.', 'At an hour at which you seldom sign in.']);
  assert.deepEqual(reasons(line({ flags: ['new_place', 'new_device'] })), ['From a new place.', 'From a device you have not used.']);
  assert.deepEqual(reasons(line({ flags: ['of a newer server'] })), []);
});

test('what the server did about its findings is said once', () => {
  const findings = [{ rule: 'new_place', score: 40, consequence: 'tell' }, { rule: 'new_device', score: 40, consequence: 'tell' }, { rule: 'spraying', score: 90, consequence: 'hold' }, { rule: 'x', score: 1, consequence: 'note' }];
  assert.deepEqual(consequences(line({ findings })), ['We told you by mail.', 'It had to be confirmed by mail.']);
});

test('only sign-ins of other devices can be disowned', () => {
  assert.equal(doubtful(line()), true);
  assert.equal(doubtful(line({ here: true })), false);
  assert.equal(doubtful(line({ kind: 'sign-in-failed', outcome: 'failed' })), false);
});

test('days are those of the reader', () => {
  const at = (h) => ({ at: new Date(2026, 10, 29, h).toISOString() });
  assert.deepEqual(byDay([at(23), at(1), at(-1)]).map((day) => day.length), [2, 1]);
});
