// What this member takes: attempts until an item is whole, each a transfer with keys of its own.
// docs/drop-protocol.md, section 7.
import { b64, equal, Malformed, unb64, type Bytes } from './bytes';
import { chunksOf, lengthOf, openChunk, tagSize } from './chunk';
import { ackTag, agreed, doneTag, drawKey, jwkOf, pointOf, publicKey, transferKeys, verifiedTag, type TransferKeys } from './keys';
import type { Incoming, Why } from './drop';
import type { Described } from './message';
import { safeName, Unsafe } from './names';
import { Held, inspect, NoSpace } from './part';
import type { Ground } from './send';
import { api, Pauses, Refused, request } from './socket';
import { parts, readPart, removePart, room, Silent, type Part } from './store';
import { ridBytes, StreamReader, type Part as StreamPart } from './wire';

const mostAtOnce = 4; // takes of this member; the server allows 8
const ahead = 4; // chunks that are opened before their turn
const ackEvery = 250; // ms
const silence = 45_000; // ms without a byte: the server sends something every 15 s

export interface ReceiveGround extends Ground {
  member: string;
  token: string;
  name(): string;
  windows: boolean;
  here(rid: string): boolean; // the socket is open and that member is connected
  // moved settles when a member, an offer or the connection changed.
  moved(): Promise<void>;
}

// Fatal ends a take until the person asks again; Later lets another attempt follow.
class Fatal extends Error {
  constructor(readonly why: Why) {
    super(why);
  }
}
class Later extends Error {
  constructor(readonly why: Why, readonly retryAfter = 0) {
    super(why);
  }
}

interface Take {
  item: Described;
  shown: Incoming;
  to?: FileSystemFileHandle;
  held?: Held;
  stop?: AbortController; // while it runs
}

export class Receiving {
  private readonly takes = new Map<string, Take>();
  private readonly waiting = new Map<string, (tag: Bytes) => void>(); // by transfer: the hearer of "verified"
  private running = 0;
  private stopped = false;

  constructor(private readonly ground: ReceiveGround) {}

  get shown(): Incoming[] {
    return [...this.takes.values()].map(({ shown }) => ({ ...shown }));
  }

  // restore goes on with what an earlier visit began.
  async restore(): Promise<void> {
    for (const part of await parts.of(this.ground.member)) {
      const whole = part.state === 'verified' || part.state === 'saved';
      this.takes.set(part.item.id, {
        item: part.item,
        shown: {
          item: part.item.id, done: whole ? part.item.size : 0, total: part.item.size,
          state: part.state === 'part' ? 'waiting' : part.state === 'paused' ? 'broken' : part.state,
          ...(part.state === 'paused' && { why: 'cancelled' as const }),
        },
      });
    }
    this.next();
  }

  take(item: Described, to?: FileSystemFileHandle): void {
    const before = this.takes.get(item.id);
    if (before && before.shown.state !== 'broken') return;
    try {
      safeName(item.name, this.ground.windows);
      if (to && item.kind === 'folder') throw new NoSpace();
      this.takes.set(item.id, { item, to, shown: { item: item.id, done: before?.shown.done ?? 0, total: item.size, state: 'waiting' } });
    } catch (err) {
      this.takes.set(item.id, { item, shown: { item: item.id, done: 0, total: item.size, state: 'broken', why: err instanceof Unsafe ? 'unsafe_name' : 'no_space' } });
    }
    this.ground.changed();
    this.next();
  }

  cancel(id: string): void {
    const take = this.takes.get(id);
    if (!take || !['waiting', 'running', 'retrying', 'checking'].includes(take.shown.state)) return;
    this.show(take, 'broken', 'cancelled');
    void this.keep(take, 'paused');
    take.stop?.abort();
  }

  // gone: that member left for good.
  gone(rid: string): void {
    for (const take of this.takes.values()) {
      if (take.item.owner !== rid || !['waiting', 'running', 'retrying', 'checking'].includes(take.shown.state)) continue;
      this.show(take, 'broken', 'sender_gone');
      take.stop?.abort();
    }
  }

  // end: the drop is over. What is not whole stays so.
  end(): void {
    for (const take of this.takes.values()) {
      if (['waiting', 'running', 'retrying', 'checking'].includes(take.shown.state)) this.show(take, 'broken', 'sender_gone');
    }
    this.stop();
  }

  stop(): void {
    this.stopped = true;
    for (const take of this.takes.values()) take.stop?.abort();
  }

