// The content of an encrypted pin's link: its manifest, and its files. The key stands in the fragment of
// the address, which no server sees.
import { sha256 } from '@noble/hashes/sha2.js';
import { content, Damaged, folder, parseCid, type Bytes, type Cid, type Get } from './blocks';
import { keyOf, plainSize, unseal } from './unseal';

export interface File {
  path: string;
  name: string;
  size: number;
  modified: string; // "" when the manifest does not say
}

interface Sealed extends File {
  ord: string;
  cid: Cid;
  digest: string;
}

export interface Opened {
  name: string;
  single: boolean; // one file, no folder
  files: readonly File[];
  folders: readonly string[];
  // read is the content of a file, in order. A byte that comes is a byte that was sealed; the end comes
  // when the whole is what the manifest says.
  read: (path: string, signal: AbortSignal) => AsyncGenerator<Bytes>;
}

export interface Link {
  cid: Cid;
  key: Bytes;
}

// linkOf reads the address of a pin; undefined: a part of it is missing.
export function linkOf(cid: string, fragment: string): Link | undefined {
  const root = parseCid(cid);
  const [, text] = /^#v1\.([\w-]{43})$/.exec(fragment) ?? [];
  if (!root || root.codec !== 'dag-pb' || !text) return undefined;
  const key = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/') + '='), (c) => c.charCodeAt(0));
  const again = btoa(String.fromCharCode(...key)).replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
  return again === text ? { cid: root, key } : undefined;
}

const mostManifest = 16 << 20;

// Of its own, so that the page can tell a key that fits nothing from a file that is damaged.
export class WrongKey extends Damaged {
  constructor() {
    super('the manifest does not open');
  }
}

export async function open(get: Get, { cid, key }: Link, signal: AbortSignal): Promise<Opened> {
  const entries = await folder(get, cid, signal);
  const sealed = entries.get('manifest');
  if (!sealed) throw new Damaged('there is no manifest');
  const { size, bytes } = await content(get, sealed, signal);
  if (size > mostManifest) throw new Damaged('the manifest is too large');
  const parts: Bytes[] = [];
  try {
    for await (const part of unseal(bytes, size, await keyOf(key, 'manifest'))) parts.push(part);
  } catch (err) {
    if (err instanceof Damaged && err.message === 'damaged: segment 0') throw new WrongKey();
    throw err;
  }
  const manifest = manifestOf(await new Blob(parts).text(), entries);
  return {
    ...manifest,
    read(path, stop) {
      const file = manifest.files.find((f) => f.path === path)!;
      return readFile(get, file, key, stop);
    },
  };
}

// DamagedFile says which file is damaged.
export class DamagedFile extends Damaged {
  constructor(readonly path: string, err: Damaged) {
    super(`${path}: ${err.message}`);
  }
}

async function* readFile(get: Get, file: Sealed, key: Bytes, signal: AbortSignal): AsyncGenerator<Bytes> {
  try {
    yield* checked(get, file, key, signal);
  } catch (err) {
    throw err instanceof Damaged ? new DamagedFile(file.path, err) : err;
  }
}

async function* checked(get: Get, file: Sealed, key: Bytes, signal: AbortSignal): AsyncGenerator<Bytes> {
  const { size, bytes } = await content(get, file.cid, signal);
  if (plainSize(size) !== file.size) throw new Damaged('length of a file');
  const sum = sha256.create();
  for await (const part of unseal(bytes, size, await keyOf(key, 'file ' + file.ord))) {
    sum.update(part);
    yield part;
  }
  if ([...sum.digest()].map((b) => b.toString(16).padStart(2, '0')).join('') !== file.digest) throw new Damaged('digest of a file');
}

// ---- the manifest ----

const mostFiles = 10_001; // with the folder itself
const longestPath = 16_384; // 64 folders in each other, with names of 255 bytes

const bad = (what: string) => new Damaged('manifest: ' + what);

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('object');
  return value as Record<string, unknown>;
};

const list = (value: unknown): unknown[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > mostFiles) throw bad('list');
  return value;
};

// nameOf is a name as it may be shown and saved: what turns the direction of text, or is no text, is replaced.
const nameOf = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '_');

function pathOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > longestPath || value.split('/').some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part))) throw bad('path');
  return nameOf(value);
}

// manifestOf reads a manifest, and finds what it names among the entries of the pin.
export function manifestOf(text: string, entries: ReadonlyMap<string, Cid>): { name: string; single: boolean; files: Sealed[]; folders: string[] } {
  let all: Record<string, unknown>;
  try {
    all = record(JSON.parse(text));
  } catch {
    throw bad('JSON');
  }
  if (all.v !== 1) throw bad('version');
  const name = pathOf(all.name);
  if (name.includes('/')) throw bad('name');
  const files = list(all.files).map((value) => fileOf(record(value), entries));
  const folders = list(all.folders).map((value) => pathOf(typeof value === 'object' ? record(value).path : value));
  apart(files, folders);
  return { name, single: files.length === 1 && folders.length === 0 && files[0]!.path === name, files, folders };
}

function fileOf(value: Record<string, unknown>, entries: ReadonlyMap<string, Cid>): Sealed {
  const path = pathOf(value.path);
  const { file: ord, size, sha256: digest, modified } = value;
  const cid = typeof ord === 'string' && /^(0|[1-9]\d{0,5})$/.test(ord) ? entries.get(ord) : undefined;
  if (!cid) throw bad('file');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw bad('size');
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest)) throw bad('digest');
  const at = typeof modified === 'string' && Date.parse(modified) >= 0 ? modified : '';
  return { path, name: path.slice(path.lastIndexOf('/') + 1), size, modified: at, ord: ord as string, cid, digest };
}

// apart refuses a path that stands for two things, and a file that others lie in.
function apart(files: readonly Sealed[], folders: readonly string[]): void {
  const taken = new Set<string>(folders);
  const ords = new Set<string>();
  if (taken.size !== folders.length) throw bad('two folders of one path');
  for (const { path, ord } of files) {
    if (taken.has(path) || ords.has(ord)) throw bad('two files of one path');
    taken.add(path);
    ords.add(ord);
  }
  const paths = new Set(files.map(({ path }) => path));
  for (const path of taken) {
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      if (paths.has(path.slice(0, cut))) throw bad('a file in a file');
    }
  }
}

export interface Row extends File {
  kind: 'file' | 'folder';
}

// inside lists what stands directly in a folder of the pin: folders first, each in the order of names.
// A folder's size is that of all in it.
export function inside({ files, folders }: Pick<Opened, 'files' | 'folders'>, at: string, compare: (a: string, b: string) => number): Row[] {
  const before = at ? at + '/' : '';
  const found = new Map<string, Row>();
  const below = (path: string, size: number) => {
    const name = path.slice(before.length).split('/')[0]!;
    const had = found.get(name);
    if (had) had.size += size;
    else found.set(name, { kind: 'folder', path: before + name, name, size, modified: '' });
  };
  for (const path of folders) if (path.startsWith(before)) below(path, 0);
  for (const file of files) {
    if (!file.path.startsWith(before)) continue;
    if (file.path.indexOf('/', before.length) >= 0) below(file.path, file.size);
    else found.set(file.name, { ...file, kind: 'file' });
  }
  return [...found.values()].sort((a, b) => (a.kind === b.kind ? compare(a.name, b.name) : a.kind === 'folder' ? -1 : 1));
}
