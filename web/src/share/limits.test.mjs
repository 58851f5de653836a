// The form of a link, as the server gets it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { read, endings } = await load('share/limits.ts');
const now = Date.UTC(2026, 10, 29, 12);

test('a new link says only what it limits', () => {
  assert.deepEqual(read({ note: '', password: '', expires: 'never', max_downloads: '' }, undefined, now), {});
  assert.deepEqual(read({ note: ' Hello ', password: ' pass ', expires: 'd7', max_downloads: ' 3 ' }, undefined, now), {
    note: 'Hello', password: ' pass ', expires_at: '2026-12-06T12:00:00.000Z', max_downloads: 3,
  });
  assert.deepEqual(read({ max_files: '5', max_file_bytes: 'b1000000', accept: 'PDF, .docx;pdf' }, undefined, now), { max_files: 5, max_file_bytes: 1_000_000, accept: ['.pdf', '.docx'] });
});

test('a day means its end, where the person is', () => {
  const { expires_at } = read({ expires: 'on', expires_at: '2026-12-24' }, undefined, now);
  assert.equal(expires_at, new Date(2026, 11, 24, 23, 59, 59).toISOString());
  assert.throws(() => read({ expires: 'on', expires_at: '' }, undefined, now), (err) => err.fields[0].pointer === '/expires_at');
});

test('a change says what changed, and null for what goes', () => {
  const was = { note: 'n', has_password: true, expires_at: '2026-12-01T00:00:00Z', max_downloads: 3, max_files: null, max_file_bytes: null, accept: ['.pdf'] };
  assert.deepEqual(read({ note: 'n', passwordDo: 'keep', expires: 'keep', max_downloads: '3', accept: '.pdf' }, was, now), {});
  assert.deepEqual(read({ note: '', passwordDo: 'none', expires: 'never', max_downloads: '', accept: '' }, was, now), { note: null, password: null, expires_at: null, max_downloads: null, accept: [] });
  assert.deepEqual(read({ passwordDo: 'new', password: 'word', max_downloads: '4' }, was, now), { password: 'word', max_downloads: 4 });
});

test('a password has four characters or more', () => {
  for (const bad of ['abc', '\u{1f512}'.repeat(3), 'x'.repeat(257)]) {
    assert.throws(() => read({ password: bad }, undefined, now), (err) => err.fields[0].pointer === '/password', bad);
  }
});

test('a number that is none is refused beside its field', () => {
  for (const bad of ['0', '-1', '1.5', 'x', '9'.repeat(16)]) {
    assert.throws(() => read({ max_downloads: bad }, undefined, now), (err) => err.code === 'validation_failed' && err.fields[0].pointer === '/max_downloads', bad);
  }
  assert.deepEqual(endings(' '), []);
  for (const bad of ['*.pdf', 'tar.gz', '.', 'x'.repeat(17), Array.from({ length: 51 }, (_, i) => 'e' + i).join()]) {
    assert.throws(() => endings(bad), (err) => err.fields[0].pointer === '/accept', bad);
  }
});
