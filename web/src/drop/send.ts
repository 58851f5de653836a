// What this member sends: each receiver has a transfer of its own, with its own keys, credits and
// place in the file. docs/drop-protocol.md, section 7.
import { b64, equal, unb64, type Bytes } from './bytes';
import { whole } from './bundle';
import { chunksOf, firstDigest, lengthOf, nextDigest, sealChunk } from './chunk';
import { ackTag, agreed, doneTag, drawKey, jwkOf, pointOf, publicKey, transferKeys, verifiedTag, type TransferKeys } from './keys';
import type { Outgoing, Why } from './drop';
import { Once, type Channel, type Counter, type Described } from './message';
import type { Socket } from './socket';
import { ridBytes, type Frame } from './wire';

const mostTransfers = 64;
const mostKnown = 1000; // transfers that a receiver may still confirm
const ahead = 3; // chunks of one transfer that are read and sealed before their turn
const mostBuffered = 8 * 2 ** 20; // bytes that the browser holds for the socket

type Request = Extract<Frame, { t: 'request' }>;

// The browser reads a file in blocks: each read costs a way to another process and back.
const block = 4 * 2 ** 20;
const mostBlocks = 4; // of one item in memory: receivers at the same place share them

// Source is an offered item with its bytes.
export class Source {
  readonly total: number;
  private readonly digests: Promise<Bytes>[];
  private readonly blocks = new Map<number, Promise<ArrayBuffer>>();

  constructor(readonly item: Described, private readonly blob: Blob) {
    this.total = chunksOf(item.size, item.chunk);
    this.digests = [firstDigest(item.chunk)];
  }

  // read answers chunk i; it rejects when the file is no longer what was picked. The chain of
  // digests grows once, however many receivers read.
  async read(i: number): Promise<Bytes> {
    const { size, chunk } = this.item;
    const at = i * chunk;
    const index = Math.floor(at / block);
    const whole = this.block(index);
    if ((index + 1) * block < size) void this.block(index + 1); // while this one is sent
    const plain = new Uint8Array(await whole, at - index * block, lengthOf(i, size, chunk));
    const before = this.digests[i];
    if (before && !this.digests[i + 1]) this.digests[i + 1] = before.then((digest) => nextDigest(digest, plain));
    return plain;
  }

  private block(index: number): Promise<ArrayBuffer> {
    let bytes = this.blocks.get(index);
    if (!bytes) {
      const length = Math.min(block, this.item.size - index * block);
      bytes = this.blob.slice(index * block, index * block + length).arrayBuffer().then((read) => {
        if (read.byteLength !== length) throw new Error('the file is shorter than it was');
        return read;
      });
      bytes.catch(() => this.blocks.delete(index)); // its reader tells
      if (this.blocks.size >= mostBlocks) this.blocks.delete(this.blocks.keys().next().value!);
    } else this.blocks.delete(index);
    this.blocks.set(index, bytes); // the latest used is the last
    return bytes;
  }

  // forget gives back what was read: an item that no transfer needs holds no memory.
  forget(): void {
    this.blocks.clear();
  }

  // digest is the chain's value after k chunks; it reads what no transfer has read yet.
  async digest(k: number): Promise<Bytes> {
    while (this.digests.length <= k) await this.read(this.digests.length - 1);
    return this.digests[k]!;
  }
}

interface Transfer {
  n: number;
  id: string;
  source: Source;
  to: string;
  credits: number;
  wake: () => void;
  over: boolean; // nothing more is sent
  keys?: TransferKeys;
  shown: Outgoing;
}

export interface Ground {
  socket: Socket;
  group(): Bytes;
  rid(): string;
  counter: Counter;
  incoming(from: string): Channel;
  outgoing(to: string): Channel;
  admitted(rid: string): boolean;
  say(to: string, body: object): void;
  changed(): void;
}

export class Sending {
  readonly sources = new Map<string, Source>();
  readonly shown = new Map<string, Outgoing>(); // by item and receiver
  private readonly live = new Map<number, Transfer>(); // by the number on this socket
  private readonly known = new Map<string, Transfer>(); // by id: a receiver confirms after the end
  private readonly asked = new Map<string, Once>();

