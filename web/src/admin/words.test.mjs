// The log has words for each act: a raw code on the page tells an operator nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { browser, load, src } from '../../test/load.mjs';

browser();
const { t } = await load('admin/words');

// actions are those that the server's code writes into the log.
function actions() {
  const found = new Set();
  for (const folder of ['../../internal/admin', '../../cmd/coffer']) {
    for (const file of fs.readdirSync(path.join(src, folder)).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))) {
      const code = fs.readFileSync(path.join(src, folder, file), 'utf8');
      for (const [, action] of code.matchAll(/(?:\bAction: |\baction :?= |, action :?= [\w.]+, |\b(?:damaged|logDamaged) = )"([a-z.-]+)"/g)) found.add(action);
      const [, kinds] = code.match(/\bfindings = map\[string\]bool\{(.*)\}/) ?? [];
      for (const [, kind] of (kinds ?? '').matchAll(/"([a-z-]+)": true/g)) found.add('found.' + kind);
    }
  }
  found.delete('found.'); // the beginning of those that the server found
  return [...found].sort();
}

test('each act of the log has words in every language, and no words tell of another', () => {
  const all = actions();
  for (const action of ['account.activate', 'account.first-admin', 'account.lock', 'block.add', 'client.remove', 'found.recovery-used', 'key.destroy', 'key.rewrap', 'log.damaged', 'prune', 'share.block']) {
    assert.ok(all.includes(action), `${action} was not read from the code: ${all}`);
  }
  for (const [tag, words] of Object.entries(t.catalog)) {
    assert.deepEqual(Object.keys(words).filter((key) => key.startsWith('event_')).sort(), all.map((action) => `event_${action.replace(/\W/g, '_')}`).sort(), tag);
  }
});
