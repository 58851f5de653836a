// The checks of the ledger, as this browser makes them: the Merkle tree of RFC 6962, and signed notes
// as C2SP writes them (signed-note, tlog-checkpoint). Nothing here asks the server anything.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';

export type Bytes = Uint8Array<ArrayBuffer>;

// Malformed is thrown for text that is no such key, note or proof.
export class Malformed extends Error {
  constructor(kind: string) {
    super('malformed ' + kind);
    this.name = 'Malformed';
  }
}

const utf8 = (s: string): Bytes => new TextEncoder().encode(s);

const joined = (...parts: Uint8Array[]): Bytes => {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

export const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

const sum = (bytes: Uint8Array): Bytes => new Uint8Array(sha256(bytes));

// hashOf reads a hash of 32 bytes in lower-case hex.
export function hashOf(hex: string): Bytes {
  if (typeof hex !== 'string' || !/^[0-9a-f]{64}$/.test(hex)) throw new Malformed('hash');
  return Uint8Array.from(hex.match(/../g)!, (byte) => parseInt(byte, 16));
}

// fromBase64 reads standard base64 with its padding. One value has one spelling.
function fromBase64(text: string, kind: string): Bytes {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) throw new Malformed(kind);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  if (btoa(String.fromCharCode(...bytes)) !== text) throw new Malformed(kind);
  return bytes;
}

// ---- the tree (RFC 6962, section 2.1; the checks are those of RFC 9162, section 2.1) ----

export const leafHash = (entry: Uint8Array): Bytes => sum(joined(new Uint8Array([0]), entry));
export const nodeHash = (left: Uint8Array, right: Uint8Array): Bytes => sum(joined(new Uint8Array([1]), left, right));

// A tree has fewer than 2^53 leaves, so its proofs have fewer hashes than this.
const longest = 106;

const odd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);
const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

// included: the leaf stands at place n of the tree with this size and root.
export function included(leaf: Uint8Array, n: number, size: number, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!whole(n) || !whole(size) || n >= size || proof.length > longest) return false;
  let at = n;
  let last = size - 1;
  let hash = leaf;
  for (const next of proof) {
    if (last === 0) return false;
    if (odd(at) || at === last) {
      hash = nodeHash(next, hash);
      while (!odd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, next);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && equal(hash, root);
}

interface Tree {
  size: number;
  root: Uint8Array;
}

// grew: the new tree holds every leaf of the old one, in its place.
export function grew(old: Tree, now: Tree, proof: readonly Uint8Array[]): boolean {
  if (!whole(old.size) || !whole(now.size) || old.size > now.size || proof.length > longest) return false;
  if (old.size === 0) return proof.length === 0 && equal(old.root, sum(new Uint8Array()));
  if (old.size === now.size) return proof.length === 0 && equal(old.root, now.root);
  let at = old.size - 1;
  let last = now.size - 1;
  while (odd(at)) {
    at = half(at);
    last = half(last);
  }
  // The old tree is one whole subtree where all bits were taken away: the proof leaves its root out.
  const path = at === 0 ? [old.root, ...proof] : [...proof];
  if (path.length === 0) return false;
  let before = path[0]!;
  let after = path[0]!;
  for (const next of path.slice(1)) {
    if (last === 0) return false;
    if (odd(at) || at === last) {
      before = nodeHash(next, before);
      after = nodeHash(next, after);
      while (!odd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      after = nodeHash(after, next);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && equal(before, old.root) && equal(after, now.root);
}

// ---- signed notes ----

export interface Key {
  name: string;
  hash: string; // eight hex digits: how a signature names its key
  key: Bytes;
}

const ed25519Kind = 1;

// keyOf reads a verifier key, NAME+HASH+KEY.
export function keyOf(text: string): Key {
  const [, name, hash, key] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text) ?? [];
  if (!name) throw new Malformed('key');
  const bytes = fromBase64(key!, 'key');
  if (bytes.length !== 33 || bytes[0] !== ed25519Kind || hex(sum(joined(utf8(name + '\n'), bytes)).slice(0, 4)) !== hash) throw new Malformed('key');
  return { name, hash: hash!, key: bytes.slice(1) };
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

export interface Checkpoint extends Tree {
  origin: string;
  root: Bytes;
}

const longestNote = 64 << 10;
const mostSignatures = 100;

// signed reads a checkpoint that one of the keys has signed; undefined: none of them has. A key's name
// is the origin of its ledger.
export function signed(note: string, keys: readonly Key[]): Checkpoint | undefined {
  if (note.length > longestNote || /[\0-\x09\x0b-\x1f]/.test(note) || note.includes('\ufffd')) throw new Malformed('note');
  const cut = note.lastIndexOf('\n\n');
  if (cut < 0 || !note.endsWith('\n')) throw new Malformed('note');
  const text = note.slice(0, cut + 1);
  const lines = note.slice(cut + 2, -1).split('\n');
  if (lines.length > mostSignatures) throw new Malformed('note');
  const checkpoint = checkpointOf(text);
  let good = false;
  for (const line of lines) {
    const [, name, signature] = /^\u2014 ([^+\s]+) (\S+)$/u.exec(line) ?? [];
    if (!name) throw new Malformed('note');
    const bytes = fromBase64(signature!, 'note');
    if (bytes.length < 5) throw new Malformed('note');
    const key = keys.find((k) => k.name === name && k.name === checkpoint.origin && k.hash === hex(bytes.slice(0, 4)));
    if (!key) continue; // of a key that is not ours, such as a witness's
    if (!signs(key, text, bytes.slice(4))) return undefined;
    good = true;
  }
  return good ? checkpoint : undefined;
}

function signs({ key }: Key, text: string, signature: Bytes): boolean {
  try {
    return signature.length === 64 && ed25519.verify(signature, utf8(text), key, { zip215: false });
  } catch {
    return false; // no point of the curve
  }
}

// checkpointOf reads the text of a note: origin, size, root, and lines of extensions.
function checkpointOf(text: string): Checkpoint {
  const [origin, size, root, ...more] = text.slice(0, -1).split('\n');
  if (!origin || !size || !root || !/^(0|[1-9]\d{0,15})$/.test(size) || more.some((line) => line === '')) throw new Malformed('checkpoint');
  const bytes = fromBase64(root, 'checkpoint');
  if (bytes.length !== 32 || !whole(Number(size))) throw new Malformed('checkpoint');
  return { origin, size: Number(size), root: bytes };
}

// ---- entries ----

export interface Entry {
  n: number;
  time: string;
  kind: string;
  cid: string;
  size: number;
  digest: string;
  commitment: string;
}

// leafOf writes an entry as the ledger holds it. No character of it needs an escape in JSON.
export function leafOf({ n, time, kind, cid, size, digest, commitment }: Entry): Bytes {
  const plain = [time, kind, cid, digest, commitment].every((text) => typeof text === 'string' && /^[\w:.+-]*$/.test(text));
  if (!whole(n) || !whole(size) || !plain) throw new Malformed('entry');
  return utf8(JSON.stringify({ n, time, kind, cid, size, digest, commitment }));
}
