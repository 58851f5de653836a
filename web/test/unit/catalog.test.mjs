import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, loadText } from './load.mjs';

browser();

// Every room and the frame around them register their catalogs when they load.
const { catalogs, fill } = await loadText(`import './rooms'; import './shell/app'; export { catalogs, fill } from './shell/i18n';`);

const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const names = (message) => [...new Set(forms(message).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])))].sort();

test('English and German have the same messages with the same values', () => {
  assert.ok(catalogs().length >= 7, `only ${catalogs().length} catalogs were found`);
  for (const { en, de } of catalogs()) {
    assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
    for (const key of Object.keys(en)) {
      assert.deepEqual(names(de[key]), names(en[key]), key);
      assert.equal(typeof de[key], typeof en[key], key);
      for (const text of [...forms(en[key]), ...forms(de[key])]) assert.ok(text.trim(), `${key} is empty`);
    }
  }
});

test('a message takes its values and its plural form', () => {
  const message = { one: '{count} file', other: '{count} files' };
  assert.equal(fill(message, { count: 1 }, 'en'), '1 file');
  assert.equal(fill(message, { count: 1200 }, 'en'), '1,200 files');
  assert.equal(fill('Hello {name}, {missing}', { name: '$& Ada' }, 'en'), 'Hello $& Ada, {missing}');
});
