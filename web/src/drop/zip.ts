// Writes a zip of files as they are (method "stored"), with zip64 where a number needs it: APPNOTE
// 6.3.10. The archive is a Blob of slices, so no byte of a file passes through memory.
import { joined, utf8, type Bytes } from './bytes';

export interface Entry {
  path: string; // ends with "/" for a folder
  content: Blob;
  crc: number;
  modified: number; // Unix milliseconds
}

const most32 = 0xffff_ffff;

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

export function zip(entries: readonly Entry[]): Blob {
  const parts: BlobPart[] = [];
  const directory: Bytes[] = [];
  let at = 0;
  for (const { path, content, crc, modified } of entries) {
    const name = utf8(path);
    const { size } = content;
    const [time, date] = dosTime(modified);
    const large = size >= most32;
    const far = at >= most32;
    const shown = large ? most32 : size;
    const common = [[2, 0x0800], [2, 0], [2, time], [2, date], [4, crc], [4, shown], [4, shown], [2, name.length]] as [2 | 4, number][];
    const version = large || far ? 45 : 20;
    const local = large ? fields([2, 1], [2, 16], [8, size], [8, size]) : fields();
    const head = joined(fields([4, 0x04034b50], [2, large ? 45 : 20], ...common, [2, local.length]), name, local);
    const wide: [8, number][] = [...(large ? [[8, size], [8, size]] as [8, number][] : []), ...(far ? [[8, at]] as [8, number][] : [])];
    const extra = wide.length ? fields([2, 1], [2, wide.length * 8], ...wide) : fields();
    const attributes = path.endsWith('/') ? 0x10 | (0o40755 << 16) : (0o100644 << 16);
    directory.push(joined(
      fields([4, 0x02014b50], [2, 0x0300 | version], [2, version], ...common, [2, extra.length], [2, 0], [2, 0], [2, 0], [4, attributes >>> 0], [4, far ? most32 : at]),
      name, extra,
    ));
    parts.push(head, content);
    at += head.length + size;
  }
  const length = directory.reduce((n, d) => n + d.length, 0);
  parts.push(...directory);
  const count = entries.length;
  if (count >= 0xffff || at >= most32 || length >= most32) {
    parts.push(
      fields([4, 0x06064b50], [8, 44], [2, 0x0300 | 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, length], [8, at]),
      fields([4, 0x07064b50], [4, 0], [8, at + length], [4, 1]),
    );
  }
  const few = Math.min(count, 0xffff);
  parts.push(fields([4, 0x06054b50], [2, 0], [2, 0], [2, few], [2, few], [4, Math.min(length, most32)], [4, Math.min(at, most32)], [2, 0]));
  return new Blob(parts, { type: 'application/zip' });
}

// dosTime is local time in steps of two seconds, from 1980 to 2107.
function dosTime(ms: number): [time: number, date: number] {
  const d = new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 2)), Date.UTC(2107, 11, 30)));
  return [(d.getHours() << 11) | (d.getMinutes() << 5) | (d.getSeconds() >> 1), ((d.getFullYear() - 1980) << 9) | ((d.getMonth() + 1) << 5) | d.getDate()];
}

// Eight tables let crc32 take eight bytes at a step.
const tables = Array.from({ length: 8 }, () => new Int32Array(256));
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  tables[0]![n] = c;
}
for (let n = 0; n < 256; n++) for (let t = 1; t < 8; t++) tables[t]![n] = (tables[t - 1]![n]! >>> 8) ^ tables[0]![tables[t - 1]![n]! & 255]!;

// crc32 goes on from an earlier value; 0 begins.
export function crc32(b: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
  let c = ~before;
  let i = 0;
  for (const end = b.length - 7; i < end; i += 8) {
    c ^= b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24);
    c = t7[c & 255]! ^ t6[(c >>> 8) & 255]! ^ t5[(c >>> 16) & 255]! ^ t4[c >>> 24]! ^ t3[b[i + 4]!]! ^ t2[b[i + 5]!]! ^ t1[b[i + 6]!]! ^ t0[b[i + 7]!]!;
  }
  for (; i < b.length; i++) c = (c >>> 8) ^ t0[(c ^ b[i]!) & 255]!;
  return ~c >>> 0;
}
