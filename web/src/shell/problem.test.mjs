import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, loadText } from '../../test/load.mjs';

browser();
const { problemOf, waitOf, fieldName, say, sayField, offline, lang } = await loadText(`import * as all from './rooms'; import { useRooms } from './shell/room'; useRooms(Object.values(all)); export * from './shell/problem'; export { lang } from './shell/i18n';`);

test('a problem document keeps its code, fields, wait and request id', () => {
  const got = problemOf(422, {
    code: 'validation_failed', detail: 'Some values break a rule.', request_id: 'r1',
    errors: [{ pointer: '/password', code: 'too_short', detail: 'At least 12.' }, null, { code: 'no pointer' }],
  }, null);
  assert.equal(got.code, 'validation_failed');
  assert.equal(got.requestId, 'r1');
  assert.deepEqual(got.fields, [{ pointer: '/password', code: 'too_short', detail: 'At least 12.' }]);
});

test('an answer that is no problem document still becomes one', () => {
  for (const body of [undefined, null, 'text', 7, []]) {
    const got = problemOf(502, body, null);
    assert.equal(got.code, 'http_502');
    assert.ok(got.temporary);
    assert.match(say(got), /try again/);
  }
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  assert.equal(waitOf('7', now), 7);
  assert.equal(waitOf('0.2', now), 1);
  assert.equal(waitOf('Fri, 20 Nov 2026 12:00:30 GMT', now), 30);
  assert.equal(waitOf('Fri, 20 Nov 2026 11:00:00 GMT', now), 0);
  assert.equal(waitOf('soon', now), 0);
  assert.equal(waitOf(null, now), 0);
});

test('a busy server is asked again by itself, anything else is not', () => {
  const wait = (status, code, after) => problemOf(status, { code }, after).wait;
  assert.equal(wait(429, 'too_many_streams', '5'), 5);
  assert.equal(wait(503, 'busy', '5'), 5);
  assert.equal(wait(503, 'unavailable', null), 0);
  assert.equal(wait(429, 'rate_limited', '900'), 0);
  assert.equal(wait(422, 'validation_failed', '5'), 0);
});

test('a JSON pointer names the field of the form', () => {
  assert.equal(fieldName('/email'), 'email');
  assert.equal(fieldName('/body/email'), 'email');
  assert.equal(fieldName('/a~1b~0c'), 'a/b~c');
});

test('every problem and field can be said', () => {
  assert.equal(say(problemOf(401, { code: 'invalid_credentials', detail: 'x' }, null)), 'Wrong e-mail, username or password.');
  assert.equal(say(problemOf(409, { code: 'never_heard_of', detail: 'The server says so.' }, null)), 'The server says so.');
  assert.equal(say(problemOf(500, {}, null)), 'That did not work.');
  assert.match(say(offline()), /cannot be reached/);
  assert.equal(sayField({ pointer: '/x', code: 'too_short', detail: 'At least 12.' }), 'Please use at least 12 characters.');
  assert.equal(sayField({ pointer: '/x', code: 'too_short' }), 'This is too short.');
  assert.equal(sayField({ pointer: '/x' }), 'This is not valid.');
});

test('words go by the code, in the language of the person', (t) => {
  t.after(() => { lang.value = 'en'; });
  const refused = problemOf(422, { code: 'validation_failed', detail: 'Some values break a rule.', errors: [{ pointer: '/password', code: 'too_short', detail: 'A password has at least 14 characters.' }] }, null);
  assert.equal(say(refused), 'Please check the marked fields.');
  assert.equal(sayField(refused.fields[0]), 'Please use at least 14 characters.');
  assert.equal(sayField({ pointer: '/username', code: 'invalid_username', detail: 'A username has 3 to 32 of a–z.' }), 'Use 3 to 32 letters from a to z, digits, dots, hyphens or underscores, and begin with a letter.');
  lang.value = 'de';
  assert.equal(say(refused), 'Bitte prüfen Sie die markierten Felder.');
  assert.equal(sayField(refused.fields[0]), 'Bitte mindestens 14 Zeichen verwenden.');
  // A code that no catalog knows is not told in English to German readers.
  assert.equal(say(problemOf(409, { code: 'never_heard_of', detail: 'The server says so.' }, null)), 'Das hat nicht geklappt.');
  assert.equal(sayField({ pointer: '/x', code: 'never_heard_of', detail: 'The server says so.' }), 'Das ist nicht gültig.');
});

test('waits are said in minutes', (t) => {
  t.after(() => { lang.value = 'en'; });
  const wait = (seconds) => say(problemOf(429, { code: 'rate_limited', detail: 'Try again in 6m21s.' }, String(seconds)));
  assert.equal(wait(381), 'Too many tries. You can try again in 6 minutes.');
  assert.equal(wait(60), 'Too many tries. You can try again in 1 minute.');
  assert.equal(wait(59), 'Too many tries. You can try again in less than a minute.');
  assert.equal(wait(3590), 'Too many tries. You can try again in 1 hour.');
  lang.value = 'de';
  assert.equal(wait(381), 'Zu viele Versuche. In 6 Minuten können Sie es wieder versuchen.');
});
