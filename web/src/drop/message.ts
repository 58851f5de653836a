// What members tell each other, sealed: docs/drop-protocol.md, section 6.
import { b64, joined, lv, Malformed, random, u64, unb64, type Bytes } from './bytes';
import { whole } from './bundle';
import { chunksOf, isChunk, mostChunks } from './chunk';
import { messageKey } from './keys';
import { clean } from './names';
import type { Item } from './drop';
import { isRid, ridBytes } from './wire';

// Described is an item as its sender describes it.
export interface Described extends Item { chunk: number }

export type Said =
  | { k: 'hello'; device: string }
  | { k: 'offer'; items: Described[] }
  | { k: 'withdraw'; ids: string[] };

export const mostItems = 500; // of one sender

type Purpose = 'message' | 'request' | 'accept';

// Channel seals in one direction between two members.
export class Channel {
  private readonly key: Promise<CryptoKey>;
  private readonly ends: [Bytes, Bytes];

  constructor(group: Bytes, from: string, to: string) {
    this.ends = [ridBytes(from), ridBytes(to)];
    this.key = messageKey(group, ...this.ends);
    this.key.catch(() => undefined); // each use tells
  }

  async seal(purpose: Purpose, n: number, said: object, ...bound: (Uint8Array | string)[]): Promise<string> {
    return this.sealWith(random(12), purpose, n, said, ...bound);
  }

  async sealWith(iv: Bytes, purpose: Purpose, n: number, said: object, ...bound: (Uint8Array | string)[]): Promise<string> {
    const plain = new TextEncoder().encode(JSON.stringify(said));
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: this.context(purpose, u64(n), bound) }, await this.key, plain);
    return b64(joined(u64(n), iv, new Uint8Array(sealed)));
  }

  // open rejects what was not sealed for this purpose with these values.
  async open(purpose: Purpose, sealed: unknown, ...bound: (Uint8Array | string)[]): Promise<{ n: number; said: Record<string, unknown> }> {
    const raw = unb64(sealed);
    if (raw.length < 8 + 12 + 16) throw new Malformed('sealed message');
    const n = new DataView(raw.buffer).getBigUint64(0);
    if (n > BigInt(Number.MAX_SAFE_INTEGER)) throw new Malformed('sealed message');
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: raw.slice(8, 20), additionalData: this.context(purpose, raw.subarray(0, 8), bound) }, await this.key, raw.slice(20));
    const said: unknown = JSON.parse(new TextDecoder().decode(plain));
    if (typeof said !== 'object' || said === null || Array.isArray(said)) throw new Malformed('sealed message');
    return { n: Number(n), said: said as Record<string, unknown> };
  }

  private context(purpose: Purpose, n: Uint8Array, bound: (Uint8Array | string)[]): Bytes {
    return lv('coffer/drop/v1 ' + purpose, ...this.ends, n, ...bound);
  }
}

// Counter numbers what this member seals. It begins above every number of an earlier life.
export class Counter {
  private last = Date.now() * 1000;
  next(): number {
    return ++this.last;
  }
}

const overtakes = 256;

// Once lets each number pass once. Requests may overtake each other, so it knows the last 256
// numbers; one below them is refused.
export class Once {
  private seen: number[] = []; // in order
  take(n: number): boolean {
    const full = this.seen.length === overtakes;
    if (this.seen.includes(n) || (full && n < this.seen[0]!)) return false;
    this.seen.push(n);
    this.seen.sort((a, b) => a - b);
    if (full) this.seen.shift();
    return true;
  }
}

const longestPlain = 30_000; // its base64 fits a message body of 48 KiB

// offersOf splits items into messages that fit.
export function offersOf(items: readonly Described[]): Said[] {
  const all: Said[] = [];
  let part: Described[] = [];
  let length = 0;
  for (const { id, name, kind, size, type, files, chunk } of items) {
    const item = { id, name, kind, size, type, files, chunk } as Described;
    const more = new TextEncoder().encode(JSON.stringify(item)).length + 1;
    if (part.length && length + more > longestPlain) {
      all.push({ k: 'offer', items: part });
      part = [];
      length = 0;
    }
    part.push(item);
    length += more;
  }
  if (part.length) all.push({ k: 'offer', items: part });
  return all;
}

// saidOf reads what a member said. It answers undefined for what this end does not know. Items
// that their sender may not offer, or that the protocol does not allow, are left out.
export function saidOf(said: Record<string, unknown>, from: string): Said | undefined {
  switch (said.k) {
    case 'hello':
      return { k: 'hello', device: typeof said.device === 'string' ? [...clean(said.device)].slice(0, 60).join('') : '' };
    case 'offer':
      return { k: 'offer', items: Array.isArray(said.items) ? said.items.map((item) => described(item, from)).filter((item) => item !== undefined) : [] };
    case 'withdraw':
      return { k: 'withdraw', ids: Array.isArray(said.ids) ? said.ids.filter((id): id is string => typeof id === 'string') : [] };
    default:
      return undefined;
  }
}

// known adds what a member offers. An item never changes under its id, nor does one that was withdrawn
// and that this browser took: its state and its bytes would pass for another's.
export function known(items: Map<string, Described>, from: string, offered: readonly Described[], taken: (id: string) => Described | undefined): void {
  let own = 0;
  for (const { owner } of items.values()) if (owner === from) own++;
  for (const item of offered) {
    const before = taken(item.id);
    if (items.has(item.id) || (before && !same(before, item))) continue;
    if (own++ >= mostItems) break;
    items.set(item.id, item);
  }
}

const same = (a: Described, b: Described) =>
  a.name === b.name && a.kind === b.kind && a.size === b.size && a.chunk === b.chunk && a.files === b.files && a.type === b.type;

function described(item: unknown, from: string): Described | undefined {
  const { id, name, kind, size, type, files, chunk } = (item ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string' || name === '' || name.length > 1024) return undefined;
  const [owner, own, ...more] = id.split('.');
  if (owner !== from || !isRid(own) || more.length) return undefined;
  if ((kind !== 'file' && kind !== 'folder') || !whole(size) || !isChunk(chunk) || chunksOf(size, chunk) > mostChunks) return undefined;
  return { id, owner, name, kind, size, type: typeof type === 'string' && type.length <= 255 ? type : '', files: whole(files) ? files : 0, chunk };
}
