// What needs an operator, the worst first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';

const { needs, partsOf } = await load('admin/needs');

const well = { checks: { blobs: 'ok', database: 'ok', kv: 'ok' }, queue: { waiting: 3, running: 1, dead: 0, oldest_seconds: 4 } };

test('nothing is told of a server that is well', () => assert.deepEqual(needs(well), []));

test('what does not answer comes first, then what was given up, then what waits', () => {
  assert.deepEqual(needs({ checks: { zeta: 'unavailable', blobs: 'ok', database: 'unavailable', kv: 'ok' }, queue: { ...well.queue, dead: 2, oldest_seconds: 3600 } }), [
    { what: 'down', part: 'database' }, { what: 'down', part: 'zeta' }, { what: 'dead', count: 2 }, { what: 'late', seconds: 3600 },
  ]);
});

test('a job may wait for five minutes', () => {
  assert.deepEqual(needs({ ...well, queue: { ...well.queue, oldest_seconds: 300 } }), []);
  assert.deepEqual(needs({ ...well, queue: { ...well.queue, oldest_seconds: 301 } }), [{ what: 'late', seconds: 301 }]);
});

test('the parts keep one order, whatever the answer has', () => {
  assert.deepEqual(partsOf({ zeta: 'ok', blobs: 'ok', alpha: 'unavailable', kv: 'ok', database: 'ok' }).map(({ name }) => name), ['database', 'kv', 'blobs', 'alpha', 'zeta']);
});
