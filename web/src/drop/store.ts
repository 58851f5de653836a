// What this browser keeps of its drops: in IndexedDB its memberships, in the origin private file
// system the bytes. All of it goes when the drop ends. Only workers can use this.
import type { Described } from './message';

// Kept is one membership. The group key must be read to derive a transfer's key from it, so it
// cannot be a CryptoKey that hides its bytes; the pairs of the transfers can, and are never kept.
export interface Kept {
  id: string;
  name: string;
  token: string;
  rid: string;
  host: boolean;
  hostRid: string;
  group: Uint8Array<ArrayBuffer>;
  expiresAt: string;
  used: number; // Unix ms
  code?: string;
  key?: Uint8Array<ArrayBuffer>; // of the link
  wrong: number; // codes, for the one in force
  offered: { item: Described; stamp?: string; handle?: FileSystemHandle }[]; // stamp: of the files that were offered
  heard: Record<string, number>; // by rid: the highest number of a message
}

// Part is an item that is received, or was.
export interface Part {
  id: string; // member/item
  member: string;
  item: Described;
  state: 'part' | 'paused' | 'verified' | 'saved';
  crcs?: number[]; // of a verified folder's files
}

const database = 'coffer-drop';

export const memberLock = (id: string) => 'coffer-drop:' + id;

export const members = {
  all: () => within<Kept[]>('members', 'readonly', (store) => store.getAll()),
  put: (kept: Kept) => within<unknown>('members', 'readwrite', (store) => store.put(kept)),
  delete: (id: string) => within<unknown>('members', 'readwrite', (store) => store.delete(id)),
};

export const parts = {
  of: async (member: string) => (await within<Part[]>('parts', 'readonly', (store) => store.getAll())).filter((part) => part.member === member),
  all: () => within<Part[]>('parts', 'readonly', (store) => store.getAll()),
  put: (part: Part) => within<unknown>('parts', 'readwrite', (store) => store.put(part)),
  delete: (id: string) => within<unknown>('parts', 'readwrite', (store) => store.delete(id)),
};

async function within<T>(name: 'members' | 'parts', mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('members', { keyPath: 'id' });
    opening.result.createObjectStore('parts', { keyPath: 'id' });
  };
  const db = await settled(opening);
  try {
    return (await settled(work(db.transaction(name, mode).objectStore(name)))) as T;
  } finally {
    db.close(); // an open connection would block the clearing of site data at sign-out
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// SyncHandle is FileSystemSyncAccessHandle, which the compiler knows in workers only.
export interface SyncHandle {
  read(into: ArrayBufferView, at: { at: number }): number;
  write(from: ArrayBufferView, at: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

async function folder(member: string): Promise<FileSystemDirectoryHandle> {
  const top = await (await navigator.storage.getDirectory()).getDirectoryHandle('drop', { create: true });
  return top.getDirectoryHandle(member, { create: true });
}

const fileName = (item: string) => item.replace('.', '_') + '.coffer-part';

// Silent: the browser's storage did not answer. No item may wait for it without an end.
export class Silent extends Error {}

const storageTime = 20_000; // ms

// answer is what the storage says in time. What it says later goes to `late`.
async function answer<T>(call: Promise<T>, late: (said: T) => void = () => undefined): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Silent());
      call.then(late, () => undefined);
    }, storageTime);
  });
  try {
    return await Promise.race([call, silence]);
  } finally {
    clearTimeout(timer);
  }
}

// openPart opens the file of a part, which only one handle can have open.
export async function openPart(member: string, item: string): Promise<SyncHandle> {
  const open = async () => {
    const file = await (await folder(member)).getFileHandle(fileName(item), { create: true });
    return (file as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }).createSyncAccessHandle();
  };
  return answer(open(), (handle) => handle.close());
}

export async function readPart(member: string, item: string): Promise<File> {
  return (await (await folder(member)).getFileHandle(fileName(item))).getFile();
}

export async function removePart(member: string, item: string): Promise<void> {
  await (await folder(member)).removeEntry(fileName(item)).catch(() => undefined); // it may never have been made
}

// room is how many bytes this browser would still store.
export async function room(): Promise<number> {
  const { quota, usage } = await answer(navigator.storage.estimate());
  return quota === undefined ? Infinity : quota - (usage ?? 0);
}

// forget removes a membership. Whole items stay for the page that may still save them: sweep takes
// them later.
export async function forget(member: string, whole: ReadonlySet<string> = new Set()): Promise<void> {
  await members.delete(member);
  for (const part of await parts.of(member)) if (!whole.has(part.item.id)) await parts.delete(part.id);
}

// sweep removes what dead drops left. `dead` says whether a membership that no tab runs is over.
export async function sweep(own: string, dead: (kept: Kept) => Promise<boolean>): Promise<void> {
  const held = new Set((await navigator.locks.query()).held?.map((lock) => lock.name));
  const idle = (id: string) => id !== own && !held.has(memberLock(id));
  for (const kept of await members.all()) if (idle(kept.id) && (await dead(kept))) await forget(kept.id);
  const live = new Set((await members.all()).map((kept) => kept.id));
  for (const part of await parts.all()) if (!live.has(part.member) && idle(part.member)) await parts.delete(part.id);
  const top = await (await navigator.storage.getDirectory()).getDirectoryHandle('drop', { create: true });
  const names: string[] = [];
  for await (const name of (top as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  for (const name of names) if (!live.has(name) && idle(name)) await top.removeEntry(name, { recursive: true }).catch(() => undefined); // another tab was quicker
}
