// A folder as one stream: docs/drop-protocol.md, section 8.
import { b64, Malformed, u32, utf8 } from './bytes';
import { Places } from './names';
import type { Offered } from './pick';

export const mostEntries = 100_000;
export const longestHeader = 16 * 2 ** 20;

// bundle is what is sent for a picked item. The browser reads the files when their bytes are wanted.
export function bundle({ kind, files, dirs = [] }: Offered): Blob {
  if (kind === 'file') return files[0]!.file;
  if (files.length + dirs.length > mostEntries) throw new Malformed('folder: too many entries');
  const header = utf8(JSON.stringify({ files: files.map(({ path, file }) => [path, file.size, file.lastModified]), dirs }));
  if (header.length > longestHeader) throw new Malformed('folder: too long a list');
  return new Blob([u32(header.length), header, ...files.map(({ file }) => file)]);
}

// stamp is equal for files that have not changed, as far as a browser tells without reading them.
export async function stamp({ files, dirs = [] }: Offered): Promise<string> {
  const list = utf8(JSON.stringify([files.map(({ path, file }) => [path, file.size, file.lastModified]), dirs]));
  return b64(new Uint8Array(await crypto.subtle.digest('SHA-256', list)));
}

// Contents is what a received folder holds. Paths are safe; `at` is a file's place in the stream.
export interface Contents {
  files: { path: string; size: number; modified: number; at: number }[];
  dirs: string[];
}

// contents reads the header of a stream of `size` bytes. It throws Malformed or Unsafe.
export function contents(header: Uint8Array, size: number, windows: boolean): Contents {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch {
    throw new Malformed('list of a folder');
  }
  const { files, dirs = [] } = (read ?? {}) as { files: unknown; dirs?: unknown };
  if (!Array.isArray(files) || !Array.isArray(dirs) || files.length + dirs.length > mostEntries) throw new Malformed('list of a folder');
  const places = new Places(windows);
  const found: Contents = { files: [], dirs: [] };
  let at = 4 + header.length;
  for (const entry of files as unknown[]) {
    if (!Array.isArray(entry)) throw new Malformed('list of a folder');
    const [path, length, modified] = entry as unknown[];
    if (typeof path !== 'string' || !whole(length) || typeof modified !== 'number' || !Number.isSafeInteger(modified)) throw new Malformed('list of a folder');
    found.files.push({ path: places.place(path, false), size: length, modified, at });
    at += length;
  }
  for (const path of dirs as unknown[]) {
    if (typeof path !== 'string') throw new Malformed('list of a folder');
    found.dirs.push(places.place(path, true));
  }
  if (at !== size) throw new Malformed('folder: the list and the size differ');
  return found;
}

export const whole = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
