// This browser's checks on a ledger that the server's code made.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadText, web } from '../../test/load.mjs';
import { hex } from './merkle.mjs';

const { grew, hashOf, included, keyOf, leafHash, leafOf, signed, verify } = await loadText(`export * from './ledger/proof'; export { verify } from './ledger/verify';`);

const read = (name) => JSON.parse(fs.readFileSync(path.join(web, '../testdata/vectors', name), 'utf8'));
const made = read('ledger/ledger.json');
const tree = read('rfc6962/tree.json');
const hashes = (list) => list.map(hashOf);

test('proofs of Certificate Transparency hold', () => {
  const leaves = tree.leaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
  const roots = hashes(tree.roots);
  for (const { n, size, hashes: proof } of tree.inclusion) assert.ok(included(leaves[n], n, size, hashes(proof), roots[size]), `${n} of ${size}`);
  for (const { from, to, hashes: proof } of tree.consistency) assert.ok(grew({ size: from, root: roots[from] }, { size: to, root: roots[to] }, hashes(proof)), `${from} to ${to}`);
});

const keys = made.keys.map(keyOf);
const checkpoint = (size) => made.checkpoints.find((c) => c.size === size);

test('the entries, proofs and checkpoints of the server are read as it means them', () => {
  made.items.forEach((item, n) => {
    assert.equal(Buffer.from(leafOf(item)).toString(), made.leaves[n]);
    assert.equal(hex(leafHash(leafOf(item))), made.leaf_hashes[n]);
  });
  for (const { size, root, key, note } of made.checkpoints) {
    const found = signed(note, keys);
    assert.deepEqual([found.size, hex(found.root)], [size, root]);
    assert.equal(signed(note, keys.filter((_, i) => i !== key)), undefined, `${size} under the other key`);
  }
  for (const { n, size, hashes: proof } of made.inclusion) assert.ok(included(hashOf(made.leaf_hashes[n]), n, size, hashes(proof), hashOf(checkpoint(size).root)), `${n} of ${size}`);
  for (const { from, to, hashes: proof } of made.consistency) assert.ok(grew({ size: from, root: hashOf(checkpoint(from).root) }, { size: to, root: hashOf(checkpoint(to).root) }, hashes(proof)), `${from} to ${to}`);
});

test('a fork is none of the checkpoints that this browser may have seen', async () => {
  const last = made.checkpoints.at(-1);
  const ledger = (note, size) => ({
    keys: async () => made.keys,
    checkpoint: async () => note,
    grown: async (from, to) => made.consistency.find((c) => c.from === from && c.to === to)?.hashes ?? [],
    proof: async (n) => made.inclusion.find((i) => i.n === n && i.size === size)?.hashes,
  });
  assert.ok(made.forks.length > 0);
  for (const { note, size } of made.checkpoints) {
    const found = await verify(ledger(last.note, last.size), [...made.items].reverse(), note);
    assert.equal(found.is, 'sound', String(size));
  }
  for (const fork of made.forks) {
    assert.equal(signed(fork.note, keys)?.size, fork.size, 'its signature is good');
    const found = await verify(ledger(last.note, last.size), [], fork.note);
    assert.ok(found.is === 'broken' && ['rewritten', 'forked'].includes(found.wrong), JSON.stringify(found));
  }
});
