import assert from 'node:assert/strict';
import { test } from 'node:test';
import decode from 'qr/decode.js';
import { browser, load } from '../../test/load.mjs';

browser();
const { draw } = await load('shell/qr.tsx');

// raster fills the rectangles of a path, enlarged, black on white.
function raster({ side, path }, scale = 4) {
  const width = side * scale;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
    for (let py = y * scale; py < (+y + 1) * scale; py++) {
      for (let px = x * scale; px < (+x + +run) * scale; px++) data.set([0, 0, 0], (py * width + px) * 4);
    }
  }
  return { width, height: width, data };
}

test('the picture of a link reads as the link', () => {
  for (const link of ['https://coffer.example.org/d/brave-otter#v1.AAECAwQFBgcICQoLDA0ODw', 'http://localhost:8080/d/' + 'a'.repeat(40) + '#v1.' + 'x'.repeat(22)]) {
    assert.equal(decode(raster(draw(link))), link);
  }
});
