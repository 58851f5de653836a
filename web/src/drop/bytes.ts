// Bytes as the protocol writes them: docs/drop-protocol.md, "Notation".

export type Bytes = Uint8Array<ArrayBuffer>;

export const utf8 = (s: string): Bytes => new TextEncoder().encode(s);

export function joined(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function u32(n: number): Bytes {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, n);
  return b;
}

export function u64(n: number): Bytes {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, BigInt(n));
  return b;
}

// lv writes each argument with its length before it, as unsigned LEB128: the lv_cat of the CPace
// draft. A string is its UTF-8.
export function lv(...parts: (Uint8Array | string)[]): Bytes {
  const all: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? utf8(part) : part;
    const length: number[] = [];
    let rest = bytes.length;
    do {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      rest >>>= 7;
    } while (rest > 0);
    all.push(new Uint8Array(length), bytes);
  }
  return joined(...all);
}

// b64 writes base64url without padding.
export function b64(b: Uint8Array): string {
  let text = '';
  for (let at = 0; at < b.length; at += 0x8000) text += String.fromCharCode(...b.subarray(at, at + 0x8000));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

// unb64 reads what b64 writes and nothing else: one value has one spelling. With `length`, a value
// of another length is refused too.
export function unb64(s: unknown, length?: number): Bytes {
  if (typeof s !== 'string' || !/^[\w-]*$/.test(s) || s.length % 4 === 1) throw new Malformed('base64url');
  const bytes = Uint8Array.from(atob(s.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  if (b64(bytes) !== s || (length !== undefined && bytes.length !== length)) throw new Malformed('base64url');
  return bytes;
}

// equal compares in constant time for one length.
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i]! ^ b[i]!;
  return differ === 0;
}

export const random = (n: number): Bytes => crypto.getRandomValues(new Uint8Array(n));

// Malformed is what a parser throws for bytes that are no such message.
export class Malformed extends Error {
  constructor(what: string) {
    super('malformed ' + what);
    this.name = 'Malformed';
  }
}
