// CPace on the vectors of its draft.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { load, web } from '../../test/load.mjs';

const { generator, multiplied, NeutralElement, secretScalar, sharedKey } = await load('drop/cpace.ts');
const vectors = JSON.parse(fs.readFileSync(path.join(web, '../testdata/vectors/cpace_testvectors.json'), 'utf8'));
const v = Object.fromEntries(Object.entries(vectors.G_25519).map(([name, hex]) => [name, Uint8Array.from(Buffer.from(hex, 'hex'))]));
const hex = (b) => Buffer.from(b).toString('hex').toUpperCase();

test('the generator, the points and the key are those of the draft', async () => {
  const g = await generator(v.PRS, v.CI, v.sid);
  assert.equal(hex(g), vectors.G_25519.g);
  assert.equal(hex(multiplied(v.ya, g)), vectors.G_25519.Ya);
  assert.equal(hex(multiplied(v.yb, g)), vectors.G_25519.Yb);
  assert.equal(hex(multiplied(v.ya, v.Yb)), vectors.G_25519.K);
  assert.equal(hex(multiplied(v.yb, v.Ya)), vectors.G_25519.K);
  assert.equal(hex(await sharedKey(v.sid, v.K, v.Ya, 'ADa', v.Yb, 'ADb')), vectors.G_25519.ISK_IR);
});

test('points that give the neutral element are refused', () => {
  const s = Uint8Array.from(Buffer.from('af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff', 'hex'));
  const refused = Object.entries(vectors.X25519_points).filter(([name, point]) => {
    if (!name.startsWith('Invalid')) return false;
    try {
      multiplied(s, Uint8Array.from(Buffer.from(point, 'hex')));
      return false;
    } catch (err) {
      assert.ok(err instanceof NeutralElement, `${name}: ${err}`);
      return true;
    }
  });
  // The others are of low order for an X25519 that does not clear the top bit; this one does.
  assert.deepEqual(refused.map(([name]) => name.slice(-2)), ['Y0', 'Y1', 'Y2', 'Y3', 'Y4', 'Y5', 'Y7']);
  for (const length of [0, 31, 33]) assert.throws(() => multiplied(s, new Uint8Array(length).fill(9)), NeutralElement);
});

test('two ends agree on one secret, and on no other', async () => {
  const run = async (a, b) => {
    const sid = crypto.getRandomValues(new Uint8Array(16));
    const ci = new Uint8Array([1, 2, 3]);
    const [ya, yb] = [secretScalar(), secretScalar()];
    const [Ya, Yb] = [multiplied(ya, await generator(a, ci, sid)), multiplied(yb, await generator(b, ci, sid))];
    const keys = await Promise.all([sharedKey(sid, multiplied(ya, Yb), Ya, 'a', Yb, 'b'), sharedKey(sid, multiplied(yb, Ya), Ya, 'a', Yb, 'b')]);
    return keys.map(hex);
  };
  const code = (s) => new TextEncoder().encode(s);
  const [same, also] = await run(code('123456'), code('123456'));
  assert.equal(same, also);
  const [one, other] = await run(code('123456'), code('123457'));
  assert.notEqual(one, other);
});
