import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../test/load.mjs';
import { consistency, entry, hex, leaf, path, root, signer } from './merkle.mjs';

const { equal, grew, hashOf, included, keyOf, leafHash, leafOf, Malformed, nodeHash, signed } = await load('ledger/proof.ts');

// The leaves and roots that the Certificate Transparency project tests its trees with.
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((h) => Buffer.from(h, 'hex'));
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('the trees of the tests are those of Certificate Transparency', () => {
  roots.forEach((want, size) => assert.equal(hex(root(leaves.slice(0, size))), want, String(size)));
  assert.equal(hex(nodeHash(leafHash(leaves[0]), leafHash(leaves[1]))), roots[2]);
});

const many = Array.from({ length: 70 }, (_, i) => Buffer.from(`leaf ${i}`));
const changed = (hash) => Buffer.from(hash.map((byte, i) => (i === 7 ? byte ^ 1 : byte)));

test('a proof of inclusion holds for its leaf, place, size and root, and for nothing else', () => {
  for (let size = 1; size <= many.length; size++) {
    const top = root(many.slice(0, size));
    for (let n = 0; n < size; n++) {
      const proof = path(n, many.slice(0, size));
      const hash = leafHash(many[n]);
      assert.ok(included(hash, n, size, proof, top), `${n} of ${size}`);
      assert.ok(!included(changed(hash), n, size, proof, top), `another leaf ${n} of ${size}`);
      assert.ok(!included(hash, n, size, proof, changed(top)), `another root ${n} of ${size}`);
      assert.ok(!included(hash, n, size, [...proof, top], top), `longer ${n} of ${size}`);
      if (proof.length > 0) {
        assert.ok(!included(hash, n, size, proof.slice(1), top), `shorter ${n} of ${size}`);
        assert.ok(!included(hash, n, size, [changed(proof[0]), ...proof.slice(1)], top), `changed ${n} of ${size}`);
      }
      for (let other = 0; other < size; other++) if (other !== n) assert.ok(!included(hash, other, size, proof, top), `${n} of ${size} at ${other}`);
    }
  }
  for (const [n, size] of [[0, 0], [-1, 3], [3, 3], [0.5, 3], [NaN, 3], [0, 2 ** 60]]) assert.ok(!included(leafHash(many[0]), n, size, [], root([many[0]])), `${n} of ${size}`);
});

test('a proof of growth holds for its two trees, and for nothing else', () => {
  for (let size = 1; size <= many.length; size++) {
    const now = { size, root: root(many.slice(0, size)) };
    for (let before = 1; before <= size; before++) {
      const old = { size: before, root: root(many.slice(0, before)) };
      const proof = consistency(before, many.slice(0, size));
      assert.ok(grew(old, now, proof), `${before} to ${size}`);
      assert.ok(!grew({ ...old, root: changed(old.root) }, now, proof), `another old root, ${before} to ${size}`);
      assert.ok(!grew(old, { ...now, root: changed(now.root) }, proof), `another new root, ${before} to ${size}`);
      assert.ok(!grew(old, now, [...proof, now.root]), `longer, ${before} to ${size}`);
      if (proof.length > 0) {
        assert.ok(!grew(old, now, proof.slice(0, -1)), `shorter, ${before} to ${size}`);
        assert.ok(!grew(old, now, [...proof.slice(0, -1), changed(proof.at(-1))]), `changed, ${before} to ${size}`);
      }
      if (before < size) assert.ok(!grew(now, old, proof), `backwards, ${size} to ${before}`);
    }
    assert.ok(grew({ size: 0, root: root([]) }, now, []), `nothing to ${size}`);
    assert.ok(!grew({ size: 0, root: now.root }, now, []), `another nothing to ${size}`);
  }
});

