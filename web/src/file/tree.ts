// Reads folders: one page of a listing, the way down to a folder, all folders in one.
import { get, type Answer } from '../shell/api';

export type Entry = Answer<'get', '/files/{id}'>;
type Page = Answer<'get', '/files'>;

export type Column = 'name' | 'size' | 'modified';
export interface Sort {
  by: Column;
  down: boolean;
}

export function list(folder: string, sort: Sort, cursor: string | undefined, signal?: AbortSignal, limit = 100): Promise<Page> {
  return get('/files', { query: { parent: folder, sort: `${sort.down ? '-' : ''}${sort.by}`, limit, cursor }, signal });
}

// path returns the folders from the top down to `id`, itself included.
export async function path(id: string, signal?: AbortSignal): Promise<Entry[]> {
  const way: Entry[] = [];
  for (let at: string | null | undefined = id; at; ) {
    const entry: Entry = await get('/files/{id}', { path: { id: at }, signal });
    way.unshift(entry);
    at = entry.parent;
  }
  return way;
}

// everything reads a folder to its end, or what follows a cursor.
export async function everything(folder: string, { sort = { by: 'name', down: false }, cursor, signal, seen }: Reading = {}): Promise<Entry[]> {
  const all: Entry[] = [];
  do {
    const page: Page = await list(folder, sort, cursor, signal, 200);
    all.push(...page.items);
    seen?.(all.length);
    cursor = page.next_cursor || undefined;
  } while (cursor);
  return all;
}

export interface Reading {
  sort?: Sort;
  cursor?: string; // where to begin
  signal?: AbortSignal;
  seen?: (count: number) => void;
}

export async function everyFolder(parent: string, signal?: AbortSignal): Promise<Entry[]> {
  return (await everything(parent, { signal })).filter((e) => e.kind === 'folder');
}