  constructor(private readonly ground: Ground) {}

  get running(): boolean {
    return this.live.size > 0;
  }

  // withdraw ends the transfers of an item that is no longer offered.
  withdraw(id: string): void {
    this.sources.delete(id);
    for (const t of this.live.values()) if (t.source.item.id === id) this.fail(t, 'cancelled', 'cancelled');
  }

  // cut: the socket ended, and the server ended its transfers with it. The receivers ask again.
  cut(): void {
    for (const t of this.live.values()) this.stop(t, 'waiting');
    this.live.clear();
  }

  // gone: that member left for good.
  gone(rid: string): void {
    for (const t of this.live.values()) if (t.to === rid) this.stop(t, 'failed', 'cancelled');
    for (const [key, o] of this.shown) if (o.to === rid && o.state !== 'verified') this.shown.delete(key);
    this.ground.changed();
  }

  async request(request: Request): Promise<void> {
    const { n, from } = request;
    const refuse = (code: string) => void this.ground.socket.send({ t: 'fail', n, code });
    const source = this.sources.get(request.file_id);
    if (!source || !this.ground.admitted(from)) return refuse('unknown_file');
    if (this.live.size >= mostTransfers) return refuse('busy');
    const key = `${source.item.id} ${from}`;
    const shown: Outgoing = { id: key, item: source.item.id, to: from, confirmed: 0, total: source.item.size, state: 'running' };
    const t: Transfer = { n, id: request.transfer, source, to: from, credits: 0, wake: () => {}, over: false, shown };
    this.live.set(n, t);
    try {
      const first = await this.accept(t, request);
      if (t.over) return;
      this.shown.set(key, shown);
      this.known.set(t.id, t);
      if (this.known.size > mostKnown) this.known.delete(this.known.keys().next().value!);
      shown.confirmed = Math.min(first * source.item.chunk, source.item.size);
      this.ground.changed();
      await this.pump(t, first);
    } catch (err) {
      if (t.over) return;
      if (err instanceof Untrue) {
        this.live.delete(n);
        t.over = true;
        return refuse('cancelled');
      }
      this.shown.set(key, shown);
      this.fail(t, 'changed', 'changed');
    } finally {
      this.ease(source); // it may have read on after the end
    }
  }

  // ease forgets the bytes of an item that is in no transfer.
  private ease(source: Source): void {
    for (const t of this.live.values()) if (t.source === source) return;
    source.forget();
  }

  // accept checks the request, agrees on the keys, and answers the first chunk to send.
  private async accept(t: Transfer, { from, file_id, public_key, sealed }: Request): Promise<number> {
    const { item, total } = t.source;
    const ground = this.ground;
    const { other, pkR, wants } = await (async () => {
      const other = await publicKey(public_key);
      const pkR = await pointOf(other);
      const { n, said } = await ground.incoming(from).open('request', sealed, file_id, pkR);
      const once = this.asked.get(from) ?? new Once();
      this.asked.set(from, once);
      if (!once.take(n)) throw new Error('a repeated request');
      if (!whole(said.from) || said.from > total) throw new Error('more chunks than there are');
      return { other, pkR, wants: { from: said.from, digest: said.from > 0 ? unb64(said.digest, 32) : undefined } };
    })().catch(() => {
      throw new Untrue();
    });
    for (const other of this.live.values()) {
      if (other !== t && other.to === from && other.source === t.source) this.stop(other, 'waiting'); // this attempt takes its place
    }
    let first = 0;
    let digest: Bytes | undefined;
    if (wants.digest) {
      const own = await t.source.digest(wants.from);
      if (equal(own, wants.digest)) [first, digest] = [wants.from, own];
    }
    const pair = await drawKey();
    const pkS = await pointOf(pair.publicKey);
    const transfer = ridBytes(t.id);
    t.keys = await transferKeys(await agreed(pair.privateKey, other), ground.group(), {
      transfer, file: file_id, receiver: ridBytes(from), sender: ridBytes(ground.rid()), pkR, pkS, size: item.size, chunk: item.chunk, from: first,
    });
    const answer = await ground.outgoing(from).seal('accept', ground.counter.next(),
      { size: item.size, chunk: item.chunk, from: first, ...(digest && { digest: b64(digest) }) }, transfer, pkR, pkS);
    if (!t.over) ground.socket.send({ t: 'accept', n: t.n, public_key: await jwkOf(pair.publicKey), sealed: answer, chunk: item.chunk });
    return first;
  }

