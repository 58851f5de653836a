import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { Meter, rounded } = await load('shell/meter.ts');

test('the speed is that of the last five seconds', () => {
  const m = new Meter();
  for (let s = 0; s <= 10; s++) m.note(s * 1000, s * 100);
  assert.equal(m.speed(10_000), 100);
  for (let s = 11; s <= 15; s++) m.note(s * 1000, 1000 + (s - 10) * 1000);
  assert.equal(m.speed(15_000), 1000);
  assert.equal(m.left(15_000, 4000), 4);
});

test('nothing is said before a second has passed', () => {
  const m = new Meter();
  assert.equal(m.speed(0), undefined);
  m.note(0, 0);
  m.note(500, 5000);
  assert.equal(m.speed(500), undefined);
  assert.equal(m.speed(1000), 5000);
});

test('the speed falls to nothing when nothing moves', () => {
  const m = new Meter();
  m.note(0, 0);
  m.note(1000, 1000);
  assert.equal(m.speed(2000), 500);
  assert.equal(m.speed(6000), 0);
  assert.equal(m.left(6000, 10), undefined);
});

test('a new try and a new run begin anew', () => {
  const m = new Meter();
  m.note(0, 0);
  m.note(4000, 4000);
  m.note(5000, 0);
  m.note(7000, 200);
  assert.equal(m.speed(7000), 100);
  m.start(100_000, 200);
  m.note(102_000, 400);
  assert.equal(m.speed(102_000), 100);
});

test('a rest is said in one unit', () => {
  assert.deepEqual(rounded(0.2), { amount: 5, unit: 'second' });
  assert.deepEqual(rounded(41), { amount: 45, unit: 'second' });
  assert.deepEqual(rounded(58), { amount: 1, unit: 'minute' });
  assert.deepEqual(rounded(400), { amount: 7, unit: 'minute' });
  assert.deepEqual(rounded(3599), { amount: 1, unit: 'hour' });
  assert.deepEqual(rounded(9000), { amount: 3, unit: 'hour' });
});
