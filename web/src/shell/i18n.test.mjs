import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { size, ago, pickLang, lang } = await load('shell/i18n.ts');

test('the first language that we speak is chosen', () => {
  assert.equal(pickLang(['fr', 'de-AT', 'en']), 'de');
  assert.equal(pickLang(['EN-us']), 'en');
  assert.equal(pickLang([]), 'en');
  assert.equal(pickLang(['constructor']), 'en');
});

for (const [bytes, want] of [[0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1 kB'], [1499, '1.5 kB'], [999_600, '1 MB'], [2_400_000, '2.4 MB'], [34.7e9, '35 GB']]) {
  test(`${bytes} bytes are ${want}`, () => assert.equal(size(bytes), want));
}

test('times are said the way people do', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  const before = (seconds) => new Date(now - seconds * 1000).toISOString();
  assert.equal(ago(before(5), now), 'now');
  assert.equal(ago(before(-5), now), 'now');
  assert.equal(ago(before(119), now), '1 minute ago');
  assert.equal(ago(before(7200), now), '2 hours ago');
  assert.equal(ago(before(86400 * 1.5), now), 'yesterday');
  assert.match(ago(before(86400 * 30), now), /Oct 21, 2026/);
  lang.value = 'de';
  assert.equal(ago(before(7200), now), 'vor 2 Stunden');
});
