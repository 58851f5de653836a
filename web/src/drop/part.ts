// Where the bytes of an item go while they are received: the browser's own storage, or a file that
// the person picked.
import { Malformed, type Bytes } from './bytes';
import { chunksOf, firstDigest, lengthOf, nextDigest } from './chunk';
import { contents, longestHeader, type Contents } from './bundle';
import type { Described } from './message';
import { openPart, type SyncHandle } from './store';
import { crc32 } from '../shell/zip';

// NoSpace: the browser's storage or the disk is full.
export class NoSpace extends Error {}

export interface Sink {
  write(plain: Bytes, at: number): void | Promise<void>;
  truncate(size: number): void | Promise<void>;
  // whole is called once, after the last byte.
  whole(): void | Promise<void>;
  // close gives the bytes up for a while: they stay where they are.
  close(): void | Promise<void>;
}

// Held is what this member holds of an item: the first `chunks` chunks, and their digest.
export class Held {
  chunks = 0;
  digest!: Bytes;
  private constructor(readonly item: Described, readonly sink: Sink) {}

  // stored opens the item's part and reads what an earlier visit stored. Whole chunks count; the
  // sender compares their digest with its own.
  static async stored(member: string, item: Described, checked: (bytes: number) => void): Promise<Held> {
    const sink = new Stored(await openPart(member, item.id));
    const held = new Held(item, sink);
    const size = sink.handle.getSize();
    const whole = size >= item.size ? (item.size === 0 ? 0 : chunksOf(item.size, item.chunk)) : Math.floor(size / item.chunk);
    held.digest = await firstDigest(item.chunk);
    for (; held.chunks < whole; held.chunks++) {
      const plain = new Uint8Array(lengthOf(held.chunks, item.size, item.chunk));
      if (sink.read(plain, held.chunks * item.chunk) !== plain.length) break;
      held.digest = await nextDigest(held.digest, plain);
      checked(held.chunks * item.chunk);
    }
    return held;
  }

  static async picked(item: Described, to: FileSystemFileHandle): Promise<Held> {
    const held = new Held(item, new Picked(await to.createWritable()));
    held.digest = await firstDigest(item.chunk);
    return held;
  }

  async restart(): Promise<void> {
    await this.sink.truncate(0);
    this.chunks = 0;
    this.digest = await firstDigest(this.item.chunk);
  }

  get complete(): boolean {
    return this.chunks === chunksOf(this.item.size, this.item.chunk);
  }

  get bytes(): number {
    return Math.min(this.chunks * this.item.chunk, this.item.size);
  }

  async add(plain: Bytes): Promise<void> {
    const next = nextDigest(this.digest, plain); // runs beside the write
    await this.sink.write(plain, this.chunks * this.item.chunk);
    this.digest = await next;
    this.chunks++;
  }
}

class Stored implements Sink {
  constructor(readonly handle: SyncHandle) {}

  write(plain: Bytes, at: number): void {
    try {
      for (let done = 0; done < plain.length;) {
        const some = this.handle.write(done === 0 ? plain : plain.subarray(done), { at: at + done });
        if (some <= 0) throw new NoSpace();
        done += some;
      }
    } catch (err) {
      if ((err as DOMException).name === 'QuotaExceededError') throw new NoSpace();
      throw err;
    }
  }

  read(into: Bytes, at: number): number {
    let done = 0;
    while (done < into.length) {
      const some = this.handle.read(done === 0 ? into : into.subarray(done), { at: at + done });
      if (some <= 0) break;
      done += some;
    }
    return done;
  }

  truncate(size: number): void {
    this.handle.truncate(size);
  }

  whole(): void {
    this.handle.flush();
  }

  close(): void {
    this.handle.flush();
    this.handle.close();
  }
}

// Picked writes to what the browser swaps in for the picked file at the end: until then the file
// is as it was.
class Picked implements Sink {
  private over = false;
  constructor(private readonly to: FileSystemWritableFileStream) {}

  async write(data: Bytes, position: number): Promise<void> {
    try {
      await this.to.write({ type: 'write', position, data });
    } catch (err) {
      if ((err as DOMException).name === 'QuotaExceededError') throw new NoSpace();
      throw err;
    }
  }

  async truncate(size: number): Promise<void> {
    await this.to.truncate(size);
  }

  async whole(): Promise<void> {
    this.over = true;
    await this.to.close();
  }

  async close(): Promise<void> {
    if (!this.over) await this.to.abort().catch(() => undefined);
    this.over = true;
  }
}

// inspect reads a folder that is whole: its list, and the checksum of each file for a zip. It throws
// Malformed or Unsafe.
export async function inspect(file: Blob, windows: boolean, checked: (bytes: number) => void): Promise<{ list: Contents; crcs: number[] }> {
  const list = await listOf(file, windows);
  const crcs: number[] = [];
  for (const { at, size } of list.files) {
    let crc = 0;
    for (let done = 0; done < size;) {
      const some = Math.min(4 * 2 ** 20, size - done);
      crc = crc32(new Uint8Array(await file.slice(at + done, at + done + some).arrayBuffer()), crc);
      done += some;
    }
    crcs.push(crc);
    checked(at + size);
  }
  return { list, crcs };
}

export async function listOf(file: Blob, windows: boolean): Promise<Contents> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const length = head.length === 4 ? new DataView(head.buffer).getUint32(0) : Infinity;
  if (length > longestHeader || 4 + length > file.size) throw new Malformed('folder');
  return contents(new Uint8Array(await file.slice(4, 4 + length).arrayBuffer()), file.size, windows);
}
