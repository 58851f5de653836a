// Chunks of a transfer: STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over AES-256-GCM, and
// the chain of digests. docs/drop-protocol.md, section 7.
import { joined, u32, u64, utf8, type Bytes } from './bytes';
import { sha256, type TransferKeys } from './keys';

export const smallestChunk = 65_536;
export const largestChunk = 1_048_576;
export const mostChunks = 2 ** 32 - 1;
export const tagSize = 16;

// chunkFor is the length of a full chunk that this end chooses.
export const chunkFor = (size: number): number => (size < 16 * 2 ** 20 ? smallestChunk : size < 64 * 2 ** 20 ? 262_144 : largestChunk);

export const isChunk = (n: unknown): n is number => typeof n === 'number' && n >= smallestChunk && n <= largestChunk && Number.isInteger(Math.log2(n));

// chunksOf counts the chunks of an item: an empty one has one, empty.
export const chunksOf = (size: number, chunk: number): number => Math.max(1, Math.ceil(size / chunk));

// lengthOf is the plaintext length of chunk i.
export const lengthOf = (i: number, size: number, chunk: number): number => Math.min(chunk, size - i * chunk);

function params({ T, prefix }: TransferKeys, i: number, last: boolean, size: number): AesGcmParams {
  const flag = new Uint8Array([last ? 1 : 0]);
  return { name: 'AES-GCM', iv: joined(prefix, u32(i), flag), additionalData: joined(T, u64(i), flag, u64(size)) };
}

export function sealChunk(keys: TransferKeys, i: number, last: boolean, size: number, plain: BufferSource): Promise<ArrayBuffer> {
  return crypto.subtle.encrypt(params(keys, i, last, size), keys.file, plain);
}

// openChunk rejects a chunk of another place, file, attempt or length.
export function openChunk(keys: TransferKeys, i: number, last: boolean, size: number, sealed: BufferSource): Promise<ArrayBuffer> {
  return crypto.subtle.decrypt(params(keys, i, last, size), keys.file, sealed);
}

// firstDigest and nextDigest are the chain: its value after chunk k proves the first k chunks.
export const firstDigest = (chunk: number): Promise<Bytes> => sha256(utf8('coffer/drop/v1 content'), u32(chunk));
export function nextDigest(digest: Uint8Array, plain: Uint8Array): Promise<Bytes> {
  const length = digest.length + plain.length;
  if (scratch.length < length) scratch = new Uint8Array(length);
  scratch.set(digest);
  scratch.set(plain, digest.length);
  return crypto.subtle.digest('SHA-256', scratch.subarray(0, length)).then((next) => new Uint8Array(next));
}

// WebCrypto copies what it is given before it answers, so the memory serves the next call too. Fresh
// memory of a chunk's size costs more than the copy.
let scratch: Bytes = new Uint8Array(0);
