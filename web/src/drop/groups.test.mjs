import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browser, load } from '../../test/load.mjs';

browser();
const { coming, going, groups } = await load('drop/groups.ts');

const people = [{ rid: 'me', me: true }, { rid: 'ada', me: false }, { rid: 'bob', me: false }];
const item = (id, owner) => ({ id, owner, name: id });

test('what others offer: failed first, then what runs, then what waits for the person, then what is done', () => {
  const state = {
    people, outgoing: [],
    items: ['saved', 'open', 'fresh', 'running', 'cancelled', 'broken'].map((id) => item(id, 'ada')).concat(item('mine', 'me')),
    incoming: [{ item: 'saved', state: 'saved' }, { item: 'fresh', state: 'verified' }, { item: 'running', state: 'retrying' }, { item: 'cancelled', state: 'broken', why: 'cancelled' }, { item: 'broken', state: 'broken', why: 'tampered' }],
  };
  const sorted = coming(state);
  assert.deepEqual(groups.map((g) => sorted[g].map((r) => r.item.id)), [['broken'], ['running'], ['fresh'], ['open', 'cancelled'], ['saved']]);
});

test('of each receiver the latest try counts', () => {
  const state = {
    people, incoming: [], items: [item('a', 'me'), item('b', 'ada')],
    outgoing: [{ id: '1', item: 'a', to: 'ada', state: 'failed' }, { id: '2', item: 'a', to: 'bob', state: 'failed' }, { id: '3', item: 'a', to: 'ada', state: 'running' }, { id: '4', item: 'a', to: 'eve', state: 'verified' }],
  };
  const [only, ...more] = going(state);
  assert.deepEqual(more, []);
  assert.deepEqual(only.to.map((o) => o.id), ['2', '3']);
  assert.deepEqual(only.verified.map((o) => o.id), ['4']);
});
