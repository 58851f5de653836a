import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

const storage = {};
browser({ navigator: { storage } });
const { openPart, room, Silent } = await load('drop/store.ts');

const soon = () => new Promise((resolve) => setImmediate(resolve));

test('storage that does not answer is given up, and a handle that comes late is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let arrive, closed = 0, opened = 0;
  const handle = () => ({ close: () => closed++ });
  const file = { createSyncAccessHandle: () => (opened++ ? Promise.resolve(handle()) : new Promise((resolve) => { arrive = () => resolve(handle()); })) };
  const folder = { getDirectoryHandle: async () => folder, getFileHandle: async () => file };
  storage.getDirectory = async () => folder;

  const first = assert.rejects(openPart('member', 'item'), Silent);
  await soon();
  t.mock.timers.tick(20_000);
  await first;
  arrive();
  await soon();
  assert.equal(closed, 1);

  await openPart('member', 'item');
  assert.equal(closed, 1);

  storage.estimate = () => new Promise(() => {});
  const space = assert.rejects(room(), Silent);
  t.mock.timers.tick(20_000);
  await space;
  storage.estimate = async () => ({ quota: 10, usage: 3 });
  assert.equal(await room(), 7);
});
