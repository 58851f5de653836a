// Content by its address: CIDs, and the blocks of files and folders as UnixFS writes them. A block is
// believed when its SHA-256 is the one in its CID; what it says is read strictly and within bounds.

export type Bytes = Uint8Array<ArrayBuffer>;

// Damaged is thrown for content that is not what its address, or its key, says.
export class Damaged extends Error {
  constructor(what: string) {
    super('damaged: ' + what);
    this.name = 'Damaged';
  }
}

const codecs = { 0x55: 'raw', 0x70: 'dag-pb' } as const;

// CIDv1 with SHA-256: the only addresses that Coffer writes.
export interface Cid {
  text: string;
  codec: 'raw' | 'dag-pb';
  digest: Bytes;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const cidBytes = 36;

// parseCid reads a CID in lower-case base32; undefined: it is none of ours.
export function parseCid(text: string): Cid | undefined {
  if (!/^b[a-z2-7]{58}$/.test(text)) return undefined;
  const bytes = new Uint8Array(cidBytes);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const letter of text.slice(1)) {
    held = (held << 5) | alphabet.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return held === 0 ? cidOf(bytes) : undefined;
}

function cidOf(bytes: Bytes): Cid | undefined {
  const codec = codecs[bytes[1] as keyof typeof codecs];
  if (bytes.length !== cidBytes || bytes[0] !== 1 || !codec || bytes[2] !== 0x12 || bytes[3] !== 32) return undefined;
  return { text: base32(bytes), codec, digest: bytes.slice(4) };
}

function base32(bytes: Bytes): string {
  let text = 'b';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      text += alphabet[held >> bits];
      held &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? text + alphabet[held << (5 - bits)] : text;
}

// ---- dag-pb and UnixFS ----

export interface Link {
  name: string;
  cid: Cid;
}

export type Node =
  | { is: 'file'; size: number; links: Link[]; sizes: number[]; data: Bytes }
  | { is: 'directory'; links: Link[] }
  | { is: 'shard'; links: Link[] };

type Field = [number: number, value: number | Bytes];

// fields reads a protocol buffer whose fields are varints and bytes, each varint in its shortest form.
function* fields(b: Bytes): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 8; i++) {
      const byte = b[at++];
      if (byte === undefined || (byte === 0 && i > 0)) throw new Damaged('varint');
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) {
        if (!Number.isSafeInteger(value)) throw new Damaged('varint');
        return value;
      }
    }
    throw new Damaged('varint');
  };
  while (at < b.length) {
    const tag = varint();
    const value = varint();
    if (tag % 8 === 0) {
      yield [Math.floor(tag / 8), value];
    } else if (tag % 8 === 2 && value <= b.length - at) {
      yield [Math.floor(tag / 8), b.slice(at, at += value)];
    } else {
      throw new Damaged('field');
    }
  }
}

const bytesOf = (value: number | Bytes): Bytes => {
  if (typeof value === 'number') throw new Damaged('field');
  return value;
};

const numberOf = (value: number | Bytes): number => {
  if (typeof value !== 'number') throw new Damaged('field');
  return value;
};

function textOf(b: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(b);
  } catch {
    throw new Damaged('name');
  }
}

// linkOf reads a PBLink: Hash, Name and Tsize in this order.
function linkOf(b: Bytes): Link {
  let cid: Cid | undefined;
  let name = '';
  let before = 0;
  for (const [number, value] of fields(b)) {
    if (number <= before || number > 3) throw new Damaged('link');
    before = number;
    if (number === 1) cid = cidOf(bytesOf(value));
    else if (number === 2) name = textOf(bytesOf(value));
    else numberOf(value);
  }
  if (!cid) throw new Damaged('link');
  return { name, cid };
}

const types = { directory: 1, file: 2, shard: 5 };
const murmur3 = 0x22;
const fanout = 256;
const mostLinks = 1024; // of one node of a file

// nodeOf reads a block of dag-pb: its links first, then its one UnixFS message.
export function nodeOf(block: Bytes): Node {
  const links: Link[] = [];
  let data: Bytes | undefined;
  for (const [number, value] of fields(block)) {
    if (data || (number !== 1 && number !== 2)) throw new Damaged('node');
    if (number === 2) links.push(linkOf(bytesOf(value)));
    else data = bytesOf(value);
  }
  if (!data) throw new Damaged('node');
  return unixfs(data, links);
}

function unixfs(b: Bytes, links: Link[]): Node {
  const one: Partial<Record<number, number | Bytes>> = {};
  const sizes: number[] = [];
  let before = 0;
  for (const [number, value] of fields(b)) {
    if (number < before || number > 6 || (number === before && number !== 4)) throw new Damaged('message');
    before = number;
    if (number === 4) sizes.push(numberOf(value));
    else one[number] = value;
  }
  const type = numberOf(one[1] ?? -1);
  const data = one[2] === undefined ? new Uint8Array() : bytesOf(one[2]);
  if (type === types.file) return fileOf(numberOf(one[3] ?? 0), links, sizes, data, one);
  if (sizes.length > 0 || one[3] !== undefined) throw new Damaged('folder');
  if (type === types.directory && one[2] === undefined && one[5] === undefined && one[6] === undefined) return { is: 'directory', links };
  if (type === types.shard && one[5] === murmur3 && one[6] === fanout) return shardOf(links, data);
  throw new Damaged('type');
}

