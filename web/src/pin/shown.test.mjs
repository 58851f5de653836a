// A pin in a list: what it is called, and what can be done with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, loadText } from '../../test/load.mjs';

browser();
const { titleOf, actionsOf, t } = await loadText(`export * from './pin/shown'; export { t } from './pin/words';`);
const pin = { name: 'Holiday', encrypt: true, state: 'verified', link: 'https://coffer.test/p/x#v1.y', file_id: 'f', kind: 'folder' };

test('a pin has its name in a list of many, and can be checked and opened', () => {
  assert.equal(titleOf(pin, true), 'Holiday');
  assert.equal(titleOf(pin, false), t('sealed'));
  assert.deepEqual(actionsOf(pin, true), ['verify', 'qr', 'openFolder', 'remove']);
  assert.deepEqual(actionsOf({ ...pin, encrypt: false, link: undefined, state: 'failed' }, false), ['retry', 'see', 'remove']);
  assert.deepEqual(actionsOf({ ...pin, state: 'removing', link: undefined }, false), []);
});

test('a damaged pin says so, and can only be removed', () => {
  const damaged = { damaged: true, name: '', encrypt: false, state: 'failed', file_id: null, kind: 'file' };
  for (const named of [true, false]) {
    assert.equal(titleOf(damaged, named), t('damagedPin'));
    assert.deepEqual(actionsOf(damaged, named), ['remove']);
  }
  assert.deepEqual(actionsOf({ ...damaged, state: 'removing' }, true), []);
});
