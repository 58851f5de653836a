// CPace (draft-irtf-cfrg-cpace), suite CPACE-X25519-SHA512, initiator-responder. Two ends that
// know one short secret get one strong key. A wrong guess costs a run and teaches nothing.
import { x25519 } from '@noble/curves/ed25519.js';
import { Field } from '@noble/curves/abstract/modular.js';
import { joined, lv, random, utf8, type Bytes } from './bytes';

const dsi = 'CPace255';
const block = 128; // s_in_bytes of SHA-512

const field = Field(2n ** 255n - 19n);
const J = 486662n;

// NeutralElement: the other end's point leads to no secret.
export class NeutralElement extends Error {}

// generator hashes the secret and the context to a point of the curve, as its u coordinate.
export async function generator(prs: Uint8Array, ci: Uint8Array, sid: Uint8Array): Promise<Bytes> {
  const pad = Math.max(0, block - 1 - lv(prs).length - lv(dsi).length);
  const hash = await sha512(lv(dsi, prs, new Uint8Array(pad), ci, sid));
  return point(elligator2(number(hash.slice(0, 32))));
}

// elligator2 maps a number to the u coordinate of a point (RFC 9380, section 6.7.1, Z = 2).
function elligator2(r: bigint): bigint {
  const x1 = field.mul(field.neg(J), field.inv(field.add(field.ONE, field.mul(2n, field.sqr(r))))); // 1 + 2r² is never 0: -1/2 is no square
  const right = field.mul(x1, field.add(field.mul(x1, field.add(x1, J)), field.ONE)); // x³ + Jx² + x
  const square = field.pow(right, (field.ORDER - 1n) / 2n);
  return field.eql(square, field.neg(field.ONE)) ? field.neg(field.add(x1, J)) : x1;
}

// secretScalar draws a scalar: X25519 clamps it.
export const secretScalar = (): Bytes => random(32);

// multiplied is scalar_mult_vfy of the draft: it throws NeutralElement.
export function multiplied(scalar: Uint8Array, u: Uint8Array): Bytes {
  if (scalar.length !== 32 || u.length !== 32) throw new NeutralElement();
  let result: Uint8Array;
  try {
    result = x25519.scalarMult(scalar, u);
  } catch {
    throw new NeutralElement(); // a point of low order
  }
  if (result.every((b) => b === 0)) throw new NeutralElement();
  return Uint8Array.from(result);
}

// sharedKey is the ISK: 64 bytes. Ya and ADa are the initiator's.
export function sharedKey(sid: Uint8Array, K: Uint8Array, Ya: Uint8Array, ADa: string, Yb: Uint8Array, ADb: string): Promise<Bytes> {
  return sha512(joined(lv(dsi + '_ISK', sid, K), lv(Ya, ADa), lv(Yb, ADb)));
}

async function sha512(b: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-512', b));
}

function number(little: Uint8Array): bigint {
  let n = 0n;
  for (let i = 31; i >= 0; i--) n = (n << 8n) | BigInt(i === 31 ? little[i]! & 127 : little[i]!);
  return field.create(n);
}

function point(n: bigint): Bytes {
  const little = new Uint8Array(32);
  for (let i = 0; i < 32; i++, n >>= 8n) little[i] = Number(n & 255n);
  return little;
}

export const roleGuest = 'guest';
export const roleHost = 'host';

// context is CI of a drop's join.
export const context = (mode: Mode, name: string): Bytes => lv('coffer/drop/v1', roleGuest, roleHost, mode, name);

export type Mode = 'code' | 'key';

// prs is the secret as CPace takes it: six ASCII digits, or 16 bytes.
export const prs = (secret: string | Uint8Array): Uint8Array => (typeof secret === 'string' ? utf8(secret) : secret);
