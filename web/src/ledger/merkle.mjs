// For the tests of this folder: a ledger that proves what it holds, as RFC 6962 describes trees and
// their proofs, written from its recursive definitions; and notes that node signs.
import crypto from 'node:crypto';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), crypto.createHash('sha256')).digest();
export const hex = (bytes) => Buffer.from(bytes).toString('hex');

const leafHash = (leaf) => sha256(Buffer.from([0]), leaf);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);

// split is the largest power of two below n.
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));

export function root(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leafHash(leaves[0]);
  const k = split(leaves.length);
  return nodeHash(root(leaves.slice(0, k)), root(leaves.slice(k)));
}

export function path(m, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k ? [...path(m, leaves.slice(0, k)), root(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), root(leaves.slice(0, k))];
}

export const consistency = (m, leaves) => subproof(m, leaves, true);

function subproof(m, leaves, whole) {
  if (m === leaves.length) return whole ? [] : [root(leaves)];
  const k = split(leaves.length);
  return m <= k ? [...subproof(m, leaves.slice(0, k), whole), root(leaves.slice(k))] : [...subproof(m - k, leaves.slice(k), false), root(leaves.slice(0, k))];
}

// signer is a key of a name, as C2SP's signed-note writes it.
export function signer(name) {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
  const key = Buffer.concat([Buffer.from([1]), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
  const id = sha256(`${name}\n`, key).subarray(0, 4);
  return {
    vkey: `${name}+${hex(id)}+${key.toString('base64')}`,
    line: (text) => `\u2014 ${name} ${Buffer.concat([id, crypto.sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`,
    note(size, hash, origin = name) {
      const text = `${origin}\n${size}\n${Buffer.from(hash).toString('base64')}\n`;
      return `${text}\n${this.line(text)}`;
    },
  };
}

// entry is the nth of a ledger.
export const entry = (n) => ({
  n, time: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(), kind: ['pin', 'unpin', 'fail'][n % 3], cid: 'bafkrei' + hex(sha256(`cid ${n}`)).slice(0, 52).replace(/[0189]/g, '7'), size: n * 1000,
  digest: hex(sha256(`digest ${n}`)), commitment: hex(sha256(`commitment ${n}`)),
});

export const leaf = (e) => Buffer.from(JSON.stringify(e));
