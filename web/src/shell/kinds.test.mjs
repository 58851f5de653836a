import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { isPdf, kindOf, textOf } = await load('shell/kinds.ts');

const bytes = (text) => new TextEncoder().encode(text);
const seen = (name, media_type) => {
  const kind = kindOf({ name, media_type });
  return kind && [kind.shown, kind.type];
};

test('pictures, sound, video and PDF are shown by their type, else by their ending', () => {
  assert.deepEqual(seen('a', 'image/png'), ['image', 'image/png']);
  assert.deepEqual(seen('a.JPG', 'application/octet-stream'), ['image', 'image/jpeg']);
  assert.deepEqual(seen('a.wav', 'audio/x-wav'), ['audio', 'audio/wav']);
  assert.deepEqual(seen('a.mov', 'video/quicktime'), ['video', 'video/mp4']);
  assert.deepEqual(seen('a.pdf', ''), ['pdf', 'application/pdf']);
  for (const [name, type] of [['a.zip', 'application/zip'], ['a', 'application/octet-stream'], ['a.heic', 'image/heic'], ['a.constructor', 'constructor'], ['a.exe', undefined]]) assert.equal(seen(name, type), undefined);
});

test('what could run is text, whatever it calls itself', () => {
  for (const [name, type] of [['a.html', 'text/html'], ['a.svg', 'image/svg+xml'], ['a', 'image/svg+xml'], ['a.xhtml', 'application/xhtml+xml'], ['a.js', 'application/javascript'], ['a.xml', 'application/xml'], ['a.svg', 'application/octet-stream']]) {
    assert.deepEqual(seen(name, type), ['text', 'text/plain'], name);
  }
});

test('text is read in the ways that it is written, and other bytes are none', () => {
  assert.equal(textOf(bytes('grün')), 'grün');
  assert.equal(textOf(new Uint8Array([0xff, 0xfe, 0x67, 0, 0xfc, 0])), 'gü');
  assert.equal(textOf(new Uint8Array([0x67, 0xfc])), 'gü');
  assert.equal(textOf(new Uint8Array([1, 0, 2])), undefined);
  assert.ok(isPdf(bytes('junk\n%PDF-1.7')));
  assert.ok(!isPdf(bytes('<script>')));
});