  // pump sends the chunks in order, as credits come. Reading and sealing run ahead.
  private async pump(t: Transfer, first: number): Promise<void> {
    const { source, keys } = t;
    const { size } = source.item;
    const seal = async (i: number) => sealChunk(keys!, i, i === source.total - 1, size, await source.read(i));
    const ready: Promise<ArrayBuffer>[] = [];
    let begun = first;
    for (let i = first; i < source.total; i++) {
      for (; begun < source.total && ready.length < ahead; begun++) {
        const sealed = seal(begun);
        sealed.catch(() => undefined); // its turn tells
        ready.push(sealed);
      }
      const sealed = await ready.shift()!;
      while (t.credits === 0 && !t.over) await new Promise<void>((resolve) => (t.wake = resolve));
      if (!t.over) await this.ground.socket.drained(mostBuffered);
      if (t.over) return;
      t.credits--;
      this.ground.socket.sendChunk(t.n, sealed);
    }
    this.ground.socket.send({ t: 'finish', n: t.n });
  }

  credit(n: number, chunks: number): void {
    const t = this.live.get(n);
    if (!t) return;
    t.credits += chunks;
    t.wake();
  }

  // end: the server is done with a transfer. After "delivered" the receiver's word is awaited.
  end(n: number, code: string): void {
    const t = this.live.get(n);
    if (!t) return;
    const stalled: Why | undefined = code === 'stalled' ? 'stalled' : code === 'busy' ? 'busy' : undefined;
    if (code === 'delivered') {
      this.live.delete(n);
      t.over = true;
      this.ease(t.source);
    } else this.stop(t, 'waiting', stalled);
  }

  // hear takes what a receiver confirms.
  async hear(from: string, body: Record<string, unknown>): Promise<void> {
    const t = typeof body.transfer === 'string' ? this.known.get(body.transfer) : undefined;
    if (!t?.keys || t.to !== from) return;
    const { item, total } = t.source;
    const tag = unb64(body.tag, 32);
    if (body.k === 'ack') {
      if (!whole(body.chunks) || body.chunks > total || !equal(tag, await ackTag(t.keys.ack, body.chunks))) return;
      t.shown.confirmed = Math.max(t.shown.confirmed, Math.min(body.chunks * item.chunk, item.size));
    } else {
      const digest = await t.source.digest(total);
      if (equal(tag, await doneTag(t.keys.ack, item.id, item.size, digest))) {
        t.shown.confirmed = item.size;
        t.shown.state = 'verified';
        delete t.shown.why;
        this.ground.say(from, { k: 'verified', transfer: t.id, tag: b64(await verifiedTag(t.keys.ack, digest)) });
      } else {
        t.shown.state = 'failed';
        t.shown.why = 'tampered';
      }
      this.live.delete(t.n);
      t.over = true;
      this.ease(t.source);
    }
    this.ground.changed();
  }

  private fail(t: Transfer, code: 'changed' | 'cancelled', why: Why): void {
    this.ground.socket.send({ t: 'fail', n: t.n, code });
    this.stop(t, 'failed', why);
  }

  private stop(t: Transfer, state: 'waiting' | 'failed', why?: Why): void {
    if (this.live.get(t.n) === t) this.live.delete(t.n);
    t.over = true;
    if (t.shown.state !== 'verified') {
      t.shown.state = state;
      if (why) t.shown.why = why;
    }
    t.wake();
    this.ease(t.source);
    this.ground.changed();
  }
}

// Untrue: a request that was not made by the member that it names.
class Untrue extends Error {}
