// Every key of a drop and what it is derived from: docs/drop-protocol.md, sections 5 to 7.
import { joined, lv, u32, u64, utf8, type Bytes } from './bytes';
import type { Mode } from './cpace';

const { subtle } = crypto;

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await subtle.digest('SHA-256', joined(...parts)));
}

async function hkdf(ikm: Bytes, salt: Bytes, info: Bytes, length: number): Promise<Bytes> {
  const key = await subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, length * 8));
}

const aes = (raw: Bytes): Promise<CryptoKey> => subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
const hmac = (raw: Bytes): Promise<CryptoKey> => subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

async function mac(key: CryptoKey, ...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await subtle.sign('HMAC', key, joined(...parts)));
}

// JoinKeys are what one CPace run gives both ends.
export interface JoinKeys {
  th: Bytes;
  tagGuest: Bytes;
  tagHost: Bytes;
  admit: CryptoKey;
}

export async function joinKeys(isk: Bytes, sid: Uint8Array, mode: Mode, name: string, Ya: Uint8Array, Yb: Uint8Array): Promise<JoinKeys> {
  const th = await sha256(lv('coffer/drop/v1 join', sid, mode, name, Ya, Yb));
  const key = (what: string) => hkdf(isk, th, utf8('coffer/drop/v1 ' + what), 32);
  return {
    th,
    tagGuest: await mac(await hmac(await key('confirm guest')), th),
    tagHost: await mac(await hmac(await key('confirm host')), th),
    admit: await aes(await key('admit')),
  };
}

const zeroNonce = new Uint8Array(12); // the admit key seals once

export async function sealGroupKey({ admit, th }: JoinKeys, group: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: zeroNonce, additionalData: th }, admit, group));
}

export async function openGroupKey({ admit, th }: JoinKeys, sealed: Bytes): Promise<Bytes> {
  const group = new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv: zeroNonce, additionalData: th }, admit, sealed));
  if (group.length !== 32) throw new Error('the group key has another length');
  return group;
}

// messageKey seals what one member says to another.
export async function messageKey(group: Bytes, from: Uint8Array, to: Uint8Array): Promise<CryptoKey> {
  return aes(await hkdf(group, new Uint8Array(0), lv('coffer/drop/v1 message', from, to), 32));
}

// JWK is a public key as the API carries it.
export interface JWK { kty: 'EC'; crv: 'P-521'; x: string; y: string }

export const drawKey = (): Promise<CryptoKeyPair> => subtle.generateKey({ name: 'ECDH', namedCurve: 'P-521' }, false, ['deriveBits']) as Promise<CryptoKeyPair>;

export async function jwkOf(key: CryptoKey): Promise<JWK> {
  const { x, y } = await subtle.exportKey('jwk', key);
  return { kty: 'EC', crv: 'P-521', x: x!, y: y! };
}

// publicKey reads a JWK; WebCrypto refuses a point that is not on the curve.
export async function publicKey(jwk: unknown): Promise<CryptoKey> {
  const { kty, crv, x, y } = (jwk ?? {}) as JWK;
  return subtle.importKey('jwk', { kty, crv, x, y }, { name: 'ECDH', namedCurve: 'P-521' }, true, []);
}

// pointOf is the uncompressed point: 133 bytes.
export async function pointOf(key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await subtle.exportKey('raw', key));
}

export async function agreed(own: CryptoKey, other: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: other }, own, 528));
}

// Terms are what both ends of a transfer must agree on, to the byte.
export interface Terms {
  transfer: Bytes; // 16
  file: string; // the item's id
  receiver: Bytes; // rid
  sender: Bytes;
  pkR: Bytes;
  pkS: Bytes;
  size: number;
  chunk: number;
  from: number;
}

// TransferKeys are those of one attempt.
export interface TransferKeys {
  T: Bytes;
  file: CryptoKey;
  prefix: Bytes; // of the nonces, 7 bytes
  ack: CryptoKey;
}

export async function transferKeys(Z: Bytes, group: Bytes, t: Terms): Promise<TransferKeys> {
  const T = await sha256(lv('coffer/drop/v1 transfer', t.transfer, t.file, t.receiver, t.sender, t.pkR, t.pkS, u64(t.size), u32(t.chunk), u64(t.from)));
  const ikm = joined(Z, group);
  const okm = await hkdf(ikm, T, utf8('coffer/drop/v1 file'), 39);
  return { T, file: await aes(okm.slice(0, 32)), prefix: okm.slice(32), ack: await hmac(await hkdf(ikm, T, utf8('coffer/drop/v1 ack'), 32)) };
}

// The three tags that a transfer's ends show each other.
export const ackTag = (key: CryptoKey, chunks: number): Promise<Bytes> => mac(key, utf8('ack'), u64(chunks));
export const doneTag = (key: CryptoKey, file: string, size: number, digest: Uint8Array): Promise<Bytes> => mac(key, utf8('done'), lv(file), u64(size), digest);
export const verifiedTag = (key: CryptoKey, digest: Uint8Array): Promise<Bytes> => mac(key, utf8('verified'), digest);