test('a key says its name, its kind and its hash', () => {
  // The key of Go's checksum database, as cmd/go has it.
  assert.deepEqual({ ...keyOf('sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'), key: 0 }, { name: 'sum.golang.org', hash: '033de0ae', key: 0 });
  const { vkey } = signer('a.test/ledger');
  assert.equal(keyOf(vkey).name, 'a.test/ledger');
  const [name, hash, key] = [vkey.split('+')[0], vkey.split('+')[1], vkey.split('+').slice(2).join('+')];
  for (const wrong of ['', name, `${name}+${hash}`, `x${vkey}`, `${name}+${hash.replace(/./, (c) => (c === '0' ? '1' : '0'))}+${key}`, `${name}+${hash}+${key.slice(0, -4)}`, `${vkey} `, `a b+${hash}+${key}`, `${name}+${hash}+AQ==`]) {
    assert.throws(() => keyOf(wrong), Malformed, wrong);
  }
});

test('a checkpoint is read when a key of its ledger has signed it', () => {
  const [own, other] = [signer('a.test/ledger'), signer('b.test/ledger')];
  const keys = [own, other].map(({ vkey }) => keyOf(vkey));
  const top = root(many);
  const note = own.note(70, top);
  const read = signed(note, keys);
  assert.deepEqual([read.origin, read.size, hex(read.root)], ['a.test/ledger', 70, hex(top)]);
  // Lines of extensions are signed; signatures of others, such as witnesses, do not matter.
  const more = `a.test/ledger\n70\n${top.toString('base64')}\nmore\n`;
  assert.equal(signed(`${more}\n${other.line(more)}${own.line(more)}`, keys).size, 70);
  assert.equal(signed(note + signer('w.test').line(note), keys).size, 70);

  for (const [what, text] of Object.entries({
    'another size': note.replace('\n70\n', '\n71\n'), 'no key of ours': signer('a.test/ledger').note(70, top), 'the key of another ledger': other.note(70, top, 'a.test/ledger'),
    'a wrong signature beside a good one': note + own.line('something else\n'),
  })) assert.equal(signed(text, keys), undefined, what);
  assert.equal(signed(note, []), undefined);
  for (const [what, text] of Object.entries({
    'empty': '', 'no signature': note.split('\n\n')[0] + '\n', 'no end': note.slice(0, -1), 'a tab': note.replace('\n70', '\t\n70'), 'CR': note.replaceAll('\n', '\r\n'),
    'a size with a zero': own.note('070', top), 'a negative size': own.note(-1, top), 'a size that is none': own.note('7e1', top), 'a huge size': own.note('9'.repeat(17), top),
    'a short root': own.note(70, top.subarray(1)), 'no origin': own.note(70, top, ''), 'text behind': note + 'more\n', 'a signature of four bytes': note + '\u2014 x AAAAAA==\n',
    'base64 that ends twice': note.replace(/=\n$/, 'A=\n'), 'very long': note + own.line(note).repeat(1000),
  })) assert.throws(() => signed(text, keys), Malformed, what);
});

test('an entry has one form, and a hash is 32 bytes in small letters', () => {
  assert.deepEqual(Buffer.from(leafOf(entry(3))), leaf(entry(3)));
  assert.deepEqual(Buffer.from(leafOf({ more: 1, ...Object.fromEntries(Object.entries(entry(4)).reverse()) })), leaf(entry(4)));
  for (const wrong of [{ n: -1 }, { n: 0.5 }, { size: '1' }, { cid: 'a"b' }, { kind: 'pin\n' }, { digest: 'é' }, { commitment: undefined }]) assert.throws(() => leafOf({ ...entry(1), ...wrong }), Malformed, JSON.stringify(wrong));
  assert.ok(equal(hashOf(roots[1]), Buffer.from(roots[1], 'hex')));
  for (const wrong of ['', roots[1].toUpperCase(), roots[1].slice(1), roots[1] + '00', roots[1].slice(0, -1) + 'g', undefined, 5]) assert.throws(() => hashOf(wrong), Malformed);
});
