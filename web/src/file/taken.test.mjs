import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { settle, inTurn } = await load('file/taken.ts');

// asks answers the questions in turn and keeps what was asked.
const asks = (...replies) => {
  const asked = [];
  return { asked, question: async (clash, left) => (asked.push([clash, left]), replies.shift()) };
};
const replace = { answer: 'replace', all: false };
const always = () => true;
const keep = { answer: 'keep', all: false };
const skip = { answer: 'skip', all: false };

test('each taken name is asked about, and the number that is left is told', async () => {
  const { asked, question } = asks(keep, skip, keep);
  assert.deepEqual(await settle(['a', 'b', 'c'], question, always), ['keep', 'skip', 'keep']);
  assert.deepEqual(asked, [['a', 3], ['b', 2], ['c', 1]]);
});

test('an answer for all ends the questions, and holds for those that follow alone', async () => {
  const { asked, question } = asks(skip, { answer: 'keep', all: true });
  assert.deepEqual(await settle(['a', 'b', 'c', 'd'], question, always), ['skip', 'keep', 'keep', 'keep']);
  assert.equal(asked.length, 2);
});

test('what cannot be replaced is asked about though the others are all replaced, and its answer is its own', async () => {
  const { asked, question } = asks({ ...replace, all: true }, { ...skip, all: true });
  assert.deepEqual(await settle(['a', 'B', 'c', 'D', 'e'], question, (name) => name === name.toLowerCase()), ['replace', 'skip', 'replace', 'skip', 'replace']);
  assert.deepEqual(asked, [['a', 5], ['B', 2]]);
});

test('the questions of two drops come one after the other', async () => {
  const turn = inTurn();
  const seen = [];
  let go;
  const first = turn(() => new Promise((resolve) => { seen.push('first'); go = resolve; }));
  const second = turn(async () => seen.push('second'));
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(seen, ['first']);
  go();
  await Promise.all([first, second]);
  assert.deepEqual(seen, ['first', 'second']);
  const failed = turn(() => Promise.reject(new Error('x')));
  await assert.rejects(failed);
  assert.equal(await turn(async () => 1), 1);
});
