import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { match, safeNext } = await load('shell/router.ts');

const routes = ['/', '/files', '/files/:folder', '/sign-in'].map((path) => ({ path }));

for (const [path, want, params = {}] of [
  ['/', '/'],
  ['/files', '/files'],
  ['/files/', '/files'],
  ['/files/abc', '/files/:folder', { folder: 'abc' }],
  ['/files/a%20b', '/files/:folder', { folder: 'a b' }],
  ['/files/%zz', undefined],
  ['/files/a/b', undefined],
  ['/filesx', undefined],
  ['/sign-in', '/sign-in'],
]) {
  test(`${path} leads to ${want}`, () => {
    const got = match(routes, path);
    assert.equal(got?.route.path, want);
    if (want) assert.deepEqual(got.params, params);
  });
}

const origin = 'https://coffer.test';
for (const [next, want] of [
  ['/security', '/security'],
  ['/files/1?x=2', '/files/1?x=2'],
  [null, '/files'],
  ['', '/files'],
  ['//evil.test', '/files'],
  ['/\\evil.test', '/files'],
  ['/\t/evil.test', '/files'],
  ['https://evil.test', '/files'],
  ['javascript:alert(1)', '/files'],
  ['https://coffer.test@evil.test', '/files'],
  ['/.//evil.test', '/files'],
  ['/x/..//evil.test', '/files'],
  ['/%2e/%2e%2e//evil.test', '/files'],
  ['/\\\\evil.test', '/files'],
  ['/\n/evil.test', '/files'],
  ['///evil.test', '/files'],
  [' //evil.test', '/files'],
  ['data:text/html,x', '/files'],
  ['/security#token=x', '/security'],
]) {
  test(`after a sign-in, next=${JSON.stringify(next)} leads to ${want}`, () => assert.equal(safeNext(next, origin, '/files'), want));
}