  taken = (id: string): Described | undefined => this.takes.get(id)?.item;

  verified(id: string): Described | undefined {
    const take = this.takes.get(id);
    return take && !take.to && (take.shown.state === 'verified' || take.shown.state === 'saved') ? take.item : undefined;
  }

  whole(): Set<string> {
    return new Set([...this.takes.keys()].filter((id) => this.verified(id)));
  }

  async saved(id: string): Promise<void> {
    const take = this.takes.get(id);
    if (take?.shown.state !== 'verified') return;
    const part = (await parts.of(this.ground.member)).find(({ item }) => item.id === id);
    if (part) await parts.put({ ...part, state: 'saved' });
    this.show(take, 'saved');
  }

  // hear takes the sender's "verified".
  hear(body: Record<string, unknown>): void {
    if (typeof body.transfer === 'string') this.waiting.get(body.transfer)?.(unb64(body.tag, 32));
  }

  private show(take: Take, state: Incoming['state'], why?: Why): void {
    take.shown.state = state;
    if (why) take.shown.why = why;
    else delete take.shown.why;
    this.ground.changed();
  }

  private async keep(take: Take, state: Part['state'], crcs?: number[]): Promise<void> {
    if (take.to) return;
    await parts.put({ id: `${this.ground.member}/${take.item.id}`, member: this.ground.member, item: take.item, state, crcs });
  }

  // next begins the takes that wait, as many as may run.
  private next(): void {
    for (const take of this.takes.values()) {
      if (this.stopped || this.running >= mostAtOnce) return;
      if (take.shown.state !== 'waiting' || take.stop) continue;
      this.running++;
      take.stop = new AbortController();
      void this.run(take, take.stop.signal).finally(() => {
        this.running--;
        take.stop = undefined;
        this.next();
      });
    }
  }

  private async run(take: Take, stop: AbortSignal): Promise<void> {
    const pauses = new Pauses();
    try {
      // Even a part that is complete wants an attempt: the sender proves that it is what it offers.
      for (let whole = false; !whole;) {
        const before = take.held?.chunks ?? 0;
        try {
          stop.throwIfAborted();
          if (!take.held) await this.begin(take);
          await this.attempt(take, stop);
          whole = true;
        } catch (err) {
          if (stop.aborted || !(err instanceof Later)) throw err;
          if (take.held && take.held.chunks > before) pauses.reset();
          this.show(take, 'retrying', err.why);
          await this.patience(take, err, pauses, stop);
        }
      }
      await this.finish(take);
    } catch (err) {
      if (stop.aborted) return; // cancel has said so, or the page is going
      const why = err instanceof Fatal ? err.why : err instanceof NoSpace ? 'no_space' : err instanceof Unsafe || err instanceof Malformed ? 'unsafe_name' : undefined;
      if (!why) console.error(err);
      await this.release(take);
      if ((why === 'no_space' || why === 'unsafe_name') && !take.to) await removePart(this.ground.member, take.item.id); // no later take needs it
      this.show(take, 'broken', why ?? 'tampered');
      await this.keep(take, 'paused').catch(() => undefined);
    } finally {
      await this.release(take);
    }
  }

  private async release(take: Take): Promise<void> {
    const { held } = take;
    take.held = undefined;
    await held?.sink.close();
  }

  private async begin(take: Take): Promise<void> {
    if (take.to) {
      await removePart(this.ground.member, take.item.id);
      take.held = await Held.picked(take.item, take.to);
      return;
    }
    await this.keep(take, 'part');
    this.show(take, 'checking');
    try {
      take.held = await Held.stored(this.ground.member, take.item, (bytes) => {
        take.shown.done = bytes;
        this.ground.changed();
      });
    } catch (err) {
      // The handle of a call that was silent for long may be open until it is closed.
      if (err instanceof Silent || (err as DOMException).name === 'NoModificationAllowedError') throw new Later('storage_silent');
      throw err;
    }
    take.shown.done = take.held.bytes;
    const left = await room().catch(() => Infinity); // what does not fit is told by the write
    if (take.item.size - take.held.bytes > left) throw new NoSpace();
  }

  // patience waits until another attempt may do better.
  private async patience(take: Take, err: Later, pauses: Pauses, stop: AbortSignal): Promise<void> {
    const aborted = new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
    await pauses.wait(err.retryAfter, Promise.race([aborted, ...(err.retryAfter ? [] : [this.ground.moved()])]));
    while (!stop.aborted && !this.ground.here(take.item.owner)) await Promise.race([this.ground.moved(), aborted]);
    stop.throwIfAborted();
  }

