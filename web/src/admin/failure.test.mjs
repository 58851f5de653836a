// The classes of errors that have words of their own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';

const { causeOf } = await load('admin/failure');

test('a class of an error finds its cause, and an unknown one none', () => {
  for (const [failure, cause] of [
    ['mail connect', 'connect'], ['mail greeting 535', 'login'], ['mail rcpt 550', 'rcpt'], ['mail rcpt 451', 'later'], ['mail data 554', 'refused'], ['mail greeting 554', 'refused'],
    ['mail send', undefined], ['unavailable', 'unavailable'], ['timeout', 'timeout'], ['panic', 'panic'], ['sms refused', undefined], ['', undefined],
  ]) assert.equal(causeOf(failure), cause, failure);
});
