import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadText, web } from '../../test/load.mjs';
import { seal } from './dag.mjs';

const { Damaged, keyOf, plainSize, unseal } = await loadText(`export * from './pin/unseal'; export { Damaged } from './pin/blocks';`);

const vectors = JSON.parse(fs.readFileSync(path.join(web, '../testdata/vectors/pin-seal.json'), 'utf8'));
const pattern = (n) => Buffer.from(Array.from({ length: n }, (_, i) => (7 * i + (i >> 8)) & 255));
const hash = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

// pieces cuts a stream into parts of n bytes.
async function* pieces(bytes, n) {
  for (let at = 0; at < bytes.length; at += n) yield new Uint8Array(bytes.subarray(at, at + n));
}

async function opened(sealed, key, n = 1 << 20, size = sealed.length) {
  const parts = [];
  for await (const part of unseal(pieces(sealed, n), size, new Uint8Array(key))) parts.push(part);
  return Buffer.concat(parts);
}

const refused = async (what, work) => assert.rejects(work, Damaged, what);

test('streams of the server and of Tink open, in pieces of any length', async () => {
  assert.ok(vectors.streams.length >= 10);
  for (const { by, key, header, size, sealed_sha256 } of vectors.streams) {
    const plain = pattern(size);
    const sealed = seal(Buffer.from(key, 'hex'), plain, Buffer.from(header, 'hex'), vectors.aad);
    assert.equal(hash(sealed), sealed_sha256, `${by}, ${size} bytes`);
    assert.equal(plainSize(sealed.length), size);
    for (const n of [1 << 20, 65536, 40_000, ...(size < 1000 ? [1] : [])]) assert.ok((await opened(sealed, Buffer.from(key, 'hex'), n)).equals(plain), `${by}, ${size} bytes by ${n}`);
  }
});

test('the key of a stream is the one that the server derives', async () => {
  for (const { pin, label, key } of vectors.keys) assert.equal(Buffer.from(await keyOf(new Uint8Array(Buffer.from(pin, 'hex')), label)).toString('hex'), key, label);
});

test('a stream that was changed anywhere opens to nothing behind the change', async () => {
  const key = crypto.randomBytes(32);
  const plain = pattern(200_000);
  const sealed = seal(key, plain);
  for (const at of [0, 1, 32, 33, 39, 40, 65535, 65536, 131072, sealed.length - 1]) {
    const bad = Buffer.from(sealed);
    bad[at] ^= 1;
    const seen = [];
    await refused(`byte ${at}`, async () => {
      for await (const part of unseal(pieces(bad, 1000), bad.length, new Uint8Array(key))) seen.push(part);
    });
    const before = Buffer.concat(seen);
    assert.ok(before.length <= at && before.equals(plain.subarray(0, before.length)), `byte ${at}: ${before.length} bytes came`);
  }
  await refused('another key', () => opened(sealed, crypto.randomBytes(32)));
  await refused('other data', () => opened(seal(key, plain, crypto.randomBytes(39), 'coffer/pin/v2'), key));
  await refused('cut after a segment', () => opened(sealed.subarray(0, 131072), key));
  await refused('cut, and its length told', () => opened(sealed.subarray(0, 131072), key, 1000, sealed.length));
  await refused('one byte more', () => opened(Buffer.concat([sealed, Buffer.alloc(1)]), key, 1000, sealed.length));
  await refused('segments that changed places', () => opened(Buffer.concat([sealed.subarray(0, 65536), sealed.subarray(131072, 196608), sealed.subarray(65536, 131072), sealed.subarray(196608)]), key));
});

test('lengths that no stream has are refused', () => {
  for (const size of [0, 1, 65480, 65481, 130999, 131000, 131001, 1e9]) assert.equal(plainSize(seal(crypto.randomBytes(32), Buffer.alloc(Math.min(size, 131001))).length), Math.min(size, 131001));
  for (const size of [-1, 0, 39, 40, 55, 65536 + 1, 65536 + 16, 131072 + 3, 0.5, NaN, 2 ** 60]) assert.throws(() => plainSize(size), Damaged, String(size));
});