  // attempt runs one transfer. It returns when the item is whole.
  private async attempt(take: Take, stop: AbortSignal): Promise<void> {
    const { ground } = this;
    const { item } = take;
    const held = take.held!;
    if (!ground.here(item.owner)) throw new Later('sender_gone');
    const pair = await drawKey();
    const pkR = await pointOf(pair.publicKey);
    const wants = held.chunks > 0 ? { from: held.chunks, digest: b64(held.digest) } : { from: 0 };
    const sealed = await ground.outgoing(item.owner).seal('request', ground.counter.next(), wants, item.id, pkR);
    const quiet = new AbortController();
    stop.throwIfAborted();
    const abort = () => quiet.abort();
    stop.addEventListener('abort', abort, { once: true });
    let timer = setTimeout(() => quiet.abort(), silence);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), silence);
    };
    try {
      const { id } = await api<{ id: string }>('POST', `/${ground.name()}/transfers`, ground.token, { file_id: item.id, public_key: await jwkOf(pair.publicKey), sealed });
      const response = await request('GET', `/${ground.name()}/transfers/${id}/stream`, ground.token, undefined, { signal: quiet.signal });
      const transfer = new Attempt(take, id, pair, pkR, ground, () => ground.changed());
      const reader = response.body!.getReader();
      try {
        while (!transfer.over) {
          const { value, done } = await reader.read();
          if (done) throw new Later('offline');
          heard();
          await transfer.push(value);
        }
        await transfer.settled();
      } catch (err) {
        await transfer.settled().catch(() => undefined); // what came whole counts
        throw err;
      } finally {
        reader.cancel().catch(() => undefined);
      }
      this.confirm(take, transfer);
    } catch (err) {
      throw failure(err, stop);
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', abort);
    }
  }

  // confirm tells the sender that the item is whole, and hears that it agrees. This member's copy is
  // whole either way.
  private confirm(take: Take, { id, keys }: Attempt): void {
    const { item } = take;
    const { digest } = take.held!;
    const told = async () => {
      const tag = b64(await doneTag(keys!.ack, item.id, item.size, digest));
      const expected = await verifiedTag(keys!.ack, digest);
      for (let tries = 0; tries < 4 && !this.stopped; tries++) {
        this.ground.say(item.owner, { k: 'done', transfer: id, tag });
        const answered = new Promise<boolean>((resolve) => {
          this.waiting.set(id, (shown) => resolve(equal(shown, expected)));
          setTimeout(() => resolve(false), 10_000);
        });
        if (await answered) break;
      }
      this.waiting.delete(id);
    };
    told().catch((err) => console.error(err));
  }

  private async finish(take: Take): Promise<void> {
    const { item } = take;
    await take.held!.sink.whole();
    if (take.to) return this.show(take, 'saved');
    let crcs: number[] | undefined;
    if (item.kind === 'folder') {
      this.show(take, 'checking');
      await take.held!.sink.close();
      take.held = undefined;
      const file = await readPart(this.ground.member, item.id);
      crcs = (await inspect(file, this.ground.windows, () => undefined)).crcs;
    }
    await this.keep(take, 'verified', crcs);
    take.shown.done = item.size;
    this.show(take, 'verified');
  }
}

// failure sorts what ended an attempt.
function failure(err: unknown, stop: AbortSignal): unknown {
  if (stop.aborted || err instanceof Later || err instanceof Fatal || err instanceof NoSpace) return err;
  if (err instanceof Malformed) return new Fatal('tampered');
  if (err instanceof Refused) {
    if (err.code === 'file_not_found') return new Later('sender_gone');
    return new Later(err.status === 429 ? 'busy' : 'offline', err.retryAfter);
  }
  if (err instanceof TypeError || (err as DOMException).name === 'AbortError' || (err as DOMException).name === 'NetworkError') return new Later('offline');
  return err;
}

// Attempt reads one transfer's stream.
class Attempt {
  over = false;
  keys: TransferKeys | undefined;
  private readonly reader = new StreamReader();
  private readonly total: number;
  private index = 0; // of the next chunk that comes
  private writes: Promise<void> = Promise.resolve();
  private pending: Promise<void>[] = [];
  private acked = 0;
  private ackedAt = 0;

