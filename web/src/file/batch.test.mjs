import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, loadText } from '../../test/load.mjs';

browser();
const { each, Problem } = await loadText(`export * from './file/batch.ts'; export { Problem } from './shell/problem';`);

const refuse = (status, more = {}) => new Problem({ status, code: 'c' + status, ...more });
const watch = (more = {}) => ({ signal: new AbortController().signal, progress() {}, ...more });

test('one that fails does not stop the others', async () => {
  const tried = [];
  const out = await each([1, 2, 3], async (n) => { if (n === 2) throw refuse(404); }, watch({ progress: (n) => tried.push(n) }));
  assert.deepEqual([out.done, out.failed.map((f) => f.item), out.left], [[1, 3], [2], []]);
  assert.deepEqual(tried, [1, 2, 3]);
});

test('a server that is gone ends the work, and what was not tried is told', async () => {
  let calls = 0;
  const out = await each([1, 2, 3, 4], async (n) => { calls++; if (n === 2) throw refuse(0); }, watch());
  assert.equal(calls, 2);
  assert.deepEqual([out.done, out.failed.length, out.left], [[1], 1, [3, 4]]);
});

test('a busy server is waited for', async () => {
  const waits = [];
  let busy = 2;
  const out = await each([1], async () => { if (busy-- > 0) throw refuse(503, { retryAfter: 7 }); }, watch({ pause: async (s) => { waits.push(s); } }));
  assert.deepEqual([out.done, waits], [[1], [7, 7]]);
});

test('a person who stops it is obeyed', async () => {
  const stop = new AbortController();
  const out = await each([1, 2, 3], async (n) => { if (n === 2) { stop.abort(); throw new Problem({ status: 0, code: 'cancelled' }); } }, watch({ signal: stop.signal }));
  assert.deepEqual([out.done, out.failed, out.left], [[1], [], [2, 3]]);
});
