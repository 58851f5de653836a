// Writes a zip while its files are read: method "stored", the sum and the sizes behind each file, zip64
// throughout (APPNOTE 6.3.10, sections 4.3.9 and 4.5.3). The length of a file is known; its sum is not.
import type { Bytes } from './blocks';

export interface ZipEntry {
  path: string; // ends with "/" for a folder
  size: number;
  modified: string;
  bytes?: () => AsyncIterable<Bytes>;
}

const most32 = 0xffff_ffff;
const version = 45; // zip64
const flags = 0x0808; // sums behind the files, names in UTF-8

// fields writes little-endian numbers: [bytes, value]…
function fields(...all: [2 | 4 | 8, number][]): Bytes {
  const b = new Uint8Array(all.reduce((n, [size]) => n + size, 0));
  const view = new DataView(b.buffer);
  let at = 0;
  for (const [size, value] of all) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return b;
}

export async function* zip(entries: readonly ZipEntry[]): AsyncGenerator<Bytes> {
  const directory: Bytes[] = [];
  let at = 0;
  for (const { path, size, modified, bytes } of entries) {
    const name = new TextEncoder().encode(path);
    const [time, date] = dosTime(modified);
    const common = (crc: number): [2 | 4, number][] => [[2, flags], [2, 0], [2, time], [2, date], [4, crc], [4, most32], [4, most32], [2, name.length]];
    yield fields([4, 0x04034b50], [2, version], ...common(0), [2, 20]);
    yield name;
    yield fields([2, 1], [2, 16], [8, size], [8, size]);
    let crc = 0;
    if (bytes) {
      for await (const part of bytes()) {
        crc = crc32(part, crc);
        yield part;
      }
    }
    yield fields([4, 0x08074b50], [4, crc], [8, size], [8, size]);
    const attributes = path.endsWith('/') ? 0x10 | (0o40755 << 16) : 0o100644 << 16;
    directory.push(
      fields([4, 0x02014b50], [2, 0x0300 | version], [2, version], ...common(crc), [2, 28], [2, 0], [2, 0], [2, 0], [4, attributes >>> 0], [4, most32]),
      name, fields([2, 1], [2, 24], [8, size], [8, size], [8, at]),
    );
    at += 30 + name.length + 20 + size + 24;
  }
  const length = directory.reduce((n, d) => n + d.length, 0);
  yield* directory;
  const count = entries.length;
  yield fields([4, 0x06064b50], [8, 44], [2, 0x0300 | version], [2, version], [4, 0], [4, 0], [8, count], [8, count], [8, length], [8, at]);
  yield fields([4, 0x07064b50], [4, 0], [8, at + length], [4, 1]);
  yield fields([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, most32], [4, most32], [2, 0]);
}

// dosTime is local time in steps of two seconds, from 1980 to 2107.
function dosTime(at: string): [time: number, date: number] {
  const ms = at ? Date.parse(at) : Date.now();
  const d = new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 2)), Date.UTC(2107, 11, 30)));
  return [(d.getHours() << 11) | (d.getMinutes() << 5) | (d.getSeconds() >> 1), ((d.getFullYear() - 1980) << 9) | ((d.getMonth() + 1) << 5) | d.getDate()];
}

const table = new Int32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  table[n] = c;
}

function crc32(b: Uint8Array, before: number): number {
  let c = ~before;
  for (let i = 0; i < b.length; i++) c = (c >>> 8) ^ table[(c ^ b[i]!) & 255]!;
  return ~c >>> 0;
}