  constructor(
    private readonly take: Take, readonly id: string, private readonly pair: CryptoKeyPair, private readonly pkR: Bytes,
    private readonly ground: ReceiveGround, private readonly changed: () => void,
  ) {
    this.total = chunksOf(take.item.size, take.item.chunk);
  }

  // push takes a piece of the stream. It waits while too many chunks are being opened.
  async push(piece: Uint8Array): Promise<void> {
    const found: StreamPart[] = [];
    this.reader.push(piece, (part) => found.push(part));
    for (const part of found) {
      if (this.over) throw new Malformed('stream'); // bytes after the end
      if (part.is === 'start') await this.start(part);
      else if (part.is === 'chunk') await this.chunk(part.sealed);
      else if (part.is === 'error') throw refusal(part.code);
      else await this.end();
    }
  }

  settled(): Promise<void> {
    return this.writes;
  }

  private async start({ publicKey: jwk, sealed, chunk }: Extract<StreamPart, { is: 'start' }>): Promise<void> {
    if (this.keys) throw new Malformed('stream');
    const { item } = this.take;
    const held = this.take.held!;
    const transfer = ridBytes(this.id);
    const answer = await (async () => {
      const other = await publicKey(jwk);
      const pkS = await pointOf(other);
      const { said } = await this.ground.incoming(item.owner).open('accept', sealed, transfer, this.pkR, pkS);
      return { other, pkS, said };
    })().catch(() => {
      throw new Fatal('tampered');
    });
    const { size, from, digest } = answer.said;
    if (size !== item.size || answer.said.chunk !== item.chunk || chunk !== item.chunk) throw new Fatal('changed');
    if (from === 0) {
      if (held.chunks > 0) await held.restart();
    } else if (from !== held.chunks || !equal(unb64(digest, 32), held.digest)) throw new Fatal('tampered');
    this.index = held.chunks;
    this.acked = held.chunks;
    this.keys = await transferKeys(await agreed(this.pair.privateKey, answer.other), this.ground.group(), {
      transfer, file: item.id, receiver: ridBytes(this.ground.rid()), sender: ridBytes(item.owner),
      pkR: this.pkR, pkS: answer.pkS, size: item.size, chunk: item.chunk, from: held.chunks,
    });
    this.take.shown.state = 'running';
    delete this.take.shown.why;
    this.changed();
  }

  private async chunk(sealed: Bytes): Promise<void> {
    const { item } = this.take;
    const i = this.index++;
    if (!this.keys || i >= this.total || sealed.length !== lengthOf(i, item.size, item.chunk) + tagSize) throw new Fatal('tampered');
    const opened = openChunk(this.keys, i, i === this.total - 1, item.size, sealed);
    this.reader.reuse(sealed); // WebCrypto has its own copy
    const written = this.writes.then(async () => {
      const plain = await opened.catch(() => {
        throw new Fatal('tampered');
      });
      await this.take.held!.add(new Uint8Array(plain));
      this.took();
    });
    opened.catch(() => undefined); // `written` tells, unless an earlier one failed
    written.catch(() => undefined); // `settled` tells
    this.writes = written;
    this.pending.push(written);
    if (this.pending.length >= ahead) await this.pending.shift();
  }

  // took shows the progress here and, now and then, to the sender.
  private took(): void {
    const held = this.take.held!;
    this.take.shown.done = held.bytes;
    this.changed();
    const now = performance.now();
    if (held.chunks === this.acked || now - this.ackedAt < ackEvery) return;
    this.ackedAt = now;
    this.acked = held.chunks;
    const chunks = held.chunks;
    void ackTag(this.keys!.ack, chunks).then((tag) => this.ground.say(this.take.item.owner, { k: 'ack', transfer: this.id, chunks, tag: b64(tag) }));
  }

  // end: the sender has sent everything; all must have come.
  private async end(): Promise<void> {
    await this.writes;
    if (!this.keys || !this.take.held!.complete) throw new Fatal('tampered');
    this.over = true;
  }
}

// refusal reads the code of an error frame.
function refusal(code: string): Error {
  switch (code) {
    case 'changed':
    case 'cancelled':
      return new Fatal(code);
    case 'unknown_file':
      return new Later('unknown_file');
    case 'busy':
    case 'stalled':
      return new Later(code);
    case 'sender_gone':
    case 'sender_silent':
      return new Later('sender_gone');
    default:
      return new Later('offline');
  }
}
