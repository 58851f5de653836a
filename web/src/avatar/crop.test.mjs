import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { centred, moved, sized, sideOf, zoomOf, whole, largest, smallest } = await load('avatar/crop');

const wide = { width: 900, height: 600 };

test('the first square is the largest in the middle', () => {
  assert.deepEqual(centred(wide), { x: 150, y: 0, side: 600 });
  assert.deepEqual(centred({ width: 600, height: 901 }), { x: 0, y: 150.5, side: 600 });
});

test('a square stays inside its picture, wherever it is moved', () => {
  assert.deepEqual(moved(wide, centred(wide), 1000, 1000), { x: 300, y: 0, side: 600 });
  assert.deepEqual(moved(wide, centred(wide), -1000, -1000), { x: 0, y: 0, side: 600 });
  assert.deepEqual(moved(wide, { x: 10, y: 20, side: 100 }, 5, -5), { x: 15, y: 15, side: 100 });
});

test('another size keeps the point under the finger, and ends at the largest and the smallest', () => {
  assert.deepEqual(sized(wide, { x: 100, y: 100, side: 400 }, 200), { x: 200, y: 200, side: 200 });
  assert.deepEqual(sized(wide, { x: 100, y: 100, side: 400 }, 200, [0, 1]), { x: 100, y: 300, side: 200 });
  assert.equal(sized(wide, centred(wide), 1).side, smallest(wide));
  assert.deepEqual(sized(wide, { x: 300, y: 100, side: 64 }, 9999), { x: 32, y: 0, side: 600 });
  assert.equal(smallest({ width: 20, height: 30 }), 20);
});

test('the slider names each size once', () => {
  assert.equal(zoomOf(wide, centred(wide)), 0);
  assert.equal(sideOf(wide, 0), largest(wide));
  assert.ok(Math.abs(sideOf(wide, 1) - smallest(wide)) < 1e-9);
  assert.ok(Math.abs(zoomOf(wide, { x: 0, y: 0, side: sideOf(wide, .3) }) - .3) < 1e-9);
  assert.equal(zoomOf({ width: 20, height: 20 }, { x: 0, y: 0, side: 20 }), 0);
});

test('what is sent are whole pixels inside the picture', () => {
  assert.deepEqual(whole({ width: 601, height: 600 }, { x: .6, y: 0, side: 600 }), { x: 1, y: 0, side: 600 });
  assert.deepEqual(whole({ width: 600, height: 901 }, centred({ width: 600, height: 901 })), { x: 0, y: 151, side: 600 });
  for (let i = 0; i < 500; i++) {
    const of = { width: 1 + Math.floor(Math.random() * 3000), height: 1 + Math.floor(Math.random() * 3000) };
    const c = whole(of, moved(of, sized(of, centred(of), Math.random() * 3000, [Math.random(), Math.random()]), Math.random() * 999 - 500, Math.random() * 999 - 500));
    assert.ok(Number.isInteger(c.x) && Number.isInteger(c.y) && c.side >= 1 && c.x >= 0 && c.y >= 0 && c.x + c.side <= of.width && c.y + c.side <= of.height, JSON.stringify([of, c]));
  }
});
