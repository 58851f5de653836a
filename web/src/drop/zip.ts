// Writes a zip of files as they are (method "stored"), with zip64 where a number needs it: APPNOTE
// 6.3.10. The archive is a Blob of slices, so no byte of a file passes through memory.
import { dosTime, fields, most32 } from '../shell/zip';
import { joined, utf8, type Bytes } from './bytes';

export interface Entry {
  path: string; // ends with "/" for a folder
  content: Blob;
  crc: number;
  modified: number; // Unix milliseconds
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
