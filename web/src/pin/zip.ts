// Writes a zip while its files are read: method "stored", the sum and the sizes behind each file, zip64
// throughout (APPNOTE 6.3.10, sections 4.3.9 and 4.5.3). The length of a file is known; its sum is not.
import { crc32, dosTime, fields, most32 } from '../shell/zip';
import type { Bytes } from './blocks';

export interface ZipEntry {
  path: string; // ends with "/" for a folder
  size: number;
  modified: string;
  bytes?: () => AsyncIterable<Bytes>;
}

const version = 45; // zip64
const flags = 0x0808; // sums behind the files, names in UTF-8

export async function* zip(entries: readonly ZipEntry[]): AsyncGenerator<Bytes> {
  const directory: Bytes[] = [];
  let at = 0;
  for (const { path, size, modified, bytes } of entries) {
    const name = new TextEncoder().encode(path);
    const [time, date] = dosTime(modified ? Date.parse(modified) : Date.now());
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
