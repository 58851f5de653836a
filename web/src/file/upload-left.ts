// Uploads that outlive the page. The server has their bytes, this browser remembers when the file
// was changed last: the same name, size and time are the same file.
import { get } from '../shell/api';
import { same } from './taken';
import { Folders, made, type Upload } from './upload-model';

const stored = 'coffer.uploads';
const kept = 30 * 86_400_000; // the server forgets them long before

interface Memory {
  modified: number;
  begun: number;
}

function memories(): Record<string, Memory> {
  try {
    return JSON.parse(localStorage.getItem(stored) ?? '{}') as Record<string, Memory>;
  } catch {
    return {};
  }
}

function remember(change: (all: Record<string, Memory>) => void): void {
  const all = memories();
  change(all);
  for (const [key, { begun }] of Object.entries(all)) if (!(begun > Date.now() - kept)) delete all[key];
  localStorage.setItem(stored, JSON.stringify(all));
}

// A lock tells the other tabs that an upload is not left: this tab has it.
const lockOf = (key: string) => 'coffer.upload.' + key;
const held = new Map<string, () => void>();

// hold answers false when another tab has the upload.
function hold(key: string): Promise<boolean> {
  if (!navigator.locks || held.has(key)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(lockOf(key), { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock ? new Promise<void>((free) => held.set(key, free)) : undefined;
    });
  });
}

// begun keeps the server's id of an upload.
export function begun(u: Upload, key: string): void {
  if (u.key === key) return;
  u.key = key;
  void hold(key);
  remember((all) => {
    all[key] = { modified: u.file!.lastModified, begun: Date.now() };
  });
}

// over forgets an upload that has arrived, or that nobody goes on with.
export function over(u: Upload): void {
  const { key } = u;
  if (!key) return;
  u.key = undefined;
  held.get(key)?.();
  held.delete(key);
  remember((all) => delete all[key]);
}

// leftOvers are the unfinished uploads of this browser that no tab has, besides those in `known`.
export async function leftOvers(known: readonly Upload[]): Promise<Upload[]> {
  const all = memories();
  if (Object.keys(all).length === 0) return [];
  const { items } = await get('/uploads');
  const elsewhere = new Set(navigator.locks ? (await navigator.locks.query()).held?.map((lock) => lock.name) : []);
  return items.filter(({ id, size, damaged }) => size != null && !damaged && all[id] && !elsewhere.has(lockOf(id)) && !known.some((u) => u.key === id)).map((item) => {
    const root = item.parent ?? '';
    const u = made(undefined, { name: item.name, size: item.size!, root, top: item.name, folders: new Folders(root), path: [], settled: true, replace: item.replace, key: item.id, offset: item.offset });
    u.state.value = 'left';
    u.sent.value = item.offset;
    return u;
  });
}

// fits tells whether that is the file of an upload that is left.
export function fits(u: Upload, file: File): boolean {
  return u.state.peek() === 'left' && same(file.name) === same(u.name) && file.size === u.size && memories()[u.key!]?.modified === file.lastModified;
}

// take goes on with a file; false when another tab does already.
export async function take(u: Upload, file: File): Promise<boolean> {
  if (!(await hold(u.key!))) return false;
  u.file = file;
  return true;
}

// letGo leaves all uploads of this tab to whoever signs in next.
export function letGo(): void {
  for (const free of held.values()) free();
  held.clear();
}
