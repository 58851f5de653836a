import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';
import { consistency, entry, hex, leaf, path, root, signer } from './merkle.mjs';

const { verify: verifyAt } = await load('ledger/verify.ts');

const day = 24 * 60 * 60 * 1000;
const now = Date.parse(entry(39).time) + 60_000;
const verify = (ledger, entries, kept, done, at = now) => verifyAt(ledger, entries, kept, done, at);

const name = 'coffer.test/ledger';
const key = signer(name);
const all = Array.from({ length: 40 }, (_, n) => entry(n));

// served is a server that holds these entries, and has signed the first `size` of them.
const served = (entries, size = entries.length, own = key) => {
  const leaves = entries.slice(0, size).map(leaf);
  return {
    keys: async () => [own.vkey],
    checkpoint: async () => own.note(size, root(leaves)),
    grown: async (from, to) => consistency(from, leaves.slice(0, to)).map(hex),
    proof: async (n, of) => (n < of ? path(n, leaves.slice(0, of)).map(hex) : undefined),
  };
};

const mine = [31, 17, 16, 3].map((n) => all[n]);
const at = (size, own = key) => own.note(size, root(all.slice(0, size).map(leaf)));

test('entries that stand in a signed ledger are found, with those that wait', async () => {
  const seen = [];
  const found = await verify(served(all, 20), mine, undefined, (count) => seen.push(count));
  assert.deepEqual({ ...found, root: 0, note: 0 }, { is: 'sound', size: 20, root: 0, checked: 3, waiting: 1, first: true, note: 0 });
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(found.note, at(20));
  for (const kept of [1, 16, 19, 20]) {
    const grown = await verify(served(all, 20), mine, at(kept));
    assert.deepEqual([grown.is, grown.first], ['sound', false], String(kept));
  }
  assert.deepEqual((await verify(served(all, 1), [], undefined)).is, 'sound');
});

const broken = async (what, ledger, entries, kept, wrong, n) => {
  const found = await verify(ledger, entries, kept);
  assert.deepEqual([found.is, found.wrong, found.n], ['broken', wrong, n], what);
};

test('each attack has its name', async () => {
  const edited = all.map((e) => (e.n === 5 ? { ...e, size: e.size + 1 } : e));
  const without = all.filter(({ n }) => n !== 5).map((e, n) => ({ ...e, n }));
  const swapped = all.map((e) => (e.n === 5 ? { ...all[6], n: 5 } : e.n === 6 ? { ...all[5], n: 6 } : e));
  await broken('an entry that stood was edited', served(edited), mine, at(10), 'rewritten');
  await broken('an entry that stood was taken out', served(without), [], at(10), 'rewritten');
  await broken('two entries changed places', served(swapped), [], at(10), 'rewritten');
  await broken('a fork of the same length', served(edited), mine, at(40), 'forked');
  await broken('the ledger lost its end', served(all, 30), mine, at(31), 'shrunk');
  await broken('the list shows another size', served(all), [{ ...mine[1], size: 1 }], undefined, 'entry', 17);
  await broken('the list shows another time', served(all), [{ ...mine[1], time: mine[0].time }], undefined, 'entry', 17);
  await broken('the list shows it elsewhere', served(all), [{ ...mine[1], n: 18 }], undefined, 'entry', 18);
  await broken('the list shows what no entry can be', served(all), [{ ...mine[1], cid: '"' }], undefined, 'entry', 17);
  await broken('the list shows one entry twice', served(all), [mine[1], mine[1]], undefined, 'order', 17);
  await broken('the server has no such entry', { ...served(all), proof: async () => undefined }, mine, undefined, 'missing', 31);
  await broken('the proof is another', { ...served(all), proof: async () => path(2, all.map(leaf)).map(hex) }, mine, undefined, 'entry', 31);
  await broken('the proof is none', { ...served(all), proof: async () => ['zz'] }, mine, undefined, 'entry', 31);
  await broken('another key has signed', { ...served(all), keys: async () => [signer(name).vkey] }, mine, undefined, 'signature');
  await broken('the signature is of other text', { ...served(all), checkpoint: async () => at(40).replace('\n40\n', '\n41\n') }, mine, undefined, 'signature');
  await broken('an old key is gone', served(all, 40, signer(name)), mine, at(10), 'oldSignature');
  await broken('no note', { ...served(all), checkpoint: async () => 'hello' }, mine, undefined, 'malformed');
  await broken('no key', { ...served(all), keys: async () => ['hello'] }, mine, undefined, 'malformed');
  await broken('no proof of growth', { ...served(all), grown: async () => [] }, mine, at(10), 'rewritten');
});

test('a key that was followed by another still vouches for what it signed', async () => {
  const next = signer(name);
  const both = { ...served(all, 40, next), keys: async () => [next.vkey, key.vkey] };
  assert.equal((await verify(both, mine, at(10))).is, 'sound');
});

test('a check that has ended tells of no progress any longer', async () => {
  const { proof } = served(all);
  const late = async (n, size) => {
    if (n === 31) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return proof(n, size);
  };
  let over = false;
  const found = await verify({ ...served(all), proof: late }, mine, undefined, () => assert.ok(!over));
  over = true;
  assert.equal(found.wrong, 'missing');
  await new Promise((resolve) => setTimeout(resolve, 60));
});

test('a server that signs no more is found by an entry that is a day old', async () => {
  const frozen = served(all, 20);
  assert.equal((await verify(frozen, mine, at(20))).waiting, 1);
  const limit = Date.parse(all[31].time) + day;
  assert.equal((await verify(frozen, mine, at(20), undefined, limit)).is, 'sound');
  const found = await verify(frozen, mine, at(20), undefined, limit + 1);
  assert.deepEqual([found.is, found.wrong, found.n], ['broken', 'unsigned', 31]);
  assert.equal((await verify(frozen, mine.slice(1), at(20), undefined, limit + day)).is, 'sound');
  await broken('its time is none', frozen, [{ ...mine[0], time: 'soon' }], undefined, 'unsigned', 31);
});

test('a server that has signed nothing yet', async () => {
  const fresh = { ...served(all), checkpoint: async () => undefined };
  assert.deepEqual(await verify(fresh, mine, undefined), { is: 'none' });
  await broken('this browser has seen one', fresh, mine, at(20), 'shrunk');
  const found = await verify(fresh, mine, undefined, undefined, now + 2 * day);
  assert.deepEqual([found.is, found.wrong, found.n], ['broken', 'unsigned', 3]);
});

test('what the server refuses is no finding', async () => {
  await assert.rejects(verify({ ...served(all), proof: async () => Promise.reject(new Error('offline')) }, mine, undefined), /offline/);
});
