// What the server sends, read strictly: frames of the socket and of a transfer's stream.
// docs/drop-protocol.md, sections 4 and 7.
import { Malformed, unb64, type Bytes } from './bytes';
import { whole } from './bundle';
import { isChunk, largestChunk, tagSize } from './chunk';
import type { JWK } from './keys';

export interface MemberState { rid: string; host: boolean; here: boolean; gone?: boolean }

export type Frame =
  | { t: 'welcome'; rid: string; host: boolean; host_rid: string; name: string; expires_at: string; members: MemberState[]; queue: number }
  | { t: 'join'; rid: string }
  | ({ t: 'member' } & MemberState)
  | { t: 'name'; name: string; expires_at: string }
  | { t: 'msg'; from: string; body: Record<string, unknown> }
  | { t: 'request'; n: number; transfer: string; from: string; file_id: string; public_key: JWK; sealed: string }
  | { t: 'credit'; n: number; chunks: number }
  | { t: 'end'; n: number; code: string }
  | { t: 'error'; code: string; to?: string }
  | { t: 'replaced' | 'reconnect' }
  | { t: 'closed'; code: string };

export const isRid = (s: unknown): s is string => typeof s === 'string' && /^[\w-]{21}[AQgw]$/.test(s);

const isText = (s: unknown): s is string => typeof s === 'string';
const isObject = (o: unknown): o is Record<string, unknown> => typeof o === 'object' && o !== null && !Array.isArray(o);
const isNumber = (n: unknown): boolean => whole(n) && n < 2 ** 32;
const isMember = (m: unknown): boolean => isObject(m) && isRid(m.rid) && typeof m.host === 'boolean' && typeof m.here === 'boolean';
const isTransfer = (s: unknown): boolean => isRid(s); // 16 bytes too

const checks: Record<Frame['t'], (f: Record<string, unknown>) => boolean> = {
  welcome: (f) => isRid(f.rid) && typeof f.host === 'boolean' && isRid(f.host_rid) && isText(f.name) && isText(f.expires_at) && Array.isArray(f.members) && f.members.every(isMember) && whole(f.queue),
  join: (f) => isRid(f.rid),
  member: isMember,
  name: (f) => isText(f.name) && isText(f.expires_at),
  msg: (f) => isRid(f.from) && isObject(f.body),
  request: (f) => isNumber(f.n) && isTransfer(f.transfer) && isRid(f.from) && isText(f.file_id) && isObject(f.public_key) && isText(f.sealed),
  credit: (f) => isNumber(f.n) && isNumber(f.chunks),
  end: (f) => isNumber(f.n) && isText(f.code),
  error: (f) => isText(f.code),
  replaced: () => true,
  reconnect: () => true,
  closed: (f) => isText(f.code),
};

// frameOf reads a text frame. It answers undefined for a type that this end does not know, and
// throws Malformed for anything else that is no frame.
export function frameOf(text: string): Frame | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Malformed('frame');
  }
  if (!isObject(read) || !isText(read.t)) throw new Malformed('frame');
  if (!Object.hasOwn(checks, read.t)) return undefined;
  if (!checks[read.t as Frame['t']](read)) throw new Malformed('frame ' + read.t);
  return read as unknown as Frame;
}

// Part is a frame of a stream.
export type Part =
  | { is: 'start'; publicKey: JWK; sealed: string; chunk: number }
  | { is: 'chunk'; sealed: Bytes }
  | { is: 'end' }
  | { is: 'error'; code: string };

const longestJSON = 65_536;

// StreamReader puts frames together from bytes that come in pieces of any length. Each payload has
// memory of its own, at most a chunk, until it is given back.
export class StreamReader {
  private readonly free: Bytes[] = [];
  private readonly head = new Uint8Array(5);
  private headed = 0;
  private body: Bytes | undefined;
  private filled = 0;

  // push takes a piece and calls `found` for each frame that is whole now.
  push(piece: Uint8Array, found: (part: Part) => void): void {
    let at = 0;
    while (at < piece.length) {
      if (!this.body) {
        const some = Math.min(5 - this.headed, piece.length - at);
        this.head.set(piece.subarray(at, at + some), this.headed);
        this.headed += some;
        at += some;
        if (this.headed < 5) return;
        this.body = this.memory(this.length());
        this.filled = 0;
      }
      const some = Math.min(this.body.length - this.filled, piece.length - at);
      this.body.set(piece.subarray(at, at + some), this.filled);
      this.filled += some;
      at += some;
      if (this.filled === this.body.length) {
        const body = this.body;
        this.body = undefined;
        this.headed = 0;
        const part = this.part(body);
        if (part) found(part);
      }
    }
  }

  // clean says that no frame is half read.
  get clean(): boolean {
    return !this.body && this.headed === 0;
  }

  // reuse takes back a payload that has been read: fresh memory costs more than a copy.
  reuse(payload: Bytes): void {
    if (this.free.length < 4) this.free.push(payload);
  }

  private memory(length: number): Bytes {
    const used = this.free.pop();
    return used?.length === length ? used : new Uint8Array(length);
  }

  private length(): number {
    const type = this.head[0]!;
    const length = new DataView(this.head.buffer).getUint32(1);
    const most = [0, longestJSON, largestChunk + tagSize, 0, longestJSON][type];
    if (most === undefined || length > most) throw new Malformed('stream');
    return length;
  }

  private part(body: Bytes): Part | undefined {
    switch (this.head[0]) {
      case 1: {
        const { public_key, sealed, chunk } = json(body);
        if (!isObject(public_key) || !isText(sealed) || !isChunk(chunk)) throw new Malformed('start');
        return { is: 'start', publicKey: public_key as unknown as JWK, sealed, chunk };
      }
      case 2:
        return { is: 'chunk', sealed: body };
      case 3:
        return { is: 'end' };
      case 4: {
        const { code } = json(body);
        if (!isText(code)) throw new Malformed('error');
        return { is: 'error', code };
      }
      default:
        return undefined; // keep-alive
    }
  }
}

function json(body: Uint8Array): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(new TextDecoder().decode(body));
    if (isObject(read)) return read;
  } catch {
    // it is no JSON
  }
  throw new Malformed('stream');
}

export const ridBytes = (rid: string): Bytes => unb64(rid, 16);
