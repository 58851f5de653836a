// A link that was damaged in the database has a name, its log and an end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { menu } = await load('share/link-row.tsx');
const { nameOf, titleOf } = await load('share/links.ts');
const { t } = await load('share/words.ts');
const link = { id: '1', kind: 'read', url: '', token: '', note: '', accept: [], downloads: 0, files: 0, blocked: false, has_password: false };

test('a damaged link can be looked at and stopped, not changed', () => {
  const damaged = { ...link, state: 'damaged' };
  assert.deepEqual(menu(damaged, true).map((item) => item.icon), ['history', 'close']);
  assert.deepEqual(menu(damaged, false).map((item) => item.icon), ['history', 'close']);
  assert.deepEqual(menu({ ...link, state: 'expired' }, true).map((item) => item.icon), ['pencil', 'history', 'close']);
});

test('it has a name of its own', () => {
  const damaged = { ...link, state: 'damaged' };
  assert.equal(nameOf(damaged), t('damagedLink'));
  assert.notEqual(nameOf({ ...link, state: 'open' }), nameOf(damaged));
  assert.ok(titleOf(damaged));
  for (const key of ['state_damaged', 'damagedText']) assert.ok(t(key));
});
