// A passkey that was damaged in the database says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { traits } = await load('passkey/section.tsx');
const { t } = await load('passkey/words.ts');

test('a damaged passkey says that it is to be removed, and nothing of where it is kept', () => {
  assert.equal(traits({ name: 'n', synced: false, damaged: true }), t('damagedText'));
  assert.equal(traits({ name: 'n', provider: 'p', synced: true }), `p\u00a0· ${t('synced')}`);
});