function fileOf(size: number, links: Link[], sizes: number[], data: Bytes, one: Partial<Record<number, unknown>>): Node {
  const told = sizes.reduce((all, n) => all + n, data.length);
  const empty = sizes.some((n) => n === 0);
  if (links.length !== sizes.length || links.length > mostLinks || told !== size || empty || one[5] !== undefined || one[6] !== undefined) throw new Damaged('file');
  if ((links.length > 0 && data.length > 0) || links.some(({ name }) => name !== '')) throw new Damaged('file');
  return { is: 'file', size, links, sizes, data };
}

// shardOf reads a shard of a large folder. A link's name begins with its slot, in two hex digits: the
// data has a bit for each.
function shardOf(links: Link[], data: Bytes): Node {
  const slots = links.map(({ name }) => (/^[0-9A-F]{2}/.test(name) ? parseInt(name.slice(0, 2), 16) : -1));
  const bit = (slot: number) => (data[data.length - 1 - (slot >> 3)] ?? 0) & (1 << (slot & 7));
  const set = [...data].reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0);
  if (data.length > fanout / 8 || set !== links.length || slots.some((slot, i) => slot <= (slots[i - 1] ?? -1) || !bit(slot))) throw new Damaged('shard');
  return { is: 'shard', links };
}

// ---- reading ----

// Bounds of what a stranger's root may lead to, as package parcel has them. A few blocks can name each
// other so often that no reader comes to an end.
export const mostBlock = 2 << 20;
const mostEntries = 10_001;
const mostShards = 10_000;
const deepest = 10;
// A file of n bytes has at most someBlocks + n / leastBlock blocks. Coffer's parts have 1 MiB.
const someBlocks = 64;
const leastBlock = 4 << 10;
const ahead = 4; // blocks of a file that are asked for at once

// A Get answers the bytes that a server has for a CID. It is asked anew when they are not the right ones:
// a cache may hold damaged ones.
export type Get = (cid: string, anew: boolean, signal: AbortSignal) => Promise<Bytes>;

// block returns the bytes of a CID, and no others.
export async function block(get: Get, { text, digest }: Cid, signal: AbortSignal): Promise<Bytes> {
  for (const anew of [false, true]) {
    const bytes = await get(text, anew, signal);
    const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    if (bytes.length <= mostBlock && sum.every((byte, i) => byte === digest[i])) return bytes;
  }
  throw new Damaged('block ' + text);
}

// bounded gets so many blocks, and no more.
function bounded(get: Get, most: number): Get {
  let left = most;
  return async (cid, anew, signal) => {
    if (!anew && --left < 0) throw new Damaged('too many blocks');
    return get(cid, anew, signal);
  };
}

// folder lists what a folder has, by name.
export async function folder(get: Get, root: Cid, signal: AbortSignal): Promise<Map<string, Cid>> {
  const found = new Map<string, Cid>();
  let shards = 1;
  const add = ({ name, cid }: Link, own: string) => {
    if (own === '' || found.has(own) || found.size >= mostEntries) throw new Damaged('folder entry ' + name);
    found.set(own, cid);
  };
  const read = async (cid: Cid): Promise<Node> => {
    if (cid.codec !== 'dag-pb') throw new Damaged('folder');
    return nodeOf(await block(get, cid, signal));
  };
  const top = await read(root);
  if (top.is === 'file') throw new Damaged('folder');
  if (top.is === 'directory') {
    for (const link of top.links) add(link, link.name);
    return found;
  }
  let level: Link[] = top.links;
  for (let depth = 0; level.length > 0; depth++) {
    const below: Cid[] = [];
    for (const link of level) {
      if (link.name.length > 2) add(link, link.name.slice(2));
      else below.push(link.cid);
    }
    shards += below.length;
    if (depth > deepest || shards > mostShards) throw new Damaged('folder');
    level = [];
    for (let i = 0; i < below.length; i += ahead) {
      for (const node of await Promise.all(below.slice(i, i + ahead).map(read))) {
        if (node.is !== 'shard') throw new Damaged('shard');
        level.push(...node.links);
      }
      if (level.length > mostEntries + mostShards) throw new Damaged('folder'); // each is one or the other
    }
  }
  return found;
}

export interface Content {
  size: number;
  bytes: AsyncGenerator<Bytes>;
}

// content opens a file: its size, and its bytes in order.
export async function content(get: Get, root: Cid, signal: AbortSignal): Promise<Content> {
  const top = await block(get, root, signal);
  const size = root.codec === 'raw' ? top.length : sizeOf(nodeOf(top));
  const others = someBlocks + Math.floor(size / leastBlock) - 1;
  return { size, bytes: parts(bounded(get, others), root, top, size, signal, 0) };
}

function sizeOf(node: Node): number {
  if (node.is !== 'file') throw new Damaged('file');
  return node.size;
}

async function* parts(get: Get, cid: Cid, bytes: Bytes, size: number, signal: AbortSignal, depth: number): AsyncGenerator<Bytes> {
  if (cid.codec === 'raw') {
    if (bytes.length !== size) throw new Damaged('length of a block');
    yield bytes;
    return;
  }
  const node = nodeOf(bytes);
  if (node.is !== 'file' || node.size !== size || depth > deepest) throw new Damaged('file');
  if (node.links.length === 0) {
    yield node.data;
    return;
  }
  const coming: Promise<Bytes>[] = [];
  const ask = (i: number) => {
    const wanted = node.links[i] && block(get, node.links[i]!.cid, signal);
    wanted?.catch(() => undefined); // it is told when its turn comes
    if (wanted) coming.push(wanted);
  };
  for (let i = 0; i < ahead; i++) ask(i);
  for (const [i, link] of node.links.entries()) {
    const part = await coming.shift()!;
    ask(i + ahead);
    yield* parts(get, link.cid, part, node.sizes[i]!, signal, depth + 1);
  }
}
