// Opens what an encrypted pin holds: streams in the wire format of Tink's AES256_GCM_HKDF streaming AEAD
// with segments of 64 KiB. A byte leaves here after its segment has authenticated.
import { Damaged, type Bytes } from './blocks';

const segment = 64 << 10; // of ciphertext, tag included
const saltSize = 32;
const headerSize = 40;
const tagSize = 16;
const mostSegments = 2 ** 32 - 1;

const { subtle } = crypto;
const utf8 = (s: string): Bytes => new TextEncoder().encode(s);
const aad = utf8('coffer/pin/v1');

async function hkdf(secret: Bytes, salt: Bytes, info: Bytes): Promise<Bytes> {
  const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 256));
}

// keyOf derives the key of one stream of a pin: "file 0", "manifest".
export const keyOf = (pin: Bytes, label: string): Promise<Bytes> => hkdf(pin, new Uint8Array(), utf8('coffer/pin/v1 ' + label));

const lastOf = (plain: number): number => Math.max(0, Math.ceil((plain - (segment - tagSize - headerSize)) / (segment - tagSize)));

// plainSize is how many bytes a stream of this length holds.
export function plainSize(sealed: number): number {
  const segments = Math.ceil(sealed / segment);
  const plain = sealed - headerSize - tagSize * segments;
  // Only an empty stream ends with an empty segment.
  if (!Number.isSafeInteger(sealed) || plain < 0 || segments > mostSegments || lastOf(plain) !== segments - 1) throw new Damaged('length of a stream');
  return plain;
}

// unseal opens a stream of `size` bytes that come in pieces of any length.
export async function* unseal(pieces: AsyncIterable<Bytes>, size: number, key: Bytes): AsyncGenerator<Bytes> {
  plainSize(size);
  const last = Math.ceil(size / segment) - 1;
  const held = new Uint8Array(segment);
  let have = 0;
  let index = 0;
  let opener: Opener | undefined;
  const lengthOf = (i: number) => (i === last ? size - last * segment : segment);
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      if (index > last) throw new Damaged('stream is too long');
      const take = Math.min(lengthOf(index) - have, piece.length - at);
      held.set(piece.subarray(at, at + take), have);
      have += take;
      at += take;
      if (have < lengthOf(index)) continue;
      opener ??= await openerOf(key, held);
      const plain = await opener(held.slice(index === 0 ? headerSize : 0, have), index, index === last);
      index++;
      have = 0;
      if (plain.length > 0) yield plain;
    }
  }
  if (index <= last) throw new Damaged('stream is too short');
}

type Opener = (sealed: Bytes, index: number, last: boolean) => Promise<Bytes>;

// openerOf derives the key of a stream from its header.
async function openerOf(key: Bytes, header: Bytes): Promise<Opener> {
  if (header[0] !== headerSize) throw new Damaged('header of a stream');
  const raw = await hkdf(key, header.slice(1, 1 + saltSize), aad);
  const aes = await subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
  const nonce = new Uint8Array(12);
  nonce.set(header.subarray(1 + saltSize, headerSize));
  return async (sealed, index, last) => {
    const iv = nonce.slice();
    new DataView(iv.buffer).setUint32(7, index);
    iv[11] = last ? 1 : 0;
    try {
      return new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv }, aes, sealed));
    } catch {
      throw new Damaged('segment ' + index);
    }
  };
}
